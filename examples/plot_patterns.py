"""
Patterns: where on the scalp a decoder looks
============================================

Filters of CSP, covariances on a tangent space, weights of a network: none of them can be read as
they are. `spatial_patterns` turns each into a number for every channel, and `PatternDisplay`
draws the heads.
"""

# %%
# Two hands, imagined by simulated people. The rhythms come from the two sides of the motor
# cortex, so a decoder that looks there looks at the right place.

import matplotlib.pyplot as plt

from skbci import make_pipeline
from skbci.baselines import csp_lda, tangent_space_lr
from skbci.datasets import make_motor_imagery
from skbci.display import PatternDisplay
from skbci.estimators import MLPClassifier
from skbci.evaluation import spatial_patterns
from skbci.features import BandEnergy, Crop

eeg = make_motor_imagery(n_subjects=2, n_sessions=1, n_trials=40, snr=2.0, random_state=0)
csp = csp_lda(4, tmin=0.5).fit(eeg.X, eeg.y)
PatternDisplay.from_estimator(csp, eeg.X)
plt.show()

# %%
# A tangent space with logistic regression, and a network on band powers. Each has one map: how
# much a channel counts.

tangent = tangent_space_lr(tmin=0.5).fit(eeg.X, eeg.y)
network = make_pipeline(
    Crop(0.5, 3.5), BandEnergy(((8, 13), (13, 30)), n_subbands=1, log=True),
    MLPClassifier((20,), optimizer="hjb", lr=0.1, max_epochs=40, random_state=0)).fit(eeg.X, eeg.y)
figure, axes = plt.subplots(1, 2, figsize=(6, 3.2), layout="constrained")
for ax, (name, decoder) in zip(axes, (("tangent space", tangent), ("network, HJB", network))):
    patterns = spatial_patterns(decoder, eeg.X, eeg.y, n_repeats=2)
    largest = patterns.abs().iloc[0].nlargest(4).index
    print(f"{name}: most at {', '.join(largest)}")
    PatternDisplay(patterns=patterns).plot(axes=[ax])
    ax.set_title(f"{name}:\n{patterns.index[0]}", fontsize="medium")
plt.show()
