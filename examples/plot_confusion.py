"""
Confusion matrices: which classes are mixed up
==============================================

One accuracy for four classes hides which of them are confused. Predictions of rows that were not
trained on, counted by true and predicted class, show it.
"""

# %%
# Four imagined movements, decoded in people who were not trained on. A hand is rarely taken for
# the other one; feet are often taken for the tongue.

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import cross_val_predict

from skbci.baselines import csp_lda, tangent_space_lr
from skbci.datasets import make_motor_imagery
from skbci.model_selection import LeaveSubjectsOut

classes = ("left_hand", "right_hand", "feet", "tongue")
eeg = make_motor_imagery(
    n_subjects=5, n_sessions=1, n_trials=40, classes=classes, snr=1.5, random_state=0)
cv = LeaveSubjectsOut(5)
decoders = {
    "CSP + LDA": csp_lda(6, tmin=0.5, alignment="euclidean"),
    "tangent space + LR": tangent_space_lr(tmin=0.5, alignment="euclidean"),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, (name, decoder) in zip(axes, decoders.items()):
    predicted = cross_val_predict(decoder, eeg.X, eeg.y, cv=cv)
    ConfusionMatrixDisplay.from_predictions(
        eeg.y, predicted, labels=list(classes), normalize="true", values_format=".2f",
        display_labels=[label.replace("_", " ") for label in classes], cmap="Blues", ax=ax,
        colorbar=False, im_kw={"vmin": 0, "vmax": 1})
    ax.set_title(f"{name}: {(predicted == eeg.y).mean():.2f} in new people", fontsize="medium")
    ax.tick_params(axis="x", rotation=30)
axes[1].set_ylabel("")
plt.show()

# %%
# Rows of a matrix sum to one: the diagonal has the recall of each class. Guessing puts 0.25
# everywhere.
