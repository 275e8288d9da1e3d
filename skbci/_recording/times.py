"""Samples of a time window: one rule for readers, transformers and streams."""

from __future__ import annotations

import math
from typing import Any

from skbci._checks import check_number, refusal

__all__ = ["check_span", "first_sample", "samples_between"]

# A time that is so near to a sample is that sample: 0.7 s at 10 Hz is sample 7, although
# 0.7 * 10 is 7.000000000000001 in another order of the factors. In samples.
_ROUNDING = 1e-6


def first_sample(time: float, sfreq: float) -> int:
    r"""Index of the first sample at or after a time.

    Sample k is taken at :math:`k / f_s`. A window from ``tmin`` to ``tmax`` holds the samples
    with :math:`t_{min} \le k / f_s < t_{max}`: from the first one at or after ``tmin`` to the
    last one before ``tmax``, that is from ``first_sample(tmin, sfreq)`` to before
    ``first_sample(tmax, sfreq)``, at any rate. So neighbouring windows share no sample and leave
    none out, and a window that begins at a sample and lasts w seconds has
    ``first_sample(w, sfreq)`` samples.

    Parameters
    ----------
    time : float
        Seconds from sample 0, may be negative.
    sfreq : float
        Sampling rate in Hz.

    Returns
    -------
    int

    Examples
    --------
    >>> first_sample(0.7, 256), first_sample(-0.2, 256), first_sample(1.5, 127.99)
    (180, -51, 192)
    """
    return math.ceil(time * sfreq - _ROUNDING)


def check_span(tmin: Any, tmax: Any, who: object) -> tuple[float, float]:
    """Check the two ends of a window around an event, in seconds.

    Raises
    ------
    TypeError, ValueError
        If one is no finite number, or ``tmax`` is not after ``tmin``.
    """
    tmin = check_number(tmin, "tmin", who, unit="seconds")
    tmax = check_number(tmax, "tmax", who, unit="seconds")
    if tmax <= tmin:
        raise ValueError(refusal(tmax, "tmax", who, f"must be after tmin={tmin:g} seconds"))
    return tmin, tmax


def samples_between(
    tmin: float | None, tmax: float | None, n_times: int, t0: float, sfreq: float | None, who: str
) -> slice:
    """Return the samples from tmin to before tmax, of rows that begin at t0; all without a rate.

    Raises
    ------
    TypeError, ValueError
        If a time is no number, lies outside of the rows, or no sample lies between them.
    """
    for name, time in (("tmin", tmin), ("tmax", tmax)):
        if time is not None:
            check_number(time, name, who, unit="seconds", also="None")
    if sfreq is None:
        return slice(0, n_times)
    end = t0 + n_times / sfreq
    edges = []
    for name, time, default in (("tmin", tmin, 0), ("tmax", tmax, n_times)):
        sample = default if time is None else first_sample(time - t0, sfreq)
        if not 0 <= sample <= n_times:
            raise ValueError(
                f"{who}: {name}={time:g} s lies outside of the rows, which go from {t0:g} s "
                f"to {end:g} s ({n_times} samples at {sfreq:g} Hz)."
            )
        edges.append(sample)
    if edges[0] >= edges[1]:
        raise ValueError(
            f"{who}: no sample between tmin={tmin} and tmax={tmax} s: tmin must be "
            f"smaller than tmax by at least one sample ({1 / sfreq:g} s)."
        )
    return slice(*edges)
