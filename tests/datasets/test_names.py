"""Whose a recording is: from arguments, headers, and the names that data sets use."""

from __future__ import annotations

import json
import warnings

import mne
import numpy as np
import pytest

from skbci.datasets import load_recording, read_epochs
from skbci.datasets._names import names_in

# As the data sets' own descriptions spell them out.
NAMES = [
    ("S001R04.edf", 1, None, 4),  # PhysioNet EEG Motor Movement/Imagery: subject, run
    ("A01T.gdf", 1, 1, None),  # BCI Competition IV 2a: subject, training (session 1)
    ("A09E.mat", 9, 2, None),  # ... evaluation (session 2)
    ("B0101T.gdf", 1, 1, None),  # BCI Competition IV 2b: subject, session
    ("B0905E.gdf", 9, 5, None),
    ("sub-01_ses-2_run-3_eeg.edf", 1, 2, 3),  # BIDS
    ("sub-anna_ses-pre_task-mi_run-01_eeg.vhdr", "anna", "pre", 1),
    ("sub-012_task-rest_eeg.set", 12, None, None),
    ("sub-control01_task-rest_eeg.set", "control01", None, None),  # not sub-patient01
    ("sub-A01_ses-V2_eeg.set", "A01", "V2", None),  # not sub-B01
    ("sub-S01_ses-session2_eeg.set", 1, 2, None),
    ("sess01_subj02_EEG_MI.mat", 2, 1, None),  # OpenBMI
    ("s01.bdf", 1, None, None),  # DEAP
    ("S01T.mat", 1, 1, None),  # BNCI 2014-002
    ("Subject_A_Train.mat", "A", None, None),  # BCI Competition III, set II
    ("subject_3.npz", 3, None, None),
    ("S3_session2.npz", 3, 2, None),
    ("subject1_session2.npz", 1, 2, None),
    ("subject01ses02run03.npz", 1, 2, 3),
    ("S01_S02_R03.npz", 1, 2, 3),
    ("P04_S02.npz", 4, 2, None),
    ("participant-12.npz", 12, None, None),
    ("eyes_S015_64ch.npz", 15, None, None),
    ("p300_S2.npz", 2, None, None),
    ("S12.fif.gz", 12, None, None),
    ("sub-07/ses-1/eeg/recording.edf", 7, 1, None),
    ("S04/session2.npz", 4, 2, None),
    ("mi_fists_22ch_S001-S020.npz", None, None, None),  # a range
    ("sub1_sub2.npz", None, None, None),
    ("p300_gtec.npz", None, None, None),
    ("eye_state.npz", None, None, None),
    ("recording1.npz", None, None, None),
    ("/mnt/s3/bucket/a.npz", None, None, None),
]


@pytest.mark.parametrize(("name", "subject", "session", "run"), NAMES)
def test_names_that_data_sets_use(name, subject, session, run):
    stated = {"subject": subject, "session": session, "run": run}
    assert names_in(name) == {k: v for k, v in stated.items() if v is not None}


def write(path, **arrays):
    X = np.random.default_rng(0).normal(0, 20, (2, 2, 50))
    arrays = {"X": X, "y": [1, 2], "sfreq": 100.0, "meta": '{"units": "uV"}', **arrays}
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("names", [
    ("S001R04", "S010R08"), ("B0101T", "B0302E"), ("sub-01_ses-1_run-2", "sub-02_ses-3_run-1"),
])
def test_files_of_a_folder_are_told_apart(tmp_path, names):
    for name in names:
        write(tmp_path / f"{name}.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = load_recording(tmp_path).metadata
    expected = [names_in(name) for name in names for _ in range(2)]
    for level in ("subject", "session", "run"):
        if level in expected[0]:
            assert table[level].tolist() == [row[level] for row in expected]


def test_not_everybody_is_subject_1_in_silence(tmp_path):
    for name in ("k3b", "k6b", "l1b"):
        write(tmp_path / f"{name}.npz")
    with pytest.warns(UserWarning, match=r"k3b\.npz, k6b\.npz, l1b\.npz: neither .* subject 1"):
        assert load_recording(tmp_path).metadata["subject"].tolist() == [1] * 6
    with pytest.warns(UserWarning, match="neither the file nor its name"):
        load_recording(tmp_path / "k6b.npz")


def test_what_a_file_says_wins_over_its_name(tmp_path):
    by_rows = write(tmp_path / "S07.npz", subject=[3, 4], run=[1, 2])
    assert load_recording(by_rows).metadata["subject"].tolist() == [3, 4]
    by_number = write(tmp_path / "S08.npz", subject=5, session=2, run=6)
    table = load_recording(by_number).metadata
    assert table[["subject", "session", "run"]].to_numpy().tolist() == [[5, 2, 6]] * 2
    meta = json.dumps({"units": "uV", "subject": "S006", "session": 3})
    by_meta = write(tmp_path / "S09_session1.npz", meta=meta)
    assert load_recording(by_meta).metadata[["subject", "session"]].to_numpy().tolist() == [
        [6, 3]] * 2


def make_raw(his_id=None, **more):
    raw = mne.io.RawArray(np.random.default_rng(0).normal(0, 1e-5, (2, 1000)),
                          mne.create_info(["C3", "C4"], 100.0, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([1, 4, 7], 0, ["left", "right", "left"]))
    if his_id is not None or more:
        raw.info["subject_info"] = {**({} if his_id is None else {"his_id": his_id}), **more}
    return raw


def test_read_epochs_takes_the_argument_then_the_header_then_the_name(tmp_path):
    path = tmp_path / "sub-05_ses-2_run-3_raw.fif"
    make_raw().save(path, verbose="error")
    levels = ["subject", "session", "run"]
    assert read_epochs(path, tmax=1).metadata.loc[0, levels].tolist() == [5, 2, 3]
    assert read_epochs(path, tmax=1, subject=1, session=9, run=8).metadata.loc[
        0, levels].tolist() == [1, 9, 8]
    read = mne.io.read_raw(path, verbose="error")
    assert read_epochs(read, tmax=1).metadata.loc[0, levels].tolist() == [5, 2, 3]
    make_raw("anna").save(path, overwrite=True, verbose="error")
    assert read_epochs(path, tmax=1).metadata.loc[0, levels].tolist() == ["anna", 2, 3]
    assert read_epochs(path, tmax=1, subject=1).metadata.loc[0, "subject"] == 1


@pytest.mark.parametrize("raw", [
    make_raw(), make_raw("X"), make_raw(""), make_raw("unknown"),
    make_raw("0", id=0, last_name="mne_anonymize"),
])
def test_a_header_that_names_nobody(raw):
    with pytest.warns(UserWarning, match="neither the header nor .* subject=... to read_epochs"):
        assert read_epochs(raw, tmax=1).metadata["subject"].tolist() == [1, 1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_epochs(raw, tmax=1, subject=4).metadata["subject"].tolist() == [4, 4, 4]


def test_arguments_win_over_the_table_of_stored_epochs():
    epochs = read_epochs(make_raw("anna"), tmax=1, session=2).X.to_epochs()
    assert read_epochs(epochs, tmax=1).metadata["subject"].tolist() == ["anna"] * 3
    assert read_epochs(epochs, tmax=1).metadata["session"].tolist() == [2] * 3
    again = read_epochs(epochs, tmax=1, subject=7)
    assert again.metadata["subject"].tolist() == [7] * 3
    assert again.metadata["session"].tolist() == [2] * 3
