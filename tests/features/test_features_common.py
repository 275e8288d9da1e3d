"""What every transformer of the room keeps to: inputs, context, names, errors."""

from __future__ import annotations

import pickle
import tracemalloc

import joblib
import mne
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skbci import EEGArray
from skbci.features import (
    BandEnergy,
    ChannelNormalizer,
    Crop,
    FilterBank,
    RankReducer,
    SlidingWindows,
    WelchPSD,
)

FEATURES = [WelchPSD(n_per_seg=64), WelchPSD(fmin=8, fmax=30, log=True), BandEnergy()]
TIMED = [*FEATURES, FilterBank(), FilterBank(phase="causal", output="channels"),
         SlidingWindows(0.5, 0.25), Crop(0.25, 1)]
EVERY = [*TIMED, ChannelNormalizer("zscore"), RankReducer()]
# Few columns of each channel.
NARROW = {WelchPSD: {"n_per_seg": 64, "fmin": 8, "fmax": 17},
          BandEnergy: {"bands": ((8, 12),), "n_subbands": 1}}
LEARNS_NOTHING = [t for t in EVERY if not isinstance(t, RankReducer)]


def show(transformer):
    return str(transformer)


@pytest.fixture
def eeg():
    X = np.random.default_rng(0).standard_normal((12, 3, 192)) * 1e-5
    table = {"subject": np.repeat([1, 2, 3], 4), "onset": np.arange(12.0)}
    return EEGArray(X, table, sfreq=128, ch_names=["C3", "Cz", "C4"])


@pytest.fixture
def epochs(eeg):
    return eeg.to_epochs()


@pytest.mark.parametrize("transformer", EVERY, ids=show)
def test_epochs_lists_and_arrays_give_the_same(transformer, eeg, epochs):
    wanted = np.asarray(clone(transformer).fit_transform(eeg))
    for X in (epochs, [epochs[i] for i in range(12)]):
        out = clone(transformer).fit(X).transform(X)
        np.testing.assert_allclose(np.asarray(out), wanted)
        assert out.metadata["subject"].tolist() == eeg.metadata["subject"].tolist()
    bare = clone(transformer)
    if "sfreq" in bare.get_params():
        bare.set_params(sfreq=128)
    out = bare.fit_transform(np.asarray(eeg))
    assert type(out) is np.ndarray
    np.testing.assert_allclose(out, wanted)


@pytest.mark.parametrize("transformer", EVERY, ids=show)
def test_rows_keep_their_table_and_their_values_when_sliced(transformer, eeg):
    fitted = clone(transformer).fit(eeg)
    out, part = fitted.transform(eeg), fitted.transform(eeg[[7, 2]])
    assert part.metadata["subject"].tolist() == [2, 1]
    np.testing.assert_allclose(np.asarray(part), np.asarray(out)[[7, 2]], rtol=1e-5,
                               atol=1e-6 * np.abs(np.asarray(out)).max())


@pytest.mark.parametrize("transformer", LEARNS_NOTHING, ids=show)
def test_nothing_is_learned_from_other_rows(transformer, eeg):
    # Not a thousand times as large, which would make rows without a usable signal of the others.
    one = clone(transformer).fit(eeg[:1] * 30).transform(eeg)
    np.testing.assert_allclose(np.asarray(one), np.asarray(clone(transformer).fit_transform(eeg)))


@pytest.mark.parametrize("transformer", EVERY, ids=show)
def test_pickles_and_memory_maps(transformer, eeg, tmp_path):
    fitted = clone(transformer).fit(eeg)
    wanted = np.asarray(fitted.transform(eeg))
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(fitted)).transform(eeg)),
                                  wanted)
    joblib.dump((fitted, np.asarray(eeg)), tmp_path / "fitted.joblib")
    mapped, X = joblib.load(tmp_path / "fitted.joblib", mmap_mode="r")
    np.testing.assert_allclose(np.asarray(mapped.transform(X)), wanted)


@pytest.mark.parametrize("transformer", EVERY, ids=show)
def test_float32_stays_float32_and_the_input_is_left_alone(transformer, eeg):
    single = eeg.astype(np.float32)
    before = np.asarray(single).copy()
    out = np.asarray(clone(transformer).fit_transform(single))
    assert out.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(single), before)
    wanted = np.asarray(clone(transformer).fit_transform(eeg))
    # A component's sign or a logarithm magnifies rounding at most to this.
    np.testing.assert_allclose(out, wanted, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("transformer", TIMED, ids=show)
def test_the_sampling_rate_is_needed_once(transformer, eeg):
    with pytest.raises(ValueError, match="needs a sampling rate"):
        clone(transformer).fit(np.asarray(eeg))
    with pytest.raises(ValueError, match=r"sfreq=100 Hz was given, but the data was sampled"):
        clone(transformer).set_params(sfreq=100).fit(eeg)
    fitted = clone(transformer).fit(eeg)
    other = EEGArray(np.asarray(eeg), sfreq=256)
    with pytest.raises(ValueError, match="sampled at 256 Hz, but .* fitted at 128 Hz"):
        fitted.transform(other)


@pytest.mark.parametrize("transformer", EVERY, ids=show)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_a_number(transformer, bad, eeg):
    broken = eeg.copy()
    np.asarray(broken)[3, 1, 50] = bad
    with pytest.raises(ValueError, match="NaN|infinity"):
        clone(transformer).fit(broken)
    with pytest.raises(ValueError, match="NaN|infinity"):
        clone(transformer).fit(eeg).transform(broken)


@pytest.mark.parametrize("transformer", EVERY, ids=show)
def test_wrong_channels_and_unfitted(transformer, eeg):
    with pytest.raises(NotFittedError):
        clone(transformer).transform(eeg)
    fitted = clone(transformer).fit(eeg)
    with pytest.raises(ValueError, match="X has .* channels .*without 'C4'"):
        fitted.transform(eeg[:, :2])
    with pytest.raises(ValueError, match="fitted on 3-D input"):
        fitted.transform(np.asarray(eeg)[:, 0])


@pytest.mark.parametrize("transformer", [*FEATURES, FilterBank(), RankReducer()], ids=show)
def test_a_constant_channel_is_named(transformer, eeg):
    flat = eeg.copy()
    np.asarray(flat)[:, 1] = 3e-6
    with pytest.raises(ValueError, match="Constant channel: channel 'Cz'"):
        clone(transformer).fit(flat)


@pytest.mark.parametrize("transformer", FEATURES, ids=show)
def test_overlapping_windows_are_not_copied_all_at_once(transformer):
    """Windows of one recording are a view of it: 32 times its size, if they were copied."""
    recording = np.random.default_rng(1).standard_normal((1, 4, 400_000), dtype=np.float32)
    windows, _ = SlidingWindows(1.0, 1 / 32, sfreq=512).explode(recording)
    fitted = clone(transformer).set_params(**NARROW[type(transformer)]).fit(windows[:10])
    tracemalloc.start()
    try:
        out = fitted.transform(windows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert out.nbytes < recording.nbytes
    assert peak < 3 * recording.nbytes + 20_000_000  # blocks have a size of their own


@pytest.mark.parametrize("transformer", FEATURES, ids=show)
def test_names_match_columns(transformer, eeg):
    fitted = clone(transformer).fit(eeg)
    names = fitted.get_feature_names_out()
    out = fitted.transform(eeg)
    assert len(names) == len(set(names)) == out.shape[1]
    # Silence one channel: exactly its columns change.
    quiet = eeg.copy()
    np.asarray(quiet)[:, 1] *= 0.1
    changed = np.any(np.asarray(fitted.transform(quiet)) != np.asarray(out), axis=0)
    assert {name.split("_")[0] for name in names[changed]} == {"Cz"}
    assert all(name.startswith("Cz_") for name in names[changed])
    assert changed.sum() == len(names) // 3
    assert fitted.get_feature_names_out(["a", "b", "c"])[0].startswith("a_")
    with pytest.raises(ValueError, match="input_features should have length equal"):
        fitted.get_feature_names_out(["a", "b"])


@pytest.mark.parametrize("transformer", FEATURES, ids=show)
def test_pandas_output(transformer, eeg):
    frame = clone(transformer).set_output(transform="pandas").fit_transform(eeg)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns[0].startswith("C3_")
    assert frame.index.tolist() == list(range(12))
    np.testing.assert_allclose(frame.to_numpy(), clone(transformer).fit_transform(eeg))
    table = pd.DataFrame(np.asarray(eeg)[:, 0], index=[f"row{i}" for i in range(12)],
                         columns=[f"t{i}" for i in range(192)])
    frame = clone(transformer).set_params(sfreq=128).set_output(transform="pandas")
    frame = frame.fit_transform(table)
    assert frame.index.tolist() == table.index.tolist()
    assert frame.columns[0].startswith("EEG000_")


def test_pandas_output_of_a_pipeline_through_three_dimensions(eeg):
    pipe = make_pipeline(Crop(0.25, 1.25), ChannelNormalizer("zscore"), WelchPSD(n_per_seg=64),
                         StandardScaler())
    for chain in (pipe.set_output(transform="pandas"), clone(pipe).fit(eeg)):
        frame = chain.set_output(transform="pandas").fit_transform(eeg)
        assert isinstance(frame, pd.DataFrame)
        assert frame.columns[0] == "C3_0Hz"


def test_epochs_through_cross_validation_need_no_sfreq(eeg):
    # Rows of the second class have a louder middle channel.
    data = np.asarray(eeg).copy()
    y = np.tile([0, 1], 6)
    data[y == 1, 1] *= 10
    epochs = mne.EpochsArray(data, mne.create_info(3, 128, "eeg"), verbose="error")
    tree = DecisionTreeClassifier(random_state=0)
    pipe = make_pipeline(WelchPSD(fmin=8, fmax=30, log=True), tree)
    pipe.set_params(decisiontreeclassifier__random_state=0)
    scores = cross_val_score(pipe, epochs, y, cv=3, error_score="raise")
    np.testing.assert_array_equal(scores, 1)


def test_unit_of_the_signal_scales_features_and_nothing_else(eeg):
    for transformer in EVERY:
        volts = np.asarray(clone(transformer).fit_transform(eeg))
        micro = np.asarray(clone(transformer).fit_transform(eeg * 1e6))
        if getattr(transformer, "log", False):
            volts, micro = np.exp(volts), np.exp(micro)
        ratio = np.linalg.norm(micro) / np.linalg.norm(volts)
        assert np.isclose(ratio, [1, 1e6, 1e12], rtol=1e-5).any()
        np.testing.assert_allclose(micro, volts * ratio, atol=2e-6 * np.abs(micro).max())
