"""load_recording on files of every layout, written here in exactly the stored form."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from skbci import EEGArray
from skbci.datasets import load_recording

SFREQ = 100.0
CHANNELS = ["Fz", "C3", "C4"]


def counts(*shape, seed=0):
    return np.random.default_rng(seed).integers(-200, 200, shape, dtype=np.int16)


def write(path, meta=None, **arrays):
    if isinstance(meta, dict):
        arrays["meta"] = np.array(json.dumps(meta))
    elif meta is not None:
        arrays["meta"] = meta
    np.savez_compressed(path, **arrays)
    return path


@pytest.fixture
def epochs_file(tmp_path):
    meta = {"dataset": "PhysioNet (eegmmidb)", "units": "microvolt, int16", "sfreq": 100,
            "labels": {"1": "T1 = left fist", "2": "T2 = right fist"},
            "task": "IMAGINED left/right fist (runs 4, 8)"}
    return write(
        tmp_path / "mi_fists_S001-S002.npz", meta, X=counts(8, 3, 50),
        y=np.array([1, 2] * 4, np.int8), subject=np.repeat([1, 2], 4).astype(np.int16),
        run=np.array([4, 4, 8, 8] * 2, np.int8), ch_names=np.array(CHANNELS), sfreq=SFREQ,
        onset_s=np.array([4.2, 12.5] * 4, np.float32),
    )


@pytest.fixture
def continuous_file(tmp_path):
    meta = {"dataset": "PhysioNet eegmmidb 1.0.0", "units": "microvolt", "subject": "S007"}
    arrays = {}
    for run in ("run03", "run04"):
        arrays[run] = counts(3, 1000, seed=int(run[-1]))
        arrays[f"ev_onset_{run}"] = np.array([0, 300, 600, 950], np.int32)
        arrays[f"ev_code_{run}"] = np.array([0, 2, 1, 0], np.int8)
    return write(tmp_path / "continuous_S007.npz", meta, ch_names=np.array(CHANNELS), sfreq=SFREQ,
                 **arrays)


@pytest.fixture
def features_file(tmp_path):
    rng = np.random.default_rng(0)
    meta = {"dataset": "BCI Competition III, data set V (IDIAP): mental imagery", "subject": 2,
            "features": "PSD over the last second", "labels": {"2": "left", "3": "right"}}
    return write(
        tmp_path / "subject2.npz", meta, X_train=rng.random((40, 6), np.float32),
        y_train=np.array([2, 3] * 20, np.int8),
        session_train=np.repeat([1, 2], [16, 24]).astype(np.int8),
        X_test=rng.random((16, 6), np.float32), y_test=np.array([2] * 8 + [3] * 8, np.int8),
        y_test8=np.array([2, 3], np.int8), channels=np.array(["C3", "C4"]),
        freqs=np.array([8, 10, 12], np.float32), feature_rate=16.0,
    )


# -- epochs ---------------------------------------------------------------------------------


def test_epochs_become_volts_with_a_table(epochs_file):
    data = load_recording(epochs_file)
    assert isinstance(data.X, EEGArray)
    assert data.X.dtype == np.float32
    np.testing.assert_allclose(data.X, np.load(epochs_file)["X"] * 1e-6, rtol=1e-6)
    assert data.y.tolist() == [1, 2] * 4
    assert list(data.metadata) == ["subject", "session", "run", "onset", "task"]
    assert data.metadata["subject"].tolist() == [1] * 4 + [2] * 4
    assert data.metadata["onset"].tolist() == [4.2, 12.5] * 4
    assert set(data.metadata["task"]) == {"imagery"}
    assert data.ch_names == CHANNELS
    assert data.sfreq == data.X.sfreq == SFREQ
    assert data.label_names == {1: "left fist", 2: "right fist"}


@pytest.mark.parametrize(("name", "meta", "task"), [
    ("me_a", {"dataset": "eegmmidb", "task": "EXECUTED; the imagined counterpart is elsewhere"},
     "execution"),
    ("a", {"dataset": "BCI Competition IV data set 2b"}, "imagery"),
    ("mi_a", {}, "imagery"),
    ("me_a", {}, "execution"),
])
def test_task_from_meta_or_name(tmp_path, name, meta, task):
    file = write(tmp_path / f"{name}.npz", {"units": "V", **meta}, X=counts(2, 3, 5), y=[1, 2],
                 sfreq=SFREQ)
    assert load_recording(file).metadata["task"].tolist() == [task] * 2


def test_scale_is_one_number_or_one_a_channel(tmp_path):
    X = counts(4, 3, 10)
    for scale in (0.005, np.array([0.1, 0.2, 0.4])):
        file = write(tmp_path / "B03.npz", {"units": "uV"}, X=X, y=[1, 2] * 2, sfreq=SFREQ,
                     scale=scale, session=[1, 1, 2, 2])
        data = load_recording(file, dtype="float64")
        np.testing.assert_allclose(data.X, X * np.reshape(scale, (-1, 1)) * 1e-6)
        assert data.X.dtype == np.float64
        assert data.metadata["subject"].unique().tolist() == [3]
        assert data.metadata["session"].tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize(("unit", "factor"), [("V", 1), ("mV", 1e-3), ("uV", 1e-6), ("µV", 1e-6),
                                              ("nV", 1e-9)])
def test_units(tmp_path, unit, factor):
    X = counts(2, 3, 10).astype(float)
    stated = write(tmp_path / "a.npz", {"units": unit}, X=X, y=[1, 2], sfreq=SFREQ)
    silent = write(tmp_path / "b.npz", X=X, y=[1, 2], sfreq=SFREQ)
    np.testing.assert_allclose(load_recording(stated).X, X * factor)
    np.testing.assert_allclose(load_recording(silent, unit=unit).X, X * factor)


def test_missing_unit_is_doubted_only_when_too_large(tmp_path):
    big = write(tmp_path / "big.npz", X=counts(2, 3, 10), y=[1, 2], sfreq=SFREQ)
    with pytest.warns(UserWarning, match="too large .*does not state a unit.*pass unit='uV'"):
        load_recording(big)
    small = write(tmp_path / "small.npz", X=counts(2, 3, 10) * 1e-6, y=[1, 2], sfreq=SFREQ)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_recording(small)


def test_rows_channels_and_times_are_selected(epochs_file):
    whole = load_recording(epochs_file)
    some = load_recording(epochs_file, subjects=2, runs=[8], picks=["c4", "FZ"], tmin=0.1,
                          tmax=0.3)
    assert some.X.shape == (2, 2, 20)
    np.testing.assert_array_equal(some.X, np.asarray(whole.X)[6:8][:, [2, 0], 10:30])
    assert some.ch_names == ["c4", "FZ"]
    assert some.X.tmin == pytest.approx(0.1)
    assert some.metadata["run"].tolist() == [8, 8]
    assert some.y.tolist() == [1, 2]


# -- several files --------------------------------------------------------------------------


def test_files_of_a_folder_are_joined(tmp_path):
    for subject in (1, 2, 3):
        write(tmp_path / f"mi_S{subject:02d}.npz", {"units": "uV"}, y=[1, 2] * 2, sfreq=SFREQ,
              X=counts(4, 3, 10, seed=subject), ch_names=CHANNELS)
    write(tmp_path / "me_S01.npz", {"units": "uV"}, X=counts(4, 3, 10), y=[1, 2] * 2, sfreq=SFREQ,
          ch_names=CHANNELS)
    data = load_recording(tmp_path, pattern="mi_*.npz", subjects=range(2, 4))
    assert data.X.shape == (8, 3, 10)
    assert data.metadata["subject"].tolist() == [2] * 4 + [3] * 4
    both = load_recording([tmp_path / "me_S01.npz", str(tmp_path / "mi_S01.npz")])
    assert both.metadata["task"].tolist() == ["execution"] * 4 + ["imagery"] * 4
    assert both.y.tolist() == [1, 2] * 4
    one = load_recording(tmp_path / "mi_S01.npz")
    np.testing.assert_array_equal(both.X[4:], one.X)


@pytest.mark.parametrize(("other", "match"), [
    ({"ch_names": ["Fz", "C3", "Cz"]}, "a.npz and b.npz: .*different channels"),
    ({"sfreq": 128.0}, "a.npz and b.npz: .*different sampling rates"),
    ({"X": counts(2, 3, 11)}, r"a.npz, with rows of shape \(3, 10\), and b.npz"),
])
def test_files_that_do_not_go_together(tmp_path, other, match):
    common = {"X": counts(2, 3, 10), "y": [1, 2], "sfreq": SFREQ, "ch_names": CHANNELS}
    write(tmp_path / "a.npz", {"units": "uV"}, **common)
    write(tmp_path / "b.npz", {"units": "uV"}, **{**common, **other})
    with pytest.raises(ValueError, match=match):
        load_recording(tmp_path)


# -- continuous -----------------------------------------------------------------------------


def test_continuous_runs_are_rows_with_events(continuous_file):
    data = load_recording(continuous_file)
    assert data.X.shape == (2, 3, 1000)
    assert data.y is None
    np.testing.assert_allclose(data.X[1], np.load(continuous_file)["run04"] * 1e-6, rtol=1e-6)
    assert data.metadata["run"].tolist() == [3, 4]
    assert data.metadata["task"].tolist() == ["execution", "imagery"]
    assert data.metadata["subject"].tolist() == [7, 7]
    assert data.events["row"].tolist() == [0] * 4 + [1] * 4
    assert data.events["run"].tolist() == [3] * 4 + [4] * 4
    assert data.events["onset"].tolist() == [0, 3, 6, 9.5] * 2
    assert data.events["label"].tolist() == ["rest", "right fist", "left fist", "rest"] * 2


def test_continuous_runs_are_cut_around_events(continuous_file):
    whole = load_recording(continuous_file)
    with pytest.warns(UserWarning, match="4 of 8 events were left out"):
        data = load_recording(continuous_file, tmin=-0.5, tmax=1.0)
    assert data.X.shape == (4, 3, 150)
    assert data.X.tmin == -0.5
    assert data.y.tolist() == [2, 1, 2, 1]
    assert data.metadata["onset"].tolist() == [3, 6, 3, 6]
    assert data.metadata["run"].tolist() == [3, 3, 4, 4]
    assert data.label_names == {2: "right fist", 1: "left fist"}
    np.testing.assert_array_equal(data.X[3], np.asarray(whole.X)[1, :, 550:700])


@pytest.mark.parametrize("event_id", [[1, 2], ["left fist", "right fist"], (1, "right fist")])
def test_events_are_chosen_by_code_or_label(continuous_file, event_id):
    data = load_recording(continuous_file, tmin=0, tmax=1, event_id=event_id)
    assert data.y.tolist() == [2, 1, 2, 1]


def test_one_run_of_a_continuous_file(continuous_file):
    data = load_recording(continuous_file, runs=4)
    assert data.X.shape == (1, 3, 1000)
    assert set(data.events["row"]) == {0}
    assert set(data.events["run"]) == {4}


def test_single_array_with_events(tmp_path):
    meta = {"dataset": "P300 speller, subject S2", "units": "microvolt = X * scale (int16)"}
    X = counts(3, 500)
    file = write(tmp_path / "S2.npz", meta, X=X, ev_onset=[10, 200], ev_code=[-1, 1], scale=0.02,
                 sfreq=SFREQ)
    data = load_recording(file)
    np.testing.assert_allclose(data.X[0], X * 0.02e-6, rtol=1e-6)
    assert data.ch_names is None
    assert data.events["label"].tolist() == ["non-target", "target"]
    assert data.metadata.loc[0].to_dict() == {
        "subject": 2, "session": 1, "run": 1, "onset": 0.0, "task": "p300"
    }


def test_flicker_trials(tmp_path):
    file = write(tmp_path / "subject1_session2.npz", {"units": "uV", "dataset": "SSVEP"},
                 X=counts(3, 1000), trial_onset=[100, 500], trial_offset=[300, 700],
                 trial_freq=np.array([9, 12], np.float32), sfreq=SFREQ, ch_names=CHANNELS,
                 lda_out=np.zeros(1000, np.int8))
    data = load_recording(file)
    assert data.metadata["session"].tolist() == [2]
    assert data.events["label"].tolist() == ["9 Hz", "12 Hz"]
    assert data.events["duration"].tolist() == [2, 2]
    assert data.lda_out.shape == (1000,)
    assert load_recording(file, tmin=0, tmax=2).y.tolist() == [9, 12]


def test_runs_of_open_and_closed_eyes_are_labelled(tmp_path):
    meta = {"dataset": "PhysioNet eegmmidb", "units": "microvolt", "subject": "S015",
            "task": "baseline eyes open (run01) / eyes closed (run02), continuous"}
    file = write(tmp_path / "eyes_S015.npz", meta, run01=counts(3, 300), run02=counts(3, 300),
                 ch_names=CHANNELS, sfreq=SFREQ)
    data = load_recording(file)
    assert data.y.tolist() == ["open", "closed"]
    assert data.metadata["subject"].tolist() == [15, 15]
    with pytest.raises(ValueError, match="eyes_S015.npz has no events"):
        load_recording(file, tmin=0, tmax=1)


def test_runs_of_different_lengths(tmp_path):
    file = write(tmp_path / "a.npz", {"units": "uV"}, run01=counts(3, 300), run02=counts(3, 200),
                 ev_onset_run01=[50, 250], ev_code_run01=[1, 2], sfreq=SFREQ)
    with pytest.warns(UserWarning, match="runs last 2 to 3 s; all were cut to 2 s"):
        data = load_recording(file)
    assert data.X.shape == (2, 3, 200)
    assert data.events["code"].tolist() == [1]
    assert load_recording(file, runs=1).X.shape == (1, 3, 300)
    assert load_recording(file, tmin=0, tmax=0.5).y.tolist() == [1, 2]


# -- samples, features, tables --------------------------------------------------------------


def test_samples_are_rows(tmp_path):
    meta = {"dataset": "UCI EEG Eye State", "units": "Emotiv units approx. microvolt"}
    X = np.random.default_rng(0).normal(4200, 20, (300, 3)).astype(np.float32)
    file = write(tmp_path / "eye_state.npz", meta, X=X, y=np.repeat([0, 1, 0], 100),
                 ch_names=CHANNELS, sfreq=SFREQ)
    data = load_recording(file)
    np.testing.assert_allclose(data.X, X * 1e-6, rtol=1e-6)
    np.testing.assert_allclose(data.metadata["onset"], np.arange(300) / SFREQ)
    assert data.events["label"].tolist() == ["open", "closed", "open"]
    assert data.events["duration"].tolist() == [1, 1, 1]
    assert data.label_names == {0: "open", 1: "closed"}
    assert data.feature_names.tolist() == CHANNELS


def test_features_are_joined_by_session(features_file):
    data = load_recording(features_file)
    assert data.X.shape == (56, 6)
    # The test rows of this competition are session 4, whatever training sessions are there.
    assert data.metadata["session"].tolist() == [1] * 16 + [2] * 24 + [4] * 16
    assert data.metadata["onset"].iloc[[0, 15, 16, 40, 55]].tolist() == [0, 15 / 16, 0, 0, 15 / 16]
    assert set(data.metadata["subject"]) == {2}
    assert set(data.metadata["task"]) == {"imagery"}
    assert data.feature_names.tolist() == ["C3_8Hz", "C3_10Hz", "C3_12Hz", "C4_8Hz", "C4_10Hz",
                                           "C4_12Hz"]
    assert data.y_test8.tolist() == [2, 3]
    assert data.ch_names == ["C3", "C4"]
    assert data.X.ch_names is None
    assert (data.feature_rate, data.window, data.sfreq) == (16, 1.0, None)
    stored = np.load(features_file)
    np.testing.assert_array_equal(data.X[40:], stored["X_test"])
    assert load_recording(features_file, sessions=[1, 4]).X.shape == (32, 6)
    assert "y_test8" not in load_recording(features_file, sessions=[1, 2])


def test_tables_keep_missing_values_and_codes(tmp_path):
    X = np.array([[1, 0], [np.nan, 1], [3, 2]], np.float32)
    file = write(tmp_path / "t.npz", X=X, y=[0, 1, 0], feature_names=["age", "job"],
                 is_categorical=[False, True], y_names=["no", "yes"], n_train=2,
                 categories_json=json.dumps({"job": ["a", "b", "c"]}))
    data = load_recording(file)
    np.testing.assert_array_equal(data.X, X)
    assert data.categories == {"job": ["a", "b", "c"]}
    assert data.is_categorical.tolist() == [False, True]
    assert data.target_names.tolist() == ["no", "yes"]
    assert data.n_train == 2
    assert data.sfreq is None
    assert data.metadata.shape == (3, 0)


# -- what goes wrong ------------------------------------------------------------------------


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        load_recording(tmp_path / "nowhere.npz")
    with pytest.raises(FileNotFoundError, match=r"pattern='mi_\*\.npz'"):
        load_recording(tmp_path, pattern="mi_*.npz")
    with pytest.raises(ValueError, match="empty list"):
        load_recording([])
    with pytest.raises(TypeError, match="path=3 must be a path"):
        load_recording(3)


def test_corrupt_files_are_named(tmp_path, epochs_file):
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    empty = tmp_path / "empty.npz"
    empty.write_bytes(b"")
    cut = tmp_path / "cut.npz"
    cut.write_bytes(epochs_file.read_bytes()[:2000])
    spoilt = tmp_path / "spoilt.npz"
    content = bytearray(epochs_file.read_bytes())
    content[300:900] = bytes(600)
    spoilt.write_bytes(content)
    bare = tmp_path / "bare.npz"
    with bare.open("wb") as file:
        np.save(file, np.zeros(3))
    for file in (text, empty, cut, spoilt, bare):
        with pytest.raises(ValueError, match=f"{file.name} is not a readable .npz recording"):
            load_recording(file)


def test_pickled_objects_are_refused(tmp_path):
    file = tmp_path / "objects.npz"
    np.savez(file, X=counts(2, 3, 5), y=np.array([{"a": 1}, None], dtype=object), sfreq=SFREQ)
    with pytest.raises(ValueError, match="array 'y' holds pickled Python objects"):
        load_recording(file)


@pytest.mark.parametrize(("change", "match"), [
    ({"y": None}, r"lacks \['y'\]; it has .*'X'.*'sfreq'"),
    ({"X": None}, r"is not a recording: it lacks 'X'.*; it has \['ch_names', 'sfreq', 'y'\]"),
    ({"y": [1, 2, 1]}, r"y has shape \(3,\), but there are 4 rows"),
    ({"subject": [1, 2]}, r"subject has shape \(2,\), but there are 4 rows"),
    ({"ch_names": ["C3"]}, "ch_names has 1 names, but X has 3 channels"),
    ({"sfreq": -1.0}, "sfreq=-1.0 must be a positive rate"),
    ({"sfreq": [100.0, 100.0]}, "sfreq=.* must be one number"),
    ({"scale": [1.0, 2.0]}, r"scale has shape \(2,\)"),
    ({"X": np.zeros((4, 3, 5, 2))}, r"X has shape \(4, 3, 5, 2\)"),
    ({"X": np.full((4, 3, 5), "a")}, "X holds <U1, not numbers"),
    ({"meta": "{broken"}, "meta is not valid JSON"),
    ({"meta": "[1]"}, "meta must be a JSON object"),
    ({"sfreq": None}, r"looks like a file of epochs, but lacks \['sfreq'\]"),
])
def test_bad_files_are_explained(tmp_path, change, match):
    arrays = {"X": counts(4, 3, 5) * 1e-6, "y": [1, 2] * 2, "sfreq": SFREQ, "ch_names": CHANNELS}
    arrays = {k: v for k, v in {**arrays, **change}.items() if v is not None}
    with pytest.raises(ValueError, match=match):
        load_recording(write(tmp_path / "bad.npz", **arrays))


@pytest.mark.parametrize(("change", "match"), [
    ({"ev_code_run03": np.zeros(3, int)}, "ev_code_run03 has shape"),
    ({"ev_onset_run03": np.array([0, 1, 2, 1000])}, "run 3 has 1000 samples, but events at"),
    ({"run03": np.zeros((3, 10, 2))}, "run03 has shape .*a continuous run is"),
])
def test_bad_continuous_files(tmp_path, continuous_file, change, match):
    arrays = {**np.load(continuous_file), **change}
    with pytest.raises(ValueError, match=match):
        load_recording(write(tmp_path / "bad.npz", **arrays))


@pytest.mark.parametrize(("change", "match"), [
    ({"y_train": None}, r"looks like a file of features, but lacks \['y_train'\]"),
    ({"y_test": np.zeros(3)}, "y_test has shape"),
    ({"X_test": np.zeros((16, 5))}, "the same columns"),
])
def test_bad_feature_files(tmp_path, features_file, change, match):
    arrays = {k: v for k, v in {**np.load(features_file), **change}.items() if v is not None}
    with pytest.raises(ValueError, match=match):
        load_recording(write(tmp_path / "bad.npz", **arrays))


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"subjects": [1, 99]}, ValueError, r"subjects=\[99\] not found; .* subjects \[1, 2\]"),
    ({"sessions": 3}, ValueError, r"sessions=\[3\] not found"),
    ({"subjects": []}, ValueError, "subjects is empty"),
    ({"subjects": 1.5}, TypeError, "subjects=1.5"),
    ({"picks": ["Oz"]}, ValueError, r"channels \['Oz'\] are not in .*'Fz', 'C3', 'C4'"),
    ({"picks": "C3"}, TypeError, "load_recording: picks='C3' must be a list of names or None"),
    ({"picks": [0]}, TypeError, r"load_recording: picks=\[0\] must be a list of names or None"),
    ({"picks": ["C3", "C3"]}, ValueError, r"load_recording: picks has \['C3'\] more than once"),
    ({"tmin": 0.1}, ValueError, "load_recording: tmax=None is missing: give tmin and tmax"),
    ({"tmax": 0.1}, ValueError, "load_recording: tmin=None is missing: give tmin and tmax"),
    ({"tmin": 0.3, "tmax": 0.1}, ValueError, "load_recording: tmax=0.1 must be after tmin=0.3"),
    ({"tmin": "0", "tmax": 0.1}, TypeError, "tmin='0' must be a number in seconds"),
    ({"tmin": 0, "tmax": np.inf}, ValueError, "tmax=inf must be a finite number in seconds"),
    ({"tmin": -0.1, "tmax": 0.1}, ValueError, "reaches outside the epochs.*from 0 to 0.5 s"),
    ({"event_id": [1]}, ValueError, "give tmin and tmax too"),
    ({"unit": "furlong"}, ValueError, "unit='furlong' must be"),
    ({"dtype": "int16"}, ValueError, "dtype='int16' must be a floating-point format"),
])
def test_bad_arguments_are_named(epochs_file, options, error, match):
    with pytest.raises(error, match=match):
        load_recording(epochs_file, **options)


def test_unknown_events_are_listed(continuous_file):
    with pytest.raises(ValueError, match=r"\[9\] are not among the events.*codes \[0, 2, 1\]"):
        load_recording(continuous_file, tmin=0, tmax=1, event_id=[9])
    with pytest.raises(ValueError, match="No event of .* has 0 to 50 s around it"):
        load_recording(continuous_file, tmin=0, tmax=50)


def test_features_and_tables_cannot_be_cut(features_file, tmp_path):
    with pytest.raises(ValueError, match="cannot cut a file of features"):
        load_recording(features_file, tmin=0, tmax=1)
    table = write(tmp_path / "t.npz", X=np.zeros((3, 2)), y=[0, 1, 0])
    with pytest.raises(ValueError, match="has no subjects"):
        load_recording(table, subjects=1)


def test_rows_that_do_not_occur_together(epochs_file, tmp_path):
    file = write(tmp_path / "a.npz", {"units": "V"}, X=counts(2, 3, 5) * 1e-6, y=[1, 2],
                 sfreq=SFREQ, subject=[1, 2], session=[1, 2])
    with pytest.raises(ValueError, match=r"No row .* subjects=\[1\], sessions=\[2\] together"):
        load_recording(file, subjects=1, sessions=2)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.uint8, np.int64])
def test_onsets_and_codes_of_any_number_format(tmp_path, kind):
    X = counts(2, 400).astype(float)
    file = write(tmp_path / "S1.npz", {"units": "uV", "labels": {"1": "left", "2": "right"}}, X=X,
                 sfreq=SFREQ, ev_onset=np.array([10, 120, 230], kind),
                 ev_code=np.array([1, 2, 1], kind))
    data = load_recording(file, tmin=0, tmax=1)
    n = int(SFREQ)
    right = np.stack([X[:, s : s + n] for s in (10, 120, 230)]) * 1e-6
    np.testing.assert_allclose(data.X, right, rtol=1e-6)
    assert [data.label_names[code] for code in data.y.tolist()] == ["left", "right", "left"]
    assert data.y.dtype.kind in "iu"
    assert load_recording(file, tmin=0, tmax=1, event_id="right").y.tolist() == [2]


def test_onsets_between_samples_are_rounded_with_a_warning(tmp_path):
    X = counts(2, 400).astype(float)
    file = write(tmp_path / "S1.npz", {"units": "V"}, X=X, sfreq=SFREQ,
                 ev_onset=[10.4, 119.9, 230.0], ev_code=[1, 2, 1])
    with pytest.warns(UserWarning, match=r"ev_onset holds numbers between samples, such as 10\.4"):
        data = load_recording(file, tmin=0, tmax=1)
    np.testing.assert_allclose(data.X[:, :, 0], X[:, [10, 120, 230]].T, rtol=1e-6)
    np.testing.assert_allclose(data.metadata["onset"], np.array([10, 120, 230]) / SFREQ)


@pytest.mark.parametrize("onsets", [[10.0, np.nan], [10.0, np.inf], ["10", "20"], [[10, 20]]])
def test_onsets_that_are_no_sample_numbers(tmp_path, onsets):
    file = write(tmp_path / "S1.npz", {"units": "V"}, X=counts(2, 400).astype(float), sfreq=SFREQ,
                 ev_onset=onsets, ev_code=[1, 2][: len(onsets)])
    with pytest.raises(ValueError, match="ev_onset holds .* finite sample numbers"):
        load_recording(file, tmin=0, tmax=1)


def test_a_file_that_is_given_twice_is_reported(epochs_file):
    with pytest.warns(UserWarning, match="given more than once"):
        load_recording([epochs_file, epochs_file])


def labelled(tmp_path, name, labels):
    return write(tmp_path / name, {"units": "uV", "labels": labels}, X=counts(4, 3, 50),
                 y=[1, 2, 1, 2], sfreq=SFREQ, ch_names=CHANNELS)


def test_recordings_without_a_common_label_are_doubted(tmp_path):
    files = [labelled(tmp_path, "S1.npz", {"1": "left", "2": "right"}),
             labelled(tmp_path, "S2.npz", {"1": "T1", "2": "T2"})]
    with (
        pytest.warns(UserWarning, match=r"S1\.npz and S2\.npz have no label in common"),
        pytest.warns(UserWarning, match="numbered by name"),
    ):
        assert len(set(load_recording(files).y.tolist())) == 4


def test_labels_of_other_spelling_in_other_files_are_doubted(tmp_path):
    files = [labelled(tmp_path, "S1.npz", {"1": "left", "2": "right"}),
             labelled(tmp_path, "S2.npz", {"1": "left", "2": "Right "})]
    with (
        pytest.warns(UserWarning, match="the labels 'right' and 'Right ' count as different"),
        pytest.warns(UserWarning, match="numbered by name"),
    ):
        load_recording(files)
