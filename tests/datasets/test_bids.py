"""Recordings of BIDS data sets, written here by mne-bids."""

from __future__ import annotations

import sys
import warnings

import mne
import numpy as np
import pandas as pd
import pytest

from skbci.datasets import load_bids, read_epochs

NAMES = ["C3", "Cz", "C4", "EOG"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    mne_bids = pytest.importorskip("mne_bids", reason="mne-bids is not installed")
    pytest.importorskip("pybv", reason="pybv, by which mne-bids writes, is not installed")
    folder = tmp_path_factory.mktemp("bids")
    for subject, session, run in [("01", "1", "01"), ("01", "2", "01"), ("02", "1", "01"),
                                  ("02", "1", "02")]:
        raw = recording(int(subject) * 10 + int(session) + int(run))
        path = mne_bids.BIDSPath(subject=subject, session=session, run=run, task="imagery",
                                 datatype="eeg", root=folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mne_bids.write_raw_bids(raw, path, format="BrainVision", allow_preload=True,
                                    overwrite=True, verbose="error")
    return folder


def recording(seed):
    rng = np.random.default_rng(seed)
    info = mne.create_info(NAMES, 100, ["eeg", "eeg", "eeg", "eog"])
    info["line_freq"] = 50
    raw = mne.io.RawArray(rng.normal(0, 1e-5, (4, 2000)), info, verbose="error")
    raw.info["bads"] = ["Cz"]
    raw.set_annotations(mne.Annotations([2, 6, 10, 14], 1.0, ["left", "right", "left", "right"]))
    return raw


def test_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mne_bids", None)
    (tmp_path / "dataset_description.json").write_text("{}")
    with pytest.raises(ImportError, match=r'load_bids: .* pip install "skbci\[bids\]"'):
        load_bids(tmp_path)
    file = tmp_path / "sub-01" / "eeg" / "sub-01_task-rest_eeg.fif"
    file.parent.mkdir(parents=True)
    recording(0).save(file, verbose="error")
    with pytest.warns(UserWarning, match=r"skbci\[bids\].*without the data set's tables"):
        found = read_epochs(file, tmax=1.0)
    assert found.metadata["subject"].unique().tolist() == [1]


@pytest.mark.extras
def test_one_recording_by_its_path(root):
    import mne_bids

    where = mne_bids.BIDSPath(subject="02", session="1", run="02", task="imagery", datatype="eeg",
                              suffix="eeg", extension=".vhdr", root=root)
    table = pd.DataFrame({"subject": [2] * 4, "session": [1] * 4, "run": [2] * 4,
                          "onset": [2.0, 6.0, 10.0, 14.0], "task": ["imagery"] * 4})
    right = recording(23).get_data()
    for path in (where, where.fpath, str(where.fpath)):
        found = read_epochs(path, tmin=0.0, tmax=2.0)
        assert found.ch_names == ["C3", "C4"]  # as channels.tsv says
        assert found.y.tolist() == ["left", "right", "left", "right"]
        pd.testing.assert_frame_equal(found.metadata[list(table)], table, check_dtype=False)
        np.testing.assert_allclose(np.asarray(found.X)[1], right[[0, 2], 600:800], atol=1e-9)
    assert read_epochs(where, task="other", subject=9).metadata["subject"][0] == 9


@pytest.mark.extras
def test_events_are_those_of_the_table(root, tmp_path):
    import shutil

    shutil.copytree(root, tmp_path / "copy")
    (file,) = (tmp_path / "copy").rglob("sub-01_ses-2*_events.tsv")
    table = pd.read_csv(file, sep="\t")
    table.loc[1, "trial_type"] = "feet"
    table.to_csv(file, sep="\t", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_bids(tmp_path / "copy", sessions=2, tmax=1.0)
    assert found.y.tolist() == ["left", "feet", "left", "right"]


@pytest.mark.extras
def test_a_whole_data_set(root):
    found = load_bids(root, tmax=1.0)
    assert found.X.shape == (16, 2, 100)
    table = found.metadata
    assert table["subject"].tolist() == [1] * 8 + [2] * 8
    assert table["session"].tolist() == [1] * 4 + [2] * 4 + [1] * 8
    assert table["run"].tolist() == [1] * 12 + [2] * 4
    right = recording(13).get_data()  # the second one
    np.testing.assert_allclose(np.asarray(found.X)[4], right[[0, 2], 200:300], atol=1e-9)
    for asked in ({"subjects": 2}, {"subjects": "02"}, {"subjects": ["2"]}):
        assert set(load_bids(root, tmax=1.0, **asked).metadata["subject"]) == {2}
    part = load_bids(root, tmax=1.0, subjects=[1, 2], sessions="1", runs=1, tasks="imagery")
    assert len(part.X) == 8


@pytest.mark.extras
@pytest.mark.parametrize(("options", "error", "message"), [
    ({"subjects": 3}, ValueError, r"subjects=\[3\] not found; the data set has subjects \[1, 2\]"),
    ({"tasks": "rest"}, ValueError, r"tasks=\['rest'\] not found"),
    ({"subjects": 1, "runs": 2}, ValueError, "has subjects=.* together"),
    ({"datatype": "meg"}, ValueError, "no recordings of the kind 'meg'"),
    ({"datatype": "anat"}, ValueError, "datatype='anat'"),
    ({"event_id": "feet"}, ValueError, "feet"),
    ({"picks": "meg"}, ValueError, "picks='meg'"),
])
def test_what_is_not_there_is_said(root, options, error, message):
    with pytest.raises(error, match=message):
        load_bids(root, **options)


def test_no_data_set(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        load_bids(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"has no dataset_description.json"):
        load_bids(tmp_path)
    with pytest.raises(TypeError, match="root=7 must be the path"):
        load_bids(7)


@pytest.mark.extras
def test_a_path_to_nothing(root):
    import mne_bids

    where = mne_bids.BIDSPath(subject="07", task="imagery", datatype="eeg", suffix="eeg",
                              extension=".vhdr", root=root)
    with pytest.raises(FileNotFoundError, match="No recording at"):
        read_epochs(where)
    with pytest.raises(ValueError, match="has no root"):
        read_epochs(mne_bids.BIDSPath(subject="07", task="imagery", datatype="eeg"))


def changed(root, where, column, old, new):
    """Copy a data set with one column of the tables of subject 1, session 2 edited."""
    import shutil

    shutil.copytree(root, where)
    kind = "events" if column in ("onset", "trial_type", "sample") else "channels"
    (file,) = where.rglob(f"sub-01_ses-2*_{kind}.tsv")
    table = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
    rows = table[column] == old
    assert rows.any()
    table.loc[rows, column] = new
    table.to_csv(file, sep="\t", index=False)
    return where


@pytest.mark.extras
@pytest.mark.parametrize(("column", "old", "new", "message", "onsets"), [
    ("sampling_frequency", "100.0", "250", "states 250 Hz for C3, Cz, C4, EOG", [2, 6, 10, 14]),
    ("units", "µV", "mV", "states the unit 'mV' for C3, Cz, C4, the", [2, 6, 10, 14]),
    ("units", "µV", "bananas", "'bananas' for C3, Cz, C4, which is no voltage", [2, 6, 10, 14]),
    ("sample", "600", "900", "1 of 4 events have a sample that is not at", [2, 6, 10, 14]),
    ("onset", "6.0", "n/a", "1 of 4 events were left out, since their onset", [2, 10, 14]),
    ("trial_type", "left", "n/a", "2 of 4 events were left out, since their tri", [6, 14]),
])
def test_tables_that_contradict_the_recording_are_doubted(
    root, tmp_path, column, old, new, message, onsets
):
    where = changed(root, tmp_path / "copy", column, old, new)
    with pytest.warns(UserWarning, match=message):
        found = load_bids(where, subjects=1, sessions=2, tmax=1.0)
    assert found.metadata["onset"].tolist() == onsets
    # The recording's own rate and unit are those that count.
    first = round(onsets[0] * 100)
    right = recording(13).get_data()[[0, 2], first : first + 100]
    np.testing.assert_allclose(np.asarray(found.X)[0], right, atol=1e-9)


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("content", ["", "time\tname\n1.0\tleft\n"])
def test_a_table_without_onsets_is_said_in_words(root, tmp_path, content):
    where = changed(root, tmp_path / "copy", "onset", "6.0", "6.0")
    (file,) = where.rglob("sub-01_ses-2*_events.tsv")
    file.write_text(content)
    with pytest.raises(ValueError, match="'onset' is missing. Its tables"):
        load_bids(where, sessions=2)


@pytest.mark.extras
@pytest.mark.parametrize("folder", ["derivatives/clean", "sourcedata"])
def test_copies_in_a_data_set_are_no_recordings_of_it(root, tmp_path, folder):
    import shutil

    shutil.copytree(root, tmp_path / "copy")
    shutil.copytree(root / "sub-01", tmp_path / "copy" / folder / "sub-01")
    assert load_bids(tmp_path / "copy", tmax=1.0).metadata["subject"].tolist() == [1] * 8 + [2] * 8


@pytest.mark.extras
def test_a_recording_in_several_files_is_read_once(root, tmp_path):
    import shutil

    shutil.copy(root / "dataset_description.json", tmp_path)
    place = tmp_path / "sub-01" / "meg"
    place.mkdir(parents=True)
    raw = mne.io.RawArray(np.random.default_rng(0).normal(0, 1e-5, (60, 10_000)),
                          mne.create_info(60, 100, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([2, 50, 90], 0.0, ["left", "right", "left"]))
    raw.save(place / "sub-01_task-imagery_meg.fif", split_size="2MB", split_naming="bids",
             verbose="error")
    assert len(list(place.glob("*_split-*_meg.fif"))) > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_bids(tmp_path, datatype="meg", tmax=1.0)
    assert found.metadata["onset"].tolist() == [2.0, 50.0, 90.0]
    with pytest.raises(ValueError, match="later part of the recording sub-01_.*_split-01_meg.fif"):
        read_epochs(place / "sub-01_task-imagery_split-02_meg.fif")


@pytest.mark.extras
def test_boundaries_of_the_file_hold_where_the_table_of_events_has_none(tmp_path):
    import mne_bids

    raw = recording(5)
    raw.set_annotations(mne.Annotations([2, 6, 7, 10], 0, ["left", "right", "boundary", "left"]))
    where = mne_bids.BIDSPath(subject="05", task="imagery", datatype="eeg", suffix="eeg",
                              extension=".vhdr", root=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mne_bids.write_raw_bids(raw, where, format="BrainVision", allow_preload=True,
                                verbose="error")
    markers = where.fpath.with_suffix(".vmrk")
    markers.write_text(markers.read_text().replace("Stimulus,S  1,701", "New Segment,,701"))
    events = where.fpath.with_name("sub-05_task-imagery_events.tsv")
    lines = [line for line in events.read_text().splitlines() if "boundary" not in line]
    events.write_text("\n".join(lines) + "\n")
    with pytest.warns(UserWarning, match="1 of 3 events were left out"):
        found = read_epochs(where, tmax=2.0)
    assert found.y.tolist() == ["left", "left"]
    assert found.metadata["onset"].tolist() == [2.0, 10.0]
