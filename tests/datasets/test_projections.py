"""Projections that wait (average reference, SSP) reach epochs and windows alike."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from skbci import EEGArray
from skbci.datasets import read_epochs
from skbci.features import SlidingWindows

NAMES = ["Fz", "C3", "Cz", "C4", "Pz"]


@pytest.fixture
def waiting():
    data = np.random.default_rng(0).normal(0, 1e-5, (5, 2000))
    raw = mne.io.RawArray(data, mne.create_info(NAMES, 100, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([2, 8, 14], 0, ["left", "right", "left"]))
    raw.set_eeg_reference("average", projection=True, verbose="error")
    assert not raw.info["projs"][0]["active"]
    return raw


@pytest.mark.parametrize("picks", [None, ["C4", "C3"]])
def test_epochs_and_windows_have_the_reference_of_all_channels(waiting, picks):
    names = picks or NAMES
    data = waiting.get_data()
    right = (data - data.mean(axis=0))[[NAMES.index(name) for name in names]]
    X = read_epochs(waiting, tmax=2, picks=picks, subject=1).X
    np.testing.assert_allclose(
        X, [right[:, start : start + 200] for start in (200, 800, 1400)], atol=1e-15)
    windows, _ = SlidingWindows(2.0, 1.0).explode(waiting, picks=picks)
    np.testing.assert_allclose(
        windows, [right[:, start : start + 200] for start in range(0, 1900, 100)], atol=1e-15)
    np.testing.assert_array_equal(waiting.get_data(), data)


def test_the_way_to_epochs_and_back_applies_none(waiting):
    events, names = mne.events_from_annotations(waiting, verbose="error")
    epochs = mne.Epochs(waiting, events, names, 0, 1, baseline=None, proj=False, preload=True,
                        verbose="error")
    back = EEGArray.from_epochs(epochs).to_epochs()
    np.testing.assert_array_equal(back.get_data(), epochs.get_data())
    assert [p["active"] for p in back.info["projs"]] == [False]
