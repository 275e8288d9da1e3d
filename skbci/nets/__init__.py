"""Torch modules: shapes come from constructor arguments, logits come out."""

from skbci.nets._mlp import MLP

__all__ = ["MLP"]
