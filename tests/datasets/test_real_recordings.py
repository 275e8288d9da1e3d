"""load_recording on the real recordings: counts, units and figures measured elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skbci.datasets import load_recording, save_recording

pytestmark = pytest.mark.real_data


def test_every_file_loads(data_folder):
    files = sorted(data_folder.glob("*/*.npz"))
    assert len(files) > 20
    for file in files:
        data = load_recording(file)
        assert len(data.X)
        assert len(data.metadata) == len(data.X)
        assert data.X.dtype == np.float32
        if file.parent.name not in ("tabular", "bci3_V_idiap"):
            assert {"subject", "session"} <= set(data.metadata)
            # No electrode sees more than some millivolts, nor less than a nanovolt.
            spread = np.std(np.asarray(data.X[:100], dtype=float))
            assert 1e-7 < spread < 5e-3, file


def test_imagery_of_twenty_subjects(data_folder):
    data = load_recording(data_folder / "eegmmidb", pattern="mi_fists_*.npz",
                          subjects=range(11, 31))
    assert data.X.shape == (900, 22, 640)
    assert data.metadata.groupby("subject").size().tolist() == [45] * 20
    assert set(data.metadata["run"]) == {4, 8, 12}
    assert set(data.metadata["task"]) == {"imagery"}
    assert data.metadata["onset"].between(4, 121).all()
    assert data.label_names == {1: "left fist", 2: "right fist"}
    assert 10e-6 < np.asarray(data.X, float).std() < 100e-6


def test_execution_and_imagery_in_one(data_folder):
    folder = data_folder / "eegmmidb"
    data = load_recording(folder, pattern="m[ei]_fists_*.npz", subjects=range(1, 17))
    assert data.metadata.groupby("task").size().to_dict() == {"execution": 720, "imagery": 720}


def test_continuous_events_match_the_epochs_of_the_same_subject(data_folder):
    folder = data_folder / "eegmmidb"
    epochs = load_recording(folder, pattern="m[ei]_fists_22ch_S001-*.npz", subjects=1)
    cut = load_recording(folder / "continuous_S001_64ch_fists.npz", tmin=0, tmax=4,
                         event_id=[1, 2], picks=epochs.ch_names)
    order = epochs.metadata.sort_values(["run", "onset"]).index
    np.testing.assert_array_equal(np.asarray(epochs.X)[order], cut.X)
    assert (epochs.y[order] == cut.y).all()
    assert cut.ch_names == epochs.ch_names
    for column in ("run", "onset", "task"):
        assert (epochs.metadata[column][order].to_numpy() == cut.metadata[column]).all()


@pytest.mark.parametrize(("subject", "opened", "closed"), [("S001", 51, 749), ("S015", 71, 218)])
def test_occipital_alpha_of_open_and_closed_eyes(data_folder, subject, opened, closed):
    data = load_recording(data_folder / "eegmmidb" / f"eyes_{subject}_64ch.npz",
                          picks=["O1", "Oz", "O2"])
    assert data.y.tolist() == ["open", "closed"]
    f, power = welch(np.asarray(data.X) * 1e6, data.sfreq, nperseg=320)
    alpha = power[..., (f >= 8) & (f <= 12)].mean(axis=(1, 2))
    np.testing.assert_allclose(alpha, [opened, closed], rtol=0.02)


@pytest.mark.parametrize(("subject", "rows", "accuracy"), [(1, 6992, 0.684), (2, 13872, 0.600)])
def test_mental_imagery_features(data_folder, subject, rows, accuracy):
    data = load_recording(data_folder / "bci3_V_idiap", subjects=subject)
    assert data.X.shape == (rows, 96)
    test = (data.metadata["session"] == 4).to_numpy()
    assert (np.repeat(data.y_test8, 8)[: test.sum()] == data.y[test]).mean() > 0.95
    X = np.log(np.asarray(data.X))
    lda = LinearDiscriminantAnalysis().fit(X[~test], data.y[~test])
    assert lda.score(X[test], data.y[test]) == pytest.approx(accuracy, abs=0.01)


def test_sessions_of_graz(data_folder):
    data = load_recording(data_folder / "bci4_2b", subjects=4)
    assert data.metadata.groupby("session").size().tolist() == [120] * 5
    train = (data.metadata["session"] <= 3).to_numpy()
    X = np.log(np.asarray(data.X, float).var(axis=2))
    lda = LinearDiscriminantAnalysis().fit(X[train], data.y[train])
    assert lda.score(X[~train], data.y[~train]) == pytest.approx(0.954, abs=0.01)


def test_flashes_evoke_a_response(data_folder):
    data = load_recording(data_folder / "p300_gtec", subjects=1, tmin=0, tmax=0.8)
    assert data.X.shape == (1200, 8, 200)
    assert np.unique(data.y, return_counts=True)[1].tolist() == [1050, 150]
    assert data.label_names == {-1: "non-target", 1: "target"}
    X = np.asarray(data.X, float)
    X = (X - X.mean(axis=2, keepdims=True)).reshape(1200, 8, 20, 10).mean(axis=3)
    auc = cross_val_score(
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), X.reshape(1200, -1) * 1e6,
        data.y, cv=StratifiedKFold(5), scoring="roc_auc",
    )
    assert auc.mean() > 0.8


def canonical_correlation(signal, references):
    """Largest correlation of any mixture of channels with any mixture of references."""
    q = [np.linalg.qr((part - part.mean(axis=1, keepdims=True)).T)[0]
         for part in (signal, references)]
    return np.linalg.svd(q[0].T @ q[1], compute_uv=False)[0]


def test_flicker_is_found_by_canonical_correlation(data_folder):
    data = load_recording(data_folder / "ssvep_gtec_br41n", tmin=0, tmax=7.3)
    assert data.metadata.groupby("session").size().tolist() == [20, 20]
    time = np.arange(data.X.shape[2]) / data.sfreq
    frequencies = np.unique(data.y)
    assert frequencies.tolist() == [9, 10, 12, 15]
    waves = [
        np.concatenate([[np.sin(2 * np.pi * f * k * time), np.cos(2 * np.pi * f * k * time)]
                        for k in (1, 2)])
        for f in frequencies
    ]
    X = np.asarray(data.X, float) * 1e6
    guess = [frequencies[np.argmax([canonical_correlation(x, w) for w in waves])] for x in X]
    assert (guess == data.y).mean() > 0.95


def test_eye_state_samples(data_folder):
    data = load_recording(data_folder / "uci_eeg_eye_state" / "eye_state.npz")
    assert data.X.shape == (14980, 14)
    assert np.median(np.asarray(data.X)) == pytest.approx(4.2e-3, rel=0.05)
    assert data.metadata["onset"].iloc[-1] == pytest.approx(14979 / 128)
    assert data.events["duration"].sum() == pytest.approx(14980 / 128)


@pytest.mark.parametrize(("name", "shape", "counts"), [
    ("breast_cancer_wisconsin_original", (699, 9), [458, 241]),
    ("mammographic_mass", (961, 5), [516, 445]),
    ("htru2", (17898, 8), [16259, 1639]),
    ("bank_marketing_small", (4521, 16), [4000, 521]),
    ("adult", (48842, 14), [37155, 11687]),
    ("ijcnn1", (141691, 22), None),
])
def test_tables(data_folder, name, shape, counts):
    data = load_recording(data_folder / "tabular" / f"{name}.npz")
    assert data.X.shape == shape
    if counts is not None:
        assert np.unique(data.y, return_counts=True)[1].tolist() == counts
        assert len(data.target_names) == 2
        assert len(data.feature_names) == shape[1]


def test_real_recordings_survive_a_round_trip(data_folder, tmp_path):
    data = load_recording(data_folder / "eegmmidb" / "eyes_S001_64ch.npz")
    again = load_recording(save_recording(tmp_path / "a", data))
    np.testing.assert_array_equal(again.X, data.X)
    assert again.metadata.equals(data.metadata)
    assert again.y.tolist() == data.y.tolist()
    assert again.meta == data.meta
