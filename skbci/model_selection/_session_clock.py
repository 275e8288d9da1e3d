"""Time since the beginning of a session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skbci._checks.labels import check_column
from skbci._recording.restarts import separate_restarts
from skbci._sessions import TOLERANCE_S, earlier_first, row_column
from skbci._typing import Signals


@dataclass(frozen=True)
class SessionClock:
    """Divide a session's rows at a number of seconds after its first row.

    Attributes
    ----------
    onsets : ndarray, shape (n_rows,)
        Seconds from the start of the run.
    window : float
        Length of a row in seconds.
    runs : Series, shape (n_rows,), optional
        Runs of a session are laid end to end, earlier ones first; so are runs without labels,
        where the onsets begin anew.
    """

    onsets: np.ndarray
    window: float
    runs: pd.Series | None = None

    @classmethod
    def from_rows(cls, X: Signals, onsets: np.ndarray, window: float) -> SessionClock:
        """Take the runs from X's row table."""
        runs = row_column(X, "run")
        if runs is not None:
            check_column(runs, len(onsets), "metadata column 'run'")
        return cls(onsets, window, runs)

    def read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put a session's rows in order of time; give them and their seconds."""
        parts = [rows]
        if self.runs is not None:
            runs = earlier_first(self.runs.iloc[rows], "run labels").values()
            parts = [rows[at] for at in runs]
        parts = [
            part[own == code] for part in parts
            for own in [separate_restarts(np.zeros(len(part), dtype=np.int64), self.onsets[part])]
            for code in range(own.max() + 1)
        ]
        clock, ordered, start = [], [], 0.0
        for part in parts:
            part = part[np.argsort(self.onsets[part], kind="stable")]
            since = self.onsets[part] - self.onsets[part[0]] + start
            start = since[-1] + self.window
            clock.append(since)
            ordered.append(part)
        return np.concatenate(ordered), np.concatenate(clock)

    def divide(
        self, rows: np.ndarray, seconds: float, session: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows that end within the first seconds, and rows that begin after them.

        Raises
        ------
        ValueError
            If either side is empty; ``session`` says in the message where.
        """
        ordered, clock = self.read(rows)
        late = clock >= seconds - TOLERANCE_S
        early = (clock + self.window <= seconds + TOLERANCE_S) & ~late
        if not late.any() or not early.any():
            lack = "no whole window to calibrate with" if late.any() else "no test rows"
            raise ValueError(
                f"calibration={seconds:g} seconds leaves {lack} in {session}, whose "
                f"{len(rows)} rows of {self.window:g} seconds last "
                f"{clock.max() + self.window:g} seconds."
            )
        return ordered[early], np.sort(ordered[late])
