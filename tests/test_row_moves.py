"""Rows never move without their table, and what is under a mask is not data."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.utils import shuffle

import skbci.features
from skbci import EEGArray
from skbci.estimators import MLPClassifier
from skbci.evaluation import information_transfer_rate, leakage_report
from skbci.features import SlidingWindows, WelchPSD
from skbci.stream import ConfidenceGate


@pytest.fixture(params=[(6, 4), (6, 3, 4), (6, 2, 3, 4)], ids=str)
def X(request):
    data = np.arange(6.0).reshape(6, *[1] * (len(request.param) - 1))
    return EEGArray(np.broadcast_to(data, request.param).copy(), {"row": np.arange(6)})


def in_step(X):
    return np.asarray(X).reshape(len(X), -1)[:, 0].tolist() == X.metadata["row"].tolist()


MOVES = {
    "old shuffle": lambda X: np.random.RandomState(0).shuffle(X),
    "new shuffle": lambda X: np.random.default_rng(0).shuffle(X),
    "python's shuffle": lambda X: random.Random(0).shuffle(X),
    "sort": lambda X: X.sort(axis=0),
    "partition": lambda X: X.partition(2, axis=0),
    "reverse": lambda X: X.__setitem__(slice(None), X[::-1]),
    "reverse everything": lambda X: X.__setitem__(..., X[::-1]),
    "permute": lambda X: X.__setitem__(slice(None), X[[1, 0, 3, 2, 5, 4]]),
    "by a list": lambda X: X.__setitem__([0, 1], X[[1, 0]]),
    "copyto": lambda X: np.copyto(X, X[::-1]),
    "putmask": lambda X: np.putmask(X, np.asarray(X) > 2, X[::-1]),
    "putmask by name": lambda X: np.putmask(X, np.asarray(X) > 2, values=X[::-1]),
    "dtype": lambda X: setattr(X, "dtype", "float32"),
    "one row": lambda X: X.__setitem__(0, X[3]),
    "bare view": lambda X: X.__setitem__(slice(1, None), np.asarray(X)[:-1]),
    "every other": lambda X: X.__setitem__(slice(None, None, 2), np.asarray(X)[:3]),
    "shape": lambda X: setattr(X, "shape", (X.size,)),
    "resize": lambda X: X.resize((3,)),
}


@pytest.mark.parametrize("layout", ["C", "F", "reversed"])
@pytest.mark.parametrize("name", MOVES)
def test_what_moves_rows_in_place_is_refused(X, name, layout):
    if layout == "F":
        X = X.copy(order="F")
    elif layout == "reversed":
        X = X[::-1]
    before = np.asarray(X).copy()
    with pytest.raises((ValueError, AttributeError), match="table|resize"):
        MOVES[name](X)
    assert np.array_equal(np.asarray(X), before)
    assert in_step(X)


def test_what_keeps_rows_in_their_places_is_allowed(X):
    X[2] += 1
    X[1:3] *= 2
    X[[0, 4]] = X[[0, 4]] * 3
    X[X > 100] = 0
    X[..., 0] = X[..., 1]
    X[:, 1] = X[:, 0]
    X[3] = np.array(X[2])
    X[0] = 7.0
    X[:] = np.asarray(X)[::-1] * 2.0
    X.sort()
    X.partition(1, axis=-1)
    np.copyto(X, np.zeros(X.shape))
    np.putmask(X, np.asarray(X) > 2, X)
    X[:2] = EEGArray(np.ones((2, *X.shape[1:])), {"row": [0, 1]})
    np.random.default_rng(0).shuffle(X, axis=X.ndim - 1)
    assert X.metadata["row"].tolist() == list(range(6))


def test_shuffled_copies_take_their_table_along(X):
    assert in_step(shuffle(X, random_state=0))
    assert in_step(X[np.random.default_rng(0).permutation(len(X))])
    for bare in (np.random.default_rng(0).permutation(X), np.random.RandomState(0).permutation(X),
                 np.random.default_rng(0).permuted(X, axis=0), np.sort(X, axis=0)):
        assert not isinstance(bare, EEGArray)


def test_rows_without_a_table_may_be_shuffled():
    X = EEGArray(np.arange(12.0).reshape(6, 2))
    np.random.default_rng(0).shuffle(X)
    X.sort(axis=0)
    assert np.asarray(X)[:, 0].tolist() == [0, 2, 4, 6, 8, 10]


def test_named_channels_are_not_sorted_away():
    X = EEGArray(np.zeros((2, 3, 4)), ch_names=["C3", "Cz", "C4"])
    with pytest.raises(ValueError, match="without their names"):
        X.sort(axis=1)


def test_masked_entries_are_refused():
    data = np.random.default_rng(0).normal(size=(8, 2, 64))
    masked = np.ma.masked_array(data, np.zeros(data.shape, bool))
    assert np.array_equal(np.asarray(EEGArray(masked)), data)  # nothing is masked
    masked[5, 1, 3] = np.ma.masked
    y = np.tile([0, 1], 4)
    for read in (EEGArray, WelchPSD(sfreq=64).fit, WelchPSD(sfreq=64).fit(data).transform,
                 lambda X: MLPClassifier(max_epochs=1).fit(X, y), lambda X: EEGArray(list(X))):
        with pytest.raises(ValueError, match=r"masked entries \(1 of them, the first in row 5\)"):
            read(masked)


def test_masked_weights_are_refused():
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.tile([0, 1], 10)
    weight = np.ma.masked_array(np.ones(20), np.arange(20) == 3)
    with pytest.raises(ValueError, match="sample_weight has masked entries"):
        MLPClassifier(max_epochs=1).fit(X, y, sample_weight=weight)


def test_masked_values_are_read_nowhere():
    data = np.random.default_rng(0).normal(size=(4, 2, 64))
    once = np.ma.masked_array(np.arange(4.0), [0, 1, 0, 0])
    X = EEGArray(data.copy(), {"subject": [1, 1, 2, 2]})
    signal = np.ma.masked_array(data[0], data[0] > 1)
    reads = [
        lambda: X.__setitem__(0, signal),
        lambda: leakage_report(2, data, y=[0, 1, 0, 1], onsets=once, window=2.0),
        lambda: information_transfer_rate(once / 4, 2, 4.0),
        lambda: ConfidenceGate([0, 1]).answers(once, np.full((4, 2), 0.5)),
        lambda: SlidingWindows(1 / 64, 1 / 64, sfreq=64).explode(data, once),
    ]
    for read in reads:
        with pytest.raises(ValueError, match="has masked entries"):
            read()
    np.testing.assert_array_equal(np.asarray(X), data)


def test_a_single_masked_value_is_named():
    with pytest.raises(ValueError, match="accuracy has masked entries"):
        information_transfer_rate(np.ma.masked_array(0.5, True), 2, 4.0)


WITH_SFREQ = ["BandEnergy", "Crop", "FilterBank", "WelchPSD", "WindowMeans", "BaselineCorrection"]


@pytest.mark.parametrize(
    ("shape", "axis"), [((6, 0, 128), "channels"), ((6, 3, 0), "time samples")]
)
@pytest.mark.parametrize("name", sorted({*skbci.features.__all__}
                                        - {"KeepRows", "FisherSelection", "SlidingWindows"}))
def test_empty_axes_are_named(name, shape, axis):
    kind = getattr(skbci.features, name)
    step = kind(sfreq=128) if name in WITH_SFREQ else kind()
    with pytest.raises(ValueError, match=f"{name}: X has 0 {axis}"):
        step.fit(np.zeros(shape))
    with pytest.raises(ValueError, match="0 sample"):
        step.fit(np.zeros((0, 3, 128)))
