"""
HJB against Adam
================

Two optimizers from the Hamilton-Jacobi-Bellman equation and three usual ones train the same
network, from the same weights, on the same mini-batches. Each has the learning rate that serves
it best on training rows.
"""

# %%
# The networks of a grid train as one stack; three folds of the training people choose the rate.

import matplotlib.pyplot as plt
import numpy as np

from skbci.datasets import make_eye_state
from skbci.display import ConvergenceDisplay
from skbci.estimators import MLPClassifier
from skbci.features import BandEnergy
from skbci.model_selection import LeaveSubjectsOut, StackedGridSearchCV

eeg = make_eye_state(n_subjects=12, duration=60, random_state=0)
X = BandEnergy(n_subbands=2, log=True).fit_transform(eeg.X)
train = (eeg.metadata["subject"] <= 8).to_numpy()
cv = LeaveSubjectsOut(n_splits=3, test_subjects=2, random_state=0)
rates = {"hjb": (0.03, 0.1, 0.3), "hjb-ad": (0.003, 0.01, 0.03), "adam": (0.001, 0.003, 0.01),
         "adagrad": (0.003, 0.01, 0.03), "sgd": (0.03, 0.1, 0.3)}
networks, accuracies = {}, {}
for name, grid in rates.items():
    network = MLPClassifier((50, 30), optimizer=name, dropout=0.2, max_epochs=20, random_state=0)
    search = StackedGridSearchCV(network, {"lr": grid}, cv=cv, scoring="neg_log_loss")
    search.fit(X[train], eeg.y[train])
    networks[f"{name} ({search.best_params_['lr']})"] = search.best_estimator_
    accuracies[name] = search.best_estimator_.score(X[~train], eeg.y[~train])

# %%
# How the training loss falls, and what came of it in four new people.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(3, 2),
                                     layout="constrained")
ConvergenceDisplay.from_estimators(networks, ax=left)
names = list(accuracies)[::-1]
right.plot([accuracies[name] for name in names], np.arange(len(names)), "o", color="#14213D")
right.set(yticks=range(len(names)), yticklabels=names, xlabel="accuracy in new people",
          xlim=(0.5, 1), ylim=(-0.6, len(names) - 0.4))
right.grid(axis="x", color="0.92")
plt.show()

# %%
# HJB is quick where the loss is large, and all of them get there: which one is ahead in new
# people changes with the data. So let the search decide, ``{"optimizer": ["hjb", "hjb-ad",
# "adam"]}``.
