"""Rows and their table stay in step, whatever is done to the array."""

from __future__ import annotations

import copy
import pickle

import joblib
import mne
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import KFold, cross_val_score, train_test_split

from skbci import EEGArray
from skbci._checks.eeg import as_eeg
from skbci.features import ChannelNormalizer


@pytest.fixture
def X():
    data = np.random.default_rng(0).normal(size=(12, 3, 40))
    table = pd.DataFrame({"subject": np.repeat([1, 2, 3], 4), "row": np.arange(12)})
    return EEGArray(data, table, sfreq=100, ch_names=["C3", "Cz", "C4"], tmin=-0.1)


@given(
    rows=st.one_of(
        st.lists(st.integers(-12, 11), max_size=15),
        st.lists(st.booleans(), min_size=12, max_size=12).map(np.array),
        st.slices(12),
    )
)
@settings(deadline=None)
def test_rows_and_table_stay_in_step(rows):
    data = np.arange(12.0)[:, None, None] * np.ones((1, 2, 5))
    X = EEGArray(data, {"row": np.arange(12)}, sfreq=10)
    index = np.asarray(rows, dtype=int) if isinstance(rows, list) else rows
    taken = X[index]
    assert taken.metadata["row"].tolist() == taken[:, 0, 0].tolist()
    assert np.array_equal(np.asarray(taken), data[index])


def test_channels_and_times_take_names_and_clock_along(X):
    assert X[:, [2, 0]].ch_names == ["C4", "C3"]
    assert X[:, 1].ch_names == ["Cz"]
    cropped = X[..., 10:30]
    assert cropped.tmin == pytest.approx(0.0)
    assert cropped.sfreq == 100
    assert X[:, :, ::4].sfreq == 25
    assert cropped.metadata.equals(X.metadata)


def test_what_breaks_the_step_gives_no_table(X):
    for other in (X[0], X.mean(axis=0), X[[0, 1], [0, 1]], X[None], np.linalg.norm(X, axis=0)):
        assert not isinstance(other, EEGArray) or not other.has_metadata
    assert type(np.asarray(X)) is np.ndarray
    assert not X.T.has_metadata
    assert not X.reshape(12, -1).has_metadata


def test_elementwise_arithmetic_keeps_the_table(X):
    for other in (X * 1e6, 1.0 - X, np.abs(X), X.astype(np.float32), X.copy(), copy.deepcopy(X)):
        assert other.metadata.equals(X.metadata)
        assert other.ch_names == X.ch_names
        assert other.sfreq == X.sfreq
    assert not isinstance(X > 0, EEGArray) or (X > 0).metadata.equals(X.metadata)


def test_copies_are_independent(X):
    other = X.copy()
    other.metadata.loc[0, "subject"] = 99
    assert X.metadata.loc[0, "subject"] == 1


def test_in_place_arithmetic(X):
    before = np.asarray(X).copy()
    X *= 2
    assert isinstance(X, EEGArray)
    assert np.array_equal(np.asarray(X), 2 * before)
    assert X.metadata["row"].tolist() == list(range(12))


@pytest.mark.parametrize("dump", ["pickle", "joblib"])
def test_pickling_keeps_everything(X, dump, tmp_path):
    if dump == "pickle":
        other = pickle.loads(pickle.dumps(X))
    else:
        joblib.dump(X, tmp_path / "X.joblib")
        other = joblib.load(tmp_path / "X.joblib")
    assert np.array_equal(np.asarray(other), np.asarray(X))
    assert other.metadata.equals(X.metadata)
    assert (other.sfreq, other.ch_names, other.tmin) == (X.sfreq, X.ch_names, X.tmin)


def test_joblib_workers_see_the_table(X):
    jobs = joblib.Parallel(n_jobs=2)(joblib.delayed(_subjects)(X[i : i + 4]) for i in (0, 4, 8))
    assert jobs == [[1] * 4, [2] * 4, [3] * 4]


def test_joblib_shares_the_data_once():
    """A view made anew for each task would be dumped for each task, and fill shared memory."""
    X = EEGArray(np.zeros((200, 10, 100)), {"subject": np.arange(200)})  # above joblib's 1 MB
    files = joblib.Parallel(n_jobs=2)(joblib.delayed(_backing_file)(X) for _ in range(6))
    assert len(set(files)) == 1
    assert files[0] is not None


def _backing_file(X):
    assert X.metadata["subject"].tolist() == list(range(200))
    base = X
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    return getattr(base, "filename", None)


def _subjects(X):
    return X.metadata["subject"].tolist()


def test_concatenation_joins_tables_and_checks(X):
    joined = np.concatenate([X[:5], X[5:]])
    assert joined.metadata.equals(X.metadata)
    assert np.array_equal(np.asarray(joined), np.asarray(X))
    with pytest.raises(ValueError, match=r"different channels: .*C3.*C4"):
        np.concatenate([X, X[:, ::-1]])
    with pytest.raises(ValueError, match=r"different sampling rates: 100.0 Hz and 50.0 Hz"):
        np.concatenate([X, X.with_data(X, sfreq=50.0)])
    assert not isinstance(np.concatenate([X, np.zeros((1, 3, 40))]), EEGArray)


def test_rows_begin_together_or_are_not_joined(X):
    with pytest.raises(ValueError, match=r"begin at -0.1 s and 0 s"):
        np.concatenate([X, X.with_data(X, tmin=0.0)])


def test_ufuncs_with_where_and_out(X):
    bare = np.asarray(X)
    assert np.array_equal(X.mean(where=X > 0), bare.mean(where=bare > 0))
    out = np.zeros_like(bare)
    np.add(X, 1, out=out, where=X > 0)
    assert np.array_equal(out, np.where(bare > 0, bare + 1, 0))
    np.add(1, bare, out=X)
    assert np.array_equal(np.asarray(X), bare)  # X shares the memory of bare


def test_window_is_the_signal_behind_a_row(X):
    assert X.window == pytest.approx(0.4)
    assert X[..., 10:30].window == pytest.approx(0.2)
    assert X[:, 0].window == pytest.approx(0.4)
    features = X.with_data(np.zeros((12, 5)), sfreq=None, ch_names=None)
    assert features.window == pytest.approx(0.4)
    assert pickle.loads(pickle.dumps(features[:3])).window == pytest.approx(0.4)
    assert EEGArray(np.zeros((3, 5))).window is None


def test_a_table_changed_in_place_is_noticed(X):
    X.metadata.drop(index=[0, 1], inplace=True)
    with pytest.raises(ValueError, match="changed in place: it has 10 rows, the array has 12"):
        _ = X.metadata


class SubjectReader(ClassifierMixin, BaseEstimator):
    """Predicts each row's subject from nothing but the row's table."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return X.metadata["subject"].to_numpy()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_cross_validation_hands_the_table_to_predict(X, n_jobs):
    y = X.metadata["subject"].to_numpy()
    cv = KFold(3, shuffle=True, random_state=0)
    assert cross_val_score(SubjectReader(), X, y, cv=cv, n_jobs=n_jobs).tolist() == [1, 1, 1]
    train, test = train_test_split(X, random_state=0)
    assert sorted([*train.metadata["row"], *test.metadata["row"]]) == list(range(12))


def test_epochs_there_and_back_lose_nothing():
    rng = np.random.default_rng(0)
    info = mne.create_info(["C3", "C4", "EOG"], 128.0, ["eeg", "eeg", "eog"])
    info["bads"] = ["C4"]
    events = np.column_stack([np.arange(6) * 300 + 7, np.zeros(6, int), [1, 2, 1, 2, 2, 1]])
    table = pd.DataFrame({"subject": [1, 1, 1, 2, 2, 2], "word": list("abcdef")})
    epochs = mne.EpochsArray(
        rng.normal(size=(6, 3, 64)) * 1e-6, info, events, tmin=-0.25,
        event_id={"left": 1, "right": 2}, metadata=table, baseline=(None, 0), verbose=False,
    )
    X = EEGArray.from_epochs(epochs, picks="all")
    assert X.metadata["onset"].tolist() == pytest.approx((events[:, 0] / 128).tolist())
    for array, expected in ((X, epochs), (X[[1, 4]], epochs[[1, 4]])):
        back = array.to_epochs()
        assert np.array_equal(back.get_data(copy=False), expected.get_data(copy=False))
        assert np.array_equal(back.events, expected.events)
        assert back.event_id == expected.event_id
        assert back.tmin == expected.tmin
        assert back.baseline == expected.baseline
        assert back.info["bads"] == ["C4"]
        assert back.get_channel_types() == ["eeg", "eeg", "eog"]
        assert back.metadata.reset_index(drop=True).equals(
            expected.metadata.reset_index(drop=True)
        )


@pytest.mark.parametrize("change", [lambda e: e.decimate(4), lambda e: e.resample(64)])
def test_onsets_count_the_recordings_samples(change):
    info = mne.create_info(2, 256.0, "eeg")
    raw = mne.io.RawArray(np.random.default_rng(0).normal(size=(2, 5120)), info, verbose=False)
    events = np.column_stack([np.arange(10) * 64 + 100, np.zeros(10, int), np.ones(10, int)])
    epochs = mne.Epochs(raw, events, tmin=0, tmax=1, baseline=None, preload=True, verbose=False)
    epochs = change(epochs)
    assert np.diff(EEGArray.from_epochs(epochs).metadata["onset"]) == pytest.approx(0.25)


def test_epochs_that_their_rejection_drops_are_gone():
    data = np.random.default_rng(0).normal(size=(2, 2000)) * 1e-6
    data[0, 450] = 1.0
    raw = mne.io.RawArray(data, mne.create_info(2, 100.0, "eeg"), verbose=False)
    events = np.column_stack([np.arange(10) * 200, np.zeros(10, int), np.ones(10, int)])
    epochs = mne.Epochs(raw, events, tmin=0, tmax=1, baseline=None, reject={"eeg": 1e-3},
                        verbose=False)
    X = EEGArray.from_epochs(epochs)
    assert X.metadata["event_sample"].tolist() == [0, 200, *range(600, 2000, 200)]


def test_estimators_see_good_data_channels_only():
    info = mne.create_info(["C3", "C4", "EOG", "STI"], 128.0, ["eeg", "eeg", "eog", "stim"])
    info["bads"] = ["C4"]
    epochs = mne.EpochsArray(np.zeros((3, 4, 64)), info, verbose=False)
    assert as_eeg(epochs).ch_names == ["C3"]
    assert as_eeg([epochs[0], epochs[2]]).ch_names == ["C3"]
    assert EEGArray.from_epochs(epochs).ch_names == ["C3"]
    with pytest.raises(ValueError, match=r"no good data channel; its channels are STI, of type"):
        as_eeg(epochs.copy().pick(["STI"]))


@pytest.mark.parametrize(("picks", "names"), [
    ("all", ["C3", "Cz", "C4", "EOG", "STI"]),
    ("data", ["C3", "C4"]),
    ("eeg", ["C3", "C4"]),
    (["eeg", "eog"], ["C3", "C4", "EOG"]),
    (["C4", "Cz"], ["C4", "Cz"]),
    ([3, 0], ["EOG", "C3"]),
    (np.array([True, True, False, False, False]), None),
])
def test_picks_choose_other_channels(picks, names):
    """A type's bad channels are left out; whoever names a channel gets it."""
    info = mne.create_info(["C3", "Cz", "C4", "EOG", "STI"], 128.0,
                           ["eeg", "eeg", "eeg", "eog", "stim"])
    info["bads"] = ["Cz"]
    data = np.arange(5.0)[None, :, None] + np.zeros((3, 5, 64))
    epochs = mne.EpochsArray(data, info, verbose=False)
    if names is None:
        with pytest.raises(ValueError, match="chooses no channel of the epochs"):
            EEGArray.from_epochs(epochs, picks)
        return
    X = EEGArray.from_epochs(epochs, picks)
    assert X.ch_names == names
    assert X.info["ch_names"] == names
    assert X[0, :, 0].tolist() == [float(info["ch_names"].index(name)) for name in names]


def test_a_channel_that_is_bad_later_is_named():
    rng = np.random.default_rng(0)
    first, later = (
        mne.EpochsArray(rng.normal(size=(8, 3, 200)),
                        mne.create_info(["C3", "Cz", "C4"], 100.0, "eeg"), verbose=False)
        for _ in range(2)
    )
    later.info["bads"] = ["Cz"]
    step = ChannelNormalizer().fit(first)
    with pytest.raises(ValueError, match=r"without 'Cz': .*marked bad.*interpolate_bads"):
        step.transform(later)
    with pytest.raises(ValueError, match=r"without 'Cz': .*marked bad"):
        step.transform(as_eeg(later)[2:5])
    gone = first.copy().pick(["C3", "C4"])
    with pytest.raises(ValueError, match=r"without 'Cz': (?!.*marked bad)"):
        step.transform(gone)
    with pytest.raises(ValueError, match=r"with 'Cz' besides"):
        ChannelNormalizer().fit(gone).transform(first)


@pytest.mark.parametrize("make", [EEGArray, as_eeg])
def test_epochs_of_unequal_length_are_named(make):
    rows = [np.zeros((3, 200))] * 4 + [np.zeros((3, 150))]
    with pytest.raises(ValueError, match=r"row 0 has shape \(3, 200\) and row 4 shape \(3, 150\)"):
        make(rows)
    with pytest.raises(ValueError, match="row 1 channels of unequal length"):
        make([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0]]])
    assert np.shape(make(rows[:4])) == (4, 3, 200)


def test_arrays_of_unequal_length_are_not_joined(X):
    with pytest.raises(ValueError, match=r"rows of shape \(3, 40\) and \(3, 30\): cut them"):
        np.concatenate([X, X[..., :30]])


def test_a_continuous_recording_is_no_X():
    raw = mne.io.RawArray(np.zeros((2, 100)), mne.create_info(2, 100.0, "eeg"), verbose="error")
    with pytest.raises(TypeError, match="continuous recording.*read_epochs.*SlidingWindows"):
        as_eeg(raw)


def test_to_epochs_without_events_numbers_them(X):
    epochs = X.to_epochs()
    assert epochs.metadata["row"].tolist() == list(range(12))
    assert epochs.ch_names == ["C3", "Cz", "C4"]
    assert epochs.tmin == X.tmin


def test_a_channel_taken_twice_leaves_no_names():
    X = EEGArray(np.arange(30.0).reshape(3, 2, 5), {"subject": [1, 1, 2]}, sfreq=100,
                 ch_names=["C3", "C4"], info=mne.create_info(["C3", "C4"], 100, "eeg"))
    twice = X[:, [0, 0, 1]]
    assert twice.ch_names is None
    assert twice.metadata["subject"].tolist() == [1, 1, 2]
    np.testing.assert_array_equal(twice.to_epochs().get_data(), np.asarray(X)[:, [0, 0, 1]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EEGArray(np.zeros((3, 2, 5)), {"subject": [1, 2]}), "2 rows, but the data has 3"),
        (lambda: EEGArray(np.zeros((3, 2, 5)), ch_names=["C3"]), "1 names, but .* 2 channels"),
        (lambda: EEGArray(np.zeros((3, 2, 5)), ch_names=["C3", "C3"]), r"\['C3'\] more than once"),
        (lambda: EEGArray(np.zeros((3, 9)), ch_names=["C3", "C3"]), r"\['C3'\] more than once"),
        (lambda: EEGArray(np.zeros((3, 2, 5)), sfreq=0), "sfreq=.* must be "),
        (lambda: EEGArray(np.zeros((3, 2, 5)), sfreq=np.nan), "sfreq=.* must be "),
        (lambda: EEGArray(1.0), "at least one dimension"),
        (lambda: EEGArray(np.zeros((3, 2))).to_epochs(), "n_epochs, n_channels, n_times"),
        (lambda: EEGArray(np.zeros((1, 2, 5)), {"onset": ["later"]}, sfreq=9).to_epochs(),
         "'onset' holds 'later' in row 0"),
        (lambda: EEGArray(np.zeros((3, 2, 5))).to_epochs(), "needs a sampling rate"),
    ],
)
def test_bad_parts_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("wrong", [{"info": {"sfreq": 100}}, {"info": "EEG"},
                                   {"metadata": np.array(1.0)}, {"metadata": {1, 2, 3}}])
def test_parts_of_another_kind_are_refused(wrong):
    with pytest.raises(TypeError, match=f"EEGArray: {next(iter(wrong))}"):
        EEGArray(np.zeros((3, 2, 5)), **wrong)


@pytest.mark.parametrize("levels", [["subject"], ["subject", "session"]])
def test_names_in_the_index_of_a_table_are_columns(levels):
    table = pd.DataFrame({"subject": [1, 1, 2, 2], "session": [1, 2, 1, 2], "onset": 0.0})
    X = EEGArray(np.zeros((4, 2, 3)), table.set_index(levels))
    assert {name: X.metadata[name].tolist() for name in levels} == {
        name: table[name].tolist() for name in levels
    }
    # One that is a column as well is not taken twice.
    kept = EEGArray(np.zeros((4, 2, 3)), table.set_index(levels, drop=False)).metadata
    pd.testing.assert_frame_equal(kept, table)


@pytest.mark.parametrize("name", ["Subject", "subject ", "SESSION"])
def test_columns_that_only_spelling_tells_from_those_gone_by_are_doubted(name):
    with pytest.warns(UserWarning, match=f"column {name!r} is not {name.strip().lower()!r}, by"):
        EEGArray(np.zeros((2, 2, 3)), {name: [1, 2]})


@pytest.mark.parametrize("labels", [[[1], [2], [3]], [(1, 2), (1, 2), (3, 4)], [{}, {}, {}]])
def test_labels_of_several_values_are_refused(labels):
    from skbci.model_selection import LeaveSubjectsOut

    table = pd.DataFrame({"subject": pd.Series(labels, dtype=object)})
    with pytest.raises(ValueError, match="in row 0: each row needs one number or word"):
        list(LeaveSubjectsOut(2).split(EEGArray(np.zeros((3, 2, 3)), table)))
