"""Activations of a self-paced interface against what was intended."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sklearn.utils import Bunch

from skbci._checks import check_frame, check_list, check_number, check_positive
from skbci._typing import Label, Metadata

__all__ = ["self_paced_scores"]

_WHO = "self_paced_scores"


def self_paced_scores(
    activations: Iterable[tuple[float, Label]], intended: Metadata, duration: float, *,
    tolerance: float = 0.0
) -> Bunch:
    """Count detections, false activations and latencies of an asynchronous interface.

    Between the intervals of intended control the user rests, and every answer is a false
    activation.

    Parameters
    ----------
    activations : sequence of (time, label)
        Answers, such as `skbci.stream.ConfidenceGate` gives; seconds.
    intended : DataFrame or dict of array-like
        Intervals of intended control, which do not overlap: ``onset`` and ``duration`` in seconds,
        ``label``.
    duration : float
        Length of the recording in seconds.
    tolerance : float, default=0.0
        Seconds after the end of an interval in which an answer still counts for it, as windows
        that end then still hold signal of it.

    Returns
    -------
    Bunch
        ``detection_rate`` : float
            Share of the intervals that got an answer, the first of which was right.
        ``wrong_rate`` : float
            Share of the intervals whose first answer was another label.
        ``false_activations_per_minute`` : float
            Answers outside of all intervals, a minute of rest; NaN without rest.
        ``n_false`` : int
            Their number.
        ``seconds_of_rest`` : float
            Time outside of all intervals and their tolerance.
        ``latency`` : ndarray, shape (n_detected,)
            Seconds from the onset of each detected interval to its answer.

    Raises
    ------
    TypeError, ValueError
        If activations are no pairs, columns are missing, times are not finite or outside of the
        recording, or intervals overlap.

    See Also
    --------
    information_transfer_rate : Bits a minute, from accuracy and time a selection.

    Examples
    --------
    Two minutes with two intervals of control; one is detected, and one answer comes at rest:

    >>> from skbci.evaluation import self_paced_scores
    >>> intended = {"onset": [20, 80], "duration": [10, 10], "label": ["left", "right"]}
    >>> scores = self_paced_scores([(22.5, "left"), (50.0, "left")], intended, 120)
    >>> scores.detection_rate, scores.false_activations_per_minute, scores.latency.tolist()
    (0.5, 0.6, [2.5])
    """
    duration = check_positive(duration, "duration", _WHO, unit="seconds")
    tolerance = check_number(tolerance, "tolerance", _WHO, low=0, unit="seconds")
    times, labels = _activations(activations, duration)
    starts, stops, wanted = _intervals(intended, duration, tolerance)
    n = len(starts)
    # Which interval an answer is in; -1 is none.
    at = np.searchsorted(starts, times, side="right") - 1
    inside = (at >= 0) & (times <= stops[np.maximum(at, 0)]) if n else np.zeros(len(times), bool)
    reached, which = np.unique(at[inside], return_index=True)
    first = np.flatnonzero(inside)[which]
    right = [row for interval, row in zip(reached, first) if labels[row] == wanted[interval]]
    rest = duration - float((stops - starts).sum())
    n_false = int((~inside).sum())
    return Bunch(
        detection_rate=len(right) / n if n else float("nan"),
        wrong_rate=(len(first) - len(right)) / n if n else float("nan"),
        false_activations_per_minute=n_false * 60 / rest if rest > 0 else float("nan"),
        n_false=n_false,
        seconds_of_rest=rest,
        latency=np.array([times[row] - starts[at[row]] for row in right]),
    )


def _activations(activations: object, duration: float) -> tuple[np.ndarray, list[Label]]:
    pairs = check_list(activations, "activations", _WHO, "pairs (time, label)")
    if not all(isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2 for pair in pairs):
        raise TypeError(f"{_WHO}: activations must be pairs (time, label).")
    times = np.array([
        check_number(time, "activation's time", _WHO, low=0, high=duration, unit="seconds")
        for time, _ in pairs
    ], dtype=np.float64)
    order = np.argsort(times, kind="stable")
    return times[order], [pairs[row][1] for row in order]


def _intervals(
    intended: object, duration: float, tolerance: float
) -> tuple[np.ndarray, np.ndarray, list[Label]]:
    table = check_frame(intended, "intended", _WHO)
    missing = [name for name in ("onset", "duration", "label") if name not in table]
    if missing:
        raise ValueError(
            f"{_WHO}: intended lacks {missing}; it has {list(table.columns)}. Onset and duration "
            "are in seconds."
        )
    try:
        onsets = table["onset"].to_numpy(dtype=np.float64)
        lengths = table["duration"].to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{_WHO}: onset and duration of intended must be numbers.") from None
    sound = np.isfinite(onsets) & (lengths > 0) & (onsets >= 0) & (onsets + lengths <= duration)
    if not sound.all():
        at = int(np.flatnonzero(~sound)[0])
        raise ValueError(
            f"{_WHO}: interval {at} of intended, from {onsets[at]:g} s for {lengths[at]:g} s, is "
            f"not within the recording of {duration:g} s."
        )
    order = np.argsort(onsets, kind="stable")
    starts, stops = onsets[order], (onsets + lengths)[order]
    if (starts[1:] < stops[:-1]).any():
        at = int(np.flatnonzero(starts[1:] < stops[:-1])[0])
        raise ValueError(
            f"{_WHO}: intervals of intended overlap: one begins at {starts[at + 1]:g} s, before "
            f"the one from {starts[at]:g} to {stops[at]:g} s has ended."
        )
    limit = np.append(starts[1:], duration) if len(starts) else starts
    return starts, np.minimum(stops + tolerance, limit), table["label"].iloc[order].tolist()
