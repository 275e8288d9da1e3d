"""Time stamps, gaps, sessions, learning and bad input of the online decoder."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skbci import EEGArray
from skbci.estimators import (
    CascadeClassifier,
    EvidenceAccumulator,
    MLPClassifier,
    OnlineClassifier,
)
from skbci.features import (
    CausalCentering,
    EuclideanAlignment,
    FilterBank,
    SlidingWindows,
    WelchPSD,
)
from skbci.stream import OnlineDecoder

SFREQ, N_WINDOW, N_HOP = 64.0, 64, 16
CUT = SlidingWindows(1.0, 0.25, sfreq=SFREQ)
NAMES = ["C3", "C4"]


def recording(seconds=15, seed=0):
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * SFREQ)) / SFREQ
    label = np.where(times // 2 % 2 == 0, "left", "right")
    data = rng.standard_normal((2, len(times))) * 1e-5
    data[0] += 8e-6 * np.sin(2 * np.pi * 10 * times) * (label == "left")
    return data, label


def windows_of(data, label=None, **table):
    windows, y = CUT.explode(data, label)
    table = {name: [value] * len(windows) for name, value in table.items()}
    X = EEGArray(np.asarray(windows), {**table, "onset": windows.metadata["onset"]},
                 sfreq=SFREQ, ch_names=NAMES)
    return (X, y) if label is not None else X


def fitted(*steps):
    steps = steps or (WelchPSD(n_per_seg=32, log=True), LDA())
    return make_pipeline(*steps).fit(*windows_of(*recording()))


def network(**settings):
    return MLPClassifier((8,), max_epochs=3, batch_size=8, random_state=0, **settings)


def decoder_of(*steps, **settings):
    return OnlineDecoder(fitted(*steps), 1.0, 0.25, **settings)


# -- time ---------------------------------------------------------------------------------


def test_time_stamps_are_those_of_the_last_sample():
    data = recording()[0]
    stamps = 1e5 + np.cumsum(np.random.default_rng(0).uniform(0.7, 1.3, data.shape[1])) / SFREQ
    times, _ = decoder_of().update(data, stamps)
    np.testing.assert_array_equal(times, stamps[N_WINDOW - 1 :: N_HOP])


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_one_time_stamp_a_chunk_counts_from_there(sizes):
    decoder, data = decoder_of(), recording()[0]
    found, at, turn = [], 0, 0
    while at < data.shape[1]:
        n = sizes[turn % len(sizes)]
        found += decoder.update(data[:, at : at + n], 7.0 + at / SFREQ)[0].tolist()
        at, turn = at + n, turn + 1
    np.testing.assert_allclose(found, 7.0 + np.arange(N_WINDOW - 1, data.shape[1], N_HOP) / SFREQ)


def test_time_is_counted_on_from_the_last_time_stamp():
    decoder, data = decoder_of(), recording()[0]
    decoder.update(data[:, :10], 100.0)
    decoder.update(data[:, 10:50])
    np.testing.assert_allclose(decoder.update(data[:, 50:64])[0], [100 + 63 / SFREQ])
    with pytest.raises(ValueError, match="run backwards"):
        decoder.update(data[:, :1], 100.5)


def test_time_stamps_go_on_from_counted_time():
    data = recording()[0]
    for on_gap in ("raise", "restart"):
        decoder = decoder_of(on_gap=on_gap)
        first = decoder.update(data[:, :200])[0]
        rest = decoder.update(data[:, 200:], 200 / SFREQ)[0]
        wanted = decoder_of().update(data)[0]
        np.testing.assert_allclose(np.concatenate([first, rest]), wanted)


@pytest.mark.parametrize("on_gap", ["raise", "restart"])
def test_the_first_time_stamp_may_not_run_back_behind_counted_time(on_gap):
    decoder, data = decoder_of(on_gap=on_gap), recording()[0]
    decoder.update(data[:, :200])
    with pytest.raises(ValueError, match=r"0 s comes after 3.109\d* s\. .* counted from 0 s"):
        decoder.update(data[:, 200:260], 0.0)
    np.testing.assert_allclose(decoder.update(data[:, 200:212])[0], [207 / SFREQ])


def test_the_first_time_stamp_after_counted_time_may_show_a_gap():
    data = recording()[0]
    decoder = decoder_of()
    decoder.update(data[:, :100])
    with pytest.raises(ValueError, match=r"a gap: 50 s comes 48.45 s after .* counted from 0 s"):
        decoder.update(data[:, 100:200], 50.0)
    decoder = decoder_of(on_gap="restart")
    decoder.update(data[:, :100])
    times, found = decoder.update(data[:, 100:], 50.0)  # no window spans the gap
    alone = decoder_of().update(data[:, 100:], 50.0)
    np.testing.assert_array_equal(times, alone[0])
    np.testing.assert_array_equal(found, alone[1])
    decoder.update(data[:, :10])
    with pytest.raises(ValueError, match=r"run backwards: 0 s .* recording begins\.$"):
        decoder.update(data[:, :10], 0.0)  # counted on from a time stamp


def test_decode_yields_decisions_one_by_one():
    decoder, data = decoder_of(), recording()[0]
    wanted = decoder.update(data, 5.0)
    decoder.reset()
    stamps = 5.0 + np.arange(data.shape[1]) / SFREQ
    pairs = ((data[:, i : i + 30], stamps[i : i + 30]) for i in range(0, data.shape[1], 30))
    found = list(decoder.decode(pairs))
    np.testing.assert_allclose([time for time, _ in found], wanted[0])
    np.testing.assert_array_equal([decision for _, decision in found], wanted[1])
    decoder.reset()
    bare = list(decoder.decode(data[:, i : i + 30] for i in range(0, data.shape[1], 30)))
    np.testing.assert_array_equal([decision for _, decision in bare], wanted[1])


def with_gap(decoder, data, at, seconds, size):
    stamps = np.arange(data.shape[1]) / SFREQ
    stamps[at:] += seconds
    parts = [decoder.update(data[:, i : i + size], stamps[i : i + size])
             for i in range(0, data.shape[1], size)]
    return tuple(np.concatenate(p) for p in zip(*parts))


@pytest.mark.parametrize("by", ["session", "run"])
@pytest.mark.parametrize("size", [7, 64, 2000])
@pytest.mark.parametrize("at", [300, 320, 64])
def test_after_a_gap_a_run_begins(by, size, at):
    """As offline, where the rows after the gap are another run of the same session."""
    pipeline = fitted(
        FilterBank([(4, 20)], phase="causal", output="channels"), WelchPSD(n_per_seg=32, log=True),
        CausalCentering(by=by), EvidenceAccumulator(LDA(), 4))
    data = recording(seed=1)[0]
    X = np.concatenate([windows_of(data[:, :at], session=1, run=0),
                        windows_of(data[:, at:], session=1, run=1)])
    decoder = OnlineDecoder(pipeline, 1.0, 0.25, on_gap="restart")
    times, found = with_gap(decoder, data, at, 0.3, size)
    np.testing.assert_allclose(found, pipeline.predict_proba(X), rtol=0, atol=1e-6)
    first = 1 + (at - N_WINDOW) // N_HOP
    assert times[first] == pytest.approx((at + N_WINDOW - 1) / SFREQ + 0.3)


def test_longer_steps_may_be_no_gaps():
    data = recording()[0]
    plain = decoder_of().update(data)[1]
    jittered = with_gap(decoder_of(max_step=0.5), data, 300, 0.3, 50)[1]
    np.testing.assert_array_equal(jittered, plain)


def test_gap_is_an_error_that_takes_nothing():
    decoder, data = decoder_of(), recording()[0]
    wanted = decoder_of().update(data)[1]
    first = decoder.update(data[:, :100], 0.0)[1]
    with pytest.raises(ValueError, match=r"a gap: 2 s comes 0.4531 s after .* about 28 samples"):
        decoder.update(data[:, 100:], 2.0)
    rest = decoder.update(data[:, 100:], 100 / SFREQ)[1]
    np.testing.assert_array_equal(np.concatenate([first, rest]), wanted)


@pytest.mark.parametrize(("stamps", "message"), [
    ([0.0, 0.02, 0.01], "run backwards: 0.01 s comes after 0.02 s"),
    ([0.0, 0.01, 0.01], "run backwards"),
    ([0.0, 0.01], r"timestamps of shape \(2,\): give one for each of the 3 samples"),
    ([0.0, np.nan, 0.02], "must be finite"),
    ([[0.0], [0.1], [0.2]], "timestamps of shape"),
])
def test_bad_time_stamps(stamps, message):
    with pytest.raises(ValueError, match=message):
        decoder_of().update(recording()[0][:, :3], stamps)


def test_time_stamps_that_run_backwards_between_chunks():
    decoder, data = decoder_of(), recording()[0]
    decoder.update(data[:, :64], 10.0)
    with pytest.raises(ValueError, match=r"run backwards: 10.5 s comes after 10.98\d* s"):
        decoder.update(data[:, 64:], 10.5)
    decoder.reset()
    assert len(decoder.update(data[:, :64], 0.0)[0]) == 1


# -- sessions -----------------------------------------------------------------------------


def test_reset_begins_anew():
    decoder = decoder_of(
        WelchPSD(n_per_seg=32, log=True), CausalCentering(), EvidenceAccumulator(LDA(), 5))
    data = recording(seed=3)[0]
    first = decoder.update(data)
    decoder.update(data[:, :77])
    decoder.reset()
    again = decoder.update(data)
    np.testing.assert_array_equal(again[0], first[0])
    np.testing.assert_array_equal(again[1], first[1])


@pytest.mark.parametrize(("by", "level", "keeps"), [
    ("session", "run", True), ("session", "session", False), ("subject", "session", True),
    ("subject", "subject", False), ("run", "run", False),
])
def test_reset_keeps_what_outlasts_the_level(by, level, keeps):
    pipeline = fitted(WelchPSD(n_per_seg=32, log=True), CausalCentering(by=by), LDA())
    decoder, data = OnlineDecoder(pipeline, 1.0, 0.25), recording(seed=3)[0]
    first = decoder.update(data)[1]
    decoder.reset(level)
    again = decoder.update(data)[1]
    assert np.array_equal(first, again) != keeps
    if keeps:
        column = {"session": "run", "subject": "session"}[by]
        X = np.concatenate([windows_of(data, **{column: i}) for i in (1, 2)])
        np.testing.assert_allclose(again, pipeline.predict_proba(X)[len(first) :], atol=1e-6)


# -- learning -----------------------------------------------------------------------------


def learned(sizes, batch_size=16, *steps):
    """A decoder after a labelled session in chunks, with what it said."""
    decoder = decoder_of(*(steps or (WelchPSD(n_per_seg=32, log=True), network())),
                         batch_size=batch_size)
    data, label = recording(seed=4)
    said, at, turn = [], 0, 0
    while at < data.shape[1]:
        part = slice(at, at + sizes[turn % len(sizes)])
        said.append(decoder.partial_fit(data[:, part], label[part])[1])
        at, turn = part.stop, turn + 1
    return decoder, np.concatenate(said)


@settings(max_examples=10)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_chunk_sizes_change_nothing_about_learning(sizes):
    whole, said = learned([10_000])
    parts, found = learned(sizes)
    np.testing.assert_array_equal(found, said)
    X = windows_of(recording(seed=5)[0])
    np.testing.assert_array_equal(parts.pipeline.predict_proba(X), whole.pipeline.predict_proba(X))


def test_learning_equals_partial_fit_of_the_last_step():
    data, label = recording(seed=4)
    X, y = windows_of(data, label)
    pipeline = fitted(WelchPSD(n_per_seg=32, log=True), network())
    features, wanted = pipeline[:-1].transform(X), []
    for start in range(0, len(y), 16):
        part = slice(start, start + 16)
        wanted.append(pipeline[-1].predict_proba(features[part]))
        if len(y[part]) == 16:
            pipeline[-1].partial_fit(features[part], y[part])
    decoder, said = learned([33])
    np.testing.assert_allclose(said, np.concatenate(wanted), rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        decoder.pipeline.predict_proba(X), pipeline.predict_proba(X), rtol=0, atol=1e-6)


def test_what_is_left_over_is_learned_at_the_end():
    decoder, _ = learned([50], batch_size=1000)
    X = windows_of(recording(seed=5)[0])
    before = decoder.pipeline.predict_proba(X)
    decoder.reset()
    after = decoder.pipeline.predict_proba(X)
    assert np.abs(after - before).max() > 1e-4
    np.testing.assert_allclose(decoder.update(recording(seed=5)[0])[1], after, rtol=0, atol=1e-6)


def test_learning_makes_the_decoder_better_and_reset_keeps_it():
    decoder = decoder_of(WelchPSD(n_per_seg=32, log=True), StandardScaler(), SGDClassifier(
        "log_loss", random_state=0))
    data, label = recording(60, seed=6)
    swapped = np.where(label == "left", "right", "left")
    said = decoder.partial_fit(data, swapped)[1]
    truth = swapped[N_WINDOW - 1 :: N_HOP]
    right = decoder.classes_[said.argmax(axis=1)] == truth
    assert right[-40:].mean() > right[:16].mean() + 0.3


@pytest.mark.parametrize("last", [
    EvidenceAccumulator(network(), 4, change_rate="learned"),
    CascadeClassifier(network(), network(), n_lags=3),
    OnlineClassifier(network(), random_state=0),
], ids=lambda last: type(last).__name__)
def test_steps_that_look_back_learn_too(last):
    decoder, said = learned([45], 16, WelchPSD(n_per_seg=32, log=True), last)
    data, label = recording(seed=4)
    X, y = windows_of(data, label, run=0)
    pipeline = fitted(WelchPSD(n_per_seg=32, log=True), last)
    np.testing.assert_allclose(said[:16], pipeline.predict_proba(X)[:16], rtol=0, atol=1e-6)
    for start in range(0, 48, 16):
        part = slice(start, start + 16)
        pipeline[-1].partial_fit(pipeline[:-1].transform(X)[part], y[part])
    other = windows_of(recording(seed=5)[0])
    np.testing.assert_allclose(
        decoder.pipeline.predict_proba(other), pipeline.predict_proba(other), rtol=0, atol=1e-5)


def test_a_learner_that_takes_windows():
    pipeline = OnlineClassifier(make_pipeline(WelchPSD(n_per_seg=32, log=True), network()),
                                random_state=0).fit(*windows_of(*recording()))
    decoder = OnlineDecoder(pipeline, 1.0, 0.25)
    data, label = recording(seed=4)
    decoder.partial_fit(data, label)
    assert pipeline.n_calibration_ == 48
    X = windows_of(recording(seed=5)[0])
    decoder.reset()
    np.testing.assert_allclose(
        decoder.update(recording(seed=5)[0])[1], pipeline.predict_proba(X), rtol=0, atol=1e-6)


class Steady(LDA):
    """Learns nothing more."""

    def partial_fit(self, X, y):
        return self


def test_changes_that_learning_begins_to_count():
    """What was said before takes part in the filter that begins with the first batch."""
    pipeline = fitted(WelchPSD(n_per_seg=32, log=True), EvidenceAccumulator(Steady(), 6))
    decoder, (data, label) = OnlineDecoder(pipeline, 1.0, 0.25), recording(seed=4)
    decoder.update(data[:, : 64 + 16 * 9])
    pipeline.set_params(evidenceaccumulator__change_rate=0.1)
    part = slice(64 + 16 * 9, 64 + 16 * 25)
    decoder.partial_fit(data[:, part], label[part])
    found = decoder.update(data[:, part.stop :])[1]
    wanted = pipeline.predict_proba(windows_of(data))[26:]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


def test_separate_windows_are_learned_apart_from_the_stream():
    pipeline = fitted(WelchPSD(n_per_seg=32, log=True), network())
    decoder, twin = OnlineDecoder(pipeline, 1.0, 0.25), copy.deepcopy(pipeline)
    data = recording(seed=5)[0]
    decoder.update(data[:, :70])
    X, y = windows_of(*recording(seed=4))
    assert decoder.partial_fit_windows(X[:40], y[:40]) is decoder
    for part in (slice(0, 16), slice(16, 32), slice(32, 40)):
        twin[-1].partial_fit(twin[:-1].transform(X[part]), y[part])
    found = decoder.update(data[:, 70:])[1]
    np.testing.assert_allclose(found, twin.predict_proba(windows_of(data))[1:], atol=1e-6)


def test_labels_must_fit():
    decoder, data = decoder_of(WelchPSD(n_per_seg=32), network()), recording()[0]
    with pytest.raises(ValueError, match=r"y has labels \['feet'\] that are not among"):
        decoder.partial_fit(data, "feet")
    with pytest.raises(ValueError, match="y has 3 labels for 100 samples"):
        decoder.partial_fit(data[:, :100], ["left"] * 3)
    with pytest.raises(ValueError, match="y has 2 labels for 4 windows"):
        decoder.partial_fit_windows(windows_of(data)[:4], ["left", "right"])
    assert len(decoder.update(data[:, :64])[0]) == 1  # nothing was taken


@pytest.mark.parametrize(("y", "foreign"), [
    (None, r"\[None\]"), (np.nan, r"\[nan\]"), (3, r"\[3\]"),
    (np.array(["left", None, 3, "feet"] * 25, dtype=object), r"\['feet', 3, None\]"),
    (np.full(100, np.nan), r"\[nan\]"), ([{}] * 100, r"\[{}\]"),
    (np.arange(100), r"\[0, 1, 10, 11, 12, ...\]"),
])
def test_labels_of_any_kind_that_are_no_classes(y, foreign):
    decoder = decoder_of(WelchPSD(n_per_seg=32), network())
    message = rf"OnlineDecoder: y has labels {foreign} that are not among the classes \['left', "
    with pytest.raises(ValueError, match=message):
        decoder.partial_fit(recording()[0][:, :100], y)


def test_labels_are_a_row_or_a_column():
    decoder, (data, label) = decoder_of(WelchPSD(n_per_seg=32), network()), recording()
    with pytest.raises(ValueError, match=r"OnlineDecoder: y of shape \(100, 2\): .* 100 samples"):
        decoder.partial_fit(data[:, :100], np.column_stack([label[:100]] * 2))
    with pytest.warns(match="column-vector"):
        decoder.partial_fit(data[:, :100], label[:100, np.newaxis])


def test_learner_needs_partial_fit():
    with pytest.raises(TypeError, match=r"step 'lineardiscriminantanalysis' .* no partial_fit"):
        decoder_of().partial_fit(recording()[0], "left")


def test_learner_that_filters_does_not_go_with_filters_of_the_stream():
    pipeline = OnlineClassifier(make_pipeline(
        FilterBank([(4, 20)], phase="causal", output="channels"), WelchPSD(n_per_seg=32),
        network())).fit(*windows_of(*recording()))
    decoder = OnlineDecoder(pipeline, 1.0, 0.25, filter_state="stream")
    with pytest.raises(ValueError, match=r"filters each window by itself"):
        decoder.partial_fit(recording()[0], "left")


# -- bad input ----------------------------------------------------------------------------


def test_samples_of_another_number_of_channels():
    decoder = decoder_of()
    with pytest.raises(ValueError, match=r"3 channels, but the decoder's stream has 2 \(C3, C4\)"):
        decoder.update(np.zeros((3, 10)))
    with pytest.raises(ValueError, match="channels x times, got an array of shape"):
        decoder.update(np.zeros(10))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite(value):
    decoder, data = decoder_of(), recording()[0]
    wanted = decoder.update(data)[1]
    decoder.reset()
    bad = data.copy()
    bad[1, 3] = value
    with pytest.raises(ValueError, match="NaN or infinity in channel C4"):
        decoder.update(bad)
    np.testing.assert_array_equal(decoder.update(data)[1], wanted)


@pytest.mark.parametrize(("samples", "message"), [
    ([["a", "b"]] * 2, "samples must be real numbers, channels x times, got .* dtype <U1"),
    (np.ones((2, 3)) * 1j, "samples must be real numbers, .* got .* complex128"),
    (np.ones((2, 3), dtype="datetime64[s]"), "samples must be real numbers, .* got .* datetime64"),
    (np.array([["a", 1.0]] * 2, dtype=object), "samples must be real numbers, .* got .* object"),
    ([[1.0, 2.0], [3.0]], "samples must .* got a list whose parts have different shapes"),
    (np.ma.masked_array(np.ones((2, 3)), [[0, 0, 0], [0, 1, 0]]), "samples has masked entries"),
    ([np.ones((2, 3)), 100.0], r"samples must .* decode takes a tuple \(samples, timestamps\)"),
])
def test_samples_that_are_no_numbers(samples, message):
    decoder = decoder_of()
    with pytest.raises(ValueError, match=f"OnlineDecoder: {message}"):
        decoder.update(samples)
    with pytest.raises(ValueError, match=f"OnlineDecoder: {message}"):
        next(decoder.decode([samples]))


@pytest.mark.parametrize("convert", [
    np.asfortranarray, lambda data: data.tolist(), lambda data: data.astype(np.float32),
    lambda data: data.astype(object), lambda data: (data * 1e8).astype(int),
])
def test_samples_of_any_type_of_numbers(convert):
    samples = convert(recording()[0])
    found = decoder_of().update(samples)[1]
    wanted = decoder_of().update(np.array(samples, dtype=np.float64))[1]
    np.testing.assert_array_equal(found, wanted)


def test_chunks_that_are_tuples_are_pairs():
    data = recording()[0]
    with pytest.raises(ValueError, match=r"a chunk that is a tuple of 4; .* \(samples, timest"):
        next(decoder_of().decode([(data, 0.0, None, "left")]))
    with pytest.raises(ValueError, match=r"a chunk that is a tuple of 1; .* \(samples, timest"):
        next(decoder_of().decode([(data,)]))
    with pytest.raises(ValueError, match="markers were given, but .*at_markers makes one"):
        next(decoder_of().decode([(data, 0.0, "left")]))


@pytest.mark.parametrize("stamps", [
    "now", ["a", "b", "c"], 1j, np.array("2020-01-01", dtype="datetime64[s]"),
    [[0.0], [1.0, 2.0]], {},
])
def test_time_stamps_that_are_no_numbers(stamps):
    message = r"OnlineDecoder: timestamps must be real numbers, in seconds, got "
    with pytest.raises(ValueError, match=message):
        decoder_of().update(recording()[0][:, :3], stamps)


def test_no_samples_no_decisions():
    times, decisions = decoder_of().update(np.empty((2, 0)))
    assert times.shape == (0,)
    assert decisions.shape == (0, 2)


@pytest.mark.parametrize(("settings", "error", "message"), [
    ({"window": 0.0}, ValueError, "window=0.0 must be above 0 seconds"),
    ({"window": "1"}, TypeError, "window='1' must be a number in seconds"),
    ({"hop": -1}, ValueError, "hop=-1 must be above 0 seconds"),
    ({"hop": 0.001}, ValueError, "hop=0.001 s is less than one sample"),
    ({"sfreq": 128}, ValueError, "sfreq=128 Hz, but the pipeline was fitted at 64 Hz"),
    ({"sfreq": "64"}, TypeError, "sfreq='64' must be a number in Hz"),
    ({"sfreq": -1.0}, ValueError, "sfreq=-1.0 must be at least 1e-06"),
    ({"ch_names": ["C3"]}, ValueError, "1 names, but the pipeline was fitted with 2 channels"),
    ({"ch_names": ["C4", "C3"]}, ValueError, "in another order"),
    ({"ch_names": ["C4", "Pz"]}, ValueError, "other ones"),
    ({"ch_names": "C3"}, TypeError, "must be a list of names"),
    ({"ch_names": ["C3", "C3"]}, ValueError, r"\['C3', 'C3'\] has 'C3' more than once"),
    ({"ch_names": 2}, TypeError, "ch_names=2 must be a list of names"),
    ({"metadata": "subject"}, TypeError,
     r"metadata='subject' must map column names to values, such as \{'subject': 3\}"),
    ({"metadata": [("subject", 1)]}, TypeError, "must map column names to values"),
    ({"metadata": {"subject": [1, 2]}}, ValueError,
     r"metadata\['subject'\]=\[1, 2\] must be one value"),
    ({"filter_state": "both"}, ValueError, "filter_state='both' is not one of 'window', 'stream'"),
    ({"filter_state": "stream"}, ValueError, "needs a pipeline whose first step is FilterBank"),
    ({"on_gap": "ignore"}, ValueError, "on_gap='ignore' is not one of 'raise', 'restart'"),
    ({"on_gap": np.array(["raise", "restart"])}, ValueError, "is not one of 'raise', 'restart'"),
    ({"max_step": 0.001}, ValueError, "max_step=0.001 s is shorter than a sample period"),
    ({"batch_size": 0}, ValueError, "batch_size=0 must be at least 1"),
    ({"window": 0.25}, ValueError, r"step 'welchpsd' \(WelchPSD\) cannot take rows of shape"),
])
def test_bad_settings(settings, error, message):
    with pytest.raises(error, match=message):
        OnlineDecoder(**{"pipeline": fitted(), "window": 1.0, "hop": 0.25, **settings})


def test_bad_level_of_reset():
    with pytest.raises(ValueError, match="level='day' is not one of 'subject', 'session', 'run'"):
        decoder_of().reset("day")


def test_a_pipeline_is_fitted_and_gives_probabilities():
    with pytest.raises(NotFittedError):
        OnlineDecoder(make_pipeline(WelchPSD(sfreq=64), LDA()), 1.0, 0.25)
    with pytest.raises(TypeError, match="a Pipeline, has no predict_proba"):
        decoder_of(WelchPSD(n_per_seg=32), LinearSVC(random_state=0))


def test_a_window_that_the_network_was_not_fitted_on():
    with pytest.raises(ValueError, match=r"step 'mlpclassifier' .* fitted with 64"):
        OnlineDecoder(
            fitted(StandardScaler3(), network()), 2.0, 0.25, sfreq=64, ch_names=NAMES)


class StandardScaler3(TransformerMixin, BaseEstimator):
    """Scales all values by one number."""

    def fit(self, X, y=None):
        self.scale_ = np.std(X)
        return self

    def transform(self, X):
        return np.asarray(X) / self.scale_


def test_the_number_of_channels_may_show_with_the_first_chunk():
    pipeline = fitted(StandardScaler3(), FunctionTransformer(log_power), LDA())
    decoder = OnlineDecoder(pipeline, 1.0, 0.25, sfreq=64)
    assert decoder.n_channels is None
    assert decoder.steps == {}
    found = decoder.update(recording()[0])[1]
    assert decoder.n_channels == 2
    wanted = pipeline.predict_proba(np.asarray(windows_of(recording()[0])))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


def test_a_rate_is_needed():
    with pytest.raises(ValueError, match=r"pass sfreq=... \(Hz\)"):
        OnlineDecoder(fitted(StandardScaler3(), FunctionTransformer(log_power), LDA()), 1.0, 0.25)


def log_power(X):
    return np.log(np.var(X, axis=-1))


def log_power_against_the_others(X):
    power = log_power(X)
    return power - power.mean(axis=0)


def test_a_step_that_looks_at_other_rows_is_named():
    with pytest.raises(ValueError, match=r"step 'functiontransformer' .* cannot run causally"):
        decoder_of(FunctionTransformer(log_power_against_the_others), LDA(), sfreq=64,
                   ch_names=NAMES)


class Smoothed(LDA):
    """A classifier that averages over the rows of the call."""

    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return np.cumsum(proba, axis=0) / np.arange(1, len(proba) + 1)[:, np.newaxis]


def test_a_classifier_that_looks_at_other_rows_is_named():
    with pytest.raises(ValueError, match=r"step 'smoothed' \(Smoothed\) cannot run causally"):
        decoder_of(WelchPSD(n_per_seg=32, log=True), Smoothed())


def test_alignment_of_a_group_that_was_not_fitted_is_named():
    X, y = windows_of(*recording(), subject=1)
    pipeline = make_pipeline(EuclideanAlignment(), WelchPSD(n_per_seg=32), LDA()).fit(X, y)
    for metadata in (None, {"subject": 2}):
        with pytest.raises(ValueError, match=r"step 'euclideanalignment' .* cannot run causally"):
            OnlineDecoder(pipeline, 1.0, 0.25, metadata=metadata)
    assert len(OnlineDecoder(pipeline, 1.0, 0.25, metadata={"subject": 1}).update(
        recording()[0])[0])


def test_the_stream_is_not_written_to():
    """A step that works in place spoils no window but its own."""
    data = recording()[0]
    kept = data.copy()
    pipeline = fitted(FunctionTransformer(log_power), LDA())
    pipeline.steps.insert(1, ("spoil", FunctionTransformer(spoil_a_copy)))
    wanted = pipeline.predict_proba(np.asarray(windows_of(data)))
    found = OnlineDecoder(pipeline, 1.0, 0.25, sfreq=64).update(data)[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(data, kept)


def spoil_a_copy(X):
    out = X.copy()
    X *= 0
    return out
