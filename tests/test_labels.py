"""Labels, groups and class weights: what is missing or mixed is named, wherever it comes in."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skbci import EEGArray
from skbci.baselines import (
    BandCSP,
    CCAClassifier,
    GalanClassifier,
    KStar,
    RotationForest,
    csp_lda,
    erp_lda,
    erp_xdawn_riemann,
    eye_state_pipeline,
    fbcsp,
    riemann_fgmdm,
    riemann_mdm,
    ssvep_cca,
    tangent_space_lr,
)
from skbci.estimators import (
    CascadeClassifier,
    EvidenceAccumulator,
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    NeuralClassifier,
    OnlineClassifier,
    SparseMultitaskClassifier,
)
from skbci.features import FisherSelection
from skbci.model_selection import LeaveSubjectsOut, PurgedKFold, SessionSplit

N = 24
X3 = np.random.default_rng(0).normal(size=(N, 4, 64))
LABELS = np.array(["l", "r"], dtype=object)[np.arange(N) % 2]
MISSING = [None, np.nan, pd.NA, pd.NaT, np.float64("nan")]
LEARNERS = {
    "MLPClassifier": lambda: MLPClassifier((4,), max_epochs=1),
    "NeuralClassifier": lambda: NeuralClassifier(max_epochs=1),
    "MIN2NetClassifier": lambda: MIN2NetClassifier(max_epochs=1),
    "FBMSNetClassifier": lambda: FBMSNetClassifier(sfreq=64, bands=[(4, 8)], max_epochs=1),
    "SparseMultitaskClassifier": lambda: SparseMultitaskClassifier(max_epochs=1),
    "CascadeClassifier": lambda: CascadeClassifier(KStar(), LogisticRegression(), n_lags=1),
    "EvidenceAccumulator": lambda: EvidenceAccumulator(KStar()),
    "OnlineClassifier": lambda: OnlineClassifier(MLPClassifier((4,), max_epochs=1)),
    "KStar": KStar,
    "GalanClassifier": GalanClassifier,
    "RotationForest": lambda: RotationForest(2),
    "CCAClassifier": lambda: CCAClassifier({"l": 8, "r": 13}, sfreq=64),
    "BandCSP": lambda: BandCSP(1),
    "FisherSelection": lambda: FisherSelection(2),
    "csp_lda": lambda: csp_lda(1, sfreq=64),
    "erp_lda": lambda: erp_lda(sfreq=64),
    "riemann_fgmdm": lambda: riemann_fgmdm(sfreq=64),
    "riemann_mdm": lambda: riemann_mdm(sfreq=64),
    "tangent_space_lr": lambda: tangent_space_lr(sfreq=64),
    "fbcsp": lambda: fbcsp(sfreq=128),
    "erp_xdawn_riemann": lambda: erp_xdawn_riemann(sfreq=64),
    "eye_state_pipeline": lambda: eye_state_pipeline(sfreq=128),
    "ssvep_cca": lambda: ssvep_cca({"l": 8, "r": 13}, sfreq=128),
}


def rows_for(name):
    return X3[:, :, 0] if name == "FisherSelection" else X3


@pytest.mark.parametrize("missing", MISSING, ids=repr)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_missing_label_is_named_by_its_row(name, missing):
    y = LABELS.copy()
    y[[3, 17]] = missing
    with pytest.raises(ValueError, match="y has 2 missing entries .*in row 3, 17"):
        LEARNERS[name]().fit(rows_for(name), y)


@pytest.mark.parametrize("name", LEARNERS)
def test_labels_of_another_kind_number_or_shape_are_refused(name):
    X, mixed = rows_for(name), LABELS.copy()
    mixed[5] = 1
    for y, message in (
        (mixed, r"y mixes labels of several kinds \(int, str\)"),
        (LABELS[:-1], "y has 23 labels, but X has 24 rows|inconsistent numbers of samples"),
        (np.column_stack([LABELS, LABELS]), "y should be a 1d array"),
        ((np.arange(24) % 2) + 1j, "must not hold complex numbers"),
        (None, "requires y to be passed|missing 1 required positional argument: 'y'"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            LEARNERS[name]().fit(X, y)


@pytest.mark.parametrize(
    "y",
    [
        ["l", "r", np.nan] * 8,  # of which numpy alone makes the word 'nan'
        pd.Series(["l", "r", None] * 8),
        pd.Series(["l", "r", None] * 8, dtype="string"),
        pd.Categorical(["l", "r", None] * 8),
        pd.array([0, 1, None] * 8, dtype="Int64"),
        np.array([0.0, 1.0, np.nan] * 8),
    ],
    ids=lambda y: f"{type(y).__name__}-{getattr(y, 'dtype', '')}",
)
def test_missing_labels_are_seen_in_every_container(y):
    with pytest.raises(ValueError, match="8 missing entries .*row 2, 5, 8, 11, 14 and 3 more"):
        KStar().fit(X3, y)


def test_whole_labels_are_taken_from_every_container():
    words, numbers = LABELS.tolist(), (np.arange(N) % 2).tolist()
    for y in (words, pd.Series(words), pd.Series(words, dtype="string"), pd.Categorical(words)):
        assert KStar().fit(X3, y).classes_.tolist() == ["l", "r"]
    for y in (numbers, pd.array(numbers, dtype="Int64"), np.array(numbers, dtype=object)):
        assert KStar().fit(X3, y).classes_.tolist() == [0, 1]
        assert MLPClassifier((4,), max_epochs=1).fit(X3, y).classes_.tolist() == [0, 1]


# ---- groups ---------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", MISSING, ids=repr)
@pytest.mark.parametrize("kind", ["groups", "list", "column"])
def test_missing_groups_are_named_by_their_rows(missing, kind):
    group = np.array(["S1", "S2", "S3"], dtype=object)[np.arange(N) % 3]
    group[4] = missing
    X, groups = X3, group.tolist() if kind == "list" else group
    if kind == "column":
        X, groups = EEGArray(X3, pd.DataFrame({"subject": group, "session": group})), None
    for cv in (LeaveSubjectsOut(), SessionSplit()):
        with pytest.raises(ValueError, match="has 1 missing entries .*in row 4"):
            list(cv.split(X, LABELS, groups))
    stopping = MLPClassifier((4,), max_epochs=1, early_stopping=True)
    with pytest.raises(ValueError, match="has 1 missing entries .*in row 4"):
        stopping.fit(X, LABELS, groups=groups)


def test_missing_dates_are_missing_groups():
    dates = np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")[np.arange(N) % 2]
    dates[7] = np.datetime64("NaT")
    with pytest.raises(ValueError, match="groups has 1 missing entries .*in row 7"):
        list(PurgedKFold(2, window=1).split(X3, LABELS, dates, onsets=np.arange(N)))


# ---- class weights --------------------------------------------------------------------------

WEIGHTED = ["MLPClassifier", "NeuralClassifier", "MIN2NetClassifier", "FBMSNetClassifier",
            "SparseMultitaskClassifier"]


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ({"l": 1, "r": np.nan}, ValueError, r"class_weight\['r'\]=nan must be a finite number"),
        ({"l": np.inf, "r": 1}, ValueError, r"class_weight\['l'\]=inf must be a finite number"),
        ({"l": 1, "r": -1}, ValueError, r"class_weight\['r'\]=-1 must be at least 0"),
        ({"l": 1, "r": "2"}, TypeError, r"class_weight\['r'\]='2' must be a number"),
        ({"l": 1, "r": None}, TypeError, r"class_weight\['r'\]=None must be a number"),
        ({"l": 0, "r": 0}, ValueError, "must leave at least two classes a weight above 0"),
        ({"l": 0}, ValueError, "must leave at least two classes a weight above 0"),
        ({"x": 1}, ValueError, r"class_weight names \['x'\], but the classes are \['l', 'r'\]"),
        ("heavy", ValueError, "class_weight='heavy' is not one of 'balanced', None"),
        ([1, 2], TypeError, r"class_weight=\[1, 2\] must be 'balanced', a dict"),
        (2.0, TypeError, "class_weight=2.0 must be 'balanced', a dict"),
    ],
)
def test_class_weights_are_checked(name, weight, error, message):
    learner = LEARNERS[name]().set_params(class_weight=weight)
    with pytest.raises(error, match=message):
        learner.fit(X3, LABELS)


def test_a_class_without_a_weight_weighs_one():
    def fitted(weight):
        learner = MLPClassifier((4,), max_epochs=2, class_weight=weight, random_state=0)
        return learner.fit(X3, LABELS)

    np.testing.assert_array_equal(
        fitted({"l": 3}).predict_proba(X3), fitted({"l": 3, "r": 1}).predict_proba(X3)
    )


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_target_of_a_regression_is_named(missing):
    X = np.random.default_rng(0).normal(size=(12, 3))
    y = np.arange(12.0).astype(object)
    y[4] = missing
    with pytest.raises(ValueError, match="MLPRegressor: y has .* in row 4"):
        MLPRegressor((4,), max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="must be numbers"):
        MLPRegressor((4,), max_epochs=1).fit(X, np.array(["a"] * 12, dtype=object))
    MLPRegressor((4,), max_epochs=1).fit(X, np.arange(12.0).astype(object))


def test_labels_that_only_spaces_or_capitals_tell_apart_are_doubted():
    X, y = np.random.default_rng(0).normal(size=(12, 2)), ["left", "right", "left "] * 4
    with pytest.warns(UserWarning, match="'left' and 'left ' count as different ones"):
        MLPClassifier((2,), max_epochs=1).fit(X, y)
    with pytest.warns(UserWarning, match="subject labels 's1' and 'S1' count as different"):
        list(LeaveSubjectsOut(2).split(X, groups=["s1", "S1"] * 6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPClassifier((2,), max_epochs=1).fit(X, ["left", "right", "left2"] * 4)


@pytest.mark.parametrize("y", [np.eye(2)[np.arange(12) % 2], np.array([b"a", b"b"] * 6)])
def test_labels_of_no_kind_are_refused_in_the_words_of_the_toolkit(y):
    with pytest.raises((TypeError, ValueError), match="(?s)MLPClassifier: y=.* must hold"):
        MLPClassifier((2,), max_epochs=1).fit(np.zeros((12, 2)), y)
