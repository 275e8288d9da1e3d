"""A decoder that is saved in the middle of a session goes on in another process."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.estimators import EvidenceAccumulator
from skbci.features import CausalCentering, FilterBank, SlidingWindows, WelchPSD
from skbci.stream import ConfidenceGate, OnlineDecoder

RATE = 128.0
GO_ON = """
import pickle, sys
import numpy as np
with open(sys.argv[1], "rb") as file:
    decoder, gate, data, stamps = pickle.load(file)
times, probabilities = decoder.update(data, stamps)
np.savez(sys.argv[2], times=times, probabilities=probabilities,
         answers=[str(answer) for answer in gate.answers(times, probabilities)])
"""


@pytest.mark.slow
def test_another_process_goes_on_with_the_session(tmp_path):
    rng = np.random.default_rng(0)
    t = np.arange(round(60 * RATE)) / RATE
    label = (t // 5 % 2).astype(int)
    data = rng.standard_normal((2, len(t))) * 1e-5 + 1e-5 * np.sin(2 * np.pi * 10 * t) * label
    windows, y = SlidingWindows(1.0, 0.25, sfreq=RATE).explode(
        EEGArray(data[np.newaxis], sfreq=RATE, ch_names=["C3", "C4"]), label[np.newaxis])
    pipeline = make_pipeline(
        FilterBank([(4, 20)], phase="causal", output="channels"),
        WelchPSD(n_per_seg=64, log=True), CausalCentering(),
        EvidenceAccumulator(LinearDiscriminantAnalysis(), 2, unit="seconds")).fit(windows, y)
    stamps = 1e4 + t + rng.uniform(-0.01, 0.01, len(t))
    decoder = OnlineDecoder(pipeline, 1.0, 0.25, jitter=0.05)
    gate = ConfidenceGate(decoder.classes_, 0.7, dwell=0.5, refractory=1.0)
    half = 3333
    gate.answers(*decoder.update(data[:, :half], stamps[:half]))
    saved, out = tmp_path / "decoder.pickle", tmp_path / "decisions.npz"
    saved.write_bytes(pickle.dumps((decoder, gate, data[:, half:], stamps[half:])))
    times, probabilities = decoder.update(data[:, half:], stamps[half:])
    answers = [str(answer) for answer in gate.answers(times, probabilities)]
    subprocess.run([sys.executable, "-c", GO_ON, str(saved), str(out)], check=True)
    with np.load(out) as found:
        np.testing.assert_array_equal(found["times"], times)
        np.testing.assert_array_equal(found["probabilities"], probabilities)
        assert found["answers"].tolist() == answers
    assert len(set(answers)) == 3
