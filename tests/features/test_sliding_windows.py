"""SlidingWindows: views, onsets, labels."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci import EEGArray
from skbci.features import SlidingWindows


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 9), st.integers(20, 60))
def test_windows_are_the_slices_of_the_signal(n_window, n_hop, n_times):
    X = np.random.default_rng(0).standard_normal((2, 3, n_times))
    out = SlidingWindows(n_window / 100, n_hop / 100, sfreq=100).fit_transform(X)
    starts = range(0, n_times - n_window + 1, n_hop)
    assert out.shape == (2, len(starts), 3, n_window)
    for m, start in enumerate(starts):
        np.testing.assert_array_equal(out[:, m], X[..., start : start + n_window])


def test_rows_by_times_is_one_channel_and_no_copy_is_made():
    X = np.random.default_rng(1).standard_normal((4, 100))
    out = SlidingWindows(0.2, 0.1, sfreq=100).fit_transform(X)
    assert out.shape == (4, 9, 20)
    assert np.shares_memory(out, X)


def test_explode_one_recording():
    X = np.random.default_rng(2).standard_normal((14, 1000))
    windows = SlidingWindows(1.5, 0.5, sfreq=128)
    out, y = windows.explode(X)
    assert y is None
    assert out.shape == (1 + (1000 - 192) // 64, 14, 192)
    assert (out.metadata["run"] == 0).all()
    for i, onset in enumerate(out.metadata["onset"]):
        start = round(onset * 128)
        np.testing.assert_array_equal(np.asarray(out)[i], X[:, start : start + 192])


def test_explode_keeps_each_runs_context():
    X = np.random.default_rng(3).standard_normal((3, 2, 100))
    runs = EEGArray(X, {"subject": ["a", "a", "b"], "run": [4, 5, 4], "onset": [0.0, 60.0, 7.0]},
                    sfreq=10, ch_names=["C3", "C4"])
    out, y = SlidingWindows(5, 2.5).explode(runs, ["x", "y", "z"])
    assert out.shape == (9, 2, 50)
    assert out.ch_names == ["C3", "C4"]
    assert out.sfreq == 10
    assert out.metadata["subject"].tolist() == ["a"] * 6 + ["b"] * 3
    assert out.metadata["run"].tolist() == [4] * 3 + [5] * 3 + [4] * 3
    assert out.metadata["onset"].tolist() == [0, 2.5, 5, 60, 62.5, 65, 7, 9.5, 12]
    assert y.tolist() == list("xxxyyyzzz")


def test_explode_reduces_labels_of_samples():
    X = np.random.default_rng(4).standard_normal((1, 2, 12))
    y = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]
    windows = SlidingWindows(4, 2, sfreq=1)
    for labels in (y, [y]):
        assert windows.explode(X, labels)[1].tolist() == [1, 1, 2, 2, 2]
    # Of a tie the smallest: samples 2 to 5 and 6 to 9 are no ties, 0 to 3 neither.
    assert windows.explode(X, y, label="majority")[1].tolist() == [0, 1, 1, 2, 2]
    tie = [3, 3, 1, 1, *y[4:]]
    assert windows.explode(X, tie, label="majority")[1][0] == 1


def test_explode_raw_and_epochs():
    info = mne.create_info(["C3", "C4"], 100, "eeg")
    data = np.random.default_rng(5).standard_normal((2, 1000)) * 1e-5
    raw = mne.io.RawArray(data, info, verbose="error")
    out, _ = SlidingWindows(2, 1).explode(raw)
    assert out.shape == (9, 2, 200)
    assert out.sfreq == 100
    assert out.ch_names == ["C3", "C4"]
    events = np.array([[0, 0, 1], [400, 0, 2]])
    epochs = mne.Epochs(raw, events, tmin=0.5, tmax=2.49, baseline=None, preload=True,
                        verbose="error")
    out, y = SlidingWindows(1, 0.5).explode(epochs, [1, 2])
    assert out.metadata["onset"].tolist() == [0.5, 1.0, 1.5, 4.5, 5.0, 5.5]
    np.testing.assert_allclose(np.asarray(out)[3], data[:, 450:550])
    assert y.tolist() == [1, 1, 1, 2, 2, 2]
    assert len(out.to_epochs()) == 6


def joined_raws(first_samp=0):
    """Recordings of 5 and 4.5 s with an eye channel, a bad channel, a bad stretch in one."""
    info = mne.create_info(["C3", "Cz", "EOG"], 100, ["eeg", "eeg", "eog"])
    rng = np.random.default_rng(5)
    parts = [mne.io.RawArray(rng.standard_normal((3, n)) * 1e-5, info, first_samp=first_samp,
                             verbose="error") for n in (500, 450)]
    parts[1].set_annotations(mne.Annotations([2.05], [0.3], ["bad_movement"]))
    raw = mne.concatenate_raws(parts, verbose="error")
    raw.info["bads"] = ["Cz"]
    return raw


@pytest.mark.parametrize("first_samp", [0, 800])
def test_windows_of_a_raw_are_those_that_mne_keeps(first_samp):
    raw = joined_raws(first_samp)
    samples = np.arange(950)
    cut = SlidingWindows(1, 0.5)
    with pytest.warns(UserWarning, match="3 of 18 windows were left out.*'bad' or 'edge'"):
        out, y = cut.explode(raw, samples)
    kept = mne.make_fixed_length_epochs(raw, 1, overlap=0.5, preload=True, verbose="error")
    expected = kept.get_data(picks=["C3"])
    assert out.ch_names == ["C3"]
    np.testing.assert_array_equal(np.asarray(out), expected)
    assert (y - 99).tolist() == (kept.events[:, 0] - raw.first_samp).tolist()
    assert out.metadata["onset"].tolist() == ((y - 99) / 100).tolist()
    # the boundary at 5 s is between two samples: windows that end or begin there are whole
    assert {4.0, 5.0} <= set(out.metadata["onset"])
    assert 4.5 not in set(out.metadata["onset"])


def test_only_boundaries_called_edge():
    raw = joined_raws()
    raw.annotations.delete(np.flatnonzero(raw.annotations.description != "EDGE boundary"))
    with pytest.warns(UserWarning, match="1 of 18 windows"):
        out, _ = SlidingWindows(1, 0.5).explode(raw)
    assert 4.5 not in set(out.metadata["onset"])


def test_picks_of_explode():
    raw = joined_raws().set_annotations(None)
    cut = SlidingWindows(1, 0.5)
    assert cut.explode(raw, picks=["EOG", "C3"])[0].ch_names == ["EOG", "C3"]
    assert cut.explode(raw, picks="all")[0].ch_names == ["C3", "Cz", "EOG"]
    assert cut.explode(raw, picks="eog")[0].info.get_channel_types() == ["eog"]
    with pytest.raises(ValueError, match="picks='meg' chooses no channel"):
        cut.explode(raw, picks="meg")
    with pytest.raises(TypeError, match="picks chooses channels of mne.io.Raw and mne.Epochs"):
        cut.explode(np.zeros((2, 300)), picks=[0])
    raw.set_annotations(mne.Annotations([0], [9.5], ["BAD"]))
    with pytest.raises(ValueError, match="all 18 windows touch"):
        cut.explode(raw)


@pytest.mark.parametrize(
    ("window", "hop", "message"),
    [
        (2, 1, "windows longer than the signal: window=2 s is 200 samples"),
        (0, 1, "window=0 must be above 0 seconds"),
        (1, -0.5, r"hop=-0\.5 must be .*seconds"),
        (np.nan, 1, "window=nan must be a finite number"),
        (0.5, 0.004, r"hop=0\.004 s is less than one sample"),
        (0.001, 0.1, r"window=0\.001 s is less than one sample"),
    ],
)
def test_bad_parameters(window, hop, message):
    X = np.random.default_rng(6).standard_normal((3, 2, 150))
    windows = SlidingWindows(window, hop, sfreq=100)
    with pytest.raises(ValueError, match=message):
        windows.fit(X)
    with pytest.raises(ValueError, match=message):
        windows.explode(X)


def test_bad_labels_and_shapes():
    X = np.random.default_rng(7).standard_normal((3, 2, 150))
    windows = SlidingWindows(1, 1, sfreq=100)
    with pytest.raises(ValueError, match=r"y has shape \(4,\)"):
        windows.explode(X, [0, 1, 2, 3])
    with pytest.raises(ValueError, match="label='first' is not one of 'last', 'majority'"):
        windows.explode(X, label="first")
    with pytest.raises(ValueError, match=r"got an array of shape \(150,\)"):
        windows.explode(X[0, 0])
    with pytest.raises(ValueError, match="needs a sampling rate"):
        SlidingWindows(1, 1).explode(X)
