"""What all augmentations keep: their input, seeds, tables, weights; and how they are named."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skbci import EEGArray
from skbci.augmentation import (
    AUGMENTATIONS,
    ChannelDropout,
    GaussianNoise,
    Mirror,
    Mixup,
    Recombine,
    TimeShift,
    resolve_augmentation,
)

NAMES = ["C3", "Cz", "C4"]
LABELS = np.array(["left", "right"] * 6)
EVERY = ["mirror", "recombine", "mixup", "noise", "channel-dropout", "time-shift",
         ["mirror", "recombine", "mixup", "noise", "channel-dropout", "time-shift"]]
DRAWING = [name for name in EVERY if name != "mirror"]


def rows(ndim=3):
    shape = (12, 3, 24) if ndim == 3 else (12, 2, 3, 24)
    table = {"subject": np.repeat([1, 2], 6), "run": np.tile([1, 1, 2, 2, 3, 3], 2),
             "onset": np.arange(12.0)}
    X = np.random.default_rng(0).normal(size=shape)
    return EEGArray(X, table, sfreq=10, ch_names=NAMES, tmin=0.5)


def test_the_names_are_those_of_the_guide():
    assert set(AUGMENTATIONS) == set(EVERY[:-1])


@pytest.mark.parametrize("ndim", [3, 4])
@pytest.mark.parametrize("name", EVERY, ids=str)
def test_new_rows_have_their_sources_row_of_the_table(name, ndim):
    X = rows(ndim)
    new = resolve_augmentation(name).augment(X, LABELS, random_state=0)
    n_new = len(new.source)
    assert n_new >= 12
    assert len(new.X) == len(new.y) == n_new
    assert new.X.shape[1:] == X.shape[1:]
    assert (new.X.sfreq, new.X.ch_names, new.X.tmin) == (10, NAMES, 0.5)
    for column in ("run", "onset"):
        assert (new.X.metadata[column].tolist()
                == X.metadata[column].to_numpy()[new.source].tolist())
    assert new.source.dtype.kind == "i"
    if name not in ("mirror", EVERY[-1]):
        assert new.X.metadata["subject"].tolist() == np.repeat([1, 2], 6)[new.source].tolist()
        np.testing.assert_array_equal(new.y, LABELS[new.source])


@pytest.mark.parametrize("name", EVERY, ids=str)
def test_input_is_left_alone_and_not_shared(name):
    X, y, weight = rows(), LABELS.copy(), np.linspace(0, 1, 12)
    before = pickle.loads(pickle.dumps((X, y, weight)))
    X.flags.writeable = y.flags.writeable = weight.flags.writeable = False
    new = resolve_augmentation(name).augment(X, y, sample_weight=weight, random_state=0)
    np.testing.assert_array_equal(np.asarray(X), np.asarray(before[0]))
    pd.testing.assert_frame_equal(X.metadata, before[0].metadata)
    np.testing.assert_array_equal(weight, before[2])
    assert not np.shares_memory(np.asarray(new.X), np.asarray(X))
    assert new.X.flags.writeable


@pytest.mark.parametrize("name", DRAWING, ids=str)
def test_seeds(name):
    method = resolve_augmentation(name)
    state = np.random.get_state()[1].copy()

    def made(seed):
        new = method.augment(rows(), LABELS, random_state=seed)
        return np.asarray(new.X)

    np.testing.assert_array_equal(made(0), made(0))
    np.testing.assert_array_equal(made(0), made(np.random.RandomState(0)))
    assert not np.array_equal(made(0), made(1))
    assert not np.array_equal(made(None), made(None))
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    generator = np.random.RandomState(0)
    assert not np.array_equal(made(generator), made(generator))


@pytest.mark.parametrize("name", EVERY, ids=str)
def test_weights_are_the_sources(name):
    method, X = resolve_augmentation(name), rows()
    weight = np.array([0.0, 0.5, 1, 2] * 3)
    new = method.augment(X, LABELS, sample_weight=weight, random_state=0)
    kept = np.flatnonzero(weight)
    same = method.augment(X[kept], LABELS[kept], random_state=0)
    np.testing.assert_array_equal(new.source, kept[same.source])
    np.testing.assert_array_equal(np.asarray(new.X), np.asarray(same.X))
    share = np.ones(len(new.y)) if same.sample_weight is None else same.sample_weight
    np.testing.assert_allclose(new.sample_weight, share * weight[new.source])
    assert (method.augment(X, LABELS).sample_weight is None) == ("mixup" not in name)


@pytest.mark.parametrize("name", EVERY[:-1])
def test_parameters_are_scikit_learns(name):
    method = AUGMENTATIONS[name]()
    for parameter, value in method.get_params().items():
        other = clone(method).set_params(**{parameter: "changed"})
        assert other.get_params()[parameter] == "changed"
        assert method.get_params()[parameter] == value
    assert repr(method) == f"{type(method).__name__}()"
    assert not vars(method).keys() - method.get_params().keys()
    method.augment(rows(), LABELS, random_state=0)
    assert not vars(method).keys() - method.get_params().keys()


@pytest.mark.parametrize("name", EVERY, ids=str)
@pytest.mark.parametrize(("change", "message"), [
    (lambda X, y: (np.where(X > 1, np.nan, X), y), "NaN"),
    (lambda X, y: (X, y[:-1]), "y has 11 labels, but X has 12 rows"),
    (lambda X, y: (X[:0], y[:0]), "0 sample"),
    (lambda X, y: (X[:, 0, 0], y), "Expected 2D array|1D array"),
    (lambda X, y: (X, [None, *y[1:]]), "missing entries"),
    (lambda X, y: (X, None), "requires y to be passed"),
    (lambda X, y: (X + 1j, y), "[Cc]omplex"),
])
def test_bad_rows_are_refused(name, change, message):
    settings = {"mirror__ch_names": NAMES, "time-shift__sfreq": 10}
    if isinstance(name, str):
        settings = {k.partition("__")[2]: v for k, v in settings.items() if k.startswith(name)}
    X, y = change(np.asarray(rows()), LABELS)
    with pytest.raises(ValueError, match=message):
        resolve_augmentation(name, settings).augment(X, y)


@pytest.mark.parametrize("name", ["mirror", "recombine", "channel-dropout", "time-shift"])
def test_features_have_no_channels(name):
    with pytest.raises(ValueError, match="needs rows of channels x times .*rows of features"):
        AUGMENTATIONS[name]().augment(np.ones((12, 5)), LABELS)


@pytest.mark.parametrize("weight", [-np.ones(12), np.ones(11), np.full(12, np.nan)])
def test_bad_weights_are_refused(weight):
    with pytest.raises(ValueError, match=r"[Ww]eight"):
        GaussianNoise().augment(rows(), LABELS, sample_weight=weight)


def test_a_bad_seed_is_refused():
    with pytest.raises(ValueError, match="GaussianNoise: random_state='x' must be"):
        GaussianNoise().augment(rows(), LABELS, random_state="x")


# -- by name ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "settings", "wanted"), [
    (None, {}, "None"),
    ("noise", {"scale": 0.3}, "GaussianNoise(scale=0.3)"),
    (Mixup, {"alpha": 0.5}, "Mixup(alpha=0.5)"),
    (TimeShift(0.2), {}, "TimeShift(max_seconds=0.2)"),
    (TimeShift(0.2), {"n_copies": 2}, "TimeShift(max_seconds=0.2, n_copies=2)"),
    (["mirror", Recombine(4), ChannelDropout], {"recombine__n_copies": 2},
     "AugmentationUnion(augmentations=[Mirror(), Recombine(n_copies=2, n_segments=4), "
     "ChannelDropout()])"),
])
def test_names_classes_instances_and_lists(given, settings, wanted):
    before = copy.deepcopy(given)
    assert " ".join(repr(resolve_augmentation(given, settings)).split()) == wanted
    assert repr(given) == repr(before)


@pytest.mark.parametrize(("given", "settings", "error", "message"), [
    ("mirrored", {}, ValueError, "augmentation='mirrored' is unknown; use one of.*'mirror'"),
    (3, {}, TypeError, "augmentation=3 must be a name"),
    (dict, {}, TypeError, "must be a name"),
    ([], {}, ValueError, r"augmentation=\[\] must not be empty"),
    (["noise", "x"], {}, ValueError, "'x' is unknown"),
    ("noise", {"sigma": 1}, ValueError, "no setting 'sigma'; its settings are augmentation__sc"),
    (Mirror(), {"side": 1}, ValueError, "no setting 'side'"),
    (None, {"scale": 1}, ValueError, "augmentation__scale"),
    (["noise"], {"scale": 1}, ValueError, r"no member for augmentation__scale.*\['noise'\]"),
])
def test_what_is_no_augmentation(given, settings, error, message):
    with pytest.raises(error, match=message):
        resolve_augmentation(given, settings)


def test_each_of_a_list_starts_from_the_rows_given():
    X = rows()
    both = resolve_augmentation(["noise", "mirror"]).augment(X, LABELS, random_state=0)
    noise = GaussianNoise().augment(X, LABELS, random_state=0)
    mirror = Mirror().augment(X, LABELS)
    np.testing.assert_array_equal(np.asarray(both.X), np.concatenate([
        np.asarray(noise.X), np.asarray(mirror.X)]))
    assert both.y.tolist() == [*LABELS, *mirror.y]
    people = np.repeat([1, 2, 10**9 + 1, 10**9 + 2], 6)
    assert both.X.metadata["subject"].tolist() == people.tolist()
    one = resolve_augmentation(["mixup", "mirror"]).augment(X, LABELS, random_state=0)
    assert one.sample_weight[-12:].tolist() == [1.0] * 12
