"""
Why shuffled folds overestimate accuracy
========================================

Windows of one second, taken every quarter of a second, share most of their signal with their
neighbours. Shuffled into folds, a test window finds them in the training set, and a
nearest-neighbour classifier needs nothing else. The honest score is that of contiguous blocks with
the overlap purged.
"""

# %%
# The labels here are drawn at random, twenty seconds at a time, so that nothing can be learned.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.datasets import make_eye_state
from skbci.evaluation import leakage_report
from skbci.features import WelchPSD
from skbci.model_selection import PurgedKFold

eeg = make_eye_state(n_subjects=1, duration=400, snr=0.0, window=1.0, hop=0.25, random_state=0)
rng = np.random.default_rng(0)
blocks = (eeg.metadata["onset"] // 20).astype(int)
y = rng.permutation(np.tile(["open", "closed"], blocks.max() // 2 + 1))[blocks]

splits = {
    "shuffled folds": StratifiedKFold(5, shuffle=True, random_state=0),
    "purged blocks": PurgedKFold(5),
}
for name, cv in splits.items():
    print(f"{name}: {leakage_report(cv, eeg.X, y=y).verdict}")

# %%
# The same classifier, the same data, the same labels without meaning.

pipe = make_pipeline(WelchPSD(n_per_seg=64, fmax=40, log=True), StandardScaler(),
                     KNeighborsClassifier(3))
scores = {name: cross_val_score(pipe, eeg.X, y, cv=cv) for name, cv in splits.items()}
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
for place, values in enumerate(scores.values()):
    ax.plot(np.full(5, place), values, "o", color="C0", alpha=0.6)
    ax.plot(place, values.mean(), "_", color="k", markersize=28)
ax.axhline(0.5, linestyle="--", color="0.6")
ax.set(xticks=range(2), xticklabels=list(scores), xlim=(-0.5, 1.5), ylim=(0, 1),
       ylabel="accuracy (labels are random)")
plt.show()
