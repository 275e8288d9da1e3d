"""Continuous files: runs of ``(n_channels, n_times)`` with events."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._warning import warn
from skbci.datasets._bunch import make_bunch
from skbci.datasets._cut import cut_epochs
from skbci.datasets._npz.archive import Archive
from skbci.datasets._npz.channels import chosen_channels
from skbci.datasets._npz.epochs_layout import volt_factor
from skbci.datasets._npz.protocols import (
    code_names,
    row_task,
    run_of,
    session_of,
    state_of,
    subject_of,
)
from skbci.datasets._selection import Selection, to_volts

__all__ = ["read_continuous_layout", "run_keys"]

_RUN = re.compile(r"run0*(\d+)")
_USED = ("X", "scale", "ch_names", "sfreq", "ev_onset", "ev_code", "trial_onset", "trial_freq",
         "trial_offset")


def run_keys(archive: Archive) -> dict[int, str]:
    """Arrays of whole runs, by run number; ``X`` is the run that the file's name states, or 1."""
    runs = {int(m.group(1)): key for key in archive.arrays if (m := _RUN.fullmatch(key))}
    return runs or {run_of(archive) or 1: "X"}


def read_continuous_layout(archive: Archive, selection: Selection) -> Bunch:
    """Read runs as rows, with a table of events, or cut epochs around the events."""
    keys = run_keys(archive)
    archive.require(["sfreq", *keys.values()], "a continuous recording")
    sfreq = archive.sfreq()
    table = pd.DataFrame({
        "subject": subject_of(archive), "session": session_of(archive), "run": list(keys),
        "onset": 0.0,
    })
    tasks = [row_task(archive, run) for run in keys]
    if None not in tasks:
        table["task"] = tasks
    keep = selection.mask(table)
    runs = [run for run, wanted in zip(keys, keep) if wanted]
    table = table[keep].reset_index(drop=True)
    signals, ch_names = _signals(archive, [keys[run] for run in runs], selection)
    events = pd.concat(
        [_events(archive, run, row, table, sfreq, signals[row].shape[1])
         for row, run in enumerate(runs)],
        ignore_index=True,
    ) if runs else pd.DataFrame()
    used = {*_USED, *keys.values()}
    used |= {f"{name}_{key}" for key in keys.values() for name in ("ev_onset", "ev_code")}
    context: dict[str, Any] = {
        "meta": archive.meta, "description": json.dumps(archive.meta, indent=1),
        "stored": archive.rest(used),
    }
    if selection.window is not None:
        return cut_epochs(signals, events, table, sfreq, ch_names, selection, archive.path,
                          context)
    states = [state_of(archive, run) for run in runs]
    y = np.array(states) if states and None not in states else None
    data, events = _stack(signals, events, sfreq, archive)
    return make_bunch(data, y, table, sfreq=sfreq, ch_names=ch_names, events=events, **context)


def _signals(
    archive: Archive, keys: list[str], selection: Selection
) -> tuple[list[np.ndarray], list[str] | None]:
    ch_names, out = None, []
    for key in keys:
        stored = archive[key]
        if stored.ndim != 2:
            raise ValueError(
                f"{archive.path}: {key} has shape {stored.shape}; a continuous run is "
                "(n_channels, n_times)."
            )
        picks, ch_names = chosen_channels(archive, len(stored), selection)
        factor = volt_factor(archive, stored, selection.unit)
        factor = factor[picks] if np.ndim(factor) == 1 else factor
        out.append(to_volts(stored[picks], factor, selection.number(stored)))
    return out, ch_names


def _events(
    archive: Archive, run: int, row: int, table: pd.DataFrame, sfreq: float, n_times: int
) -> pd.DataFrame:
    """Events of one run: row of X, subject, session, run, onset, duration, code, label."""
    key = run_keys(archive)[run]
    suffix = f"_{key}" if f"ev_onset_{key}" in archive else ""
    if f"ev_onset{suffix}" in archive:
        archive.require([f"ev_code{suffix}"], "a continuous recording with events")
        samples = _whole_samples(archive, f"ev_onset{suffix}")
        codes = _whole(archive.check_length(f"ev_code{suffix}", len(samples)))
        names = code_names(archive, run)
        labels = [names.get(code, str(code)) for code in codes.tolist()]
    elif "trial_onset" in archive:
        archive.require(["trial_freq"], "a continuous recording with trials")
        samples = _whole_samples(archive, "trial_onset")
        codes = archive.check_length("trial_freq", len(samples))
        labels = [f"{code:g} Hz" for code in codes.tolist()]
    else:
        samples, codes, labels = np.zeros(0, int), np.zeros(0, int), []
    if len(samples) and (samples.min() < 0 or samples.max() >= n_times):
        raise ValueError(
            f"{archive.path}: run {run} has {n_times} samples, but events at samples "
            f"{samples.min()} to {samples.max()}."
        )
    events = pd.DataFrame({
        "row": row, "subject": table["subject"][row], "session": table["session"][row],
        "run": run, "onset": samples / sfreq, "sample": samples, "code": codes, "label": labels,
    })
    if "trial_offset" in archive and len(samples):
        stop = archive.check_length("trial_offset", len(samples))
        events["duration"] = (stop - samples) / sfreq
    return events


def _whole(values: np.ndarray) -> np.ndarray:
    """Whole numbers as integers, whatever format MATLAB or pandas stored them in."""
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values % 1 == 0).all():
        return values.astype(np.int64)
    return values


def _whole_samples(archive: Archive, name: str) -> np.ndarray:
    """Onsets as sample numbers; what lies between two samples is rounded, with a warning."""
    samples = archive[name]
    if samples.ndim != 1 or samples.dtype.kind not in "iuf" or not np.isfinite(samples).all():
        raise ValueError(
            f"{archive.path}: {name} holds {samples.dtype} of shape {samples.shape}; a list of "
            "finite sample numbers, counted from the start of the run, is needed."
        )
    if samples.dtype.kind == "f" and (samples % 1 != 0).any():
        warn(
            f"{archive.path}: {name} holds numbers between samples, such as "
            f"{samples[samples % 1 != 0][0]:g}; they were rounded to the nearest sample. Onsets "
            "are counted in samples: multiply seconds by sfreq.",
        )
    return np.rint(samples).astype(np.int64)


def _stack(
    signals: list[np.ndarray], events: pd.DataFrame, sfreq: float, archive: Archive
) -> tuple[np.ndarray, pd.DataFrame]:
    """Runs as rows of one array, cut to the shortest of them."""
    if not signals:
        return np.zeros((0, 0, 0), np.float32), events
    shortest = min(signal.shape[1] for signal in signals)
    longest = max(signal.shape[1] for signal in signals)
    if longest > shortest:
        warn(
            f"{archive.path}: the runs last {shortest / sfreq:g} to {longest / sfreq:g} s; all "
            f"were cut to {shortest / sfreq:g} s to fit one array. Load one run at a time "
            "(runs=...), or epochs (tmin=..., tmax=...), to lose nothing.",
        )
        events = events[events["sample"] < shortest].reset_index(drop=True)
    return np.stack([signal[:, :shortest] for signal in signals]), events
