"""Sampling rates and frequency bands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from skbci._checks.parameters import check_rate, is_list, is_number, refusal, shown, who_asks
from skbci._typing import Signals
from skbci.eegarray import EEGArray

__all__ = ["check_bands", "resolve_sfreq"]


def resolve_sfreq(sfreq: float | None, X: Signals, who: object) -> float:
    """Return the sampling rate: the parameter's, or else the input's.

    Raises
    ------
    ValueError
        If neither knows it, both know it and differ, or it is not a positive number.
    """
    name = who_asks(who)
    known = X.sfreq if isinstance(X, EEGArray) else None
    if sfreq is None:
        if known is None:
            raise ValueError(
                f"{name} needs a sampling rate: pass sfreq=... (Hz), or give it mne.Epochs or an "
                "EEGArray that knows its own."
            )
        return float(known)
    sfreq = check_rate(sfreq, "sfreq", who)
    if known is not None and not np.isclose(known, sfreq):
        raise ValueError(
            f"{name}: sfreq={sfreq:g} Hz was given, but the data was sampled at {known:g} Hz."
        )
    return float(sfreq)


def check_bands(bands: Iterable[Any], sfreq: float, who: object) -> list[tuple[float, float]]:
    """Check (low, high) pairs in Hz against each other and the Nyquist frequency.

    Raises
    ------
    ValueError
        Naming the band that is empty, negative or above Nyquist.
    TypeError
        If there is no sequence of bands.
    """
    name = who_asks(who)
    pairs = []
    if not is_list(bands):
        because = "must be a sequence of (low, high) pairs in Hz"
        raise TypeError(refusal(bands, "bands", name, because))
    for band in bands:
        try:
            edges = list(band) if is_list(band) else []
            low, high = (float(edge) for edge in edges if is_number(edge))
            if len(edges) != 2:
                raise ValueError
        except (ValueError, OverflowError):
            raise ValueError(
                f"{name}: bands holds {shown(band)}, which is not a (low, high) pair in Hz."
            ) from None
        if not (np.isfinite(low) and np.isfinite(high) and 0 <= low < high):
            raise ValueError(f"{name}: band ({low:g}, {high:g}) Hz needs 0 <= low < high.")
        if high > sfreq / 2:
            raise ValueError(
                f"{name}: band ({low:g}, {high:g}) Hz reaches above the Nyquist frequency "
                f"{sfreq / 2:g} Hz of data sampled at {sfreq:g} Hz."
            )
        pairs.append((low, high))
    if not pairs:
        raise ValueError(f"{name}: bands is empty; give at least one (low, high) pair in Hz.")
    return pairs
