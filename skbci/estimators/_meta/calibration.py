"""Which training rows a session began with, and mini-batches that do not forget the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci._sessions import earlier_first, row_column, session_codes
from skbci._typing import Labels, Signals
from skbci._warning import warn
from skbci.estimators._meta.base import take_rows

__all__ = ["calibration_rows", "mixed_batch"]


def calibration_rows(X: Signals, n_rows: int, who: str) -> np.ndarray:
    """Mark the rows of each subject's last session, where the subject has several.

    Raises
    ------
    ValueError
        If nothing tells which session is the last one.

    Warns
    -----
    UserWarning
        If a subject's last row is of an earlier session.
    """
    late = np.zeros(n_rows, dtype=bool)
    sessions = row_column(X, "session")
    if sessions is None:
        return late
    subjects = session_codes(X, n_rows, "subject")
    for subject in pd.unique(subjects):
        rows = np.flatnonzero(subjects == subject)
        ordered = earlier_first(sessions.iloc[rows], "session labels")
        if len(ordered) < 2:
            continue
        last, own = list(ordered.items())[-1]
        late[rows[own]] = True
        if own[-1] != len(rows) - 1:
            warn(
                f"{who} takes session {last} for the last one and learns it online, although rows "
                f"of session {sessions.iloc[rows[-1]]} come after it. Where that is wrong, make "
                "the sessions an ordered categorical.",
            )
    return late


def mixed_batch(
    batch: tuple[np.ndarray, np.ndarray], offline: tuple[Signals, Labels], n_rows: int,
    random: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a mini-batch with offline rows drawn evenly from the classes before it."""
    X, y = offline[0], np.asarray(offline[1])
    classes = np.unique(y)
    share = np.bincount(random.permutation(n_rows) % len(classes), minlength=len(classes))
    rows = np.concatenate([
        random.choice(np.flatnonzero(y == label), size=n) for label, n in zip(classes, share)
    ])
    return (
        np.concatenate([np.asarray(take_rows(X, rows)), np.asarray(batch[0])]),
        np.concatenate([y[rows], batch[1]]),
    )
