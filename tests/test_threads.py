"""Linear algebra on one thread: the same bits whatever the number of threads is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from threadpoolctl import threadpool_info, threadpool_limits

from skbci._process.threads import on_one_thread, one_blas_thread
from skbci.baselines import csp_lda, erp_lda, eye_state_pipeline, fbcsp, tangent_space_lr
from skbci.features import (
    BandEnergy,
    EuclideanAlignment,
    FilterBank,
    FisherSelection,
    RankReducer,
    RiemannianRecentering,
)
from tests.interrupts import Interrupt

SEEN = []


def blas_threads():
    return max(lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas")


class LooksAtThreads(TransformerMixin, ClassifierMixin, BaseEstimator):
    """As a pipeline's last step, notes how many threads linear algebra has."""

    def fit(self, X, y):
        SEEN.append(blas_threads())
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        SEEN.append(blas_threads())
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.fixture
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        if blas_threads() != 2:
            pytest.skip("this BLAS takes no second thread")
        SEEN.clear()
        yield


DECODERS = [csp_lda, erp_lda, eye_state_pipeline, fbcsp, tangent_space_lr]


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.__name__)
def test_ready_decoders_use_one_thread_and_put_the_others_back(decoder, two_threads):
    X = np.random.default_rng(0).standard_normal((24, 4, 128))
    y = np.tile([0, 1], 12)
    pipe = decoder(sfreq=128)
    pipe.steps[-1] = ("last", LooksAtThreads())
    pipe.fit(X, y)
    pipe.predict(X)
    pipe.score(X, y)
    assert SEEN == [1, 1, 1]
    assert blas_threads() == 2


TRANSFORMERS = [
    BandEnergy(sfreq=128), EuclideanAlignment(), FilterBank(sfreq=128), FisherSelection(5),
    RankReducer(), RiemannianRecentering(),
]


@pytest.mark.parametrize("step", TRANSFORMERS, ids=lambda step: type(step).__name__)
def test_transformers_use_one_thread(step, two_threads, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((24, 12) if isinstance(step, FisherSelection) else (24, 4, 128))
    kind = type(step)
    calls = ["check_eeg"] if isinstance(step, FisherSelection) else ["_read_fit", "_read"]
    for name in calls:  # by which each of them looks at its input
        owner = sys.modules[kind.__module__] if name == "check_eeg" else kind
        if hasattr(owner, name):
            monkeypatch.setattr(owner, name, noting(getattr(owner, name)))
    step = clone(step).fit(X, np.arange(24) % 2)
    n_at_fit = len(SEEN)
    if not isinstance(step, FisherSelection):  # which only picks there
        step.transform(X)
        assert len(SEEN) > n_at_fit
    assert n_at_fit
    assert set(SEEN) == {1}
    assert blas_threads() == 2


def noting(function):
    """Let a function note the number of threads."""

    def noted(*args, **kwargs):
        SEEN.append(blas_threads())
        return function(*args, **kwargs)

    return noted


def test_a_decoder_gives_the_same_bits_on_one_thread_and_on_two(two_threads):
    X = np.random.default_rng(0).standard_normal((80, 22, 256))
    y = np.random.default_rng(1).integers(0, 2, 80)
    on_two = erp_lda(sfreq=128).fit(X, y).predict_proba(X)
    with threadpool_limits(1, user_api="blas"):
        on_one = erp_lda(sfreq=128).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(on_two, on_one)


@pytest.mark.slow
def test_transformers_and_decoders_give_the_same_bits_on_one_thread_and_on_two():
    """In processes whose BLAS begins with one thread, and with two."""
    home = Path(__file__).parents[1]
    running = []
    for n in ("1", "2"):
        known = {**os.environ, "OPENBLAS_NUM_THREADS": n, "MKL_NUM_THREADS": n}
        known.pop("OMP_NUM_THREADS", None)
        running.append(subprocess.Popen(
            [sys.executable, "-m", "tests.bits_of_all"], cwd=home, env=known, text=True,
            stdout=subprocess.PIPE,
        ))
    one, two = (json.loads(process.communicate(timeout=300)[0]) for process in running)
    assert one
    assert [name for name in one if one[name] != two[name]] == []


def test_threads_come_back_after_the_last_who_asked(two_threads):
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with one_blas_thread():
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=hold)
    with one_blas_thread():
        other.start()
        assert inside.wait(10)
    assert blas_threads() == 1  # the other one still computes
    leave.set()
    other.join()
    with one_blas_thread():  # not every BLAS listens to other threads than the main one
        assert blas_threads() == 1
    assert blas_threads() == 2
    with pytest.raises(ValueError, match="enough"), one_blas_thread():
        raise ValueError("enough")
    assert blas_threads() == 2


@pytest.mark.parametrize("n", range(1, 9))
def test_ctrl_c_leaves_no_holder_behind(two_threads, n):
    @on_one_thread
    def compute():
        return blas_threads()

    with suppress(KeyboardInterrupt), Interrupt(n):
        compute()
    assert compute() == 1
    assert blas_threads() == 2
