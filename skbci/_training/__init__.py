"""The engine that trains networks, between the estimators that ask for it and torch.

An estimator's ``fit`` ends in a `PreparedFit`. Its `run` trains the net by itself; `train_stack`
trains many of one shape at once, to the same bits. The rooms below take
from here what this page names.
"""

from skbci._training.callbacks import (
    ACCURACY,
    PlateauLR,
    ValidAccuracy,
    ValidatedEarlyStopping,
    check_monitored,
    is_better_larger,
)
from skbci._training.classifier_net import ClassifierNet
from skbci._training.criteria import (
    CLASSIFICATION,
    REGRESSION,
    class_probabilities,
)
from skbci._training.evaluation import EVALUATION_LIMIT, first_output
from skbci._training.head_losses import as_heads
from skbci._training.loss_plan import HeadPlan, LossPlan, OneLoss, TaskPlan
from skbci._training.masks import masked
from skbci._training.mini_batches import Rows
from skbci._training.net import SlicingNet
from skbci._training.prepared_fit import PreparedFit, hand_over, prepare_only
from skbci._training.seeding import draw_seed, one_thread, rewinding, seeded
from skbci._training.stack.loop import train_stack
from skbci._training.stack.memory import MemoryBudget

__all__ = [
    "ACCURACY",
    "CLASSIFICATION",
    "EVALUATION_LIMIT",
    "REGRESSION",
    "ClassifierNet",
    "HeadPlan",
    "LossPlan",
    "MemoryBudget",
    "OneLoss",
    "PlateauLR",
    "PreparedFit",
    "Rows",
    "SlicingNet",
    "TaskPlan",
    "ValidAccuracy",
    "ValidatedEarlyStopping",
    "as_heads",
    "check_monitored",
    "class_probabilities",
    "draw_seed",
    "first_output",
    "hand_over",
    "is_better_larger",
    "masked",
    "one_thread",
    "prepare_only",
    "rewinding",
    "seeded",
    "train_stack",
]
