"""Every parameter of every public name: a wrong value works, or is refused in good words.

The default suite tries a few values of each; ``pytest -m slow tests/test_wrong_values.py`` all.
"""

from __future__ import annotations

import inspect

import pytest

import tests.wrong_values as wrong
from tests.public_estimators import public_modules

FEW = ("x", "1.5", "10**400", "zeros")
# Without parameters of their own, or of a kind that only they are given.
WITHOUT = {
    "Comparison", "MetaAnalysis", "ConfoundReport", "LeakageReport",
    "CompactionReport", "NetworkCost", "Evidence",
    "Trajectory", "Gradients", "WeightingPolicy", "PruningMethod", "MaskedTraining", "Pipeline",
    "Augmentation", "Augmented",
    # Warnings and errors.
    "LossCollapseWarning", "LostTableWarning", "NonFiniteError", "NonFiniteLossError",
    "NonFiniteSaliencyError", "SparsityWarning", "VersionWarning",
    # Of modules, masks and losses in a user's own training loop.
    "adapt_batch_norm", "apply_masks", "compact", "density", "overlap", "prunable", "saliency",
    "head_parameters", "shared_gradients", "toy_losses", "weighted_backward",
    # Of files, downloads and devices, whose tests are with them.
    "fetch_moabb", "fetch_tabular", "load_bci3_mental_imagery", "load_bids", "load_recording",
    "read_epochs",
    "save_recording", "LSLInput", "LSLOutput", "save", "load", "export_onnx",
    # Takes whatever data there are.
    "data_on_workers",
    # Of the command line, and by an optimizer's name.
    "main",
    # Need torchjd and braindecode.
    "GramianWeighting", "BraindecodeTransform",
    # Of fitted estimators and pipelines, whose tests are with them.
    "TaskScorer", "compact_estimator", "is_pipeline", "keep_rows", "step_output",
}


# All cores would be slow to start; None is numpy's global state, as in scikit-learn.
VALID = {("n_jobs", "-1"), ("random_state", "None")}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Any word is the name of a folder."""
    monkeypatch.chdir(tmp_path)


def public_names():
    """Public classes and functions."""
    return {
        name
        for module in public_modules()
        for name in getattr(module, "__all__", [])
        if inspect.isclass(value := getattr(module, name)) or inspect.isfunction(value)
    }


def cases(names):
    return [
        pytest.param(name, parameter, [v for v in names if (parameter, v) not in VALID],
                     id=f"{name}-{parameter}")
        for name in wrong.CALLS
        for parameter in wrong.parameters(name)
    ]


def found(name, parameter, values):
    said = {value: wrong.outcome(name, parameter, wrong.WRONG[value]) for value in values}
    return {value: words for value, words in said.items() if words}


def test_every_public_name_is_called():
    called = {name.split(",")[0].split(".")[0] for name in wrong.CALLS}
    assert public_names() - WITHOUT <= called
    assert not WITHOUT & called


@pytest.mark.parametrize("name", list(wrong.CALLS))
def test_the_call_to_put_wrong_values_into_is_valid(name):
    wrong.result_of(name)


@pytest.mark.parametrize(("name", "parameter", "values"), cases(FEW))
def test_a_wrong_value_works_or_is_named(name, parameter, values):
    assert not found(name, parameter, values)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameter", "values"), cases(wrong.WRONG))
def test_many_wrong_values_work_or_are_named(name, parameter, values):
    assert not found(name, parameter, values)
