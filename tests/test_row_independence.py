"""What a row gives depends on that row alone, for every public transformer and predictor.

Not on the other rows of the call, their number or order, the borders of chunks, or where and how
they lie in memory: to 1e-12 of the row's largest value in double precision, 1e-6 in single. A
public class or pipeline that is not listed in `tests.public_estimators` fails a test below.
"""

from __future__ import annotations

import warnings
from contextlib import suppress

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

import skbci.baselines
from skbci import EEGArray
from skbci.baselines import CCAClassifier, KStar
from skbci.estimators import (
    AdaptiveBatchNorm,
    CascadeClassifier,
    EvidenceAccumulator,
    OnlineClassifier,
)
from skbci.features import (
    CausalCentering,
    ChannelScaling,
    EuclideanAlignment,
    GroupScaler,
    RiemannianRecentering,
)
from tests.public_estimators import ESTIMATORS, PIPELINES, public_classes, public_pipelines

N_ROWS, SFREQ = 36, 128
METHODS = ["transform", "predict", "predict_proba", "predict_log_proba", "decision_function"]
TOLERANCES = {np.float64: 1e-12, np.float32: 1e-6}

# By their nature these look at other rows; what holds for them is tested with whole recordings.
BY_RECORDING = {
    AdaptiveBatchNorm: "normalizes by all of a subject's rows in the call",
    CascadeClassifier: "its second classifier sees the first one's decisions about earlier rows",
    ChannelScaling: "divides by the size that a subject's rows in the call have",
    CausalCentering: "subtracts the running mean of the recording's earlier rows",
    EuclideanAlignment: "aligns a subject by all of its rows in the call",
    GroupScaler: "scales a subject's features by all of its rows in the call",
    EvidenceAccumulator: "adds up the evidence of the recording's earlier rows",
    RiemannianRecentering: "recenters a subject by all of its rows in the call",
}


def reason(estimator):
    """Why an estimator's rows depend on each other, or None."""
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else []
    if isinstance(estimator, OnlineClassifier):
        steps = [estimator.estimator]
    for part in (estimator, *steps):
        if type(part) in BY_RECORDING:
            return BY_RECORDING[type(part)]
    return None


def takes(estimator):
    """The numbers of dimensions to try an estimator with."""
    if estimator in PIPELINES:
        return [3] if isinstance(estimator, Pipeline) else [2]
    tags = get_tags(estimator)
    return [2, 3] if tags.input_tags.three_d_array else [2]


CASES = [(estimator, ndim) for estimator in [*ESTIMATORS, *PIPELINES] for ndim in takes(estimator)]
IDS = [f"{i}-{type(e).__name__ if not isinstance(e, Pipeline) else e.steps[-1][0]}-{ndim}D"
       for i, (e, ndim) in enumerate(CASES)]


def rows_and_labels(estimator, ndim):
    """Noise with a rhythm that is louder in one class, three recordings of twelve rows."""
    rng = np.random.default_rng(0)
    y = np.tile([0, 1, 1, 0], N_ROWS // 4)
    shape = (N_ROWS, 24) if ndim == 2 else (N_ROWS, 4, 96)
    X = rng.standard_normal(shape) + 0.1 * rng.standard_normal((1, *shape[1:]))
    t = np.arange(shape[-1]) / SFREQ
    X.reshape(N_ROWS, -1, shape[-1])[y == 1, 0] += 2 * np.sin(2 * np.pi * 13 * t + 0.3)
    if isinstance(estimator, KStar):
        X = X[..., :12]  # of which each number is an attribute
    if is_regressor(estimator):
        return X, y + 0.1 * rng.standard_normal(N_ROWS)
    if isinstance(estimator, CCAClassifier) or "cca" in str(estimator).lower():
        return X, np.array([8, 13])[y]
    return X, np.array(["left", "right"])[y]


def seeded(estimator):
    """A clone whose random numbers are the same in each run."""
    own = {name: 0 for name, value in estimator.get_params().items()
           if name.rpartition("__")[2] == "random_state" and value is None}
    return clone(estimator).set_params(**own)


def answers(estimator, X):
    """What each method gives for X."""
    out = {}
    for method in METHODS:
        if hasattr(estimator, method):
            with suppress(NotImplementedError):  # as for the solvers that cannot
                out[method] = np.asarray(getattr(estimator, method)(X))
    assert out
    return out


def moved(X, offset):
    """A copy of X that begins at an address ``offset`` bytes after a multiple of 64."""
    memory = np.zeros(X.nbytes + 128, np.uint8)
    start = (-memory.ctypes.data) % 64 + offset
    out = np.ndarray(X.shape, X.dtype, memory, start)
    out[...] = X
    assert out.ctypes.data % 64 == offset
    return out


def in_memory(X):
    """The same numbers, lying otherwise."""
    yield "Fortran order", np.asfortranarray(X)
    yield "last axis first", np.moveaxis(np.moveaxis(X, -1, 0).copy(), 0, -1)
    yield "backwards", X[::-1].copy()[::-1]
    spread = np.zeros((*X.shape[:-1], 2 * X.shape[-1]), X.dtype)
    spread[..., ::2] = X
    yield "every other number", spread[..., ::2]
    for offset in (4, 8, 20, 36, 60):
        yield f"{offset} bytes further", moved(X, offset)
    read_only = X.copy()
    read_only.flags.writeable = False
    yield "read-only", read_only


def in_rows(X):
    """Parts of X, and the rows that they are."""
    n = len(X)
    for i in (0, 1, 7, n - 1):
        yield f"row {i} alone", [np.array([i])]
    for size in (3, 7):
        yield f"{size} at a time", [np.arange(a, min(a + size, n)) for a in range(0, n, size)]
    yield "in another order", [np.random.default_rng(1).permutation(n)]
    yield "backwards", [np.arange(n)[::-1]]
    yield "each twice", [np.repeat(np.arange(n), 2)]


def assert_same(found, wanted, tolerance, what):
    assert found.shape == wanted.shape, what
    if wanted.dtype.kind != "f":
        assert (found == wanted).all(), what
        return
    flat = np.abs(wanted.reshape(len(wanted), -1))
    # One number a row may be a difference that is next to nothing: then all rows' size counts.
    largest = flat.max(axis=1) if flat.shape[1] > 1 else np.full(len(flat), flat.max())
    apart = np.abs(found - wanted).reshape(len(flat), -1).max(axis=1)
    worst = np.max(apart / np.where(largest > 0, largest, 1))
    assert worst <= tolerance, f"{what}: {worst:.1e} of the row's largest value"


@pytest.mark.parametrize(("estimator", "ndim"), CASES, ids=IDS)
def test_a_row_gives_what_it_gives_alone(estimator, ndim):
    X, y = rows_and_labels(estimator, ndim)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = seeded(estimator).fit(X, y)
        for dtype, tolerance in TOLERANCES.items():
            rows = X.astype(dtype)
            wanted = answers(fitted, rows)
            for how, same in in_memory(rows):
                for method, found in answers(fitted, same).items():
                    assert_same(found, wanted[method], tolerance, f"{method}, {how}")
            if reason(estimator) is not None:
                continue
            for how, parts in in_rows(rows):
                of_parts = [answers(fitted, rows[part]) for part in parts]
                for method in wanted:
                    found = np.concatenate([part[method] for part in of_parts])
                    assert_same(found, wanted[method][np.concatenate(parts)], tolerance,
                                f"{method}, {how}")


BOUND = [(e, ndim) for e, ndim in CASES if reason(e) is not None]


@pytest.mark.parametrize(("estimator", "ndim"), BOUND, ids=[type(e).__name__ for e, _ in BOUND])
def test_recordings_do_not_depend_on_each_other(estimator, ndim):
    """Where rows of a recording belong together, whole recordings are what can be moved."""
    X, y = rows_and_labels(estimator, ndim)
    recording = np.repeat([1, 2, 3], N_ROWS // 3)
    table = {"subject": recording, "session": recording, "run": recording,
             "onset": np.tile(np.arange(N_ROWS / 3), 3)}
    X = EEGArray(X, table, sfreq=SFREQ if ndim == 3 else None)
    parts = [np.flatnonzero(recording == k) for k in (1, 2, 3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = seeded(estimator).fit(X, y)
        for dtype, tolerance in TOLERANCES.items():
            rows = X.astype(dtype)
            wanted = answers(fitted, rows)
            for order in ((2, 0, 1), (1,), (0, 2)):
                these = np.concatenate([parts[k] for k in order])
                for method, found in answers(fitted, rows[these]).items():
                    assert_same(found, wanted[method][these], tolerance,
                                f"{method}, recordings {order}")


def signature(estimator):
    """What tells one ready decoder from another: its type, and the names of its steps."""
    return type(estimator), tuple(getattr(estimator, "named_steps", ()))


def test_nothing_public_is_left_out():
    where = "tests/public_estimators.py"
    left_out = public_classes() - {type(e) for e in [*ESTIMATORS, *PIPELINES]}
    assert not left_out, f"add an instance of {left_out} to ESTIMATORS in {where}"
    known = {signature(pipeline) for pipeline in PIPELINES}
    for name in public_pipelines():
        given = getattr(skbci.baselines, name)
        default = given("Ens1") if name == "eye_state_ensemble" else given()
        assert signature(default) in known, f"add {name}(...) to PIPELINES in {where}"


def test_what_depends_on_other_rows_is_listed_with_its_reason():
    listed = {type(e) for e in ESTIMATORS}
    assert set(BY_RECORDING) <= listed
    assert all(BY_RECORDING.values())
