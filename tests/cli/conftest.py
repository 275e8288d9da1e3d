"""Recordings of two people, written as files that MNE reads."""

from __future__ import annotations

import mne
import numpy as np
import pytest

RATE, LENGTH, PAUSE = 64, 128, 32  # Hz, samples
CHANNELS = ["C3", "Cz", "C4", "Pz"]
N_TRIALS = 16


def continuous(subject: int) -> mne.io.RawArray:
    """Left and right in turn: 10 Hz is weaker at C4, then at C3."""
    rng = np.random.default_rng(subject)
    t = np.arange(LENGTH) / RATE
    names = rng.permutation(np.repeat(["left", "right"], N_TRIALS // 2))
    signal = rng.normal(0, 5e-6, (len(CHANNELS), N_TRIALS * (LENGTH + PAUSE)))
    onsets = np.arange(N_TRIALS) * (LENGTH + PAUSE)
    for start, name in zip(onsets, names):
        strong = CHANNELS.index("C3" if name == "left" else "C4")
        signal[strong, start : start + LENGTH] += 2e-5 * np.sin(
            2 * np.pi * 10 * t + rng.uniform(0, 6))
    raw = mne.io.RawArray(signal, mne.create_info(CHANNELS, RATE, "eeg"), verbose="error")
    return raw.set_annotations(mne.Annotations(onsets / RATE, 0.0, names))


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """A folder with the recordings of three people."""
    folder = tmp_path_factory.mktemp("recordings")
    for subject in (1, 2, 3):
        continuous(subject).save(folder / f"sub-{subject:02d}_raw.fif", verbose="error")
    return folder


@pytest.fixture(scope="session")
def model(recordings, tmp_path_factory):
    """A decoder of the first person, saved."""
    from skbci.cli import main

    path = tmp_path_factory.mktemp("models") / "decoder.joblib"
    assert main(["fit", str(recordings / "sub-01_raw.fif"), "--tmax", "2", "--pipeline",
                 "csp-lda", "--output", str(path)]) == 0
    return path
