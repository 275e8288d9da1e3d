"""EEGLAB's files, written here as the structures that it saves."""

from __future__ import annotations

import sys
import warnings

import mne
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from skbci import EEGArray
from skbci.datasets import read_epochs

RATE, N = 100, 2000
NAMES = ("C3", "Cz", "C4")
CUES = [(500, "left"), (900, "right"), (1300, "left")]  # numbers of samples, from 0


def microvolts(seed=0, n=N):
    return np.random.default_rng(seed).normal(0, 20, (len(NAMES), n)).astype(np.float32)


def structure(fields, rows):
    out = np.zeros(len(rows), dtype=[(field, object) for field in fields])
    for at, row in enumerate(rows):
        out[at] = tuple(row)
    return out


def write(path, *, events=CUES, names=NAMES, data=None, **other):
    """Write a continuous recording; ``other`` are more entries of EEG."""
    empty = np.zeros((0, 0))
    eeg = {
        "setname": "a", "nbchan": 3.0, "trials": 1.0, "pnts": float(N), "srate": float(RATE),
        "xmin": 0.0, "xmax": (N - 1) / RATE, "times": np.arange(N) * 1000.0 / RATE,
        "data": microvolts() if data is None else data, "ref": "common", "epoch": empty,
        "chanlocs": structure(["labels", "type"], [(name, "EEG") for name in names]),
        "chaninfo": {"nosedir": "+X"},
        "event": structure(["type", "latency", "duration"],
                           [(text, at + 1.0, 1.0) for at, text in events]),
    }
    savemat(path, {"EEG": eeg | other}, appendmat=False)
    return path


def beside(path, data):
    """Write data as EEGLAB does beside a .set file."""
    path.write_bytes(np.asarray(data, "<f4").tobytes(order="F"))
    return path.name


def quiet(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_epochs(path, **options)


def right(seed=0, cues=CUES):
    return np.stack([microvolts(seed)[:, at : at + 100] for at, _ in cues]) * 1e-6


def test_data_inside_and_beside(tmp_path):
    inside = quiet(write(tmp_path / "S01.set"), tmax=1)
    assert inside.y.tolist() == ["left", "right", "left"]
    np.testing.assert_allclose(np.asarray(inside.X), right(), rtol=1e-5)
    path = write(tmp_path / "S02.set", data=beside(tmp_path / "S02.fdt", microvolts()))
    np.testing.assert_allclose(np.asarray(quiet(path, tmax=1).X), right(), rtol=1e-5)


def test_another_recordings_data_beside_its_own_are_refused(tmp_path):
    beside(tmp_path / "S01.fdt", microvolts(1))
    beside(tmp_path / "S02.fdt", microvolts())
    path = write(tmp_path / "S02.set", data="S01.fdt")
    with pytest.raises(ValueError, match=r"S02\.set names S01\.fdt .*but S02\.fdt is there"):
        read_epochs(path)
    (tmp_path / "S02.fdt").unlink()
    write(tmp_path / "S01.set", data="S01.fdt")
    with pytest.warns(UserWarning, match=r"S02\.set names S01\.fdt .*that of S01\.set, too"):
        read_epochs(path, tmax=1)


@pytest.mark.parametrize(("names", "data"), [
    (NAMES[:2], microvolts()),  # one name is missing: MNE would take every third value for C3
    (NAMES, np.tile(microvolts(), 2)),  # twice as long as is stated
])
def test_data_of_another_size_are_refused(tmp_path, names, data):
    path = write(tmp_path / "S01.set", names=names, data=beside(tmp_path / "S01.fdt", data))
    with pytest.raises(ValueError, match=r"S01\.set states \d channels .* S01\.fdt has \d+"):
        read_epochs(path)


@pytest.mark.parametrize("names", [NAMES[:2], (*NAMES, "Pz")])
def test_names_and_rows_of_data_are_as_many(tmp_path, names):
    path = write(tmp_path / "S01.set", names=names)
    with pytest.raises(ValueError, match=rf"names {len(names)} channels .* and holds 3"):
        read_epochs(path)


def test_names_and_rows_of_epochs_are_as_many(tmp_path):
    with pytest.raises(ValueError, match="names 2 channels .* and holds 3"):
        read_epochs(epoched(tmp_path / "S01.set", names=NAMES[:2]))


def test_boundaries_among_events_that_are_numbers(tmp_path):
    events = [(500, 1), (550, -99), (900, 2), (1300, 1)]
    with pytest.warns(UserWarning, match="1 of 3 events were left out"):
        data = read_epochs(write(tmp_path / "S01.set", events=events), tmax=1)
    assert data.y.tolist() == ["2", "1"]
    # Among texts, it is a text.
    events = [(500, "a"), (900, "-99")]
    assert quiet(write(tmp_path / "S01.set", events=events), tmax=1).y.tolist() == ["a", "-99"]


LABELS = ["left", "right", "right", "left"]


def segments():
    return microvolts(n=400).reshape(3, 4, 100)


def epoched(path, more=(), data=None, names=NAMES, **other):
    """Write four epochs of a second; ``more`` are further events: epoch, sample, type."""
    every = sorted([*((at, 50, text) for at, text in enumerate(LABELS)), *more])
    events = [(text, at * 100 + sample + 1.0, 1.0, at + 1.0) for at, sample, text in every]
    types = []
    for epoch in range(4):
        own = [text for at, _, text in every if at == epoch]
        cell = np.empty(len(own), dtype=object)
        cell[:] = own
        types.append((cell if len(own) > 1 else own[0],))
    return write(
        path, data=segments().transpose(0, 2, 1) if data is None else data, trials=4.0, pnts=100.0,
        xmin=-0.5, xmax=0.49, names=names, epoch=structure(["eventtype"], types),
        event=structure(["type", "latency", "duration", "epoch"], events), **other,
    )


def test_epochs_are_read_too(tmp_path):
    for path in (epoched(tmp_path / "S01.set"),
                 epoched(tmp_path / "S02.set",
                         data=beside(tmp_path / "S02.fdt", segments().transpose(0, 2, 1)))):
        data = quiet(path, tmin=-0.5, tmax=0.5)
        assert data.y.tolist() == LABELS
        np.testing.assert_allclose(np.asarray(data.X), segments().transpose(1, 0, 2) * 1e-6,
                                   rtol=1e-5)


def test_epochs_that_name_anothers_data_are_refused(tmp_path):
    beside(tmp_path / "S01.fdt", -segments().transpose(0, 2, 1))
    beside(tmp_path / "S02.fdt", segments().transpose(0, 2, 1))
    path = epoched(tmp_path / "S02.set", data="S01.fdt")
    with pytest.raises(ValueError, match=r"S02\.set names S01\.fdt .*but S02\.fdt is there"):
        read_epochs(path)


def test_epochs_know_no_onsets(tmp_path):
    # EEGLAB counts their events as if one epoch began where another ended.
    path = epoched(tmp_path / "S01.set")
    assert "onset" not in quiet(path, tmin=-0.5, tmax=0.5).metadata
    assert "onset" not in EEGArray.from_epochs(mne.read_epochs_eeglab(path)).metadata


def test_epochs_left_out_for_their_further_events_are_said(tmp_path):
    path = epoched(tmp_path / "S01.set", more=[(1, 80, "response"), (3, 20, "response")])
    with (
        pytest.warns(RuntimeWarning, match="multiple events"),
        pytest.warns(UserWarning, match=r"2 epochs were left out .*'right/response' \(1\), "
                                        r"'response/left' \(1\)"),
    ):
        data = read_epochs(path, event_id=["left", "right"], tmin=-0.5, tmax=0.5)
    assert data.y.tolist() == ["left", "right"]


@pytest.mark.parametrize("flat", [False, True])
def test_who_it_is_where_no_name_says_it(tmp_path, flat):
    person = {"subject": "P07", "session": 2.0}
    path = write(tmp_path / "recording.set", **person)
    if flat:  # as EEGLAB saves by default
        eeg = loadmat(path)["EEG"]
        savemat(path, {name: eeg[name][0, 0] for name in eeg.dtype.names}, appendmat=False)
    table = quiet(path, tmax=1).metadata
    assert set(table["subject"]) == {"P07"}
    assert set(table["session"]) == {2}
    path.rename(tmp_path / "sub-03_eeg.set")
    assert set(quiet(tmp_path / "sub-03_eeg.set", tmax=1).metadata["subject"]) == {3}


def test_nobody_is_said_where_nobody_is_named(tmp_path):
    with pytest.warns(UserWarning, match="neither the header nor the file's name"):
        read_epochs(write(tmp_path / "recording.set", subject="", session=np.zeros((0, 0))),
                    tmax=1)


@pytest.mark.parametrize("marks", [
    {"rejmanual": [0, 1, 0, 0], "rejkurt": [0, 0, 0, 1]}, {"rejglobal": [0.0, 1.0, 0.0, 1.0]},
])
@pytest.mark.parametrize("flat", [False, True])
def test_epochs_that_are_marked_for_rejection_are_left_out(tmp_path, marks, flat):
    nothing = {"rejthresh": np.zeros((0, 0)), "rejconst": [0, 0, 0, 0], "icareject": [1, 1, 1, 1]}
    marks = {name: np.asarray(values, float) for name, values in (nothing | marks).items()}
    path = epoched(tmp_path / "S01.set", reject=marks)
    if flat:
        eeg = loadmat(path)["EEG"]
        savemat(path, {name: eeg[name][0, 0] for name in eeg.dtype.names}, appendmat=False)
    with pytest.warns(UserWarning, match=r"S01\.set marks 2 of its 4 epochs for rejection"):
        data = read_epochs(path, tmin=-0.5, tmax=0.5)
    assert data.y.tolist() == [LABELS[0], LABELS[2]]
    np.testing.assert_allclose(np.asarray(data.X), segments().transpose(1, 0, 2)[[0, 2]] * 1e-6,
                               rtol=1e-5)


def test_epochs_of_which_none_is_marked_are_all_there(tmp_path):
    path = epoched(tmp_path / "S01.set", reject={"rejmanual": np.zeros(4), "rejjp": np.ones(3)})
    assert quiet(path, tmin=-0.5, tmax=0.5).y.tolist() == LABELS


def test_a_missing_reader_is_named(tmp_path, monkeypatch):
    """A file of MATLAB's version 7.3 needs a package that MNE does not bring."""
    monkeypatch.setitem(sys.modules, "pymatreader", None)
    path = tmp_path / "S01.set"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
                     + bytes(384) + b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ImportError, match=r"S01\.set without the package pymatreader: pip"):
        read_epochs(path)


class Hdf5:
    """Writes a structure as MATLAB's version 7.3 does: HDF5 after a header of its own."""

    def __init__(self, path, eeg):
        h5py = pytest.importorskip("h5py", reason="h5py is not installed")
        self.reference, self.n = h5py.ref_dtype, 0
        with h5py.File(path, "w", userblock_size=512) as file:
            self.refs = file.create_group("#refs#")
            self.put(file, "EEG", eeg)
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")

    def put(self, where, name, value):
        if isinstance(value, dict):
            item, kind = where.create_group(name), b"struct"
            for key, part in value.items():
                self.put(item, key, part)
        elif isinstance(value, list):
            item, kind = where.create_group(name), b"struct"
            for key in value[0]:
                found = [[self.refer(row[key])] for row in value]
                item.create_dataset(key, data=np.array(found, self.reference),
                                    dtype=self.reference)
        elif np.size(value) == 0 or (isinstance(value, str) and not value):
            item = where.create_dataset(name, data=np.zeros(2, "u8"))
            item.attrs["MATLAB_empty"], kind = np.uint8(1), b"double"
        elif isinstance(value, str):
            codes = np.array([[ord(letter)] for letter in value], "u2")
            item, kind = where.create_dataset(name, data=codes), b"char"
            item.attrs["MATLAB_int_decode"] = np.int32(2)
        else:
            item, kind = where.create_dataset(name, data=np.atleast_2d(value).T), b"double"
        item.attrs["MATLAB_class"] = np.bytes_(kind)

    def refer(self, value):
        self.n += 1
        self.put(self.refs, f"r{self.n}", value)
        return self.refs[f"r{self.n}"].ref


def hdf5(path, **other):
    nothing = np.zeros((0, 0))
    Hdf5(path, {
        "setname": "a", "nbchan": 3.0, "pnts": float(N), "trials": 1.0, "srate": float(RATE),
        "xmin": 0.0, "xmax": (N - 1) / RATE, "times": np.arange(N) * 1000.0 / RATE,
        "data": microvolts().astype(float), "ref": "common", "epoch": nothing,
        "chaninfo": {"nosedir": "+X"}, "chanlocs": [{"labels": name, "type": "EEG"}
                                                    for name in NAMES],
        "event": [{"type": text, "latency": at + 1.0, "duration": 1.0} for at, text in CUES],
    } | other)
    return path


@pytest.mark.extras
def test_files_of_hdf5_say_who_it_is(tmp_path):
    pytest.importorskip("pymatreader", reason="pymatreader is not installed")
    data = quiet(hdf5(tmp_path / "a.set", subject="P07", session=2.0), tmax=1)
    assert data.y.tolist() == [label for _, label in CUES]
    np.testing.assert_allclose(np.asarray(data.X), right(), rtol=1e-5)
    assert set(data.metadata["subject"]) == {"P07"}
    assert set(data.metadata["session"]) == {2}


@pytest.mark.extras
def test_epochs_of_hdf5_that_are_marked_or_of_anothers_data(tmp_path):
    pytest.importorskip("pymatreader", reason="pymatreader is not installed")
    epochs = {
        "trials": 4.0, "pnts": 100.0, "xmin": -0.5, "xmax": 0.49,
        "data": segments().transpose(0, 2, 1).astype(float),
        "event": [{"type": text, "latency": at * 100 + 51.0, "epoch": at + 1.0}
                  for at, text in enumerate(LABELS)],
        "epoch": [{"event": at + 1.0, "eventtype": text} for at, text in enumerate(LABELS)],
        "reject": {"rejmanual": np.array([0.0, 1.0, 0.0, 0.0]), "rejjp": np.zeros((0, 0))},
    }
    with pytest.warns(UserWarning, match="marks 1 of its 4 epochs"):
        data = read_epochs(hdf5(tmp_path / "S01.set", **epochs), tmin=-0.5, tmax=0.5)
    assert data.y.tolist() == [LABELS[0], *LABELS[2:]]
    np.testing.assert_allclose(np.asarray(data.X), segments().transpose(1, 0, 2)[[0, 2, 3]] * 1e-6,
                               rtol=1e-5)
    beside(tmp_path / "S02.fdt", -segments().transpose(0, 2, 1))
    beside(tmp_path / "S03.fdt", segments().transpose(0, 2, 1))
    path = hdf5(tmp_path / "S03.set", **epochs | {"data": "S02.fdt"})
    with pytest.raises(ValueError, match=r"S03\.set names S02\.fdt .*but S03\.fdt is there"):
        read_epochs(path)
