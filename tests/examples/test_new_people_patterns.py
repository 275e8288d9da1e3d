"""What decoders of new people look at: how far hemispheres are opposite; a quick run."""

from __future__ import annotations

import new_people_patterns as script
import pandas as pd
import pytest


def test_opposite_hemispheres():
    names = ["C3", "Cz", "C4", "CP5", "CP6"]
    assert script.opposite(pd.Series([1.0, 0.0, -1.0, 2.0, -2.0], names)) == pytest.approx(1)
    assert script.opposite(pd.Series([1.0, 3.0, 1.0, 2.0, 2.0], names)) == pytest.approx(-1)


@pytest.mark.studies
def test_the_quick_run_finds_imagery_over_the_motor_cortex(tmp_path, monkeypatch):
    monkeypatch.delenv("SKBCI_DATA", raising=False)
    table = script.main(["--quick", "--output", str(tmp_path)]).set_index(["decoder", "map"])
    simulated = table.loc[("tangent space + LR", "right_hand - left_hand")]
    # The rhythm over the other hemisphere's motor cortex is weaker.
    assert (simulated["lowest"], simulated["highest"]) == ("C3", "C4")
    assert simulated["opposite"] > 0.8
    assert (tmp_path / "new_people_patterns_quick.png").stat().st_size > 10_000
