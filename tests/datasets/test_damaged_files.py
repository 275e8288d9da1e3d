"""Damaged and hostile files: a ValueError that names file and array, or the same values."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import struct
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pandas as pd
import pytest

from skbci.datasets import load_bci3_mental_imagery, load_recording, read_epochs, save_recording
from skbci.eegarray import EEGArray


def epochs_arrays():
    rng = np.random.default_rng(0)
    return {
        "X": rng.integers(-200, 200, (6, 2, 40), dtype=np.int16), "scale": 0.1, "sfreq": 100.0,
        "y": np.array([1, 2] * 3), "subject": np.repeat([1, 2, 3], 2), "ch_names": ["C3", "C4"],
        "onset": np.arange(6) * 2.0, "meta": '{"units": "uV", "labels": {"1": "l", "2": "r"}}',
    }


def continuous_arrays():
    rng = np.random.default_rng(0)
    return {
        "run01": rng.normal(0, 20, (2, 300)), "run02": rng.normal(0, 20, (2, 300)),
        "sfreq": 100.0, "ch_names": ["C3", "C4"], "meta": '{"units": "uV", "subject": 3}',
        "ev_onset_run01": np.array([10, 150]), "ev_code_run01": np.array([1, 2]),
        "ev_onset_run02": np.array([20, 90]), "ev_code_run02": np.array([2, 1]),
    }


def house_bunch():
    rng = np.random.default_rng(0)
    X = EEGArray(rng.normal(0, 1e-5, (6, 2, 40)), {"subject": [1, 1, 2, 2, 3, 3],
                                                   "session": [1, 2] * 3},
                 sfreq=100.0, ch_names=["C3", "C4"])
    return {"X": X, "y": np.array([1, 2] * 3), "events": pd.DataFrame({"onset": [0.5, 1.5]}),
            "label_names": {1: "l", 2: "r"}, "weights": np.arange(6.0), "counts": np.arange(6.0)}


def whole_file(kind, path):
    if kind == "house":
        save_recording(path, house_bunch())
    elif kind == "epochs":
        np.savez_compressed(path, **epochs_arrays())
    else:
        np.savez(path, **continuous_arrays())
    return path.read_bytes()


def damaged(content, rng, kind):
    """One damaged copy."""
    copy = bytearray(content)
    at, length = int(rng.integers(len(content))), int(rng.integers(1, 60))
    if kind == 0:
        copy[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del copy[at:]
    elif kind == 2:
        del copy[at : at + length]
    elif kind == 3:
        copy[at:at] = copy[at : at + length]
    elif kind == 4:
        copy[at : at + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    else:  # the directory at the archive's end has no checksum of its own
        start = content.rindex(b"PK\x05\x06") - int(rng.integers(0, 400))
        copy[start + int(rng.integers(22))] ^= 1 << int(rng.integers(8))
    return bytes(copy)


def assert_same(a, b):
    assert sorted(a) == sorted(b)
    for key, value in a.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, b[key])
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(np.asarray(value), np.asarray(b[key]))
        else:
            assert value == b[key]


@pytest.mark.parametrize("kind", ["house", "epochs", "continuous"])
def test_a_damaged_copy_is_refused_or_gives_the_same(tmp_path, kind):
    path, rng = tmp_path / "S01.npz", np.random.default_rng(1)
    content = whole_file(kind, path)
    whole, refused = load_recording(path), 0
    for number in range(150):
        path.write_bytes(damaged(content, rng, number % 6))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # zipfile may notice something too
                again = load_recording(path)
        except Exception as error:
            assert type(error) is ValueError, repr(error)  # noqa: PT017
            assert str(path) in str(error)  # noqa: PT017
            refused += 1
        else:
            assert_same(whole, again)
    assert refused > 100


def members(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewrite(path, parts, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def npy(values):
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def header(shape, descr="<f8"):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def test_saved_files_notice_swapped_and_missing_arrays(tmp_path):
    """In a valid archive: all of the format's own checksums fit."""
    path = save_recording(tmp_path / "S01.npz", house_bunch())
    parts = members(path)
    names = [name for name in parts if name not in ("skbci_recording.npy", "meta.npy")]
    assert len(names) >= 7
    for first, second in zip(names, names[1:] + names[:1]):
        if parts[first] == parts[second]:
            continue
        swapped = parts | {first: parts[second], second: parts[first]}
        with pytest.raises(ValueError, match=r"S01\.npz: array .* its checksum does not fit"):
            load_recording(rewrite(path, swapped))
        less = {name: content for name, content in parts.items() if name != first}
        with pytest.raises(ValueError, match=r"S01\.npz looks like .* but lacks"):
            load_recording(rewrite(path, less))
    load_recording(rewrite(path, parts))


def test_files_from_before_there_were_checksums_are_read(tmp_path):
    path = save_recording(tmp_path / "S01.npz", house_bunch())
    whole, arrays = load_recording(path), dict(np.load(path))
    meta = json.loads(str(arrays["meta"]))
    del meta["checksums"]
    np.savez(path, **{**arrays, "meta": json.dumps(meta)})
    assert_same(whole, load_recording(path))


def test_what_grows_out_of_proportion_is_refused_before_it_is_read(tmp_path):
    path, megabyte = tmp_path / "S01.npz", bytes(2**20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("X.npy", "w") as out:
            out.write(header((300 * 64, 2, 1024)))
            for _ in range(300):
                out.write(megabyte)
        file.writestr("y.npy", npy(np.arange(300 * 64) % 2))
        file.writestr("sfreq.npy", npy(100.0))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"S01\.npz is not read: its .* MB would become 31\d"):
        load_recording(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_compressed_matlab_and_fif_files_that_grow_out_of_proportion(tmp_path):
    pack, packed = zlib.compressobj(1), b""
    for _ in range(300):
        packed += pack.compress(bytes(2**20))
    packed += pack.flush()
    bomb = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed))
    (tmp_path / "train_subject1_psd01.mat").write_bytes(bomb + packed)
    zeros = gzip.compress(bytes(2**20), 1) * 300  # members of one gzip file follow each other
    (tmp_path / "S01_raw.fif.gz").write_bytes(zeros)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"psd01\.mat is not read: its .* MB would become"):
        load_bci3_mental_imagery(tmp_path, 1, sessions=1)
    with pytest.raises(ValueError, match=r"S01_raw\.fif\.gz is not read: its .* MB would become"):
        read_epochs(tmp_path / "S01_raw.fif.gz")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_directory_that_swallows_its_entries(tmp_path):
    """A longer comment of one entry hides those after it, and zipfile does not mind."""
    path = tmp_path / "S01.npz"
    np.savez(path, **epochs_arrays())
    content = bytearray(path.read_bytes())
    at = [m.start() for m in re.finditer(b"PK\x01\x02", content)][3]
    content[at + 33] = 16  # the comment is 4096 bytes long
    path.write_bytes(content)
    assert len(zipfile.ZipFile(path).namelist()) == 4
    with pytest.raises(ValueError, match=r"S01\.npz .* directory states 8 arrays and lists 4"):
        load_recording(path)


def test_compressed_zeros_of_a_usual_size_are_read(tmp_path):
    np.savez_compressed(tmp_path / "S01.npz", X=np.zeros((200, 8, 1000)), y=np.arange(200) % 2,
                        sfreq=100.0)
    assert load_recording(tmp_path / "S01.npz").X.shape == (200, 8, 1000)


@pytest.mark.parametrize(("shape", "descr"), [
    ((6, 2, 5 * 10**8), "<f8"), ((2**40, 2**40), "<f8"), ((6, 2, 3), "<f8"), ((-6, -2, 40), "<f8"),
    ((6, 2, 40), "<f4"), ((6, 2, 40), "<U1000000"), ((), "<f8"),
])
def test_an_array_that_states_another_size_than_it_has(tmp_path, shape, descr):
    parts = {"X.npy": header(shape, descr) + bytes(6 * 2 * 40 * 8), "y.npy": npy([1, 2] * 3),
             "sfreq.npy": npy(100.0)}
    with pytest.raises(ValueError, match=r"S01\.npz .*array 'X' states the shape .* but holds"):
        load_recording(rewrite(tmp_path / "S01.npz", parts))


BASE = {**epochs_arrays()}
HOUSE_META = {"units": "V", "DESCR": "", "tmin": 0.0, "sfreq": 100.0, "ch_names": ["C3", "C4"],
              "tables": ["metadata"], "json": {}}
HOUSE = {
    "skbci_recording": 1, "X": np.zeros((6, 2, 40)), "y": np.arange(6),
    "columns.metadata": np.array(["subject"]), "table.metadata.subject": np.arange(6),
    "meta": json.dumps(HOUSE_META),
}
CONTINUOUS = {"X": np.ones((2, 100)), "sfreq": 100.0, "ev_onset": [1], "ev_code": [1]}


def with_meta(**change):
    return {**HOUSE, "meta": json.dumps(HOUSE_META | change)}


@pytest.mark.parametrize("arrays", [
    {**BASE, "meta": "[" * 100_000},
    {**BASE, "meta": '{"a": ' * 100_000},
    {**BASE, "meta": "1" * 5000},
    {**BASE, "meta": np.array(["{}", "{}"])},
    {**BASE, "meta": np.array(b"\xff\xfe")},
    {**BASE, "extra": pickle.dumps(1)},
    {**BASE, "X": b"hello"},
    {**BASE, "X": b""},
    {**BASE, "X": np.zeros((6, 2, 40), complex)},
    {**BASE, "X": np.zeros((6, 2, 40), "M8[s]")},
    {**BASE, "X": np.zeros((6, 2, 40), [("a", "f8")])},
    {**BASE, "y": np.array([b"\xff"] * 6)},
    {**BASE, "scale": np.nan},
    {**BASE, "scale": "a"},
    {**BASE, "scale": 0.0},
    {**BASE, "sfreq": 1 + 1j},
    {**BASE, "sfreq": "fast"},
    {**BASE, "sfreq": np.inf},
    {**BASE, "tmin": np.nan},
    {**BASE, "ch_names": "C3"},
    {**BASE, "ch_names": np.array([[1, 2]])},
    {**BASE, "ch_names": np.array([b"\xff", b"C4"])},
    {**BASE, "onset": np.array(list("abcdef"))},
    {**BASE, "subject": np.zeros((6, 2))},
    {**CONTINUOUS, "ev_onset": np.array(["a"])},
    {**CONTINUOUS, "ev_onset": np.array([1.5j])},
    {**CONTINUOUS, "ev_onset": np.array(1)},
    {**CONTINUOUS, "ev_code": np.array([[1]])},
    {**CONTINUOUS, "X": np.full((2, 100), "a")},
    {"run01": np.array(1.0), "sfreq": 100.0},
    {"run01": np.full((2, 9), "a"), "sfreq": 100.0},
    {"X_train": np.zeros((4, 3)), "y_train": [1] * 4, "X_test": np.zeros((4, 3)),
     "y_test": [1] * 4, "feature_rate": "often"},
    {"X_train": np.zeros((4, 3)), "y_train": [1] * 4, "X_test": np.zeros((4, 3)),
     "y_test": [1] * 4, "feature_rate": 0.0},
    {"X_train": np.zeros((4, 3)), "y_train": [1] * 4, "X_test": np.zeros((4, 3)),
     "y_test": [1] * 4, "feature_rate": 16.0, "session_train": list("abcd")},
    {"X": np.zeros((4, 3)), "y": [1] * 4, "categories_json": "[" * 100_000},
    {"X": np.zeros((4, 3)), "y": [1] * 4, "n_train": np.array("many")},
    {**HOUSE, "y": 1.0},
    {**HOUSE, "y": np.zeros(1)},
    {**HOUSE, "y": np.zeros(7)},
    {**HOUSE, "X": 1.0},
    {**HOUSE, "X": np.full(6, "a")},
    {**HOUSE, "meta": '{"a": 1}'},
    {**HOUSE, "meta": "3"},
    {**HOUSE, "skbci_recording": "one"},
    {**HOUSE, "columns.metadata": np.array([1, 2])},
    {**HOUSE, "columns.metadata": np.array("subject")},
    {**HOUSE, "columns.metadata": np.array(["session"])},
    {**HOUSE, "table.metadata.subject": np.array(b"\xff")},
    {**HOUSE, "table.metadata.subject": np.zeros(1)},
    {**HOUSE, "table.metadata.subject": np.zeros((6, 1))},
    with_meta(tables=[]), with_meta(tables="metadata"), with_meta(tables=[["metadata"]]),
    with_meta(tables=["metadata", "events"]), with_meta(sfreq="fast"), with_meta(sfreq=-1.0),
    with_meta(sfreq=True), with_meta(sfreq=[100.0]), with_meta(ch_names="ab"),
    with_meta(ch_names=[1, 2]), with_meta(ch_names=["C3"]), with_meta(tmin=None),
    with_meta(tmin=float("nan")), with_meta(json=[1]), with_meta(DESCR=[1]),
    with_meta(json={"a": {"__pairs__": [[1, 2, 3]]}}),
    with_meta(json={"a": {"__pairs__": [[{"__pairs__": []}, 2]]}}),
], ids=lambda arrays: None)
def test_valid_archives_with_unfit_contents(tmp_path, arrays):
    parts = {f"{name}.npy": values if isinstance(values, bytes) else npy(values)
             for name, values in arrays.items()}
    path = rewrite(tmp_path / "S01.npz", parts, zipfile.ZIP_DEFLATED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"S01\.npz") as caught:
            load_recording(path)
    assert type(caught.value) is ValueError


def test_members_that_are_there_twice_or_locked(tmp_path):
    path = tmp_path / "S01.npz"
    np.savez(path, **epochs_arrays())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path, "a") as file:
            file.writestr("y.npy", npy([2, 1] * 3))
    with pytest.raises(ValueError, match=r"S01\.npz .*is there twice"):
        load_recording(path)
    np.savez(path, **epochs_arrays())
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # says that it is encrypted
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"S01\.npz is not a readable .* at array"):
        load_recording(path)


@pytest.mark.parametrize("content", [
    b"", b"\x00" * 300, b"not numbers at all", b"1 2 3\n4 5\n",
    b"MATLAB 5.0 MAT-file" + bytes(120),
    "µ\n".encode("latin1") * 40, b"\x1f\x8b broken", b"PK\x03\x04 broken",
])
@pytest.mark.parametrize("ending", ["asc", "mat"])
def test_the_competitions_files_in_another_form(tmp_path, content, ending):
    for session in (1, 2, 3):
        (tmp_path / f"train_subject1_psd0{session}.{ending}").write_bytes(content)
    with pytest.raises(ValueError, match=rf"train_subject1_psd01\.{ending}") as caught:
        load_bci3_mental_imagery(tmp_path, 1)
    assert type(caught.value) is ValueError
