"""
Loss weighting: what each policy does
=====================================

A network with several losses minimizes their weighted sum. What should the weights be, and who
finds them? Two losses on a plane show what each policy does; MIN2Net on simulated motor imagery
shows what becomes of it in a network.
"""

# %%
# In the upper half of the plane each loss has a narrow valley of its own; in the lower half lies a
# bowl that is good for both. Adam starts from three places. With fixed weights two of the ways get
# stuck in a valley. AlphaGrad takes weight from the loss with the larger gradient, so that the
# other one can pull the way out.

import matplotlib.pyplot as plt

from skbci.display import TrajectoryDisplay

picture = TrajectoryDisplay.from_policies(n_columns=3)
plt.show()

# %%
# The price: under way nearly all weight may go to one loss. Where the published rule rescales the
# weights, nothing brings them back; where they are projected, gradients of one size do.

pair = {name: picture.trajectories[name] for name in ("AlphaGrad", "AlphaGrad, projected")}
for name, ways in pair.items():
    most, last = (f"{max(w.weights[rows].max() for w in ways):.2f}" for rows in (slice(None), -1))
    print(f"{name}: the larger of the two weights is {most} at most, {last} in the end")

# %%
# ``TrajectoryDisplay(trajectories=pair).animate("trajectories.gif")`` makes a film of it.

# %%
# MIN2Net has three losses: classification, a triplet loss on its latent, and reconstruction. The
# gradient of the reconstruction is the smallest, and so AlphaGrad gives it all the weight; a
# `LossCollapseWarning` says so. The classification has been learned before that happens, and early
# stopping would have kept the epoch with the best validation loss.

from skbci.datasets import make_motor_imagery
from skbci.display import LatentDisplay, LossWeightDisplay
from skbci.estimators import MIN2NetClassifier
from skbci.features import FilterBank

eeg = make_motor_imagery(
    n_subjects=4, n_sessions=1, n_trials=40, snr=3.0, random_state=0,
    ch_names=("C3", "Cz", "C4", "FC1", "FC2", "CP1", "CP2", "Pz"),
)
X = FilterBank(((8, 30),), output="channels").fit_transform(eeg.X)
seen = eeg.metadata["subject"].to_numpy() < 4
settings = {"batch_size": 10, "max_epochs": 40, "n_iter_no_change": 40, "random_state": 0}
clf = MIN2NetClassifier(loss_weighting="alphagrad", **settings).fit(X[seen], eeg.y[seen])
LossWeightDisplay.from_estimator(clf)
plt.show()

# %%
# With the projection all losses pull equally hard at the shared layer, until the triplet loss has
# no triplet left to learn from: its gradient is then zero, and weight is of no use to it.

clf = MIN2NetClassifier(loss_weighting="alphagrad-project", **settings).fit(X[seen], eeg.y[seen])
LossWeightDisplay.from_estimator(clf)
plt.show()

# %%
# The latent of the fourth subject, of whom the network has seen nothing:

print(f"accuracy: {clf.score(X[~seen], eeg.y[~seen]):.2f}")
LatentDisplay.from_estimator(clf, X[~seen], eeg.y[~seen])
plt.show()
