"""slow_potentials_lr: what is below 4 Hz, and nothing above."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skbci import EEGArray
from skbci.baselines import slow_potentials_lr
from skbci.datasets import load_recording
from skbci.model_selection import LeaveSubjectsOut

RATE = 100.0


def waves(frequency, n_rows=60, seed=0):
    """A wave of fixed phase on the first channel whose sign is the label, in noise."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.resize([0, 1], n_rows))
    X = rng.standard_normal((n_rows, 3, 400))
    X[:, 0] += np.sin(2 * np.pi * frequency * np.arange(400) / RATE) * (2 * y - 1)[:, None]
    return X, y


@pytest.mark.parametrize(("frequency", "seen"), [(1.5, True), (12.0, False)])
def test_sees_what_is_slow(frequency, seen):
    X, y = waves(frequency)
    score = cross_val_score(slow_potentials_lr(sfreq=RATE), X, y, cv=3).mean()
    assert (score > 0.9) == seen


def test_features_are_means_of_eighths_of_a_second():
    X, y = waves(1.5)
    pipe = slow_potentials_lr(sfreq=RATE, tmax=2.0).fit(X, y)
    assert pipe.n_features_in_ == 3
    # 125 ms at 100 Hz: 12 samples each; 2 s hold 16 of them.
    assert pipe[-1].coef_.shape == (1, 3 * 16)
    clone(pipe)


def test_a_subject_with_large_potentials_does_not_count_for_more():
    X, y = waves(1.5)
    table = {"subject": np.repeat([1, 2], 30)}
    loud = X.copy()
    loud[:30] *= 40
    pipes = [slow_potentials_lr(sfreq=RATE).fit(EEGArray(data, table), y) for data in (X, loud)]
    np.testing.assert_allclose(pipes[0][-1].coef_, pipes[1][-1].coef_, atol=1e-6)


def test_unknown_alignment():
    with pytest.raises(ValueError, match="'scale', 'euclidean', 'riemannian'"):
        slow_potentials_lr(alignment="whiten")


@pytest.mark.real_data
def test_imagined_fists_of_new_people(data_folder):
    data = load_recording(data_folder / "eegmmidb" / "mi_fists_22ch_S001-S020.npz")
    scores = cross_val_score(slow_potentials_lr(), data.X, data.y, cv=LeaveSubjectsOut(
        n_splits=2, test_subjects=5, random_state=0))
    assert scores.mean() > 0.68
