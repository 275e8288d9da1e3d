"""Searches and comparisons on a Dask cluster of two worker processes."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import ExitStack

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB

from skbci import EEGArray, make_pipeline
from skbci.baselines import riemann_mdm, tangent_space_lr
from skbci.estimators import MLPClassifier
from skbci.evaluation import compare
from skbci.features import EuclideanAlignment
from skbci.model_selection import (
    HeldOutSearch,
    LeaveSubjectsOut,
    StackedGridSearchCV,
    data_on_workers,
)

pytestmark = pytest.mark.extras

N, SUBJECTS = 96, 6


def make_recording(n_times=200):
    """Six subjects, each with a mixture of channels of its own."""
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], N // 2)
    data = rng.standard_normal((N, 4, n_times))
    data[y == 1, 0] *= 2
    subject = np.repeat(np.arange(SUBJECTS), N // SUBJECTS)
    mix = rng.standard_normal((SUBJECTS, 4, 4))
    names = ["C3", "Cz", "C4", "Pz"]
    return EEGArray(mix[subject] @ data, {"subject": subject}, sfreq=100, ch_names=names), y


@pytest.fixture(scope="module")
def recording():
    return make_recording()


@pytest.fixture(scope="module")
def cluster(recording):
    """Two workers; the recording was made before Dask was imported, or after."""
    import dask
    from distributed import Client, LocalCluster

    settings = {"distributed.nanny.environ.OMP_NUM_THREADS": 1,
                "distributed.worker.multiprocessing-method": "spawn"}
    state = np.random.get_state()
    with dask.config.set(settings), LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL,
    ) as machines, Client(machines) as client:
        yield client
    np.random.set_state(state)


def count_bytes():
    """Count what this process sends in large messages; give and forget the count."""
    import distributed.comm.tcp as tcp

    if not hasattr(tcp, "sent_"):
        tcp.sent_, plain = 0, tcp.TCP.write

        async def write(self, *args, **kwargs):
            n = await plain(self, *args, **kwargs)
            tcp.sent_ += n if isinstance(n, int) and n > 100_000 else 0
            return n

        tcp.TCP.write = write
    sent, tcp.sent_ = tcp.sent_, 0
    return sent


ALIGNED = riemann_mdm(alignment="euclidean")
CV = LeaveSubjectsOut(3)


def test_arrays_arrive_whole(cluster, recording):
    X, _ = recording
    kind, table, rate, names = cluster.submit(
        lambda X: (type(X).__name__, X.metadata, X.sfreq, X.ch_names), X).result()
    assert (kind, rate, names) == ("EEGArray", 100, X.ch_names)
    assert table.equals(X.metadata)


@pytest.mark.parametrize("kind", ["GridSearchCV", "StackedGridSearchCV", "HeldOutSearch"])
def test_searches_score_as_in_one_process(kind, cluster, recording):
    X, y = recording
    if kind == "HeldOutSearch":
        network = MLPClassifier((4,), max_epochs=5, early_stopping=True, random_state=0)
        search = HeldOutSearch(make_pipeline(EuclideanAlignment(), network),
                               {"mlpclassifier__lr": [0.01, 0.1]})
        scores = lambda s: s.results_["value"].to_numpy()  # noqa: E731
    elif kind == "StackedGridSearchCV":
        network = MLPClassifier((4,), max_epochs=5, random_state=0)
        search = StackedGridSearchCV(make_pipeline(EuclideanAlignment(), network),
                                     {"mlpclassifier__lr": [0.01, 0.1, 0.2]}, cv=CV)
        scores = lambda s: s.cv_results_["mean_test_score"]  # noqa: E731
    else:
        search = GridSearchCV(ALIGNED, {"cov__estimator": ["oas", "lwf"]}, cv=CV)
        scores = lambda s: s.cv_results_["mean_test_score"]  # noqa: E731
    here = scores(search.fit(X, y))
    with joblib.parallel_config("dask"):
        there = scores(search.fit(X, y))
    np.testing.assert_array_equal(here, there)


def test_compare_scores_as_in_one_process_and_shows_its_progress(cluster, recording, capfd):
    X, y = recording
    pipelines = {"aligned": ALIGNED, "tangent": tangent_space_lr()}
    here = compare(pipelines, X, y, cv=CV, progress=False)
    with joblib.parallel_config("dask"):
        there = compare(pipelines, X, y, cv=CV)
    np.testing.assert_array_equal(here.folds["score"], there.folds["score"])
    assert there.subjects.equals(here.subjects)
    assert "6/6" in capfd.readouterr().err
    # Alignment by subject is not alignment of all rows as one: the table mattered.
    lost = compare({"aligned": riemann_mdm(sfreq=100, alignment="euclidean")}, np.asarray(X), y,
                   cv=CV, groups=X.metadata["subject"], progress=False)
    known = here.folds.query("pipeline == 'aligned'")["score"]
    assert not np.array_equal(lost.folds["score"], known)


def test_data_reach_each_worker_once(cluster):
    """To the scheduler, to one worker, and from there to the other; not with each of 12 fits."""
    X, y = make_recording(2000)
    features = np.random.default_rng(0).standard_normal((2000, 400))
    target, groups = np.tile([0, 1], 1000), np.repeat(range(4), 500)
    network = MLPClassifier((3,), max_epochs=1, random_state=0)
    stacked = StackedGridSearchCV(network, {"lr": [0.1, 0.2, 0.3]}, cv=LeaveSubjectsOut(4))
    held_out = HeldOutSearch(network.set_params(early_stopping=True), {"lr": [0.1, 0.2, 0.3, 0.4]})
    few = np.random.default_rng(0).standard_normal((40_000, 4))  # as large as the folds' numbers
    plain = StackedGridSearchCV(GaussianNB(), {"var_smoothing": np.geomspace(1e-9, 1, 10)}, cv=4)
    work = {
        "compare": (X, lambda: compare(
            {"a": ALIGNED, "b": riemann_mdm()}, X, y, cv=LeaveSubjectsOut(6), progress=False)),
        "StackedGridSearchCV": (features, lambda: stacked.fit(features, target, groups=groups)),
        "HeldOutSearch": (features, lambda: held_out.fit(features, target)),
        "folds": (few, lambda: plain.fit(few, np.tile([0, 1], 20_000))),
    }
    for what, (data, run) in work.items():
        count_bytes(), cluster.run(count_bytes)
        with joblib.parallel_config("dask"):
            run()
        from_workers = list(cluster.run(count_bytes).values())
        # The scheduler is in this process: what reaches it is counted here, and what it sends.
        copies = (count_bytes() + sum(from_workers)) / data.nbytes
        assert copies < (7 if what == "folds" else 3.5), (what, copies)


class Slow(ClassifierMixin, BaseEstimator):
    """Takes its time, and notes when it begins."""

    def __init__(self, folder, seconds=0.2):
        self.folder = folder
        self.seconds = seconds

    def fit(self, X, y):
        (self.folder / f"{time.time_ns()}-{os.getpid()}").touch()
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(np.asarray(X)[:, 0] > 0).astype(int)]


@pytest.mark.parametrize(
    ("kind", "victim"), [("compare", 0), ("StackedGridSearchCV", 1), ("GridSearchCV", 0)])
def test_a_killed_worker_costs_its_tasks_only(kind, victim, cluster, tmp_path):
    X = np.random.default_rng(0).standard_normal((400, 50))
    y, groups = np.tile([0, 1], 200), np.repeat(range(10), 40)
    cluster.wait_for_workers(2, timeout=60)
    workers = sorted(cluster.run(os.getpid).values())

    def kill():
        while len(list(tmp_path.iterdir())) < 6:
            time.sleep(0.01)
        os.kill(workers[victim], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    folds = list(LeaveSubjectsOut(10).split(X, y, groups))
    with joblib.parallel_config("dask"), ExitStack() as stack:
        if kind == "GridSearchCV":
            stack.enter_context(data_on_workers(X, y, folds))
        if kind == "compare":
            result = compare({"a": Slow(tmp_path), "b": Slow(tmp_path, 0.21)}, X, y, groups=groups,
                             cv=LeaveSubjectsOut(10), progress=False)
            assert result.folds["score"].notna().all()
            assert len(result.folds) == 20
        else:
            search = {"GridSearchCV": GridSearchCV, "StackedGridSearchCV": StackedGridSearchCV}[
                kind](Slow(tmp_path), {"seconds": [0.2, 0.21]}, refit=False, cv=folds)
            search.fit(X, y)
            assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    thread.join()
    begun = len(list(tmp_path.iterdir()))
    assert 20 <= begun <= 26  # twenty fits, and those that were under way


