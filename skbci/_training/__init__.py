"""The engine that trains networks, between the estimators that ask for it and torch.

A fit comes in as a `PreparedFit`. `SlicingNet` trains it by itself; `train_stack` trains many of
one shape at once, to the same bits. The rooms below take from here what this page names.
"""

from skbci._training.callbacks import (
    ACCURACY,
    PlateauLR,
    ValidAccuracy,
    ValidatedEarlyStopping,
    check_monitored,
    is_better_larger,
)
from skbci._training.criteria import (
    CLASSIFICATION,
    REGRESSION,
    class_probabilities,
    resolve_criterion,
)
from skbci._training.head_losses import as_heads, resolve_losses
from skbci._training.multi_head_net import MultiHeadNet
from skbci._training.multitask_net import MultitaskNet, TaskLosses
from skbci._training.net import EVALUATION_LIMIT, ClassifierNet, Rows, SlicingNet, first_output
from skbci._training.prepared_fit import Member
from skbci._training.seeding import draw_seed, one_thread, seeded
from skbci._training.stack.loop import train_stack
from skbci._training.stack.memory import WaitingRoom

__all__ = [
    "ACCURACY",
    "CLASSIFICATION",
    "EVALUATION_LIMIT",
    "REGRESSION",
    "ClassifierNet",
    "Member",
    "MultiHeadNet",
    "MultitaskNet",
    "PlateauLR",
    "Rows",
    "SlicingNet",
    "TaskLosses",
    "ValidAccuracy",
    "ValidatedEarlyStopping",
    "WaitingRoom",
    "as_heads",
    "check_monitored",
    "class_probabilities",
    "draw_seed",
    "first_output",
    "is_better_larger",
    "one_thread",
    "resolve_criterion",
    "resolve_losses",
    "seeded",
    "train_stack",
]
