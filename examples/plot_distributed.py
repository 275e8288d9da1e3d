"""
The same scores on many processes or machines
=============================================

`compare` and scikit-learn's searches hand their folds to joblib, and joblib to processes here or
to a cluster. The scores are the same to the bit.
"""

# %%
# With ``pip install distributed`` joblib's folds run on Dask's workers, on this machine or on
# others. The rows' table travels with the rows::
#
#     from dask.distributed import Client
#     from joblib import parallel_config
#
#     client = Client("tcp://scheduler:8786")
#     with parallel_config("dask"):
#         result = compare(pipelines, eeg.X, eeg.y, cv=cv)
#
# Where distributed is not installed the folds below run in threads of this process.

import contextlib
import importlib.util

import matplotlib.pyplot as plt
import numpy as np
from joblib import parallel_config
from sklearn.model_selection import cross_val_score

from skbci import make_pipeline
from skbci.datasets import make_motor_imagery
from skbci.estimators import MLPClassifier
from skbci.features import BandEnergy, Crop, EuclideanAlignment
from skbci.model_selection import LeaveSubjectsOut

eeg = make_motor_imagery(n_subjects=8, n_sessions=1, n_trials=20, snr=2.0, random_state=0)
decoder = make_pipeline(
    Crop(0.5, 3.5), EuclideanAlignment(), BandEnergy(((8, 13), (13, 30)), n_subbands=1, log=True),
    MLPClassifier((20,), optimizer="hjb", lr=0.1, max_epochs=20, random_state=0))
cv = LeaveSubjectsOut(8)


@contextlib.contextmanager
def workers():
    """Two workers of Dask where it is installed, else two threads."""
    if importlib.util.find_spec("distributed"):
        from dask.distributed import Client, LocalCluster

        with (LocalCluster(n_workers=2, threads_per_worker=1, processes=False,
                           dashboard_address=None) as cluster,
              Client(cluster), parallel_config("dask")):
            yield "Dask, two workers"
    else:
        with parallel_config("threading", n_jobs=2):
            yield "two threads (distributed is not installed)"


alone = cross_val_score(decoder, eeg.X, eeg.y, cv=cv)
with workers() as name:
    shared = cross_val_score(decoder, eeg.X, eeg.y, cv=cv)
print(f"largest difference: {np.abs(alone - shared).max()}")

# %%
# One point per subject who was left out: all of them are on the diagonal.

figure, ax = plt.subplots(figsize=(4.2, 4), layout="constrained")
ax.plot([0.5, 1], [0.5, 1], "--", color="0.6")
ax.plot(alone, shared, "o", color="#14213D")
ax.set(xlabel="accuracy, one process", ylabel=f"accuracy, {name}", xlim=(0.5, 1.03),
       ylim=(0.5, 1.03), aspect="equal")
plt.show()
