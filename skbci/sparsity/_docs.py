"""Parameter texts that several docstrings of this room share."""

from __future__ import annotations

from skbci._docs import doc_filler

__all__ = ["fill_doc"]

fill_doc = doc_filler({
    "floor": r"""
    floor : {"unit", "layer"}, default="unit"
        Whether the best weight of each unit is kept in any case, or only that of each layer.
    """,
    "masks": r"""
    masks : mapping of str to Tensor of bool
        By parameter name, True where a weight is kept.
    """,
    "scope": r"""
    scope : {"global", "layer"}, default="global"
        Whether weights compete with those of all layers, or each layer loses the same share.
    """,
    "sparsity": r"""
    sparsity : float, default=0.4
        Share of the prunable weights to drop, in [0, 1).
    """,
})
