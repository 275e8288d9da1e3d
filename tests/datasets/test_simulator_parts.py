"""The pieces of the simulators: head, noise, rhythms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from skbci.datasets._simulators.subject.head import Head, eye_topography, standard_names
from skbci.datasets._simulators.subject.noise import (
    band_share,
    blink_train,
    line_noise,
    pink_noise,
)
from skbci.datasets._simulators.subject.rhythms import response, rhythm

NAMES = ["C3", "Cz", "C4", "Fp1", "Fp2", "F7", "F8", "O1", "O2"]


@pytest.mark.parametrize("name", ["C3", "Cz", "C4", "O1"])
def test_a_radial_patch_is_strongest_under_its_electrode(name):
    head = Head(NAMES)
    topography = head.project(Head.under(name), np.zeros(3))
    assert NAMES[int(np.argmax(np.abs(topography)))] == name


def test_left_and_right_are_mirror_images():
    left, right = (Head(NAMES).project(Head.under(n), np.zeros(3)) for n in ("C3", "C4"))
    mirrored = right[[2, 1, 0, 4, 3, 6, 5, 8, 7]]
    np.testing.assert_allclose(left, mirrored, atol=0.12 * left.max())


def test_a_tangential_patch_changes_sign_across():
    head = Head(["C3", "FC3", "CP3"])
    topography = head.project(Head.under("C3"), np.array([0.0, 50.0, 0.0]))
    assert topography[1] * topography[2] < 0


def test_blinks_have_one_sign_and_looks_aside_two():
    blink = eye_topography(NAMES, (0, 0.35, 1))
    aside = eye_topography(NAMES, (1, 0, 0))
    assert blink.max() == pytest.approx(1)
    assert blink[3] == pytest.approx(blink[4], rel=0.1)
    assert aside[5] * aside[6] < 0
    assert abs(aside[1]) < 0.1


def test_names_are_spelled_as_the_system_spells_them():
    assert standard_names(["fcz", "AF3", "Poz"]) == ["FCz", "AF3", "POz"]


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_pink_noise_has_unit_variance_and_the_slope(exponent):
    noise = pink_noise((40, 20000), exponent, 100.0, np.random.default_rng(0))
    assert noise.std() == pytest.approx(1, rel=0.05)
    f, power = welch(noise, 100.0, nperseg=2000)
    fit = (f >= 2) & (f <= 45)
    slope = np.polyfit(np.log(f[fit]), np.log(power.mean(axis=0)[fit]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.08)
    share = power[:, (f >= 8) & (f <= 13)].sum() / power.sum()
    assert share == pytest.approx(band_share(exponent, 100.0, 8, 13), rel=0.1)


def test_rhythm_has_unit_variance_and_one_peak():
    waves = np.array([
        rhythm(20000, 10.5, 0.6, 128.0, np.random.default_rng(s)) for s in range(10)
    ])
    assert waves.std() == pytest.approx(1, rel=0.1)
    f, power = welch(waves, 128.0, nperseg=1280)
    power = power.mean(axis=0)
    assert f[power.argmax()] == pytest.approx(10.5, abs=0.5)
    assert power[(f > 8.5) & (f < 12.5)].sum() > 0.98 * power.sum()


def test_rhythm_above_nyquist_is_silent():
    assert not rhythm(100, 60.0, 0.5, 64.0, np.random.default_rng(0)).any()


def test_response_rises_holds_and_falls():
    time = np.linspace(-1, 6, 701)
    course = response(time, 0.5, 4.0, 0.5, 1.0)
    assert (course[time <= 0.5] == 0).all()
    np.testing.assert_allclose(course[(time >= 1.01) & (time <= 4)], 1)
    np.testing.assert_allclose(course[time >= 5.01], 0, atol=1e-15)
    assert (course >= 0).all()
    assert (course <= 1).all()


def test_blinks_come_at_their_rate_and_where_allowed():
    allowed = np.arange(128 * 600) % 2560 < 1280
    train = blink_train(128 * 600, 128.0, np.random.default_rng(0), allowed=allowed)
    assert not train[~allowed].any()
    free = blink_train(128 * 600, 128.0, np.random.default_rng(0))
    starts = np.count_nonzero((free[1:] > 0) & (free[:-1] == 0))
    assert 80 < starts < 160  # 120 expected in ten minutes


def test_line_noise_is_one_frequency():
    hum = line_noise(5, 1280, 50.0, 128.0, np.random.default_rng(0))
    f, power = welch(hum, 128.0, nperseg=256)
    assert (f[power.argmax(axis=1)] == 50).all()


@pytest.mark.parametrize("per_minute", [6.0, 12.0, 20.0])
def test_blinks_come_as_often_as_they_are_to(per_minute):
    sfreq, minutes = 50, 60
    signal = blink_train(minutes * 60 * sfreq, sfreq, np.random.default_rng(0),
                         per_minute=per_minute)
    begins = (signal[1:] > 0) & (signal[:-1] <= 0)
    assert begins.sum() / minutes == pytest.approx(per_minute, rel=0.08)
