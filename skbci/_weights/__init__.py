"""Weights of rows: their check here; `means`, which needs torch, by its own name."""

from skbci._weights.of_rows import as_counts, check_weights, readable_weights

__all__ = ["as_counts", "check_weights", "readable_weights"]
