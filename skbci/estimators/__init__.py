"""Neural networks as scikit-learn estimators, built around skorch by composition."""

from skbci.estimators._mlp_classifier import MLPClassifier
from skbci.estimators._mlp_regressor import MLPRegressor
from skbci.estimators._neural_classifier import NeuralClassifier

__all__ = ["MLPClassifier", "MLPRegressor", "NeuralClassifier"]
