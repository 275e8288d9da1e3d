"""read_epochs on files that MNE wrote."""

from __future__ import annotations

import warnings

import mne
import numpy as np
import pytest

from skbci import EEGArray
from skbci.datasets import read_epochs

SFREQ = 100.0
ONSETS = [2.0, 5.0, 8.0, 11.0]
LABELS = ["left", "right", "left", "rest"]


def make_raw(stim=False):
    rng = np.random.default_rng(0)
    names, kinds = ["C3", "C4", "EOG1"], ["eeg", "eeg", "eog"]
    data = rng.normal(0, 1e-5, (3, 1600))
    if stim:
        pulses = np.zeros(1600)
        for onset, code in zip(ONSETS, (1, 2, 1, 3)):
            pulses[round(onset * SFREQ) : round(onset * SFREQ) + 5] = code
        data, names, kinds = np.vstack([data, pulses]), [*names, "STI 014"], [*kinds, "stim"]
    return mne.io.RawArray(data, mne.create_info(names, SFREQ, kinds), verbose="error")


@pytest.fixture
def raw():
    return make_raw().set_annotations(mne.Annotations(ONSETS, 0, LABELS))


def test_epochs_of_a_fif_file(raw, tmp_path):
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    data = read_epochs(tmp_path / "a_raw.fif", tmax=2.0)
    assert isinstance(data.X, EEGArray)
    assert data.X.shape == (4, 2, 200)
    assert data.y.tolist() == LABELS
    assert data.metadata[["subject", "session", "run", "onset"]].to_numpy().tolist() == [
        [1, 1, 1, onset] for onset in ONSETS
    ]
    assert data.ch_names == ["C3", "C4"]
    assert data.sfreq == SFREQ
    assert set(data.event_id) == {"left", "right", "rest"}
    for row, onset in zip(np.asarray(data.X), ONSETS):
        first = round(onset * SFREQ)
        np.testing.assert_allclose(row, raw.get_data()[:2, first : first + 200], rtol=1e-6)


def write_brainvision(tmp_path, unit="µV", more=""):
    """Written by hand: this format is three plain files."""
    signal = np.random.default_rng(0).normal(0, 20, (500, 2)).astype("<f4")  # microvolts
    signal.tofile(tmp_path / "a.eeg")
    (tmp_path / "a.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        "DataFile=a.eeg\nMarkerFile=a.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        f"NumberOfChannels=2\n{more}SamplingInterval=10000\n[Binary Infos]\n"
        "BinaryFormat=IEEE_FLOAT_32\n"
        f"[Channel Infos]\nCh1=C3,,1,{unit}\nCh2=C4,,1,{unit}\n", encoding="utf-8"
    )
    (tmp_path / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        "DataFile=a.eeg\n[Marker Infos]\nMk1=Stimulus,S  1,101,1,0\nMk2=Stimulus,S  2,301,1,0\n",
        encoding="utf-8",
    )
    return signal


def test_brainvision_files(tmp_path):
    signal = write_brainvision(tmp_path)
    data = read_epochs(tmp_path / "a.vhdr", tmax=1.0)
    assert data.y.tolist() == ["Stimulus/S  1", "Stimulus/S  2"]
    assert data.metadata["onset"].tolist() == [1.0, 3.0]
    np.testing.assert_allclose(data.X[1], signal[300:400].T * 1e-6, rtol=1e-5)


def test_folders_and_lists_name_the_way_to_read_them(tmp_path):
    with pytest.raises(ValueError, match="is a folder: read its files one by one, .*load_bids"):
        read_epochs(tmp_path)
    with pytest.raises(TypeError, match="got list. Read several files one by one"):
        read_epochs([tmp_path])


@pytest.mark.parametrize("part", ["a.eeg", "a.vmrk"])
def test_a_part_of_a_brainvision_recording_names_its_header(part, tmp_path):
    write_brainvision(tmp_path)
    with pytest.raises(ValueError, match="is a part of the recording a.vhdr: read that file"):
        read_epochs(tmp_path / part)


@pytest.mark.parametrize(("stated", "short"), [(500, False), (1000, True)])
def test_brainvision_files_that_end_before_their_header_says(tmp_path, stated, short):
    write_brainvision(tmp_path, more=f"DataPoints={stated}\n")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        read_epochs(tmp_path / "a.vhdr", tmax=1.0, subject=1)
    words = "its header states 10 s, and the first 5 s are there"
    assert any(words in str(one.message) for one in said) == short


def test_channels_whose_unit_mne_does_not_understand(tmp_path):
    write_brainvision(tmp_path, unit="counts")
    with pytest.raises(ValueError, match="'misc' is what MNE makes of channels whose unit"):
        read_epochs(tmp_path / "a.vhdr", tmax=1.0, subject=1)


def test_stored_epochs(raw, tmp_path):
    events, names = mne.events_from_annotations(raw, verbose="error")
    epochs = mne.Epochs(raw, events, names, -1, 1.5, baseline=None, preload=True, verbose="error")
    epochs.save(tmp_path / "a-epo.fif", verbose="error")
    data = read_epochs(tmp_path / "a-epo.fif")
    assert data.y.tolist() == LABELS
    # 0 to 4 s was asked for and -1 to 1.5 s (included) is there.
    assert data.X.shape == (4, 2, 151)
    assert data.X.tmin == 0
    some = read_epochs(epochs, event_id="left", tmin=-0.5, tmax=0.5)
    assert some.y.tolist() == ["left", "left"]
    assert some.X.shape == (2, 2, 100)
    assert some.metadata["onset"].tolist() == [2.0, 8.0]
    with pytest.raises(ValueError, match="lies outside the epochs .*from -1 to 1.5 s"):
        read_epochs(epochs, tmin=2, tmax=3)


def test_stimulus_channel():
    raw = make_raw(stim=True)
    assert read_epochs(raw, tmax=2).y.tolist() == ["1", "2", "1", "3"]
    named = read_epochs(raw, tmax=2, event_id={"left": 1, "right": 2})
    assert named.y.tolist() == ["left", "right", "left"]
    assert named.metadata["onset"].tolist() == [2.0, 5.0, 8.0]


def test_onsets_count_from_the_start_of_a_cropped_recording(raw):
    cropped = raw.copy().crop(1.0)
    data = read_epochs(cropped, tmax=2.0)
    assert data.metadata["onset"].tolist() == [1.0, 4.0, 7.0, 10.0]
    np.testing.assert_array_equal(data.X, np.asarray(read_epochs(raw, tmax=2.0).X))


@pytest.mark.parametrize("event_id", ["left", ["left"]])
def test_events_are_chosen_by_name(raw, event_id):
    assert read_epochs(raw, event_id=event_id, tmax=2.0).y.tolist() == ["left", "left"]


def test_filter_and_resampling(raw):
    time = raw.times
    raw._data[:] = 1e-5 * (np.sin(2 * np.pi * 10 * time) + np.sin(2 * np.pi * 35 * time))
    data = read_epochs(raw, tmax=3.0, l_freq=5, h_freq=20, resample=50)
    assert data.X.shape == (4, 2, 150)
    assert data.sfreq == 50
    assert data.metadata["onset"].tolist() == ONSETS
    spectrum = np.abs(np.fft.rfft(np.asarray(data.X)[:, 0] * np.hanning(150))).mean(axis=0)
    assert np.argmax(spectrum) == 30  # 10 Hz in bins of 1/3 Hz
    middle = np.asarray(data.X)[0, 0, 50:100]
    assert middle.std() == pytest.approx(1e-5 / np.sqrt(2), rel=0.05)


def test_the_given_recording_is_not_changed(raw):
    before = raw.get_data().copy()
    read_epochs(raw, tmax=2.0, l_freq=5, resample=50)
    np.testing.assert_array_equal(raw.get_data(), before)
    assert raw.info["sfreq"] == SFREQ


def test_windows_beyond_the_recording_are_left_out(raw):
    with pytest.warns(UserWarning, match="1 of 4 events were left out, 1 because the window rea"):
        data = read_epochs(raw, tmax=5.5)
    assert data.y.tolist() == ["left", "right", "left"]


@pytest.mark.parametrize("kinds", [("BAD boundary", "EDGE boundary"), ("EDGE boundary",)])
def test_windows_over_a_boundary_are_left_out(raw, kinds):
    """Joined from 6 s and the rest: the second event's window would reach over the boundary."""
    joined = mne.concatenate_raws([raw.copy().crop(0, 5.99), raw.copy().crop(6)], verbose="error")
    keep = np.isin(joined.annotations.description, [*kinds, *LABELS])
    joined.annotations.delete(np.flatnonzero(~keep))
    with pytest.warns(UserWarning, match="1 of 4 events were left out, 1 because of annotations"):
        data = read_epochs(joined, tmax=2.0)
    assert data.y.tolist() == ["left", "left", "rest"]
    assert read_epochs(joined, tmax=1.0).y.tolist() == LABELS  # ends at the boundary


def test_types_that_contradict_the_names_are_doubted(raw):
    """As MNE reads EDF: every channel is EEG."""
    raw.set_channel_types({"EOG1": "eeg"}, verbose="error")
    with pytest.warns(UserWarning, match=r"\['EOG1'\] are of type 'eeg'.*set_channel_types"):
        assert read_epochs(raw, tmax=1).ch_names == ["C3", "C4", "EOG1"]
    assert read_epochs(raw, tmax=1, picks=["C3", "C4"]).ch_names == ["C3", "C4"]


def test_bad_channels_are_left_out_unless_named(raw):
    raw.info["bads"] = ["C4"]
    assert read_epochs(raw, tmax=1).ch_names == ["C3"]
    assert read_epochs(raw, tmax=1, picks="eeg").ch_names == ["C3"]
    assert read_epochs(raw, tmax=1, picks=["C4", "EOG1"]).ch_names == ["C4", "EOG1"]
    whole = read_epochs(raw, tmax=1, picks="all")
    assert whole.ch_names == ["C3", "C4", "EOG1"]
    epochs = whole.X.to_epochs()
    assert epochs.info["bads"] == ["C4"]
    assert read_epochs(epochs, tmax=1).ch_names == ["C3"]


def test_excluded_channels_are_left_out_of_what_is_picked(raw):
    kept = read_epochs(raw, tmax=1, exclude=["C4"])
    assert kept.ch_names == ["C3"]
    np.testing.assert_array_equal(kept.X, read_epochs(raw, tmax=1).X[:, :1])
    assert read_epochs(raw, tmax=1, picks="all", exclude=["C3"]).ch_names == ["C4", "EOG1"]
    assert read_epochs(raw, tmax=1, picks=["EOG1", "C4", "C3"], exclude=("C4",)).ch_names == [
        "EOG1", "C3"]
    raw.set_channel_types({"EOG1": "eeg"}, verbose="error")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing of another type is taken
        assert read_epochs(raw, tmax=1, subject=1, exclude=["EOG1"]).ch_names == ["C3", "C4"]


def test_an_excluded_channel_that_is_not_there_is_named(raw):
    with pytest.warns(UserWarning, match=r"recording: exclude names \['c3'\].*C3, C4, EOG1"):
        assert read_epochs(raw, tmax=1, exclude=["c3"]).ch_names == ["C3", "C4"]


def test_what_the_rows_say(raw):
    raw.info["subject_info"] = {"his_id": "S04"}
    data = read_epochs(raw, tmax=1, session=2, run=3, task="imagery")
    assert data.metadata.loc[0].to_dict() == {
        "subject": "S04", "session": 2, "run": 3, "onset": 2.0, "task": "imagery",
        **data.metadata.loc[0, ["event_sample", "event_previous", "event_code"]].to_dict(),
    }
    assert read_epochs(raw, tmax=1, subject=9).metadata["subject"].tolist() == [9] * 4


def test_there_and_back_to_mne(raw):
    data = read_epochs(raw, tmax=1.0)
    epochs = data.X.to_epochs()
    np.testing.assert_array_equal(epochs.get_data(copy=False), np.asarray(data.X))
    assert epochs.event_id == data.event_id
    assert len(epochs["left"]) == 2


def test_missing_and_unreadable_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere_raw.fif"):
        read_epochs(tmp_path / "nowhere_raw.fif")
    for name in ("broken_raw.fif", "broken.edf", "broken-epo.fif", "broken.xyz"):
        (tmp_path / name).write_bytes(b"not a recording at all" * 30)
        with pytest.raises(ValueError, match=f"MNE cannot read .*{name}"):
            read_epochs(tmp_path / name)
    with pytest.raises(TypeError, match="path_or_raw must be .* got int"):
        read_epochs(3)


def test_no_events():
    with pytest.raises(ValueError, match="No events found in the recording: no annotations"):
        read_epochs(make_raw())
    silent = make_raw(stim=True)
    silent._data[3] = 0
    with pytest.raises(ValueError, match="stimulus channel never changes"):
        read_epochs(silent)


@pytest.mark.parametrize(("options", "match"), [
    ({"event_id": ["left", "feet"]}, r"\['feet'\] not among .*'left' \(1\).*'rest' \(2\)"),
    ({"event_id": {"feet": 9}}, r"feet \(9\)"),
    ({"tmin": 2, "tmax": 1}, "read_epochs: tmax=1.0 must be after tmin=2 seconds"),
    ({"tmax": 60}, "No event of the recording has 0 to 60 s around it"),
    ({"picks": "meg"}, "picks='meg' chooses no channel .*eeg, eog"),
    ({"picks": "meg", "l_freq": 8}, "picks='meg' chooses no channel .*eeg, eog"),
    ({"exclude": ["C3", "C4"]}, r"no good data channel.*exclude=\['C3', 'C4'\] leaves"),
    ({"picks": ["C3", "Oz"]}, "chooses no channel of the recording; its channels are C3, C4"),
    ({"l_freq": 8, "h_freq": 70}, "70"),
    ({"resample": -5}, "resample=-5"),
])
def test_bad_arguments_are_named(raw, options, match):
    with pytest.raises(ValueError, match=match):
        read_epochs(raw, **options)


@pytest.mark.parametrize("name", ["a_raw.fif", "a.edf", "a.vhdr", "a.set", "a.gdf", "a-epo.fif"])
def test_empty_files_and_folders_are_said_in_words(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match="is empty: it has 0 bytes"):
        read_epochs(tmp_path / name)
    (tmp_path / "folder" / name).mkdir(parents=True)
    with pytest.raises(ValueError, match="is a folder: read its files one by one"):
        read_epochs(tmp_path / "folder" / name)


@pytest.mark.parametrize(("name", "message"), [
    ("a.npz", "read it with load_recording"),
    ("a.mat", "scipy.io.loadmat.*mne.io.RawArray.*FieldTrip"),
    ("a.csv", "pandas.read_csv"),
])
def test_files_of_other_formats_name_what_reads_them(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(ValueError, match=message):
        read_epochs(tmp_path / name)


def test_a_later_part_of_a_recording_names_the_first(tmp_path):
    raw = mne.io.RawArray(np.random.default_rng(0).normal(0, 1e-5, (60, 10_000)),
                          mne.create_info(60, 100, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([2, 50, 90], 0.0, ["left", "right", "left"]))
    raw.save(tmp_path / "S01_raw.fif", split_size="2MB", verbose="error")
    whole = read_epochs(tmp_path / "S01_raw.fif", tmax=1)
    assert whole.metadata["onset"].tolist() == [2.0, 50.0, 90.0]
    with pytest.raises(ValueError, match="is a later part of the recording S01_raw.fif"):
        read_epochs(tmp_path / "S01_raw-1.fif")
    # A file of such a name that is a recording of its own.
    raw.save(tmp_path / "S02_raw.fif", verbose="error")
    raw.save(tmp_path / "S02_raw-1.fif", verbose="error")
    with pytest.warns(RuntimeWarning, match="naming conventions"):
        assert len(read_epochs(tmp_path / "S02_raw-1.fif", tmax=1).X) == 3


def test_brainvision_data_that_end_within_a_sample(tmp_path):
    write_brainvision(tmp_path)
    (data,) = tmp_path.glob("*.eeg")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="not whole samples of 2 channels"):
        read_epochs(tmp_path / "a.vhdr", tmax=1)


@pytest.mark.parametrize("text", ["BAD boundary", "EDGE boundary", "New Segment/", "boundary"])
@pytest.mark.parametrize("first_samp", [0, 300])
def test_filters_do_not_reach_over_boundaries(text, first_samp):
    # The amplifier's offset is another one after a pause: a filter across it would ring.
    noise = np.random.default_rng(0).normal(0, 1e-6, (2, 3000))
    noise[:, 1000:] += 5e-3
    info = mne.create_info(["C3", "C4"], 100, "eeg")
    raw = mne.io.RawArray(noise, info, first_samp=first_samp, verbose="error")
    raw.set_annotations(mne.Annotations([8.9, 10, 10.1], 0, ["a", text, "b"]))
    before = raw.annotations.copy()
    data = read_epochs(raw, tmax=1, l_freq=8, h_freq=30, subject=1)
    assert data.y.tolist() == ["a", "b"]
    parts = [mne.io.RawArray(part, info, verbose="error").filter(8, 30, verbose="error").get_data()
             for part in (noise[:, :1000], noise[:, 1000:])]
    right = np.stack([parts[0][:, 890:990], parts[1][:, 10:110]])
    np.testing.assert_allclose(np.asarray(data.X), right, atol=1e-12)
    assert raw.annotations == before


def test_a_filter_that_is_longer_than_stored_epochs_is_said():
    noise = np.random.default_rng(0).normal(0, 1e-6, (4, 2, 100))
    epochs = mne.EpochsArray(noise, mne.create_info(["C3", "C4"], 100, "eeg"), verbose="error")
    with pytest.warns(RuntimeWarning, match="longer than the signal"):
        read_epochs(epochs, tmax=1, l_freq=1, h_freq=30, subject=1)


def test_files_of_epochs_are_read_whatever_they_are_called(tmp_path):
    noise = np.random.default_rng(0).normal(0, 1e-5, (4, 2, 100))
    epochs = mne.EpochsArray(noise, mne.create_info(["C3", "C4"], 100, "eeg"), verbose="error")
    epochs.save(tmp_path / "sub-01_epochs.fif", verbose="error")
    with pytest.warns(RuntimeWarning, match="naming conventions"):
        data = read_epochs(tmp_path / "sub-01_epochs.fif", tmax=1)
    np.testing.assert_allclose(np.asarray(data.X), noise, rtol=1e-6)
    epochs.average().save(tmp_path / "sub-01-ave.fif", verbose="error")
    with (
        pytest.warns(RuntimeWarning, match="naming conventions"),
        pytest.raises(ValueError, match="No raw data"),
    ):
        read_epochs(tmp_path / "sub-01-ave.fif", tmax=1)


def test_edges_of_a_filter_that_are_the_wrong_way_round_are_refused():
    # MNE takes them for those of a stop band.
    with pytest.raises(ValueError, match=r"l_freq=30 must be below h_freq=8"):
        read_epochs(make_raw(), l_freq=30, h_freq=8)
