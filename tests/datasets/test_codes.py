"""One label, one meaning, whatever the files say."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from skbci.datasets import load_recording, save_recording


def write(path, meanings, y, layout="epochs", **more):
    rng = np.random.default_rng(len(path.name))
    meta = {"units": "uV", "labels": meanings} if meanings else {"units": "uV"}
    arrays = {"sfreq": 100, "ch_names": ["C3", "C4"], "meta": json.dumps(meta), **more}
    if layout == "epochs":
        arrays |= {"X": rng.normal(0, 20, (len(y), 2, 50)), "y": np.array(y)}
    else:
        arrays |= {"X": rng.normal(0, 20, (2, 100 * len(y) + 100)), "ev_code": np.array(y),
                   "ev_onset": 10 + 100 * np.arange(len(y))}
    np.savez(path, **arrays)


def names(data):
    return [data.label_names[label] for label in data.y.tolist()]


FILES = [
    ({"1": "left", "2": "right"}, [1, 2, 1]),
    ({"1": "right", "2": "left"}, [1, 1, 2]),
    ({"2": "right", "3": "feet", "1": "tongue"}, [3, 2, 1, 2]),
]


@pytest.mark.parametrize("layout", ["epochs", "continuous"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0), (1, 2), (0, 0, 1)])
def test_files_that_disagree_are_numbered_by_name(tmp_path, layout, order):
    right = []
    for k, chosen in enumerate(order):
        meanings, y = FILES[chosen]
        write(tmp_path / f"S{k + 1:02d}.npz", meanings, y, layout)
        right += [meanings[str(code)] for code in y]
    window = {} if layout == "epochs" else {"tmin": 0, "tmax": 0.5}
    with pytest.warns(UserWarning, match="numbered by name"):
        data = load_recording(tmp_path, **window)
    assert names(data) == right
    assert len(set(data.label_names.values())) == len(data.label_names)
    # The first file's labels are as they were.
    meanings, y = FILES[order[0]]
    assert data.y[: len(y)].tolist() == y
    saved = load_recording(save_recording(tmp_path / "all.npz", data))
    assert names(saved) == right


def test_files_that_agree_keep_their_labels(tmp_path):
    write(tmp_path / "S1.npz", {"1": "left", "2": "right"}, [1, 2])
    write(tmp_path / "S2.npz", {"2": "right", "3": "feet"}, [3, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_recording(tmp_path)
    assert data.y.tolist() == [1, 2, 3, 2]
    assert data.label_names == {1: "left", 2: "right", 3: "feet"}


def test_a_file_that_does_not_say_is_mentioned(tmp_path):
    write(tmp_path / "S1.npz", {"1": "left", "2": "right"}, [1, 2])
    write(tmp_path / "S2.npz", None, [2, 1])
    with pytest.warns(UserWarning, match=r"S2\.npz: the file does not say what its labels mean"):
        assert load_recording(tmp_path).y.tolist() == [1, 2, 2, 1]


def test_labels_of_different_kinds_are_not_joined(tmp_path):
    write(tmp_path / "S1.npz", None, [1, 2])
    write(tmp_path / "S2.npz", None, ["left", "right"])
    with pytest.raises(ValueError, match=r"S1\.npz, whose labels are numbers, and S2\.npz"):
        load_recording(tmp_path)


def test_text_labels_that_contradict_each_other(tmp_path):
    write(tmp_path / "S1.npz", {"a": "left", "b": "right"}, ["a", "b"])
    write(tmp_path / "S2.npz", {"a": "feet", "b": "left"}, ["a", "b"])
    with pytest.raises(ValueError, match="the label 'a' means 'feet' in one place"):
        load_recording(tmp_path)


def test_runs_of_one_file_in_which_a_code_means_another_thing(tmp_path):
    """PhysioNet's runs of fists (3) and of both fists or feet (5) share the codes 1 and 2."""
    rng = np.random.default_rng(0)
    arrays = {}
    for run in ("run03", "run05"):
        arrays[run] = rng.normal(0, 20, (2, 1000))
        arrays[f"ev_onset_{run}"], arrays[f"ev_code_{run}"] = [0, 300, 600], [0, 1, 2]
    np.savez(tmp_path / "S001.npz", sfreq=100, ch_names=["C3", "C4"], **arrays,
             meta=json.dumps({"dataset": "PhysioNet eegmmidb 1.0.0", "units": "microvolt"}))
    data = load_recording(tmp_path / "S001.npz", tmin=0, tmax=1)
    assert names(data) == ["rest", "left fist", "right fist", "rest", "both fists", "both feet"]
    assert len(set(data.y.tolist())) == 5


def test_tables_whose_classes_differ_are_not_joined(tmp_path):
    for name, classes in (("a", ["no", "yes"]), ("b", ["yes", "no"])):
        np.savez(tmp_path / f"{name}.npz", X=np.eye(2), y=[0, 1], y_names=classes)
    with pytest.raises(ValueError, match=r"a\.npz and b\.npz: target_names differ"):
        load_recording(tmp_path)
