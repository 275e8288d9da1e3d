"""The rows of many fits, each in its own random order, as batches of one tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from skbci._training.dense.dropout import DropoutMasks
from skbci._training.dense.gradient import Batch
from skbci._training.mini_batches import Rows
from skbci._training.prepared_fit import PreparedFit
from skbci._training.stack.memory import same_values


class Pool:
    """Tensors of rows below one another, equal ones once."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.starts: list[int] = []

    def add(self, tensor: Tensor) -> int:
        """Return the row at which a tensor starts."""
        for known, start in zip(self.tensors, self.starts):
            if same_values(known, tensor):
                return start
        start = self.starts[-1] + len(self.tensors[-1]) if self.tensors else 0
        self.tensors.append(tensor)
        self.starts.append(start)
        return start

    def close(self, dtype: torch.dtype) -> Tensor:
        """Return all rows, and let go of the tensors."""
        parts, self.tensors = self.tensors, []
        rows = parts[0] if len(parts) == 1 else torch.cat(parts)
        return rows.to(dtype) if rows.is_floating_point() else rows


@dataclass(eq=False)
class Stream:
    """One sequence of batches and dropout masks, for all members that draw the same."""

    starts: tuple[int, int, int]
    sizes: tuple[int, ...]
    generator: torch.Generator
    rates: list[float]
    masks: dict[float, DropoutMasks] = field(default_factory=dict)
    order: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.long))

    def seed_masks(self, like: Tensor) -> None:
        """Seed the dropout masks as `DenseEngine` does."""
        for rate in sorted(set(self.rates) - {0.0}):
            seed = int(torch.randint(2**62, (), generator=self.generator).item())
            self.masks[rate] = DropoutMasks(rate, np.random.default_rng(seed), like)

    def shuffle(self) -> None:
        """Draw the order of the next epoch's rows; a single batch stays as it is."""
        n_rows = sum(self.sizes)
        if len(self.sizes) > 1:
            self.order = torch.randperm(n_rows, generator=self.generator)
        elif not len(self.order):
            self.order = torch.arange(n_rows)

    def mask(self, layer: int, shape: torch.Size, like: Tensor) -> Tensor:
        """Draw the mask of a hidden layer."""
        rate = self.rates[layer]
        return self.masks[rate].take(shape) if rate else like.new_ones(shape)


@dataclass
class Part:
    """The members whose batch of this turn has one and the same number of rows."""

    members: Tensor | None  # None: all of the stack
    streams: list[Stream]
    stream_of: Tensor | None  # None: each member has its own
    batch: Batch | None = None


class Batches:
    """Batches and dropout masks of a stack's members.

    Parameters
    ----------
    members : sequence of PreparedFit
    like : Tensor
        Has the device and the floating-point precision of the stack.
    """

    def __init__(self, members: Sequence[PreparedFit], like: Tensor) -> None:
        self.like = like
        pools = Pool(), Pool(), Pool()
        streams: dict[object, Stream] = {}
        self.stream_of = []
        for member in members:
            rows = _flatten(member.train)
            found = [
                0 if tensor is None else pool.add(tensor) for pool, tensor in zip(pools, rows)
            ]
            starts = found[0], found[1], found[2]
            engine = member.engine
            state = member.rng_state
            key = (starts, member.sizes, tuple(engine.dropout), state.numpy().tobytes())
            if key not in streams:
                generator = torch.Generator().set_state(state)
                streams[key] = Stream(starts, member.sizes, generator, engine.dropout)
                streams[key].seed_masks(like)
            self.stream_of.append(streams[key])
        dtype = like.dtype
        self.X, self.y = pools[0].close(dtype), pools[1].close(dtype)
        self.weight = pools[2].close(dtype) if pools[2].tensors else None
        self._parts: dict[int, list[Part]] = {}

    def keep(self, kept: np.ndarray) -> None:
        """Forget all members but some."""
        self.stream_of = [self.stream_of[i] for i in kept]
        self._parts = {}

    def shuffle(self) -> None:
        """Begin an epoch."""
        for stream in dict.fromkeys(self.stream_of):
            stream.shuffle()

    def turn(self, k: int) -> Iterator[tuple[Tensor | None, Batch, Part]]:
        """Yield the members' k-th batches, one part of the members after the other.

        Yields
        ------
        members : Tensor or None
            Which members; None stands for all.
        batch : tuple
            Inputs (m, n_rows, n_features), targets (m, n_rows, ...), row weights or None.
        part : Part
            To be handed to `masks`.
        """
        if k not in self._parts:
            self._parts[k] = self._divide(k)
        for part in self._parts[k]:
            batch = part.batch or self._gather(part, k)
            if len(part.streams[0].sizes) == 1:
                part.batch = batch  # the same in every epoch
            yield part.members, batch, part

    def masks(self, part: Part, k: int, widths: Sequence[int]) -> list[Tensor | None]:
        """Draw the part's dropout masks, a tensor for each hidden layer that has any."""
        out: list[Tensor | None] = []
        n_rows = part.streams[0].sizes[k]
        for layer, width in enumerate(widths):
            if not any(stream.rates[layer] for stream in part.streams):
                out.append(None)
                continue
            shape = torch.Size((n_rows, width))
            drawn = [stream.mask(layer, shape, self.like) for stream in part.streams]
            if len(drawn) == 1:
                out.append(drawn[0][None])
            else:
                out.append(_share(torch.stack(drawn), part.stream_of))
        return out

    def _divide(self, k: int) -> list[Part]:
        lengths = np.array([stream.sizes[k] for stream in self.stream_of])
        parts = []
        for length in np.unique(lengths):
            subset = np.flatnonzero(lengths == length)
            streams = list(dict.fromkeys(self.stream_of[i] for i in subset))
            place = {stream: at for at, stream in enumerate(streams)}
            at = [place[self.stream_of[i]] for i in subset]
            device = self.like.device
            parts.append(Part(
                None if len(subset) == len(lengths) else torch.as_tensor(subset, device=device),
                streams,
                None if at == list(range(len(streams))) else torch.as_tensor(at, device=device),
            ))
        return parts

    def _gather(self, part: Part, k: int) -> Batch:
        streams = part.streams
        a = sum(streams[0].sizes[:k])
        rows = torch.stack([stream.order[a : a + stream.sizes[k]] for stream in streams])

        def take(table: Tensor, i: int) -> Tensor:
            offset = torch.tensor([stream.starts[i] for stream in streams])
            index = (rows + offset[:, None]).to(table.device)
            found = table.index_select(0, index.flatten()).unflatten(0, rows.shape)
            return _share(found, part.stream_of)

        weight = None if self.weight is None else take(self.weight, 2)
        return take(self.X, 0), take(self.y, 1), weight


def _flatten(rows: Rows) -> tuple[Tensor, Tensor, Tensor | None]:
    X, y, weight = rows
    return X.flatten(1), y, weight


def _share(values: Tensor, stream_of: Tensor | None) -> Tensor:
    return values if stream_of is None else values.index_select(0, stream_of)
