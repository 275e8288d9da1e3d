"""From significant rows of the confound table to mechanisms and remedies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skbci.evaluation._confounding.views import BEFORE, SLOW

__all__ = ["find_confounds", "place_of"]

CUE = "cue-evoked potentials or eye movement"
SUSTAINED, MUSCLE = "sustained slow potentials", "muscle"
EARLY, BLOCKED, ALTERNATING = "before the cue", "blocked design", "alternating labels"
ORDER, MOVEMENT, SUBJECT = "order of trials", "amplitude outliers", "labels differ by subject"
THETA = "theta rhythm"
_CUE_S = 1.0  # s after the cue that its own potentials last


def find_confounds(table: pd.DataFrame, places: dict[str, Any], alpha: float) -> pd.DataFrame:
    """One line for each mechanism.

    Parameters
    ----------
    table : DataFrame
        As `ConfoundReport.table`.
    places : dict
        What `place_of` says of the slow signal in a window.
    alpha : float

    Returns
    -------
    DataFrame
        ``mechanism``, ``band``, ``window``, ``group``, ``channels``, ``accuracy``, ``chance``,
        ``p_holm``, ``verdict``.
    """
    hit = table[table["tested"] & (table["p_holm"] < alpha)]
    cells = hit[hit["kind"] == "cell"]
    before, after = cells["window"] == BEFORE, cells["window"] != BEFORE
    start = cells["start"]
    slow, theta = cells["band"] == SLOW, cells["band"] == "theta"
    lines = [
        _slow(CUE, cells[after & slow & (start < _CUE_S)], places),
        _slow(SUSTAINED, cells[after & slow & (start >= _CUE_S)], places),
        _cell(THETA, cells[after & theta], "decodable between 4 and 7 Hz {where}",
              "cue-evoked potentials or eye movement reach into this band; band-pass above 7 Hz "
              "and compare") if not slow.any() else None,
        _cell(MUSCLE, cells[after & (cells["band"] == "gamma")], "decodable above 30 Hz {where}",
              "muscle activity of face, jaw or neck; low-pass below 30 Hz, or drop frontal and "
              "temporal channels, and compare"),
        _cell(EARLY, cells[before], "decodable before the cue ({band}, {group})",
              "no answer to the cue can be there: the order of trials, drift, or the trial before "
              "tells the label; randomize the order, correct by the baseline, split by whole "
              "runs"),
        *_others(hit),
    ]
    found = pd.DataFrame([line for line in lines if line is not None],
                         columns=["mechanism", "band", "window", "group", "channels", "accuracy",
                                  "chance", "p_holm", "verdict"])
    return found.reset_index(drop=True)


def _best(rows: pd.DataFrame) -> pd.Series:
    return rows.sort_values("accuracy", kind="stable").iloc[-1]


def _line(mechanism: str, row: pd.Series, what: str, remedy: str, channels: str = "") -> dict:
    figures = f"accuracy {_number(row['accuracy'])}, chance {_number(row['chance'])}"
    return {
        "mechanism": mechanism, "band": row["band"], "window": row["window"],
        "group": row["group"], "channels": channels, "accuracy": row["accuracy"],
        "chance": row["chance"], "p_holm": row["p_holm"],
        "verdict": f"{what[0].upper()}{what[1:]} ({figures}): {remedy}.",
    }


def _cell(mechanism: str, rows: pd.DataFrame, what: str, remedy: str) -> dict | None:
    if rows.empty:
        return None
    best = _best(rows)
    where = f"{best['window']} after the cue, {best['group']} channels"
    what = what.format(where=where, band=best["band"], group=f"{best['group']} channels")
    return _line(mechanism, best, what, remedy)


def _slow(mechanism: str, rows: pd.DataFrame, places: dict[str, Any]) -> dict | None:
    if rows.empty:
        return None
    best = _best(rows)
    place = places[best["window"]]
    if mechanism == CUE:
        within = f"within {_seconds(best['stop'])} s of the cue"
        mechanism = {
            "frontal": "eye movement", "posterior": "cue-evoked potentials",
        }.get(place["region"], CUE)
        remedy = (f"{mechanism}; band-pass above 7 Hz, or start after "
                  f"{_seconds(max(_CUE_S, best['stop']))} s")
    else:
        within = f"{best['window']} after the cue"
        remedy = ("a held gaze, slow cortical potentials or drift; band-pass above 7 Hz and "
                  "compare")
    sites = f" at {place['words']}" if place["words"] else ""
    return _line(mechanism, best, f"decodable below 4 Hz {within}{sites}", remedy,
                 " ".join(place["channels"]))


def _others(hit: pd.DataFrame) -> list[dict]:
    lines = []
    for _, row in hit[hit["kind"] != "cell"].iterrows():
        name = row["name"]
        if name == "previous label":
            blocked = row["accuracy"] > row["chance"]
            what = (f"neighbours in time have the same label in {100 * row['accuracy']:.0f} % of "
                    f"the cases, {100 * row['chance']:.0f} % by chance")
            remedy = ("trials come in blocks, and whatever changes slowly tells the label; split "
                      "by whole blocks or sessions, and randomize the order in the next recording"
                      if blocked else
                      "labels alternate, and the trial before tells the label; randomize the "
                      "order in the next recording")
            line = _line(BLOCKED if blocked else ALTERNATING, row, what, remedy)
            line["verdict"] = f"{what[0].upper()}{what[1:]}: {remedy}."
            lines.append(line)
        elif name in ("onset", "run"):
            what = ("decodable from the place of a trial in its run alone" if name == "onset" else
                    "decodable from the number of the run alone")
            lines.append(_line(ORDER, row, what,
                               "the order of labels is the same in training and test rows; "
                               "randomize it for each run, or split so that it differs"))
        elif name == "amplitude outliers":
            lines.append(_line(MOVEMENT, row, "decodable from amplitude outliers alone",
                               "movement or bad contacts go along with a class; reject such "
                               "epochs and compare"))
        elif name == "labels permuted within subject":
            lines.append(_line(SUBJECT, row, "decodable although labels were permuted within "
                               "each subject", "subjects differ in how often they have a label, "
                               "and who a row is from tells it; balance the classes of each "
                               "subject or weigh them"))
    return lines


def place_of(
    values: np.ndarray, y: np.ndarray, subjects: np.ndarray, ch_names: Sequence[str] | None,
    positions: np.ndarray | None,
) -> dict[str, Any]:
    """Where on the scalp the classes differ most.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_channels, n_features)
        Amplitudes.
    y, subjects : ndarray of int, shape (n_rows,)
    ch_names : sequence of str or None
    positions : ndarray, shape (n_channels, 3), or None
        In metres, to the right, forward and up; NaN where unknown.

    Returns
    -------
    dict
        ``channels``: the largest ones; ``region``: "frontal", "central", "posterior" or None;
        ``words``.
    """
    values = np.array(values)
    for subject in np.unique(subjects):  # each as loud as the others
        rows = subjects == subject
        values[rows] -= values[rows].mean(axis=0)
        values[rows] /= np.median(np.abs(values[rows])) or 1.0
    means = np.stack([values[y == label].mean(axis=0) for label in np.unique(y)])
    size = np.ptp(means, axis=0).max(axis=1)
    order = np.argsort(-size, kind="stable")
    largest = [c for c in order[:4] if size[c] >= 0.7 * size[order[0]]]
    channels = [] if ch_names is None else [ch_names[c] for c in largest]
    region = None
    words = ", ".join(channels)
    if positions is not None and np.isfinite(positions).all(axis=1).any():
        known = np.isfinite(positions).all(axis=1)
        weight = size[known] ** 2
        weight[weight < 0.25 * weight.max()] = 0
        forward = float((positions[known, 1] * weight).sum() / weight.sum())
        aside = float((np.abs(positions[known, 0]) * weight).sum() / weight.sum())
        region = "frontal" if forward > 0.02 else "posterior" if forward < -0.05 else "central"
        lateral = "lateral " if aside > 0.035 else ""
        words = f"{lateral}{region} sites ({words})"
    return {"channels": channels, "region": region, "words": words}


def _number(value: float) -> str:
    return f"{value:.2f}".lstrip("0") if 0 < value < 1 else f"{value:.2f}"


def _seconds(value: float) -> str:
    return f"{round(float(value), 2):g}"
