"""Transforms of braindecode: stand-ins that draw as they do, and the real ones where they are."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skbci import EEGArray
from skbci.augmentation import BraindecodeTransform

X = np.random.default_rng(0).normal(size=(40, 3, 64)) * 1e-5
LABELS = np.tile(["l", "r"], 20)


class Transform(torch.nn.Module):
    """As braindecode's: a generator of its own, and a probability."""

    def __init__(self, probability=1.0, random_state=None):
        super().__init__()
        self.probability = probability
        self.rng = np.random.RandomState(random_state)

    def forward(self, X, y=None):
        assert X.dtype == torch.float32
        X = X.clone()
        mask = torch.as_tensor(self.probability > self.rng.uniform(size=len(X)))
        X[mask] = self.change(X[mask])
        return (X, y) if y is not None else X


class Flip(Transform):
    def change(self, X):
        return -X


class Scale(Transform):
    def __init__(self, probability, most=2.0, random_state=None):
        super().__init__(probability, random_state)
        self.most = most

    def change(self, X):
        return X * torch.as_tensor(1 + self.rng.uniform(size=(len(X), 1, 1)) * self.most).float()


class TorchNoise(Transform):
    def change(self, X):
        return X + torch.randn_like(X)


class Compose(Transform):
    def __init__(self, transforms):
        super().__init__()
        self.transforms = transforms

    def forward(self, X, y=None):
        for transform in self.transforms:
            X, y = transform(X, y)
        return X, y


def test_new_rows_are_the_transforms():
    new = BraindecodeTransform(Flip(1.0)).augment(X, LABELS)
    np.testing.assert_array_equal(new.X, -X.astype(np.float32).astype(np.float64))
    assert new.X.dtype == np.float64
    np.testing.assert_array_equal(new.y, LABELS)
    assert new.source.tolist() == list(range(40))


def test_rows_left_as_they_were_are_none():
    new = BraindecodeTransform(Flip(0.5), n_copies=2).augment(X, LABELS, random_state=0)
    assert 20 < len(new.X) < 60
    np.testing.assert_allclose(new.X, -X[new.source], rtol=1e-6)
    np.testing.assert_array_equal(new.y, LABELS[new.source])
    assert len(BraindecodeTransform(Flip(0.0)).augment(X, LABELS).X) == 0


@pytest.mark.parametrize("transform", [
    Scale(1.0, random_state=7), TorchNoise(), Compose([Scale(1.0), TorchNoise()]),
], ids=lambda t: type(t).__name__)
def test_augment_seeds_the_transform(transform):
    method = BraindecodeTransform(transform)
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    first, again = (method.augment(X, LABELS, random_state=0).X for _ in range(2))
    other = clone(method).augment(X, LABELS, random_state=1).X
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_rows_of_bands_and_tables():
    table = {"subject": np.repeat([1, 2], 20)}
    bands = EEGArray(X.reshape(40, 3, 4, 16), table, sfreq=10)
    new = BraindecodeTransform(Flip(0.5)).augment(bands, LABELS, random_state=0)
    np.testing.assert_allclose(np.asarray(new.X), -np.asarray(bands)[new.source], rtol=1e-6)
    assert new.X.metadata["subject"].tolist() == table["subject"][new.source].tolist()


@pytest.mark.parametrize(("transform", "error", "message"), [
    (Flip, TypeError, "must be a transform of braindecode .an instance."),
    (3, TypeError, "transform=3 must be a transform"),
    (lambda X, y: (X, (y, y, y)), TypeError, "changes labels"),
    (lambda X, y: (X, y.flip(0)), TypeError, "changes labels"),
    (lambda X, y: (X[..., :3], y), TypeError, "rows of another shape"),
])
def test_what_is_no_such_transform(transform, error, message):
    with pytest.raises(error, match=message):
        BraindecodeTransform(transform).augment(X, LABELS)
    with pytest.raises(ValueError, match="settings={'a': 1} are for a transform that is given by"):
        BraindecodeTransform(Flip(1.0), {"a": 1}).augment(X, LABELS)


@pytest.fixture
def stand_in(monkeypatch):
    package, room = ModuleType("braindecode"), ModuleType("braindecode.augmentation")
    room.Transform, room.Scale, room.functional = Transform, Scale, None
    room.__all__ = ["Transform", "Scale", "functional"]
    package.augmentation = room
    monkeypatch.setitem(sys.modules, "braindecode", package)
    monkeypatch.setitem(sys.modules, "braindecode.augmentation", room)


@pytest.mark.usefixtures("stand_in")
def test_transforms_by_name():
    named = BraindecodeTransform("Scale", {"most": 0.5}).augment(X, LABELS, random_state=0)
    given = BraindecodeTransform(Scale(1.0, 0.5)).augment(X, LABELS, random_state=0)
    np.testing.assert_array_equal(named.X, given.X)
    with pytest.raises(ValueError, match="transform='Twist' is not one of braindecode's: .*Scale"):
        BraindecodeTransform("Twist").augment(X, LABELS)
    with pytest.raises(ValueError, match="'sigma', but Scale takes probability, most"):
        BraindecodeTransform("Scale", {"sigma": 1}).augment(X, LABELS)


def test_braindecode_may_be_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "braindecode", None)
    with pytest.raises(ImportError, match=r"transform='FTSurrogate' needs braindecode.*skbci\["):
        BraindecodeTransform("FTSurrogate").augment(X, LABELS)


@pytest.mark.parametrize(("name", "settings"), [
    ("FTSurrogate", {}), ("SmoothTimeMask", {"mask_len_samples": 10}),
    ("FrequencyShift", {"sfreq": 64}), ("GaussianNoise", {"std": 1e-5}), ("ChannelsDropout", {}),
])
def test_the_real_ones(name, settings):
    try:
        from braindecode import augmentation  # noqa: F401
    except Exception as error:  # an optional extra, whose import asks for much
        pytest.skip(f"braindecode cannot be imported: {error}")
    method = BraindecodeTransform(name, settings)
    first, again = (method.augment(X, LABELS, random_state=0) for _ in range(2))
    assert 0 < len(first.X) <= 40
    np.testing.assert_array_equal(first.X, again.X)
    assert np.abs(first.X).max() < 1e-3
    assert not np.array_equal(first.X, X[first.source])
