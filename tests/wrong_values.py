"""A valid call of every public name that takes parameters, and the wrong values to put into it.

``CALLS`` maps a name to its callable, the valid arguments, and what is then done with the result.
A public name that is neither called nor listed in ``WITHOUT`` fails a test of
`tests/test_wrong_values.py`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from pyriemann.transfer import TLRotate
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import StandardScaler

import skbci
from skbci import (
    augmentation,
    baselines,
    datasets,
    display,
    estimators,
    evaluation,
    features,
    losses,
    model_selection,
    nets,
    optim,
    sparsity,
    stream,
    weighting,
)

SFREQ, N_ROWS = 64, 16
SIGNALS = np.random.default_rng(0).normal(size=(N_ROWS, 4, 128))
LABELS = np.tile(["l", "r"], N_ROWS // 2)
RHYTHMS = np.tile([8, 13], N_ROWS // 2)
TABLE = pd.DataFrame({
    "subject": np.repeat([1, 2], N_ROWS // 2), "session": np.tile(np.repeat([1, 2], 4), 2),
    "run": 1, "onset": np.tile(np.arange(8) * 4.0, 2),
})
ROWS = skbci.EEGArray(SIGNALS, TABLE, sfreq=SFREQ, ch_names=["Fz", "C3", "Cz", "C4"])
MLP = partial(estimators.MLPClassifier, (4,), max_epochs=2)


class Call(NamedTuple):
    """Who is called, with what, and what is then done with the result."""

    make: Callable[..., Any]
    arguments: dict[str, Any]
    use: Callable[[Any], Any]


def used(estimator, X=ROWS, y=LABELS):
    """Fit, and what the estimator then makes of the same rows."""
    if isinstance(estimator, estimators.MLPRegressor):
        y = np.linspace(0, 1, len(y))
    estimator.fit(X, y)
    methods = ("predict_proba", "predict", "transform")
    return next(getattr(estimator, m)(X) for m in methods if hasattr(estimator, m))


def more_rows(method):
    """Make new rows of signals."""
    return np.asarray(method.augment(ROWS, LABELS, random_state=0).X)


def split(splitter):
    return list(splitter.split(ROWS, LABELS, TABLE["subject"]))


def weights_of(policy):
    policy.start(2)
    values = np.array([1.0, 2.0])
    tensors = [torch.tensor([1.0, 0.5]), torch.tensor([0.3, 1.0])]
    return policy.update(losses=values, gradients=tensors, train_losses=np.ones((2, 2)),
                         valid_losses=np.ones((2, 2))) if hasattr(policy, "update") else None


def stepped(optimizer):
    group = optimizer.param_groups[0]
    (weight,) = group["params"]

    def closure():
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach().numpy()


def a_weight():
    return [torch.ones(2, requires_grad=True)]


def module_step(kind, **settings):
    module = torch.nn.Linear(2, 1)
    optimizer = kind(module.parameters(), module=module, **settings)

    def closure():
        optimizer.zero_grad()
        loss = ((module(torch.ones(4, 2)) - 1) ** 2).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    return module.weight.detach().numpy()


def networks(kind, shape):
    return lambda module: module(torch.ones(shape))


def pruned(method):
    module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Linear(8, 2))
    return method, module


def nothing(result):
    return result


NETWORK = {"max_epochs": 2, "random_state": 0}
LDA = LinearDiscriminantAnalysis()
CALLS: dict[str, Call] = {}


def add(make, use=nothing, name=None, **arguments):
    CALLS[name or make.__name__] = Call(make, arguments, use)


for kind in (features.CausalCentering, features.ChannelNormalizer, features.ChannelScaling,
             features.EuclideanAlignment, features.GroupScaler, features.LogCovariance,
             features.RankReducer, features.RiemannianRecentering, baselines.KStar):
    add(kind, used)
add(features.BandEnergy, used, bands=[(4, 8), (8, 12)])
add(features.BaselineCorrection, used, tmax=0.5)
add(features.Crop, used, tmin=0.5, tmax=1.5)
add(features.FilterBank, used, bands=[(4, 8)])
add(features.FisherSelection, partial(used, X=SIGNALS[:, :, 0]), n_features=2)
add(features.KeepRows, partial(used, X=SIGNALS[:, :, 0]), transformer=StandardScaler())
add(features.SlidingWindows, used, window=0.5, hop=0.5)
add(features.WelchPSD, used, n_per_seg=32)
add(features.WindowMeans, used, width=0.25)
add(baselines.BandCSP, used, n_components=2)
SIDES = {"l": "r", "r": "l"}
add(augmentation.Mirror, more_rows, labels=SIDES, ch_names=["Cz", "C3", "Fz", "C4"])
for kind in (augmentation.ChannelDropout, augmentation.GaussianNoise, augmentation.Mixup,
             augmentation.Recombine, augmentation.TimeShift):
    add(kind, more_rows)
add(augmentation.resolve_augmentation, augmentation="noise", settings={"scale": 0.1})
add(baselines.CCAClassifier, partial(used, y=RHYTHMS), frequencies=[8, 13])
add(baselines.DomainTransfer, partial(used, X=ROWS[:, :, 0]), step=TLRotate(None))
add(baselines.GalanClassifier, partial(used, X=SIGNALS[:, :, 0]), n_features=2)
add(baselines.RotationForest, partial(used, X=SIGNALS[:, :, 0]), n_estimators=2, random_state=0)
add(baselines.adaptive_rotation_forest, partial(used, X=SIGNALS[:, :, 0]), n_forests=2,
    random_state=0)
for make in (baselines.csp_lda, baselines.erp_lda, baselines.slow_potentials_lr,
             baselines.tangent_space_lr, baselines.riemann_fgmdm, baselines.riemann_mdm):
    add(make, used)
add(baselines.erp_xdawn_riemann, used, n_filters=1)
add(baselines.fbcsp, used, bands=[(4, 8), (8, 12)], n_features=2)
add(baselines.ssvep_cca, partial(used, y=RHYTHMS), frequencies=[8, 13], bands=[(6, 30)])
add(baselines.eye_state_pipeline, used, random_state=0)
CALLS["eye_state_pipeline"] = Call(
    partial(baselines.eye_state_pipeline, max_epochs=2), {}, used)
CALLS["eye_state_ensemble"] = Call(
    partial(baselines.eye_state_ensemble, max_epochs=2), {}, used)

add(estimators.AdaptiveBatchNorm, used, estimator=estimators.MIN2NetClassifier(max_epochs=1))
add(estimators.AugmentedClassifier, partial(used, X=ROWS[:, :, 0]), estimator=LDA,
    augmentation="noise", random_state=0)
add(estimators.CascadeClassifier, partial(used, X=ROWS[:, :, 0]), initial=LDA, terminal=LDA,
    n_lags=1, cv=2)
add(estimators.CrossValEnsemble, partial(used, X=ROWS[:, :, 0]), estimator=LDA, cv=2)
add(estimators.DecoderPipeline, partial(used, X=SIGNALS[:, :, 0]), steps=[("lda", LDA)])
add(estimators.EvidenceAccumulator, partial(used, X=ROWS[:, :, 0]), estimator=LDA)
add(estimators.FBMSNetClassifier, used, bands=[(4, 8), (8, 12)], depth=2, kernel_sizes=(5,),
    **NETWORK)
add(estimators.MIN2NetClassifier, used, **NETWORK)
add(estimators.MLPClassifier, partial(used, X=SIGNALS[:, :, 0]), hidden_layer_sizes=(4,),
    **NETWORK)
add(estimators.MLPRegressor, partial(used, X=SIGNALS[:, :, 0]), hidden_layer_sizes=(4,), **NETWORK)
add(estimators.MultiViewClassifier, used,
    views=[("all", "passthrough"), ("slow", features.WindowMeans(0.5))], **NETWORK)
add(estimators.MultiViewClassifier, used, "MultiViewClassifier, stopped early",
    views=[("slow", features.WindowMeans(0.5))], augmentation="noise",
    **{**NETWORK, "early_stopping": True})
add(estimators.NeuralClassifier, partial(used, X=SIGNALS[:, :, 0]), **NETWORK)
add(estimators.OnlineClassifier, partial(used, X=SIGNALS[:, :, 0]), estimator=MLP(random_state=0))
add(estimators.SparseMultitaskClassifier, used, **NETWORK)
for kind, first in ((estimators.MLPClassifier, {"hidden_layer_sizes": (4,)}),
                    (estimators.SparseMultitaskClassifier, {})):
    settings = {**first, **NETWORK, "early_stopping": True, "sparsity": 0.3}
    add(kind, partial(used, X=SIGNALS if kind is not estimators.MLPClassifier
                      else SIGNALS[:, :, 0]), f"{kind.__name__}, stopped early", **settings)

add(model_selection.HeldOutSearch, partial(used, X=SIGNALS[:, :, 0]),
    estimator=MLP(early_stopping=True, random_state=0), param_grid={"lr": [0.1]})
add(model_selection.StackedGridSearchCV, partial(used, X=SIGNALS[:, :, 0]),
    estimator=MLP(random_state=0), param_grid={"lr": [0.1]}, cv=2)
add(model_selection.StackedRandomizedSearchCV, partial(used, X=SIGNALS[:, :, 0]),
    estimator=MLP(random_state=0), param_distributions={"lr": [0.1, 0.2]}, n_iter=1, cv=2,
    random_state=0)
add(model_selection.LeaveSubjectsOut, split, n_splits=2)
add(model_selection.PurgedKFold, split, n_splits=2, window=1.0)
add(model_selection.SessionSplit, lambda cv: list(cv.split(ROWS)), window=1.0)
add(model_selection.WithinSubject, split, cv=2)
add(model_selection.largest_stable_step)
add(model_selection.search_spaces, names=["adam"])

for make, more in ((datasets.make_motor_imagery, {}), (datasets.make_imagery_execution, {}),
                   (datasets.make_ssvep, {})):
    add(make, n_subjects=1, n_trials=4, duration=1.0, random_state=0, **more)
add(datasets.make_erp, n_subjects=1, n_stimuli=12, random_state=0)
add(datasets.make_eye_state, n_subjects=1, duration=20.0, block=5.0, random_state=0)
add(datasets.make_gabor_2d, n_samples=10, random_state=0)
add(datasets.make_modulo2)
add(datasets.make_parity, n_bits=3)

add(evaluation.compare, pipelines={"lda": LDA}, X=ROWS[:, :, 0], y=LABELS,
    cv=model_selection.LeaveSubjectsOut(2))
add(evaluation.confound_report, X=ROWS, y=LABELS, n_permutations=1, random_state=0,
    cv=model_selection.LeaveSubjectsOut(2))
add(evaluation.information_transfer_rate, accuracy=0.9, n_classes=2, seconds=4.0)
add(evaluation.self_paced_scores, activations=[(1.0, "a")], duration=10.0,
    intended={"onset": [0.5], "duration": [0.9], "label": ["a"]})
add(evaluation.leakage_report, cv=model_selection.LeaveSubjectsOut(2), X=ROWS, y=LABELS)
MOABB = pd.DataFrame({
    "score": [0.6, 0.7, 0.8, 0.7, 0.7, 0.9], "pipeline": ["CSP"] * 3 + ["TS"] * 3,
    "subject": list("abcabc"), "session": "0", "dataset": "one"})
add(evaluation.meta_analysis, results=MOABB, baseline="CSP")
add(evaluation.spatial_patterns, estimator=baselines.csp_lda(2, tmin=0.1).fit(ROWS, LABELS),
    X=ROWS, y=LABELS)
add(evaluation.time_to_loss, history=pd.DataFrame({"train_loss": [2.0, 1.0], "dur": [1.0, 1.0]}))

add(losses.CenterLoss, n_classes=2, n_features=3,
    use=lambda loss: loss(torch.ones(4, 3), torch.tensor([0, 1, 0, 1])).detach().numpy())
add(losses.ReconstructionLoss,
    lambda loss: loss(torch.ones(4, 3), torch.zeros(4, 3)).detach().numpy())
add(losses.SemiHardTripletLoss,
    lambda loss: loss(torch.rand(4, 3), torch.tensor([0, 1, 0, 1])).detach().numpy())
add(nets.MLP, networks(nets.MLP, (4, 3)), n_features=3, n_outputs=2)
add(nets.DualTaskNet, networks(nets.DualTaskNet, (4, 3, 160)), n_channels=3, n_times=160,
    tasks={"a": 2}, pooling=8)
add(nets.FBMSNet, networks(nets.FBMSNet, (4, 2, 3, 64)), n_bands=2, n_channels=3, n_times=64,
    n_classes=2, kernel_sizes=(5,), depth=2)
add(nets.MIN2Net, networks(nets.MIN2Net, (4, 3, 100)), n_channels=3, n_times=100, n_classes=2)
add(nets.MultiViewNet, networks(nets.MultiViewNet, (4, 65)), views={"a": (5,), "b": (2, 30)},
    n_classes=2)
for kind in (optim.HJB, optim.HJBAD, optim.HJBUnder):
    add(kind, stepped, params=a_weight(), lr_schedule=None)
    add(kind, stepped, f"{kind.__name__}, scheduled", params=a_weight(), lr_schedule="theorem-2",
        n_steps=10)
for kind in (optim.EVDHJB, optim.LevenbergMarquardt, optim.LyapunovDescent):
    CALLS[kind.__name__] = Call(
        partial(module_step, kind),
        {k: p.default for k, p in inspect.signature(kind).parameters.items()
         if k not in ("params", "module")}, nothing)
add(optim.Theorem1LR, optimizer=optim.HJB(a_weight()))
add(optim.Theorem2LR, optimizer=optim.HJB(a_weight()), n_steps=10)
add(optim.resolve_optimizer, optimizer="hjb", settings={})
add(optim.default_lr, optimizer="hjb")
for kind in (sparsity.LotteryTicket, sparsity.MagnitudePruning, sparsity.MultitaskSnip,
             sparsity.Snip):
    add(kind)
add(sparsity.resolve_pruning, pruning="magnitude", sparsity=0.5)
add(sparsity.stratified_sample, X=SIGNALS[:, :, 0], y=LABELS, n_rows=8)
add(weighting.AdaMT)
for kind in (weighting.AlphaGrad, weighting.DynamicWeightAverage, weighting.FixedWeights,
             weighting.GradApprox, weighting.GradNorm, weighting.UncertaintyWeighting):
    add(kind)
add(weighting.resolve_policy, policy="alphagrad", settings={})
add(weighting.trajectory, policy=weighting.FixedWeights(), start=(0.5, 0.5), n_steps=3)

ONLINE = baselines.csp_lda(2, sfreq=SFREQ).fit(ROWS, LABELS)
add(stream.OnlineDecoder, lambda decoder: decoder.update(SIGNALS[0])[1], pipeline=ONLINE,
    window=2.0, hop=1.0)
add(stream.OnlineDecoder, lambda decoder: decoder.update(SIGNALS[0])[1],
    "OnlineDecoder, at markers", pipeline=ONLINE, window=2.0, tmin=0.0)
add(stream.ConfidenceGate, lambda gate: gate.answers([0.0], [[0.9, 0.1]]), classes=["a", "b"])
add(skbci.EEGArray, lambda array: array.metadata, data=SIGNALS, sfreq=SFREQ)
CALLS["make_pipeline"] = Call(
    partial(skbci.make_pipeline, StandardScaler(), LDA), {}, partial(used, X=SIGNALS[:, :, 0]))

HISTORY = pd.DataFrame({
    "epoch": [1, 2, 3], "train_loss": [2.0, 1.0, 0.5], "valid_loss": [2.0, 1.5, 1.0],
    "train_mean": [2.0, 1.0, 0.5], "valid_mean": [2.0, 1.5, 1.0], "weight_a": [1.0, 0.5, 0.4],
    "weight_b": [1.0, 1.5, 1.6], "dur": [0.1, 0.1, 0.1],
})
NET = MLP(random_state=0, sparsity=0.5).fit(SIGNALS[:, :, 0], LABELS)
LATENT = estimators.MIN2NetClassifier(max_epochs=2, random_state=0).fit(SIGNALS, LABELS)
RESULT = evaluation.compare({"lda": LDA, "mean": DummyClassifier()}, ROWS[:, :, 0], LABELS, cv=2,
                            baseline="mean", progress=False)
for kind, method, arguments in (
    (display.ComparisonDisplay, "from_comparison", {"result": RESULT}),
    (display.ComparisonDisplay, "from_estimators",
     {"pipelines": {"lda": LDA}, "X": ROWS[:, :, 0], "y": LABELS}),
    (display.ConvergenceDisplay, "from_estimators", {"estimators": {"mlp": NET}}),
    (display.ConvergenceDisplay, "from_histories", {"histories": {"mlp": HISTORY}}),
    (display.ConvergenceDisplay, "from_times",
     {"times": pd.DataFrame({"hjb": [1.0, 2.0], "adam": [2.0, 3.0]}, index=["a", "b"])}),
    (display.LatentDisplay, "from_estimator",
     {"estimator": LATENT, "X": SIGNALS, "y": LABELS}),
    (display.ForestDisplay, "from_meta_analysis",
     {"result": evaluation.meta_analysis(MOABB, "CSP")}),
    (display.LossWeightDisplay, "from_history", {"history": HISTORY}),
    (display.PatternDisplay, "from_estimator",
     {"estimator": ONLINE, "X": ROWS, "y": LABELS}),
    (display.SparsityDisplay, "from_results",
     {"results": pd.DataFrame({"method": "snip", "sparsity": [0.0, 0.5], "task": "a",
                               "accuracy": [0.9, 0.8]})}),
    (display.SparsityDisplay, "from_estimator", {"estimator": NET}),
    (display.SparsityDisplay, "from_histories", {"histories": {"snip": {0.5: HISTORY}}}),
    (display.StabilityDisplay, "from_histories", {"histories": {("hjb", 0.1): HISTORY}}),
    (display.StabilityDisplay, "from_estimator",
     {"estimator": MLP(random_state=0), "X": SIGNALS[:, :, 0], "y": LABELS, "lrs": [0.1],
      "optimizers": ["sgd"], "n_epochs": 1}),
    (display.TrajectoryDisplay, "from_policies",
     {"policies": ["fixed"], "n_steps": 5, "starts": [(0.5, 0.5)]}),
):
    add(getattr(kind, method), nothing, f"{kind.__name__}.{method}", **arguments)

# -- wrong values, and what is said to them ----------------------------------------------------

WRONG: dict[str, Any] = {
    "x": "x", "bytes": b"x", "-1": -1, "0": 0, "1.5": 1.5, "nan": np.nan, "inf": np.inf,
    "10**400": 10**400, "[]": [], "{}": {}, "[nan]": [np.nan], "zeros": np.zeros(3),
    "object": object(), "True": True, "None": None, "class": dict, "1j": 1j, "names": ["a", "b"],
    "0-d": np.array(2.0), "set": {"a", "b"},
}
# What nobody may be heard to say.
RAW = (LookupError, AttributeError, RuntimeError, ArithmeticError, AssertionError, MemoryError,
       NameError, StopIteration, NotImplementedError)
WORDS = ("unsupported operand", "not supported between", "object is not iterable", "has no len",
         "unhashable", "unexpected keyword", "has no attribute", "ufunc", "not subscriptable",
         "truth value of", "cannot be interpreted as", "can't convert", "must be real number",
         "must be str", "not understood", "could not convert", "only length-1", "is not callable",
         "invalid literal", "a string, a bytes-like", "Seed must be",
         "can't multiply", "can only concatenate",
         "could not be broadcast", "positional argument", "non-empty format",
         "expected an int", "cannot convert", "not iterable", "Python scalars",
         "cannot be used to seed", "should be a number", "setting an array element",
         "must be array-like", "cannot unpack", "not enough values", "too many values")

# What a parameter is called where it is checked, if not by its own name.
SAME = {
    ("resolve_policy", "policy"): ("loss_weighting=",),
    ("", "losses"): ("losses", "head_names"),
    ("", "cv"): ("cv", "n_lags", "fold"),
    ("", "gap"): ("gap", "n_lags"),
    ("eye_state_ensemble", "name"): ("name", "classifiers are given"),
    # Rows, of which scikit-learn speaks.
    ("", "X"): ("X", "number", "input variables", "data", "array-like", "Input should"),
    ("", "y"): ("y", "input variables"),
    ("", "groups"): ("groups", "input variables", "rows", "Input should"),
    ("TrajectoryDisplay.from_policies", "policies"): ("policies", "loss_weighting="),
    ("StabilityDisplay.from_estimator", "optimizers"): ("optimizer",),
    ("", "lr"): ("lr", "losses must be finite"),
}


def is_raw(error):
    """Whether an error speaks in another package's words."""
    return isinstance(error, RAW) or any(word in str(error) for word in WORDS)


def parameters(name):
    """The parameters of a call that can be given by name."""
    make = CALLS[name].make
    if isinstance(make, partial) and make.func is module_step:
        return list(CALLS[name].arguments)
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in inspect.signature(make).parameters.values() if p.kind in kinds]


def result_of(name, **changed):
    """What a call gives, with other arguments; no global state is touched."""
    call = CALLS[name]
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")
        try:
            return call.use(call.make(**{**call.arguments, **changed}))
        finally:
            plt.close("all")


def outcome(name, parameter, value):
    """What is wrong with the answer to a wrong value; None where it works or is refused well."""
    try:
        result = result_of(name, **{parameter: value})
    except (ValueError, TypeError) as error:
        said = f"{type(error).__name__}: {str(error)[:300]}"
        words = SAME.get((name, parameter), SAME.get(("", parameter), (parameter,)))
        named = any(word in str(error) for word in words)
        return None if named and not is_raw(error) else said
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    if isinstance(result, np.ndarray) and result.dtype.kind == "f" \
            and not np.isfinite(result).all():
        return "not finite, without a word"
    return None
