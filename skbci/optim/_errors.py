"""Errors that training loops can tell apart."""


class NonFiniteLossError(ValueError):
    """The loss or its gradient is NaN or infinite: training has diverged."""
