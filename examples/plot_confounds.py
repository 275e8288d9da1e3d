"""
What does my decoder live on?
=============================

A score says that labels can be told from a recording. It does not say from what. Two decoders of
imagined movements are compared here on simulated subjects whose eyes follow the cue to the left or
to the right: the one that reads slow potentials seems to be much the better one.
"""

# %%
# The subjects imagine movements, and their rhythms change as they should. But the cue appears on
# one side of the screen, and they look at it.

import matplotlib.pyplot as plt

from skbci.baselines import csp_lda, slow_potentials_lr
from skbci.datasets import make_motor_imagery
from skbci.display import ComparisonDisplay, PatternDisplay
from skbci.evaluation import compare, confound_report
from skbci.model_selection import LeaveSubjectsOut

SITES = ("F7", "F3", "Fz", "F4", "F8", "C5", "C3", "Cz", "C4", "C6", "P3", "Pz", "P4", "O1", "O2")
honest = make_motor_imagery(6, 1, 40, snr=3.0, ch_names=SITES, random_state=2)
eeg = make_motor_imagery(6, 1, 40, snr=3.0, ch_names=SITES, ocular=0.6, random_state=2)
pipelines = {
    "slow potentials": slow_potentials_lr(),
    "rhythms (CSP)": csp_lda(4, tmin=0.5, alignment="euclidean"),
}
cv = LeaveSubjectsOut(n_splits=6, test_subjects=1)
result = compare(pipelines, eeg.X, eeg.y, cv=cv, progress=False)
ComparisonDisplay.from_comparison(result)
plt.show()

# %%
# `confound_report` asks what else than the claimed rhythms tells the labels: each band, window and
# region, the order of trials, amplitude outliers. It finds the eyes, and says what to do.

report = confound_report(eeg.X, eeg.y, cv=cv, n_permutations=2)
print(report.verdict)
report.plot()
plt.show()

# %%
# Where on the scalp? The slow potentials change sign between F7 and F8, next to the eyes. The
# patterns of CSP lie over the two hands' areas.

slow, rhythms = (pipelines[name].fit(eeg.X, eeg.y) for name in pipelines)
PatternDisplay.from_estimator(slow, eeg.X, n_maps=6, shared_scale=True)
PatternDisplay.from_estimator(rhythms, eeg.X)
plt.show()

# %%
# Without the eyes the first decoder is at chance, the second where it was: it had lived on what it
# was said to live on.

without = compare(pipelines, honest.X, honest.y, cv=cv, progress=False)
for name in pipelines:
    print(f"{name}: {result.summary.loc[name, 'mean']:.2f} with eye movements, "
          f"{without.summary.loc[name, 'mean']:.2f} without")
print(confound_report(honest.X, honest.y, cv=cv, n_permutations=2).verdict)
