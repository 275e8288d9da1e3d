"""Files of epochs: ``X (n_epochs, n_channels, n_times)`` with one label each."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._recording.times import first_sample
from skbci.datasets._bunch import make_bunch, natural
from skbci.datasets._npz.archive import Archive
from skbci.datasets._npz.channels import chosen_channels
from skbci.datasets._npz.protocols import label_names, row_task, run_of, session_of, subject_of
from skbci.datasets._selection import Selection, to_volts
from skbci.datasets._units import doubt_amplitude

__all__ = ["read_epochs_layout", "volt_factor", "window_samples"]

_USED = ("X", "y", "scale", "subject", "session", "run", "onset", "onset_s", "task", "ch_names",
         "sfreq", "tmin")


def read_epochs_layout(archive: Archive, selection: Selection) -> Bunch:
    """Read epochs, their labels and their rows' table."""
    archive.require(["X", "y", "sfreq"], "a file of epochs")
    X, sfreq = archive["X"], archive.sfreq()
    y = archive.check_length("y", len(X))
    table = _table(archive, len(X))
    keep = selection.mask(table)
    rows = slice(None) if keep.all() else np.flatnonzero(keep)
    picks, ch_names = chosen_channels(archive, X.shape[1], selection)
    factor = volt_factor(archive, X, selection.unit)
    if np.ndim(factor) == 1:
        factor = factor[picks]
    start = archive.scalar("tmin") or 0.0
    first, last = 0, X.shape[2]
    if selection.window is not None:
        first, last = window_samples(selection, sfreq, start, X.shape[2])
    data = to_volts(X[rows][:, picks, first:last], factor, selection.number(X))
    return make_bunch(
        data, y[rows], table[keep].reset_index(drop=True), sfreq=sfreq, ch_names=ch_names,
        tmin=start + first / sfreq, label_names=label_names(archive), meta=archive.meta,
        description=json.dumps(archive.meta, indent=1, ensure_ascii=False),
        stored=archive.rest(_USED),
    )


def _table(archive: Archive, n_rows: int) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, whole in (("subject", subject_of(archive)), ("session", session_of(archive))):
        columns[name] = archive.check_length(name, n_rows) if _a_row(archive, name) else whole
    if _a_row(archive, "run"):
        columns["run"] = archive.check_length("run", n_rows)
    elif (run := run_of(archive)) is not None:
        columns["run"] = run
    for key in ("onset", "onset_s"):
        if key in archive:
            # The shortest decimal that a stored float32 stands for: 4.2, not 4.199999809.
            onset = archive.check_length(key, n_rows)
            if onset.dtype.kind not in "iuf":
                raise ValueError(
                    f"{archive.path}: {key} holds {onset.dtype}, not times in seconds."
                )
            columns["onset"] = np.array([float(str(value)) for value in onset])
    table = pd.DataFrame(columns, index=pd.RangeIndex(n_rows))
    if "task" in archive:
        table["task"] = archive.check_length("task", n_rows)
    elif "run" in table:
        tasks = {run: row_task(archive, run) for run in natural(table["run"])}
        if None not in tasks.values():
            table["task"] = table["run"].map(tasks)
    elif (task := row_task(archive)) is not None:
        table["task"] = task
    return table


def _a_row(archive: Archive, key: str) -> bool:
    """Return whether there is an entry for each row; a lone number is for the file."""
    return key in archive and archive[key].ndim > 0


def volt_factor(archive: Archive, X: np.ndarray, unit: str | None) -> np.ndarray:
    """Volts a count: the unit times the stored ``scale``, one number or one a channel."""
    if X.dtype.kind not in "biuf":
        raise ValueError(f"{archive.path}: a signal holds {X.dtype}, not numbers.")
    stated = archive.volts(unit)
    scale = np.asarray(archive.arrays.get("scale", 1.0))
    per_unit = np.asarray(1.0 if stated is None else stated)
    for name, values in (("scale", scale), ("units", per_unit)):
        if values.ndim > 1 or (values.ndim == 1 and len(values) != X.shape[-2]):
            raise ValueError(
                f"{archive.path}: {name} has shape {values.shape}; one entry, or one for each of "
                f"the {X.shape[-2]} channels, is needed."
            )
        if values.dtype.kind not in "biuf" or not (np.isfinite(values) & (values != 0)).all():
            raise ValueError(
                f"{archive.path}: {name} must be finite numbers other than zero, got "
                f"{values.tolist()}."
            )
    factor = scale.astype(float) * per_unit
    hint = "The unit that is stated, or scale, may be wrong: unit='uV' takes microvolts."
    if stated is None:
        hint = (
            "The file does not state a unit and was taken to be in volts; pass unit='uV' if they "
            "are microvolts."
        )
    doubt_amplitude(_some(X) * (factor[:, None] if factor.ndim else factor), archive.path, hint)
    return factor


def _some(X: np.ndarray) -> np.ndarray:
    """Enough of the signals to judge their size, shape (..., n_channels, n_times)."""
    rows = X[:: max(1, len(X) // 16)] if X.ndim == 3 else X
    return rows[..., :10_000]


def window_samples(
    selection: Selection, sfreq: float, start: float, n_times: int
) -> tuple[int, int]:
    """First sample of a window and the one after its last, within epochs."""
    assert selection.window is not None
    tmin, tmax = selection.window
    first, last = first_sample(tmin - start, sfreq), first_sample(tmax - start, sfreq)
    if first < 0 or last > n_times:
        raise ValueError(
            f"The window {tmin:g} to {tmax:g} s reaches outside the epochs, "
            f"which last from {start:g} to {start + n_times / sfreq:g} s."
        )
    if first >= last:
        raise ValueError(
            f"No sample lies between tmin={tmin:g} and tmax={tmax:g} s: at {sfreq:g} Hz one is "
            f"taken every {1 / sfreq:g} s."
        )
    return first, last
