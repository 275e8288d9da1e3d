"""Confounds of the simulator: what they add, where and when."""

from __future__ import annotations

import numpy as np
import pytest

from skbci.datasets import make_motor_imagery

SIZE = {"n_subjects": 1, "n_sessions": 1, "n_trials": 12, "tmin": -1.0, "duration": 4.0}
PAIRS = ("F7", "F8", "C3", "C4", "PO7", "PO8")


def added(**confound):
    """What a confound adds, in uV, and the labels; without a reference nothing else changes."""
    common = {**SIZE, "ch_names": PAIRS, "reference": None, "random_state": 5}
    plain, other = make_motor_imagery(**common), make_motor_imagery(**common, **confound)
    assert plain.y.tolist() == other.y.tolist()
    return (np.asarray(other.X) - np.asarray(plain.X)) * 1e6, other.y, other.X.sfreq


def test_without_confounds_the_data_are_those_of_before():
    data = make_motor_imagery(**SIZE, random_state=5)
    same = make_motor_imagery(**SIZE, random_state=5, ocular=0, evoked=0, drift_with_label=0)
    np.testing.assert_array_equal(data.X, same.X)


def test_eyes_look_to_the_side_of_the_cue_and_back():
    what, y, rate = added(ocular=1.0)
    assert np.abs(what[..., : int(rate)]).max() < 1e-9  # before the cue
    left = what[y == "left_hand"].mean(axis=0)
    right = what[y == "right_hand"].mean(axis=0)
    look = slice(int(1.45 * rate), int(1.75 * rate))  # 0.45 to 0.75 s after the cue
    # The cornea is positive: the eye that turns to the left makes F7 positive, F8 negative.
    assert left[0, look].mean() > 30 > -30 > left[1, look].mean()
    assert right[1, look].mean() > 30 > -30 > right[0, look].mean()
    assert np.abs(what[..., int(3.0 * rate) :]).max() < 1e-9
    assert np.abs(left[0, look]).mean() > 3 * np.abs(left[2, look]).mean()


def test_a_cue_evokes_a_negativity_over_the_other_hemisphere():
    what, y, rate = added(evoked=1.0)
    assert np.abs(what[..., : int(0.9 * rate)]).max() < 1e-3
    n2pc = slice(int(1.22 * rate), int(1.30 * rate))
    left = what[y == "left_hand"].mean(axis=0)[:, n2pc].mean(axis=1)
    right = what[y == "right_hand"].mean(axis=0)[:, n2pc].mean(axis=1)
    assert left[5] < -8 < left[4] + 8
    assert right[4] < -8 < right[5] + 8


def test_strength_is_a_factor():
    one, _, _ = added(evoked=1.0)
    three, _, _ = added(evoked=3.0)
    np.testing.assert_allclose(three, 3 * one, atol=1e-6)


def test_trials_in_blocks_while_the_level_drifts():
    data = make_motor_imagery(1, 1, 30, random_state=0, drift_with_label=3.0, n_runs=2)
    for run in (1, 2):
        y = data.y[data.metadata["run"] == run]
        assert (y[1:] != y[:-1]).sum() == 1
    level = np.asarray(data.X)[data.metadata["run"] == 1].std(axis=(1, 2))
    assert np.log2(level[-1] / level[0]) == pytest.approx(2, abs=0.6)  # by the factor four


@pytest.mark.parametrize("name", ["ocular", "evoked", "drift_with_label"])
@pytest.mark.parametrize("value", [-1, np.nan, "x", True])
def test_bad_strengths(name, value):
    with pytest.raises((ValueError, TypeError), match=f"{name}="):
        make_motor_imagery(**{name: value})
