"""The choice of the weights that a budget keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from skbci._warning import warn
from skbci.sparsity._prunable import Masks


class SparsityWarning(UserWarning):
    """Pruning by scores alone would have emptied a layer, or could not meet its budget."""


class Choice(NamedTuple):
    """What a budget keeps.

    Parameters
    ----------
    masks : dict of str to Tensor of bool
        By parameter name, True where a weight is kept.
    needs : dict of str to Tensor
        The share of all weights that has to be kept for a weight to be among them, whatever the
        budget is; 0 for the floor.
    """

    masks: Masks
    needs: dict[str, Tensor]


def count_kept(sparsity: float, n_weights: int) -> int:
    """Compute ``round((1 - sparsity) * n_weights)``."""
    return round((1 - sparsity) * n_weights)


def by_layer(scores: Mapping[str, Tensor], magnitudes: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace scores by their place within the layer, 1 for the best and near 0 for the worst.

    With these each layer loses the same share of its weights.
    """
    places = {}
    for name, values in scores.items():
        order = np.lexsort((-_numpy(magnitudes[name]), -_numpy(values)))  # best first, by place
        place = np.empty(len(order))
        place[order] = np.arange(len(order), 0, -1) / len(order)
        places[name] = torch.from_numpy(place).reshape(values.shape)
    return places


def keep_top(
    scores: Mapping[str, Tensor],
    magnitudes: Mapping[str, Tensor],
    units: Mapping[str, Tensor],
    n_kept: int,
    allowed: Mapping[str, Tensor] | None = None,
    floor: str = "unit",
    who: str = "",
) -> Choice:
    """Keep the weights with the largest scores, and a few of each layer whatever their scores.

    Parameters
    ----------
    scores, magnitudes : mapping of str to Tensor
        By parameter name. Equal scores are ordered by magnitude and then by place.
    units : mapping of str to Tensor, shape (n_units, n_inputs)
        See `unit_rows`.
    n_kept : int
        The budget over all of them.
    allowed : mapping of str to Tensor of bool, optional
        Weights to choose among; by default all.
    floor : {"unit", "layer"}, default="unit"
        Whether the best weight of each unit is kept in any case, or only that of each layer.
    who : str, optional
        What warnings begin with.

    Returns
    -------
    Choice
        Its masks have ``n_kept`` times True, or as often as the floor asks for where that is more.

    Warns
    -----
    SparsityWarning
        Naming the layers of which the scores alone would have left nothing, and if the floor is
        above ``n_kept``.
    """
    names = list(scores)
    ends = np.cumsum([scores[name].numel() for name in names])
    parts = [slice(end - scores[name].numel(), end) for name, end in zip(names, ends)]
    flat = np.concatenate([_numpy(scores[name]) for name in names])
    size = np.concatenate([_numpy(magnitudes[name]) for name in names])
    free = np.ones(len(flat), dtype=bool)
    if allowed is not None:
        free = np.concatenate([_numpy(allowed[name]) for name in names]).astype(bool)
    # Best first; what may not be chosen comes last. The sort is stable: then by place.
    order = np.lexsort((-size, -flat, ~free))
    rank = np.empty(len(flat), dtype=np.int64)
    rank[order] = np.arange(len(flat))

    must = np.zeros(len(flat), dtype=bool)
    for name, part in zip(names, parts):
        rows = units[name].numpy() + part.start
        rows = rows if floor == "unit" else rows.reshape(1, -1)
        best = rows[np.arange(len(rows)), rank[rows].argmin(axis=1)]
        must[best[free[best]]] = True
    n_floor, n_kept = int(must.sum()), min(n_kept, int(free.sum()))
    by_score = rank < n_kept
    emptied = [name for name, part in zip(names, parts) if not by_score[part].any()]
    _warn(emptied, n_kept, n_floor, floor, who)
    turn = np.empty(len(flat), dtype=np.int64)  # the floor's weights first
    turn[np.concatenate([order[must[order]], order[~must[order]]])] = np.arange(len(flat))
    chosen = turn < max(n_kept, n_floor)
    needs = np.where(must, 0.0, (turn + 0.5) / len(flat))  # counts are rounded: from a half on

    def apart(values: np.ndarray) -> dict[str, Tensor]:
        return {
            name: torch.from_numpy(values[part]).reshape(scores[name].shape)
            for name, part in zip(names, parts)
        }

    return Choice(apart(chosen), apart(needs))


def _warn(emptied: list[str], n_kept: int, n_floor: int, floor: str, who: str) -> None:
    messages = []
    if emptied:
        listed = ", ".join(repr(name) for name in emptied)
        messages.append(
            f"By their scores alone, nothing of {listed} would be left; the best weight of each "
            f"{floor} is kept there."
        )
    if n_floor > n_kept:
        messages.append(
            f"The budget of {n_kept} weights is less than one for each {floor}; {n_floor} are "
            f"kept, one a {floor}: use less sparsity."
        )
    if messages:
        warn(" ".join([who, *messages]).lstrip(), SparsityWarning)


def _numpy(values: Tensor) -> np.ndarray:
    return values.detach().cpu().reshape(-1).double().numpy()  # numpy has no bfloat16
