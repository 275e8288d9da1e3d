"""The eye state simulator: Berger's effect, blinks, windows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.datasets import make_eye_state

BANDS = ((0.5, 4), (4, 7), (8, 15), (16, 31))


def log_energies(data):
    f, power = welch(np.asarray(data.X), data.sfreq, nperseg=128)
    bands = [power[..., (f >= low) & (f <= high)].mean(axis=-1) for low, high in BANDS]
    return np.log(np.concatenate(bands, axis=1))


def across_subjects(data):
    """Accuracy on subjects that were not trained on."""
    pipe = make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    )
    groups = data.metadata["subject"]
    return cross_val_score(pipe, log_energies(data), data.y, groups=groups,
                           cv=GroupKFold(4)).mean()


def alpha(data, names=("O1", "O2")):
    channels = [data.ch_names.index(name) for name in names]
    f, power = welch(np.asarray(data.X)[:, channels], data.sfreq, nperseg=128)
    return power[..., (f >= 8) & (f <= 13)].mean(axis=(1, 2))


@pytest.fixture(scope="module")
def data():
    return make_eye_state(8, 80, random_state=0)


@pytest.fixture(scope="module")
def runs():
    return make_eye_state(4, 80, continuous=True, random_state=0)


def test_bunch_has_the_documented_form(data):
    assert data.X.shape[1:] == (14, 192)
    assert data.sfreq == 128
    assert set(data.y) == {"open", "closed"}
    assert list(data.metadata) == ["subject", "session", "run", "onset"]
    assert data.metadata["subject"].nunique() == 8
    assert 0.35 < np.mean(data.y == "open") < 0.65


def test_alpha_is_stronger_with_closed_eyes(data):
    power = alpha(data)
    assert power[data.y == "closed"].mean() > 1.4 * power[data.y == "open"].mean()


def test_alpha_is_occipital():
    data = make_eye_state(4, 60, snr=10, blinks=False, reference=None, random_state=0)
    closed, opened = data.y == "closed", data.y == "open"
    back, front = alpha(data), alpha(data, ("AF3", "AF4"))
    assert back[closed].mean() - back[opened].mean() > 5 * (
        front[closed].mean() - front[opened].mean()
    )


def test_states_are_told_apart_in_new_subjects():
    assert across_subjects(make_eye_state(8, 80, snr=4, random_state=1)) > 0.7


def test_nothing_depends_on_the_state_without_rhythm():
    # Windows of a block resemble each other: about 8 x 4 blocks are independent.
    data = make_eye_state(8, 80, snr=0, random_state=1)
    assert abs(across_subjects(data) - 0.5) < 0.15
    power = alpha(data)
    assert 0.8 < power[data.y == "closed"].mean() / power[data.y == "open"].mean() < 1.25


def test_snr_is_what_it_says():
    options = {"continuous": True, "blinks": False, "line_freq": None, "reference": None,
               "random_state": 3}
    loud = make_eye_state(4, 200, snr=3.0, **options)
    silent = make_eye_state(4, 200, snr=0.0, **options)
    channels = [loud.ch_names.index(name) for name in ("O1", "O2")]
    rhythm = np.asarray(loud.X - silent.X)[:, channels]
    f, background = welch(np.asarray(silent.X)[:, channels], 128, nperseg=512)
    noise = background[..., (f >= 8) & (f <= 13)].sum(axis=-1).mean(axis=1) * (f[1] - f[0])
    for run in range(4):
        power = (rhythm[run][:, loud.y[run] == "closed"] ** 2).mean()
        assert power / noise[run] == pytest.approx(loud.subjects["snr"][run], rel=0.3)


def test_blinks_only_with_open_eyes():
    options = {"ch_names": ["Fp1", "Fp2", "Cz", "O1"], "continuous": True, "random_state": 0,
               "reference": None}
    ocular = make_eye_state(3, 80, **options).X - make_eye_state(3, 80, blinks=False, **options).X
    labels = make_eye_state(3, 80, **options).y
    fp = np.asarray(ocular)[:, :2].mean(axis=1)  # looking aside cancels between the two
    assert fp[labels == "open"].max() > 100e-6
    # A blink may end just after the command to close; movements of closed eyes are small here.
    assert np.abs(fp[labels == "closed"]).max() < 30e-6


def test_closed_eyes_roll_slowly():
    options = {"ch_names": ["F7", "F8", "Cz"], "continuous": True, "random_state": 0,
               "reference": None}
    ocular = make_eye_state(3, 80, **options).X - make_eye_state(3, 80, blinks=False, **options).X
    labels = make_eye_state(3, 80, **options).y
    aside = np.asarray(ocular)[:, 0] - np.asarray(ocular)[:, 1]
    assert aside[labels == "closed"].std() > 3 * aside[labels == "open"].std()
    f, power = welch(aside, 128, nperseg=2048)
    assert power[:, f < 2].sum() > 20 * power[:, f >= 2].sum()


def test_continuous_runs_have_a_label_a_sample(runs):
    assert runs.X.shape == (4, 14, 80 * 128)
    assert runs.y.shape == (4, 80 * 128)
    assert "window" not in runs


def test_events_say_what_the_labels_say(runs):
    for run, subject in enumerate(runs.metadata["subject"]):
        events = runs.events[runs.events["subject"] == subject]
        labels = np.concatenate([
            np.repeat(label, round(length * 128))
            for label, length in zip(events["label"], events["duration"])
        ])
        assert (labels == runs.y[run]).all()
        assert (events["label"].to_numpy()[1:] != events["label"].to_numpy()[:-1]).all()
        assert events["duration"].iloc[:-1].between(14.9, 25.1).all()


def test_windows_are_cut_from_the_runs(runs):
    windows = make_eye_state(4, 80, random_state=0)
    for i in (0, 57, 211, len(windows.X) - 1):
        row = windows.metadata.loc[i]
        start = round(row["onset"] * 128)
        np.testing.assert_array_equal(
            windows.X[i], np.asarray(runs.X)[int(row["subject"]) - 1, :, start : start + 192]
        )
        assert set(runs.y[int(row["subject"]) - 1, start : start + 192]) == {windows.y[i]}


def test_windows_and_hops_of_other_lengths():
    data = make_eye_state(2, 60, window=2.0, hop=2.0, random_state=0)
    assert data.X.shape[2] == 256
    assert data.window == 2.0
    assert (data.metadata.groupby("subject")["onset"].diff().dropna() >= 2.0).all()


def test_half_of_the_subjects_start_with_open_eyes(runs):
    assert runs.y[:, 0].tolist() == ["open", "closed", "open", "closed"]


def test_same_seed_same_data_other_seed_other_data():
    one, again, other = (make_eye_state(2, 30, random_state=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(one.X, again.X)
    assert one.X.shape != other.X.shape or not np.allclose(one.X, other.X)


def test_average_reference_sums_to_zero(data):
    assert np.abs(np.asarray(data.X).sum(axis=1)).max() < 1e-15


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"window": 40}, ValueError, "window=40 s is longer than the run: duration=30 s"),
    ({"window": 0}, ValueError, "window=0"),
    ({"hop": 0}, ValueError, "hop=0"),
    ({"hop": "half"}, TypeError, "hop='half'"),
    ({"window": 29, "block": 10}, ValueError, "No window of 29 s lies inside"),
    ({"block": 1}, ValueError, "block=1"),
    ({"duration": -1}, ValueError, "duration=-1"),
    ({"snr": np.inf}, ValueError, "snr=inf"),
    ({"ch_names": ["O1", "P"]}, ValueError, r"\['P'\]"),
])
def test_bad_input_is_named(options, error, match):
    with pytest.raises(error, match=match):
        make_eye_state(**{"n_subjects": 1, "duration": 30, **options})
