"""How GradApprox judges one loss from its smoothed history.

Each function takes the training and the validation series (one value per epoch), how many of the
last values of each it goes by, and the reference that it gave last time (None at first); it gives
the unscaled weight and the next reference.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skbci.weighting._evidence import Floats

Reference = tuple[float, float] | None
Spans = tuple[int, int]
Policy = Callable[[Floats, Floats, Spans, Reference], tuple[float, Reference]]

_EPS = 1e-6


def slope(series: Floats) -> float:
    """Slope of the straight line of least squares, per epoch."""
    t = np.arange(len(series)) - (len(series) - 1) / 2
    return float(t @ series / (t @ t)) if len(series) > 1 else 0.0


def historical_tangent(
    train: Floats, valid: Floats, spans: Spans, reference: Reference
) -> tuple[float, Reference]:
    """Compare slopes with those at the best validation slope so far."""
    return _against_reference(train, valid, _of_lines(spans), reference, slope)


def secant(
    train: Floats, valid: Floats, spans: Spans, reference: Reference
) -> tuple[float, Reference]:
    """Compare means with those at the best validation mean so far."""
    return _against_reference(train, valid, spans, reference, lambda series: float(series.mean()))


def tangent(
    train: Floats, valid: Floats, spans: Spans, reference: Reference
) -> tuple[float, Reference]:
    """Judge slopes as they are."""
    in_train, in_valid = (
        slope(series[-span:]) for series, span in zip((train, valid), _of_lines(spans))
    )
    return _share(in_valid, in_valid - in_train), None


def threshold(
    train: Floats, valid: Floats, spans: Spans, reference: Reference
) -> tuple[float, Reference]:
    """Judge the losses themselves, averaged over the epochs that both spans have."""
    span = min(spans)
    pairs = zip(train[-span:], valid[-span:])
    return max(float(np.mean([v / ((v - t) ** 2 + _EPS) for t, v in pairs])), 0.0), None


def ratio(
    train: Floats, valid: Floats, spans: Spans, reference: Reference
) -> tuple[float, Reference]:
    """Weigh by the inverse of the mean validation loss."""
    mean = float(valid[-spans[1] :].mean())
    return (1.0 / mean if mean > 0 else 0.0), None


def _of_lines(spans: Spans) -> Spans:
    """A line needs two values."""
    return max(2, spans[0]), max(2, spans[1])


def _against_reference(
    train: Floats,
    valid: Floats,
    spans: Spans,
    reference: Reference,
    measure: Callable[[Floats], float],
) -> tuple[float, Reference]:
    of_train, of_valid = spans
    if reference is None:  # the same spans, one epoch earlier
        reference = measure(train[-of_train - 1 : -1]), measure(valid[-of_valid - 1 : -1])
    in_train, in_valid = measure(train[-of_train:]), measure(valid[-of_valid:])
    gain = in_valid - reference[1]
    overfitting = (in_valid - in_train) - (reference[1] - reference[0])
    weight = _share(gain, overfitting)
    return weight, ((in_train, in_valid) if in_valid < reference[1] else reference)


def _share(gain: float, overfitting: float) -> float:
    return max(gain / (overfitting**2 + _EPS), 0.0)


SLOPE_POLICIES: dict[str, Policy] = {
    "historical-tangent": historical_tangent,
    "tangent": tangent,
    "secant": secant,
    "threshold": threshold,
    "ratio": ratio,
}
