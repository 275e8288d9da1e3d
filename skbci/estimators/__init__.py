"""Neural networks as scikit-learn estimators, and estimators around classifiers.

`MLPClassifier`, `MLPRegressor` and `NeuralClassifier` are built around skorch by composition.
`MIN2NetClassifier` and `FBMSNetClassifier` train networks of several heads with weighed losses,
`SparseMultitaskClassifier` one network for several tasks; `compact_estimator` makes a sparse
network smaller, and `TaskScorer` scores one task.
`AugmentedClassifier` fits any classifier on further rows made from those given.
`CrossValEnsemble` keeps the classifiers of an inner cross-validation and averages them.
`AdaptiveBatchNorm` normalizes inside a network by each subject's own rows.
`CascadeClassifier` and `EvidenceAccumulator` let a classifier look back on the recording's last
rows; `OnlineClassifier` goes on learning at the beginning of a new session; `DecoderPipeline` is
a pipeline that sets rows without usable signal aside.
"""

from typing import TYPE_CHECKING

from skbci._lazy import lazy_front_door

if TYPE_CHECKING:
    # With "as": for the rooms below, not public.
    from skbci.estimators._compact_estimator import compact_estimator
    from skbci.estimators._decoder_pipeline import DecoderPipeline
    from skbci.estimators._fbmsnet_classifier import FBMSNetClassifier
    from skbci.estimators._meta.adaptive_batch_norm import AdaptiveBatchNorm
    from skbci.estimators._meta.augmented import AugmentedClassifier
    from skbci.estimators._meta.cascade import CascadeClassifier
    from skbci.estimators._meta.cross_val_ensemble import CrossValEnsemble
    from skbci.estimators._meta.evidence import LEAST_PROBABILITY as LEAST_PROBABILITY
    from skbci.estimators._meta.evidence import EvidenceAccumulator
    from skbci.estimators._meta.markov import transitions as transitions
    from skbci.estimators._meta.online import OnlineClassifier
    from skbci.estimators._meta.silence import says_nothing as says_nothing
    from skbci.estimators._min2net_classifier import MIN2NetClassifier
    from skbci.estimators._mlp_classifier import MLPClassifier
    from skbci.estimators._mlp_regressor import MLPRegressor
    from skbci.estimators._multi_view.classifier import MultiViewClassifier
    from skbci.estimators._neural.base import BaseNeural as BaseNeural
    from skbci.estimators._neural.classifier import BaseNeuralClassifier as BaseNeuralClassifier
    from skbci.estimators._neural_classifier import NeuralClassifier
    from skbci.estimators._sparse_multitask_classifier import SparseMultitaskClassifier
    from skbci.estimators._task_scorer import TaskScorer
else:
    __getattr__, __dir__ = lazy_front_door(
        __name__,
        {
            "compact_estimator": "_compact_estimator",
            "DecoderPipeline": "_decoder_pipeline",
            "FBMSNetClassifier": "_fbmsnet_classifier",
            "AdaptiveBatchNorm": "_meta.adaptive_batch_norm",
            "AugmentedClassifier": "_meta.augmented",
            "CascadeClassifier": "_meta.cascade",
            "CrossValEnsemble": "_meta.cross_val_ensemble",
            "LEAST_PROBABILITY": "_meta.evidence",
            "EvidenceAccumulator": "_meta.evidence",
            "transitions": "_meta.markov",
            "OnlineClassifier": "_meta.online",
            "says_nothing": "_meta.silence",
            "MIN2NetClassifier": "_min2net_classifier",
            "MLPClassifier": "_mlp_classifier",
            "MLPRegressor": "_mlp_regressor",
            "MultiViewClassifier": "_multi_view.classifier",
            "BaseNeural": "_neural.base",
            "BaseNeuralClassifier": "_neural.classifier",
            "NeuralClassifier": "_neural_classifier",
            "SparseMultitaskClassifier": "_sparse_multitask_classifier",
            "TaskScorer": "_task_scorer",
        },
    )

__all__ = [
    "AdaptiveBatchNorm",
    "AugmentedClassifier",
    "CascadeClassifier",
    "CrossValEnsemble",
    "DecoderPipeline",
    "EvidenceAccumulator",
    "FBMSNetClassifier",
    "MIN2NetClassifier",
    "MLPClassifier",
    "MLPRegressor",
    "MultiViewClassifier",
    "NeuralClassifier",
    "OnlineClassifier",
    "SparseMultitaskClassifier",
    "TaskScorer",
    "compact_estimator",
]
