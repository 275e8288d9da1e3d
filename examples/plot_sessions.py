"""
Evidence over time: more than the last window
=============================================

A movement is imagined for seconds, and a window is one of them: what a decoder said about the last
windows is evidence about this one. Three ways to use it, trained on two simulated sessions and
tested on a third.
"""

# %%
# Four trials of one class in a row make a block, from which four windows of a second are cut every
# second. Their powers are centred by the running mean of the session.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.baselines import GalanClassifier
from skbci.datasets import make_motor_imagery
from skbci.estimators import CascadeClassifier, EvidenceAccumulator
from skbci.features import CausalCentering, SlidingWindows, WelchPSD

eeg = make_motor_imagery(
    n_subjects=1, n_sessions=3, n_trials=48, classes=("left_hand", "right_hand", "feet"),
    ch_names=("C3", "Cz", "C4", "CP1", "CP2", "P3", "Pz", "P4"), sfreq=128, snr=3,
    random_state=0,
)
session = eeg.metadata["session"].to_numpy()
turn = eeg.metadata.groupby([session, eeg.y]).cumcount() // 4
order = np.lexsort((eeg.y, turn, session))
windows, y = SlidingWindows(1.0, 0.25).explode(eeg.X[order], eeg.y[order])
power = WelchPSD(n_per_seg=64, n_overlap=48, fmin=8, fmax=30, log=True).fit_transform(windows)
session = windows.metadata["session"]
onset = session.groupby(session).cumcount() / 4
X = EEGArray(np.asarray(power), {"session": session, "onset": onset})

# %%
# The decoder alone, the mean of its log-probabilities over four seconds, a filter that knows that
# classes change, and a second decoder that has learned what to make of the first one's past.

galan = GalanClassifier(20)
four_seconds = {"window": 4, "unit": "seconds"}
decoders = {
    "last window": galan,
    "mean of 4 s": EvidenceAccumulator(galan, **four_seconds),
    "filter of 4 s": EvidenceAccumulator(galan, **four_seconds, change_rate="learned",
                                         exponent=0.25),
    "cascade": CascadeClassifier(galan, galan, n_lags=16, stack="probabilities"),
}
train, test = session < 3, session == 3
shown = {}
for name, decoder in decoders.items():
    pipe = make_pipeline(CausalCentering(), decoder).fit(X[train], y[train])
    shown[name] = pipe.predict_proba(X[test])
    print(f"{name}: {pipe.score(X[test], y[test]):.2f}")

# %%
# Two minutes of the third session. The bar on top of each panel has the true class.

seconds, classes = onset[test].to_numpy(), pipe.classes_
colours = ("#D1495B", "#14213D", "#2A9D8F")
figure, axes = plt.subplots(len(shown), 1, figsize=(8, 6.5), sharex=True, sharey=True,
                            layout="constrained")
for ax, (name, probabilities) in zip(axes, shown.items()):
    ax.stackplot(seconds, probabilities.T, colors=colours, alpha=0.75, linewidth=0)
    for label, colour in zip(classes, colours):
        ax.fill_between(seconds, 1.04, 1.2, where=y[test] == label, color=colour, step="post",
                        linewidth=0)
    ax.set(xlim=(0, 120), ylim=(0, 1.2), yticks=(0, 0.5, 1), ylabel="probability")
    ax.set_title(name, fontsize="medium", loc="left")
axes[-1].set_xlabel("time in the session (s)")
figure.legend([plt.Rectangle((0, 0), 1, 1, color=c) for c in colours],
              [label.replace("_", " ") for label in classes], loc="outside upper right", ncols=3,
              frameon=False)
plt.show()
