"""Windows of eyes open and closed: simulated, recorded or downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from skbci.baselines import eye_state_pipeline
from skbci.datasets import fetch_moabb, load_recording, make_eye_state
from skbci.eegarray import EEGArray
from skbci.features import SlidingWindows
from skbci.model_selection import LeaveSubjectsOut

__all__ = ["EMOTIV", "Windows", "downloaded", "recorded", "simulated", "uci_recording"]

EMOTIV = ["AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4"]
WINDOW, HOP = 1.5, 0.5  # seconds


@dataclass(frozen=True, eq=False)
class Windows:
    """Energies of windows, whether the eyes were closed, and whose they were."""

    energies: EEGArray  # keeps the rows' table, which the splitters read
    closed: np.ndarray

    @property
    def subjects(self) -> np.ndarray:
        """Subject of each window."""
        return self.energies.metadata["subject"].to_numpy()

    def splits(self, n_splits: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Random splits that leave a quarter of the subjects out; 5 of 20 as in the paper."""
        n_test = max(1, len(np.unique(self.subjects)) // 4)
        return list(LeaveSubjectsOut(n_splits, n_test, random_state=0).split(self.energies))


def windows(X: EEGArray, y: np.ndarray) -> Windows:
    """Compute the energies; labels are "open" and "closed"."""
    energies = eye_state_pipeline()[:1].fit_transform(X)
    return Windows(energies, np.asarray(y) == "closed")


@cache
def simulated(subjects: int, duration: float, snr: float) -> Windows:
    """Simulated subjects."""
    data = make_eye_state(subjects, duration, snr=snr, window=WINDOW, hop=HOP, random_state=0)
    return windows(data.X, data.y)


@cache
def downloaded(name: str) -> Windows:
    """A set of MOABB with the events "open" and "closed", such as Rodrigues2017."""
    data = fetch_moabb(
        name, "RestingStateToP300Adapter", events=["open", "closed"], fmin=0.5, fmax=45,
        tmin=0, tmax=10, resample=128,
    )
    known = {channel.upper(): place for place, channel in enumerate(data.ch_names)}
    picks = [known[channel] for channel in EMOTIV if channel in known]
    if len(picks) < len(EMOTIV):
        print(f"{name} has {len(picks)} of the 14 Emotiv channels; all its channels are taken.")
        picks = list(known.values())
    X = data.X.with_data(np.asarray(data.X)[:, picks],
                         ch_names=[data.ch_names[place] for place in picks])
    return windows(*SlidingWindows(WINDOW, HOP).explode(X, data.y))


@cache
def recorded(folder: Path) -> Windows:
    """The two 64-channel recordings, one minute of each state; their 14 Emotiv channels."""
    data = load_recording(folder / "eegmmidb", pattern="eyes_*_64ch.npz", picks=EMOTIV)
    return windows(*SlidingWindows(WINDOW, HOP).explode(data.X, data.y))


@cache
def uci_recording(folder: Path) -> tuple[np.ndarray, np.ndarray, Windows]:
    """The UCI recording of 117 s: its samples with their states, and its windows."""
    data = load_recording(folder / "uci_eeg_eye_state" / "eye_state.npz")
    samples: Any = np.asarray(data.X, dtype=float)
    run = EEGArray(samples.T[None], {"subject": [1], "session": [1]}, sfreq=data.sfreq)
    X, y = SlidingWindows(WINDOW, HOP).explode(run, np.where(data.y == 1, "closed", "open")[None])
    return samples, np.asarray(data.y), windows(X, y)
