"""Steps that go by the rows' table say so where it was lost on the way to them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.feature_selection import RFE
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skbci
from skbci import EEGArray, LostTableWarning
from skbci.estimators import (
    CascadeClassifier,
    EvidenceAccumulator,
    MLPClassifier,
    OnlineClassifier,
)
from skbci.features import (
    CausalCentering,
    EuclideanAlignment,
    GroupScaler,
    KeepRows,
    RiemannianRecentering,
)
from skbci.model_selection import LeaveSubjectsOut

LINEAR = SGDClassifier("log_loss", alpha=0.01, random_state=0)
Y = np.tile(np.repeat([0, 1], 5), 8)


@pytest.fixture
def X():
    data = np.random.default_rng(0).normal(size=(80, 5)) + Y[:, None]
    return EEGArray(data, {"session": np.repeat([1, 2], 40), "onset": np.tile(np.arange(40.0), 2)})


LAST = {
    "online": lambda: OnlineClassifier(LINEAR),
    "evidence": lambda: EvidenceAccumulator(LINEAR, 8),
    "cascade": lambda: CascadeClassifier(LINEAR, LINEAR, 2),
    "centering": lambda: make_pipeline(CausalCentering(), LINEAR),
    "network": lambda: MLPClassifier((3,), max_epochs=1, early_stopping=True, random_state=0),
    "chosen": lambda: GridSearchCV(EvidenceAccumulator(LINEAR, 8), {"window": [8]}, cv=2),
    "vote": lambda: VotingClassifier([("a", EvidenceAccumulator(LINEAR, 8))]),
    "calibrated": lambda: CalibratedClassifierCV(EvidenceAccumulator(LINEAR, 8), cv=2),
}


@pytest.mark.parametrize("name", LAST)
def test_a_scaler_before_is_named_with_the_remedy(X, name):
    pipe = make_pipeline(StandardScaler(), LAST[name]())
    with pytest.warns(LostTableWarning) as caught:
        pipe.fit(X, Y)
    for warning in caught:
        if issubclass(warning.category, LostTableWarning):
            text = str(warning.message)
            assert "'standardscaler' (StandardScaler)" in text
            assert "skbci.make_pipeline" in text
            assert "KeepRows(StandardScaler(...))" in text


@pytest.mark.parametrize("name", LAST)
def test_remedies_silence_the_warning(X, name):
    for pipe in (skbci.make_pipeline(StandardScaler(), LAST[name]()),
                 make_pipeline(KeepRows(StandardScaler()), LAST[name]())):
        with warnings.catch_warnings():
            warnings.simplefilter("error", LostTableWarning)
            pipe.fit(X, Y).predict(X)


@pytest.mark.parametrize("name", LAST)
def test_who_never_had_a_table_is_not_warned(X, name):
    bare = np.asarray(X)  # though a table is in sight
    for rows in (bare, bare.tolist(), EEGArray(bare)):
        with warnings.catch_warnings():
            warnings.simplefilter("error", LostTableWarning)
            make_pipeline(StandardScaler(), LAST[name]()).fit(rows, Y).predict(rows)


@pytest.mark.parametrize(
    "name", ["online", "evidence", "cascade", "centering"]
)
def test_without_the_table_of_fit_is_an_error(X, name):
    fitted = LAST[name]().fit(X, Y)
    fitted.predict(X[:10])
    with pytest.raises(ValueError, match=r"fitted on rows whose table says .*session.*no table"):
        fitted.predict(np.asarray(X))


@pytest.mark.parametrize("kind", [EuclideanAlignment, RiemannianRecentering, GroupScaler])
def test_alignment(kind):
    rng = np.random.default_rng(0)
    X = EEGArray(rng.normal(size=(20, 3, 64)), {"subject": np.repeat([1, 2], 10)})
    step = kind().fit(X)
    with pytest.raises(ValueError, match="fitted on rows whose table says subject, but these"):
        step.transform(np.asarray(X))
    words = r"(aligned|scaled) as one group.*'functiontransformer'"
    with pytest.warns(LostTableWarning, match=words):
        make_pipeline(FunctionTransformer(lambda X: np.asarray(X) * 2), kind()).fit_transform(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LostTableWarning)
        kind().fit(np.asarray(X)).transform(np.asarray(X))


def test_the_step_before_is_found_wherever_it_is(X):
    union = FeatureUnion([("a", PCA(2)), ("b", StandardScaler())])
    with pytest.warns(LostTableWarning, match=r"'featureunion' \(FeatureUnion\)"):
        make_pipeline(
            StandardScaler(), union, "passthrough", EvidenceAccumulator(LINEAR)
        ).fit(X, Y)
    with pytest.warns(LostTableWarning, match=r"'pca' \(PCA\)"):
        make_pipeline(PCA(3), CausalCentering(), StandardScaler(), LINEAR).fit(X, Y)
    frames = skbci.make_pipeline(StandardScaler(), CausalCentering())
    frames.set_output(transform="pandas")
    with pytest.warns(LostTableWarning, match=r"scaler'.*set_output\(transform='default'"):
        frames.fit(X)
    inside = FeatureUnion([("a", make_pipeline(StandardScaler(), CausalCentering()))])
    with pytest.warns(LostTableWarning, match="'standardscaler'"):
        skbci.make_pipeline(inside, LINEAR).fit(X, Y)


@pytest.mark.parametrize("name", ["evidence", "online"])
def test_other_wrappers_are_named(X, name):
    bagging = BaggingClassifier(LAST[name](), 2, random_state=0)
    with pytest.warns(LostTableWarning, match="lost within BaggingClassifier"):
        bagging.fit(X, Y)
    selected = make_pipeline(RFE(LINEAR, n_features_to_select=2), LAST[name]())
    with pytest.warns(LostTableWarning, match=r"'rfe' \(RFE\)"):
        selected.fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LostTableWarning)
        bagging.fit(np.asarray(X), Y)
        selected.fit(np.asarray(X), Y)


def test_the_pipeline_that_lost_it_since_says_why(X):
    pipe = skbci.make_pipeline(StandardScaler(), EvidenceAccumulator(LINEAR)).fit(X, Y)
    with pytest.raises(ValueError, match="Give an EEGArray"):
        pipe.predict(np.asarray(X))
    ordinary = make_pipeline(*(step for _, step in pipe.steps))
    with pytest.raises(ValueError, match=r"'standardscaler' \(StandardScaler\), gives a bare"):
        ordinary.predict(X)


def test_cross_validation_by_subject_warns(X):
    X = EEGArray(np.asarray(X), {"subject": np.repeat([1, 2, 3, 4], 20)})
    with pytest.warns(LostTableWarning):
        cross_val_score(make_pipeline(StandardScaler(), LAST["network"]()), X, Y,
                        cv=LeaveSubjectsOut(n_splits=2))


def test_given_groups_need_no_table(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error", LostTableWarning)
        make_pipeline(StandardScaler(), LAST["network"]()).fit(
            X, Y, mlpclassifier__groups=np.repeat([1, 2, 3, 4], 20))


def test_the_readme_pipeline_holds_out_whole_subjects():
    rng = np.random.default_rng(1)
    y = np.tile([0, 1], 30)
    X = EEGArray(rng.normal(size=(60, 4)) + y[:, None], {"subject": np.repeat(range(6), 10)})
    net = MLPClassifier((3,), max_epochs=8, early_stopping=True, random_state=0)
    pipe = skbci.make_pipeline(StandardScaler(), PCA(3), net).fit(X, y)
    kept = make_pipeline(KeepRows(StandardScaler()), KeepRows(PCA(3)), net).fit(X, y)
    assert np.array_equal(pipe.predict_proba(X), kept.predict_proba(X))


def test_a_column_that_fit_had_and_later_rows_have_not_is_named():
    rng = np.random.default_rng(0)
    table = {"subject": np.repeat([1, 2], 20), "session": np.tile(np.repeat([1, 2], 10), 2)}
    X = EEGArray(rng.normal(size=(40, 3)), table)
    step = GroupScaler(by="session").fit(X)
    with pytest.warns(LostTableWarning, match="does not say session"):
        step.transform(EEGArray(np.asarray(X), {"subject": table["subject"]}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step.transform(X[:20])
