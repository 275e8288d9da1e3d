"""The training of many networks of one shape as one stack of batched matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from skbci._training.epoch_loop import EpochLoop
from skbci._training.evaluation import EVALUATION_LIMIT, EXACT_LIMIT
from skbci._training.prepared_fit import PreparedFit
from skbci._training.seeding import one_thread
from skbci._training.stack.averages import Averages
from skbci._training.stack.batches import Batches, Pool
from skbci._training.stack.engine import StackEngine
from skbci._training.stack.hjb import build_steps
from skbci._training.stack.optimizers import padding, step_key
from skbci._weights.means import divisor_of, mean_of_rows


def train_stack(members: Sequence[PreparedFit]) -> None:
    """Train the members' nets at once, each as its own `PreparedFit.run` would.

    Parameters
    ----------
    members : sequence of PreparedFit
        Of one and the same `PreparedFit.shape`.
    """
    with one_thread(), torch.no_grad():
        for member in members:
            member.net.plan_steps(len(member.sizes))
        _Training(sorted(members, key=step_key)).run()


class _Training:
    """What `SlicingNet.fit_tensors` does, for all members in step.

    A member that is done (by its number of epochs, early stopping, or a loss that is not finite)
    leaves the stack at the end of the epoch.
    """

    def __init__(self, members: list[PreparedFit]) -> None:
        self.members = members
        first = members[0]
        self.engine = StackEngine(first.engine, first.net.criterion_)
        dtype = torch.float64 if first.double else torch.float32
        flat = torch.stack([_weights(member) for member in members]).to(dtype)
        self.n_weights = flat.shape[1]
        self.flat = F.pad(flat, (0, padding(self.n_weights)))
        self.steps = build_steps(members)
        self.averages = Averages(members)
        self.batches = Batches(members, self.flat)
        self.valid = _Validation(members, self.flat, self.engine)
        # The losses of a rule that takes their mean are divided by the rows, or their weight.
        self.mean = np.array([member.net.loss_reduction == "mean" for member in members])
        self.total_weight = [
            len(m.train[0]) if m.train[2] is None else float(m.train[2].sum()) for m in members
        ]
        self._bind()

    def _bind(self) -> None:
        self.grad = torch.zeros_like(self.flat)
        for steps in self.steps:
            steps.bind(self.flat, self.grad, self.n_weights)
        self.parameters = self.engine.views(self.flat)
        self.gradients = self.engine.views(self.grad)
        self.is_mean = torch.as_tensor(self.mean, device=self.flat.device)

    def run(self) -> None:
        """Train until every member is done."""
        self.loops = [EpochLoop(member.net, member.train) for member in self.members]
        self.first = good = now = self.flat.clone()
        while self.members:
            for loop in self.loops:
                loop.begin_epoch()
            good, now = now, self.averages.shown(self.flat).clone()
            losses = self._epoch()
            self.shown = self.averages.shown(self.flat)
            valid = self.valid.losses(self.engine.views(self.shown))
            goes_on = [
                self._end_epoch(i, losses[i], valid[i], [now[i], good[i], self.first[i]])
                for i in range(len(losses))
            ]
            if not all(goes_on):
                kept = np.flatnonzero(goes_on)
                now = now[torch.as_tensor(kept, device=now.device)]
                self._keep(kept)

    def _epoch(self) -> list[float]:
        """Take every member once through its rows; give the mean losses."""
        n = len(self.members)
        total = torch.zeros(n, device=self.flat.device)
        diverged = torch.zeros(n, dtype=torch.bool)
        self.batches.shuffle()
        for k in range(len(self.members[0].sizes)):
            loss = torch.zeros(n, dtype=self.flat.dtype, device=self.flat.device)
            share = torch.ones_like(loss)
            for which, batch, part in self.batches.turn(k):
                masks = self.batches.masks(part, k, self.engine.widths)
                self._gradient(which, batch, masks, k * part.streams[0].sizes[0], loss, share)
            for steps in self.steps:
                bad = steps.step(loss[steps.rows])
                if bad is not None:
                    diverged[steps.rows] |= bad
            self.averages.add(self.flat)
            total += loss * share
        total[diverged.to(total.device)] = math.nan
        return [value / weight for value, weight in zip(total.tolist(), self.total_weight)]

    def _gradient(
        self,
        which: Tensor | None,
        batch: tuple[Tensor, Tensor, Tensor | None],
        masks: list[Tensor | None],
        at: int,
        loss: Tensor,
        share: Tensor,
    ) -> None:
        """Write the gradients and losses of some members, and what the losses were divided by."""
        X, _, weight = batch
        rows = torch.full_like(share, X.shape[1]) if weight is None else divisor_of(weight)
        divisor = None
        if self.mean.any():
            is_mean = self.is_mean if which is None else self.is_mean[which]
            divisor = torch.where(is_mean, rows[: len(is_mean)], 1)
        if which is None:
            loss.copy_(
                self.engine.gradient(self.parameters, self.gradients, batch, masks, divisor, at)
            )
            if divisor is not None:
                share.copy_(divisor)
            return
        grad = torch.zeros_like(self.flat[: len(which)])
        parameters, into = self.engine.views(self.flat[which]), self.engine.views(grad)
        loss[which] = self.engine.gradient(parameters, into, batch, masks, divisor, at)
        self.grad[which] = grad
        if divisor is not None:
            share[which] = divisor

    def _end_epoch(self, i: int, loss: float, valid: float | None, earlier: list[Tensor]) -> bool:
        """Record a member's epoch, and say whether it goes on."""
        member, loop = self.members[i], self.loops[i]

        def validated(loss: float) -> float:
            self._write(member, self.shown[i])  # early stopping keeps the best of them
            return loss

        restore = [partial(self._write, member, weights) for weights in earlier]
        validate = None if valid is None else partial(validated, valid)
        goes_on = loop.end_epoch(loss, restore[1], validate)
        if goes_on and len(member.net.history) < member.net.max_epochs:
            return True
        if valid is None and not loop.diverged:
            self._write(member, self.shown[i])
        self._write_state(i)
        loop.end()
        loop.settle(restore)
        member.rng_state = self.batches.stream_of[i].generator.get_state()
        return False

    def _write(self, member: PreparedFit, weights: Tensor) -> None:
        _weights(member).copy_(weights[: self.n_weights])

    def _write_state(self, i: int) -> None:
        """Leave the optimizer as its own training would have: `partial_fit` may go on from it."""
        optimizer = self.members[i].net.optimizer_
        (param,) = optimizer.param_groups[0]["params"]
        steps = next(steps for steps in self.steps if steps.rows.start <= i < steps.rows.stop)
        state = steps.state(i - steps.rows.start)
        if state:
            optimizer.state[param] = state
        if "k" in optimizer.param_groups[0]:
            member = self.members[i]
            optimizer.param_groups[0]["k"] = len(member.net.history) * len(member.sizes)
        self.averages.write(i, self.flat, optimizer)

    def _keep(self, kept: np.ndarray) -> None:
        """Go on with some of the members."""
        self.members = [self.members[i] for i in kept]
        self.loops = [self.loops[i] for i in kept]
        if not self.members:
            return
        self.flat = self.flat[torch.as_tensor(kept, device=self.flat.device)]
        self.first = self.first[torch.as_tensor(kept, device=self.flat.device)]
        self.mean = self.mean[kept]
        self.total_weight = [self.total_weight[i] for i in kept]
        left, at = [], 0
        for steps in self.steps:
            rows = steps.rows
            subset = kept[(kept >= rows.start) & (kept < rows.stop)] - rows.start
            if len(subset):
                steps.keep(subset, at)
                left.append(steps)
                at += len(subset)
        self.steps = left
        self.averages.keep(kept)
        self.batches.keep(kept)
        self.valid.keep(kept)
        self._bind()


def _weights(member: PreparedFit) -> Tensor:
    return member.engine.flat.data


class _Validation:
    """The validation losses of early stopping."""

    def __init__(self, members: list[PreparedFit], like: Tensor, engine: StackEngine) -> None:
        self.engine = engine
        self.members = members
        self.pool = Pool()
        self.start = [
            -1 if member.valid is None else self.pool.add(member.valid[0].flatten(1))
            for member in members
        ]
        self.X = self.pool.close(like.dtype) if self.pool.tensors else like.new_empty(0)

    def keep(self, kept: np.ndarray) -> None:
        """Forget all members but some."""
        self.members = [self.members[i] for i in kept]
        self.start = [self.start[i] for i in kept]

    def losses(self, parameters: list[tuple[Tensor, Tensor]]) -> list[float | None]:
        """Return each member's mean loss on its validation rows, where it has any."""
        out: list[float | None] = [None] * len(self.members)
        by_length: dict[int, list[int]] = {}
        for i, member in enumerate(self.members):
            if member.valid is not None:
                by_length.setdefault(len(member.valid[0]), []).append(i)
        for n_rows, subset in by_length.items():
            at_once = max(1, EVALUATION_LIMIT // max(1, n_rows * self.X.shape[1]))
            for a in range(0, len(subset), at_once):
                self._some(parameters, subset[a : a + at_once], n_rows, out)
        return out

    def _some(
        self,
        parameters: list[tuple[Tensor, Tensor]],
        subset: list[int],
        n_rows: int,
        out: list[float | None],
    ) -> None:
        at = torch.as_tensor(subset, device=self.X.device)
        own = [(weight[at], bias[at]) for weight, bias in parameters]
        X = torch.stack([self.X[self.start[i] : self.start[i] + n_rows] for i in subset])
        dtype = X.dtype
        if X[0].numel() <= EXACT_LIMIT and X.device.type == "cpu":
            # As `SlicingNet.predict_tensor` does: in double precision, then rounded.
            own = [(weight.double(), bias.double()) for weight, bias in own]
            output = self.engine.output(own, X.double()).to(dtype)
        else:
            pieces = X.split(max(1, EVALUATION_LIMIT // max(1, X.shape[2])), dim=1)
            output = torch.cat([self.engine.output(own, piece) for piece in pieces], dim=1)
        for i, values in zip(subset, output):
            member = self.members[i]
            assert member.valid is not None
            _, y, weight = member.valid
            y = y.to(dtype) if y.is_floating_point() else y
            rows = member.net.criterion_(values, y)
            out[i] = float(mean_of_rows(rows, None if weight is None else weight.to(dtype)))
