"""Alignment of plain arrays by subject labels, and by unlabelled rows of who is to be decoded."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV

from skbci import EEGArray, make_pipeline
from skbci.baselines import riemann_mdm
from skbci.features import ChannelScaling, EuclideanAlignment, FilterBank, RiemannianRecentering
from skbci.model_selection import LeaveSubjectsOut

ALIGNMENTS = [ChannelScaling(), EuclideanAlignment(), RiemannianRecentering()]


@pytest.fixture(params=ALIGNMENTS, ids=lambda step: type(step).__name__)
def step(request):
    return request.param


@pytest.fixture(scope="module")
def subjects():
    return np.repeat(["a", "b"], 8)


@pytest.fixture(scope="module")
def rows(subjects):
    """Two subjects, the second louder and mixed."""
    noise = np.random.default_rng(0).standard_normal((16, 3, 100))
    noise[8:] = np.array([[4.0, 1, 0], [0, 2, 0], [1, 0, 9]]) @ noise[8:]
    return noise


@pytest.fixture(scope="module")
def target():
    return 5 * np.random.default_rng(1).standard_normal((12, 3, 100))


def test_subjects_stand_for_the_table(step, rows, subjects):
    by_table = step.fit_transform(EEGArray(rows, {"subject": subjects}))
    given = step.fit_transform(rows, subjects=subjects)
    assert type(given) is np.ndarray
    np.testing.assert_array_equal(given, np.asarray(by_table))
    assert set(step.references_) == {("a",), ("b",)}
    step.fit(rows, subjects=subjects).transform(rows)  # asks for no table after fit


def test_a_table_has_the_first_word(step, rows, subjects):
    X = EEGArray(rows, {"subject": subjects[::-1]})
    assert list(step.fit(X, subjects=subjects).references_) == [("b",), ("a",)]


def test_subjects_are_one_a_row(step, rows, subjects):
    with pytest.raises(ValueError, match="subjects"):
        step.fit(rows, subjects=subjects[:-1])


def test_target_rows_are_whitened_by_the_given_ones(rows, subjects, target):
    """The inverse root of the mean covariance, by numpy."""
    step = EuclideanAlignment().fit(rows, subjects=subjects, X_target_unlabeled=target)
    mean = np.mean([np.cov(row, ddof=0) for row in target], axis=0)
    values, vectors = np.linalg.eigh(mean)
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    new = np.random.default_rng(2).standard_normal((7, 3, 100))
    np.testing.assert_allclose(step.transform(new), root @ new, rtol=1e-10)
    np.testing.assert_allclose(step.transform(new[:1]), root @ new[:1], rtol=1e-10)


def test_each_target_of_a_table_by_its_own(step, rows, subjects, target):
    X = EEGArray(rows, {"subject": subjects})
    T = EEGArray(target, {"subject": np.repeat(["c", "d"], 6)})
    step.fit(X, X_target_unlabeled=T)
    assert set(step.target_references_) == {("c",), ("d",)}
    alone = step.transform(T[3:4])
    np.testing.assert_allclose(alone, step.transform(T)[3:4])
    # The fitted subjects, and others, are what they were without.
    others = EEGArray(target, {"subject": np.repeat(["a", "e"], 6)})
    with_target = step.transform(others)
    np.testing.assert_array_equal(with_target, step.fit(X).transform(others))
    assert step.target_references_ == {}


def test_targets_need_their_channels(step, rows, target):
    with pytest.raises(ValueError, match="2 channels"):
        step.fit(rows, X_target_unlabeled=target[:, :2])


def test_pipelines_take_target_rows_through_the_steps_before(rows, subjects, target):
    """MOABB gives them raw."""
    y = np.tile([0, 1], 8)
    for pipe in (
        riemann_mdm(sfreq=100, alignment="euclidean"),
        make_pipeline(FilterBank(((8, 30),), sfreq=100, output="channels"), EuclideanAlignment()),
    ):
        with config_context(enable_metadata_routing=True):
            pipe.fit(rows, y, subjects=subjects, X_target_unlabeled=target)
        band = FilterBank(((8, 30),), sfreq=100, output="channels")
        wanted = EuclideanAlignment().fit(
            band.fit_transform(rows), subjects=subjects, X_target_unlabeled=band.transform(target))
        step = next(s for _, s in pipe.steps if isinstance(s, EuclideanAlignment))
        np.testing.assert_array_equal(
            step.target_references_[()], wanted.target_references_[()])


def test_silent_rows_are_set_aside_and_the_targets_stay(rows, subjects, target):
    """As many targets as rows: they are not the rows."""
    y = np.tile([0, 1], 8)
    silent = rows.copy()
    silent[3] = 0.0
    many = np.concatenate([target, target[:4]])
    pipe = riemann_mdm(sfreq=100, alignment="euclidean")
    with config_context(enable_metadata_routing=True), pytest.warns(UserWarning, match="row 3"):
        pipe.fit(silent, y, subjects=subjects, X_target_unlabeled=many)
    filtered = pipe[:2].transform(many)
    mean = np.mean([np.cov(row, ddof=0) for row in filtered], axis=0)
    np.testing.assert_allclose(pipe["align"].target_references_[()], mean, rtol=1e-9)


def test_subjects_of_plain_arrays_in_a_search(rows, subjects, target):
    """An outer loop that knows subjects by that name: the splitter asks for them by an alias."""
    y, X = np.tile([0, 1], 14), np.concatenate([rows, target])
    who = np.concatenate([subjects, np.repeat("c", 12)])
    with config_context(enable_metadata_routing=True):
        cv = LeaveSubjectsOut(3).set_split_request(groups="subjects")
        pipe = riemann_mdm(sfreq=100, alignment="euclidean")
        search = GridSearchCV(pipe, {"cov__estimator": ["oas", "lwf"]}, cv=cv)
        search.fit(X, y, subjects=who)
    assert set(search.best_estimator_["align"].references_) == {("a",), ("b",), ("c",)}
    by_table = GridSearchCV(pipe, {"cov__estimator": ["oas", "lwf"]}, cv=LeaveSubjectsOut(3))
    by_table.fit(EEGArray(X, {"subject": who}), y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], by_table.cv_results_["mean_test_score"])
