"""Jacobians of networks by layer, and functions of their Gram matrix, without building either."""
