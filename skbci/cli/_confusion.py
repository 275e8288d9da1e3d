"""Confusion matrices of a comparison, counted by the fits that are scored anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.metrics import make_scorer

from skbci._typing import Label, Labels
from skbci.evaluation import Comparison

__all__ = ["confusion_scorers", "take_confusions"]


def _count(y_true: Labels, y_pred: Labels, *, label: Label, called: Label) -> float:
    return float(np.sum((np.asarray(y_true) == label) & (np.asarray(y_pred) == called)))


def _name(label: Label, called: Label) -> str:
    return f"rows of {label!r} called {called!r}"


def confusion_scorers(classes: Sequence[Label]) -> dict[str, Any]:
    """Return a metric for each pair of classes: how many test rows of one were called another."""
    return {_name(label, called): make_scorer(_count, label=label, called=called)
            for label in classes for called in classes}


def take_confusions(
    result: Comparison, classes: Sequence[Label]
) -> tuple[Comparison, dict[str, np.ndarray]]:
    """Divide a comparison from the metrics of `confusion_scorers`.

    Returns
    -------
    comparison : Comparison
        Without them.
    confusions : dict of str to ndarray, shape (n_classes, n_classes)
        Test rows of all folds, true class by predicted one, of each pipeline.
    """
    columns = [_name(label, said) for label in classes for said in classes]
    sums = result.folds.groupby("pipeline")[columns].sum()
    shape = len(classes), len(classes)
    confusions = {name: sums.loc[name].to_numpy().reshape(shape) for name in result.summary.index}
    return replace(result, summary=result.summary.drop(columns=columns),
                   folds=result.folds.drop(columns=columns)), confusions
