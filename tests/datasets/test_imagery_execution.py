"""The simulator of paired tasks: which source serves which task, and that the data say so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skbci import EEGArray
from skbci.datasets import make_imagery_execution

QUIET = {"line_freq": None, "blinks": False}
TASKS = ("imagery", "execution")


def drops(**options):
    """Mean loss of log-power of each source during its own class, by task, and the sources.

    The rhythms alone are the difference to the data without them; the true patterns part them.
    """
    options = {"n_subjects": 1, "sfreq": 100, "tmin": 1, "duration": 2.5, **QUIET, **options}
    data = make_imagery_execution(**options)
    rhythms = np.asarray(data.X) - np.asarray(make_imagery_execution(**options, snr=0).X)
    power = np.log((np.linalg.pinv(data.patterns[0, 0]) @ rhythms).var(axis=-1))
    task = data.metadata["task"].to_numpy()
    own = data.y[:, None] == data.sources["responds_to"].to_numpy()
    found = {
        t: np.array([
            power[(task == t) & ~own[:, j], j].mean() - power[(task == t) & own[:, j], j].mean()
            for j in range(power.shape[1])
        ])
        for t in TASKS
    }
    return found, data


@pytest.fixture(scope="module")
def data():
    return make_imagery_execution(random_state=0)


def test_bunch_has_the_documented_form(data):
    assert isinstance(data.X, EEGArray)
    assert data.X.shape == (160, 22, 640)
    assert data.metadata is data.X.metadata
    assert list(data.metadata) == ["subject", "session", "run", "onset", "task"]
    assert data.metadata.groupby(["subject", "session", "task"]).size().tolist() == [40] * 4
    assert data.patterns.shape == (2, 1, 22, len(data.sources))
    assert list(data.sources) == ["name", "responds_to", *TASKS]
    assert "volt" in data.DESCR


def test_runs_alternate_between_the_tasks():
    data = make_imagery_execution(1, 2, 5, n_runs=2, random_state=0)
    table = data.metadata.groupby(["session", "run"])["task"].agg(["first", "nunique", "size"])
    assert table["first"].tolist() == list(TASKS) * 4
    assert table["nunique"].eq(1).all()
    assert table["size"].tolist() == [3, 3, 2, 2] * 2


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("n_trials", "n_runs"), [(9, 3), (7, 3), (8, 2), (3, 3), (10, 4)])
def test_classes_are_as_equal_as_can_be_in_sessions_and_in_runs(n_trials, n_runs, n_classes):
    classes = tuple("abc"[:n_classes])
    for seed in range(4):
        data = make_imagery_execution(
            1, 2, n_trials, n_runs=n_runs, classes=classes, n_sources=n_classes,
            ch_names=("C3", "C4"), sfreq=64, snr=0, duration=0.5, random_state=seed, **QUIET)
        for columns in (["session", "task"], ["session", "run"]):
            groups = [data.metadata[name] for name in columns]
            counts = pd.crosstab(groups, data.y).reindex(columns=classes, fill_value=0)
            assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()


def test_a_run_is_the_same_whether_there_are_more_of_them():
    options = {"sfreq": 100, "random_state": 0}
    few, many = (make_imagery_execution(1, 1, 3 * n, n_runs=n, **options) for n in (2, 3))
    rows = (many.metadata["run"] <= 4).to_numpy()
    np.testing.assert_array_equal(few.y, many.y[rows])
    np.testing.assert_array_equal(few.X, many.X[rows])


@pytest.mark.parametrize(
    ("n_sources", "overlap", "shared", "private"),
    [(4, 0.5, 2, 2), (4, 0.0, 0, 4), (4, 1.0, 4, 0), (2, 0.5, 2, 0), (6, 0.3, 2, 4)],
)
def test_overlap_is_the_share_of_sources_that_serve_both(n_sources, overlap, shared, private):
    sources = make_imagery_execution(
        1, 1, 1, n_sources=n_sources, overlap=overlap, random_state=0
    ).sources
    assert (sources["imagery"] & sources["execution"]).sum() == shared
    assert (sources["imagery"] & ~sources["execution"]).sum() == private
    assert (sources["execution"] & ~sources["imagery"]).sum() == private
    assert len(sources) == shared + 2 * private
    assert sources["name"].is_unique
    for task in TASKS:
        assert sources[sources[task]]["responds_to"].value_counts().nunique() == 1


@pytest.mark.parametrize("overlap", [0.0, 0.5, 1.0])
def test_sources_answer_in_the_tasks_that_they_serve_and_in_no_other(overlap):
    for seed in range(2):
        found, data = drops(n_trials=120, overlap=overlap, random_state=seed)
        for task, drop in found.items():
            serves = data.sources[task].to_numpy()
            assert (drop[serves] > 0.3).all()
            assert (np.abs(drop[~serves]) < 0.2).all()


def test_execution_desynchronizes_more_than_imagery():
    found, data = drops(n_trials=100, overlap=1.0, random_state=1)
    assert found["execution"].mean() > found["imagery"].mean()
    assert (data.subjects["erd_execution"] > data.subjects["erd_imagery"]).all()


def test_nothing_depends_on_the_class_without_rhythms():
    data = make_imagery_execution(1, 1, 100, snr=0, sfreq=100, random_state=0, **QUIET)
    assert (data.patterns == 0).all()
    variance = np.log(np.asarray(data.X).var(axis=-1))
    for task in TASKS:
        rows = (data.metadata["task"] == task).to_numpy()
        left = rows & (data.y == "left_hand")
        right = rows & (data.y == "right_hand")
        error = np.sqrt(variance[rows].var(axis=0) * (1 / left.sum() + 1 / right.sum()))
        z = (variance[left].mean(axis=0) - variance[right].mean(axis=0)) / error
        assert np.abs(z).max() < 4


def test_patterns_are_what_sources_of_unit_variance_give():
    """At rest, the rhythms' covariance is that of independent sources with these patterns."""
    options = {"tmin": -2, "duration": 1.9, "sfreq": 100, "random_state": 3, **QUIET}
    with_rhythm = make_imagery_execution(1, 1, 150, snr=4.0, **options)
    without = make_imagery_execution(1, 1, 150, snr=0.0, **options)
    rhythm = np.asarray(with_rhythm.X - without.X)
    covariance = np.einsum("nct,ndt->cd", rhythm, rhythm) / (rhythm.shape[0] * rhythm.shape[2])
    A = with_rhythm.patterns[0, 0]
    expected = A @ A.T
    gain = np.trace(covariance) / np.trace(expected)
    assert gain == pytest.approx(1, rel=0.35)  # the session's gain is log-normal, 10 %
    error = np.linalg.norm(covariance / gain - expected) / np.linalg.norm(expected)
    assert error < 0.2


def test_patterns_follow_the_reference():
    free = make_imagery_execution(1, 1, 1, reference=None, random_state=0).patterns
    average = make_imagery_execution(1, 1, 1, random_state=0).patterns
    np.testing.assert_allclose(average, free - free.mean(axis=2, keepdims=True), atol=1e-18)
    np.testing.assert_allclose(average.sum(axis=2), 0, atol=1e-18)


def test_snr_scales_the_patterns():
    one = make_imagery_execution(1, 1, 2, snr=1.0, random_state=5, **QUIET)
    four = make_imagery_execution(1, 1, 2, snr=4.0, random_state=5, **QUIET)
    zero = make_imagery_execution(1, 1, 2, snr=0.0, random_state=5, **QUIET)
    np.testing.assert_allclose(four.patterns, 2 * one.patterns)
    np.testing.assert_allclose(four.X - zero.X, 2 * (one.X - zero.X), rtol=1e-6, atol=1e-12)


def test_same_seed_same_data_and_more_leaves_the_first_as_they_were():
    small = make_imagery_execution(1, 1, 3, random_state=0)
    again = make_imagery_execution(1, 1, 3, random_state=0)
    large = make_imagery_execution(2, 2, 3, random_state=0)
    other = make_imagery_execution(1, 1, 3, random_state=1)
    np.testing.assert_array_equal(small.X, again.X)
    np.testing.assert_array_equal(small.X, large.X[:6])
    np.testing.assert_array_equal(small.patterns, large.patterns[:1, :1])
    assert not np.allclose(small.X, other.X)


def test_three_classes():
    classes = ("extension", "grasp", "supination")
    found, data = drops(n_trials=90, classes=classes, n_sources=6, random_state=0)
    assert sorted(set(data.y)) == sorted(classes)
    assert data.sources["responds_to"].value_counts().tolist() == [3, 3, 3]
    for task, drop in found.items():
        serves = data.sources[task].to_numpy()
        assert drop[serves].min() > drop[~serves].max()


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"n_subjects": 0}, ValueError, "n_subjects=0 must be at least 1"),
    ({"n_trials": 2, "n_runs": 3}, ValueError,
     "n_trials=2 must be at least n_runs=3: the trials of a session are divided among its runs"),
    ({"n_trials": 0}, ValueError, "n_trials=0 must be at least 1"),
    ({"classes": "feet"}, TypeError, "list of names"),
    ({"classes": ("a", "a")}, ValueError, "at least two different"),
    ({"n_sources": 3}, ValueError, "n_sources=3 must be a multiple of the number of classes, 2"),
    ({"n_sources": 1}, ValueError, "n_sources=1 must be at least 2"),
    ({"n_sources": 12, "overlap": 0}, ValueError, "needs 12 sources in one hemisphere"),
    ({"overlap": -0.1}, ValueError, "overlap=-0.1"),
    ({"overlap": 1.1}, ValueError, "overlap=1.1 must be at least 0 and at most 1"),
    ({"overlap": "half"}, TypeError, "overlap='half' must be a number"),
    ({"sfreq": 40}, ValueError, "sfreq=40 Hz is too low"),
    ({"snr": np.nan}, ValueError, "snr=nan"),
    ({"duration": 0}, ValueError, "duration=0"),
    ({"ch_names": ["C3"]}, ValueError, "at least two channels"),
    ({"random_state": "seed"}, ValueError, "random_state='seed'"),
])
def test_bad_input_is_named(options, error, match):
    with pytest.raises(error, match=match):
        make_imagery_execution(**{"n_subjects": 1, "n_trials": 2, **options})
