"""Density and overlap of masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from torch import Tensor

TOTAL = "total"


def density(masks: Mapping[str, Tensor] | Mapping[str, Mapping[str, Tensor]]) -> pd.DataFrame:
    """Compute the share of weights that masks keep, by layer and task.

    Parameters
    ----------
    masks : mapping of str to Tensor of bool, or mapping of str to such mappings
        By parameter name, or by task and then by parameter name.

    Returns
    -------
    DataFrame
        One row per parameter, and ``"total"``; one column per task, or ``"density"``. Parameters
        that a task does not have are NaN.

    Examples
    --------
    >>> import torch
    >>> shared = {"shared.weight": torch.tensor([True, False])}
    >>> head = {"a.weight": torch.tensor([True, True])}
    >>> density({"a": {**shared, **head}, "b": shared})
                      a    b
    shared.weight  0.50  0.5
    a.weight       1.00  NaN
    total          0.75  0.5
    """
    by_task = any(isinstance(value, Mapping) for value in masks.values())
    columns: dict[str, Any] = dict(masks) if by_task else {"density": masks}
    names = list(dict.fromkeys(name for own in columns.values() for name in own))
    table = pd.DataFrame(index=[*names, TOTAL], columns=list(columns), dtype=float)
    for task, own in columns.items():
        kept = {name: int(mask.sum()) for name, mask in own.items()}
        size = {name: mask.numel() for name, mask in own.items()}
        for name in kept:
            table.loc[name, task] = kept[name] / size[name]
        table.loc[TOTAL, task] = sum(kept.values()) / max(1, sum(size.values()))
    return table


def overlap(masks_a: Mapping[str, Tensor], masks_b: Mapping[str, Tensor]) -> pd.Series:
    r"""Compute the Jaccard index of two masks, by layer.

    Parameters
    ----------
    masks_a, masks_b : mapping of str to Tensor of bool
        By parameter name; those that only one of them has are left out.

    Returns
    -------
    Series
        :math:`|A \cap B| / |A \cup B|` of the kept weights, by parameter, and ``"total"``; 1 where
        neither keeps any.

    Raises
    ------
    ValueError
        If they have no parameter in common, or masks of one differ in shape.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.tensor([True, True, False]), torch.tensor([False, True, True])
    >>> overlap({"weight": a}, {"weight": b}).round(2).to_dict()
    {'weight': 0.33, 'total': 0.33}
    """
    names = [name for name in masks_a if name in masks_b]
    if not names:
        raise ValueError(
            f"The masks have no parameter in common: {list(masks_a)} and {list(masks_b)}."
        )
    both, either = {}, {}
    for name in names:
        a, b = masks_a[name], masks_b[name]
        if a.shape != b.shape:
            raise ValueError(
                f"The masks of {name!r} differ in shape: {tuple(a.shape)} and {tuple(b.shape)}."
            )
        both[name], either[name] = int((a & b).sum()), int((a | b).sum())
    both[TOTAL], either[TOTAL] = sum(both.values()), sum(either.values())
    return pd.Series({name: both[name] / either[name] if either[name] else 1.0 for name in both})
