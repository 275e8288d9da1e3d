"""Checks of the parameters that the neural estimators share."""

from __future__ import annotations

import torch
from sklearn.base import BaseEstimator

from skbci._checks import (
    check_count,
    check_flag,
    check_number,
    check_seed,
    is_number,
    refusal,
    shown,
)
from skbci.estimators._neural.augmented_rows import check_augmentation
from skbci.estimators._neural.callbacks import check_callbacks
from skbci.estimators._routes import check_routes


def check_settings(estimator: BaseEstimator) -> None:
    """Check the parameters that the neural estimators share.

    Raises
    ------
    TypeError, ValueError
    """
    check_routes(estimator)
    check_augmentation(estimator)
    estimator._pruning_method()
    name = type(estimator).__name__
    check_count(estimator.max_epochs, "max_epochs", estimator)
    also = "-1 (all rows)"
    if check_count(estimator.batch_size, "batch_size", estimator, low=-1, also=also) == 0:
        check_count(estimator.batch_size, "batch_size", estimator, also=also)
    if estimator.lr is not None:  # single precision holds no more than the upper bound
        check_number(estimator.lr, "lr", estimator, low=0, high=1e30, also="None")
    words = estimator._early_stopping_words
    if not (isinstance(estimator.early_stopping, str) and estimator.early_stopping in words):
        also = " or ".join(map(repr, words))
        check_flag(estimator.early_stopping, "early_stopping", estimator, also=also)
    validated, routes = bool(estimator.early_stopping), estimator._route("callbacks")
    check_callbacks(estimator.callbacks, routes, validated, estimator)
    fraction = estimator.validation_fraction
    check_number(fraction, "validation_fraction", estimator, low=0, high=1, closed="neither")
    check_count(estimator.n_iter_no_change, "n_iter_no_change", estimator)
    check_number(estimator.tol, "tol", estimator, low=0)
    check_flag(estimator.standardize, "standardize", estimator)
    check_flag(getattr(estimator, "accelerate", False), "accelerate", estimator)
    monitor = getattr(estimator, "monitor", None)
    if monitor is not None and not isinstance(monitor, str):
        because = "must name a column of history_, or be None"
        raise TypeError(refusal(monitor, "monitor", estimator, because))
    if not is_number(estimator.verbose):
        check_flag(estimator.verbose, "verbose", estimator, also="a number")
    check_seed(estimator.random_state, "random_state", estimator)
    try:
        torch.device(estimator.device)
    except (RuntimeError, TypeError, ValueError):
        raise ValueError(
            f"{name}: device={shown(estimator.device)} is not a torch device; use for example "
            "'cpu' or 'cuda'."
        ) from None
    if torch.device(estimator.device).type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"{name}: device={estimator.device!r}, but torch finds no CUDA device.")


def check_plateau(estimator: BaseEstimator) -> None:
    """Check the parameters of the falling learning rate."""
    if estimator.lr_patience is not None:
        check_count(estimator.lr_patience, "lr_patience", estimator, also="None")
    check_number(estimator.lr_factor, "lr_factor", estimator, low=0, high=1, closed="neither")
    check_number(estimator.min_lr, "min_lr", estimator, low=0)
    center_lr = getattr(estimator, "center_lr", None)
    if center_lr is not None:
        check_number(center_lr, "center_lr", estimator, low=0, also="None")
