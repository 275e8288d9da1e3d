"""joblib and Dask see an array's table, and not its numbers only."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbci import EEGArray
from skbci.features import CausalCentering, EuclideanAlignment


def recording(subjects=(1, 1, 2, 2), **known):
    data = np.random.default_rng(0).normal(size=(4, 3, 50))
    return EEGArray(data, {"subject": list(subjects)}, **known)


def test_the_hash_follows_everything_that_is_known():
    base = recording()
    hashes = [
        joblib.hash(X)
        for X in (
            base, np.asarray(base), recording((1, 2, 1, 2)), recording(("1", "1", "2", "2")),
            recording(sfreq=100), recording(ch_names=["C3", "Cz", "C4"]), recording(tmin=0.5),
            recording(window=2.0), base * 2, base[:, ::-1],
            EEGArray(np.asarray(base), {"session": [1, 1, 2, 2]}),
        )
    ]
    assert len(set(hashes)) == len(hashes)
    inside = joblib.hash({"X": [base]}), joblib.hash({"X": [recording((1, 2, 1, 2))]})
    assert inside[0] != inside[1]


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_hash_of_equal_arrays_is_equal(order):
    table = pd.DataFrame({"subject": ["a", "a", "b", "b"], "onset": [0.1, 0.2, 0.3, np.nan],
                          "task": pd.Categorical(list("lrlr"))})
    X = EEGArray(np.random.default_rng(0).normal(size=(4, 2, 9)), table, sfreq=100,
                 ch_names=["C3", "C4"]).copy(order=order)
    for other in (X.copy(order=order), pickle.loads(pickle.dumps(X)), X[:], X[[0, 1, 2, 3]] * 1):
        if np.asarray(other).strides == np.asarray(X).strides:
            assert joblib.hash(other) == joblib.hash(X)


class Counting(TransformerMixin, BaseEstimator):
    """Writes a line for each fit, which a cached one does not."""

    def __init__(self, path):
        self.path = path

    def fit(self, X, y=None):
        with open(self.path, "a") as file:
            file.write("fit\n")
        return self

    def transform(self, X):
        return X


def test_a_cached_pipeline_keeps_two_tables_apart(tmp_path):
    memory = joblib.Memory(tmp_path / "cache", verbose=0)
    log = tmp_path / "log"
    one, other = recording(sfreq=50), recording((1, 2, 1, 2), sfreq=50)
    for X in (one, other, one.copy(), other[:]):
        steps = Counting(log), EuclideanAlignment(min_rows=1), FunctionTransformer()
        cached = make_pipeline(*steps, memory=memory).fit_transform(X)
        assert np.array_equal(cached, make_pipeline(*steps[1:]).fit_transform(X))
        assert cached.metadata.equals(X.metadata)
    assert len(log.read_text().splitlines()) == 2  # the others came from the cache


def test_pickles_carry_everything():
    X = recording(sfreq=50, ch_names=["C3", "Cz", "C4"], tmin=-0.5)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        same = pickle.loads(pickle.dumps(X, protocol=protocol))
        assert np.array_equal(same, X)
        assert same.metadata.equals(X.metadata)
        assert (same.sfreq, same.ch_names, same.tmin) == (50, ["C3", "Cz", "C4"], -0.5)


@pytest.mark.extras
def test_dask_ships_the_table():
    pytest.importorskip("distributed")
    from dask.base import tokenize
    from distributed.protocol import deserialize, serialize

    X = recording(sfreq=50, ch_names=["C3", "Cz", "C4"])
    for sent in (X, X[:3], {"X": X}):
        got = deserialize(*serialize(sent))
        got, sent = (got["X"], sent["X"]) if isinstance(sent, dict) else (got, sent)
        assert np.array_equal(got, sent)
        assert got.metadata.equals(sent.metadata)
        assert (got.sfreq, got.ch_names) == (50, ["C3", "Cz", "C4"])
        got[0] = 0  # as writeable as what was sent
    assert tokenize(X) == tokenize(X.copy())
    assert tokenize(X) != tokenize(recording((1, 2, 1, 2), sfreq=50, ch_names=X.ch_names))
    assert CausalCentering().fit(got).transform(got).metadata.equals(got.metadata)


def test_the_order_of_categories_is_part_of_the_hash():
    def array(categories):
        column = pd.Categorical(["pre", "post"], categories=categories, ordered=True)
        return EEGArray(np.zeros((2, 1)), pd.DataFrame({"session": column}))

    assert joblib.hash(array(["pre", "post"])) != joblib.hash(array(["post", "pre"]))
    assert joblib.hash(array(["pre", "post"])) == joblib.hash(array(["pre", "post"]))
