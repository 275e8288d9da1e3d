"""Wrong values for every parameter, and random data for every estimator: valid, or named.

A case is repeated by its number: ``data_case(number)``. The default suite runs some hundreds;
``pytest -m slow tests/test_fuzz.py`` runs thousands.
"""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skbci.baselines import BandCSP, CCAClassifier, GalanClassifier, KStar, RotationForest
from skbci.estimators import MIN2NetClassifier, MLPClassifier, MLPRegressor, NeuralClassifier
from skbci.features import (
    BandEnergy,
    CausalCentering,
    ChannelNormalizer,
    Crop,
    EuclideanAlignment,
    FilterBank,
    FisherSelection,
    RankReducer,
    RiemannianRecentering,
    SlidingWindows,
    WelchPSD,
    WindowMeans,
)

ROWS = np.random.default_rng(0).normal(size=(16, 3, 64))
LABELS = np.tile(["l", "r"], 8)
DTYPES = ["float64", "float32", "int64", "float16", "object", "complex128"]
ESTIMATORS = {
    "BandCSP": BandCSP(1),
    "BandEnergy": BandEnergy(bands=[(4, 8), (8, 12)], sfreq=64),
    "CCAClassifier": CCAClassifier({"l": 8, "r": 13}, sfreq=64),
    "CausalCentering": CausalCentering(),
    "ChannelNormalizer": ChannelNormalizer(),
    "Crop": Crop(0.1, 0.9, sfreq=64),
    "EuclideanAlignment": EuclideanAlignment(),
    "FilterBank": FilterBank([(4, 8)], sfreq=64),
    "FisherSelection": FisherSelection(2),
    "GalanClassifier": GalanClassifier(2),
    "KStar": KStar(),
    "MIN2NetClassifier": MIN2NetClassifier(max_epochs=1),
    "MLPClassifier": MLPClassifier((4,), max_epochs=1),
    "MLPRegressor": MLPRegressor((4,), max_epochs=1),
    "NeuralClassifier": NeuralClassifier(max_epochs=1),
    "RankReducer": RankReducer(),
    "RiemannianRecentering": RiemannianRecentering(),
    "RotationForest": RotationForest(2, random_state=0),
    "SlidingWindows": SlidingWindows(0.25, 0.25, sfreq=64),
    "WelchPSD": WelchPSD(sfreq=64, n_per_seg=16),
    "WindowMeans": WindowMeans(0.25, sfreq=64),
}
WRONG = ["x", -1, 0, np.nan, np.inf, [], {}, object(), True, 10**400, None, -np.inf, "8", 1j]
# Those whose every parameter is checked in the one vocabulary.
SWEPT = ["BandEnergy", "CCAClassifier", "CausalCentering", "ChannelNormalizer", "Crop",
         "EuclideanAlignment", "FilterBank", "FisherSelection", "GalanClassifier", "KStar"]
# What no estimator may be heard to say.
RAW = (IndexError, KeyError, AttributeError, RuntimeError, ZeroDivisionError, OverflowError,
       AssertionError, MemoryError, NameError, StopIteration)
WORDS = ("unsupported operand", "not supported between", "object is not iterable",
         "unhashable", "unexpected keyword", "has no attribute", "ufunc", "not subscriptable",
         "truth value of an array", "cannot be interpreted as an integer", "can't convert",
         "must be real number")


def is_raw(error):
    return isinstance(error, RAW) or any(word in str(error) for word in WORDS)


def used(estimator, X, y):
    """Fit, and what the estimator then makes of the same rows."""
    target = np.arange(len(y), dtype=float) if isinstance(estimator, MLPRegressor) else y
    fitted = clone(estimator).fit(X, target)
    for method in ("transform", "predict_proba", "predict"):
        if hasattr(fitted, method):
            return np.asarray(getattr(fitted, method)(X))
    raise AssertionError("nothing to ask")


def parameter_cases():
    for name in SWEPT:
        estimator = ESTIMATORS[name]
        for parameter in inspect.signature(type(estimator)).parameters:
            if parameter in estimator.get_params(deep=False):
                yield name, parameter


def outcomes(name, parameter, values):
    """Raw errors by value, and how many values there were."""
    found = {}
    for place, value in enumerate(values):
        X = ROWS[:, :, 0] if name == "FisherSelection" else ROWS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                out = used(clone(ESTIMATORS[name]).set_params(**{parameter: value}), X, LABELS)
            except Exception as error:
                if is_raw(error) or parameter.rstrip("_") not in str(error):
                    found[place] = f"{type(error).__name__}: {str(error)[:90]}"
            else:
                if out.dtype.kind == "f" and not np.isfinite(out).all():
                    found[place] = "not finite, without a word"
    return found


def data_case(number):
    """Rows and labels of one case, by its number."""
    rng = np.random.default_rng([2024, number])
    name = sorted(ESTIMATORS)[number % len(ESTIMATORS)]
    shape = [int(rng.integers(0, 14)), int(rng.integers(0, 5)), int(rng.integers(0, 80))]
    X = rng.normal(size=shape[: int(rng.choice([1, 2, 3, 3, 3]))])
    X = X * 10.0 ** int(rng.integers(-12, 12))
    with np.errstate(all="ignore"):
        X = X.astype(rng.choice(DTYPES))
    kind = rng.integers(0, 6)
    if kind == 1 and X.size and X.dtype.kind in "fO":
        X.flat[int(rng.integers(X.size))] = rng.choice([np.nan, np.inf, -np.inf])
    elif kind == 2 and X.ndim > 1:
        X = np.asfortranarray(X)
    elif kind == 3:
        X = X[..., ::-1]
    y = np.array(["l", "r"], dtype=object)[np.arange(len(X)) % 2]
    change = rng.integers(0, 6)
    if change == 1 and len(y):
        y[int(rng.integers(len(y)))] = [None, np.nan, 3, "z"][int(rng.integers(4))]
    elif change == 2:
        y = y[:-1]
    elif change == 3:
        y = (np.arange(len(X)) % 2).astype(rng.choice(["int8", "float32", "bool"]))
    return name, X, y


def data_outcome(number):
    name, X, y = data_case(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            out = used(ESTIMATORS[name], X, y)
        except Exception as error:
            return f"{name} {X.shape} {X.dtype}: {error!r:.150}" if is_raw(error) else None
    if len(out) != len(X):
        return f"{name} {X.shape}: {len(out)} rows came out"
    if out.dtype.kind == "f" and not np.isfinite(out).all():
        return f"{name} {X.shape} {X.dtype}: not finite, without a word"
    return None


@pytest.mark.parametrize(("name", "parameter"), list(parameter_cases()))
def test_wrong_values_of_a_parameter_work_or_name_it(name, parameter):
    assert not outcomes(name, parameter, WRONG)


@pytest.mark.parametrize("first", range(0, 420, 42))
def test_random_data_give_results_or_reasons(first):
    found = {number: data_outcome(number) for number in range(first, first + 42)}
    assert not {number: said for number, said in found.items() if said}


@pytest.mark.slow
def test_thousands_of_random_data_give_results_or_reasons():
    found = {number: said for number in range(5000) if (said := data_outcome(number))}
    silent = {number: said for number, said in found.items() if "without a word" in said}
    assert not silent
    assert len(found) < 50, found
