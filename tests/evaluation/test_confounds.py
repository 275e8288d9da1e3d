"""What a decoder could live on: each simulated confound is found, and none where there is none."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from scipy import stats
from sklearn.model_selection import KFold

from skbci import EEGArray
from skbci.datasets import load_recording, make_motor_imagery
from skbci.evaluation import confound_report
from skbci.evaluation._confounding.null import effective_rows, exchangeable_rows, permuted_labels
from skbci.evaluation._confounding.scores import (
    Trial,
    above_chance_p,
    chance_threshold,
    decode,
    independent_rows,
    repeats_p,
)

WIDE = ("F7", "Fz", "F8", "C3", "Cz", "C4", "P3", "Pz", "P4", "PO7", "PO8")


def noise(n_rows=60, n_channels=3, n_times=200, seed=0):
    """Epochs without anything, and labels in random order."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.resize([0, 1], n_rows))
    return rng.standard_normal((n_rows, n_channels, n_times)) * 1e-5, y


def report_of(seed, **confound):
    data = make_motor_imagery(2, 2, 40, random_state=seed, line_freq=None, **confound)
    return confound_report(data.X, data.y, n_permutations=1)


@pytest.mark.parametrize("seed", [11, 105])  # of 105, one cell is three deviations above chance
def test_none_is_found_where_there_is_none(seed):
    report = report_of(seed)
    assert not report.confounded
    assert "No confound found" in report.verdict


@pytest.mark.parametrize(
    ("confound", "ch_names", "mechanism"),
    [
        ({"ocular": 1.0}, WIDE, "eye movement"),
        ({"evoked": 1.0}, WIDE, "cue-evoked potentials"),
        ({"drift_with_label": 1.0}, WIDE, "blocked design"),
    ],
)
def test_each_confound_is_found_and_named(confound, ch_names, mechanism):
    report = report_of(3, ch_names=ch_names, **confound)
    assert mechanism in report.findings["mechanism"].tolist()
    first = report.findings.set_index("mechanism").loc[mechanism]
    assert first["p_holm"] < report.alpha
    if mechanism == "blocked design":
        assert "randomize the order" in first["verdict"]
    else:
        assert first["band"] == "slow"
        assert first["window"] == "0-1 s"
        assert "band-pass above 7 Hz" in first["verdict"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("confound", "words"),
    [({}, None), ({"ocular": 1.0}, "eye movement"), ({"evoked": 1.0}, "cue-evoked"),
     ({"drift_with_label": 1.0}, "blocked design")],
)
def test_twenty_draws(confound, words):
    reports = [report_of(100 + seed, **confound) for seed in range(20)]
    if words is None:
        assert sum(report.confounded for report in reports) <= 1
    else:
        found = [any(words in m for m in report.findings["mechanism"]) for report in reports]
        assert sum(found) >= 19


def test_a_wave_before_the_cue_is_found_there():
    X, y = noise(120, 3, 500)
    time = np.arange(500) / 100 - 2
    X += 8e-6 * np.sin(2 * np.pi * 10 * time) * (time < 0) * y[:, None, None]
    report = confound_report(X, y, sfreq=100, tmin=-2, ch_names=["C3", "Cz", "C4"])
    assert report.findings["mechanism"].tolist() == ["before the cue"]
    assert report.findings["band"].tolist() == ["mu"]


def test_muscle_is_named():
    X, y = noise(120, 3, 500)
    rng = np.random.default_rng(1)
    X[y == 1, 0] += 1e-5 * rng.standard_normal((60, 500))  # white: as strong at 40 as at 10 Hz
    report = confound_report(X, y, sfreq=125, ch_names=["F7", "Cz", "F8"])
    muscle = report.findings.set_index("mechanism").loc["muscle"]
    assert muscle["group"] == "frontal/ocular"


def test_movement_is_named():
    X, y = noise(120, 3, 200)
    moved = np.flatnonzero(y == 1)[::2]
    X[moved, :, 100] += 3e-4 * np.random.default_rng(2).choice([-1, 1], (len(moved), 3))
    report = confound_report(X, y, sfreq=100, claimed=("slow", "theta", "mu", "beta", "gamma"))
    assert report.findings["mechanism"].tolist() == ["amplitude outliers"]


def test_labels_in_the_order_of_rows_are_found():
    X, y = noise(60)
    report = confound_report(X, np.sort(y), sfreq=100, cv=KFold(5, shuffle=True, random_state=0))
    assert "blocked design" in report.findings["mechanism"].tolist()


def test_the_same_order_for_everybody_is_found():
    X, _ = noise(160)
    order = np.random.default_rng(3).permutation(np.resize([0, 1], 40))
    X = EEGArray(X, {"subject": np.repeat(range(4), 40)}, sfreq=100)
    report = confound_report(X, np.tile(order, 4))
    assert report.findings["mechanism"].tolist() == ["order of trials"]


def test_labels_that_differ_by_subject_are_found():
    X, _ = noise(160)
    rng = np.random.default_rng(4)
    y = np.concatenate([rng.random(40) < share for share in (0.1, 0.9, 0.1, 0.9)]).astype(int)
    subject = np.repeat(range(4), 40)
    X += 2e-5 * (subject % 2)[:, None, None] * np.sin(np.arange(200) / 2)
    X = EEGArray(X, {"subject": subject}, sfreq=100)
    report = confound_report(X, y, cv=KFold(5, shuffle=True, random_state=0))
    assert "labels differ by subject" in report.findings["mechanism"].tolist()
    balanced = rng.permuted(np.tile([0, 1], (4, 20)), axis=1).ravel()
    report = confound_report(X, balanced, cv=KFold(5, shuffle=True, random_state=0))
    assert not report.confounded


@pytest.mark.real_data
def test_a_filtered_recording_has_no_slow_band(data_folder):
    data = load_recording(data_folder / "bci4_2b")
    report = confound_report(data.X[::3], data.y[::3], n_permutations=1)
    assert not report.confounded
    assert any("slow" in note for note in report.notes)


@pytest.mark.real_data
def test_imagined_fists_live_on_slow_potentials(data_folder):
    data = load_recording(data_folder / "eegmmidb" / "mi_fists_22ch_S001-S020.npz")
    some = data.X.metadata["subject"].to_numpy() <= 10
    report = confound_report(data.X[some], data.y[some], n_permutations=1)
    first = report.findings.iloc[0]
    assert first["mechanism"] == "cue-evoked potentials or eye movement"
    assert (first["band"], first["window"]) == ("slow", "0-1 s")
    assert {"C5", "C6"} & set(first["channels"].split())
    assert first["accuracy"] > 0.65


# -- figures ----------------------------------------------------------------------------------


def test_threshold_is_the_binomial_quantile():
    # Combrisson and Jerbi 2015, table 1: 100 trials, two classes: 58 % at .05, 62 % at .01.
    assert chance_threshold(0.5, 100, 0.05) == pytest.approx(0.58)
    assert chance_threshold(0.5, 100, 0.01) == pytest.approx(0.62)


@pytest.mark.parametrize(("hits", "n"), [(0, 40), (13, 40), (26, 40), (40, 40)])
def test_p_of_whole_guesses_is_that_of_the_binomial_test(hits, n):
    exact = stats.binomtest(hits, n, 0.4, alternative="greater").pvalue
    assert above_chance_p(hits / n, 0.4, n) == pytest.approx(exact, rel=1e-9)


def halves(n_rows, n_features, n_classes=2, seed=0):
    """Noise, labels, and two folds: each half is tested by the other."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.resize(np.arange(n_classes), n_rows))
    first = np.arange(n_rows) < n_rows // 2
    parts = np.flatnonzero(first), np.flatnonzero(~first)
    return rng.standard_normal((n_rows, n_features)), Trial(y, [parts, parts[::-1]], None, n_rows)


def test_two_folds_stray_further_than_guesses():
    # A balanced feature of two values, two folds: a fold's accuracy is its own covariance d with
    # the labels times the sign of the other fold's. E d^2 + E |d| |d'| = 1 + 2 / pi of the
    # variance of guessing.
    features, trial = halves(1000, 1)
    folds = exchangeable_rows(np.zeros(1000, int), trial.folds)
    features[:, 0] = np.tile([0.0, 1.0], 500)
    permuted = permuted_labels(np.tile([0, 1], 500), folds, 3000, seed=1)
    own = effective_rows(features, trial, permuted)
    assert own == pytest.approx(1000 / (1 + 2 / np.pi), rel=0.1)
    once = Trial(trial.y, trial.folds[:1], None, 500)
    assert effective_rows(features, once, permuted) == pytest.approx(500, rel=0.1)
    shared = Trial(trial.y, trial.folds, None, 100)  # rows that share signal
    assert effective_rows(features, shared, permuted) == pytest.approx(own / 10)


@pytest.mark.parametrize(("n_classes", "n_features"), [(2, 3), (2, 300), (3, 30)])
def test_the_null_strays_as_far_as_the_classifier_does(n_classes, n_features):
    features, trial = halves(90, n_features, n_classes)
    permuted = permuted_labels(trial.y, exchangeable_rows(np.zeros(90, int), trial.folds), 60, 1)
    accuracies = [decode(features, Trial(y, trial.folds, None, 90)).mean() for y in permuted.T]
    mean = np.mean(accuracies)
    expected = min(90.0, mean * (1 - mean) / np.var(accuracies, ddof=1))
    assert effective_rows(features, trial, permuted) == pytest.approx(expected, rel=0.15)


def test_labels_are_permuted_within_subjects():
    y, subjects = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 0, 0, 1, 2])
    permuted = permuted_labels(y, subjects, 50, seed=0)
    assert permuted.shape == (6, 50)
    assert (np.sort(permuted[subjects == 0], axis=0) == [[0], [0], [1]]).all()
    assert (permuted[5] == 2).all()
    assert len(np.unique(permuted, axis=1).T) == 6  # 3 orders x 2 orders


def test_labels_are_exchanged_within_subject_and_fold():
    subjects = np.array([0, 0, 0, 1, 1, 1])
    folds = [(np.array([1, 2, 4, 5]), np.array([0, 3])), (np.array([0, 3]), np.array([1, 2, 4]))]
    assert exchangeable_rows(subjects, folds).tolist() == [0, 1, 1, 2, 3, 4]  # 5 is never tested
    again = [*folds, (np.array([1, 2, 4, 5]), np.array([3, 0]))]
    assert exchangeable_rows(subjects, again).tolist() == subjects.tolist()


def test_a_decoder_that_always_says_the_same_is_not_held_for_certain():
    features, trial = halves(60, 2)
    constant = np.zeros_like(features)
    permuted = permuted_labels(trial.y, np.zeros(60), 50, seed=0)
    assert effective_rows(constant, trial, permuted) <= 60


def test_overlapping_rows_count_once():
    onsets = np.arange(0, 10, 0.5)
    codes = np.zeros(20, int)
    assert independent_rows(np.arange(20), onsets, codes, 1.0) == 10
    assert independent_rows(np.arange(20), onsets, codes, 0.5) == 20
    assert independent_rows(np.arange(20), onsets, np.arange(20), 1.0) == 20
    assert independent_rows(np.arange(20), None, codes, 1.0) == 20


def test_repeats_agree_with_the_runs_test():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 80)
    p, (share, expected) = repeats_p(y, np.zeros(80, int), seed=0, n_draws=20_000)
    # Wald and Wolfowitz: runs = 1 + changes.
    a, b = (y == 0).sum(), (y == 1).sum()
    mean = 2 * a * b / 80 + 1
    variance = (mean - 1) * (mean - 2) / 79
    runs = 1 + (y[1:] != y[:-1]).sum()
    exact = 2 * stats.norm.sf(abs(runs - mean) / np.sqrt(variance))
    assert p == pytest.approx(exact, abs=0.02)
    assert share == pytest.approx(1 - (runs - 1) / 79)
    assert expected == pytest.approx(1 - (mean - 1) / 79, abs=1e-3)


def test_table_and_report_do_not_depend_on_unit_jobs_or_names_of_labels():
    X, y = noise(40)
    one = confound_report(X, y, sfreq=100, ch_names=["C3", "Cz", "C4"], n_permutations=1)
    other = confound_report(X * 1e6, np.array(["left", "right"])[y], sfreq=100,
                            ch_names=["C3", "Cz", "C4"], n_permutations=1, n_jobs=2)
    np.testing.assert_allclose(one.table["accuracy"], other.table["accuracy"])
    assert one.verdict == other.verdict
    cells = one.table[one.table["kind"] == "cell"]
    assert set(cells["group"]) == {"central"}
    alone = one.table[(one.table["kind"] == "alone") & (one.table["band"] == "slow")]
    assert len(alone) == 1


def test_it_prints_and_draws():
    import matplotlib.pyplot as plt

    X, y = noise(40)
    report = confound_report(X, y, sfreq=100, ch_names=["Fz", "Cz", "Pz"], n_permutations=1)
    assert "| decoded from" in str(report)
    assert "<table>" in report._repr_html_()
    figure = report.plot()
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[:4] == ["frontal/ocular", "central", "parieto-occipital", "other sources"]
    with pytest.raises(ValueError, match="needs 4 axes, but 1"):
        report.plot(plt.subplots()[1])
    plt.close("all")


# -- what is not there, and bad input -----------------------------------------------------------


def test_what_could_not_be_looked_at_is_said():
    X, y = noise(40)
    notes = confound_report(X, y, sfreq=100, n_permutations=1).notes
    assert any("no channel names" in note for note in notes)
    assert any("no part before the cue" in note for note in notes)
    names = ["one", "two", "three"]
    notes = confound_report(X, y, sfreq=100, ch_names=names, n_permutations=1).notes
    assert any("10-05 system" in note for note in notes)
    names = ["C3", "two", "C4"]
    notes = confound_report(X, y, sfreq=100, ch_names=names, n_permutations=1).notes
    assert any("1 of 3 channels" in note for note in notes)


def test_folds_with_one_class_are_left_out_and_said():
    X, y = noise(40)
    y = np.sort(y)
    folds = [(np.arange(15), np.arange(15, 40)), (np.arange(5, 35), np.r_[0:5, 35:40])]
    notes = confound_report(X, y, sfreq=100, cv=folds, n_permutations=1).notes
    assert any("1 of 2 folds were left out" in note for note in notes)
    with pytest.raises(ValueError, match="no fold has two classes"):
        confound_report(X, y, sfreq=100, cv=folds[:1], n_permutations=1)


def test_eye_channels_of_epochs_are_a_group():
    X, y = noise(40)
    info = mne.create_info(["C3", "C4", "EOG1"], 100.0, ["eeg", "eeg", "eog"])
    epochs = mne.EpochsArray(X, info, verbose="error")
    table = confound_report(epochs, y, n_permutations=1).table
    assert set(table.loc[table["kind"] == "cell", "group"]) == {"central", "EOG"}


def test_one_subject_is_enough():
    X, y = noise(40)
    X = EEGArray(X, {"subject": np.ones(40)}, sfreq=100, ch_names=["C3", "Cz", "C4"])
    report = confound_report(X, y, n_permutations=1)
    assert report.unit == "fold"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"X": np.zeros((40, 5))}, "needs X as epochs"),
        ({"X": np.zeros((40, 3, 100)).astype("m8[ns]")}, "X holds time spans"),
        ({"X": noise(40)[0] * (1 + 1j)}, "Complex data not supported"),
        ({"y": np.zeros(40)}, "one class"),
        ({"sfreq": None}, "sampling rate"),
        ({"alpha": 0}, "alpha=0"),
        ({"claimed": ("delta",)}, "claimed="),
        ({"claimed": "mu"}, "claimed="),
        ({"ch_names": ["C3"]}, "1 names"),
        ({"ch_names": ["C3"] * 3}, "C3.*more than once"),
        ({"X": EEGArray(noise(40)[0], {"onset": ["early", *map(str, range(39))]})},
         "'onset' holds 'early' in row 0"),
        ({"tmin": np.nan}, "tmin=nan"),
        ({"n_permutations": -1}, "n_permutations=-1"),
        ({"random_state": -1}, "random_state=-1"),
        ({"sfreq": 1000}, "shorter than"),
    ],
)
def test_bad_input(change, match):
    X, y = noise(40)
    with pytest.raises((ValueError, TypeError), match=match):
        confound_report(**{"X": X, "y": y, "sfreq": 100, **change})


@pytest.mark.parametrize("rows", [1, 10])
def test_labels_that_do_not_differ_within_a_subject_are_no_all_clear(rows):
    subject = np.arange(60) // rows
    y = subject % 2
    X = np.random.default_rng(0).normal(size=(60, 4, 96))
    X[:, 3] += 4 * y[:, None] * np.sin(2 * np.pi * np.arange(96) / 64)  # the eyes tell it all
    given = {"sfreq": 64, "ch_names": ["C3", "Cz", "C4", "Fp1"]}
    silent = confound_report(X, y, groups=subject, n_permutations=0, **given)
    assert silent.verdict.startswith("Nothing could be found: every group has rows of one label")
    assert silent.notes[0].startswith(f"{60 // rows} of {60 // rows} groups have rows of one")
    assert confound_report(X, y, groups=subject, n_permutations=2, **given).confounded
    mixed = np.where(np.arange(60) < 40, 0, subject + 1)
    some = confound_report(X, y, groups=mixed, n_permutations=0, **given)
    assert "groups have rows of one label only" in some.notes[0]
    assert "Nothing could be found" not in some.verdict


def test_nan_is_an_error():
    X, y = noise(40)
    X[3, 1, 7] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        confound_report(X, y, sfreq=100)
