"""
Public recordings through MOABB
===============================

MOABB knows some hundred public recordings. `fetch_moabb` brings any of them into the one form
that all of skbci takes; pipelines from here run unchanged in MOABB's own evaluations.
"""

# %%
# With ``pip install "skbci[moabb]"``, one call downloads a data set and cuts it into epochs::
#
#     from skbci.datasets import fetch_moabb
#
#     eeg = fetch_moabb("BNCI2014_001", "LeftRightImagery", subjects=[1, 2, 3], fmin=1, fmax=40)
#
# This page is built without a network: where MOABB is installed it takes MOABB's own stand-in for
# a data set, which holds noise, so that nothing can be decoded; elsewhere the simulator takes its
# place.

import importlib.util

import matplotlib.pyplot as plt

from skbci.baselines import csp_lda, riemann_mdm, tangent_space_lr
from skbci.datasets import fetch_moabb, make_motor_imagery
from skbci.display import ComparisonDisplay
from skbci.evaluation import compare
from skbci.model_selection import SessionSplit

if importlib.util.find_spec("moabb"):
    from moabb.datasets.fake import FakeDataset

    noise = FakeDataset(["left_hand", "right_hand"], n_subjects=4, n_runs=1, seed=0)
    eeg = fetch_moabb(noise, "LeftRightImagery")
    source = "MOABB's stand-in (noise)"
else:
    eeg = make_motor_imagery(n_subjects=6, n_sessions=2, n_trials=30, random_state=0)
    source = "simulated (MOABB is not installed)"
print(eeg.X)

# %%
# What comes back carries subject, session and run, so sessions can be kept apart: the first
# trains, the second tests, within each subject.

pipelines = {"CSP + LDA": csp_lda(2), "tangent space + LR": tangent_space_lr(),
             "MDM": riemann_mdm()}
result = compare(pipelines, eeg.X, eeg.y, cv=SessionSplit(), baseline="CSP + LDA", progress=False)
ComparisonDisplay.from_comparison(result)
plt.title(source, fontsize="medium")
plt.show()
print(result)
