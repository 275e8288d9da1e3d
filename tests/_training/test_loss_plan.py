"""One criterion, several heads or several tasks: one object says all that follows from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from skbci._training import CLASSIFICATION, ClassifierNet, HeadPlan, OneLoss, TaskPlan
from skbci._training.multi_head_net import MultiHeadNet
from skbci._training.multitask_net import MultitaskNet, TaskLosses
from skbci.estimators import MIN2NetClassifier, NeuralClassifier
from skbci.weighting import AlphaGrad, FixedWeights, GradApprox


@pytest.fixture(autouse=True)
def _torch_state():
    with torch.random.fork_rng():
        yield


class TwoHeads(nn.Module):
    head_names = ("logits", "copy")

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, X):
        return (X * self.scale)[:, :2], X * 1.0


def one_loss(**settings):
    return OneLoss("cross-entropy", CLASSIFICATION, {}, ClassifierNet, **settings)


def heads(first="binary-cross-entropy", policy=FixedWeights, **settings):
    losses = {"logits": first, "copy": "reconstruction"}
    plan = HeadPlan(losses, {}, policy, {}, 0.5, **settings)
    plan.build(TwoHeads(), (4,), 2)
    return plan


def tasks(weights=None, policy=FixedWeights):
    return TaskPlan(policy, {}, weights, ["a", "b"], "Somebody")


def adam():
    return torch.optim.Adam, {}


@pytest.mark.parametrize(
    ("plan", "net", "loss", "column", "counts"),
    [
        (one_loss(), ClassifierNet, "cross-entropy", "valid_loss", False),
        (heads(), MultiHeadNet, "binary-cross-entropy", "valid_logits", True),
        (heads(None), MultiHeadNet, None, "valid_loss", True),
        (tasks(), MultitaskNet, "cross-entropy", "valid_mean", True),
    ],
)
def test_what_follows_from_the_losses(plan, net, loss, column, counts):
    assert plan.net_class is net
    assert plan.class_loss == loss
    assert plan.monitored(True) == column
    assert plan.monitored(False) == column.replace("valid", "train")
    assert plan.counts_rows is counts
    plan.check("Somebody", "adam", adam, False)
    plan.check_unvalidated("Somebody", 3)


def test_settings_of_the_net():
    assert one_loss().net_settings() == {}
    settings = heads().net_settings()
    assert isinstance(settings["policy"], FixedWeights)
    assert settings["loss_lr"] == 0.5
    policy = tasks({"b": 3, "a": 1}).net_settings()["policy"]
    assert policy.weights == [1, 3]  # in the order of the tasks


def test_the_criterion_that_a_plan_builds():
    logits, y = torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    expected = nn.functional.cross_entropy(logits, y, reduction="none")
    assert torch.equal(one_loss().build(nn.Linear(4, 3), (4,), 3)(logits, y), expected)
    built = tasks().build(type("Net", (), {"tasks": {"a": 2, "b": 3}})(), (4,), 5)
    assert isinstance(built, TaskLosses)
    assert built.names == ["a", "b"]


@pytest.mark.parametrize("plan", [heads(policy=GradApprox), tasks(policy=GradApprox)])
def test_a_policy_that_needs_validation_rows(plan):
    plan.check("Somebody", "adam", adam, True)
    with pytest.raises(ValueError, match="early_stopping=False leaves no rows"):
        plan.check("Somebody", "adam", adam, False)
    with pytest.raises(ValueError, match="with 3 rows early_stopping='auto'"):
        plan.check_unvalidated("Somebody", 3)


@pytest.mark.parametrize("plan", [heads(), tasks()])
def test_optimizers_of_one_output(plan):
    class OfOneOutput:
        needs_module = True

    with pytest.raises(ValueError, match="cannot train the losses of several heads"):
        plan.check("Somebody", "lm", lambda: (OfOneOutput, {}), False)
    one_loss().check("Somebody", "lm", lambda: (OfOneOutput, {}), False)


def test_settings_that_are_about_other_losses():
    with pytest.raises(ValueError, match="center_lr=1 is about several losses"):
        one_loss(of_several=["center_lr=1"]).check("Somebody", "adam", adam, False)
    with pytest.raises(ValueError, match="criterion='other' is not used"):
        heads(criterion="other").check("Somebody", "adam", adam, False)


@pytest.mark.parametrize(
    ("weights", "policy", "error", "message"),
    [
        (3, FixedWeights, TypeError, "must be a dict"),
        ({"a": -1, "b": 1}, FixedWeights, ValueError, "task_weights"),
        ({"a": 0, "b": 0}, FixedWeights, ValueError, "all zero"),
        ({"a": 1, "b": 1}, AlphaGrad, ValueError, "weighs the tasks by itself"),
    ],
)
def test_wrong_factors_of_tasks(weights, policy, error, message):
    with pytest.raises(error, match=message):
        tasks(weights, policy).check("Somebody", "adam", adam, False)


def test_factors_name_the_tasks_that_there_are():
    with pytest.raises(ValueError, match="there are rows of"):
        tasks({"a": 1, "c": 1}).net_settings()


def test_a_plan_stays_that_of_the_fit():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), np.arange(40) % 2
    clf = NeuralClassifier(criterion="binary-cross-entropy", max_epochs=2, random_state=0)
    before = clf.fit(X, y).predict_proba(X)
    assert np.array_equal(clf.set_params(criterion="cross-entropy").predict_proba(X), before)
    assert not np.array_equal(clf.fit(X, y).predict_proba(X), before)


def test_the_articles_losses_stand_in_for_none():
    plan = MIN2NetClassifier()._loss_plan()
    assert isinstance(plan, HeadPlan)
    assert list(plan.losses) == ["logits", "latent", "reconstruction"]
