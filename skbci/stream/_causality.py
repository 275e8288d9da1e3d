"""Checks that a step treats each row by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skbci._eegarray.groups import Key, group_rows
from skbci._eegarray.lost_table import LostTableWarning
from skbci._process.quiet import without_warnings
from skbci.eegarray import EEGArray
from skbci.estimators import AdaptiveBatchNorm, BaseNeural
from skbci.features import GroupAlignment, GroupScaler
from skbci.stream._stages.base import describe

__all__ = ["apply", "check_row_by_row", "fitted_group", "probe_windows"]

# Rounding of float32, in networks that sum a row in another order among others.
_TOLERANCE = 1e-4


def probe_windows(
    shape: tuple[int, ...], table: dict[str, Any], scale: float, **context: Any
) -> EEGArray:
    """Return three windows of noise, about as loud as a pipeline's rows of fit, to try it on."""
    noise = np.random.default_rng(0).standard_normal((3, *shape))
    noise *= scale * np.array([0.5, 1, 1.5]).reshape(-1, *[1] * len(shape))
    columns = {name: [value] * 3 for name, value in table.items()}
    columns |= {"run": [0] * 3, "onset": [0.0, 1.0, 2.0]}
    return EEGArray(noise, columns, **context)


def apply(name: str, step: BaseEstimator, method: str, rows: np.ndarray) -> np.ndarray:
    """Return what a step makes of rows.

    Raises
    ------
    ValueError
        Naming the step, if it refuses them.
    """
    try:
        # A stream is one session of one person, whatever the table of fit had.
        with without_warnings(LostTableWarning):
            return getattr(step, method)(rows.copy())  # some steps write into what they get
    except Exception as error:
        raise ValueError(
            f"OnlineDecoder: {describe(name, step)} cannot take rows of shape "
            f"{np.shape(rows)[1:]}, which it gets for windows of this stream: {error}"
        ) from error


def check_row_by_row(name: str, step: BaseEstimator, method: str, rows: np.ndarray) -> None:
    """Refuse a step whose result for a row depends on the rows beside it.

    A few windows of noise do not show it of steps that want more rows to go by, or other people's.

    Raises
    ------
    ValueError
        Naming the step.
    """
    for part in _all_in(step):
        if isinstance(part, AdaptiveBatchNorm) and hasattr(part, "estimator_"):
            raise ValueError(
                f"OnlineDecoder: {describe(name, step)} cannot run causally: AdaptiveBatchNorm "
                "goes by all rows of a subject, and in a stream a row comes alone. Decode with "
                "its estimator_, which goes by what it learned in fit."
            )
        for kind, learned in ((GroupAlignment, "references_"), (GroupScaler, "means_")):
            if isinstance(part, kind) and hasattr(part, learned):
                fitted_group(name, part, getattr(part, learned), rows)
    together = np.asarray(apply(name, step, method, rows))
    alone = np.concatenate([
        np.asarray(apply(name, step, method, rows[i : i + 1])) for i in range(len(rows))
    ])
    if together.shape == alone.shape:
        size = np.abs(together).max(initial=0)
        if np.allclose(together, alone, rtol=_TOLERANCE, atol=_TOLERANCE * size):
            return
    raise ValueError(
        f"OnlineDecoder: {describe(name, step)} cannot run causally: its {method} gives a row "
        "another result where other rows come with it, and in a stream a row comes alone. Replace "
        "it by a step that treats each row by itself; CausalCentering, EvidenceAccumulator and "
        "CascadeClassifier carry their past along."
    )


def _all_in(estimator: BaseEstimator) -> Iterator[BaseEstimator]:
    """Yield an estimator and all those in it, however they are kept, fitted or not."""
    waiting: list[Any] = [estimator]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype.hasobject else []
        elif isinstance(part, BaseEstimator) or type(part).__name__ == "_CalibratedClassifier":
            yield part
            waiting += [] if isinstance(part, BaseNeural) else vars(part).values()


def fitted_group(
    name: str, step: BaseEstimator, known: Mapping[Key, object], rows: np.ndarray
) -> Key:
    """Find the group of a stream among those that an alignment or scaler was fitted on.

    Raises
    ------
    ValueError
        Naming the step, if there is no such group.
    """
    key = next(iter(group_rows(rows, len(rows), step.by, type(step).__name__)))
    if key in known:
        return key
    listed = ", ".join(map(str, list(known)[:5]))
    raise ValueError(
        f"OnlineDecoder: {describe(name, step)} cannot run causally: it treats a group by all of "
        f"the group's rows, and the stream's group {key} (by={step.by!r}) was not among those of "
        f"fit ({listed}{' ...' if len(known) > 5 else ''}). Fit the pipeline with "
        "calibration rows of the group, and say whose the stream is, such as "
        "metadata={'subject': 1}."
    )
