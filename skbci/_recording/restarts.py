"""Rows of one recording, and the time between them."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["TOLERANCE_S", "nearest_distance", "refine", "separate_restarts"]

# Windows that share less than this are neighbours, not overlapping: shorter than one sample of
# any EEG amplifier, longer than the rounding of onsets stored as float32.
TOLERANCE_S = 1e-4
# Of the smallest distance within the stretches: rows of different runs come closer by chance.
_CLOSE = 0.1
_FEWEST_ROWS = 5  # of a stretch, on average; rows in random order make stretches of two


def refine(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Number the pairs of a code and a label, in order of appearance."""
    own = pd.factorize(np.asarray(labels, dtype=object), use_na_sentinel=False)[0]
    return pd.factorize(codes * (own.max(initial=0) + 1) + own)[0]


def separate_restarts(codes: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """Number apart the runs that were joined under one label.

    Onsets count from the start of a run. Where they do not go on from a row to the next, either
    the rows are not in order of time, or another run begins that has no label of its own. It is
    taken for another run if the stretches between such places are longer than chance makes them,
    and all begin at the same time, or rows of different stretches coincide or come so near to
    each other as no two rows of a stretch do: one recording has one row at a time.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Each row's recording as far as it is labelled.
    onsets : ndarray, shape (n_rows,)
        Seconds.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Each row's recording; the same partition where no run begins anew.
    """
    stretches = np.zeros(len(codes), dtype=np.int64)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        times = np.asarray(onsets[rows], dtype=float)
        number = np.concatenate([[0], np.cumsum(np.diff(times) <= TOLERANCE_S)])
        n_stretches = number[-1] + 1
        if n_stretches == 1 or len(rows) < _FEWEST_ROWS * n_stretches:
            continue
        starts = times[np.flatnonzero(np.diff(number, prepend=-1))]
        together = np.ptp(starts) < TOLERANCE_S
        steps = np.diff(times)[np.diff(number) == 0]
        order = np.argsort(times, kind="stable")
        across = np.diff(times[order])[np.diff(number[order]) != 0]
        if together or (steps.size and across.min(initial=np.inf) < _CLOSE * steps.min()):
            stretches[rows] = number
    return refine(codes, stretches) if stretches.any() else codes


def nearest_distance(
    times: np.ndarray, recordings: np.ndarray, query: np.ndarray, reference: np.ndarray
) -> np.ndarray:
    """Distance of each query row's onset to the nearest reference row of the same recording.

    Parameters
    ----------
    times, recordings : ndarray, shape (n_rows,)
        Onset in seconds and number of the recording.
    query, reference : ndarray of int
        Row indices.

    Returns
    -------
    ndarray, shape (len(query),)
        Seconds; infinite where the recording has no reference row.
    """
    distance = np.full(len(query), np.inf)
    if len(reference) == 0 or len(query) == 0:
        return distance
    # All recordings are laid on one axis, one after the other: one search serves them all.
    table = pd.DataFrame({"time": times, "recording": recordings}).groupby("recording")["time"]
    first, last = table.min(), table.max()
    starts = (last - first + 1.0).cumsum().shift(fill_value=0.0) - first
    position = times + starts.reindex(recordings).to_numpy()
    reference = reference[np.argsort(position[reference], kind="stable")]
    after = np.searchsorted(position[reference], position[query])
    for neighbour in (after - 1, after):
        inside = (neighbour >= 0) & (neighbour < len(reference))
        row = reference[np.clip(neighbour, 0, len(reference) - 1)]
        same = inside & (recordings[row] == recordings[query])
        gap = np.abs(times[row] - times[query])
        distance = np.where(same, np.minimum(distance, gap), distance)
    return distance
