"""Data and runs of ``sparse_multitask.py``."""

from __future__ import annotations

import time
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import resample_poly
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Bunch

from skbci import EEGArray
from skbci.datasets import load_recording, make_imagery_execution
from skbci.estimators import SparseMultitaskClassifier
from skbci.features import FilterBank
from skbci.sparsity import SparsityWarning

TASKS = ("imagery", "execution")
RATE, BAND, LR = 64, (8.0, 30.0), 0.006
DENSE, TICKET, SNIP, OURS = "dense", "lottery ticket", "SNIP", "SNIP by task (paper)"
ALIKE = "SNIP, as many weights"
#: Methods and their settings; `ALIKE` is told how many weights the paper's method keeps.
METHODS: dict[str, dict[str, Any]] = {
    DENSE: {},
    TICKET: {"pruning": "lottery", "pruning__scope": "layer", "pruning__n_rounds": 1},
    SNIP: {"pruning": "snip"},
    OURS: {"pruning": "snip-multitask"},
    ALIKE: {"pruning": "snip"},
}
LEVELS = (0.2, 0.4, 0.8)
N_REAL, N_SIMULATED = 16, 6


def cells() -> list[tuple[str, float]]:
    """Methods and sparsities that are compared."""
    return [(DENSE, 0.0)] + [(m, s) for m in METHODS if m != DENSE for s in LEVELS]


@cache
def load(folder: Path | None, quick: bool) -> Bunch:
    """Both tasks of the same subjects, filtered and resampled."""
    if folder is None:
        n_subjects, n_trials = (2, 16) if quick else (N_SIMULATED, 45)
        bunch = make_imagery_execution(n_subjects, n_trials=n_trials, snr=4.0, random_state=0)
    else:
        subjects = range(1, 3 if quick else N_REAL + 1)
        bunch = load_recording(folder / "eegmmidb", pattern="m[ei]_fists_22ch_*.npz",
                               subjects=subjects)
        paired = bunch.metadata.groupby("subject")["task"].nunique()
        rows = bunch.metadata["subject"].isin(paired.index[paired == len(TASKS)]).to_numpy()
        bunch = Bunch(X=bunch.X[rows], y=np.asarray(bunch.y)[rows])
    X = FilterBank((BAND,), output="channels").fit_transform(bunch.X)
    data = resample_poly(np.asarray(X, dtype=np.float32), RATE, int(X.sfreq), axis=-1)
    X = EEGArray(data, X.metadata, sfreq=float(RATE), ch_names=X.ch_names, tmin=X.tmin)
    return Bunch(X=X, y=np.asarray(bunch.y).astype(str))


def subjects(folder: Path | None, quick: bool) -> list[int]:
    """The subjects who did both tasks."""
    return sorted({int(s) for s in load(folder, quick).X.metadata["subject"]})


def classifier(method: str, sparsity: float, epochs: int, seed: int, **more: Any) -> Any:
    """The network with one way to prune it; all else is the same for all."""
    return SparseMultitaskClassifier(
        sparsity=sparsity, lr=LR, max_epochs=epochs, random_state=seed, module__kernel_size=17,
        module__pooling=25, module__separable_size=3, **METHODS[method], **more,
    )


def fit(method: str, sparsity: float, epochs: int, seed: int, X: Any, y: Any, **more: Any) -> Any:
    """Fit one classifier; the table says where a layer's floor was needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsityWarning)
        if method == ALIKE:
            masked = classifier(OURS, sparsity, 1, seed).fit(X, y)
            sparsity = 1 - float(masked.density_.loc["total", "network"])
        return classifier(method, sparsity, epochs, seed, **more).fit(X, y)


def folds(X: EEGArray, y: np.ndarray, n: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Folds of one subject that have every class of both tasks."""
    kinds = np.char.add(np.char.add(X.metadata["task"].to_numpy().astype(str), " "), y)
    splitter = StratifiedKFold(n, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(y)), kinds))


def of_subject(data: Path | None, quick: bool, subject: int) -> tuple[EEGArray, np.ndarray]:
    """Rows and labels of one subject."""
    bunch = load(data, quick)
    rows = (bunch.X.metadata["subject"] == subject).to_numpy()
    return bunch.X[rows], bunch.y[rows]


def run(
    data: Path | None, quick: bool, subject: int, seed: int, method: str, sparsity: float,
    n_folds: int, epochs: int,
) -> list[dict[str, Any]]:
    """Cross-validate within a subject: one line per task, over the predictions of all folds."""
    X, y = of_subject(data, quick, subject)
    said = np.empty_like(y)
    start = time.perf_counter()
    kept, overlap = [], []
    for train, test in folds(X, y, n_folds, seed):
        clf = fit(method, sparsity, epochs, seed, X[train], y[train])
        said[test] = clf.predict(X[test])
        kept.append(clf.density_.loc["total", "network"])
        overlap.append(clf.overlap_.loc["total"].iloc[0])
    seconds = (time.perf_counter() - start) / n_folds
    tasks = X.metadata["task"].to_numpy()
    return [
        {
            "task": task, "accuracy": accuracy_score(y[mine], said[mine]),
            "f1": f1_score(y[mine], said[mine], average="macro"),
            "kept": float(np.mean(kept)), "overlap": float(np.mean(overlap)), "seconds": seconds,
        }
        for task, mine in ((task, tasks == task) for task in TASKS)
    ]


def run_history(
    data: Path | None, quick: bool, subject: int, method: str, sparsity: float, epochs: int,
) -> list[dict[str, Any]]:
    """Train on four fifths of a subject's rows, watch the rest: one line per epoch."""
    X, y = of_subject(data, quick, subject)
    clf = fit(method, sparsity, epochs, 0, X, y, early_stopping=True, n_iter_no_change=epochs)
    table: pd.DataFrame = clf.history_[["epoch", "train_mean", "valid_mean"]]
    return table.to_dict("records")
