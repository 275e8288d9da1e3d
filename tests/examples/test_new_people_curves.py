"""Curves of networks on new people: the quick run and the epoch that is kept."""

from __future__ import annotations

import new_people_curves as study
import pandas as pd
import pytest


@pytest.mark.studies
def test_the_quick_run(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    arguments = ["--quick", "--n-jobs", "1", "--output", str(tmp_path), "--networks", "MIN2Net"]
    table = study.main(arguments)
    assert table["network"].tolist() == ["MIN2Net", "MIN2Net, mirrored"]
    assert "Networks on new people" in capsys.readouterr().out
    assert list(tmp_path.glob("*.png"))


def test_the_kept_epoch_has_the_least_loss_on_people_held_out():
    fit = pd.DataFrame({
        "network": "MIN2Net", "count": 4, "mirrored": False, "number": [1, 2, 3],
        "training": [0.6, 0.7, 0.9], "held_out": [0.6, 0.7, 0.6], "test": [0.5, 0.6, 0.65],
        "valid_loss": [0.7, 0.5, 0.6], "seconds": 1.0,
    })
    (line,) = study.make_table(fit).to_dict("records")
    assert (line["kept epoch"], line["test"], line["last test"], line["best"]) == (2, 0.6, 0.65,
                                                                                0.65)
