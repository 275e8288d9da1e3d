"""
What does my decoder use?
=========================

A score says that the labels can be decoded from a recording, not from what in it. Three decoders
of imagined movements are compared here on simulated subjects whose eyes follow the cue to the left
or to the right: the one that reads slow potentials seems to be the best.
"""

# %%
# The subjects imagine movements, and their rhythms change as they should. But the cue appears on
# one side of the screen, and they look at it. Every decoder is tested on people whom it has not
# seen; `confound_report` asks, on the same folds, what tells the labels besides the claimed
# rhythms: each band, window and region, the order of trials, amplitude outliers.

import textwrap

import matplotlib.pyplot as plt

from skbci import make_pipeline
from skbci.baselines import csp_lda, slow_potentials_lr, tangent_space_lr
from skbci.datasets import make_motor_imagery
from skbci.display import ComparisonDisplay, PatternDisplay
from skbci.estimators import MLPClassifier
from skbci.evaluation import compare, confound_report
from skbci.model_selection import LeaveSubjectsOut

SITES = ("F7", "F3", "Fz", "F4", "F8", "C5", "C3", "Cz", "C4", "C6", "P3", "Pz", "P4", "O1", "O2")
honest = make_motor_imagery(6, 1, 40, snr=3.0, ch_names=SITES, random_state=2)
eeg = make_motor_imagery(6, 1, 40, snr=3.0, ch_names=SITES, ocular=0.6, random_state=2)
rhythms = {"tmin": 0.5, "alignment": "euclidean"}
tangent = [step for _, step in tangent_space_lr(**rhythms).steps[:-1]]
pipelines = {
    "slow potentials": slow_potentials_lr(),
    "rhythms: CSP + LDA": csp_lda(4, **rhythms),
    "rhythms: network, HJB": make_pipeline(
        *tangent, MLPClassifier((20,), optimizer="hjb", lr=0.1, max_epochs=30, random_state=0)),
}
cv = LeaveSubjectsOut(6)
result = compare(pipelines, eeg.X, eeg.y, cv=cv, progress=False)
report = confound_report(eeg.X, eeg.y, cv=cv, n_permutations=2)

# %%
# By the scores alone the slow potentials are best. The verdict under them says that they are eye
# movements.

figure, (scores, words) = plt.subplots(
    2, 1, figsize=(6.4, 4.7), height_ratios=(2.1, 1.3), layout="constrained")
ComparisonDisplay.from_comparison(result, ax=scores)
figure.suptitle("Accuracy in new people (one point per person)", fontsize="medium")
words.set_axis_off()
verdict = "\n".join(textwrap.fill(line, 62) for line in report.verdict.splitlines()[:1])
words.text(0, 0.9, "confound_report", weight="bold", va="top", transform=words.transAxes)
words.text(0, 0.68, verdict, va="top", transform=words.transAxes,
           bbox={"facecolor": "#FBE9EC", "edgecolor": "#D1495B", "boxstyle": "round,pad=0.5"})
plt.show()

# %%
# Everything that the report looked at:

for line in report.verdict.splitlines():
    print(textwrap.fill(line, 90))
report.plot()
plt.show()

# %%
# Where on the scalp? The slow potentials change sign between F7 and F8, next to the eyes. The
# patterns of CSP lie over the two hands' areas.

slow, csp = (pipelines[name].fit(eeg.X, eeg.y) for name in list(pipelines)[:2])
PatternDisplay.from_estimator(slow, eeg.X, n_maps=6, shared_scale=True)
PatternDisplay.from_estimator(csp, eeg.X)
plt.show()

# %%
# Without eye movements the first decoder is at chance, and the others are where they were: they
# had used the rhythms.

without = compare(pipelines, honest.X, honest.y, cv=cv, progress=False)
for name in pipelines:
    print(f"{name}: {result.summary.loc[name, 'mean']:.2f} with eye movements, "
          f"{without.summary.loc[name, 'mean']:.2f} without")
print(confound_report(honest.X, honest.y, cv=cv, n_permutations=2).verdict)
