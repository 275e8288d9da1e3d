"""Neural networks as scikit-learn estimators, and estimators around classifiers.

`MLPClassifier`, `MLPRegressor` and `NeuralClassifier` are built around skorch by composition.
`MIN2NetClassifier` and `FBMSNetClassifier` train networks of several heads with weighed losses.
`CascadeClassifier` and `EvidenceAccumulator` let a classifier look back on the recording's last
rows; `OnlineClassifier` goes on learning at the beginning of a new session.
"""

from skbci.estimators._cascade import CascadeClassifier
from skbci.estimators._evidence import EvidenceAccumulator
from skbci.estimators._fbmsnet_classifier import FBMSNetClassifier
from skbci.estimators._min2net_classifier import MIN2NetClassifier
from skbci.estimators._mlp_classifier import MLPClassifier
from skbci.estimators._mlp_regressor import MLPRegressor
from skbci.estimators._neural_classifier import NeuralClassifier
from skbci.estimators._online import OnlineClassifier

__all__ = [
    "CascadeClassifier",
    "EvidenceAccumulator",
    "FBMSNetClassifier",
    "MIN2NetClassifier",
    "MLPClassifier",
    "MLPRegressor",
    "NeuralClassifier",
    "OnlineClassifier",
]
