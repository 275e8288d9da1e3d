"""Which events read_epochs takes and what it calls them; MNE's reading is the right one."""

from __future__ import annotations

import warnings

import mne
import numpy as np
import pytest

from skbci.datasets import read_epochs

SFREQ = 100


def annotated(texts, onsets=None, n_times=4000):
    onsets = np.arange(len(texts)) * 4 + 1.0 if onsets is None else onsets
    noise = np.random.default_rng(0).normal(0, 1e-5, (2, n_times))
    raw = mne.io.RawArray(noise, mne.create_info(["C3", "C4"], SFREQ, "eeg"), verbose="error")
    return raw.set_annotations(mne.Annotations(onsets, 0, texts))


def pulsed(steps):
    """A stimulus channel that takes each value for two samples; (sample, value) pairs."""
    line = np.zeros(4000)
    for sample, value in steps:
        line[sample : sample + 2] = value
    data = np.vstack([np.random.default_rng(0).normal(0, 1e-5, (2, 4000)), line])
    info = mne.create_info(["C3", "C4", "STI 014"], SFREQ, ["eeg", "eeg", "stim"])
    return mne.io.RawArray(data, info, verbose="error")


TEXTS = ["T0", "T1", "T0", "T2", "T1", "T0", "T2"]


@pytest.mark.parametrize("wanted", [
    {"T1": 1, "T2": 2}, {"T2": 1}, {"T0": 3, "T2": 1}, {"T1": 769, "T0": 768}, {"T2": 2, "T1": 1},
])
def test_a_name_is_the_annotation_of_that_name(wanted):
    raw = annotated(TEXTS)
    events, _ = mne.events_from_annotations(raw, event_id=wanted, verbose="error")
    epochs = mne.Epochs(raw, events, wanted, 0, 2.99, baseline=None, preload=True, verbose="error")
    data = read_epochs(raw, event_id=wanted, tmax=3)
    assert data.event_id == wanted
    assert [wanted[name] for name in data.y] == events[:, 2].tolist()
    np.testing.assert_array_equal(data.metadata["event_code"], events[:, 2])
    np.testing.assert_allclose(data.metadata["onset"], events[:, 0] / SFREQ)
    np.testing.assert_array_equal(data.X, epochs.get_data(copy=False))


def test_names_of_a_list_keep_mnes_codes():
    data = read_epochs(annotated(TEXTS), event_id=["T2", "T1"], tmax=3)
    assert data.y.tolist() == ["T1", "T2", "T1", "T2"]


@pytest.mark.parametrize(("texts", "event_id", "right"), [
    (["769", "770", "1023", "769"], {"left": 769, "right": 770}, ["left", "right", "left"]),
    (["769", "770", "1023", "769"], [770, 769], ["769", "770", "769"]),
    (["769", "770", "1023"], {"769": 1, "770": 2}, ["769", "770"]),
    (["Stimulus/S  2", "Stimulus/S  1", "Stimulus/S  2"], {"b": 2, "a": 1}, ["b", "a", "b"]),
])
def test_codes_that_annotations_state(texts, event_id, right):
    assert read_epochs(annotated(texts), event_id=event_id, tmax=3).y.tolist() == right


@pytest.mark.parametrize(("event_id", "match"), [
    ({"left": 1, "right": 2}, r"\['left \(1\)', 'right \(2\)'\] not among the annotations .*'T0'"),
    ({"T1": 1, "right": 3}, r"\['right \(3\)'\] not among the annotations"),
    ({"T1": 1, "T2": 1}, "'T1' and 'T2' have the same code, 1"),
    ({"T1": 1.5}, "the code 1.5 of 'T1' must be an integer"),
    (["T1", "T1"], "names the annotation 'T1' .* twice"),
])
def test_dictionaries_that_do_not_fit_the_annotations(event_id, match):
    with pytest.raises(ValueError, match=match):
        read_epochs(annotated(TEXTS), event_id=event_id, tmax=3)


def test_a_name_with_the_code_of_another_is_an_error():
    with pytest.raises(ValueError, match="'1' is an annotation .* the code 2 .* of another one"):
        read_epochs(annotated(["1", "2", "1"]), event_id={"1": 2}, tmax=3)
    stim = pulsed([(100, 1), (600, 2), (1100, 1)])
    with pytest.raises(ValueError, match=r"'1' has the code 1 in .*, not 2"):
        read_epochs(stim, event_id={"1": 2}, tmax=3)
    events = np.array([[100, 0, 1], [600, 0, 2], [1100, 0, 1]])
    epochs = mne.Epochs(stim, events, {"left": 1, "right": 2}, 0, 3, baseline=None, preload=True,
                        verbose="error")
    with pytest.raises(ValueError, match=r"'right' has the code 2 in .*, not 1"):
        read_epochs(epochs, event_id={"right": 1}, tmax=3)
    assert read_epochs(epochs, event_id={"hand": 1}, tmax=3).y.tolist() == ["hand", "hand"]


def test_events_at_one_sample_are_reported():
    raw = annotated(["T1", "T2", "T1", "T2", "T1"], onsets=[1, 6, 6, 11, 11.002])
    with pytest.warns(UserWarning, match=r"2 events are at the same sample .* at 6 s \('T2', 'T1"):
        data = read_epochs(raw, tmax=3)
    assert data.metadata["onset"].tolist() == [1, 6, 11]
    with warnings.catch_warnings():  # the other one was not asked for: no ground to warn
        warnings.simplefilter("error")
        one = read_epochs(raw, event_id="T2", tmax=3, subject=1)
        other = read_epochs(raw, event_id="T1", tmax=3, subject=1)
    assert one.y.tolist() == ["T2", "T2"]
    assert other.y.tolist() == ["T1"] * 3
    assert other.metadata["onset"].tolist() == [1, 6, 11]


@pytest.mark.parametrize("how", ["drop", "merge"])
def test_events_that_mne_dropped_or_merged_are_reported(how, tmp_path):
    raw = annotated(["T1"])
    events = np.array([[100, 0, 1], [600, 0, 1], [600, 0, 2], [1100, 0, 2]])
    epochs = mne.Epochs(raw, events, {"T1": 1, "T2": 2}, 0, 3, baseline=None, preload=True,
                        event_repeated=how, verbose="error")
    epochs.save(tmp_path / "a-epo.fif", verbose="error")
    for source in (epochs, tmp_path / "a-epo.fif"):
        with pytest.warns(UserWarning, match=f"MNE {how}p?e?d 1 events .* same sample"):
            data = read_epochs(source, tmax=3)
        middle = {"drop": "T1", "merge": "T1/T2"}[how]
        assert data.y.tolist() == ["T1", middle, "T2"]


def test_codes_that_follow_without_zero_are_reported():
    raw = pulsed([(100, 1), (600, 3), (602, 1), (1100, 2)])
    assert mne.find_events(raw, verbose="error")[:, 2].tolist() == [1, 3, 2]
    with pytest.warns(UserWarning, match=r"goes 1 times from a code to a lower one .*\(3 to 1\)"):
        data = read_epochs(raw, tmax=3)
    assert data.y.tolist() == ["1", "3", "2"]


@pytest.mark.parametrize("mark", ["New Segment/", "New Segment/LostSamples: 12", "boundary"])
def test_places_where_a_recording_went_on_are_no_events(mark):
    raw = annotated(["left", "right"], [6, 12])
    marks = mne.Annotations([0, 12.5, 20], [0, 30, 0], mark)  # EEGLAB's last is what was cut out
    raw = raw.set_annotations(raw.annotations + marks)
    with pytest.warns(UserWarning, match="1 of 2 events were left out"):
        data = read_epochs(raw, tmax=1, subject=1)
    assert data.y.tolist() == ["left"]
    asked = read_epochs(raw, event_id=[mark], tmax=1, subject=1)
    assert asked.metadata["onset"].tolist() == [0, 12.5, 20]


def test_marks_that_only_their_name_makes_bad_are_said():
    # "bad" may be the answer of a person, or a stretch: one that lasts no time is doubtful.
    raw = annotated(["good", "bad", "good"])
    with pytest.warns(UserWarning, match=r"1 annotations of no duration start with .* \('bad'\)"):
        data = read_epochs(raw, tmax=3, subject=1)
    assert data.y.tolist() == ["good", "good"]


@pytest.mark.parametrize("texts", [["a", "BAD boundary", "b"], ["a", "EDGE boundary", "b"]])
def test_boundaries_of_joined_recordings_are_no_such_marks(texts):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_epochs(annotated(texts), tmax=3, subject=1).y.tolist() == ["a", "b"]


def test_events_of_the_stimulus_channel_that_lack_an_annotation_are_said():
    raw = pulsed([(500, 1), (900, 2), (1300, 1)])
    raw.set_annotations(mne.Annotations([5, 30], 0, ["left", "a note"]))
    with pytest.warns(UserWarning, match="2 of 3 events of its stimulus channel have no"):
        assert read_epochs(raw, tmax=3, subject=1).y.tolist() == ["left", "a note"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_epochs(raw, event_id=["left"], tmax=3, subject=1).y.tolist() == ["left"]
        channel = read_epochs(raw, stim_channel="STI 014", tmax=3, subject=1)
        # A screen shows the picture a few milliseconds after its trigger.
        raw.set_annotations(mne.Annotations([5.02, 9.02, 13.02], 0, ["l", "r", "l"]))
        assert len(read_epochs(raw, tmax=3, subject=1).y) == 3
    assert channel.y.tolist() == ["1", "2", "1"]


@pytest.mark.parametrize("text", ["", "  ", "[]"])
def test_events_without_a_name_are_said(text):
    with pytest.warns(UserWarning, match="2 events have no name"):
        read_epochs(annotated(["left", text, text]), tmax=3, subject=1)
