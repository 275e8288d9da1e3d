"""What the papers state is what one gets without asking: each value is copied from their text.

HJB: T. K. Reddy, V. Arora, L. Behera (2018), sections III to V. MIN2Net: P. Autthasan et al.
(2022). FBMSNet: K. Liu et al. (2023). Sparse multitask learning: H.-B. Shin, K. Yin, S.-W. Lee
(2023).
"""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch
from torch import nn

from skbci import EEGArray
from skbci.baselines import (
    RotationForest,
    eye_state_ensemble,
    eye_state_pipeline,
    slow_potentials_lr,
)
from skbci.datasets import make_eye_state
from skbci.estimators import (
    CascadeClassifier,
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    SparseMultitaskClassifier,
)
from skbci.features import BandEnergy, ChannelNormalizer, FilterBank, WelchPSD
from skbci.losses import CenterLoss, ReconstructionLoss, SemiHardTripletLoss
from skbci.nets import FBMSNet, MIN2Net
from skbci.optim import EVDHJB, HJB, HJBAD
from skbci.sparsity import MultitaskSnip
from skbci.weighting import TOY_STARTS, AdaMT, AlphaGrad, trajectory

NINE_BANDS = [(4, 8), (8, 12), (12, 16), (16, 20), (20, 24), (24, 28), (28, 32), (32, 36),
              (36, 40)]


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def defaults(of):
    return {name: p.default for name, p in inspect.signature(of).parameters.items()}


DEFAULTS = [
    (HJB, {"lr": 0.01, "r": 100, "eps": 1e-4}),
    (HJBAD, {"lr": 0.01, "r": 100, "eps": 1e-4, "accumulate": "parameter"}),
    (EVDHJB, {"r": 100}),
    (MLPClassifier, {"optimizer": "hjb"}),
    (AlphaGrad, {"lr": 0.01, "p": 2, "minimum": 1e-4, "constraint": "rescale"}),
    (AdaMT, {"minimum": 0.1}),
    (trajectory, {"n_steps": 20_000, "lr": 1e-3}),
    (SemiHardTripletLoss, {"margin": 1}),
    (MIN2Net, {"kernel_sizes": (64, 32), "subsampling": 100, "pooling": 4, "latent_dim": None,
               "n_bands": 1}),
    (FBMSNet, {"kernel_sizes": (15, 31, 63, 125), "depth": 8, "n_segments": 4, "n_maps": None,
               "shared_layer": False}),
    *[
        (kind, {"optimizer": "adam", "lr": 1e-3, "lr_patience": 5, "lr_factor": 0.5,
                "min_lr": 1e-4, "n_iter_no_change": 20, "max_epochs": 100, "batch_size": 100,
                "max_norm": True, "loss_weighting": "fixed", "losses": None, "monitor": None})
        for kind in (MIN2NetClassifier, FBMSNetClassifier)
    ],
    (CascadeClassifier, {"n_lags": 8, "stack": "labels"}),
    (ChannelNormalizer, {"norm": "l1"}),
    (WelchPSD, {"window": "hann", "log": False}),
    (BandEnergy, {"n_subbands": 8, "log": False}),
    (RotationForest, {"n_estimators": 100, "sample_fraction": 0.75, "subset_size": 3}),
    (slow_potentials_lr, {"fmin": 0.3, "fmax": 4.0, "order": 3, "width": 0.125, "C": 0.01,
                          "alignment": "scale"}),
    (SparseMultitaskClassifier, {"pruning": "snip-multitask", "loss_weighting": "fixed"}),
    (MultitaskSnip, {"arbiter": "or"}),
]


@pytest.mark.parametrize(
    ("of", "stated"), DEFAULTS, ids=[of.__name__ for of, _ in DEFAULTS]
)
def test_defaults_are_those_stated(of, stated):
    given = defaults(of)
    assert {name: given[name] for name in stated} == stated


def test_bands_are_those_stated():
    assert [tuple(band) for band in defaults(FBMSNetClassifier)["bands"]] == NINE_BANDS
    assert [tuple(band) for band in defaults(FilterBank)["bands"]] == NINE_BANDS
    eyes = [(0.5, 4), (4, 7), (8, 15), (16, 31)]
    assert [tuple(band) for band in defaults(BandEnergy)["bands"]] == eyes
    assert TOY_STARTS == ((-8.5, 7.5), (-10, -1), (9, 9))


# -- HJB -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slope", "share"), [(1e4, 1.0), (1e-4, 0.5)])
def test_a_step_of_hjb_by_hand(slope, share):
    """eta sqrt(2P / r) |g| / (|g| + eps), with eta = .01, r = 100 and eps = 1e-4."""
    w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def closure():
        loss = 8.0 + slope * w.sum()
        w.grad = torch.full_like(w, slope)
        return loss

    HJB([w]).step(closure)
    assert -w.item() == pytest.approx(0.01 * math.sqrt(2 * 8.0 / 100) * share, rel=1e-6)


# -- MIN2Net and FBMSNet ---------------------------------------------------------------------


def layers(net, kind):
    return [module for module in net.modules() if isinstance(module, kind)]


def bounds(net):
    """Norms of the layers' units after all weights were made large."""
    with torch.no_grad():
        for weight in net.parameters():
            weight.fill_(10.0)
    net.apply_max_norm()
    found: dict[str, float] = {}
    for name, weight in net.named_parameters():
        if weight.ndim > 1:
            norms = weight.detach().flatten(1).norm(dim=1)
            found[name] = round(float(norms.max()), 4)
            assert norms.min() == pytest.approx(norms.max().item())
    return found


def test_min2net_as_published():
    net = MIN2Net(20, 400, 2)
    assert sum(weight.numel() for weight in net.parameters()) == 55_232
    shapes = {name: tuple(weight.shape) for name, weight in net.named_parameters()
              if weight.ndim > 1}
    assert shapes == {
        "encoder_conv1.weight": (20, 20, 64), "encoder_conv2.weight": (10, 20, 32),
        "latent_layer.weight": (20, 250),  # C * n_classes / 2 of 10 maps of 400 / 4 / 4 samples
        "decoder_input.weight": (250, 20), "decoder_conv2.weight": (10, 10, 64),
        "decoder_conv1.weight": (20, 10, 32), "classifier.weight": (2, 20),
    }
    assert bounds(net) == {
        "encoder_conv1.weight": 2, "encoder_conv2.weight": 2, "latent_layer.weight": 0.5,
        "decoder_input.weight": 0.5, "decoder_conv2.weight": 1, "decoder_conv1.weight": 1,
        "classifier.weight": 0.5,
    }


@pytest.mark.parametrize(
    ("n_channels", "n_classes", "size"), [(15, 3, 22), (3, 2, 3), (22, 4, 44)]
)
def test_latent_of_min2net(n_channels, n_classes, size):
    net = MIN2Net(n_channels, 400, n_classes)
    assert net.latent_layer.out_features == size


def test_fbmsnet_as_published():
    net = FBMSNet(9, 20, 400, 2)
    assert sum(weight.numel() for weight in net.parameters()) == 13_349
    assert [tuple(conv.weight.shape) for conv in net.temporal] == [
        (9, 3, 1, 15), (9, 2, 1, 31), (9, 2, 1, 63), (9, 2, 1, 125)
    ]
    assert [conv.bias for conv in net.temporal] == [None] * 4
    assert tuple(net.spatial.weight.shape) == (288, 1, 20, 1)
    assert tuple(net.classifier.weight.shape) == (2, 1152)
    found = bounds(net)
    assert {name: found[name] for name in ("spatial.weight", "classifier.weight")} == {
        "spatial.weight": 2, "classifier.weight": 0.5
    }


RANDOM = np.random.default_rng(0)
ROWS, LABELS = RANDOM.normal(size=(16, 3, 100)), np.tile([0, 1], 8)


@pytest.mark.parametrize(
    ("clf", "X", "expected"),
    [
        (MIN2NetClassifier(), ROWS,
         {"logits": nn.CrossEntropyLoss, "latent": SemiHardTripletLoss,
          "reconstruction": ReconstructionLoss}),
        (FBMSNetClassifier(sfreq=100.0), ROWS,
         {"logits": nn.CrossEntropyLoss, "features": CenterLoss}),
    ],
    ids=["MIN2Net", "FBMSNet"],
)
def test_losses_and_training_as_published(clf, X, expected):
    clf.set_params(max_epochs=1, random_state=0).fit(X, LABELS)
    assert isinstance(clf.net_.optimizer_, torch.optim.Adam)
    assert clf.net_.optimizer_.param_groups[0]["lr"] == 1e-3
    assert clf.loss_weighting_.weights_.tolist() == [1.0] * len(expected)
    columns = [name for name in clf.history_ if name.startswith("weight_")]
    assert {name.removeprefix("weight_") for name in columns} == set(expected)
    kinds = {type(module) for module in clf.net_.criterion_.modules()}
    assert {kind for kind in expected.values() if kind is not nn.CrossEntropyLoss} <= kinds


@pytest.mark.parametrize("kind", [MIN2NetClassifier, FBMSNetClassifier])
def test_step_halves_after_five_epochs_without_gain_down_to_its_floor(kind):
    """Nothing is a gain of a million: the first epoch stays the best."""
    short = {"sfreq": 100.0, "depth": 1} if kind is FBMSNetClassifier else {"subsampling": 25}
    clf = kind(tol=1e6, lr=4e-4, max_epochs=18, early_stopping=False, random_state=0, **short)
    steps = clf.fit(ROWS, LABELS).history_["lr"]
    np.testing.assert_allclose(steps, [4e-4] * 6 + [2e-4] * 5 + [1e-4] * 7)


@pytest.mark.parametrize("kind", [MIN2NetClassifier, FBMSNetClassifier])
def test_training_stops_after_twenty_epochs_without_gain(kind):
    short = {"sfreq": 100.0, "depth": 1} if kind is FBMSNetClassifier else {"subsampling": 25}
    clf = kind(tol=1e6, early_stopping=True, validation_fraction=0.5, random_state=0, **short)
    assert clf.fit(ROWS, LABELS).n_iter_ == 1 + 20


# -- mental imagery --------------------------------------------------------------------------


def test_features_of_mental_imagery():
    """1 s at 512 Hz: five segments of 256 samples, 64 apart; 8-30 Hz in steps of 2 Hz."""
    rows = EEGArray(np.random.default_rng(1).normal(size=(3, 8, 512)), sfreq=512.0)
    welch = WelchPSD(n_per_seg=256, n_overlap=192, fmin=8, fmax=30)
    power = welch.fit_transform(rows)
    assert np.asarray(power).reshape(3, -1).shape == (3, 96)
    np.testing.assert_array_equal(welch.freqs_, np.arange(8, 31, 2))
    shares = np.asarray(ChannelNormalizer(n_channels=8).fit_transform(power)).reshape(3, 8, 12)
    np.testing.assert_allclose(np.abs(shares).sum(axis=-1), 1)


def test_networks_of_the_cascade():
    rows = np.random.default_rng(2).normal(size=(60, 96))
    y = np.tile(np.repeat([2, 3, 7], 5), 4)
    net = MLPClassifier((50, 30), dropout=(0.2, 0.0), max_epochs=1, random_state=0)
    fitted = CascadeClassifier(net, net, gap=0).fit(rows, y)
    widths = []
    for one in (fitted.initial_, fitted.terminal_):
        dense = layers(one.net_.module_, nn.Linear)
        widths.append([dense[0].in_features, *(layer.out_features for layer in dense)])
        assert [layer.p for layer in layers(one.net_.module_, nn.Dropout) if layer.p] == [0.2]
        assert len(layers(one.net_.module_, nn.ReLU)) == 2
    assert widths == [[96, 50, 30, 3], [104, 50, 30, 3]]


# -- eye state -------------------------------------------------------------------------------


@pytest.mark.parametrize(("architecture", "hidden"), [(1, [50, 30, 10]), (2, [50, 30])])
def test_eye_state_network(architecture, hidden):
    eeg = make_eye_state(2, 40, random_state=0)
    assert np.asarray(eeg.X).shape[1:] == (14, 192)  # 1.5 s at 128 Hz
    pipe = eye_state_pipeline(architecture=architecture, max_epochs=1, random_state=0)
    pipe.fit(eeg.X, eeg.y)
    energies = np.asarray(pipe[:1].transform(eeg.X))
    assert energies.reshape(len(energies), -1).shape[1] == 448
    # The smallest number of components with 95 % of the variance.
    variances = np.sort(np.linalg.eigvalsh(np.cov(energies.reshape(len(energies), -1).T)))[::-1]
    shares = variances.cumsum() / variances.sum()
    assert pipe["pca"].n_components_ == np.argmax(shares > 0.95) + 1
    scaled = np.asarray(pipe[:-1].transform(eeg.X))
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-6)
    module = pipe[-1].net_.module_
    assert [layer.out_features for layer in layers(module, nn.Linear)] == [*hidden, 2]
    assert [layer.p for layer in layers(module, nn.Dropout)] == [0.2] * len(hidden)
    assert pipe[-1].criterion == "binary-cross-entropy"  # sigmoid outputs, one a class


def test_eye_state_ensembles():
    expected = {"Ens1": ("hjb-ad", "adagrad"), "Ens2": ("evdhjb", "evdhjb"),
                "Ens3": ("hjb", "hjb"), "Ens4": ("sgd", "sgd")}
    for name, optimizers in expected.items():
        voting = eye_state_ensemble(name)[-1]
        assert voting.voting == "soft"
        assert voting.weights is None
        assert [(net.hidden_layer_sizes, net.optimizer) for _, net in voting.estimators] == [
            ((50, 30, 10), optimizers[0]), ((50, 30), optimizers[1])
        ]


# -- sparse multitask learning ---------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [0.2, 0.4, 0.8])
def test_masks_of_two_tasks(sparsity):
    """Each asks for (1 - sigma) of the weights it uses; a shared one goes if neither does."""
    task = np.repeat(["imagery", "execution"], 24)
    X, y = np.random.default_rng(3).normal(size=(48, 3, 64)), np.tile([0, 1, 2], 16)
    clf = SparseMultitaskClassifier(
        sparsity=sparsity, pruning__floor="layer", max_epochs=1, random_state=0
    ).fit(X, y, task=task)
    own = clf.task_masks_
    for masks in own.values():
        size = sum(mask.size for mask in masks.values())
        kept = sum(int(mask.sum()) for mask in masks.values())
        assert kept == round((1 - sparsity) * size)
    for name, mask in clf.masks_.items():
        asked = [masks[name] for masks in own.values() if name in masks]
        np.testing.assert_array_equal(mask, np.logical_or.reduce(asked))
        weight = clf.net_.module_.get_parameter(name).detach().numpy()
        assert not weight[~mask].any()
