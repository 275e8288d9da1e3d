"""Epochs around the events of continuous runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._recording.times import first_sample
from skbci._typing import Label
from skbci._warning import warn
from skbci.datasets._bunch import make_bunch, natural
from skbci.datasets._codes import number_by_name
from skbci.datasets._selection import Selection

__all__ = ["cut_epochs", "cut_windows"]


def cut_epochs(
    signals: Sequence[np.ndarray], events: pd.DataFrame, table: pd.DataFrame, sfreq: float,
    ch_names: list[str] | None, selection: Selection, source: object, context: dict[str, Any],
) -> Bunch:
    """Cut ``tmin`` to ``tmax`` (excluded) around each event.

    Events whose window reaches outside the run are left out, with a warning.

    Returns
    -------
    Bunch
        ``y`` holds the events' codes, ``label_names`` what they mean.
    """
    assert selection.window is not None
    tmin, tmax = selection.window
    if not len(signals):  # no run of this file was asked for
        return make_bunch(np.zeros((0, 0, 0), np.float32), np.zeros(0), table, sfreq=sfreq,
                          **context)
    if not len(events):
        raise ValueError(f"tmin and tmax were given, but {source} has no events to cut around.")
    events = _wanted(events, selection.event_id, source)
    shift = first_sample(tmin, sfreq)
    n_times = first_sample(tmax, sfreq) - shift
    if n_times < 1:
        raise ValueError(
            f"No sample of {source} lies between tmin={tmin:g} and tmax={tmax:g} s: at "
            f"{sfreq:g} Hz one is taken every {1 / sfreq:g} s."
        )
    lengths = np.array([signal.shape[1] for signal in signals])
    first = events["sample"].to_numpy() + shift
    row = events["row"].to_numpy()
    inside = (first >= 0) & (first + n_times <= lengths[row])
    if not inside.any():
        raise ValueError(
            f"No event of {source} has {tmin:g} to {tmax:g} s around it "
            "inside its run."
        )
    if not inside.all():
        warn(
            f"{source}: {int((~inside).sum())} of {len(events)} events were left out because "
            f"{tmin:g} to {tmax:g} s around them reaches outside the run.",
        )
    events = events[inside].reset_index(drop=True)
    data = np.stack([
        signals[r][:, start : start + n_times] for r, start in zip(row[inside], first[inside])
    ])
    rows = table.iloc[row[inside]].reset_index(drop=True)
    rows["onset"] = events["onset"]
    pairs = list(zip(events["code"].tolist(), events["label"].tolist()))
    codes, y = {pair: pair[0] for pair in pairs}, events["code"].to_numpy()
    if len({code for code, _ in codes}) < len(codes):  # one code, another meaning in another run
        codes = number_by_name(pairs)
        y = np.array([codes[pair] for pair in pairs])
    names = {codes[pair]: pair[1] for pair in pairs}
    return make_bunch(
        data, y, rows, sfreq=sfreq, ch_names=ch_names,
        tmin=shift / sfreq, label_names=names, **context,
    )


def _wanted(
    events: pd.DataFrame, event_id: Sequence[Label] | None, source: object
) -> pd.DataFrame:
    """Events of the given codes or labels."""
    if event_id is None:
        return events
    known = set(natural(events["code"])) | set(natural(events["label"]))
    unknown = [value for value in event_id if value not in known]
    if unknown:
        raise ValueError(
            f"event_id: {unknown} are not among the events of {source}; codes "
            f"{natural(events['code'])}, labels {natural(events['label'])}."
        )
    keep = events["code"].isin(event_id) | events["label"].isin(event_id)
    return events[keep].reset_index(drop=True)


def cut_windows(
    signal: np.ndarray, onsets: np.ndarray, tmin: float, duration: float, sfreq: float
) -> np.ndarray:
    """Windows of one simulated run, shape (n_onsets, n_channels, n_times).

    Onsets are in seconds, and times of samples.
    """
    shift = first_sample(tmin, sfreq)
    n_times = max(1, first_sample(tmin + duration, sfreq) - shift)
    first = np.round(onsets * sfreq).astype(int) + shift
    return np.stack([signal[:, start : start + n_times] for start in first])
