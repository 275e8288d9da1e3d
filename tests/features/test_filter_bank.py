"""FilterBank: equality with scipy for any padding, causality, linearity."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci import EEGArray
from skbci.features import FilterBank


def butter(low, high, order, sfreq):
    if low == 0:
        return scipy.signal.butter(order, high, "lowpass", fs=sfreq, output="sos")
    if high == sfreq / 2:
        return scipy.signal.butter(order, low, "highpass", fs=sfreq, output="sos")
    return scipy.signal.butter(order, (low, high), "bandpass", fs=sfreq, output="sos")


def from_top(found, wanted):
    return np.abs(found - wanted).max() / np.abs(wanted).max()


@pytest.mark.parametrize(("sfreq", "n_times", "band", "order"), [
    (1000, 100, (8, 12), 20), (1000, 3000, (8, 12), 20), (250, 1001, (0.3, 4), 20),
    (1000, 400, (0, 20), 12),
])
def test_orders_that_leave_no_digits_for_a_correction(sfreq, n_times, band, order):
    X = np.random.default_rng(0).normal(size=(3, 3, n_times)) + 1e-3
    bank = FilterBank([band], sfreq=sfreq, order=order).fit(X)
    wanted = scipy.signal.sosfiltfilt(
        butter(*band, order, sfreq), X - X.mean(axis=-1, keepdims=True), padlen=bank.padlen_
    ) + (X.mean(axis=-1, keepdims=True) if band[0] == 0 else 0)
    assert from_top(bank.transform(X)[:, 0], wanted) < 1e-5


@pytest.mark.parametrize(("band", "order", "message"), [
    ((8, 12), 300, "order=300 must be .* at most 100"),
    ((10, 10.0001), 60, r"a filter of order=60 for the band \(10, 10.0001\) Hz .* beyond double"),
    ((1e-9, 4), 2, "a filter of order=2 for the band .*: take a lower order, or a wider band"),
])
@pytest.mark.parametrize("phase", ["zero", "causal"])
def test_filters_beyond_double_precision_are_refused(band, order, message, phase):
    bank = FilterBank([band], sfreq=250, order=order, phase=phase)
    with pytest.raises(ValueError, match=f"FilterBank: {message}"):
        bank.fit(np.random.default_rng(0).normal(size=(2, 2, 500)))


@pytest.mark.parametrize("bands", [[("8", "12")], ["89"], [(False, True)], [{8, 12}], {(8, 12)},
                                   np.array(8.0), [(8, 12, 30)], [(8,)]])
def test_bands_that_are_no_pairs_of_numbers(bands):
    with pytest.raises((TypeError, ValueError), match="FilterBank: bands"):
        FilterBank(bands, sfreq=100).fit(np.random.default_rng(0).normal(size=(2, 2, 100)))


@settings(deadline=None, max_examples=60)
@given(
    low=st.floats(1, 30),
    width=st.floats(3, 19),
    order=st.integers(1, 5),
    n_times=st.integers(2, 400),
    padding=st.floats(0, 1),
    n_channels=st.integers(1, 4),
)
def test_equals_sosfiltfilt_for_any_band_and_padding(low, width, order, n_times, padding,
                                                     n_channels):
    sfreq, band = 100.0, (low, low + width)
    padlen = int(padding * (n_times - 1))
    rng = np.random.default_rng(n_times)
    X = np.cumsum(rng.standard_normal((3, n_channels, n_times)), axis=-1)
    wanted = scipy.signal.sosfiltfilt(butter(*band, order, sfreq), X, padlen=padlen)
    for dtype, tolerance in (("float32", 5e-6), ("float64", 1e-9)):
        bank = FilterBank([band], sfreq=sfreq, order=order, padlen=padlen, dtype=dtype)
        found = bank.fit_transform(X)[:, 0]
        # A short random walk can lie almost outside of the band: measure against the walk too.
        span = max(np.abs(wanted).max(), 0.1 * np.ptp(X))
        assert np.abs(found - wanted).max() <= tolerance * span


@pytest.mark.parametrize("padlen", [None, 0, 100, 750, 999])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 5e-6), ("float64", 1e-9)])
def test_nine_bands_equal_sosfiltfilt(padlen, dtype, tolerance):
    X = np.cumsum(np.random.default_rng(0).standard_normal((3, 5, 1000)), axis=-1) * 1e-6 + 0.02
    bank = FilterBank(sfreq=250, padlen=padlen).fit(X)
    out = bank.transform(X.astype(dtype))
    assert out.dtype == dtype
    assert out.shape == (3, 9, 5, 1000)
    for b, (low, high) in enumerate(bank.bands_):
        sos = butter(low, high, 4, 250)
        wanted = scipy.signal.sosfiltfilt(sos, X, padlen=bank.padlen_)
        np.testing.assert_allclose(bank.sos_[b], sos)
        if dtype == "float32":  # which rounds the samples, offset and all
            wanted = scipy.signal.sosfiltfilt(sos, X.astype(dtype).astype(float),
                                              padlen=bank.padlen_)
        assert from_top(out[:, b], wanted) < tolerance


@pytest.mark.parametrize("band", [(0, 4), (0, 30), (30, 64), (0.5, 40)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_low_pass_high_pass_and_offsets(band, dtype):
    X = np.random.default_rng(1).standard_normal((4, 3, 256)) + 1000
    wanted = scipy.signal.sosfiltfilt(butter(*band, 4, 128), X, padlen=200)
    found = FilterBank([band], sfreq=128, padlen=200, dtype=dtype).fit_transform(X)[:, 0]
    span = np.ptp(wanted)
    assert np.abs(found - wanted).max() < (5e-6 if dtype == "float32" else 1e-8) * span


def test_a_band_from_zero_to_nyquist_leaves_the_signal():
    X = np.random.default_rng(2).standard_normal((4, 3, 100)) + 7
    np.testing.assert_allclose(FilterBank([(0, 50)], sfreq=100).fit_transform(X)[:, 0], X,
                               atol=1e-5)


def test_a_rhythm_passes_without_delay_and_others_do_not():
    t = np.arange(1000) / 250
    X = np.sin(2 * np.pi * 10 * t)[None, None]
    out = FilterBank([(8, 12), (20, 30)], sfreq=250).fit_transform(X)[0, :, 0]
    middle = slice(300, 700)
    np.testing.assert_allclose(out[0, middle], X[0, 0, middle], atol=0.01)
    assert np.abs(out[1, middle]).max() < 1e-3


@pytest.mark.parametrize("phase", ["zero", "causal"])
def test_linear(phase):
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((2, 4, 3, 200))
    bank = FilterBank([(8, 12), (0, 20)], sfreq=100, phase=phase).fit(X)
    wanted = 2 * bank.transform(X) - 3 * bank.transform(Y)
    np.testing.assert_allclose(bank.transform(2 * X - 3 * Y), wanted, atol=1e-4)


@pytest.mark.parametrize("phase", ["zero", "causal"])
@pytest.mark.parametrize("unit", [1e-14, 1e-6, 1e6])
def test_unit_changes_nothing_but_the_unit(phase, unit):
    X = np.random.default_rng(4).standard_normal((4, 3, 300))
    bank = FilterBank(sfreq=128, phase=phase).fit(X)
    wanted = bank.transform(X)
    np.testing.assert_allclose(bank.transform(X * unit) / unit, wanted, atol=2e-6)


def test_forward_backward_has_no_direction():
    X = np.random.default_rng(5).standard_normal((2, 2, 2000))
    bank = FilterBank([(8, 30)], sfreq=250).fit(X)
    there, back = bank.transform(X), bank.transform(X[..., ::-1])[..., ::-1]
    middle = slice(400, 1600)  # at the edges scipy starts the forward pass first
    np.testing.assert_allclose(there[..., middle], back[..., middle], atol=1e-5)


def test_loud_neighbours_do_not_leak_into_quiet_channels():
    X = np.random.default_rng(6).standard_normal((3, 4, 500))
    alone = FilterBank(sfreq=250).fit_transform(X)
    X[:, 1:] *= 1e8
    np.testing.assert_allclose(FilterBank(sfreq=250).fit_transform(X)[:, :, 0], alone[:, :, 0],
                               atol=1e-13)


@pytest.mark.parametrize("phase", ["zero", "causal"])
def test_rows_are_independent_whatever_the_chunks(phase, monkeypatch):
    X = np.random.default_rng(7).standard_normal((11, 3, 150))
    bank = FilterBank(sfreq=128, phase=phase).fit(X)
    wanted = bank.transform(X)
    np.testing.assert_array_equal(bank.transform(X[4:7]), wanted[4:7])
    for module in ("filters", "zero_phase"):
        monkeypatch.setattr(f"skbci.features._filtering.{module}.CHUNK", 1000)
    np.testing.assert_array_equal(bank.transform(X), wanted)


def test_causal_equals_sosfilt_from_a_steady_state():
    X = np.random.default_rng(8).standard_normal((3, 2, 300)) + 10
    bank = FilterBank([(8, 12), (0, 10)], sfreq=100, phase="causal").fit(X)
    out = bank.transform(X)
    for b, sos in enumerate(bank.sos_):
        for i in range(3):
            for c in range(2):
                zi = scipy.signal.sosfilt_zi(sos) * X[i, c, 0]
                wanted = scipy.signal.sosfilt(sos, X[i, c], zi=zi)[0]
                np.testing.assert_allclose(out[i, b, c], wanted, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 99), st.floats(-1e6, 1e6))
def test_causal_output_never_depends_on_the_future(now, change):
    X = np.random.default_rng(now).standard_normal((2, 2, 100))
    bank = FilterBank([(8, 12), (20, 30)], sfreq=100, phase="causal").fit(X)
    later = X.copy()
    later[..., now:] += change
    before = bank.transform(X)[..., :now]
    np.testing.assert_array_equal(bank.transform(later)[..., :now], before)
    np.testing.assert_allclose(bank.transform(X[..., :now]), before, atol=1e-12)


def test_zero_phase_does_depend_on_the_future():
    X = np.random.default_rng(9).standard_normal((2, 2, 100))
    bank = FilterBank([(8, 12)], sfreq=100).fit(X)
    later = X.copy()
    later[..., 50:] += 10
    assert np.abs(bank.transform(later) - bank.transform(X))[..., :50].max() > 0.1


def test_channels_are_stacked_band_by_band_with_names():
    X = np.random.default_rng(10).standard_normal((3, 2, 200))
    eeg = EEGArray(X, {"subject": [1, 2, 3]}, sfreq=100, ch_names=["C3", "C4"])
    bands = FilterBank([(8, 12), (12, 30)]).fit_transform(eeg)
    stacked = FilterBank([(8, 12), (12, 30)], output="channels").fit_transform(eeg)
    assert bands.ch_names == ["C3", "C4"]
    assert stacked.ch_names == ["C3_8-12Hz", "C4_8-12Hz", "C3_12-30Hz", "C4_12-30Hz"]
    assert stacked.sfreq == bands.sfreq == 100
    np.testing.assert_array_equal(np.asarray(stacked), np.asarray(bands).reshape(3, 4, 200))
    assert bands.metadata["subject"].tolist() == stacked.metadata["subject"].tolist() == [1, 2, 3]


def test_rows_of_another_length_than_in_fit():
    rng = np.random.default_rng(11)
    bank = FilterBank([(8, 12)], sfreq=100).fit(rng.standard_normal((2, 2, 300)))
    X = rng.standard_normal((2, 2, 90))
    wanted = scipy.signal.sosfiltfilt(bank.sos_[0], X, padlen=min(bank.padlen_, 89))
    assert from_top(bank.transform(X)[:, 0], wanted) < 5e-6


def test_default_padding_lasts_as_long_as_the_slowest_response():
    X = np.random.default_rng(12).standard_normal((2, 2, 2000))
    bank = FilterBank(sfreq=250).fit(X)
    for sos in bank.sos_:
        start = np.ones(bank.padlen_ + 1)
        response = scipy.signal.sosfilt(sos, np.r_[start[:1], np.zeros(bank.padlen_)])
        assert np.abs(response[-20:]).max() < 0.02 * np.abs(response).max()
    assert FilterBank(sfreq=250).fit(X[..., :100]).padlen_ == 99


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bands": [(40, 51)]}, "reaches above the Nyquist frequency 50 Hz"),
        ({"bands": [(12, 8)]}, "needs 0 <= low < high"),
        ({"bands": []}, "bands is empty"),
        ({"order": 0}, "order=0 must be at least 1"),
        ({"phase": "linear"}, "phase='linear' is not one of 'zero', 'causal'"),
        ({"output": "rows"}, "output='rows' is not one of 'bands', 'channels'"),
        ({"padlen": 200}, "padlen=200 must be smaller than the 200 samples of a row"),
        ({"padlen": -1}, "padlen=-1 must be at least 0"),
    ],
)
def test_bad_parameters(params, message):
    X = np.random.default_rng(13).standard_normal((3, 2, 200))
    with pytest.raises(ValueError, match=message):
        FilterBank(**{"bands": [(8, 12)], "sfreq": 100, **params}).fit(X)
