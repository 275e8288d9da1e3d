"""`skbci fit` and `skbci decode`."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest

from skbci.baselines import csp_lda
from skbci.cli import main
from skbci.datasets import read_epochs
from skbci.features import SlidingWindows
from tests.cli.conftest import RATE


@pytest.fixture(scope="module")
def fitted(recordings):
    """The same decoder, by the library."""
    data = read_epochs(recordings / "sub-01_raw.fif", tmax=2)
    return csp_lda().fit(data.X, data.y)


def test_epochs_at_events(model, fitted, recordings, tmp_path, capsys):
    file = recordings / "sub-02_raw.fif"
    table = tmp_path / "decoded.csv"
    assert main(["decode", str(model), str(file), "--output", str(table)]) == 0
    data = read_epochs(file, tmax=2)
    found = pd.read_csv(table)
    np.testing.assert_allclose(found[["left", "right"]], fitted.predict_proba(data.X), atol=6e-4)
    assert found["decoded"].tolist() == fitted.predict(data.X).tolist()
    assert found["event"].tolist() == data.y.tolist()
    np.testing.assert_allclose(found["onset_s"], data.metadata["onset"], atol=6e-4)
    hits = int((fitted.predict(data.X) == data.y).sum())
    assert f"{hits} of 16 epochs as their events say" in capsys.readouterr().err


def test_windows_one_after_another(model, fitted, recordings, capsys):
    file = recordings / "sub-03_raw.fif"
    assert main(["decode", str(model), str(file), "--hop", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "time_s,decoded,left,right"
    found = np.array([line.split(",")[2:] for line in lines[1:]], dtype=float)
    raw = mne.io.read_raw(file, verbose="error")
    windows, _ = SlidingWindows(2.0, 0.5, sfreq=RATE).explode(raw.get_data())
    np.testing.assert_allclose(found, fitted.predict_proba(windows), atol=6e-4)


def test_a_recording_at_another_rate_is_refused(model, recordings, tmp_path, capsys):
    raw = mne.io.read_raw(recordings / "sub-02_raw.fif", preload=True, verbose="error")
    path = tmp_path / "sub-02_raw.fif"
    raw.resample(32, verbose="error").save(path, verbose="error")
    for more in ([], ["--hop", "1"]):
        assert main(["decode", str(model), str(path), *more]) == 2
        assert "has 32 Hz, and the decoder was fitted at 64 Hz" in capsys.readouterr().err


def test_a_recording_without_its_channels_is_refused(model, recordings, tmp_path, capsys):
    raw = mne.io.read_raw(recordings / "sub-02_raw.fif", preload=True, verbose="error")
    path = tmp_path / "sub-02_raw.fif"
    raw.drop_channels(["C4"]).save(path, verbose="error")
    assert main(["decode", str(model), str(path), "--hop", "1"]) == 2
    assert "lacks the channels C4" in capsys.readouterr().err
    assert main(["decode", str(model), str(path)]) == 2
