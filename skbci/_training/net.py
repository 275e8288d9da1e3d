"""The skorch net inside every neural estimator."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, ParamMapper, PrintLog
from skorch.dataset import Dataset
from skorch.utils import get_map_location
from torch import Tensor, nn

from skbci._plain import freeze, thaw
from skbci._training.dense.engine import DenseEngine, fits_dense_engine
from skbci._training.double_copy import DoubleCopy
from skbci._training.epoch_loop import EpochLoop
from skbci._training.evaluation import first_output, in_pieces, is_finite, predict_rows
from skbci._training.history_text import as_text, from_text
from skbci._training.layers.faster_layers import with_faster_layers
from skbci._training.mini_batches import Rows, batch_sizes, mini_batches
from skbci._training.optimizer_step import bare_step
from skbci._weights.means import divisor_of, mean_of_rows
from skbci.optim import NonFiniteLossError
from skbci.weighting import NonFiniteError


class SlicingNet(NeuralNet):
    """A skorch net that trains on tensors by slicing them.

    A ``DataLoader`` and the bookkeeping of every batch take most of the time with small networks.
    Here an epoch is one shuffle and views of it; the loss stays on the device until the epoch is
    over. Callbacks get their batch events if any of them listens to batches.
    """

    engine_: DenseEngine | None
    accelerate = False

    def __init__(self, *args: Any, loss_reduction: str = "mean", **kwargs: Any) -> None:
        self.loss_reduction = loss_reduction
        super().__init__(*args, train_split=None, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Take the net apart, but for the engine, which is made of the same parts."""
        state = {name: part for name, part in vars(self).items() if name != "_double"}
        if state.get("engine_") is not None:
            state["engine_"] = None
            state["engine_saved_"] = True
        if "history_" in state:
            state["history_"] = as_text(state["history_"])
        return freeze(state)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the engine on the restored module and the optimizer's flat vector."""
        state = thaw(state)
        saved = state.pop("engine_saved_", False)
        if isinstance(state.get("history_"), str):
            state["history_"] = from_text(state["history_"])
        state["device"] = self._check_device(state["device"], get_map_location(state["device"]))
        self.__dict__.update(state)
        if saved:
            (flat,) = self.optimizer_.param_groups[0]["params"]
            self.engine_ = DenseEngine(self.module_, self.criterion_, flat)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        default: list[tuple[str, Callback]] = [("epoch_timer", EpochTimer())]
        if self.verbose:
            default.append(("print_log", PrintLog()))
        return default

    @with_faster_layers
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
        self.plan_steps(len(batch_sizes(len(train[0]), self.batch_size)))
        by_batch = any(_listens_to_batches(cb) for _, cb in self.callbacks_)
        loop = EpochLoop(self, train, data, by_batch)
        validate = None if valid is None else partial(self._evaluate, *valid, notify=by_batch)
        start = good = now = self._copy_state()
        for _ in range(self.max_epochs if epochs is None else epochs):
            loop.begin_epoch()
            self._bind_engine()  # callbacks may have set weights
            good, now = now, self._copy_state()
            self._average(False)
            loss = self._train_epoch(*train, shuffle=shuffle, notify=by_batch)
            self._average(True)
            if not loop.end_epoch(loss, partial(self._restore, good), validate):
                break
        loop.end()
        self._cast(torch.float32)
        loop.settle([partial(self._restore, state) for state in (now, good, start)])
        return self

    def on_epoch_begin(
        self, net: NeuralNet, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Number the epochs on, however many of the history have been dropped."""
        number = self.history[-1, "epoch"] + 1 if self.history else 1
        self.history.new_epoch()
        self.history.record("epoch", number)

    def undo_training(self) -> Callable[[], None]:
        """Return a function that undoes the training that follows."""
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

    def get_all_learnable_params(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield what the optimizer works on."""
        if self.engine_ is not None:
            yield "flat", self.engine_.flat
        else:
            yield from super().get_all_learnable_params()

    def get_params_for_optimizer(self, *args: Any, **kwargs: Any) -> tuple[tuple, dict[str, Any]]:
        """Return the optimizer's arguments, with the module where it asks for it."""
        given, settings = super().get_params_for_optimizer(*args, **kwargs)
        if getattr(self.optimizer, "needs_module", False):
            settings["module"] = self.module_
        return given, settings

    def predict_tensor(self, X: Tensor) -> Tensor:
        """Return the first output, without gradients, in the rows' precision."""
        return predict_rows(self.module_, X, self.device, self._double_copy())

    def in_pieces(
        self, X: Tensor, apply: Callable[[nn.Module, Tensor], Tensor], double: bool = False
    ) -> Tensor:
        """Return ``apply(module, rows)`` without gradients, see `evaluation.in_pieces`."""
        return in_pieces(self.module_, X, apply, self.device, self._double_copy(), double)

    def is_finite(self, X: Tensor) -> bool:
        """Whether the weights, and their outputs on some of the rows, are finite."""
        return is_finite(self.module_, X, self.device, self._double_copy())

    def _double_copy(self) -> DoubleCopy:
        if "_double" not in self.__dict__:
            self._double = DoubleCopy()
        return self._double

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
        """Set the number of steps to come of an optimizer that needs it."""
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
        """Set the learning rate of all parameters."""
        for group in self.optimizer_.param_groups:
            group["lr"] = lr

    def accept_epoch(self) -> bool:
        """Finish an epoch; return False if it shows that training has diverged."""
        return True

    def what_diverged(self) -> str:
        """Name what is not finite."""
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
            sizes = batch_sizes(len(X), self.batch_size)
            shuffle = shuffle and len(sizes) > 1
            order = self.shuffled(y).to(X.device) if shuffle else None
            for batch in mini_batches((X, y, weight), sizes, order):
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
        self, batch: Rows | tuple[Tensor, Tensor], loss: Tensor, output: Tensor, training: bool
    ) -> None:
        prefix = "train" if training else "valid"
        self.history.record_batch(f"{prefix}_loss", loss.item())
        self.history.record_batch(f"{prefix}_batch_size", len(batch[0]))
        self.notify("on_batch_end", batch=batch[:2], training=training, loss=loss, y_pred=output)

    def _step(
        self, X: Tensor, y: Tensor, weight: Tensor | None, notify: bool
    ) -> tuple[Tensor, Tensor]:
        """Take one optimization step; give the loss summed over the batch, and the output."""
        share = len(X) if weight is None else divisor_of(weight)
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

        given = {}
        if weight is not None and getattr(self.optimizer_, "needs_module", False):
            given["row_weights"] = weight
        loss = self.optimizer_.step(closure, **given).detach()
        if self.engine_ is not None:
            self.engine_.hold_frozen()
        return (loss * share if mean else loss), outputs[0].detach()

    def shuffled(self, y: Tensor) -> Tensor:
        """Order the rows of an epoch."""
        return torch.randperm(len(y))

    def _evaluate(self, X: Tensor, y: Tensor, weight: Tensor | None, notify: bool) -> float:
        """Compute the mean loss without training."""
        output = self.predict_tensor(X)
        with torch.inference_mode():
            loss = mean_of_rows(self.criterion_(output, y), weight)
        if notify:
            self.notify("on_batch_begin", batch=(X, y), training=False)
            self._notify_batch_end((X, y), loss, output, training=False)
        return float(loss)


def _cast_floats(tensors: tuple[Any, ...], precision: torch.dtype) -> tuple[Any, ...]:
    return tuple(
        value.to(precision) if value is not None and value.is_floating_point() else value
        for value in tensors
    )


def _listens_to_batches(callback: Callback) -> bool:
    kind = type(callback)
    return any(
        getattr(kind, event, None) is not getattr(Callback, event)
        for event in ("on_batch_begin", "on_batch_end", "on_grad_computed")
    )
