"""Random data for every public estimator and pipeline: a valid result, or a reason in words.

A case is repeated by its number: ``outcome(number)``. The default suite runs some hundreds;
``pytest -m slow tests/test_fuzz.py`` runs thousands. Wrong values of parameters are tried in
``test_wrong_values.py``.
"""

from __future__ import annotations

import warnings

import mne
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import get_tags

from skbci import EEGArray
from tests.public_estimators import ESTIMATORS, PIPELINES, public_classes

RATE = 128.0
N_CASES, N_SLOW = 480, 5000
EVERY = [*ESTIMATORS, *PIPELINES]
# How much training there is does not matter here.
SHORT = {"max_epochs": 1, "n_estimators": 2}
DTYPES = ["float64", "float32", "int64", "int16", "bool", "float16", "object", "complex128"]
KINDS = ["array", "fortran", "reversed", "list", "frame", "eeg", "epochs"]
# What no estimator may be heard to say.
RAW = (IndexError, KeyError, AttributeError, RuntimeError, ZeroDivisionError, OverflowError,
       AssertionError, MemoryError, NameError, StopIteration)
WORDS = ("unsupported operand", "not supported between", "object is not iterable",
         "unhashable", "unexpected keyword", "has no attribute", "ufunc", "not subscriptable",
         "truth value of an array", "cannot be interpreted as an integer", "can't convert",
         "must be real number")


def is_raw(error):
    return isinstance(error, RAW) or any(word in str(error) for word in WORDS)


def of_its_parts(error):
    """Whether the error is a scikit-learn classifier's own, about the features that it gets."""
    place = error.__traceback__
    files = []
    while place is not None:
        files.append(place.tb_frame.f_code.co_filename)
        place = place.tb_next
    # Constant features: scikit-learn says IndexError, or divides by no variance.
    own = ("sklearn/discriminant_analysis.py", "sklearn/naive_bayes.py")
    return any(file.replace("\\", "/").endswith(own) for file in files)


def quick(estimator):
    """A copy that trains for a moment."""
    copy = clone(estimator)
    known = copy.get_params()
    return copy.set_params(**{
        name: SHORT[name.split("__")[-1]] for name in known if name.split("__")[-1] in SHORT
    })


def rows_of(rng, large):
    """Rows of a random shape, precision and magnitude; some with a value that is none."""
    n_rows = int(rng.integers(8, 25)) if large else int(rng.integers(0, 10))
    n_channels = int(rng.integers(1, 5)) if large else int(rng.integers(0, 5))
    n_times = int(rng.integers(40, 200)) if large else int(rng.integers(0, 80))
    n_axes = int(rng.choice([2, 3, 3, 3, 4] if large else [1, 2, 3, 3, 5]))
    shape = [n_rows, n_channels, n_times, 3, 2]
    if n_axes == 4:
        shape = [n_rows, 2, n_channels, n_times]
    X = rng.normal(size=shape[:n_axes]) * 10.0 ** int(rng.integers(-9, 9))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X = X.astype(rng.choice(DTYPES, p=[0.4, 0.2, 0.1, 0.06, 0.06, 0.06, 0.06, 0.06]))
    if X.size and X.dtype.kind in "fO" and rng.random() < 0.15:
        X.flat[int(rng.integers(X.size))] = rng.choice([np.nan, np.inf, -np.inf])
    return X


def wrapped(X, rng):
    """The same rows in one of the containers that users have."""
    kind = rng.choice(KINDS)
    n_rows = X.shape[0] if X.ndim else 0
    if kind == "fortran":
        return np.asfortranarray(X)
    if kind == "reversed" and X.ndim:
        return X[..., ::-1]
    if kind == "list":
        return X.tolist()
    if kind == "frame" and X.ndim == 2:
        return pd.DataFrame(X)
    if kind == "eeg" and X.ndim > 1 and X.dtype.kind in "fiu":
        table = {"subject": np.arange(n_rows) // 4, "session": np.arange(n_rows) // 2 % 2,
                 "onset": np.arange(n_rows) * 2.0}
        return EEGArray(X, table, sfreq=RATE)
    if kind == "epochs" and X.ndim == 3 and X.size and X.dtype.kind in "fiu":
        info = mne.create_info(X.shape[1], RATE, "eeg")
        return mne.EpochsArray(X.astype(float), info, verbose="error")
    return X


def labels_of(n_rows, rng, regression):
    """Labels of a random kind; sometimes one is missing, or there are too few."""
    y = np.arange(n_rows) % 2
    change = rng.integers(0, 12)
    if regression:
        y = rng.normal(size=n_rows)
    elif change == 0:
        y = np.array(["l", "r"], dtype=object)[y]
    elif change == 1:
        y = y.astype(rng.choice(["int8", "float32", "bool"]))
    if change == 2 and n_rows:
        y = y.astype(object)
        y[int(rng.integers(n_rows))] = [None, np.nan, "z"][int(rng.integers(3))]
    elif change == 3:
        y = y[:-1]
    elif change == 4:
        y = np.zeros(n_rows, int)
    return y


def case(number):
    """The estimator, rows and labels of a number."""
    rng = np.random.default_rng([2024, number])
    estimator = EVERY[number % len(EVERY)]
    X = rows_of(rng, large=rng.random() < 0.6)
    y = labels_of(len(X), rng, is_regressor(estimator))
    return estimator, wrapped(X, rng), y


def outcome(number):
    """What is wrong with a case, or None."""
    estimator, X, y = case(number)
    shown = f"{str(estimator)[:60]} {np.shape(X) if not isinstance(X, list) else 'list'}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = quick(estimator).fit(X, y)
            asked = ("predict_proba", "predict", "transform")
            method = next(name for name in asked if hasattr(fitted, name))
            out = np.asarray(getattr(fitted, method)(X))
        except Exception as error:
            raw = is_raw(error) and not of_its_parts(error)
            return f"{shown}: {error!r:.150}" if raw else None
    if len(out) != len(X):
        return f"{shown}: {len(out)} rows came out"
    inside = {type(part) for part in fitted.get_params().values()}
    lets_pass = get_tags(fitted).input_tags.allow_nan  # as StandardScaler does
    excused = lets_pass or GaussianNB in inside
    if not excused and out.dtype.kind in "fc" and not np.isfinite(out).all():
        return f"{shown}: not finite, without a word"
    return None


def test_every_public_class_is_among_them():
    assert public_classes() - {type(estimator) for estimator in EVERY} == set()


@pytest.mark.parametrize("first", range(0, N_CASES, 40))
def test_random_data_give_results_or_reasons(first):
    found = {number: outcome(number) for number in range(first, first + 40)}
    assert not {number: said for number, said in found.items() if said}


@pytest.mark.slow
def test_thousands_of_random_data_give_results_or_reasons():
    found = {number: said for number in range(N_SLOW) if (said := outcome(number))}
    silent = {n: said for n, said in found.items() if "without a word" in said or "came" in said}
    assert not silent
    assert len(found) < N_SLOW / 100, found
