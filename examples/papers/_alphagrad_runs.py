"""Pipelines of ``alphagrad.py``, and the runs that score them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from _alphagrad_data import SETTINGS, Setting, load
from pyriemann.estimation import Covariances
from pyriemann.tangentspace import TangentSpace
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from skbci.baselines import (
    csp_lda,
    erp_lda,
    erp_xdawn_riemann,
    fbcsp,
    riemann_mdm,
    ssvep_cca,
    tangent_space_lr,
)
from skbci.estimators import (
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    NeuralClassifier,
)
from skbci.features import (
    Crop,
    EuclideanAlignment,
    FilterBank,
    RiemannianRecentering,
    WindowMeans,
)
from skbci.model_selection import PurgedKFold, StackedGridSearchCV
from skbci.weighting import FixedWeights

#: The heads of the other losses, by network.
AUXILIARY = {"MIN2Net": ("latent", "reconstruction"), "FBMSNet": ("features",)}
NETWORKS = tuple(AUXILIARY)
TANGENT = "tangent spaces + network (HJB)"
FEATURES = "the decoders' features in a network, optimizer searched"
FIXED, LED = "fixed, 1 each", "AlphaGrad, led (ours)"
#: What `HeldOutSearch` over the two, ``tol=TOLERANCE`` of accuracy, keeps of their fits.
SEARCHED, TOLERANCE = "led, or fixed by held-out rows (ours)", 0.01
#: MIN2Net's triplet loss.
TRIPLETS = {
    "published": "the mean over all semi-hard triplets of embeddings of length one",
    "one-negative": "one negative for each pair, of embeddings as they are",
}
#: How the losses are weighed: the policy, or None, the classification alone.
POLICIES: dict[str, Any] = {
    FIXED: "fixed",
    "cross-entropy only": None,
    "AlphaGrad": "alphagrad",
    LED: "alphagrad-lead",
    "AlphaGrad, projected (ours)": "alphagrad-project",
    "AdaMT": "adamt",
    "GradApprox": "gradapprox",
    "uncertainty": "uncertainty",
    "weight average": "dwa",
    "GradNorm": "gradnorm",
}
#: FBMSNet was published with 0.0005 on the center loss, which is a sum over 1152 features.
PUBLISHED = "fixed, published (1, 0.0005)"
#: Pass bands of filter bank CCA, and the frequencies of the four labels.
CCA_BANDS, FLICKER = ((6.0, 45.0), (14.0, 45.0), (22.0, 45.0)), (9.0, 10.0, 12.0, 15.0)
WINDOWS = ((0.25, 1.75), (0.0, 1.0), (0.5, 1.5), (1.0, 2.0), (0.0, 4.0))


def policies(network: str) -> list[str]:
    """Names of what is compared in a network."""
    return [*POLICIES, PUBLISHED] if network == "FBMSNet" else [*POLICIES]


# -- pipelines ------------------------------------------------------------------------------


def classical(setting: Setting, align: bool) -> dict[str, Pipeline]:
    """The field's own decoders."""
    euclidean = EuclideanAlignment(setting.align_by) if align else None
    riemannian = RiemannianRecentering(setting.align_by) if align else None
    if setting.paradigm == "erp":
        return {"LDA": erp_lda(alignment=euclidean),
                "xDAWN + Riemann": erp_xdawn_riemann(alignment=euclidean)}
    low, high = setting.band
    where = {"fmin": low, "fmax": high}
    if setting.paradigm == "ssvep":
        return {"CCA": ssvep_cca(), "filter-bank CCA": ssvep_cca(bands=CCA_BANDS),
                "CCA of three bands + LR": cca_scores(
                    make_pipeline(StandardScaler(), LogisticRegression())),
                "tangent space + LR": tangent_space_lr(**where, alignment=riemannian)}
    where |= {"tmin": 0.5, "tmax": 3.5}
    return {
        "CSP + LDA": csp_lda(**where, alignment=euclidean),
        "FBCSP": fbcsp(tmin=0.5, tmax=3.5, alignment=euclidean),
        "tangent space + LR": tangent_space_lr(**where, alignment=riemannian),
        "MDM": riemann_mdm(**where, alignment=riemannian),
        "tangent spaces + LR": Pipeline([
            ("features", tangent_spaces(setting, align)), ("scale", StandardScaler()),
            ("lr", LogisticRegression(C=1e-4, max_iter=1000)),
        ]),
    }


def tangent_spaces(
    setting: Setting, align: bool, windows: tuple[tuple[float, float], ...] = WINDOWS
) -> Pipeline:
    """Tangent-space features of several windows of time, each aligned by itself."""
    def of_window(start: float, stop: float) -> Pipeline:
        center = RiemannianRecentering(setting.align_by) if align else "passthrough"
        return make_pipeline(Crop(start, stop), center, Covariances("oas"), TangentSpace())

    bank = FilterBank((setting.band,), output="channels")
    return make_pipeline(bank, make_union(*(of_window(*window) for window in windows)))


def tangent_network(
    setting: Setting, align: bool, seed: int,
    windows: tuple[tuple[float, float], ...] = WINDOWS,
) -> Pipeline:
    """Five networks trained with HJB on tangent-space features; their probabilities' mean."""
    nets = [
        (str(n), MLPClassifier((200,), dropout=(0.8,), optimizer="hjb", lr=0.03, max_epochs=10,
                               random_state=100 * seed + n))
        for n in range(5)
    ]
    return Pipeline([("features", tangent_spaces(setting, align, windows)),
                     ("scale", StandardScaler()), ("vote", VotingClassifier(nets, voting="soft"))])


def cca_scores(final: Any) -> StackingClassifier:
    """The canonical correlations of each band, in a classifier; they need no training."""
    # The labels reach the bands as numbers from zero: ``fit`` finds each one's frequency.
    bands = [(f"from {low:g} Hz", ssvep_cca(FLICKER, bands=((low, high),)))
             for low, high in CCA_BANDS]
    return StackingClassifier(bands, final, cv=PurgedKFold(4))


def feature_network(setting: Setting, align: bool, seed: int) -> Any:
    """A network on what the field's decoders see; optimizer and dropout by training rows."""
    center = EuclideanAlignment(setting.align_by) if align else None
    erp = setting.paradigm == "erp"
    net = MLPClassifier((200,), max_epochs=50, batch_size=100 if erp else 20, random_state=seed)
    grid = {"net__optimizer": ["hjb", "hjb-ad", "adam"], "net__dropout": [(0.5,), (0.8,)]}
    last = [("scale", StandardScaler()), ("net", net)]
    if setting.paradigm == "ssvep":
        # Out-of-fold scores come in order, without their table: four contiguous parts.
        return cca_scores(StackedGridSearchCV(
            Pipeline(last), grid, scoring="neg_log_loss", cv=KFold(4)))
    if erp:
        means = make_pipeline(FilterBank(((0.0, 20.0),), output="channels"), center or
                              "passthrough", WindowMeans(0.05))
        views: Any = make_union(means, erp_xdawn_riemann(alignment=center)[:-1])
        cv: Any = PurgedKFold(4)
    else:
        views = fbcsp(tmin=0.5, tmax=3.5, alignment=center)[:-1]
        cv = StratifiedKFold(4, shuffle=True, random_state=seed)
    return StackedGridSearchCV(Pipeline([("views", views), *last]), grid, cv=cv,
                               scoring="neg_log_loss")


def deep(
    network: str, setting: Setting, align: bool, policy: str, epochs: int, seed: int,
    device: str = "cpu", triplet: str = "published",
) -> Pipeline:
    """MIN2Net or FBMSNet with its losses, protocol of the article but for ``epochs``."""
    shared: dict[str, Any] = {
        "max_epochs": epochs, "batch_size": setting.batch_size, "random_state": seed,
        "class_weight": "balanced" if setting.paradigm == "erp" else None,
        "early_stopping": True, "callbacks": [("accuracy", ValidAccuracy())], "device": device,
    }
    weighting = FixedWeights((1.0, 5e-4)) if policy == PUBLISHED else POLICIES[policy]
    losses = None
    if weighting is None:
        losses = {"logits": "cross-entropy"} | dict.fromkeys(AUXILIARY[network])
    shared |= {"losses": losses, "loss_weighting": weighting or "fixed"}
    center = EuclideanAlignment(setting.align_by) if align else "passthrough"
    clf: Any
    if network == "MIN2Net":
        if weighting is not None and triplet == "one-negative":
            shared |= {"losses__latent__normalize": False, "losses__latent__negatives": "closest"}
        clf = MIN2NetClassifier(**shared)
        bank = FilterBank((setting.band,), output="channels")
    else:
        # The same architecture for every policy: the dense layer is there for all of them.
        clf = FBMSNetClassifier(shared_layer=True, **shared)
        bank = FilterBank(setting.bands)
    return Pipeline([("filter", bank), ("align", center), ("classifier", clf)])


#: Braindecode's networks of one loss, by the names of the tables.
SINGLE = {"EEGNet": "EEGNet", "DeepConvNet": "Deep4Net", "FBCNet": "FBCNet"}
TODAY = {"EEGNet": "EEGNet", "ShallowFBCSPNet": "ShallowFBCSPNet", "FBCNet": "FBCNet",
         "EEG-Conformer": "EEGConformer", "ATCNet": "ATCNet", "EEGSimpleConv": "EEGSimpleConv"}


def single_task_nets(names: Mapping[str, str] = SINGLE) -> dict[str, Any]:
    """Those networks, where that extra can be imported."""
    models = _braindecode_models()
    if models is None:
        return {}
    return {name: getattr(models, attribute) for name, attribute in names.items()}


@cache  # an import that fails is tried anew each time
def _braindecode_models() -> Any:
    try:
        from braindecode import models
    except Exception:  # a torchaudio that does not fit torch raises what it likes
        return None
    return models


def single(
    model: str, setting: Setting, align: bool, epochs: int, seed: int, device: str = "cpu"
) -> Pipeline:
    """A network of one loss, by the same protocol."""
    low, high = setting.band
    band = (setting.bands[0][0], setting.bands[-1][1]) if model == "FBCNet" else (low, high)
    clf = NeuralClassifier(
        single_task_nets(SINGLE | TODAY)[model], optimizer="adam", lr=1e-3, max_epochs=epochs,
        batch_size=setting.batch_size, early_stopping=True, n_iter_no_change=20, lr_patience=5,
        class_weight="balanced" if setting.paradigm == "erp" else None, device=device,
        random_state=seed,
    )
    center = EuclideanAlignment(setting.align_by) if align else "passthrough"
    return Pipeline([("filter", FilterBank((band,), output="channels")), ("align", center),
                     ("classifier", clf)])


class ValidAccuracy(Callback):
    """Write the validation accuracy of each epoch into the history."""

    def on_epoch_end(self, net: Any, dataset_valid: Any = None, **_: Any) -> None:
        """Score the rows that early stopping holds out."""
        if dataset_valid is None:
            return
        best = net.predict_tensor(dataset_valid.X).argmax(dim=1)
        net.history.record("valid_accuracy", float((best == dataset_valid.y).float().mean()))


# -- runs -----------------------------------------------------------------------------------


def run_classical(
    data: Path | None, quick: bool, setting: str, split: int, n_splits: int, method: str,
    align: bool,
) -> list[dict[str, Any]]:
    """One classical pipeline on one split: a line a test subject."""
    return score(classical(SETTINGS[setting], align)[method], data, quick, setting, split,
                 n_splits)


def run_network(
    data: Path | None, quick: bool, setting: str, split: int, n_splits: int, align: bool,
    seed: int, make: Callable[[Setting, bool, int], Any],
) -> list[dict[str, Any]]:
    """A network on features: `tangent_network` or `feature_network`."""
    return score(make(SETTINGS[setting], align, seed), data, quick, setting, split, n_splits)


def run_single(
    data: Path | None, quick: bool, setting: str, split: int, n_splits: int, model: str,
    align: bool, epochs: int, seed: int, device: str,
) -> list[dict[str, Any]]:
    """One of braindecode's networks."""
    return score(single(model, SETTINGS[setting], align, epochs, seed, device), data, quick,
                 setting, split, n_splits)


def run_deep(
    data: Path | None, quick: bool, setting: str, split: int, n_splits: int, network: str,
    align: bool, policy: str, epochs: int, seed: int, device: str, histories: Path,
    triplet: str = "published",
) -> list[dict[str, Any]]:
    """One network under one policy; its history is kept as a file."""
    pipeline = deep(network, SETTINGS[setting], align, policy, epochs, seed, device, triplet)
    lines = score(pipeline, data, quick, setting, split, n_splits)
    history = pipeline[-1].history_
    histories.mkdir(parents=True, exist_ok=True)
    history.to_csv(histories / f"{history_name(setting, network, align, policy, split, seed)}.csv",
                   index=False)
    last = history.get("valid_accuracy")
    found = {
        "epochs_run": len(history),
        "wobble": np.nan if last is None else float(last.tail(10).std(ddof=0)),
    }
    return [{**line, **found} for line in lines]


def history_name(
    setting: str, network: str, align: bool, policy: str, split: int, seed: int
) -> str:
    """File name of a fit's history."""
    parts = [setting, network, "aligned" if align else "raw", policy, str(split), str(seed)]
    return "-".join("".join(c if c.isalnum() else "_" for c in part) for part in parts)


def score(
    pipeline: Pipeline, data: Path | None, quick: bool, setting: str, split: int, n_splits: int
) -> list[dict[str, Any]]:
    """Fit on the split's training rows; a line for each subject among its test rows."""
    bunch = load(setting, data, quick)
    X, y = bunch.X, np.asarray(bunch.y)
    train, test = SETTINGS[setting].splits(X, y, n_splits)[split]
    start = time.perf_counter()
    with warnings.catch_warnings():
        # The table counts collapses; a warning a fit would bury the progress bar.
        warnings.simplefilter("ignore")
        pipeline.fit(X[train], y[train])
    seconds = time.perf_counter() - start
    said = pipeline.predict(X[test])
    binary = len(np.unique(y)) == 2
    rank = pipeline.predict_proba(X[test])[:, 1] if binary else None
    subject = X[test].metadata["subject"].to_numpy()
    lines = []
    for one in np.unique(subject):
        rows = subject == one
        truth = y[test][rows]
        lines.append({
            "subject": one, "rows": int(rows.sum()),
            "accuracy": accuracy_score(truth, said[rows]),
            "f1": f1_score(truth, said[rows], average="macro"),
            "auc": roc_auc_score(truth, rank[rows]) if rank is not None else np.nan,
            "seconds": seconds,
        })
    return lines
