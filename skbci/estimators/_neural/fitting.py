"""The steps of a fit: rows are read, a net is built and seeded, its training prepared."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skbci._training import PreparedFit, Rows, SlicingNet, draw_seed, masked, seeded
from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray
from skbci.estimators._neural.augmented_rows import add_augmented
from skbci.estimators._neural.callbacks import build_callbacks
from skbci.estimators._neural.module_arguments import build_module
from skbci.estimators._neural.sparse import find_masks, sample_rows
from skbci.estimators._neural.standardizer import Standardizer
from skbci.estimators._neural.training_rows import TrainingRows, check_rows
from skbci.optim import default_lr, resolve_optimizer


def prepare_fit(
    estimator: BaseEstimator, X: Signals, y: Labels, sample_weight: ArrayLike | None,
    groups: Labels | None,
) -> PreparedFit:
    """Validate, encode, split and seed; build the net, and choose the weights to train."""
    estimator._check_settings()
    rows = check_rows(estimator, X, y, sample_weight, groups, reset=True, least_rows=2)
    target = estimator._encode_target(rows.y, rows.weight, reset=True)
    weight = estimator._row_weights(target, rows.weight)
    seed = draw_seed(estimator.random_state, estimator)
    train, valid = estimator._split(rows, target, seed)
    estimator._standardizer_ = None
    if estimator.standardize:
        estimator._standardizer_ = Standardizer().fit(
            rows.data[train], None if weight is None else weight[train]
        )
    rows, target, weight, train = add_augmented(
        estimator, rows, target, weight, train, valid, seed
    )
    weight, train, valid = estimator._count_rows(rows, target, weight, train, valid)
    tensors = (
        _tensors(estimator, rows.data, target, weight, train),
        None if valid is None else _tensors(estimator, rows.data, target, weight, valid),
    )
    double = estimator._fits_one_batch(rows.data, train)
    with seeded(seed, estimator.device):
        _begin(estimator, rows, target, weight, train, tensors, double, seed)
        return PreparedFit(
            estimator.net_, *tensors, double, masks=estimator._kept_, done=estimator._finish_fit
        )


def train_on(
    estimator: BaseEstimator, X: Signals, y: Labels, sample_weight: ArrayLike | None, first: bool
) -> None:
    """Go on training for one pass over the rows, in the order given."""
    estimator._check_settings()
    rows = check_rows(estimator, X, y, sample_weight, None, reset=first, least_rows=1)
    target = estimator._encode_target(rows.y, rows.weight, reset=first and estimator._real_target)
    if not first and not len(target):
        return  # no row with a usable signal
    weight = estimator._row_weights(target, rows.weight)
    seed = 0
    if first:
        estimator._rng_state_ = seed = draw_seed(estimator.random_state, estimator)
        estimator._standardizer_ = (
            Standardizer().fit(rows.data, weight) if estimator.standardize else None
        )
    weight, everything, _ = estimator._count_rows(
        rows, target, weight, np.arange(len(target)), None
    )
    tensors = _tensors(estimator, rows.data, target, weight, everything)
    with seeded(estimator._rng_state_, estimator.device):
        if first:
            _begin(estimator, rows, target, weight, everything, (tensors, None), False, seed)
        if "_n_fit_" not in vars(estimator):
            estimator._n_fit_ = len(estimator.net_.history)
        lr = learning_rate(estimator)
        if lr != estimator._lr_:  # set since; a scheduler's own changes stay
            estimator.net_.set_lr(lr)
            estimator._lr_ = lr
        with masked(estimator.net_, estimator._kept_):
            estimator.net_.fit_tensors(tensors, epochs=1, shuffle=False)
        rng_state = torch.get_rng_state()
    estimator._finish_fit(rng_state)
    estimator._forget_passes()


def _begin(
    estimator: BaseEstimator,
    rows: TrainingRows,
    target: np.ndarray,
    weight: np.ndarray | None,
    train: np.ndarray,
    tensors: tuple[Rows, Rows | None],
    double: bool,
    seed: int,
) -> None:
    """Build the network, and choose the weights to train, on training rows only."""
    labels = np.zeros(len(target), dtype=int) if estimator._real_target else target

    def sample() -> Rows:
        chosen = train[sample_rows(
            rows.data[train], labels[train], estimator._standardizer_, seed
        )]
        return _tensors(estimator, rows.data, target, weight, chosen)

    def build() -> SlicingNet:
        return _build_net(estimator, rows.X, rows.data.shape[1:])

    given = slice(len(rows.given))  # without what an augmentation added
    estimator.prior_ = estimator._prior(
        target[given], None if rows.weight is None else rows.weight[given]
    )
    estimator.net_ = build()
    estimator.__dict__.pop("_n_fit_", None)
    estimator._kept_ = None
    estimator._note_masks(None)
    method = estimator._ready_method()
    if estimator.sparsity:
        def fit(net: SlicingNet) -> None:
            net.fit_tensors(*tensors, double=double)

        estimator._kept_ = find_masks(estimator.net_, method, estimator._plan_, build, fit, sample)
        estimator._note_masks(method)


def learning_rate(estimator: BaseEstimator) -> float:
    """Return the learning rate that is set, or else the optimizer's default."""
    return default_lr(estimator.optimizer) if estimator.lr is None else estimator.lr


def _build_net(estimator: BaseEstimator, X: Signals, shape: tuple[int, ...]) -> SlicingNet:
    """Build the module, its losses, optimizer and callbacks."""
    estimator._lr_ = learning_rate(estimator)
    factory, settings = resolve_optimizer(estimator.optimizer, estimator._route("optimizer"))
    source, arguments = estimator._module_and_settings()
    sfreq = X.sfreq if isinstance(X, EEGArray) else None
    module = build_module(source, arguments, shape, estimator._n_outputs(), sfreq)
    estimator._plan_ = estimator._loss_plan()
    criterion = estimator._plan_.build(module, shape, estimator._n_outputs())
    net = estimator._plan_.net_class(
        module,
        criterion=criterion,
        optimizer=factory,
        lr=estimator._lr_,
        max_epochs=estimator.max_epochs,
        batch_size=estimator.batch_size,
        callbacks=build_callbacks(estimator),
        device=estimator.device,
        verbose=estimator.verbose,
        loss_reduction=getattr(factory, "loss_reduction", "mean"),
        **estimator._net_settings(),
        **estimator._plan_.net_settings(),
        **{f"optimizer__{name}": value for name, value in settings.items()},
        **{f"callbacks__{name}": value for name, value in estimator._route("callbacks").items()},
    )
    net.accelerate = getattr(estimator, "accelerate", False)
    return net.initialize()


def _tensors(
    estimator: BaseEstimator,
    data: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None,
    rows: np.ndarray,
) -> Rows:
    everything = np.array_equal(rows, np.arange(len(data)))
    return (
        estimator._input_tensor(data if everything else data[rows]).to(estimator.device),
        torch.as_tensor(target[rows], device=estimator.device),
        None
        if weight is None
        else torch.as_tensor(weight[rows], dtype=torch.float32, device=estimator.device),
    )
