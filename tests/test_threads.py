"""Linear algebra on one thread: the same bits whatever the number of threads is."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from threadpoolctl import threadpool_info, threadpool_limits

from skbci._threads import one_blas_thread
from skbci.baselines import csp_lda, erp_lda, fbcsp, tangent_space_lr

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


@pytest.mark.parametrize("decoder", [csp_lda, erp_lda, fbcsp, tangent_space_lr],
                         ids=lambda decoder: decoder.__name__)
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


def test_a_decoder_gives_the_same_bits_on_one_thread_and_on_two(two_threads):
    X = np.random.default_rng(0).standard_normal((80, 22, 256))
    y = np.random.default_rng(1).integers(0, 2, 80)
    on_two = erp_lda(sfreq=128).fit(X, y).predict_proba(X)
    with threadpool_limits(1, user_api="blas"):
        on_one = erp_lda(sfreq=128).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(on_two, on_one)


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
