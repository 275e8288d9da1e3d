"""Left and right exchanged: channels by their names, labels by theirs or by a map."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from skbci import EEGArray
from skbci.augmentation import Mirror

NAMES = ["C3", "FC5", "Cz", "C4", "CCP6h", "FC6", "CCP5h", "T7", "T8"]
# By hand: odd numbers are on the left, the number after them on the right.
ORDER = [3, 5, 2, 0, 6, 1, 4, 8, 7]
HANDS = np.array(["left_hand", "right_hand", "feet", "tongue"] * 2)
SIDES = {"left_hand": "right_hand", "right_hand": "left_hand", "feet": "feet", "tongue": "tongue"}


def rows(ndim=3, names=NAMES, subject=None):
    shape = (8, 9, 20) if ndim == 3 else (8, 2, 9, 20)
    X = np.random.default_rng(0).normal(size=shape)
    table = {"subject": [1, 1, 1, 1, 2, 2, 2, 2] if subject is None else subject,
             "onset": np.arange(8.0)}
    return EEGArray(X, table, sfreq=10, ch_names=names)


@pytest.mark.parametrize("ndim", [3, 4])
def test_channels_and_labels_change_sides(ndim):
    X = rows(ndim)
    new = Mirror().augment(X, HANDS)
    np.testing.assert_array_equal(np.asarray(new.X), np.asarray(X)[..., ORDER, :])
    assert new.y.tolist() == [SIDES[label] for label in HANDS]
    assert new.source.tolist() == list(range(8))
    assert new.sample_weight is None
    assert new.X.ch_names == NAMES
    assert new.X.sfreq == 10


@pytest.mark.parametrize("ndim", [3, 4])
def test_twice_is_what_was_there(ndim):
    X = rows(ndim)
    once = Mirror().augment(X, HANDS)
    twice = Mirror().augment(once.X, once.y)
    np.testing.assert_array_equal(np.asarray(twice.X), np.asarray(X))
    np.testing.assert_array_equal(twice.y, HANDS)


def test_it_commutes_with_the_average_reference():
    X = rows()
    referenced = X - np.asarray(X).mean(axis=1, keepdims=True)
    mirrored = np.asarray(Mirror().augment(X, HANDS).X)
    np.testing.assert_allclose(
        np.asarray(Mirror().augment(referenced, HANDS).X),
        mirrored - mirrored.mean(axis=1, keepdims=True), atol=1e-14,
    )


def test_partners_stand_where_the_montage_has_them():
    known = mne.channels.get_builtin_montages()
    montage = mne.channels.make_standard_montage(
        "colin27_1005" if "colin27_1005" in known else "standard_1005")  # its name before MNE 1.13
    place = montage.get_positions()["ch_pos"]
    fiducials = {"LPA", "RPA", "Nz", "O9", "O10"}
    names = [n for n in montage.ch_names if n not in fiducials]
    X = np.arange(len(names), dtype=float).reshape(1, -1, 1)
    mirror = Mirror({0: 0}, ch_names=names)
    partner = [names[int(i)] for i in mirror.augment(X, [0]).X[0, :, 0]]
    apart = [np.linalg.norm(place[b] - place[a] * [-1, 1, 1]) for a, b in zip(names, partner)]
    assert np.median(apart) < 0.004  # metres, on a head that is not symmetric itself
    assert np.max(apart) < 0.02


@pytest.mark.parametrize("names", [
    [n.upper() for n in NAMES], [n.lower() for n in NAMES], [n + ".." for n in NAMES],
])
def test_names_in_any_spelling(names):
    X = rows(names=names)
    new = Mirror().augment(X, HANDS)
    np.testing.assert_array_equal(np.asarray(new.X), np.asarray(X)[:, ORDER])
    assert new.X.ch_names == names


def test_epochs_and_names_given():
    X = np.asarray(rows()) * 1e-5
    epochs = mne.EpochsArray(X, mne.create_info(NAMES, 10.0, "eeg"), verbose="error")
    of_epochs = Mirror().augment(epochs, HANDS).X
    bare = Mirror(ch_names=NAMES).augment(X, HANDS).X
    assert type(bare) is np.ndarray
    np.testing.assert_array_equal(np.asarray(of_epochs), bare)


@pytest.mark.parametrize(("labels", "y", "wanted"), [
    (None, ["Left", "RIGHT", "rest", "Left"], ["RIGHT", "Left", "rest", "RIGHT"]),
    (None, ["left fist", "right fist"] * 2, ["right fist", "left fist"] * 2),
    ({1: 2, 2: 1, 3: 3}, [1, 2, 3, 3], [2, 1, 3, 3]),
    ({"feet": "feet"}, ["feet"] * 4, ["feet"] * 4),
])
def test_labels(labels, y, wanted):
    X = rows()[:4]
    new = Mirror(labels).augment(X, y).y
    assert new.tolist() == wanted
    assert new.dtype == np.asarray(y).dtype


@pytest.mark.parametrize(("labels", "y", "message"), [
    (None, [1, 2] * 4, r"none of the classes \[1, 2\] has 'left' or 'right'.*labels="),
    (None, ["T1", "T2"] * 4, "none of the classes"),
    (None, ["left", "feet"] * 4, "'left' would be 'right' in a mirror.*not find"),
    (None, ["left", "Left"] * 4, "capital letters"),
    ({1: 2, 2: 1}, [1, 2, 3, 3] * 2, r"lacks the classes \[3\]"),
    ({1: 2, 2: 1, 3: 3}, [1, 2] * 4, r"names \['3'\], but the classes are \[1, 2\]"),
    ({1: 5, 2: 1}, [1, 2] * 4, r"names \['5'\]"),
    ({1: 2, 2: 3, 3: 1}, [1, 2, 3, 3] * 2, "must give back what it exchanges: 1 becomes 2"),
    ({1: 2, 2: 2}, [1, 2] * 4, "must give back"),
])
def test_labels_that_have_no_mirror(labels, y, message):
    with pytest.raises(ValueError, match=f"Mirror.*{message}"):
        Mirror(labels).augment(rows(), y)


@pytest.mark.parametrize(("names", "message"), [
    (None, "needs the names of the channels"),
    (["C3", "Cz", "C4", "FC5", "Fz", "Pz", "Oz", "CP1", "CP2"],
     r"partner on the other side is missing: FC5 \(its partner is FC6\)"),
    (["EOG1" if name == "Cz" else name for name in NAMES],
     r"\['EOG1'\], which are not electrodes"),
    (["C3", "c3", *NAMES[2:]], r"\['C3'\] more than once"),
])
def test_channels_that_have_no_mirror(names, message):
    with pytest.raises(ValueError, match=f"Mirror.*{message}"):
        Mirror().augment(rows(names=names), HANDS)


def test_names_of_other_channels():
    with pytest.raises(ValueError, match="ch_names has 2 names, but X has 9 channels"):
        Mirror(ch_names=["C3", "C4"]).augment(rows(), HANDS)
    with pytest.raises(TypeError, match="ch_names='C3' must be a list of names"):
        Mirror(ch_names="C3").augment(rows(), HANDS)


@pytest.mark.parametrize(("subject", "others"), [
    (["S1"] * 4 + ["S2"] * 4, ["S1 (mirrored)"] * 4 + ["S2 (mirrored)"] * 4),
    ([1] * 4 + [60] * 4, [1_000_000_001] * 4 + [1_000_000_060] * 4),
    ([7] * 4 + [0] * 4, [1_000_000_007] * 4 + [1_000_000_000] * 4),
])
def test_a_mirrored_brain_is_another_subjects(subject, others):
    X = rows(subject=subject)
    new = Mirror().augment(X, HANDS)
    assert new.X.metadata["subject"].tolist() == others
    assert not set(subject) & set(others)
    assert new.X.metadata["onset"].tolist() == X.metadata["onset"].tolist()
    assert X.metadata["subject"].tolist() == subject


def test_a_mirrored_label_does_not_depend_on_the_other_rows():
    """Person 5 alone is not taken for the mirrored one of another numbering."""
    alone, among = rows(subject=[5] * 8), rows(subject=[5] * 4 + [105] * 4)
    labels = [Mirror().exchange(X).metadata["subject"].iloc[0] for X in (alone, among)]
    assert labels[0] == labels[1] != 105


def test_exchange_is_an_involution_that_needs_no_labels():
    X = EEGArray(
        np.arange(24.0).reshape(2, 3, 4), {"subject": [1, 2]}, sfreq=4, ch_names=["C3", "Cz", "C4"]
    )
    once = Mirror().exchange(X)
    np.testing.assert_array_equal(once, np.asarray(X)[:, ::-1])
    np.testing.assert_array_equal(Mirror().exchange(once), X)
    assert not set(once.metadata["subject"]) & {1, 2}


def test_partners_are_indices_of_counterparts():
    assert Mirror().partners(["feet", "left", "right"]).tolist() == [0, 2, 1]
    assert Mirror({1: 2, 2: 1}).partners([1, 2]).tolist() == [1, 0]
    with pytest.raises(ValueError, match="left"):
        Mirror().partners([1, 2])
