"""Which training rows a session began with, and mini-batches that do not forget the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci._sessions import session_codes
from skbci.estimators._meta import take_rows

__all__ = ["calibration_rows", "mixed_batch"]


def calibration_rows(X: Any, n_rows: int) -> np.ndarray:
    """Mark the rows of each subject's last session, where the subject has several."""
    late = np.zeros(n_rows, dtype=bool)
    sessions = session_codes(X, n_rows, "session")
    subjects = session_codes(X, n_rows, "subject")
    for subject in pd.unique(subjects):
        rows = np.flatnonzero(subjects == subject)
        mine = sessions[rows]
        if (mine != mine[-1]).any():
            late[rows[mine == mine[-1]]] = True
    return late


def mixed_batch(
    batch: tuple[Any, np.ndarray], offline: tuple[Any, np.ndarray], n_rows: int, random: Any
) -> tuple[np.ndarray, np.ndarray]:
    """A mini-batch with offline rows drawn evenly from the classes before it."""
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
