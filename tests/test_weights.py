"""A row of weight two is the row twice, and a row of weight zero is not there.

scikit-learn's own check says so of predictions; this one of what is learned besides them, of
wrappers, and of rows about which a classifier knows the frequencies of the classes only.
"""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbci import EEGArray
from skbci._weights import as_counts
from skbci.baselines import riemann_fgmdm, riemann_mdm, slow_potentials_lr, tangent_space_lr
from skbci.estimators import (
    AdaptiveBatchNorm,
    AugmentedClassifier,
    CascadeClassifier,
    CrossValEnsemble,
    DecoderPipeline,
    EvidenceAccumulator,
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    NeuralClassifier,
    OnlineClassifier,
    SparseMultitaskClassifier,
)

RANDOM = np.random.default_rng(0)
N = 30
LABELS = np.array(["left", "right", "right"] * (N // 3))
EPOCHS = RANDOM.normal(size=(N, 4, 100))
FEATURES = RANDOM.normal(size=(N, 5)) + (LABELS == "left")[:, np.newaxis]
COUNTS = np.where(LABELS == "left", 2, RANDOM.integers(0, 3, N))
FREQUENCY = COUNTS[LABELS == "left"].sum() / COUNTS.sum()  # of "left"


@pytest.mark.parametrize(
    "clf",
    [
        NeuralClassifier(max_epochs=1, random_state=0),
        MIN2NetClassifier(subsampling=25, max_epochs=1, random_state=0),
        FBMSNetClassifier(sfreq=100.0, depth=1, max_epochs=1, random_state=0),
        SparseMultitaskClassifier(max_epochs=1, random_state=0),
    ],
    ids=lambda clf: type(clf).__name__,
)
@pytest.mark.parametrize("unit", [1, 0.3])
def test_prior_of_networks_counts_weights(clf, unit):
    clf.fit(EPOCHS, LABELS, sample_weight=unit * COUNTS)
    with pytest.warns(UserWarning, match="no usable signal"):
        (said,) = clf.predict_proba(np.zeros((1, 4, 100)))
    np.testing.assert_allclose(said, [FREQUENCY, 1 - FREQUENCY], rtol=1e-6)


@pytest.mark.parametrize(
    ("pipe", "step"),
    [
        (tangent_space_lr(sfreq=100), "lr"),
        (slow_potentials_lr(sfreq=100, alignment=None), "lr"),
        (riemann_mdm(sfreq=100), "mdm"),
        (riemann_fgmdm(sfreq=100), "fgmdm"),
    ],
    ids=["tangent space", "slow potentials", "mdm", "filtered mdm"],
)
def test_prior_of_pipelines_counts_weights(pipe, step):
    pipe.fit(EPOCHS, LABELS, **{f"{step}__sample_weight": COUNTS})
    with pytest.warns(UserWarning, match="no usable signal"):
        (said,) = pipe.predict_proba(np.zeros((1, 4, 100)))
    np.testing.assert_allclose(said, [FREQUENCY, 1 - FREQUENCY])


def test_prior_of_a_pipeline_counts_routed_weights():
    flat = FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1))
    with sklearn.config_context(enable_metadata_routing=True):
        last = LogisticRegression().set_fit_request(sample_weight=True)
        pipe = DecoderPipeline([("flat", flat), ("lr", last)])
        pipe.fit(EPOCHS, LABELS, sample_weight=COUNTS)
    np.testing.assert_allclose(pipe.prior_, [FREQUENCY, 1 - FREQUENCY])


@pytest.mark.parametrize("unit", [1, 2.5])
def test_evidence_leaves_out_rows_of_weight_zero(unit):
    """Labels of no weight are neither frequent nor a change; of fractions only ratios matter."""
    kept = np.ones(N, bool)
    kept[[0, 3, 4, 5, 9, 11]] = False
    table = {"session": np.repeat([1, 2], N // 2), "onset": np.tile(np.arange(N // 2), 2)}
    X = EEGArray(FEATURES, table)
    clf = EvidenceAccumulator(GaussianNB(), 3, change_rate="learned")
    weighted = clone(clf).fit(X, LABELS, sample_weight=unit * kept)
    shorter = clone(clf).fit(X[kept], LABELS[kept])
    assert weighted.change_rate_ == pytest.approx(shorter.change_rate_)
    np.testing.assert_allclose(weighted.class_prior_, shorter.class_prior_)
    np.testing.assert_allclose(weighted.predict_proba(X), shorter.predict_proba(X))


def test_evidence_counts_whole_weights():
    clf = EvidenceAccumulator(GaussianNB(), 3, change_rate=0.1)
    clf.fit(FEATURES, LABELS, sample_weight=COUNTS)
    left, right = COUNTS[LABELS == "left"].sum() + 0.5, COUNTS[LABELS == "right"].sum() + 0.5
    np.testing.assert_allclose(clf.class_prior_, np.array([left, right]) / (left + right))


@pytest.mark.parametrize(
    ("weight", "expected"),
    [([0, 2, 3], [0, 2, 3]), ([0.5, 1.5, 0], [0.5, 1.5, 0]), ([0.1, 0.3, 0], [0.5, 1.5, 0])],
)
def test_weights_as_numbers_of_rows(weight, expected):
    np.testing.assert_allclose(as_counts(np.array(weight, float)), expected)


class Diary(ClassifierMixin, BaseEstimator):
    """Notes the weight that comes with each row; rows carry their number in the first column."""

    def __init__(self, log=None):
        self.log = log

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        rows = np.asarray(X)[:, 0].astype(int).tolist()
        self.log.append(dict(zip(rows, np.asarray(sample_weight).tolist(), strict=True)))
        return self

    def partial_fit(self, X, y, classes=None):
        return self

    def predict(self, X):
        return self.classes_[np.arange(len(X)) % 2]

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

    def __sklearn_clone__(self):
        return Diary(self.log)


TABLE = {"session": np.repeat([1, 2, 3], N // 3), "onset": np.tile(np.arange(N // 3), 3),
         "subject": 1, "run": 1}
NUMBERED = EEGArray(np.column_stack([np.arange(N), FEATURES]), TABLE)
WEIGHTS = 0.5 + np.arange(N)


@pytest.mark.parametrize(
    ("wrap", "n_fits"),
    [
        (lambda inner: CascadeClassifier(inner, inner, 2), 5),  # three sessions, all, terminal
        (lambda inner: EvidenceAccumulator(inner, 3), 1),
        (lambda inner: OnlineClassifier(inner), 1),
        (lambda inner: GridSearchCV(EvidenceAccumulator(inner, 3), {"window": [1, 3]}, cv=3), 7),
    ],
    ids=["cascade", "evidence", "online", "search"],
)
@pytest.mark.parametrize("with_table", [True, False])
def test_each_row_arrives_with_its_weight(wrap, n_fits, with_table):
    log = []
    X = NUMBERED if with_table else np.asarray(NUMBERED)
    wrap(Diary(log)).fit(X, LABELS, sample_weight=WEIGHTS)
    assert len(log) == n_fits or not with_table
    for fit in log:
        assert len(fit) > 1
        assert fit == {row: WEIGHTS[row] for row in fit}


def test_groups_of_a_cascade_decide_what_is_held_out():
    groups = np.arange(N) // 3 % 3
    log = []
    cascade = CascadeClassifier(Diary(log), Diary(log), 2, cv=LeaveOneGroupOut())
    X = np.asarray(NUMBERED)
    cascade.fit(X, LABELS, groups=groups, sample_weight=WEIGHTS)
    held = [set(range(N)) - set(fit) for fit in log]
    assert held[:3] == [set(np.flatnonzero(groups == g).tolist()) for g in range(3)]
    log.clear()
    clone(cascade).set_params(cv=None).fit(X, LABELS, groups=groups, sample_weight=WEIGHTS)
    for fit in log:
        assert len({int(groups[row]) for row in fit} & {
            int(groups[row]) for row in set(range(N)) - set(fit)}) == 0


@pytest.mark.parametrize("weights", [{}, {"sample_weight": np.full(N, 2.0)}])
@pytest.mark.parametrize("wrap", [
    lambda inner: EvidenceAccumulator(inner, 2), lambda inner: AugmentedClassifier(inner, None),
    lambda inner: OnlineClassifier(inner), lambda inner: AdaptiveBatchNorm(inner),
], ids=["evidence", "augmented", "online", "batch norm"])
def test_groups_tell_the_classifier_inside_which_rows_to_hold_out(wrap, weights):
    groups = np.arange(N) // 3 % 5
    net = MIN2NetClassifier(max_epochs=3, early_stopping=True, random_state=0)
    wanted = clone(net).fit(EPOCHS, LABELS, groups=groups, **weights)
    other = clone(net).fit(EPOCHS, LABELS, **weights)
    found = wrap(net).fit(EPOCHS, LABELS, groups=groups, **weights).estimator_
    np.testing.assert_array_equal(found.predict_proba(EPOCHS), wanted.predict_proba(EPOCHS))
    assert not np.array_equal(wanted.predict_proba(EPOCHS), other.predict_proba(EPOCHS))


def test_groups_go_to_the_last_step_or_are_refused():
    groups = np.arange(N) // 3 % 5
    net = MLPClassifier((4,), max_epochs=5, early_stopping=True, random_state=0)
    pipe = make_pipeline(FunctionTransformer(), net)
    wanted = clone(pipe).fit(FEATURES, LABELS, mlpclassifier__groups=groups)
    clf = EvidenceAccumulator(pipe, 1).fit(FEATURES, LABELS, groups=groups)
    np.testing.assert_array_equal(clf.predict_proba(FEATURES), wanted.predict_proba(FEATURES))
    with pytest.raises(TypeError, match="groups were given, but GaussianNB takes none"):
        EvidenceAccumulator(GaussianNB(), 1).fit(FEATURES, LABELS, groups=groups)


class Members(LogisticRegression):
    """Notes whose rows it is fitted on: the person is the first column."""

    log = []

    def fit(self, X, y, sample_weight=None, groups=None):
        self.log.append((frozenset(np.asarray(X)[:, 0].tolist()), groups))
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("cv", [None, LeaveOneGroupOut()], ids=["default", "LeaveOneGroupOut"])
@pytest.mark.parametrize("wrap", [
    lambda inner, cv: CrossValEnsemble(inner, cv),
    lambda inner, cv: CascadeClassifier(inner, LogisticRegression(), 2, cv=cv),
], ids=["ensemble", "cascade"])
def test_groups_are_routed_to_what_divides_the_training_rows(wrap, cv, asks):
    person = np.arange(N) // 3 % 3 * 1.0
    X = np.column_stack([person, FEATURES])
    with sklearn.config_context(enable_metadata_routing=True):
        inner = Members().set_fit_request(groups=asks)
        Members.log.clear()
        search = GridSearchCV(wrap(inner, cv), {"cv": [cv]}, cv=LeaveOneGroupOut(), refit=False)
        search.fit(X, LABELS, groups=person)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()
    apart = [people for people, _ in Members.log if len(people) == 1]
    assert sorted(map(sorted, apart)) == sorted([[0.0], [1.0], [2.0]] * 2)
    for people, groups in Members.log:
        assert (set(groups) == people) if asks else groups is None


@pytest.mark.parametrize(("weight", "match"), [
    (np.where(np.arange(20) == 3, np.nan, 1.0), "missing entries .* in row 3"),
    ("balanced", "sample_weight='balanced' must hold a number"),
    (np.full(20, 1e-300), "weights nearer to 1"), (np.full(20, 1e300), "weights nearer to 1"),
])  # fmt: skip
def test_weights_that_are_none_are_refused_in_the_words_of_the_toolkit(weight, match):
    X = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(ValueError, match=match):
        MLPClassifier((3,), max_epochs=1).fit(X, np.arange(20) % 2, sample_weight=weight)


@pytest.mark.parametrize(("weight", "match"), [
    (np.ma.array(np.ones(N), mask=np.arange(N) == 3), "sample_weight has masked entries .* row 3"),
    (np.full(N, np.datetime64("2020-01-01")), "(?s)sample_weight=.* must hold a number"),
    (np.full(N, np.timedelta64(1, "s")), "(?s)sample_weight=.* must hold a number"),
])
@pytest.mark.parametrize("clf", [
    MLPClassifier((3,), max_epochs=1), CrossValEnsemble(LogisticRegression(), 3),
    EvidenceAccumulator(GaussianNB(), 3), AugmentedClassifier(LogisticRegression(), "noise"),
    CascadeClassifier(GaussianNB(), GaussianNB(), 2), OnlineClassifier(SGDClassifier()),
], ids=lambda clf: type(clf).__name__)
def test_weights_under_a_mask_and_dates_are_none(clf, weight, match):
    with pytest.raises(ValueError, match=match):
        clone(clf).fit(FEATURES, LABELS, sample_weight=weight)
