"""The skorch net inside every neural estimator."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, ParamMapper, PrintLog
from skorch.dataset import Dataset
from torch import Tensor, nn

from skbci._training.dense_engine import DenseEngine, fits_dense_engine
from skbci._training.double_copy import DoubleCopy
from skbci._training.optimizer_step import bare_step
from skbci._training.stop_wish import is_stop_wish
from skbci.nets import MLP
from skbci.optim import NonFiniteLossError
from skbci.weighting import NonFiniteError

# Whole epochs are shuffled at once up to this many values (256 MB of float32).
_GATHER_LIMIT = 1 << 26
EVALUATION_LIMIT = 1 << 22
# On so many training rows, at least, the outputs of what is kept are known to be finite.
_CHECKED_ROWS = 1024
# Up to this many values an MLP predicts in double precision even in single, see `_in_double`.
EXACT_LIMIT = 1 << 16

# X, y and, where there are any, weights.
Rows = tuple[Tensor, Tensor, Tensor | None]


class SlicingNet(NeuralNet):
    """A skorch net that trains on tensors by slicing them.

    A ``DataLoader`` and the bookkeeping of every batch take most of the time with small networks.
    Here an epoch is one shuffle and views of it; the loss stays on the device until the epoch is
    over. Callbacks get their batch events if any of them listens to batches.
    """

    engine_: DenseEngine | None

    def __init__(self, *args: Any, loss_reduction: str = "mean", **kwargs: Any) -> None:
        self.loss_reduction = loss_reduction
        super().__init__(*args, train_split=None, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the engine: it is made of parts that skorch saves on their own."""
        state = super().__getstate__()
        state.pop("_double", None)
        if state.get("engine_") is not None:
            state["engine_"] = None
            state["engine_saved_"] = True
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the engine on the restored module and the optimizer's flat vector."""
        saved = state.pop("engine_saved_", False)
        super().__setstate__(state)
        if saved:
            (flat,) = self.optimizer_.param_groups[0]["params"]
            self.engine_ = DenseEngine(self.module_, self.criterion_, flat)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        default: list[tuple[str, Callback]] = [("epoch_timer", EpochTimer())]
        if self.verbose:
            default.append(("print_log", PrintLog()))
        return default

    def fit_tensors(
        self,
        train: Rows,
        valid: Rows | None = None,
        epochs: int | None = None,
        shuffle: bool = True,
        double: bool = False,
    ) -> SlicingNet:
        """Train on (X, y, weights), with validation after each epoch where there is any.

        A loss that is not finite restores weights that are known to be good, warns and stops;
        so do weights with which single precision, in which they are kept, has no finite outputs.
        """
        precision = torch.float64 if double else torch.float32
        self._cast(precision)
        if self.engine_ is not None:
            self.engine_.start()
        train = _cast_floats(train, precision)
        valid = None if valid is None else _cast_floats(valid, precision)
        data = {
            "dataset_train": Dataset(*train[:2]),
            "dataset_valid": None if valid is None else Dataset(*valid[:2]),
        }
        self.plan_steps(len(self._starts(len(train[0]))))
        self.notify("on_train_begin", X=train[0], y=train[1])
        per_batch = any(_listens_to_batches(cb) for _, cb in self.callbacks_)
        start = good = now = self._copy_state()
        warned = False
        for _ in range(self.max_epochs if epochs is None else epochs):
            self.notify("on_epoch_begin", **data)
            self._bind_engine()  # callbacks may have set weights
            good, now = now, self._copy_state()
            self._average(False)
            loss = self._train_epoch(*train, shuffle=shuffle, notify=per_batch)
            self._average(True)
            if not per_batch:
                self.history.new_batch()  # some callbacks, such as Checkpoint, look for one
                self.history.record_batch("train_loss", loss)
            self.history.record("train_loss", loss)
            finite = math.isfinite(loss)
            if finite and valid is not None:
                self.history.record("valid_loss", self._evaluate(*valid, notify=per_batch))
            if not (finite and self._accept_epoch()):
                self._restore(good)
                warnings.warn(self.divergence(self._diverged()), ConvergenceWarning, stacklevel=6)
                warned = True
                break
            try:
                self.notify("on_epoch_end", **data)
            except KeyboardInterrupt as error:  # how skorch's callbacks stop training
                if not is_stop_wish(error):
                    raise
                break
        self.notify("on_train_end", X=train[0], y=train[1])
        self._cast(torch.float32)
        earlier = [partial(self._restore, state) for state in (now, good, start)]
        if not (self.settle(train[0], earlier) or warned):
            warnings.warn(self.divergence("an output"), ConvergenceWarning, stacklevel=6)
        return self

    def settle(self, X: Tensor, earlier: Sequence[Callable[[], None]]) -> bool:
        """Keep the last weights with finite outputs on training rows; whether those are today's.

        Parameters
        ----------
        X : Tensor
            The training rows.
        earlier : sequence of callable
            Restore earlier weights, the last first.
        """
        if self._is_finite(X):
            return True
        for restore in earlier:
            restore()
            if self._is_finite(X):
                break
        return False

    def _is_finite(self, X: Tensor) -> bool:
        values = [v for v in self.module_.state_dict().values() if v.is_floating_point()]
        if not all(bool(value.isfinite().all()) for value in values):
            return False

        def usable(module: nn.Module, part: Tensor) -> Tensor:
            outputs = module(part)
            heads = outputs if isinstance(outputs, (tuple, list)) else [outputs]
            bad = [h.isnan().any() | h.isposinf().any() for h in heads if isinstance(h, Tensor)]
            return ~torch.stack(bad).any()[None]

        some = X[:: max(1, len(X) // _CHECKED_ROWS)].to(torch.float32)
        return bool(self.in_pieces(some, usable).all())

    def divergence(self, what: str) -> str:
        """Say in which epoch what was not finite, and what to do."""
        return (
            f"Training diverged in epoch {self.history[-1, 'epoch']}: {what} is not finite. The "
            "last weights with a finite loss are kept; try a smaller lr."
        )

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Number the epochs on, however many of the history have been dropped."""
        number = self.history[-1, "epoch"] + 1 if self.history else 1
        self.history.new_epoch()
        self.history.record("epoch", number)

    def undo_training(self) -> Callable[[], None]:
        """Return what takes back the training that follows."""
        weights, length = self._copy_state(), len(self.history)
        optimizer = self.optimizer_
        params = [param for group in optimizer.param_groups for param in group["params"]]
        # Its numbers, not what it works on.
        parts = *self.module_.modules(), *self.module_.parameters(), *self.criterion_.modules()
        same = {id(part): part for part in (*parts, *params, optimizer)}
        settings = copy.deepcopy(vars(optimizer), same)
        callbacks = [(callback, dict(vars(callback))) for _, callback in self.callbacks_]

        def undo() -> None:
            self._bind_engine()
            self._restore(weights)
            optimizer.__dict__.update(settings)
            for callback, before in callbacks:
                vars(callback).clear()
                vars(callback).update(before)
            del self.history[length:]

        return undo

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> SlicingNet:
        """Build the optimizer, on one flat vector where a hand-written gradient applies."""
        self.engine_ = None
        maps = any(isinstance(callback, ParamMapper) for _, callback in self.callbacks_)
        inside = {k: v for k, v in self.get_params_for("optimizer").items() if k == "inner"}
        if not maps and fits_dense_engine(
            self.module_, self.criterion_, self.optimizer, **inside
        ):
            self.engine_ = DenseEngine(self.module_, self.criterion_)
        return super().initialize_optimizer(*args, **kwargs)

    def get_all_learnable_params(self) -> Any:
        """Yield what the optimizer works on."""
        if self.engine_ is not None:
            yield "flat", self.engine_.flat
        else:
            yield from super().get_all_learnable_params()

    def get_params_for_optimizer(self, *args: Any, **kwargs: Any) -> tuple[tuple, dict[str, Any]]:
        """Give the optimizer's arguments, with the module where it asks for it."""
        given, settings = super().get_params_for_optimizer(*args, **kwargs)
        if getattr(self.optimizer, "needs_module", False):
            settings["module"] = self.module_
        return given, settings

    def predict_tensor(self, X: Tensor) -> Tensor:
        """Give the first output, without gradients, in the rows' precision."""
        module = self.module_
        module.eval()
        exact = X.dtype == torch.float64 or X.numel() <= EXACT_LIMIT
        if type(module) is MLP and exact and X.device.type == "cpu":
            with torch.inference_mode():
                return _in_double(module, X)
        return self.in_pieces(X, lambda module, part: first_output(module(part)))

    def in_pieces(
        self, X: Tensor, apply: Callable[[nn.Module, Tensor], Tensor], double: bool = False
    ) -> Tensor:
        """Give ``apply(module, rows)`` without gradients, in pieces that bound the memory.

        Rows in double precision, and with ``double`` all, are computed in double precision. A
        module that insists on single precision gets that. The output has the rows' precision.
        """
        module = self.module_
        module.eval()
        pieces = X.split(max(1, EVALUATION_LIMIT // max(1, X[0].numel())))

        def run(module: nn.Module, precision: torch.dtype) -> list[Tensor]:
            with torch.inference_mode():
                return [apply(module, part.to(self.device, precision)) for part in pieces]

        precision = _precision_of(module, X.dtype)
        if precision == torch.float32 and (double or X.dtype == torch.float64):
            try:
                parts = run(self._in_double(), torch.float64)
            except (RuntimeError, TypeError, ValueError):  # it insists on single precision
                parts = run(module, precision)
        else:
            parts = run(module, precision)
        out = parts[0] if len(parts) == 1 else torch.cat(parts)
        return out.to(X.dtype)

    def _in_double(self) -> nn.Module:
        """A copy of the module in double precision, with the weights as they are now."""
        if "_double" not in self.__dict__:
            self._double = DoubleCopy()
        return self._double(self.module_)

    def _bind_engine(self) -> None:
        if self.engine_ is not None:
            self.engine_.bind()

    def _cast(self, precision: torch.dtype) -> None:
        """Bring module, criterion and the optimizer's state to a floating-point precision."""
        self.module_.to(precision)
        self.criterion_.to(precision)
        self._bind_engine()
        for state in self.optimizer_.state.values():
            for key, value in state.items():
                if isinstance(value, Tensor) and value.is_floating_point() and value.ndim:
                    state[key] = value.to(precision)

    def plan_steps(self, n_batches: int) -> None:
        """Tell a rule that asks for it how many steps there will be."""
        for group in self.optimizer_.param_groups:
            if group.get("lr_schedule") == "theorem-2" and group["n_steps"] is None:
                group["n_steps"] = self.max_epochs * n_batches

    def _average(self, shown: bool) -> None:
        """Have the module's weights be their averaged iterate, or the one to go on from.

        Optimizers that keep such an average have ``eval`` and ``train``, as schedule-free ones do.
        """
        switch = getattr(self.optimizer_, "eval" if shown else "train", None)
        if switch is not None:
            switch()

    def set_lr(self, lr: float) -> None:
        """Set the step size of all parameters."""
        for group in self.optimizer_.param_groups:
            group["lr"] = lr

    def _accept_epoch(self) -> bool:
        """Do what is due after an epoch; False if it shows that training has diverged."""
        return True

    def _diverged(self) -> str:
        """Say what is not finite."""
        return "the loss"

    def _copy_state(self) -> Any:
        return [value.detach().clone() for value in self.module_.state_dict().values()]

    def _restore(self, state: Any) -> None:
        for value, kept in zip(self.module_.state_dict().values(), state):
            value.copy_(kept)

    def _train_epoch(
        self, X: Tensor, y: Tensor, weight: Tensor | None, shuffle: bool, notify: bool
    ) -> float:
        self.module_.train()
        project = getattr(self.module_, "apply_max_norm", None)
        total = torch.zeros((), device=X.device)
        try:
            for batch in self._batches(X, y, weight, shuffle):
                if notify:
                    self.notify("on_batch_begin", batch=batch[:2], training=True)
                    self._bind_engine()
                loss, output = self._step(*batch, notify=notify)
                total += loss
                if project is not None:
                    project()
                if notify:
                    self._notify_batch_end(batch, loss / len(batch[0]), output, training=True)
        except (NonFiniteLossError, NonFiniteError):
            return float("nan")
        except RuntimeError as error:
            if "overflow" not in str(error):  # a step too long for the weights' precision
                raise
            return float("nan")
        return float(total) / (len(X) if weight is None else float(weight.sum()))

    def _notify_batch_end(
        self, batch: tuple[Any, ...], loss: Tensor, output: Tensor, training: bool
    ) -> None:
        prefix = "train" if training else "valid"
        self.history.record_batch(f"{prefix}_loss", loss.item())
        self.history.record_batch(f"{prefix}_batch_size", len(batch[0]))
        self.notify("on_batch_end", batch=batch[:2], training=training, loss=loss, y_pred=output)

    def _step(
        self, X: Tensor, y: Tensor, weight: Tensor | None, notify: bool
    ) -> tuple[Tensor, Tensor]:
        """Take one optimization step; give the loss summed over the batch, and the output."""
        share = len(X) if weight is None else weight.sum()
        mean = self.loss_reduction == "mean"
        if self.engine_ is not None and not notify:
            loss, output = self.engine_(X, y, weight, share if mean else None)
            bare_step(self.optimizer_, lambda: loss)
            if self.engine_.frozen:
                self.engine_.hold_frozen()
            return (loss * share if mean else loss), output
        outputs: list[Tensor] = []

        def closure() -> Tensor:
            if self.engine_ is not None:
                loss, output = self.engine_(X, y, weight, share if mean else None)
            else:
                self.optimizer_.zero_grad(set_to_none=True)
                output = first_output(self.module_(X))
                rows = self.criterion_(output, y)
                loss = (rows if weight is None else rows * weight).sum()
                if mean:
                    loss = loss / share
                loss.backward()
            outputs.append(output)
            if notify:
                self.notify(
                    "on_grad_computed",
                    named_parameters=list(self.module_.named_parameters()),
                    batch=(X, y),
                    training=True,
                )
                if self.engine_ is not None:
                    self.engine_.take_gradients()
            return loss

        told = {}
        if weight is not None and getattr(self.optimizer_, "needs_module", False):
            told["row_weights"] = weight
        loss = self.optimizer_.step(closure, **told).detach()
        if self.engine_ is not None:
            self.engine_.hold_frozen()
        return (loss * share if mean else loss), outputs[0].detach()

    def _batches(
        self, X: Tensor, y: Tensor, weight: Tensor | None, shuffle: bool
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        n_rows = len(X)
        starts = self._starts(n_rows)
        sizes = [b - a for a, b in zip(starts, [*starts[1:], n_rows])]
        shuffle = shuffle and len(starts) > 1
        order = self._shuffled(y).to(X.device) if shuffle else None
        if order is not None and X.numel() > _GATHER_LIMIT:
            for rows in order.split(sizes):
                yield X[rows], y[rows], None if weight is None else weight[rows]
            return
        if order is not None:
            X, y = X[order], y[order]
            weight = None if weight is None else weight[order]
        weights = [None] * len(sizes) if weight is None else weight.split(sizes)
        yield from zip(X.split(sizes), y.split(sizes), weights)

    def _starts(self, n_rows: int) -> list[int]:
        """Give the first rows of the mini-batches."""
        size = n_rows if self.batch_size == -1 else min(self.batch_size, n_rows)
        starts = list(range(0, n_rows, size))
        if len(starts) > 1 and n_rows - starts[-1] == 1:
            starts.pop()  # batch normalization cannot train on a single row
        return starts

    def _shuffled(self, y: Tensor) -> Tensor:
        """Order the rows of an epoch."""
        return torch.randperm(len(y))

    def _evaluate(self, X: Tensor, y: Tensor, weight: Tensor | None, notify: bool) -> float:
        """Give the mean loss without training."""
        output = self.predict_tensor(X)
        with torch.inference_mode():
            rows = self.criterion_(output, y)
            loss = rows.mean() if weight is None else (rows * weight).sum() / weight.sum()
        if notify:
            self.notify("on_batch_begin", batch=(X, y), training=False)
            self._notify_batch_end((X, y), loss, output, training=False)
        return float(loss)


class ClassifierNet(ClassifierMixin, SlicingNet):
    """A net over class indices that scikit-learn's scorers, in skorch's callbacks, understand."""

    def __init__(self, *args: Any, n_classes: int, **kwargs: Any) -> None:
        self.n_classes = n_classes
        super().__init__(*args, **kwargs)

    @property
    def classes_(self) -> np.ndarray:
        """Class indices; the labels are the estimator's business."""
        return np.arange(self.n_classes)

    def predict(self, X: Any) -> np.ndarray:
        """Give the most probable class index of each row."""
        return self.predict_proba(X).argmax(axis=1)


def first_output(output: Any) -> Tensor:
    """The logits of a module that may return more than them."""
    return output[0] if isinstance(output, (tuple, list)) else output


def _cast_floats(tensors: tuple[Any, ...], precision: torch.dtype) -> tuple[Any, ...]:
    return tuple(
        value.to(precision) if value is not None and value.is_floating_point() else value
        for value in tensors
    )


def _in_double(module: nn.Module, X: Tensor) -> Tensor:
    """Compute in double precision what is returned in the input's.

    A matrix product rounds a row differently by its place among the others; rounded from double
    precision, a row's output does not depend on which rows it came with.
    """
    weights = {name: value.double() for name, value in module.state_dict().items()}
    return torch.func.functional_call(module, weights, (X.double(),)).to(X.dtype)


def _precision_of(module: nn.Module, default: torch.dtype) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), default)


def _listens_to_batches(callback: Callback) -> bool:
    kind = type(callback)
    return any(
        getattr(kind, event, None) is not getattr(Callback, event)
        for event in ("on_batch_begin", "on_batch_end", "on_grad_computed")
    )
