"""
How many people to record
=========================

A decoder for new people learns what people share. How much better does it get with each further
subject, and is it worth a day in the laboratory? The same four people are tested throughout.
"""

# %%
# Training people are added one after the other; aligned decoders see each person's rows whitened
# by that person's own mean covariance, without labels.

import matplotlib.pyplot as plt
import numpy as np

from skbci.baselines import csp_lda, tangent_space_lr
from skbci.datasets import make_motor_imagery

SITES = ("FC3", "FCz", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "CP3", "CPz", "CP4", "Pz")
eeg = make_motor_imagery(
    n_subjects=16, n_sessions=1, n_trials=20, snr=1.0, ch_names=SITES, random_state=3)
subject = eeg.metadata["subject"].to_numpy()
tested = subject > 12
decoders = {
    "tangent space, aligned": tangent_space_lr(tmin=0.5, alignment="euclidean"),
    "CSP + LDA, aligned": csp_lda(4, tmin=0.5, alignment="euclidean"),
    "CSP + LDA": csp_lda(4, tmin=0.5),
}
numbers = (1, 2, 3, 4, 6, 9, 12)
rng = np.random.default_rng(0)
orders = [rng.permutation(12) + 1 for _ in range(3)]
figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for colour, (name, decoder) in zip(("#14213D", "#D1495B", "#2A9D8F"), decoders.items()):
    scores = np.array([
        [decoder.fit(eeg.X[rows], eeg.y[rows]).score(eeg.X[tested], eeg.y[tested])
         for rows in (np.isin(subject, order[:n]) for n in numbers)] for order in orders])
    ax.plot(numbers, scores.mean(axis=0), "o-", color=colour, label=name)
    ax.fill_between(numbers, scores.min(axis=0), scores.max(axis=0), color=colour, alpha=0.12,
                    linewidth=0)
ax.axhline(0.5, linestyle="--", color="0.6")
ax.set(xlabel="people trained on (20 epochs each)", ylabel="accuracy in four new people",
       xticks=numbers, ylim=(0.4, 1))
ax.legend(frameon=False, loc="lower right")
plt.show()

# %%
# Lines are means over three orders of the training people, bands go from the worst to the best.
# With alignment a few of these simulated people are enough; without, more people bring more
# differences along. Real people differ more: try it on yours.
