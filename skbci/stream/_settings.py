"""What a decoder is told, and what it can read off the pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skbci._numbers import is_number
from skbci.estimators import EvidenceAccumulator, OnlineClassifier
from skbci.stream._plan import unwrapped

__all__ = [
    "check_duration",
    "check_option",
    "check_samples",
    "fitted_steps",
    "known_channels",
    "n_samples",
    "stream_rate",
]


def check_option(value: Any, name: str, allowed: Sequence[str]) -> None:
    """Check a setting that is one of a few words.

    Raises
    ------
    ValueError
    """
    if value not in allowed:
        words = ", ".join(map(repr, allowed))
        raise ValueError(f"OnlineDecoder: {name}={value!r} is not one of {words}.")


def check_duration(value: Any, name: str) -> float:
    """Check a positive number of seconds.

    Raises
    ------
    TypeError, ValueError
    """
    if not is_number(value):
        raise TypeError(f"OnlineDecoder: {name}={value!r} must be a number of seconds.")
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"OnlineDecoder: {name}={value!r} must be a positive number of seconds.")
    return float(value)


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


def n_samples(seconds: Any, name: str, sfreq: float) -> int:
    """Round a time to samples.

    Raises
    ------
    TypeError, ValueError
    """
    n = round(check_duration(seconds, name) * sfreq)
    if n < 1:
        raise ValueError(
            f"OnlineDecoder: {name}={seconds:g} s is less than one sample ({1 / sfreq:g} s at "
            f"{sfreq:g} Hz)."
        )
    return n


def stream_rate(sfreq: Any, pipeline: Any) -> float:
    """Sampling rate as given, or as a step of the pipeline knows it.

    Raises
    ------
    TypeError, ValueError
    """
    known = None
    for step in fitted_steps(pipeline):
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
    if not is_number(sfreq):
        raise TypeError(f"OnlineDecoder: sfreq={sfreq!r} must be a number in Hz or None.")
    if not (np.isfinite(sfreq) and sfreq > 0):
        raise ValueError(f"OnlineDecoder: sfreq={sfreq!r} must be a positive number in Hz.")
    if known and not np.isclose(known, sfreq):
        raise ValueError(
            f"OnlineDecoder: sfreq={sfreq:g} Hz was given, but the pipeline was fitted at "
            f"{known:g} Hz."
        )
    return float(sfreq)


def known_channels(
    pipeline: Any, ch_names: Sequence[str] | None
) -> tuple[list[str] | None, int | None, bool]:
    """Names and number of the stream's channels, and whether rows are of one channel, 2-D.

    Raises
    ------
    ValueError
        If the names given are not those that the pipeline was fitted with, in their order.
    """
    first = next(fitted_steps(pipeline))
    shape = getattr(first, "input_shape_", None)
    fitted = getattr(first, "_input_signal_", (None, None))[0]
    flat = shape is not None and len(shape) == 1
    n_fitted = None if shape is None else 1 if flat else int(shape[0])
    if ch_names is None:
        return fitted, n_fitted, flat
    if isinstance(ch_names, str):
        raise TypeError(f"OnlineDecoder: ch_names={ch_names!r} must be a list of names.")
    names = [str(name) for name in ch_names]
    if n_fitted is not None and len(names) != n_fitted:
        raise ValueError(
            f"OnlineDecoder: ch_names has {len(names)} names, but the pipeline was fitted with "
            f"{n_fitted} channels."
        )
    if fitted and names != fitted:
        how = "in another order" if sorted(names) == sorted(fitted) else "other ones"
        raise ValueError(
            f"OnlineDecoder: ch_names={names} are not the channels that the pipeline was fitted "
            f"with ({how}): {fitted}."
        )
    return names, len(names), flat


def fitted_steps(estimator: Any) -> Iterator[Any]:
    """Go through the steps that windows meet, in order."""
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if not (step is None or isinstance(step, str)):
                yield from fitted_steps(step)
    elif isinstance(estimator, (EvidenceAccumulator, OnlineClassifier)):
        yield from fitted_steps(estimator.estimator_)
    else:
        yield estimator
