"""BandEnergy: Parseval, additivity, the eye-state features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci.features import BandEnergy


@settings(deadline=None, max_examples=50)
@given(
    n_times=st.integers(2, 300),
    n_subbands=st.integers(1, 9),
    cut=st.floats(0.01, 0.99),
    sfreq=st.sampled_from([100.0, 128.0, 159.7]),
)
def test_bands_that_tile_the_axis_hold_the_variance(n_times, n_subbands, cut, sfreq):
    X = np.random.default_rng(n_times).standard_normal((3, 2, n_times)) + 5
    nyquist = sfreq / 2
    bands = [(0, cut * nyquist), (cut * nyquist, nyquist)]
    energy = BandEnergy(bands, n_subbands, sfreq=sfreq).fit_transform(X)
    np.testing.assert_allclose(energy.reshape(3, 2, -1).sum(axis=-1), X.var(axis=-1), rtol=1e-9)


def test_subbands_add_up_to_their_band():
    X = np.random.default_rng(0).standard_normal((4, 3, 192))
    bands = [(0.5, 4), (8, 15)]
    whole = BandEnergy(bands, 1, sfreq=128).fit_transform(X).reshape(4, 3, 2)
    parts = BandEnergy(bands, 8, sfreq=128).fit_transform(X).reshape(4, 3, 2, 8)
    np.testing.assert_allclose(parts.sum(axis=-1), whole)


def test_a_bin_is_shared_by_the_length_of_its_cell():
    # One cycle of 10 Hz in 1 s: a single bin, whose cell is 9.5 to 10.5 Hz, with power 1/2.
    X = np.sin(2 * np.pi * 10 * np.arange(100) / 100)[None, None]
    energy = BandEnergy([(9, 10), (10, 10.25), (10.25, 12), (3, 9.5)], 1, sfreq=100)
    np.testing.assert_allclose(energy.fit_transform(X)[0], [0.25, 0.125, 0.125, 0], atol=1e-12)


def test_eye_state_features_of_the_paper():
    X = np.random.default_rng(1).standard_normal((5, 14, 192))
    energy = BandEnergy(sfreq=128).fit(X)
    assert energy.transform(X).shape == (5, 448)
    names = energy.get_feature_names_out([f"E{i}" for i in range(14)])
    assert len(set(names)) == 448
    assert names[0] == "E0_0.5-0.9375Hz"
    assert names[-1] == "E13_29.125-31Hz"
    np.testing.assert_allclose(np.diff(energy.subbands_)[:, 0].reshape(4, 8),
                               [[3.5 / 8] * 8, [3 / 8] * 8, [7 / 8] * 8, [15 / 8] * 8])


def test_a_rhythm_is_found_in_its_column():
    t = np.arange(192) / 128
    X = np.random.default_rng(2).standard_normal((3, 2, 192)) * 0.05
    X[:, 1] += np.sin(2 * np.pi * 10 * t)
    energy = BandEnergy(((8, 12),), 4, sfreq=128).fit(X)
    names = energy.get_feature_names_out(["O1", "O2"])
    assert set(names[energy.transform(X).argmax(axis=1)]) <= {"O2_9-10Hz", "O2_10-11Hz"}


def test_shift_around_the_window_and_sign_change_nothing():
    X = np.random.default_rng(3).standard_normal((3, 2, 192))
    energy = BandEnergy(sfreq=128).fit(X)
    wanted = energy.transform(X)
    np.testing.assert_allclose(energy.transform(np.roll(X, 17, axis=-1)), wanted)
    np.testing.assert_allclose(energy.transform(-X + 3), wanted, atol=1e-14)


def test_rows_are_independent_and_units_square():
    X = np.random.default_rng(4).standard_normal((1500, 2, 192))
    energy = BandEnergy(sfreq=128).fit(X)
    wanted = energy.transform(X)
    np.testing.assert_allclose(energy.transform(X[700:705]), wanted[700:705])
    np.testing.assert_allclose(energy.transform(X * 1e-6), wanted * 1e-12)
    np.testing.assert_allclose(energy.transform(X.astype(np.float32)), wanted, rtol=1e-4)


def test_log():
    X = np.random.default_rng(5).standard_normal((3, 2, 192))
    X[0, 0] = 4.0
    plain = BandEnergy(sfreq=128).fit_transform(X)
    log = BandEnergy(sfreq=128, log=True).fit_transform(X)
    np.testing.assert_allclose(log[1:], np.log(plain[1:]))
    assert (plain[0, :32] == 0).all()
    assert np.isfinite(log).all()


@pytest.mark.parametrize(
    ("bands", "n_subbands", "message"),
    [
        ([(8, 65)], 8, r"band \(8, 65\) Hz reaches above the Nyquist frequency 64 Hz"),
        ([(8, 8)], 8, r"needs 0 <= low < high"),
        ([], 8, "bands is empty"),
        ([(8, 12)], 0, "n_subbands=0 must be at least 1"),
    ],
)
def test_bad_parameters(bands, n_subbands, message):
    X = np.random.default_rng(6).standard_normal((3, 2, 192))
    with pytest.raises(ValueError, match=message):
        BandEnergy(bands, n_subbands, sfreq=128).fit(X)
