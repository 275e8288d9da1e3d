"""Classifiers as a few lines of numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, log_expit
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from torch import nn

from skbci.estimators import BaseNeural, BaseNeuralClassifier
from skbci.nets import MLP
from skbci.stream._stages.base import ClassifierStage, Stage

__all__ = ["Vote", "compiled_classifier"]


class Linear(ClassifierStage):
    """Linear discriminant analysis or logistic regression."""

    how = "compiled"

    def refresh(self) -> None:
        self._matrix, self._offset = self.step.coef_.T, self.step.intercept_

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        scores = (row @ self._matrix + self._offset)[0]
        if len(scores) > 1:
            return _softmax(scores)
        second = float(expit(scores[0]))
        return np.array([1 - second, second])


class Perceptron(ClassifierStage):
    """The fully connected network of `MLPClassifier`, in double precision as there."""

    how = "compiled"

    def __getstate__(self) -> dict[str, Any]:
        # The functions are made anew.
        return {"name": self.name, "step": self.step}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.refresh()

    def refresh(self) -> None:
        self._scaling = self.step._standardizer_
        self._sigmoids = self.step._class_loss() == "binary-cross-entropy"
        self._layers: list[Callable[[np.ndarray], np.ndarray]] = []
        for layer in self.step.net_.module_:
            if isinstance(layer, nn.Linear):
                weight = layer.weight.detach().numpy().astype(np.float64)
                bias = layer.bias.detach().numpy().astype(np.float64)
                self._layers.append(partial(_affine, weight.T.copy(), bias))
            elif type(layer) in _ACTIVATIONS:
                self._layers.append(_ACTIVATIONS[type(layer)])

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        if self._is_silent(row):
            return self.step.prior_.copy()
        logits = self._logits(row)
        return _softmax(log_expit(logits) if self._sigmoids else logits)

    def label(self, row: np.ndarray, onset: float) -> int:
        if self._is_silent(row):
            return int(self.step.prior_.argmax())
        return int(self._logits(row).argmax())

    def _is_silent(self, row: np.ndarray) -> bool:
        then = "The prior is predicted there."
        return bool(self.step._silent_rows(row, row, then)[0])

    def _logits(self, row: np.ndarray) -> np.ndarray:
        if self._scaling is not None:
            row = self._scaling.transform(row, np.float64)
        values = row.reshape(-1).astype(np.float64)
        for layer in self._layers:
            values = layer(values)
        return values


class Network(ClassifierStage):
    """Any other torch module, by its estimator's own code behind the check of the input."""

    how = "compiled"

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        output = self.step._computed(row, row, self.step._network_output)
        return self.step._probabilities(output)[0]


class Vote(ClassifierStage):
    """Weighted mean of several classifiers' probabilities."""

    how = "compiled"

    def __init__(self, name: str, step: BaseEstimator, members: list[ClassifierStage]) -> None:
        self.members = members
        super().__init__(name, step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        probabilities = [member(row, onset) for member in self.members]
        return np.average(np.asarray(probabilities), axis=0, weights=self.step._weights_not_none)

    @property
    def parts(self) -> Sequence[Stage]:
        return self.members


def compiled_classifier(name: str, step: BaseEstimator) -> ClassifierStage | None:
    """Return a stage that equals the classifier on single rows, or None where there is none."""
    kind = type(step)
    # Where there is a choice between one-against-rest and softmax, the classifier makes it.
    if kind is LinearDiscriminantAnalysis or (
        kind is LogisticRegression and not hasattr(step, "multi_class")
    ):
        return Linear(name, step)
    if not isinstance(step, BaseNeuralClassifier) or (
        kind.predict_proba is not BaseNeuralClassifier.predict_proba
    ):
        return None
    plain = type(step.net_.module_) is MLP and kind._prepare is BaseNeural._prepare
    on_cpu = next(step.net_.module_.parameters()).device.type == "cpu"
    return Perceptron(name, step) if plain and on_cpu else Network(name, step)


def _affine(matrix: np.ndarray, bias: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values @ matrix + bias


def _relu(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0)


def _elu(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.expm1(np.minimum(values, 0)))


_ACTIVATIONS: dict[type[nn.Module], Callable[[np.ndarray], np.ndarray]] = {
    nn.ReLU: _relu,
    nn.Tanh: np.tanh,
    nn.Sigmoid: expit,
    nn.ELU: _elu,
}


def _softmax(scores: np.ndarray) -> np.ndarray:
    likely = np.exp(scores - scores.max())
    return likely / likely.sum()
