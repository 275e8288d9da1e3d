"""From significant rows of the confound table to mechanisms and remedies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skbci.evaluation._confounding.views import BEFORE, SLOW

__all__ = ["find_confounds", "overall_verdict", "place_of"]

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
        _cell(THETA, cells[after & theta], "signal between 4 and 7 Hz, {where}, tells the labels",
              "cue-evoked potentials or eye movement, which reach into this band",
              "band-pass above 7 Hz, and compare again") if not slow.any() else None,
        _cell(MUSCLE, cells[after & (cells["band"] == "gamma")],
              "signal above 30 Hz, {where}, tells the labels", "muscles of face, jaw or neck",
              "low-pass below 30 Hz, or leave out frontal and temporal channels, and compare "
              "again"),
        _cell(EARLY, cells[before],
              "signal from before the cue ({band}, {group}) tells the labels",
              "the order of trials, drift, or the trial before: there is no answer to the cue yet",
              "split by whole runs, subtract the baseline, and randomize the order in the next "
              "recording"),
        *_others(hit),
    ]
    found = pd.DataFrame([line for line in lines if line is not None],
                         columns=["mechanism", "band", "window", "group", "channels", "accuracy",
                                  "chance", "p_holm", "verdict"])
    return found.reset_index(drop=True)


def _best(rows: pd.DataFrame) -> pd.Series:
    return rows.sort_values("accuracy", kind="stable").iloc[-1]


def _line(
    mechanism: str, row: pd.Series, what: str, cause: str, remedy: str, channels: str = "",
    figures: str | None = None,
) -> dict[str, Any]:
    """Say what tells the labels and how well, what it may be, and what to do about it."""
    if figures is None:
        figures = f"accuracy {_number(row['accuracy'])}, by guessing {_number(row['chance'])}"
    return {
        "mechanism": mechanism, "band": row["band"], "window": row["window"],
        "group": row["group"], "channels": channels, "accuracy": row["accuracy"],
        "chance": row["chance"], "p_holm": row["p_holm"],
        "verdict": f"{what[0].upper()}{what[1:]} ({figures}). Likely cause: {cause}. Remedy: "
                   f"{remedy}.",
    }


def _cell(
    mechanism: str, rows: pd.DataFrame, what: str, cause: str, remedy: str
) -> dict[str, Any] | None:
    if rows.empty:
        return None
    best = _best(rows)
    group = f"{best['group']} channels"
    what = what.format(where=f"{best['window']} after the cue, {group}", band=best["band"],
                       group=group)
    return _line(mechanism, best, what, cause, remedy)


def _slow(mechanism: str, rows: pd.DataFrame, places: dict[str, Any]) -> dict | None:
    if rows.empty:
        return None
    best = _best(rows)
    place = places[best["window"]]
    if mechanism == CUE:
        within = f"within {_seconds(best['stop'])} s of the cue"
        mechanism = cause = {
            "frontal": "eye movement", "posterior": "cue-evoked potentials",
        }.get(place["region"], CUE)
        remedy = ("band-pass above 7 Hz, or start the epochs after "
                  f"{_seconds(max(_CUE_S, best['stop']))} s, and compare again")
    else:
        within = f"{best['window']} after the cue"
        cause = "a held gaze, slow cortical potentials or drift"
        remedy = "band-pass above 7 Hz, and compare again"
    sites = f", strongest at {place['words']}," if place["words"] else ""
    return _line(mechanism, best, f"signal below 4 Hz {within}{sites} tells the labels", cause,
                 remedy, " ".join(place["channels"]))


def _others(hit: pd.DataFrame) -> list[dict]:
    lines = []
    for _, row in hit[hit["kind"] != "cell"].iterrows():
        name = row["name"]
        if name == "previous label":
            blocked = row["accuracy"] > row["chance"]
            figures = (f"same label in {100 * row['accuracy']:.0f} % of neighbours, in "
                       f"{100 * row['chance']:.0f} % by chance")
            if blocked:
                lines.append(_line(
                    BLOCKED, row, "the trials next to a trial in time tell its label",
                    "trials come in blocks of one label, so that whatever changes slowly tells it",
                    "split by whole blocks or sessions, and randomize the order in the next "
                    "recording", figures=figures))
            else:
                lines.append(_line(
                    ALTERNATING, row, "the trial before a trial tells its label",
                    "labels alternate, so that what is left of the trial before tells the next",
                    "subtract the baseline, and randomize the order in the next recording",
                    figures=figures))
        elif name == "onset":
            lines.append(_line(ORDER, row, "when a trial comes in its run, without any signal, "
                               "tells the labels", "labels come in the same order in training "
                               "and test rows", "split so that the order differs, and randomize "
                               "it for each run of the next recording"))
        elif name == "run":
            lines.append(_line(ORDER, row, "which run a trial is from, without any signal, tells "
                               "the labels", "runs differ in how often they have a label, alike "
                               "in training and test rows", "split so that the runs differ, and "
                               "mix the labels in each run of the next recording"))
        elif name == "amplitude outliers":
            lines.append(_line(MOVEMENT, row, "how many samples are outliers in amplitude tells "
                               "the labels", "movement or bad contacts that go along with a class",
                               "reject such epochs, and compare again"))
        elif name == "labels permuted within subject":
            lines.append(_line(SUBJECT, row, "the labels are told even if they are permuted "
                               "within each subject", "subjects differ in how often they have a "
                               "label, and whom a row is from can be told",
                               "balance the classes of each subject, or weigh the rows"))
    return lines


def overall_verdict(
    findings: pd.DataFrame, table: pd.DataFrame, claimed: Sequence[str], untold: str
) -> str:
    """Join the findings, or say that there is none.

    Parameters
    ----------
    findings, table : DataFrame
        Of the report.
    claimed : sequence of str
        Bands that are no finding.
    untold : str
        What each has rows of one label only, such as "subject"; empty where that is not so.

    Returns
    -------
    str
    """
    if len(findings):
        return "\n".join(findings["verdict"])
    if untold:
        return (f"Nothing could be found: every {untold} has rows of one label only, and features "
                f"are centred by {untold}. Give labels that differ within a {untold}, or ask, by "
                "n_permutations above 0, whether whom a row is from tells them.")
    count = int(table["tested"].sum())
    signal = " and ".join(claimed) if claimed else "the signal"
    return (f"No confound found: in none of {count} tests could the labels be told from anything "
            f"but {signal} after the cue.")


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
    known = np.zeros(len(size), dtype=bool) if positions is None else (
        np.isfinite(positions).all(axis=1))
    if positions is not None and size[known].any():
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
