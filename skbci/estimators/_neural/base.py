"""Training and prediction that all neural estimators share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, DTypeLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback
from torch import Tensor, nn

from skbci._checks.eeg import as_eeg, check_eeg
from skbci._process.threads import on_one_thread
from skbci._training import LossPlan, SlicingNet, hand_over
from skbci._typing import Labels, Seed, Signals
from skbci._whole import Undo, WholeFits, undo_all, undo_attributes
from skbci.estimators import _setting_types as like
from skbci.estimators._neural.fitting import prepare_fit, train_on
from skbci.estimators._neural.settings import check_plateau, check_settings
from skbci.estimators._neural.silent_rows import compute_rows, find_silent
from skbci.estimators._neural.sparse import all_masks, pruning_method
from skbci.estimators._neural.standardizer import Standardizer
from skbci.estimators._neural.training_rows import (
    TrainingRows,
    repeat_rows,
    split_rows,
)
from skbci.estimators._routes import extra_names, get_params, is_route, route, set_params
from skbci.optim import resolve_optimizer
from skbci.sparsity import PruningMethod, density, prunable

# So many passes of partial_fit stay in the history.
_KEPT_PASSES = 1000


class BaseNeural(WholeFits, BaseEstimator):
    """A scikit-learn estimator around a skorch net that it builds in ``fit``.

    Children say how targets become tensors (`_encode_target`), which module is trained
    (`_module_and_settings`) and by which losses (`_loss_plan`).

    Routes such as ``optimizer__r`` or ``module__dropout`` are ordinary parameters to `get_params`,
    `set_params` and `clone`, so a grid search reaches them. As everywhere in scikit-learn, names
    and values are checked in ``fit``.
    """

    _route_prefixes: tuple[str, ...] = (
        "module", "criterion", "optimizer", "pruning", "augmentation", "callbacks",
    )
    _rng_state_: int | Tensor
    _lr_: float
    _n_fit_: int
    n_iter_: int
    _standardizer_: Standardizer | None
    _input_ndim: tuple[int, ...] = (2, 3, 4)
    _real_target = False
    _early_stopping_words: tuple[str, ...] = ()
    _reads_epochs = False
    _plan_: LossPlan
    _kept_: dict[str, Tensor] | None
    net_: SlicingNet
    augmentation: like.Augmentation = None

    # Set by the children's __init__.
    optimizer: like.Optimizer
    lr: float | None
    max_epochs: int
    batch_size: int
    standardize: bool
    sparsity: float
    pruning: like.Pruning
    early_stopping: bool | str
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    callbacks: like.Callbacks
    device: str
    verbose: int
    random_state: Seed

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags

    _is_route = is_route
    _route = route
    _extra_names = extra_names
    get_params = get_params
    set_params = set_params

    # -- what children answer -------------------------------------------------------------

    def _encode_target(
        self, y: np.ndarray, weight: np.ndarray | None, reset: bool
    ) -> np.ndarray:
        raise NotImplementedError

    def _n_outputs(self) -> int:
        raise NotImplementedError

    def _module_and_settings(self) -> tuple[like.Module, dict[str, Any]]:
        raise NotImplementedError

    def _net_settings(self) -> dict[str, Any]:
        return {}

    def _row_weights(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        return weight

    def _extra_callbacks(self) -> list[tuple[str, Callback]]:
        return []

    def _count_rows(
        self,
        rows: TrainingRows,
        target: np.ndarray,
        weight: np.ndarray | None,
        train: np.ndarray,
        valid: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        """Return the losses' row weights, and rows repeated where weights are counts instead."""
        own, train, valid = repeat_rows(self, rows, weight, train, valid)
        if own is not weight:
            own = self._row_weights(target, None)
        if self._reads_epochs and self._fits_one_batch(rows.data, train):
            # Nor shall rounding know the rows' order: a bias beneath a batch normalization has a
            # gradient of rounding errors only, of which Adam makes whole steps.
            flat = rows.data[train].reshape(len(train), -1)
            train = train[np.lexsort((*flat.T, target[train]))]
        return own, train, valid

    def _prior(self, target: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """What is predicted where there is no usable signal, from the encoded targets."""
        counts = np.bincount(target, weight, minlength=self._n_outputs())
        return counts / counts.sum()

    def _prepare(
        self, X: Signals, data: np.ndarray, reset: bool, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Bring validated rows into the shape that the module takes; compute in a precision."""
        return data

    def _loss_plan(self) -> LossPlan:
        """Return what the network is to be trained by."""
        raise NotImplementedError

    def _monitored(self, validated: bool) -> str:
        """Return the column of the history that early stopping and the learning rate go by."""
        return self._plan_.monitored(validated)

    # -- fitting --------------------------------------------------------------------------

    @on_one_thread
    def _fit(
        self, X: Signals, y: Labels, sample_weight: ArrayLike | None, groups: Labels | None
    ) -> None:
        fit = prepare_fit(self, X, y, sample_weight, groups)
        if not hand_over(fit, self):
            fit.run()
            fit.finish()

    def _finish_fit(self, rng_state: Tensor) -> None:
        """Note where the training left torch's random state, and how far it has come."""
        self._rng_state_ = rng_state
        self._summarize()

    @on_one_thread
    def _partial_fit(
        self, X: Signals, y: Labels, sample_weight: ArrayLike | None, first: bool
    ) -> None:
        train_on(self, X, y, sample_weight, first)

    def _pruning_method(self) -> PruningMethod:
        return pruning_method(self)

    def _ready_method(self) -> PruningMethod:
        """Return the method with what it has to know of the data."""
        return self._pruning_method()

    def _note_masks(self, method: PruningMethod | None) -> None:
        """Keep what else a method has found; None: there is nothing yet."""

    def _follow_compaction(self, before: nn.Module) -> None:
        """Find the masks of ``net_``, which is smaller than the network before."""
        if self._kept_ is not None:
            weights = prunable(self.net_.module_)
            self._kept_ = {name: w.detach().ne(0).cpu() for name, w in weights.items()}

    def _fits_one_batch(self, data: np.ndarray, train: np.ndarray) -> bool:
        """Whether the fit is a full-batch one of feature rows, to be done in double precision.

        Then, and only then, the result does not depend on the rows' order, and a row of weight two
        equals two rows; double precision lets rounding not spoil that, and costs little.
        """
        small = self.batch_size == -1 or len(train) <= self.batch_size
        if self._reads_epochs:
            return small and self._takes_features()
        return small and data.ndim == 2 and torch.device(self.device).type == "cpu"

    def _takes_features(self) -> bool:
        """Whether rows of features are read as epochs of one channel."""
        return len(self.input_shape_) == 1 and self.device == "cpu"

    def _split(
        self, rows: TrainingRows, target: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return rows to train on and, with early stopping, rows to validate on."""
        return split_rows(self, rows, target, seed)

    def _input_tensor(self, data: np.ndarray, dtype: DTypeLike = np.float32) -> Tensor:
        if self._standardizer_ is not None:
            data = self._standardizer_.transform(data, dtype)
        return torch.as_tensor(np.require(data, dtype, ["C", "A", "W"]))

    def _summarize(self) -> None:
        """Note how far training has come; called after it."""
        history = self.net_.history
        self.n_iter_ = history[-1, "epoch"] if history else 0
        self.__dict__.pop("_table_", None)
        self.__dict__.pop("loss_weighting_", None)
        if (policy := self._plan_.policy_of(self.net_)) is not None:
            self.loss_weighting_ = policy

    def __getstate__(self) -> dict[str, Any]:
        # The table is made anew from the net's history, by whatever pandas loads the pickle.
        return {key: value for key, value in super().__getstate__().items() if key != "_table_"}

    @property
    def history_(self) -> pd.DataFrame:
        """One row per epoch: losses and durations.

        All epochs of `fit`; of those that `partial_fit` has added, the last 1,000.
        """
        if not hasattr(self, "n_iter_"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        if "_table_" not in vars(self):  # made when asked for, not in every `partial_fit`
            self._table_ = pd.DataFrame([
                {key: value for key, value in epoch.items() if not isinstance(value, list)}
                for epoch in self.net_.history.to_list()
            ])
        return self._table_

    @property
    def masks_(self) -> dict[str, np.ndarray]:
        """By parameter name, True where a weight is kept."""
        return {name: mask.numpy().copy() for name, mask in all_masks(self).items()}

    @property
    def density_(self) -> pd.DataFrame:
        """Share of the weights that are kept, by parameter and in total."""
        return density(all_masks(self))

    def _forget_passes(self) -> None:
        """Bound the history: it grows with every `partial_fit`."""
        history = self.net_.history
        del history[self._n_fit_ : len(history) - _KEPT_PASSES]

    def _undo_training(self) -> Undo:
        training = [self.net_.undo_training()] if hasattr(self, "net_") else []
        return undo_all([undo_attributes(self), *training])

    # -- prediction -----------------------------------------------------------------------

    def _output(self, X: Signals) -> Tensor:
        return self._predicted(X, self._network_output)

    def _network_output(self, rows: Tensor) -> Tensor:
        return self.net_.predict_tensor(rows)

    @on_one_thread
    def _predicted(
        self, X: Signals, function: Callable[[Tensor], Tensor], mark: bool = True
    ) -> Tensor:
        """Validate rows, and compute a function of them as `_computed` does."""
        check_is_fitted(self, "net_")
        X = as_eeg(X)
        return self._computed(X, self._read_rows(X), function, mark)

    @on_one_thread
    def _computed(
        self, X: Signals, data: np.ndarray, function: Callable[[Tensor], Tensor], mark: bool = True
    ) -> Tensor:
        """Compute a function of valid rows, see `compute_rows`."""
        return compute_rows(self, X, data, function, mark)

    def _silent_rows(self, X: Signals, data: np.ndarray, then: str) -> np.ndarray:
        """Find the rows without usable signal, and report them."""
        return find_silent(self, X, data, then)

    def _apply(self, function: Callable[[Any, Tensor], Tensor], X: Tensor) -> Tensor:
        """Apply ``function(module, rows)``, to rows of features in double precision."""
        # Rows of features are few and small.
        return self.net_.in_pieces(X, function, double=self._takes_features())

    def _read_rows(self, X: Signals) -> np.ndarray:
        """Validate rows for a fitted network."""
        return check_eeg(self, X, reset=False, ndim=self._input_ndim, same_times=True)

    def _as_tensor(self, X: Signals, data: np.ndarray) -> Tensor:
        """Validated rows as the module takes them, in their own precision where it can be."""
        has_double = torch.device(self.device).type != "mps"
        dtype = data.dtype if has_double else np.float32
        return self._input_tensor(self._prepare(X, data, False, dtype), dtype)

    # -- parameters -----------------------------------------------------------------------

    def _check_settings(self) -> None:
        check_settings(self)
        if hasattr(self, "lr_patience"):
            check_plateau(self)
        resolve = partial(resolve_optimizer, self.optimizer, self._route("optimizer"))
        name = type(self).__name__
        self._loss_plan().check(name, self.optimizer, resolve, self.early_stopping)
