"""Data, splits and filters of ``alphagrad.py``, one entry a setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Bunch

from skbci import EEGArray
from skbci.datasets import load_recording, make_erp, make_motor_imagery, make_ssvep
from skbci.features import SlidingWindows
from skbci.model_selection import LeaveSubjectsOut, PurgedKFold

Split = tuple[np.ndarray, np.ndarray]
NINE = tuple((float(low), float(low + 4)) for low in range(4, 37, 4))


@dataclass(frozen=True)
class Setting:
    """One kind of brain signal and one way to split it."""

    paradigm: str  # imagery, ssvep, erp
    load: Callable[[Path | None, bool], Bunch]
    split: Callable[[EEGArray, np.ndarray, int], list[Split]]
    band: tuple[float, float]  # of MIN2Net's input
    bands: tuple[tuple[float, float], ...]  # of FBMSNet's
    align_by: str
    batch_size: int
    protocol: str
    unit: str  # what a split is
    n_folds: int = 1  # of each subject

    def splits(self, X: EEGArray, y: np.ndarray, n: int) -> list[Split]:
        """At most ``n`` pairs of training and test rows."""
        return self.split(X, y, n)


# -- loading --------------------------------------------------------------------------------


def resampled(X: EEGArray, rate: int) -> EEGArray:
    """Rows at another rate (Hz), with their table."""
    old = int(X.sfreq)
    data = resample_poly(np.asarray(X, dtype=np.float32), rate, old, axis=-1)
    return EEGArray(data, X.metadata, sfreq=float(rate), ch_names=X.ch_names, tmin=X.tmin)


def in_100_hz(bunch: Bunch) -> Bunch:
    """What the published networks take: 4 s at 100 Hz."""
    return Bunch(X=resampled(bunch.X, 100), y=np.asarray(bunch.y))


def fists(folder: Path | None, quick: bool) -> Bunch:
    """Imagined left and right fist of many subjects."""
    if folder is None:
        return in_100_hz(make_motor_imagery(6 if quick else 20, n_trials=20, random_state=0))
    subjects = range(1, 7) if quick else None
    return in_100_hz(load_recording(folder / "eegmmidb", pattern="mi_*.npz", subjects=subjects))


def hands(folder: Path | None, quick: bool) -> Bunch:
    """Imagined left and right hand, five sessions of few subjects, three channels."""
    if folder is None:
        return in_100_hz(make_motor_imagery(
            2 if quick else 4, 5, 10 if quick else 20, ch_names=("C3", "Cz", "C4"),
            random_state=1,
        ))
    return in_100_hz(load_recording(folder / "bci4_2b", subjects=[1, 4] if quick else None))


def flicker(folder: Path | None, quick: bool) -> Bunch:
    """Windows of 2 s of flicker of four frequencies, two sessions."""
    if folder is None:
        bunch = make_ssvep(1, 2, 20, duration=4.0, random_state=2)
    else:
        bunch = load_recording(folder / "ssvep_gtec_br41n", tmin=0.0, tmax=7.0)
    X, y = SlidingWindows(2.0, 1.0).explode(bunch.X, bunch.y)
    return Bunch(X=resampled(X, 128), y=y)


def oddball(folder: Path | None, quick: bool) -> Bunch:
    """0.8 s after rare and frequent flashes."""
    if folder is None:
        bunch = make_erp(2 if quick else 3, 1, 200 if quick else 600, random_state=3)
        tmin = bunch.X.tmin
        kept = bunch.X[..., round(-tmin * bunch.sfreq) :]
        return Bunch(X=resampled(kept[..., : int(0.8 * bunch.sfreq)], 128), y=bunch.y)
    subjects = [1] if quick else None
    bunch = load_recording(folder / "p300_gtec", tmin=0.0, tmax=0.8, subjects=subjects)
    return Bunch(X=resampled(bunch.X, 125), y=np.asarray(bunch.y))


# -- splitting ------------------------------------------------------------------------------


def across_subjects(X: EEGArray, y: np.ndarray, n: int) -> list[Split]:
    """A sixth of the subjects is tested; subjects are drawn anew for each split."""
    count = max(1, X.metadata["subject"].nunique() // 6)
    cv = LeaveSubjectsOut(n, count, random_state=0)
    return list(cv.split(X, y))


def later_sessions(X: EEGArray, y: np.ndarray, n: int) -> list[Split]:
    """Sessions 1 to 3 of a subject train, the others test."""
    subject, session = (X.metadata[name].to_numpy() for name in ("subject", "session"))
    return [
        (np.flatnonzero((subject == s) & (session <= 3)),
         np.flatnonzero((subject == s) & (session > 3)))
        for s in np.unique(subject)[:n]
    ]


def within_subjects(X: EEGArray, y: np.ndarray, n: int) -> list[Split]:
    """Five folds of each of ``n`` subjects, drawn at random: trials do not overlap."""
    subject = X.metadata["subject"].to_numpy()
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return [
        (rows[train], rows[test])
        for rows in (np.flatnonzero(subject == s) for s in np.unique(subject)[:n])
        for train, test in folds.split(rows, y[rows])
    ]


def other_session(X: EEGArray, y: np.ndarray, n: int) -> list[Split]:
    """One session trains, the other tests, and the other way round."""
    session = X.metadata["session"].to_numpy()
    first, second = (np.flatnonzero(session == s) for s in np.unique(session)[:2])
    return [(first, second), (second, first)][:n]


def blocks_of_time(X: EEGArray, y: np.ndarray, n: int) -> list[Split]:
    """Four contiguous folds of each of ``n`` subjects, overlapping rows removed."""
    subject = X.metadata["subject"].to_numpy()
    window = X.shape[-1] / X.sfreq
    return [
        (rows[train], rows[test])
        for rows in (np.flatnonzero(subject == s) for s in np.unique(subject)[:n])
        for train, test in PurgedKFold(4, window=window).split(X[rows], y[rows])
    ]


SETTINGS = {
    "imagery, across subjects": Setting(
        "imagery", fists, across_subjects, (8.0, 30.0), NINE, "subject", 100,
        "five out of six subjects train, the others test; alignment by subject; batches of 100",
        "split",
    ),
    "imagery, later sessions": Setting(
        "imagery", hands, later_sessions, (8.0, 30.0), NINE, "session", 10,
        "sessions 1 to 3 of a subject train, 4 and 5 test; alignment by session; batches of 10",
        "subject",
    ),
    "imagery, within subject": Setting(
        "imagery", fists, within_subjects, (8.0, 30.0), NINE, "subject", 10,
        "five folds within a subject; batches of 10", "subject", 5,
    ),
    "SSVEP": Setting(
        "ssvep", flicker, other_session, (6.0, 45.0), NINE, "session", 10,
        "windows of 2 s; one session trains, the other tests; batches of 10",
        "split",
    ),
    "ERP": Setting(
        "erp", oddball, blocks_of_time, (0.5, 20.0), ((0.5, 4.0), *NINE[:8]), "subject", 100,
        "0.8 s after each flash; four contiguous folds within a subject; classes weighted alike",
        "subject", 4,
    ),
}


@cache
def load(setting: str, folder: Path | None, quick: bool) -> Bunch:
    """Rows and labels of a setting."""
    return SETTINGS[setting].load(folder, quick)
