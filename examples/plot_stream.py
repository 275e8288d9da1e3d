"""
A session on a stream
=====================

What a decoder says while the signal arrives: trained on two sessions, fed with the third one in
chunks of 40 ms, deciding every 62.5 ms.
"""

# %%
# Trials of one class follow each other, so that the simulated session has blocks of sixteen
# seconds.

import time

import matplotlib.pyplot as plt
import numpy as np

from skbci import EEGArray, make_pipeline
from skbci.datasets import make_motor_imagery
from skbci.estimators import EvidenceAccumulator, MLPClassifier
from skbci.features import CausalCentering, SlidingWindows, WelchPSD
from skbci.stream import OnlineDecoder

eeg = make_motor_imagery(
    n_subjects=1, n_sessions=3, n_trials=48, classes=("left_hand", "right_hand", "feet"),
    ch_names=("C3", "Cz", "C4", "CP1", "CP2", "P3", "Pz", "P4"), sfreq=128, snr=5, random_state=0)


def session(number):
    """Put a session's trials one after the other, four of a class in turn."""
    rows = np.flatnonzero(eeg.metadata["session"] == number)
    rows = rows[np.argsort(eeg.y[rows], kind="stable")]
    rows = rows.reshape(3, 4, 4).transpose(1, 0, 2).ravel()
    signals = np.concatenate(list(np.asarray(eeg.X[rows])), axis=1)
    return signals, np.repeat(eeg.y[rows], eeg.X.shape[2])


(first, y_first), (second, y_second), (recording, truth) = map(session, (1, 2, 3))
training = EEGArray([first, second], {"session": [1, 2]}, sfreq=128, ch_names=eeg.ch_names)
windows, labels = SlidingWindows(1.0, 0.25).explode(training, np.stack([y_first, y_second]))
network = MLPClassifier((50, 30), dropout=0.2, optimizer="hjb", lr=0.1, max_epochs=15,
                        random_state=0)
pipeline = make_pipeline(
    WelchPSD(n_per_seg=64, n_overlap=48, fmin=8, fmax=30, log=True), CausalCentering(),
    EvidenceAccumulator(network, 3, unit="seconds")).fit(windows, labels)

# %%
# Chunks in, decisions out. How the chunks are cut changes nothing.

decoder = OnlineDecoder(pipeline, window=1.0, hop=0.0625)
chunks = np.array_split(recording, recording.shape[1] // 5, axis=1)
start = time.process_time()
times, probabilities = map(np.array, zip(*decoder.decode(chunks)))
spent = (time.process_time() - start) / len(times)

# %%
# Two minutes of it. The bar on top has the true class; a probability needs some seconds to follow
# it, which is the price of evidence over time.

colours = ("#D1495B", "#14213D", "#2A9D8F")
figure, (trace, ax) = plt.subplots(
    2, 1, figsize=(8, 4.4), sharex=True, height_ratios=(1, 2), layout="constrained")
shown = slice(0, 128 * 120)
trace.plot(np.arange(recording.shape[1])[shown] / 128, recording[0, shown] * 1e6, color="0.4",
           linewidth=0.3)
trace.set(ylabel="C3 (µV)")
ax.stackplot(times, probabilities.T, colors=colours, alpha=0.75, linewidth=0)
at = truth[np.rint(times * 128).astype(int)]
for label, colour in zip(decoder.classes_, colours):
    ax.fill_between(times, 1.04, 1.2, where=at == label, color=colour, step="post", linewidth=0)
ax.set(xlim=(0, 120), ylim=(0, 1.2), yticks=(0, 0.5, 1), ylabel="probability",
       xlabel="time in the session (s)")
figure.legend([plt.Rectangle((0, 0), 1, 1, color=c) for c in colours],
              [label.replace("_", " ") for label in decoder.classes_], ncols=3, frameon=False,
              loc="outside upper right")
plt.show()
right = decoder.classes_[probabilities.argmax(axis=1)] == at
print(f"{right.mean():.2f} of {len(times)} decisions are right; {1000 * spent:.2f} ms each")
