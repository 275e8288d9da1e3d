"""An EEGArray becomes mne.Epochs and comes back: onsets, names, codes and runs survive."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from skbci import EEGArray
from skbci._checks.eeg import as_eeg
from skbci.datasets import read_epochs
from skbci.evaluation import leakage_report
from skbci.features import Crop, SlidingWindows
from skbci.model_selection import PurgedKFold

SFREQ = 160
NAMES = {"left": 1, "right": 2}


def make_epochs(n=12, step=240, start=300, event_id=NAMES, seed=0, metadata=None, seconds=2):
    """Epochs of two seconds with an event every step samples."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.resize(list(event_id.values()), n))
    events = np.c_[start + np.arange(n) * step, np.zeros(n, int), codes]
    return mne.EpochsArray(
        rng.normal(0, 1e-5, (n, 2, seconds * SFREQ)), mne.create_info(["C3", "C4"], SFREQ, "eeg"),
        events, tmin=-0.5, event_id=event_id, metadata=metadata, verbose="error",
    )


def names_of(epochs):
    by_code = {code: name for name, code in epochs.event_id.items()}
    return [by_code[code] for code in epochs.events[:, 2]]


CHANGES = {
    "nothing": lambda X: X,
    "every other sample": lambda X: X[..., ::2],
    "later samples": lambda X: X[..., 40:],
    "crop": lambda X: Crop(0, 1).fit_transform(X),
    "one channel": lambda X: X[:, [1]],
    "joined halves": lambda X: np.concatenate([X[:5], X[5:]]),
    "interleaved": lambda X: np.concatenate([X[::2], X[1::2]]),
    "other rows": lambda X: X[[7, 2, 9]],
    "scaled": lambda X: X * 2.0,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("resample", [None, 80, 256])
def test_onsets_names_and_codes_survive(change, resample):
    epochs = make_epochs()
    right = dict(zip(epochs.events[:, 0] / SFREQ, names_of(epochs)))
    if resample:
        epochs = epochs.resample(resample, verbose="error")
    X = change(EEGArray.from_epochs(epochs))
    out = X.to_epochs()
    back = EEGArray.from_epochs(out)
    np.testing.assert_allclose(back.metadata["onset"], X.metadata["onset"])
    assert names_of(out) == [right[onset] for onset in X.metadata["onset"]]
    assert out.event_id == NAMES == back.metadata.attrs["event_id"]
    np.testing.assert_array_equal(back.metadata["event_code"], X.metadata["event_code"])
    np.testing.assert_array_equal(out.events[:, 0] / SFREQ, X.metadata["onset"])
    np.testing.assert_allclose(back, X)
    assert back.sfreq == pytest.approx(X.sfreq)
    assert back.tmin == pytest.approx(X.tmin, abs=0.5 / X.sfreq)
    again = EEGArray.from_epochs(back.to_epochs())
    np.testing.assert_allclose(again.metadata["onset"], X.metadata["onset"])


def test_what_mne_does_with_saved_resampled_epochs(tmp_path):
    """MNE keeps the recording's rate beside the events, in files too."""
    X = EEGArray.from_epochs(make_epochs().resample(80, verbose="error"))
    X.to_epochs().save(tmp_path / "a-epo.fif", verbose="error")
    again = EEGArray.from_epochs(mne.read_epochs(tmp_path / "a-epo.fif", verbose="error"))
    np.testing.assert_allclose(again.metadata["onset"], X.metadata["onset"])


def test_overlap_is_seen_before_and_after():
    X = EEGArray.from_epochs(make_epochs(40).resample(80, verbose="error"))
    for Z in (X, EEGArray.from_epochs(X.to_epochs()), as_eeg(X[..., ::2].to_epochs())):
        assert leakage_report(KFold(4), Z).leaks


def test_an_onset_that_was_changed_is_kept():
    X = EEGArray.from_epochs(make_epochs())
    X.metadata["onset"] += 100.0
    back = EEGArray.from_epochs(X.to_epochs())
    np.testing.assert_allclose(back.metadata["onset"], X.metadata["onset"])


# -- several recordings ----------------------------------------------------------------------


def runs(labels=(1, 2, 3)):
    return [
        make_epochs(seed=seed, start=300 + 7 * seed, metadata=None if label is None else
                    pd.DataFrame({"run": [label] * 12}))
        for seed, label in enumerate(labels)
    ]


@pytest.mark.parametrize("labels", [(1, 2, 3), ("c", "a", "b"), (None, None, None)], ids=str)
def test_several_runs_become_one_epochs_as_mne_joins_them(labels):
    parts = runs(labels)
    right = mne.concatenate_epochs([part.copy() for part in parts], verbose="error")
    X = np.concatenate([EEGArray.from_epochs(part) for part in parts])
    out = X.to_epochs()
    np.testing.assert_array_equal(out.events, right.events)
    np.testing.assert_array_equal(out.get_data(copy=False), right.get_data(copy=False))
    assert out.event_id == right.event_id
    back = EEGArray.from_epochs(out)
    onsets = np.concatenate([part.events[:, 0] / SFREQ for part in parts])
    np.testing.assert_allclose(back.metadata["onset"], onsets)
    if labels[0] is not None:
        assert back.metadata["run"].tolist() == np.repeat(labels, 12).tolist()
    assert [len(train) for train, _ in PurgedKFold(3).split(back)] == [24, 24, 24]
    # Nothing is moved a second time.
    np.testing.assert_array_equal(back.to_epochs().events, out.events)


def test_runs_of_resampled_epochs_do_not_overlap_in_mnes_time():
    X = np.concatenate([
        EEGArray.from_epochs(part.resample(20, verbose="error")) for part in runs((1, 2, 3))
    ])
    out = X.to_epochs()
    assert (np.diff(out.events[:, 0]) >= 240).all()
    assert np.diff(out.events[:, 0])[11::12].min() >= 10 * SFREQ
    np.testing.assert_allclose(EEGArray.from_epochs(out).metadata["onset"], X.metadata["onset"])


def test_arrays_without_events_say_them_by_their_onsets():
    table = {"run": np.repeat([1, 2], 5), "onset": np.tile(np.arange(5) * 2.5 + 0.25, 2)}
    X = EEGArray(np.random.default_rng(0).normal(size=(10, 2, 200)), table, sfreq=100)
    out = X.to_epochs()
    assert len(np.unique(out.events[:, 0])) == 10
    np.testing.assert_allclose(np.diff(out.events[:5, 0]), 250)
    back = EEGArray.from_epochs(out)
    np.testing.assert_allclose(back.metadata["onset"], table["onset"])
    assert back.metadata["run"].tolist() == table["run"].tolist()


def test_rows_that_are_there_twice():
    X = EEGArray.from_epochs(make_epochs())[[0, 0, 1, 2, 2, 5]]
    out = X.to_epochs()
    assert len(np.unique(out.events[:, 0])) == 6
    np.testing.assert_allclose(EEGArray.from_epochs(out).metadata["onset"], X.metadata["onset"])


# -- codes -----------------------------------------------------------------------------------


def test_joined_arrays_have_one_code_a_name():
    ids = [{"left": 1, "right": 2}, {"left": 2, "right": 1}, {"right": 1, "feet": 2, "rest": 7},
           {"tongue": 8, "left": 5}]
    parts = [make_epochs(event_id=event_id, seed=seed) for seed, event_id in enumerate(ids)]
    for turn in ([0, 1, 2, 3], [3, 2, 1, 0]):
        X = np.concatenate([EEGArray.from_epochs(parts[k]) for k in turn])
        event_id = X.metadata.attrs["event_id"]
        assert sorted(event_id) == ["feet", "left", "rest", "right", "tongue"]
        assert len(set(event_id.values())) == 5
        wanted = [name for k in turn for name in names_of(parts[k])]
        by_code = {code: name for name, code in event_id.items()}
        assert [by_code[code] for code in X.metadata["event_code"]] == wanted
        assert names_of(X.to_epochs()) == wanted
        # Those of the first part keep their codes.
        assert {name: event_id[name] for name in ids[turn[0]]} == ids[turn[0]]


def test_readers_of_two_files_whose_mne_numbers_differ():
    def read(texts, seed):
        noise = np.random.default_rng(seed).normal(0, 1e-5, (2, 4000))
        raw = mne.io.RawArray(noise, mne.create_info(["C3", "C4"], 100, "eeg"), verbose="error")
        raw.set_annotations(mne.Annotations(np.arange(len(texts)) * 4 + 1.0, 0, texts))
        return read_epochs(raw, tmax=3, subject=seed)

    texts = [["T1", "T2", "T1"], ["T0", "T2", "T1", "T0"]]  # MNE: T1 is 1, and then 2
    X = np.concatenate([read(part, seed).X for seed, part in enumerate(texts, 1)])
    out = X.to_epochs()
    assert names_of(out) == [*texts[0], *texts[1]]
    assert EEGArray.from_epochs(out).metadata["subject"].tolist() == [1] * 3 + [2] * 4


# -- placeholders ----------------------------------------------------------------------------


def bare_epochs(n=20, codes=None):
    data = np.random.default_rng(0).normal(0, 1e-5, (n, 2, 320))
    info = mne.create_info(["C3", "C4"], 160, "eeg")
    events = None if codes is None else np.c_[np.arange(n), np.zeros(n, int), codes]
    return mne.EpochsArray(data, info, events, verbose="error")


PLACEHOLDERS = {
    "MNE's own": lambda: bare_epochs(),
    "with codes": lambda: bare_epochs(codes=np.resize([1, 2], 20)),
    "some dropped": lambda: bare_epochs().drop([0, 3, 4], verbose="error"),
    "a class": lambda: bare_epochs(codes=np.resize([1, 2], 20))["1"],
    "resampled": lambda: bare_epochs().resample(80, verbose="error"),
    "joined by MNE": lambda: mne.concatenate_epochs([bare_epochs(), bare_epochs()],
                                                    verbose="error"),
    "from bare data": lambda: EEGArray(np.zeros((9, 2, 50)), sfreq=50).to_epochs(),
    "joined by skbci": lambda: np.concatenate(
        [EEGArray.from_epochs(bare_epochs()), EEGArray.from_epochs(bare_epochs())]).to_epochs(),
}


@pytest.mark.parametrize("make", PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_placeholders_are_no_onsets(make):
    epochs = make()
    X = EEGArray.from_epochs(epochs)
    assert "onset" not in X.metadata
    assert "onset" not in EEGArray.from_epochs(X.to_epochs()).metadata
    assert "onset" not in as_eeg([epochs[k] for k in range(len(epochs))]).metadata
    assert not leakage_report(KFold(3), epochs).leaks
    assert "onsets are unknown" in leakage_report(KFold(3), epochs).verdict
    with pytest.raises(ValueError, match="know when the rows begin"):
        list(PurgedKFold(3).split(epochs))
    assert "onset" not in read_epochs(epochs, tmax=1, subject=1).metadata


def test_events_of_a_recording_are_onsets():
    epochs = make_epochs()
    for given in (epochs, [epochs[k] for k in range(len(epochs))], epochs[[3]]):
        X = as_eeg(given)
        np.testing.assert_allclose(X.metadata["onset"], X.metadata["event_sample"] / SFREQ)


def test_windows_of_epochs_without_onsets_begin_at_zero():
    X, _ = SlidingWindows(1.0, 0.5).explode(bare_epochs(3))
    assert X.metadata["onset"].tolist() == [0.0, 0.5, 1.0] * 3
    assert X.metadata["run"].nunique() == 3
