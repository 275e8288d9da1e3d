"""Training and prediction that all neural estimators share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_consistent_length,
    check_is_fitted,
)
from torch import Tensor, nn

from skbci._checks import (
    check_count,
    check_flag,
    check_number,
    check_seed,
    is_number,
    refusal,
    shown,
)
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_column, refuse_missing
from skbci._checks.masked import check_unmasked
from skbci._eegarray.lost_table import warn_without_table
from skbci._process.threads import on_one_thread
from skbci._training import (
    PreparedFit,
    SlicingNet,
    ValidatedEarlyStopping,
    draw_seed,
    hand_over,
    is_better_larger,
    masked,
    one_thread,
    resolve_criterion,
    seeded,
)
from skbci._usable import check_classes_left
from skbci._whole import Undo, undo_all, undo_attributes
from skbci.eegarray import EEGArray
from skbci.estimators._callbacks import check_callbacks
from skbci.estimators._module_arguments import build_module
from skbci.estimators._silent_rows import SilentRows
from skbci.estimators._sparse_training import SparseTraining
from skbci.estimators._standardizer import Standardizer
from skbci.estimators._validation_split import split_validation
from skbci.optim import resolve_optimizer

# Values of the rows that are predicted at once.
_ROWS_LIMIT = 1 << 20
# So many passes of partial_fit stay in the history.
_KEPT_PASSES = 1000


@dataclass
class TrainingRows:
    """What ``fit`` was given, validated."""

    X: Any
    data: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    groups: np.ndarray | None


class BaseNeural(SilentRows, SparseTraining):
    """A scikit-learn estimator around a skorch net that it builds in ``fit``.

    Children say how targets become tensors (`_encode_target`) and which module is trained
    (`_module_and_settings`).
    """

    _route_prefixes: tuple[str, ...] = (
        "module", "criterion", "optimizer", "pruning", "callbacks",
    )
    _criteria: Mapping[str, type[nn.Module]] = {}
    _rng_state_: int | Tensor
    _lr_: float
    _n_fit_: int
    n_iter_: int
    _standardizer_: Standardizer | None
    _input_ndim: tuple[int, ...] = (2, 3, 4)
    _real_target = False
    _early_stopping_words: tuple[str, ...] = ()
    _net_class: type[SlicingNet] = SlicingNet

    # Set by the children's __init__.
    criterion: Any
    optimizer: Any
    lr: float
    max_epochs: int
    batch_size: int
    standardize: bool
    early_stopping: bool | str
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    callbacks: Any
    device: str
    verbose: int
    random_state: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags

    # -- what children answer -------------------------------------------------------------

    def _read_target(self, y: Any, n_rows: int) -> np.ndarray:
        """Validate what is to be learned, one target a row."""
        refuse_missing(y, f"{type(self).__name__}: y", "leave these rows out")
        if getattr(getattr(y, "dtype", None), "kind", "") == "O":
            try:
                y = np.asarray(y, dtype=np.float64)
            except (TypeError, ValueError):
                raise ValueError(refusal(y, "y", self, "must be numbers")) from None
        return _check_y(y, multi_output=True, estimator=self)

    def _encode_target(
        self, y: np.ndarray, weight: np.ndarray | None, reset: bool
    ) -> np.ndarray:
        raise NotImplementedError

    def _n_outputs(self) -> int:
        raise NotImplementedError

    def _module_and_settings(self) -> tuple[Any, dict[str, Any]]:
        raise NotImplementedError

    def _net_settings(self) -> dict[str, Any]:
        return {}

    def _row_weights(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        return weight

    def _extra_callbacks(self) -> list[Any]:
        return []

    def _count_rows(
        self,
        rows: TrainingRows,
        target: np.ndarray,
        weight: np.ndarray | None,
        train: np.ndarray,
        valid: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        """Give the losses' row weights, and rows repeated where weights are counts instead."""
        return weight, train, valid

    def _prior(self, target: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """What is predicted where there is no usable signal, from the encoded targets."""
        counts = np.bincount(target, weight, minlength=self._n_outputs())
        return counts / counts.sum()

    def _prepare(
        self, X: Any, data: np.ndarray, reset: bool, dtype: Any = np.float32
    ) -> np.ndarray:
        """Bring validated rows into the shape that the module takes; compute in a precision."""
        return data

    def _build_criterion(self, module: nn.Module, shape: tuple[int, ...]) -> nn.Module:
        return resolve_criterion(self.criterion, self._criteria, self._route("criterion"))

    def _monitored(self, validated: bool) -> str:
        """Name the column of the history that early stopping and the learning rate go by."""
        return "valid_loss" if validated else "train_loss"

    # -- fitting --------------------------------------------------------------------------

    @on_one_thread
    def _fit(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        fit = self._prepare_fit(X, y, sample_weight, groups)
        if not hand_over(fit, self):
            fit.run()
            fit.finish()

    def _prepare_fit(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> PreparedFit:
        """Validate, encode, split and seed; build the net, and choose the weights to train."""
        self._check_settings()
        rows = self._check_rows(X, y, sample_weight, groups, reset=True, least_rows=2)
        target = self._encode_target(rows.y, rows.weight, reset=True)
        weight = self._row_weights(target, rows.weight)
        seed = draw_seed(self.random_state, self)
        train, valid = self._split(rows, target, seed)
        self._standardizer_ = None
        if self.standardize:
            self._standardizer_ = Standardizer().fit(
                rows.data[train], None if weight is None else weight[train]
            )
        weight, train, valid = self._count_rows(rows, target, weight, train, valid)
        tensors = (
            self._tensors(rows.data, target, weight, train),
            None if valid is None else self._tensors(rows.data, target, weight, valid),
        )
        double = self._fits_one_batch(rows.data, train)
        with seeded(seed, self.device):
            self._begin(rows, target, weight, train, tensors, double, seed)
            return PreparedFit(
                self.net_, *tensors, double, masks=self._kept_, done=self._finish_fit
            )

    def _finish_fit(self, rng_state: Tensor) -> None:
        """Note where the training left torch's random state, and how far it has come."""
        self._rng_state_ = rng_state
        self._summarize()

    @on_one_thread
    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, first: bool) -> None:
        self._check_settings()
        rows = self._check_rows(X, y, sample_weight, None, reset=first, least_rows=1)
        target = self._encode_target(rows.y, rows.weight, reset=first and self._real_target)
        if not first and not len(target):
            return  # no row with a usable signal
        weight = self._row_weights(target, rows.weight)
        seed = 0
        if first:
            self._rng_state_ = seed = draw_seed(self.random_state, self)
            self._standardizer_ = (
                Standardizer().fit(rows.data, weight) if self.standardize else None
            )
        weight, everything, _ = self._count_rows(
            rows, target, weight, np.arange(len(target)), None
        )
        tensors = self._tensors(rows.data, target, weight, everything)
        with seeded(self._rng_state_, self.device):
            if first:
                self._begin(rows, target, weight, everything, (tensors, None), False, seed)
            if "_n_fit_" not in vars(self):
                self._n_fit_ = len(self.net_.history)
            if self.lr != self._lr_:  # set since; a scheduler's own changes stay
                self.net_.set_lr(self.lr)
                self._lr_ = self.lr
            with masked(self.net_, self._kept_):
                self.net_.fit_tensors(tensors, epochs=1, shuffle=False)
            rng_state = torch.get_rng_state()
        self._finish_fit(rng_state)
        self._forget_passes()

    def _begin(
        self,
        rows: TrainingRows,
        target: np.ndarray,
        weight: np.ndarray | None,
        train: np.ndarray,
        tensors: tuple[Any, Any],
        double: bool,
        seed: int,
    ) -> None:
        """Build the network, and choose the weights to train, on training rows only."""
        labels = np.zeros(len(target), dtype=int) if self._real_target else target

        def sample() -> Any:
            chosen = train[self._sample_rows(rows.data[train], labels[train], seed)]
            return self._tensors(rows.data, target, weight, chosen)

        def build() -> SlicingNet:
            return self._build_net(rows.X, rows.data.shape[1:])

        self.prior_ = self._prior(target, rows.weight)
        self.net_ = build()
        self.__dict__.pop("_n_fit_", None)
        self._find_masks(build, lambda net: net.fit_tensors(*tensors, double=double), sample)

    def _fits_one_batch(self, data: np.ndarray, train: np.ndarray) -> bool:
        """Whether the fit is a full-batch one of feature rows, to be done in double precision.

        Then, and only then, the result does not depend on the rows' order, and a row of weight two
        equals two rows; double precision lets rounding not spoil that, and costs little.
        """
        small = self.batch_size == -1 or len(train) <= self.batch_size
        return small and data.ndim == 2 and torch.device(self.device).type == "cpu"

    def _check_rows(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, reset: bool, least_rows: int
    ) -> TrainingRows:
        """Validate rows, and leave out those of weight zero."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        X = as_eeg(X)
        data = check_eeg(
            self, X, reset=reset, ndim=self._input_ndim, same_times=True,
            ensure_min_samples=least_rows,
        )
        y = self._read_target(y, len(data))
        check_consistent_length(data, y)
        groups = None if groups is None else check_column(groups, len(data), "groups")
        learn = reset or not hasattr(self, "_typical_")
        good = ~self._silent_rows(X, data, "Such rows are set aside.", learn=learn)
        if reset and not good.all():
            self._check_left(y, good)
        if sample_weight is None:
            weight = None
        else:
            weight = _check_sample_weight(
                check_unmasked(sample_weight, "sample_weight"), data, dtype=np.float64,
                ensure_non_negative=True,
            )
            if not (weight > 0).any():
                raise ValueError("sample_weight is zero for every row: nothing is left to fit.")
            good &= weight > 0
        if good.all():
            return TrainingRows(X, self._prepare(X, data, reset), y, weight, groups)
        kept = np.flatnonzero(good)
        X = X[kept] if isinstance(X, EEGArray) else X
        return TrainingRows(
            X, self._prepare(X, data[kept], reset), y[kept],
            None if weight is None else weight[kept], None if groups is None else groups[kept],
        )

    def _check_left(self, y: np.ndarray, good: np.ndarray) -> None:
        if not self._real_target:
            check_classes_left(y, good, type(self).__name__)
        elif good.sum() < 2:
            raise ValueError(
                f"{type(self).__name__}: {int(good.sum())} of {len(good)} rows have a usable "
                "signal in all channels; at least two are needed."
            )

    def _split(
        self, rows: TrainingRows, target: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows to train on and, with early stopping, rows to validate on."""
        if not self.early_stopping:
            return np.arange(len(target)), None
        if rows.groups is None:
            warn_without_table(
                self, rows.X, "Early stopping holds out the last rows, not whole subjects"
            )
        return split_validation(
            rows.X, len(target), None if self._real_target else target, rows.groups,
            self.validation_fraction, check_random_state(seed),
        )

    def _tensors(
        self, data: np.ndarray, target: np.ndarray, weight: np.ndarray | None, rows: np.ndarray
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        everything = np.array_equal(rows, np.arange(len(data)))
        return (
            self._input_tensor(data if everything else data[rows]).to(self.device),
            torch.as_tensor(target[rows], device=self.device),
            None
            if weight is None
            else torch.as_tensor(weight[rows], dtype=torch.float32, device=self.device),
        )

    def _input_tensor(self, data: np.ndarray, dtype: Any = np.float32) -> Tensor:
        if self._standardizer_ is not None:
            data = self._standardizer_.transform(data, dtype)
        return torch.as_tensor(np.require(data, dtype, ["C", "A", "W"]))

    def _build_net(self, X: Any, shape: tuple[int, ...]) -> SlicingNet:
        self._lr_ = self.lr
        factory, settings = resolve_optimizer(self.optimizer, self._route("optimizer"))
        source, arguments = self._module_and_settings()
        sfreq = X.sfreq if isinstance(X, EEGArray) else None
        module = build_module(source, arguments, shape, self._n_outputs(), sfreq)
        net = self._net_class(
            module,
            criterion=self._build_criterion(module, shape),
            optimizer=factory,
            lr=self.lr,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            callbacks=self._callbacks(),
            device=self.device,
            verbose=self.verbose,
            loss_reduction=getattr(factory, "loss_reduction", "mean"),
            **self._net_settings(),
            **{f"optimizer__{name}": value for name, value in settings.items()},
            **{f"callbacks__{name}": value for name, value in self._route("callbacks").items()},
        )
        return net.initialize()

    def _callbacks(self) -> list[Any]:
        callbacks = [copy.deepcopy(callback) for callback in self.callbacks or ()]
        callbacks += self._extra_callbacks()
        if self.early_stopping:
            monitored = self._monitored(True)
            stopping = ValidatedEarlyStopping(
                monitor=monitored, lower_is_better=not is_better_larger(monitored),
                patience=self.n_iter_no_change, threshold=self.tol,
                threshold_mode="abs", load_best=True, sink=print if self.verbose else _silent,
            )
            callbacks.append(("early_stopping", stopping))
        named = [c[0] if isinstance(c, tuple) else type(c).__name__ for c in callbacks]
        known = [*named, "epoch_timer", "print_log"]
        unknown = [name for name in self._route("callbacks") if name.split("__")[0] not in known]
        if unknown:
            raise ValueError(
                f"callbacks__{unknown[0]} belongs to no callback; the callbacks are "
                f"{', '.join(known)}."
            )
        return callbacks

    def _summarize(self) -> None:
        """Note how far training has come; called after it."""
        history = self.net_.history
        self.n_iter_ = history[-1, "epoch"] if history else 0
        self.__dict__.pop("_table_", None)

    @property
    def history_(self) -> pd.DataFrame:
        """A row an epoch: losses and durations.

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

    def _forget_passes(self) -> None:
        """Bound the history: it grows with every `partial_fit`."""
        history = self.net_.history
        del history[self._n_fit_ : len(history) - _KEPT_PASSES]

    def _undo_training(self) -> Undo:
        training = [self.net_.undo_training()] if hasattr(self, "net_") else []
        return undo_all([undo_attributes(self), *training])

    # -- prediction -----------------------------------------------------------------------

    def _output(self, X: Any) -> Tensor:
        return self._predicted(X, self._network_output)

    def _network_output(self, rows: Tensor) -> Tensor:
        return self.net_.predict_tensor(rows)

    @on_one_thread
    def _predicted(
        self, X: Any, function: Callable[[Tensor], Tensor], mark: bool = True
    ) -> Tensor:
        """Validate rows, and compute a function of them as `_computed` does."""
        check_is_fitted(self, "net_")
        X = as_eeg(X)
        return self._computed(X, self._read_rows(X), function, mark)

    @on_one_thread
    def _computed(
        self, X: Any, data: np.ndarray, function: Callable[[Tensor], Tensor], mark: bool = True
    ) -> Tensor:
        """Compute a function of valid rows as the module takes them, in the precision of X.

        With ``mark``, it is NaN for rows that nothing can be said about; without, for those of the
        mean input.

        Few rows at a time: overlapping windows, which are a view, are never copied all at once.
        """
        silent = self._silent_rows(X, data, "The prior is predicted there.")
        n_rows = max(1, _ROWS_LIMIT // max(1, data[0].size))
        with one_thread():
            parts = [
                function(self._quiet_tensor(X, data[a : a + n_rows], silent[a : a + n_rows]))
                for a in range(0, len(data), n_rows)
            ]
        output = parts[0] if len(parts) == 1 else torch.cat(parts)
        if mark and (silent.any() or not torch.isfinite(output).all()):
            return self._marked(output, silent)
        return output

    def _quiet_tensor(self, X: Any, data: np.ndarray, silent: np.ndarray) -> Tensor:
        """Validated rows as tensors, with nothing in those that are without signal."""
        if not silent.any():
            return self._as_tensor(X, data)
        rows = self._as_tensor(X, np.where(silent.reshape(-1, *[1] * (data.ndim - 1)), 0, data))
        rows[torch.as_tensor(silent)] = 0.0
        return rows

    def _read_rows(self, X: Any) -> np.ndarray:
        """Validate rows for a fitted network."""
        return check_eeg(self, X, reset=False, ndim=self._input_ndim, same_times=True)

    def _as_tensor(self, X: Any, data: np.ndarray) -> Tensor:
        """Validated rows as the module takes them, in their own precision where it can be."""
        has_double = torch.device(self.device).type != "mps"
        dtype = data.dtype if has_double else np.float32
        return self._input_tensor(self._prepare(X, data, False, dtype), dtype)

    # -- settings -------------------------------------------------------------------------

    def _check_settings(self) -> None:
        self._check_routes()
        self._pruning_method()
        name = type(self).__name__
        check_count(self.max_epochs, "max_epochs", self)
        if check_count(self.batch_size, "batch_size", self, low=-1, also="-1 (all rows)") == 0:
            check_count(self.batch_size, "batch_size", self, also="-1 (all rows)")
        check_number(self.lr, "lr", self, low=0, high=1e30)  # single precision holds no more
        words = self._early_stopping_words
        if not (isinstance(self.early_stopping, str) and self.early_stopping in words):
            also = " or ".join(map(repr, words))
            check_flag(self.early_stopping, "early_stopping", self, also=also)
        check_callbacks(
            self.callbacks, self._route("callbacks"), bool(self.early_stopping), self
        )
        check_number(
            self.validation_fraction, "validation_fraction", self, low=0, high=1, closed="neither"
        )
        check_count(self.n_iter_no_change, "n_iter_no_change", self)
        check_number(self.tol, "tol", self, low=0)
        check_flag(self.standardize, "standardize", self)
        monitor = getattr(self, "monitor", None)
        if monitor is not None and not isinstance(monitor, str):
            because = "must name a column of history_, or be None"
            raise TypeError(refusal(monitor, "monitor", self, because))
        if not is_number(self.verbose):
            check_flag(self.verbose, "verbose", self, also="a number")
        check_seed(self.random_state, "random_state", self)
        try:
            torch.device(self.device)
        except (RuntimeError, TypeError, ValueError):
            raise ValueError(
                f"{name}: device={shown(self.device)} is no torch device; use for example 'cpu' "
                "or 'cuda'."
            ) from None
        if torch.device(self.device).type == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"{name}: device={self.device!r}, but torch finds no CUDA device.")


def _silent(*_: Any) -> None:
    """Print nothing."""
