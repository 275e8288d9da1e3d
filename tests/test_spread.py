"""Work divided by joblib's engines, whichever they are."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from joblib import parallel_config, register_parallel_backend
from joblib.parallel import BACKENDS, ThreadingBackend
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.neighbors import KNeighborsClassifier

from skbci._process.spread import data_on_workers, spread
from skbci.evaluation import compare
from skbci.model_selection import StackedGridSearchCV


class ListsOnly(ThreadingBackend):
    """An engine that cannot give results as they come, as Ray's."""

    supports_return_generator = False


@pytest.fixture
def lists_only():
    register_parallel_backend("lists only", ListsOnly)
    yield "lists only"
    del BACKENDS["lists only"]


def product(x, y, job):
    return x * y + job[0]


@pytest.mark.parametrize("engine", ["sequential", "threading", "lists only"])
def test_every_job_gets_its_place_and_a_tick(engine, lists_only):
    found, ticks = {}, []
    with parallel_config(engine):
        spread(product, [(n,) for n in range(7)], (2, 5), 2, found.__setitem__,
               lambda: ticks.append(len(found)))
    assert found == {n: 10 + n for n in range(7)}
    assert len(ticks) == 7


def test_errors_come_through(lists_only):
    for engine in ("sequential", "threading", lists_only):
        with parallel_config(engine), pytest.raises(TypeError):
            spread(product, [("a",)], (2, 5), 2, {}.__setitem__, lambda: None)


def test_compare_on_an_engine_that_gives_lists_only(lists_only, capfd):
    X = np.random.default_rng(0).standard_normal((60, 3))
    y, groups = np.tile([0, 1], 30), np.repeat(range(6), 10)
    pipelines = {"LR": LogisticRegression(), "1-NN": KNeighborsClassifier(1)}
    here = compare(pipelines, X, y, cv=LeaveOneGroupOut(), groups=groups, progress=False)
    with parallel_config(lists_only):
        there = compare(pipelines, X, y, cv=LeaveOneGroupOut(), groups=groups, n_jobs=2)
    np.testing.assert_array_equal(here.folds["score"], there.folds["score"])
    assert "12/12" in capfd.readouterr().err  # the progress is shown


def test_data_go_to_rays_store_once(monkeypatch):
    """With a stand-in for Ray: its store, and its engine."""
    store = []
    ray = types.ModuleType("ray")
    ray.put = lambda x: store.append(x) or len(store) - 1
    ray.get = store.__getitem__
    monkeypatch.setitem(sys.modules, "ray", ray)
    engine = type("RayBackend", (ListsOnly,), {"__module__": "ray.util.joblib.ray_backend"})
    found, x = {}, np.arange(3)
    with parallel_config(engine()):
        spread(product, [(n,) for n in range(4)], (x, 2), 2, found.__setitem__, lambda: None)
    assert len(store) == 1
    assert store[0] is x
    np.testing.assert_array_equal(found[3], [3, 5, 7])


def test_local_engines_are_left_as_they_are():
    with parallel_config("threading", n_jobs=2), data_on_workers(np.zeros(3)):
        from joblib.parallel import get_active_backend

        assert type(get_active_backend()[0]) is ThreadingBackend


def test_searches_of_any_estimator_carry_their_folds(lists_only):
    X = np.random.default_rng(0).standard_normal((60, 3))
    y, groups = np.tile([0, 1], 30), np.repeat(range(6), 10)
    grid = {"n_neighbors": [1, 3]}
    one = GridSearchCV(KNeighborsClassifier(), grid, cv=LeaveOneGroupOut())
    other = StackedGridSearchCV(KNeighborsClassifier(), grid, cv=LeaveOneGroupOut(), n_jobs=2)
    with parallel_config(lists_only):
        other.fit(X, y, groups=groups)
    one.fit(X, y, groups=groups)
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"])
