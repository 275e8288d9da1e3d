"""Weights of rows, and the reduction over them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skbci._checks import check_choice, refusal
from skbci._weights.means import mean_of_rows

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction: str) -> str:
    """Return the reduction if there is one of that name."""
    return str(check_choice(reduction, "reduction", "", REDUCTIONS))


def check_class_weight(
    class_weight: Sequence[float] | Tensor | None, n_classes: int | None = None
) -> Tensor | None:
    """Return class weights as a tensor, one entry a class."""
    if class_weight is None:
        return None
    try:
        weights = torch.as_tensor(class_weight, dtype=torch.get_default_dtype()).detach().clone()
    except (TypeError, ValueError, RuntimeError, OverflowError):
        because = "must hold one finite number for each class, or be None"
        raise TypeError(refusal(class_weight, "class_weight", "", because)) from None
    n_given = len(weights) if weights.ndim == 1 else 0
    if not n_given or (n_classes is not None and n_given != n_classes):
        expected = "one number for each class" if n_classes is None else f"{n_classes} numbers"
        raise ValueError(
            f"class_weight has the shape {tuple(weights.shape)}; it must hold {expected}."
        )
    if not bool(torch.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(
            f"class_weight={class_weight!r} must be finite and must not be negative."
        )
    return weights


def check_labels(y: Tensor, n_rows: int, n_classes: int | None, who: object) -> Tensor:
    """Check class indices against the rows and the classes there are."""
    name = type(who).__name__
    if y.ndim != 1 or len(y) != n_rows:
        raise ValueError(
            f"{name}: the labels have the shape {tuple(y.shape)}, but there are {n_rows} rows: "
            "one class index for each row is needed."
        )
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise TypeError(f"{name}: the labels are {y.dtype}; they must be integer class indices.")
    # An accelerator reports a bad index itself; looking here would make it wait.
    if n_classes is not None and y.device.type == "cpu" and n_rows:
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= n_classes:
            raise ValueError(
                f"{name}: a label is {low if low < 0 else high}; with n_classes={n_classes} the "
                f"class indices are 0 to {n_classes - 1}."
            )
    return y.long()


def row_weights(
    sample_weight: Tensor | None, class_weight: Tensor | None, y: Tensor | None, like: Tensor
) -> Tensor | None:
    """Multiply the rows' own weights by those of their classes; None where all are one."""
    weights = None
    if sample_weight is not None:
        if sample_weight.shape != (len(like),):
            raise ValueError(
                f"sample_weight has the shape {tuple(sample_weight.shape)}, but there are "
                f"{len(like)} rows: one weight for each row is needed."
            )
        weights = sample_weight.to(like)
    if class_weight is not None and y is not None:
        of_rows = class_weight.to(like)[y]
        weights = of_rows if weights is None else weights * of_rows
    return weights


def reduce_rows(rows: Tensor, reduction: str, weights: Tensor | None) -> Tensor:
    """Reduce one value per row; the mean is a weighted one, and zero if no row weighs anything."""
    if reduction == "mean":
        return mean_of_rows(rows, weights)
    weighted = rows if weights is None else rows * weights
    return weighted if reduction == "none" else weighted.sum()
