"""
What the simulator simulates
============================

Imagining a movement of the right hand weakens the mu and beta rhythms over the left motor cortex,
and the other way round. The simulator puts such rhythms, 1/f background, blinks and the mains into
a spherical head, and ``snr`` says how strong the rhythms are.
"""

# %%
# Spectra at C3 and C4, one curve for each class. The classes part between 8 and 30 Hz, and they
# part in opposite directions on the two sides.

import matplotlib.pyplot as plt
import numpy as np

from skbci.datasets import make_motor_imagery
from skbci.features import WelchPSD

eeg = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=80, snr=1.0, random_state=0)
welch = WelchPSD(n_per_seg=160, fmin=4, fmax=60)
spectra = welch.fit_transform(eeg.X[:, :, 80:560]).reshape(len(eeg.y), len(eeg.ch_names), -1)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
for ax, name in zip(axes, ("C3", "C4")):
    for label in np.unique(eeg.y):
        mean = spectra[eeg.y == label, eeg.ch_names.index(name)].mean(axis=0)
        ax.semilogy(welch.freqs_, mean * 1e12, label=label.replace("_", " "))
    ax.set(title=name, xlabel="frequency (Hz)")
axes[0].set_ylabel("power density (µV²/Hz)")
axes[0].legend(frameon=False)
plt.show()

# %%
# With ``snr`` rises what CSP can decode, here as a mean over four subjects; without rhythms
# nothing is left but chance.

from sklearn.model_selection import cross_val_score

from skbci.baselines import csp_lda
from skbci.model_selection import WithinSubject

for snr in (0.0, 0.2, 0.5, 1.0):
    eeg = make_motor_imagery(n_subjects=4, n_sessions=1, n_trials=40, snr=snr, random_state=1)
    scores = cross_val_score(csp_lda(tmin=0.5, tmax=3.5), eeg.X, eeg.y, cv=WithinSubject(5))
    print(f"snr {snr:.1f}: {scores.mean():.3f}")
