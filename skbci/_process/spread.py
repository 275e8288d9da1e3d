"""Work divided among processes or machines, by whatever engine joblib is told to use."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from joblib import effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

__all__ = ["data_on_workers", "spread"]


@contextmanager
def data_on_workers(*data: object) -> Iterator[None]:
    """Have each of Dask's workers get the data once, and again if a worker is lost.

    What joblib scatters is gone with the worker that holds it, and all calls that need it fail.
    Here the data are the results of tasks, which Dask's scheduler has done again where that is
    needed; it keeps a copy of them. On other engines nothing is done: joblib maps large arrays
    into the memory of this machine's processes.

    `compare`, `HeldOutSearch` and `StackedGridSearchCV` do this by themselves. scikit-learn's own
    searches need it, with the folds as a list, to go on when a worker is killed.

    Parameters
    ----------
    *data : object
        What all calls inside are given, as the very same objects; of lists and tuples the arrays
        in them, such as a list of folds.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV, KFold
    >>> from skbci.model_selection import data_on_workers
    >>> X, y = np.eye(20), np.tile([0, 1], 10)
    >>> folds = list(KFold(5).split(X, y))
    >>> search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=folds)
    >>> with data_on_workers(X, y, folds):  # inside ``joblib.parallel_config("dask")``
    ...     search = search.fit(X, y)
    """
    backend, n_jobs = get_active_backend()
    if not _is_dask(backend):
        yield
        return
    import dask

    own = type(backend)(
        client=backend.client, wait_for_workers_timeout=backend.wait_for_workers_timeout,
        **backend.submit_kwargs,
    )
    own.data_futures.update(backend.data_futures)
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 PiB"}):
        for x in _with_folds(data):
            if id(x) not in own.data_futures and _can_be_scattered(x):
                own.data_futures[id(x)] = backend.client.submit(_same, x, pure=False)
    with parallel_config(backend=own, n_jobs=n_jobs):
        yield


def spread(
    function: Callable[..., Any], jobs: Sequence[tuple], shared: tuple[object, ...],
    n_jobs: int | None, done: Callable[[int, Any], None], tick: Callable[[], object],
) -> None:
    """Call ``function(*shared, job)`` for each job.

    Parameters
    ----------
    function : callable
        Of a module.
    jobs : sequence of tuple
        What differs from call to call.
    shared : tuple
        What is the same; it reaches each process or worker once.
    n_jobs : int or None
        As in joblib; None leaves it to `joblib.parallel_config`.
    done : callable
        Gets a job's place and its result: as they come, or together at the end where the engine
        knows no other way (Ray's).
    tick : callable
        Called as often as a job is done, as soon as that is known.
    """
    n_workers = effective_n_jobs(n_jobs)
    if n_workers == 1:  # scikit-learn's wrapper would touch the warnings' filters
        for place, job in enumerate(jobs):
            done(place, function(*shared, job))
            tick()
        return
    # Whatever a call would divide further has no free worker to go to.
    alone = _is_dask(get_active_backend()[0]) and len(jobs) >= n_workers
    with data_on_workers(*shared):
        given = _kept_by_ray(shared)
        calls = (
            delayed(_numbered)(function, alone, *given, (place, job))
            for place, job in enumerate(jobs)
        )
        try:
            parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        except ValueError:  # the engine gives lists only
            for place, result in _Counting(tick, n_jobs)(calls):
                done(place, result)
            return
        for place, result in parallel(calls):
            done(place, result)
            tick()


class _Counting(Parallel):
    """Report each call that is done, though their results come together at the end."""

    def __init__(self, tick: Callable[[], object], n_jobs: int | None) -> None:
        super().__init__(n_jobs=n_jobs)
        self.tick, self.n_reported = tick, 0

    def print_progress(self) -> None:
        """Do what joblib does whenever calls are done."""
        while self.n_reported < self.n_completed_tasks:
            self.tick()
            self.n_reported += 1
        super().print_progress()


def _numbered(function: Any, alone: bool, *given: Any) -> tuple[int, Any]:
    *shared, (place, job) = given
    shared = [x.get() if isinstance(x, _InRay) else x for x in shared]
    with parallel_config("sequential") if alone else nullcontext():
        return place, function(*shared, job)


class _InRay:
    """An object in Ray's store: read there by each process, and not sent with each call."""

    def __init__(self, x: object) -> None:
        import ray

        self.reference = ray.put(x)

    def get(self) -> object:
        import ray

        return ray.get(self.reference)


def _kept_by_ray(shared: tuple[object, ...]) -> tuple[object, ...]:
    if not type(get_active_backend()[0]).__module__.startswith("ray."):
        return shared
    return tuple(_InRay(x) if _can_be_scattered(x) else x for x in shared)


def _with_folds(data: Iterable[object]) -> Iterator[object]:
    """Yield objects, and the arrays in lists and tuples one by one."""
    for x in data:
        if isinstance(x, (list, tuple)):
            yield from (item for item in _with_folds(x) if isinstance(item, np.ndarray))
        else:
            yield x


def _same(x: object) -> object:
    return x


def _is_dask(backend: object) -> bool:
    return hasattr(backend, "client") and hasattr(backend, "data_futures")


def _can_be_scattered(x: object) -> bool:
    """Return whether joblib would take an argument out of a call."""
    try:
        weakref.ref(x)
    except TypeError:  # None, numbers, lists: they go with each call
        return False
    return True
