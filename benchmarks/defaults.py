"""Accuracy of ``MLPClassifier()``, left as it is, beside scikit-learn's and skorch's networks.

``python benchmarks/defaults.py`` prints a table: five stratified folds, mean over two seeds, all
inputs standardized by the training rows. No parameter is set; scikit-learn's network trains for
at most 200 epochs, ours for 100, skorch's for 10. Takes about two minutes.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
    make_moons,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier as ScikitLearnMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier

from skbci.datasets import make_motor_imagery
from skbci.estimators import MLPClassifier
from skbci.features import BandEnergy
from skbci.nets import MLP


def sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return five sets that come with scikit-learn, one more, and band powers of imagery."""
    imagery = make_motor_imagery(n_subjects=1, n_trials=200, random_state=0)
    powers = BandEnergy(((8, 13), (13, 30)), n_subbands=1, log=True).fit_transform(imagery.X)
    return {
        "iris": load_iris(return_X_y=True),
        "wine": load_wine(return_X_y=True),
        "breast cancer": load_breast_cancer(return_X_y=True),
        "digits": load_digits(return_X_y=True),
        "four classes": make_classification(
            1000, 40, n_informative=10, n_classes=4, random_state=0
        ),
        "moons": make_moons(500, noise=0.3, random_state=0),
        "band powers": (np.asarray(powers), imagery.y),
    }


def networks(X: np.ndarray, y: np.ndarray) -> dict[str, Callable[[int], Any]]:
    """Return each network by its name, as a function of the seed."""
    def skorch_net(seed: int) -> Any:
        torch.manual_seed(seed)
        module = MLP(X.shape[1], len(np.unique(y)))
        single = FunctionTransformer(np.float32)
        net = NeuralNetClassifier(
            module, criterion=torch.nn.CrossEntropyLoss, train_split=None, verbose=0
        )
        return make_pipeline(StandardScaler(), single, net)

    return {
        "skbci, default": lambda seed: MLPClassifier(random_state=seed),
        "skbci, Adam": lambda seed: MLPClassifier(optimizer="adam", random_state=seed),
        "scikit-learn": lambda seed: make_pipeline(
            StandardScaler(), ScikitLearnMLP(random_state=seed)
        ),
        "skorch": skorch_net,
    }


def accuracies(X: np.ndarray, y: np.ndarray, n_seeds: int) -> dict[str, float]:
    """Return the mean accuracy of each network."""
    return {
        label: float(np.mean([
            cross_val_score(
                make(seed), X, y, cv=StratifiedKFold(5, shuffle=True, random_state=seed)
            )
            for seed in range(n_seeds)
        ]))
        for label, make in networks(X, y).items()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="seeds to average over (default 2)")
    parser.add_argument("--output", type=Path, help="folder for the table, defaults.csv")
    args = parser.parse_args()
    n_seeds = args.seeds
    torch.set_num_threads(1)
    rows = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name, (X, y) in sets().items():
            rows[name] = accuracies(X, np.unique(y, return_inverse=True)[1], n_seeds)
            print(name, *(f"{score:.3f}" for score in rows[name].values()), flush=True)
    table = pd.DataFrame(rows).T.round(3)
    print(table.to_string())
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        table.rename_axis("set").to_csv(args.output / "defaults.csv")
