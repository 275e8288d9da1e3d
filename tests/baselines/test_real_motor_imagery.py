"""The plumbing, checked on imagined fists: eegmmidb, within subject, five folds."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skbci.baselines import csp_lda, tangent_space_lr
from skbci.datasets import load_recording
from skbci.evaluation import compare
from skbci.model_selection import WithinSubject

pytestmark = pytest.mark.real_data
WINDOW = {"tmin": 0.5, "tmax": 3.5}


@pytest.fixture(scope="module")
def recording(data_folder):
    return load_recording(data_folder / "eegmmidb" / "mi_fists_22ch_S001-S020.npz")


def test_csp_lda_equals_scipy_and_mne_step_by_step(recording):
    """Four subjects, filtered by sosfiltfilt, decoded by mne.decoding.CSP."""
    subject = recording.metadata["subject"].to_numpy()
    rows = np.flatnonzero(np.isin(subject, [1, 2, 3, 4]))
    X, y = recording.X[rows], recording.y[rows]
    cv = WithinSubject(5)
    ours = cross_val_score(csp_lda(6, **WINDOW), X, y, cv=cv)
    sos = butter(4, (8, 30), "bandpass", fs=160, output="sos")
    filtered = sosfiltfilt(sos, np.asarray(X) * 1e6, padlen=600)[..., 80:560]
    theirs = []
    for name in (1, 2, 3, 4):
        own = subject[rows] == name
        pipe = make_pipeline(mne.decoding.CSP(6, reg="oas", log=True),
                             LinearDiscriminantAnalysis())
        inner = StratifiedKFold(5, shuffle=True, random_state=0)
        with mne.utils.use_log_level("error"):
            theirs.extend(cross_val_score(pipe, filtered[own], y[own], cv=inner))
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.02)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.95


@pytest.mark.slow
def test_twenty_subjects_reach_the_reference_within_two_points(recording):
    pipelines = {"CSP + LDA": csp_lda(6, **WINDOW), "tangent space": tangent_space_lr(**WINDOW)}
    result = compare(pipelines, recording.X, recording.y, cv=WithinSubject(5), progress=False)
    assert len(result.subjects) == 20
    assert result.chance == pytest.approx(0.5, abs=0.02)
    assert result.summary.loc["CSP + LDA", "mean"] == pytest.approx(0.628, abs=0.02)
    assert result.summary.loc["tangent space", "mean"] == pytest.approx(0.623, abs=0.02)
