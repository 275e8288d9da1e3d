"""WelchPSD: equality with scipy, invariances, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci.features import WelchPSD
from skbci.features._spectral.welch import WelchPlan, welch_rows


def scipy_welch(X, sfreq, n_per_seg, n_overlap=None, window="hann"):
    return scipy.signal.welch(
        X.astype(float), sfreq, window=window, nperseg=n_per_seg, noverlap=n_overlap
    )


def from_top(found, wanted):
    """Largest difference in each row as a fraction of the row's largest value."""
    return (np.abs(found - wanted).max(axis=-1) / wanted.max(axis=-1)).max()


@st.composite
def cases(draw):
    n_per_seg = draw(st.integers(2, 65))
    n_times = draw(st.integers(n_per_seg, 300))
    n_overlap = draw(st.integers(0, n_per_seg - 1))
    window = draw(st.sampled_from(["hann", "boxcar", "hamming", ("kaiser", 5.0), ("tukey", 0.3)]))
    seed = draw(st.integers(0, 2**16))
    return n_per_seg, n_times, n_overlap, window, seed


@settings(deadline=None, max_examples=60)
@given(cases())
def test_equals_scipy_for_any_segments_and_window(case):
    n_per_seg, n_times, n_overlap, window, seed = case
    X = np.random.default_rng(seed).standard_normal((3, 2, n_times))
    freqs, wanted = scipy_welch(X, 100.0, n_per_seg, n_overlap, window)
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-13)):
        psd = WelchPSD(sfreq=100, n_per_seg=n_per_seg, n_overlap=n_overlap, window=window,
                       dtype=dtype).fit(X)
        found = psd.transform(X).reshape(wanted.shape)
        np.testing.assert_allclose(psd.freqs_, freqs)
        assert found.dtype == np.float64
        # Of two samples scipy's own mean removal leaves rounding only in some bins.
        assert np.abs(found - wanted).max() <= tolerance * wanted.max()


def test_float64_agrees_to_rounding_in_every_bin():
    X = np.random.default_rng(0).standard_normal((20, 4, 500)) * 1e-5
    wanted = scipy_welch(X, 250.0, 250)[1]
    found = WelchPSD(sfreq=250, n_per_seg=250).fit_transform(X)
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-10)


@pytest.mark.parametrize("unit", [1e-13, 1e-6, 1.0, 1e6, 1e15])
@pytest.mark.parametrize("offset", [0.0, 3.0, 1000.0, -30000.0])
@pytest.mark.parametrize("in_dtype", [np.float64, np.float32])
def test_float32_accuracy_holds_for_any_unit_and_offset(unit, offset, in_dtype):
    X = np.random.default_rng(1).standard_normal((30, 2, 400)) + offset
    X = (X * unit).astype(in_dtype)
    if in_dtype == np.float32 and unit in (1e-13, 1e15):
        X = X / np.float32(unit)  # its squares would not fit the output's own dtype
    wanted = scipy_welch(X, 250.0, 200)[1]
    psd = WelchPSD(sfreq=250, n_per_seg=200, dtype="float32")
    found = psd.fit_transform(X).reshape(wanted.shape)
    assert from_top(found, wanted) < 1e-6


@pytest.mark.parametrize("unit", [1e-150, 1e-13, 1e-6, 1.0, 1e15, 1e150])
@pytest.mark.parametrize("offset", [0.0, 30.0, 1000.0, -30000.0])
def test_float64_accuracy_holds_for_any_unit_and_offset(unit, offset):
    X = (np.random.default_rng(1).standard_normal((30, 2, 400)) + offset) * unit
    wanted = scipy_welch(X / unit, 250.0, 200)[1]
    found = WelchPSD(sfreq=250, n_per_seg=200).fit_transform(X).reshape(wanted.shape)
    # The samples themselves are rounded, offset and all.
    rounding = 4 * np.finfo(float).eps * abs(offset)
    assert from_top(found / unit / unit, wanted) < 1e-12 + rounding


@pytest.mark.parametrize(("given", "sees"), [(np.float32, 1e-4), (np.float64, 1e-12)])
def test_the_input_says_how_precise(given, sees):
    X = np.random.default_rng(3).standard_normal((3, 2, 512)).astype(given)
    psd = WelchPSD(sfreq=128, n_per_seg=128).fit(X)
    out = psd.transform(X)
    assert out.dtype == given
    wanted = scipy_welch(X, 128.0, 128)[1].reshape(3, -1)
    error = np.abs(out / wanted - 1).max()
    assert error < sees
    assert given is np.float64 or error > 1e-9
    explicit = WelchPSD(sfreq=128, n_per_seg=128, dtype=np.dtype(given).name).fit(X)
    np.testing.assert_array_equal(explicit.transform(X), out)
    if given is np.float64:
        single = explicit.set_params(dtype="float32").transform(X)
        assert 1e-9 < np.abs(single / wanted - 1).max() < 1e-4


def test_float32_accuracy_with_drift_line_noise_and_artifact():
    rng = np.random.default_rng(2)
    t = np.arange(1000) / 250
    X = rng.standard_normal((40, 3, 1000)) + 50 * np.sin(2 * np.pi * 50 * t)
    X[:, 1] += 200 * t
    X[::5, 2, 500:520] += 5000
    wanted = scipy_welch(X, 250.0, 250)[1]
    psd = WelchPSD(sfreq=250, n_per_seg=250, dtype="float32")
    found = psd.fit_transform(X).reshape(wanted.shape)
    assert from_top(found, wanted) < 1e-6


def test_unit_changes_nothing_but_the_unit():
    X = np.random.default_rng(3).standard_normal((10, 3, 300)) * 1e-5
    psd = WelchPSD(sfreq=100, n_per_seg=128).fit(X)
    volts, microvolts = psd.transform(X), psd.transform(X * 1e6)
    np.testing.assert_allclose(microvolts, volts * 1e12, atol=1e-13 * microvolts.max())


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 5000), st.integers(1, 9), st.integers(0, 31))
def test_chunk_size_never_changes_the_result(chunk, n_rows, n_overlap):
    data = np.random.default_rng(n_rows).standard_normal((n_rows, 200))
    plan = WelchPlan(200, 32, 32 - n_overlap, 100.0, "hann")
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-14)):
        whole = welch_rows(data, plan, dtype)
        parts = welch_rows(data, plan, dtype, chunk=chunk)
        np.testing.assert_allclose(parts, whole, atol=tolerance * whole.max())


def test_parts_of_a_long_recording_are_averaged_alike():
    X = np.random.default_rng(4).standard_normal((1, 2, 300_000))
    wanted = scipy_welch(X, 250.0, 256)[1]
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-13)):
        found = WelchPSD(sfreq=250, dtype=dtype).fit_transform(X).reshape(wanted.shape)
        assert from_top(found, wanted) < tolerance


def test_rows_and_channels_are_independent():
    X = np.random.default_rng(5).standard_normal((12, 4, 256))
    psd = WelchPSD(sfreq=128, n_per_seg=64).fit(X)
    all_rows = psd.transform(X)
    np.testing.assert_array_equal(psd.transform(X[3:7]), all_rows[3:7])
    order = np.random.default_rng(6).permutation(12)
    np.testing.assert_array_equal(psd.transform(X[order]), all_rows[order])
    flipped = psd.transform(X[:, ::-1]).reshape(12, 4, -1)
    np.testing.assert_array_equal(flipped[:, ::-1].reshape(12, -1), all_rows)


def test_white_noise_integrates_to_its_variance():
    X = np.random.default_rng(7).standard_normal((4, 2, 20_000)) * 3
    psd = WelchPSD(sfreq=200, n_per_seg=200).fit(X)
    power = psd.transform(X).reshape(4, 2, -1).sum(axis=-1) * (psd.freqs_[1] - psd.freqs_[0])
    np.testing.assert_allclose(power, 9, rtol=0.05)


def test_scaling_a_channel_scales_its_densities_by_the_square():
    X = np.random.default_rng(8).standard_normal((5, 2, 128))
    psd = WelchPSD(sfreq=128, n_per_seg=32).fit(X)
    before = psd.transform(X).reshape(5, 2, -1)
    after = psd.transform(X * np.array([1, 7])[:, None]).reshape(5, 2, -1)
    np.testing.assert_allclose(after[:, 0], before[:, 0], rtol=1e-5)
    np.testing.assert_allclose(after[:, 1], before[:, 1] * 49, rtol=1e-5)


def test_mental_imagery_features_of_the_paper():
    X = np.random.default_rng(9).standard_normal((6, 8, 512))
    psd = WelchPSD(sfreq=512, n_per_seg=256, n_overlap=192, fmin=8, fmax=30).fit(X)
    np.testing.assert_allclose(psd.freqs_, np.arange(8, 31, 2))
    features = psd.transform(X)
    assert features.shape == (6, 96)
    freqs, full = scipy_welch(X, 512.0, 256, 192)
    wanted = full[..., (freqs >= 8) & (freqs <= 30)].reshape(6, 96)
    np.testing.assert_allclose(features, wanted, atol=1e-6 * full.max())


def test_a_rhythm_is_found_in_its_column():
    t = np.arange(512) / 128
    X = np.random.default_rng(10).standard_normal((4, 3, 512)) * 0.1
    X[:, 1] += np.sin(2 * np.pi * 10 * t)
    psd = WelchPSD(sfreq=128, n_per_seg=128).fit(X)
    names = psd.get_feature_names_out(["Fz", "Cz", "Pz"])
    assert set(names[psd.transform(X).argmax(axis=1)]) == {"Cz_10Hz"}


def test_log_is_the_natural_logarithm_and_no_outlier_for_silence():
    X = np.random.default_rng(11).standard_normal((4, 2, 64))
    plain = WelchPSD(sfreq=64, n_per_seg=32).fit(X)
    log = WelchPSD(sfreq=64, n_per_seg=32, log=True).fit(X)
    np.testing.assert_allclose(log.transform(X), np.log(plain.transform(X)))
    X[0, 0] = 0.0
    assert (plain.transform(X)[0, :17] == 0).all()
    with pytest.warns(UserWarning, match=r"WelchPSD: 1 of 4 rows .* row 0 \(flat in channel 0\)"):
        silent = log.transform(X)
    fitted = log.transform(np.random.default_rng(11).standard_normal((4, 2, 64)))
    np.testing.assert_allclose(silent[0, :17], fitted[:, :17].mean(axis=0))
    np.testing.assert_array_equal(silent[0, 17:], fitted[0, 17:])


@pytest.mark.parametrize("n_times", [1, 2, 100, 256, 300])
def test_default_segment_is_scipys(n_times):
    X = np.random.default_rng(12).standard_normal((5, n_times)) * np.arange(1, n_times + 1)
    psd = WelchPSD(sfreq=50).fit(X)
    assert psd.n_per_seg_ == min(256, n_times)
    wanted = scipy_welch(X, 50.0, min(256, n_times))[1]
    np.testing.assert_allclose(psd.transform(X), wanted, atol=1e-6 * wanted.max())


def test_longer_rows_than_in_fit_are_welcome_and_shorter_ones_down_to_a_segment():
    rng = np.random.default_rng(13)
    psd = WelchPSD(sfreq=100, n_per_seg=50).fit(rng.standard_normal((3, 2, 200)))
    for n_times in (50, 130, 400):
        X = rng.standard_normal((3, 2, n_times))
        wanted = scipy_welch(X, 100.0, 50)[1].reshape(3, -1)
        np.testing.assert_allclose(psd.transform(X), wanted, atol=1e-6 * wanted.max())
    with pytest.raises(ValueError, match="windows longer than the signal: n_per_seg=50"):
        psd.transform(rng.standard_normal((3, 2, 49)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_per_seg": 101}, "windows longer than the signal"),
        ({"n_per_seg": 0}, "n_per_seg=0 must be at least 1"),
        ({"n_per_seg": 20, "n_overlap": 20}, "n_overlap=20 must be smaller than the segment"),
        ({"n_overlap": -1}, "n_overlap=-1 must be at least 0"),
        ({"fmax": 60}, "fmax=60 Hz must lie between 0 and the Nyquist frequency 50 Hz"),
        ({"fmin": -1}, "fmin=-1 Hz must lie between"),
        ({"fmin": 30, "fmax": 20}, "no frequency between fmin=30 and fmax=20 Hz"),
        ({"fmin": 10.2, "fmax": 10.4, "n_per_seg": 100}, "no frequency between"),
        ({"window": "hanning-ish"}, "window"),
        ({"dtype": "float16"}, "dtype='float16' is not one of 'float32', 'float64'"),
    ],
)
def test_bad_parameters(params, message):
    X = np.random.default_rng(14).standard_normal((4, 2, 100))
    with pytest.raises(ValueError, match=message):
        WelchPSD(sfreq=100, **params).fit(X)


def test_a_segment_length_that_is_no_whole_number():
    with pytest.raises(TypeError, match=r"n_per_seg=25\.5 must be an integer"):
        WelchPSD(sfreq=100, n_per_seg=25.5).fit(np.random.default_rng(0).random((4, 2, 100)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 40, 99])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_not_a_number_is_found_wherever_it_is(bad, place, dtype):
    X = np.random.default_rng(15).standard_normal((4, 2, 100))
    # The last samples belong to no whole segment, and the window is zero at the first.
    psd = WelchPSD(sfreq=100, n_per_seg=32, fmin=10, dtype=dtype).fit(X)
    X[2, 1, place] = bad
    with pytest.raises(ValueError, match="NaN|infinity"):
        psd.transform(X)


def test_float64_values_beyond_float32_are_no_error():
    X = np.random.default_rng(16).standard_normal((4, 2, 100)) * 1e60
    wanted = scipy_welch(X, 100.0, 50)[1].reshape(4, -1)
    found = WelchPSD(sfreq=100, n_per_seg=50).fit_transform(X)
    np.testing.assert_allclose(found, wanted, atol=1e-6 * wanted.max())


@pytest.mark.real_data
@pytest.mark.parametrize("subject", ["S001", "S015"])
def test_occipital_alpha_rises_when_the_eyes_close(data_folder, subject):
    with np.load(data_folder / "eegmmidb" / f"eyes_{subject}_64ch.npz") as file:
        names = file["ch_names"].tolist()
        occipital = [names.index(name) for name in ("O1", "Oz", "O2")]
        X = np.stack([file[run][occipital] for run in ("run01", "run02")]) * 1e-6
        sfreq = float(file["sfreq"])
    psd = WelchPSD(sfreq=sfreq, n_per_seg=320, fmin=8, fmax=12)
    eyes_open, eyes_closed = psd.fit_transform(X).mean(axis=1) * 1e12
    assert 10 < eyes_open < 500  # microvolts squared per Hz
    assert eyes_closed > 2 * eyes_open
