"""Checks of a decoder's settings and samples, against what its pipeline knows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skbci._checks import check_list, check_positive, check_rate
from skbci._checks.masked import check_unmasked
from skbci._fitted import fitted_parts
from skbci._recording.times import first_sample
from skbci._typing import Metadata
from skbci.estimators import EvidenceAccumulator, OnlineClassifier
from skbci.stream._compile import unwrapped

__all__ = [
    "check_metadata",
    "check_samples",
    "fitted_steps",
    "known_channels",
    "n_samples",
    "real_numbers",
    "same_start",
    "step_limit",
    "stream_rate",
]


def check_metadata(metadata: Metadata | None) -> dict[str, Any]:
    """Check what is said about the stream as a whole.

    Raises
    ------
    TypeError, ValueError
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise TypeError(
            f"OnlineDecoder: metadata={metadata!r} must map column names to values, such as "
            "{'subject': 3}, or be None."
        )
    for name, value in metadata.items():
        if np.ndim(value):
            raise ValueError(
                f"OnlineDecoder: metadata[{name!r}]={value!r} must be one value, which holds for "
                "the whole stream."
            )
    return dict(metadata)


def real_numbers(
    values: ArrayLike, what: str, hint: str = "", who: str = "OnlineDecoder"
) -> np.ndarray:
    """Convert to double precision what is of real numbers.

    Parameters
    ----------
    values : array-like
    what : str
        What they are called, and how they are to be, for the message.
    hint : str
        What to say where the values make no array.
    who : str
        Who asks.

    Raises
    ------
    ValueError
    """
    values = check_unmasked(values, f"{who}: {what.split()[0]}")
    try:
        data = np.asarray(values)
    except ValueError:
        got = f"a {type(values).__name__} whose parts have different shapes"
        raise ValueError(f"{who}: {what}, got {got}.{hint}") from None
    if data.dtype.kind in "biuf":
        return data.astype(np.float64, copy=False)
    if data.dtype.kind == "O":
        with contextlib.suppress(TypeError, ValueError):
            return data.astype(np.float64)
    shown = repr(values) if data.ndim == 0 else f"an array of dtype {data.dtype}"
    raise ValueError(f"{who}: {what}, got {shown}.")


def check_samples(
    data: np.ndarray, n_channels: int | None, ch_names: Sequence[str] | None
) -> np.ndarray:
    """Check samples against the stream's channels.

    Raises
    ------
    ValueError
        If they are not channels x times, of another number of channels, or not finite.
    """
    if data.ndim != 2:
        raise ValueError(
            f"OnlineDecoder: samples must be channels x times, got an array of shape {data.shape}."
        )
    if len(data) != n_channels:
        names = f" ({', '.join(ch_names)})" if ch_names else ""
        raise ValueError(
            f"OnlineDecoder: samples of shape {data.shape} have {len(data)} channels, but the "
            f"decoder's stream has {n_channels}{names}. Samples are channels x times."
        )
    if not np.isfinite(data).all():
        bad = np.flatnonzero(~np.isfinite(data).all(axis=1)).tolist()
        shown = ", ".join(ch_names[c] if ch_names else str(c) for c in bad)
        raise ValueError(
            f"OnlineDecoder: samples hold NaN or infinity in channel {shown}; replace them, or "
            "leave the chunk out."
        )
    return data


def n_samples(seconds: object, name: str, sfreq: float) -> int:
    """Return the samples of a window, or from one window to the next, as `SlidingWindows` does.

    Raises
    ------
    TypeError, ValueError
    """
    seconds = check_positive(seconds, name, "OnlineDecoder", unit="seconds")
    if round(seconds * sfreq) < 1:
        raise ValueError(
            f"OnlineDecoder: {name}={seconds:g} s is less than one sample ({1 / sfreq:g} s at "
            f"{sfreq:g} Hz)."
        )
    return first_sample(seconds, sfreq) if name == "window" else round(seconds * sfreq)


def step_limit(max_step: object, sfreq: float) -> float:
    """Return the longest time from one sample to the next that is no gap.

    Raises
    ------
    TypeError, ValueError
    """
    if max_step is None:
        return 1.5 / sfreq
    max_step = check_positive(max_step, "max_step", "OnlineDecoder", unit="seconds")
    if max_step < 1 / sfreq:
        raise ValueError(
            f"OnlineDecoder: max_step={max_step:g} s is shorter than a sample period, "
            f"{1 / sfreq:g} s at {sfreq:g} Hz: every sample would follow a gap."
        )
    return max_step


def same_start(tmin: float, fitted: float | None, sfreq: float) -> float:
    """Check when windows begin against when those of fit began, and return it in seconds.

    Raises
    ------
    ValueError
    """
    if fitted is not None and abs(tmin - fitted) > 0.5 / sfreq:
        raise ValueError(
            f"OnlineDecoder: windows begin {tmin:g} s after their marker, those that the pipeline "
            f"was fitted with {fitted:g} s: give tmin={fitted:.12g}, or fit it with such windows."
        )
    return tmin


def stream_rate(sfreq: object, pipeline: BaseEstimator) -> float:
    """Sampling rate as given, or as a step of the pipeline knows it.

    Raises
    ------
    TypeError, ValueError
    """
    known = None
    for step in fitted_parts(pipeline):
        known = getattr(step, "sfreq_", None) or getattr(step, "_input_signal_", (None, None))[1]
        if known:
            break
    if sfreq is None:
        if not known:
            raise ValueError(
                "OnlineDecoder: no step of the pipeline knows the sampling rate; pass sfreq=... "
                "(Hz)."
            )
        return float(known)
    sfreq = check_rate(sfreq, "sfreq", "OnlineDecoder")
    if known and not np.isclose(known, sfreq):
        raise ValueError(
            f"OnlineDecoder: the stream has sfreq={sfreq:g} Hz, but the pipeline was fitted at "
            f"{known:g} Hz. Resample the stream, or fit the pipeline at the stream's rate."
        )
    return float(sfreq)


def known_channels(
    pipeline: BaseEstimator, ch_names: Sequence[str] | None
) -> tuple[list[str] | None, int | None, bool]:
    """Names and number of the stream's channels, and whether rows are of one channel, 2-D.

    Raises
    ------
    TypeError
        If the names given are no list.
    ValueError
        If they are not those that the pipeline was fitted with, in their order, or one of them
        comes twice.
    """
    first = next(fitted_steps(pipeline))
    shape = getattr(first, "input_shape_", None)
    fitted = getattr(first, "_input_signal_", (None, None))[0]
    flat = shape is not None and len(shape) == 1
    n_fitted = None if shape is None else 1 if flat else int(shape[0])
    if ch_names is None:
        return fitted, n_fitted, flat
    given = check_list(ch_names, "ch_names", "OnlineDecoder", "names")
    names = [str(name) for name in given]
    if n_fitted is not None and len(names) != n_fitted:
        raise ValueError(
            f"OnlineDecoder: ch_names has {len(names)} names, but the pipeline was fitted with "
            f"{n_fitted} channels."
        )
    twice = [name for at, name in enumerate(names) if name in names[:at]]
    if twice and names != fitted:
        raise ValueError(
            f"OnlineDecoder: ch_names={names} has {twice[0]!r} more than once; give every channel "
            "a name of its own."
        )
    if fitted and names != fitted:
        how = "in another order" if sorted(names) == sorted(fitted) else "other ones"
        raise ValueError(
            f"OnlineDecoder: ch_names={names} are not the channels that the pipeline was fitted "
            f"with ({how}): {fitted}."
        )
    return names, len(names), flat


def fitted_steps(estimator: BaseEstimator) -> Iterator[BaseEstimator]:
    """Yield the steps that windows meet, in order."""
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if not (step is None or isinstance(step, str)):
                yield from fitted_steps(step)
    elif isinstance(estimator, (EvidenceAccumulator, OnlineClassifier)):
        yield from fitted_steps(estimator.estimator_)
    else:
        yield estimator
