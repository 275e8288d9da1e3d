"""
Calibration: are the probabilities right?
=========================================

A brain-computer interface acts on probabilities: it waits until they are high enough. They are
right where, among all rows with a probability of .9 for a class, nine of ten are of that class.
"""

# %%
# The same network, trained to the end and stopped early by held-out people, on new people.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict

from skbci import make_pipeline
from skbci.datasets import make_motor_imagery
from skbci.estimators import MLPClassifier
from skbci.features import BandEnergy, Crop, EuclideanAlignment
from skbci.model_selection import LeaveSubjectsOut

eeg = make_motor_imagery(n_subjects=9, n_sessions=1, n_trials=40, snr=2.5, random_state=1)
features = make_pipeline(Crop(0.5, 3.5), EuclideanAlignment(),
                         BandEnergy(((8, 13), (13, 30)), n_subbands=1, log=True))
X = features.fit_transform(eeg.X)
settings = {"optimizer": "adam", "lr": 0.01, "max_epochs": 150, "random_state": 0}
networks = {
    "trained to the end": MLPClassifier((50, 30), **settings),
    "stopped early": MLPClassifier((50, 30), early_stopping=True, dropout=0.3, **settings),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.plot([0, 1], [0, 1], "--", color="0.6", label="calibrated")
right_hand = eeg.y == "right_hand"
for colour, (name, network) in zip(("#D1495B", "#14213D"), networks.items()):
    probability = cross_val_predict(network, X, eeg.y, cv=LeaveSubjectsOut(3),
                                    method="predict_proba")[:, 1]
    accuracy = ((probability > 0.5) == right_hand).mean()
    loss = log_loss(right_hand, probability)
    share, predicted = calibration_curve(right_hand, probability, n_bins=4, strategy="quantile")
    left.plot(predicted, share, "o-", color=colour,
              label=f"{name}: accuracy {accuracy:.2f}, log loss {loss:.2f}")
    right.hist(probability, bins=np.linspace(0, 1, 21), color=colour, alpha=0.55, label=name)
left.set(xlabel="predicted probability of the right hand", ylabel="share of right hands",
         xlim=(0, 1), ylim=(0, 1))
left.legend(frameon=False, fontsize="x-small", loc="lower right")
right.set(xlabel="predicted probability of the right hand", ylabel="rows")
right.legend(frameon=False, fontsize="small")
plt.show()

# %%
# Trained to the end, the network is sure of nearly every row, right or wrong. The accuracies
# hardly differ, but the log loss does, and a threshold on the probabilities depends on it.
