"""Type checkers know the parameters with two underscores."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
import typing

import pytest
from skorch.callbacks import EarlyStopping
from torch import nn

from skbci._training.head_losses import HEAD_LOSSES
from skbci.augmentation import AUGMENTATIONS
from skbci.estimators import _route_types as types
from skbci.nets import DualTaskNet, FBMSNet, MIN2Net, MultiViewNet
from skbci.optim import OPTIMIZERS
from skbci.sparsity import PRUNING
from skbci.weighting import POLICIES


def parameters(kind, without):
    found = inspect.signature(kind).parameters.values()
    return {p.name for p in found if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - without


def optimizers():
    found = set()
    for kind, settings in OPTIMIZERS.values():
        found |= parameters(kind, {"params", "module", "lr"})
        if "inner" in settings:
            inner = parameters(settings["inner"], {"params"})
            found |= {f"inner__{name}" for name in inner}
    return found


def union(kinds, *without):
    return set().union(*(parameters(kind, set(without)) for kind in kinds))


@pytest.mark.parametrize(("typed", "prefix", "right"), [
    (types.OptimizerRoutes, "optimizer", optimizers()),
    (types.PruningRoutes, "pruning", union(PRUNING.values(), "sparsity")),
    (types.AugmentationRoutes, "augmentation", union(AUGMENTATIONS.values())),
    (types.WeightingRoutes, "loss_weighting", union(kind for kind, _ in POLICIES.values())),
    (types.CriterionRoutes, "criterion",
     union([nn.CrossEntropyLoss, nn.BCEWithLogitsLoss, nn.MSELoss, nn.HuberLoss],
           "size_average", "reduce")),
    (types.CallbackRoutes, "callbacks__early_stopping", union([EarlyStopping])),
    (types.DualTaskNetRoutes, "module",
     union([DualTaskNet], "n_channels", "n_times", "tasks")),
    (types.MultiViewNetRoutes, "module", union([MultiViewNet], "views", "n_classes")),
])
def test_the_names_are_those_of_the_parts(typed, prefix, right):
    assert set(typing.get_type_hints(typed)) == {f"{prefix}__{name}" for name in right}


@pytest.mark.parametrize(
    ("typed", "net"), [(types.MIN2NetRoutes, MIN2Net), (types.FBMSNetRoutes, FBMSNet)]
)
def test_the_names_are_those_of_a_network_and_of_the_losses_of_its_outputs(typed, net):
    settings = union(HEAD_LOSSES.values(), "n_classes", "n_features", "reduction")
    right = {f"losses__{head}__{name}" for head in net.head_names for name in settings}
    of_the_data = {"n_bands", "n_channels", "n_times", "n_classes"}
    right |= {f"module__{name}" for name in parameters(net, of_the_data)}
    assert set(typing.get_type_hints(typed)) == right


RIGHT = """
from typing import Any
from skbci.estimators import (
    AugmentedClassifier, FBMSNetClassifier, MIN2NetClassifier, MLPClassifier, MLPRegressor,
    NeuralClassifier,
)
from skbci.nets import MLP
from sklearn.svm import SVC
FBMSNetClassifier(module__n_maps=9, losses__features__class_weight=[1, 2])
MIN2NetClassifier(losses__latent__margin=2.0, optimizer__betas=(0.8, 0.9), module__pooling=2)
NeuralClassifier(MLP, module__any_word=3, losses__any_head__margin=2.0, optimizer__r=2.0)
NeuralClassifier(lambda n_features, n_outputs: MLP(n_features, n_outputs))
MLPClassifier((20,), optimizer="hjb", optimizer__r=2.0, pruning__n_rounds=3)
MLPClassifier(criterion__weight=None, augmentation__n_copies=2)
MLPRegressor(optimizer__momentum=1, callbacks__early_stopping__patience=3)
AugmentedClassifier(SVC(), "noise", augmentation__scale=0.1)
of_a_callback_of_mine: dict[str, Any] = {"callbacks__mine__word": 1}
MLPClassifier(**of_a_callback_of_mine).set_params(callbacks__mine__word=2)
"""
WRONG = {
    'MLPClassifier(optimiser="hjb")': "optimiser",
    "MLPClassifier(optimizer__rr=2.0)": "optimizer__rr",
    'MLPClassifier(optimizer__r="two")': "optimizer__r",
    "MLPRegressor(max_epoch=3)": "max_epoch",
    "MIN2NetClassifier(losses__latent__margn=2.0)": "losses__latent__margn",
    "MIN2NetClassifier(module__pooling=2.5)": "module__pooling",
    "FBMSNetClassifier(module__n_map=9)": "module__n_map",
    "NeuralClassifier(module=3)": "module",
    'AugmentedClassifier(SVC(), "noise", augmentation__scal=0.1)': "augmentation__scal",
    "skbci.estimators.MLPClassifer()": "MLPClassifer",
}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_a_misspelt_parameter_is_seen(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(RIGHT + "import skbci.estimators\n" + "\n".join(WRONG) + "\n")
    run = subprocess.run([sys.executable, "-m", "mypy", str(file), "--follow-imports=silent",
                          "--ignore-missing-imports"], capture_output=True, text=True, check=False)
    said = run.stdout.splitlines()
    first = RIGHT.count("\n") + 2
    for number, (line, word) in enumerate(WRONG.items(), first):
        assert any(f"mine.py:{number}:" in one and word in one for one in said), (line, run.stdout)
    assert not any(f"mine.py:{number}:" in one for number in range(1, first) for one in said), said
