"""What rows and labels are made of: dates, complex numbers, records, objects, numpy's strings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skbci.baselines import csp_lda
from skbci.estimators import MLPClassifier
from skbci.features import WelchPSD

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1e-5, (24, 3, 128))
Y = np.array(["left", "right"] * 12)

NO_NUMBERS = {
    "dates": ((X * 1e12).astype("M8[ns]"), TypeError, "X holds dates"),
    "time spans": ((X * 1e12).astype("m8[ns]"), TypeError, "X holds time spans"),
    "complex": (X + 0j, ValueError, "Complex data not supported; give its real part"),
    "complex objects": ((X + 0j).astype(object), ValueError, "Complex data not supported; give"),
    "records": (np.zeros(X.shape, [("a", float), ("b", float)]), TypeError, "array of records"),
    "time stamps": (np.full(X.shape, pd.Timestamp(0)), TypeError, "X must hold numbers: .*Timest"),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("estimator", [WelchPSD(sfreq=128), csp_lda(sfreq=128), MLPClassifier()])
def test_signals_that_are_no_real_numbers_are_refused(estimator, kind):
    data, error, message = NO_NUMBERS[kind]
    with pytest.raises(error, match=message):
        estimator.fit(data, Y)


TABLES = {
    "dates": ({"a": pd.date_range("2020", periods=24)}, TypeError, "holds dates"),
    "zones": ({"a": pd.date_range("2020", periods=24, tz="UTC")}, TypeError, "holds dates"),
    "spans": ({"a": pd.to_timedelta(range(24), unit="s")}, TypeError, "holds time spans"),
    "missing": ({"a": pd.array([1, None] * 12, dtype="Int64")}, ValueError,
                "X has NaN in row 1, column 'a'"),
    "months": ({"a": pd.period_range("2020", periods=24, freq="M")}, TypeError, "must hold numb"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_columns_that_are_no_numbers_are_refused(kind):
    columns, error, message = TABLES[kind]
    table = pd.DataFrame({**columns, "b": X[:, 0, 0]})
    with pytest.raises(error, match=message):
        MLPClassifier(max_epochs=1).fit(table, Y)


def test_columns_of_one_name_are_refused():
    table = pd.DataFrame(X[:, 0, :2], columns=["a", "a"])
    with pytest.raises(ValueError, match="several columns of the name 'a'"):
        MLPClassifier(max_epochs=1).fit(table, Y)


@pytest.mark.parametrize("labels", [
    Y.astype(np.dtypes.StringDType()), (Y == "left").astype(object),
    np.array([1, 2] * 12, dtype=object), np.array([1.0, 2.0] * 12, dtype=object),
], ids=["StringDType", "objects of truth", "objects of int", "objects of float"])
@pytest.mark.parametrize("estimator", [
    csp_lda(sfreq=128), MLPClassifier(max_epochs=1, random_state=0)
])
def test_labels_are_what_they_are_in_whatever_array(estimator, labels):
    plain = np.array([str(label) for label in labels]) if labels.dtype != object else (
        np.array(labels.tolist())
    )
    right = estimator.fit(X, plain)
    classes, predicted = right.classes_, right.predict(X)
    estimator.fit(X, labels)
    assert estimator.classes_.tolist() == classes.tolist()
    assert estimator.predict(X).tolist() == predicted.tolist()


def test_records_are_no_labels():
    with pytest.raises(ValueError, match="must hold labels, not records"):
        MLPClassifier(max_epochs=1).fit(X, np.array([(a,) for a in Y], [("y", "U5")]))
