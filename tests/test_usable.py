"""Rows without usable signal: how they are found, and that they spoil no other row."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci._usable import (
    amplitudes,
    find_unusable,
    report_unusable,
    typical_amplitude,
)
from skbci.baselines import BandCSP
from skbci.datasets import make_erp, make_eye_state, make_motor_imagery, make_ssvep
from skbci.features import (
    BandEnergy,
    CausalCentering,
    EuclideanAlignment,
    FilterBank,
    RankReducer,
    RiemannianRecentering,
    SlidingWindows,
    WelchPSD,
)
from skbci.stream import OnlineDecoder

N, C, T = 24, 4, 200
NAMES = ["C3", "Cz", "C4", "Pz"]


def signals(seed=0, n=N):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, C, T)) * 1e-5
    y = np.arange(n) % 2
    X[y == 0, 0] *= 3
    return X, y


def spoil(row, kind):
    """Put one of the faults of recordings into a row, shape (n_channels, n_times)."""
    T = row.shape[-1]
    if kind == "zeros":
        row[:] = 0.0
    elif kind == "railed":
        row[:] = np.array([0.1875, -0.1875] * 2)[:, None]
    elif kind == "lost packets":
        for start in range(0, T, T // 4):
            row[:, start : start + T // 6] = row[:, start, None]
    elif kind == "one channel":
        row[2] = 3e-4
    elif kind == "between the rails":
        row[:] = 0.1875 * np.sign(row)
    elif kind == "one huge sample":
        row[1, T // 2] = 10.0
    elif kind == "rounding":
        row[:] = 0.1 + row * 1e-13
    elif kind == "almost off":
        row[3] *= 1e-4
    return row


KINDS = [
    "zeros", "railed", "lost packets", "one channel", "between the rails", "one huge sample",
    "rounding", "almost off",
]


# -- how they are found ----------------------------------------------------------------------


def test_an_amplitude_is_the_difference_of_largest_and_smallest():
    X, _ = signals()
    np.testing.assert_array_equal(amplitudes(X), X.max(axis=2) - X.min(axis=2))
    np.testing.assert_array_equal(typical_amplitude(amplitudes(X)), np.median(np.ptp(X, 2), 0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_every_kind_of_fault_is_found_and_nothing_else(kind, dtype, unit):
    X, _ = signals()
    spoil(X[5], kind)
    found = find_unusable(amplitudes((X * unit).astype(dtype)))
    assert np.flatnonzero(found.rows).tolist() == [5]
    channels = {"one channel": [2], "one huge sample": [1], "almost off": [3]}
    wanted = channels.get(kind, [0, 1, 2, 3])
    assert np.flatnonzero(found.channels[5]).tolist() == wanted
    large = kind in ("between the rails", "one huge sample")
    assert found.large[5].any() == large
    assert found.flat[5].any() != large


@pytest.mark.parametrize(
    ("share", "flat"), [(0.3, False), (0.49, False), (0.5, True), (0.9, True)]
)
def test_half_a_row_of_constant_stretches_is_flat(share, flat):
    X, _ = signals()
    X[3, 1, 40 : 40 + round(share * T)] = 2e-5
    assert (amplitudes(X)[3, 1] == 0) == flat
    # Pieces count together if they are long enough.
    X, _ = signals(1)
    n = round(share * T / 4)
    for start in range(0, T, T // 4):
        X[3, 1, start : start + n] = X[3, 1, start]
    assert (amplitudes(X)[3, 1] == 0) == (flat and n >= T / 10)


def test_coarse_steps_of_a_quiet_signal_are_no_faults():
    rng = np.random.default_rng(0)
    slow = np.cumsum(rng.standard_normal((50, 3, 1000)), axis=-1) * 0.2
    steps = np.round(slow)  # of five samples each, some of many
    assert np.mean(steps[..., 1:] == steps[..., :-1]) > 0.8
    assert (amplitudes(steps) > 0).all()


def test_offset_and_drift_do_not_matter():
    X, _ = signals()
    shifted = X + np.linspace(-0.3, 0.3, N)[:, None, None]
    assert not find_unusable(amplitudes(shifted)).rows.any()


def test_values_that_are_not_finite_are_left_to_others():
    X, _ = signals()
    X[1, 0, 3], X[2, 1, 4] = np.nan, np.inf
    assert not find_unusable(amplitudes(X)).rows.any()
    X[3, 0, :2] = 1.7e308, -1.7e308  # finite, but not their difference
    assert np.flatnonzero(find_unusable(amplitudes(X)).rows).tolist() == [3]


def test_a_row_is_judged_by_itself_and_by_what_is_typical():
    X, _ = signals()
    typical = typical_amplitude(amplitudes(X))
    spoil(X[5], "zeros")
    spoil(X[6], "one huge sample")
    alone = [bool(find_unusable(amplitudes(X[i : i + 1]), typical).rows[0]) for i in range(N)]
    assert np.flatnonzero(alone).tolist() == [5, 6]


def test_simulated_recordings_are_sound():
    for make in (make_motor_imagery, make_eye_state, make_ssvep, make_erp):
        X = np.asarray(make(random_state=0).X)
        for data in (X, np.round(X * 1e6)):  # as if by an amplifier of one microvolt a step
            assert not find_unusable(amplitudes(data)).rows.any(), make


def test_the_report_names_rows_and_channels():
    X, _ = signals()
    spoil(X[5], "one channel")
    spoil(X[6], "zeros")
    spoil(X[9], "one huge sample")
    found = find_unusable(amplitudes(X))
    with pytest.warns(UserWarning, match=(
        r"Who: 3 of 24 rows have no usable signal: row 5 \(flat in channel 'C4'\), "
        r"row 6 \(flat in all channels\), row 9 \(too large in channel 'Cz'\). Then."
    )):
        report_unusable(found, "Who", NAMES, "Then.")
    with pytest.raises(ValueError, match="row 5 .*on_bad_rows='prior'"):
        report_unusable(found, "Who", NAMES, action="raise")
    report_unusable(found, "Who", NAMES, action="ignore")
    report_unusable(find_unusable(amplitudes(X[:5])), "Who")


# -- steps that take a mean over rows --------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("align", [EuclideanAlignment, RiemannianRecentering])
def test_alignment_takes_its_mean_without_them(align, kind):
    X, _ = signals()
    spoil(X[5], kind)
    rest = np.delete(X, 5, axis=0)
    wanted = align().fit(rest)
    with pytest.warns(UserWarning, match=r"1 of 24 rows has no usable signal: row 5 \("):
        step = align().fit(EEGArray(X, {"subject": [1] * N}, sfreq=100, ch_names=NAMES))
    np.testing.assert_array_equal(step.references_[1,], wanted.references_[()])
    with pytest.warns(UserWarning, match="row 5"):
        out = align().fit(rest).transform(X)
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(np.delete(out, 5, axis=0), wanted.transform(rest))


def test_a_group_of_few_rows_is_judged_by_those_of_fit():
    X, _ = signals()
    step = EuclideanAlignment().fit(EEGArray(X, {"subject": [1] * N}))
    new = EEGArray(X[:2].copy(), {"subject": [2] * 2})
    new[1] *= 1e5
    with pytest.warns(UserWarning, match=r"row 1 \(too large"):
        out = step.transform(new)
    alone = step.transform(new[:1])
    np.testing.assert_array_equal(out[0], alone[0])


def test_a_group_without_any_signal_is_an_error_in_fit():
    X, _ = signals()
    X[:4] = 0.0
    eeg = EEGArray(X, {"subject": [1] * 4 + [2] * (N - 4)})
    with pytest.raises(ValueError, match=r"none of the 4 rows of the group \(1,\)"):
        EuclideanAlignment().fit(eeg)


@pytest.mark.parametrize("kind", KINDS)
def test_the_rank_is_that_of_the_other_rows(kind):
    X, _ = signals()
    X[:, 3] = X[:, 0] - X[:, 1]
    spoil(X[5], kind)
    with pytest.warns(UserWarning, match="RankReducer: 1 of 24 rows has"):
        found = RankReducer().fit(X)
    wanted = RankReducer().fit(np.delete(X, 5, axis=0))
    assert found.rank_ == 3
    np.testing.assert_array_equal(found.components_, wanted.components_)


@pytest.mark.parametrize("kind", KINDS)
def test_spatial_patterns_are_those_of_the_other_rows(kind):
    X, y = signals()
    spoil(X[5], kind)
    rest = np.delete(X, 5, axis=0)
    with pytest.warns(UserWarning, match="BandCSP: 1 of 24 rows has no usable signal: row 5"):
        found = BandCSP(2).fit(X, y)
    wanted = BandCSP(2).fit(rest, np.delete(y, 5))
    np.testing.assert_array_equal(found.filters_, wanted.filters_)
    with pytest.warns(UserWarning, match="row 5"):
        features = found.transform(X)
    others = wanted.transform(rest)
    np.testing.assert_array_equal(np.delete(features, 5, axis=0), others)
    # What says nothing lies in the middle.
    np.testing.assert_allclose(features[5], others.mean(axis=0), rtol=1e-12)


def test_classes_of_which_nothing_is_left_are_an_error():
    X, y = signals()
    X[y == 1] = 0.0
    with pytest.raises(ValueError, match="12 of 24 rows have a usable signal.*none of class 1"):
        BandCSP(2).fit(X, y)


# -- logarithms of powers --------------------------------------------------------------------

LOGS = {
    "WelchPSD": WelchPSD(sfreq=100, n_per_seg=50, fmin=8, fmax=30, log=True),
    "BandEnergy": BandEnergy(((8, 12), (12, 30)), 2, sfreq=100, log=True),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(LOGS))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_channel_without_signal_has_the_mean_logarithms_of_fit(name, kind, dtype):
    X = signals()[0].astype(dtype)
    bad = X.copy()
    spoil(bad[5], kind)
    clean = np.asarray(LOGS[name].fit_transform(X)).reshape(N, C, -1)
    single = {"one channel": [2], "almost off": [3], "one huge sample": [1]}
    channels = single.get(kind, [0, 1, 2, 3])
    others = np.delete(np.arange(N), 5)
    wanted = clean.copy()
    wanted[5, channels] = clean[others][:, channels].mean(axis=0)
    with pytest.warns(UserWarning, match=rf"{name}: 1 of 24 rows has .*row 5 \("):
        found = LOGS[name].fit_transform(bad)
    np.testing.assert_allclose(found.reshape(N, C, -1), wanted, rtol=1e-6)
    np.testing.assert_array_equal(found[others].reshape(N - 1, C, -1), clean[others])
    with pytest.warns(UserWarning, match="no usable signal"):
        again = LOGS[name].fit(bad).transform(bad)
    np.testing.assert_array_equal(found, again)
    alone = LOGS[name].transform(bad[6:7])
    np.testing.assert_array_equal(alone[0], found[6])


def test_powers_themselves_are_left_as_they_are():
    X, _ = signals()
    X[5] = 0.0
    out = WelchPSD(sfreq=100, n_per_seg=50).fit_transform(X)
    assert (out[5] == 0).all()


def test_one_channel_a_row_is_judged_too():
    X = signals()[0][:, 1]
    X[3] = 7.0
    with pytest.warns(UserWarning, match="row 3"):
        out = WelchPSD(sfreq=100, n_per_seg=50, log=True).fit_transform(X)
    np.testing.assert_allclose(out[3], np.delete(out, 3, axis=0).mean(axis=0))


@pytest.mark.parametrize("first", [
    (), (FilterBank(((4, 40),), sfreq=100, phase="causal", output="channels"),),
], ids=["broad", "filtered"])
def test_after_a_drop_out_a_stream_decides_as_without_it(first):
    rng = np.random.default_rng(0)
    n = 100 * 40
    truth = np.where(np.arange(n) // 500 % 2, "open", "closed")
    recording = rng.standard_normal((C, n)) * 1e-5
    recording[2] += 2e-5 * np.sin(2 * np.pi * 10 * np.arange(n) / 100) * (truth == "closed")
    cut = SlidingWindows(1.0, 0.25, sfreq=100)
    windows, y = cut.explode(recording, truth)
    pipe = make_pipeline(*first, WelchPSD(sfreq=100, n_per_seg=50, fmin=6, fmax=30, log=True),
                         CausalCentering(), LinearDiscriminantAnalysis()).fit(windows, y)
    broken = recording.copy()
    broken[:, 1000:1200] = 0.0
    with pytest.warns(UserWarning, match="WelchPSD: the window that begins at 10 s has no usable"):
        times, online = OnlineDecoder(pipe, 1.0, 0.25, sfreq=100).update(broken)
    with pytest.warns(UserWarning, match="no usable signal"):
        offline = pipe.predict_proba(cut.explode(broken, truth)[0])
    np.testing.assert_allclose(online, offline, rtol=1e-6, atol=1e-9)
    _, sound = OnlineDecoder(pipe, 1.0, 0.25, sfreq=100).update(recording)
    later = times > 13
    right = truth[np.rint(times * 100).astype(int)][later]
    found, wanted = (
        np.mean(pipe.classes_[p[later].argmax(axis=1)] == right) for p in (online, sound)
    )
    assert found > wanted - 0.02


@pytest.mark.parametrize(("times", "flat", "large"), [
    (1 / 1100, True, False), (1 / 900, False, False), (900, False, False), (1100, False, True),
])
def test_a_thousandfold_of_the_typical_amplitude_is_the_limit(times, flat, large):
    amplitude = np.ones((7, 2))
    amplitude[3, 1] = times
    found = find_unusable(amplitude)
    assert (found.flat[3, 1], found.large[3, 1]) == (flat, large)
    assert found.channels.sum() == flat + large
