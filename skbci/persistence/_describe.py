"""What the header of a file says about the estimator in it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skbci._fitted import fitted_parts
from skbci._version import __version__
from skbci.pipeline import last_step

__all__ = ["PACKAGES", "describe", "plain", "versions"]

PACKAGES = {
    "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "pandas": "pandas",
    "torch": "torch", "skorch": "skorch", "mne": "mne", "pyriemann": "pyriemann",
    "skops": "skops", "safetensors": "safetensors",
}
# Beyond this, no head's signal is in volts.
_VOLTS = 1e-2


def versions() -> dict[str, str]:
    """Versions of what writes, or reads, a file."""
    found = {"skbci": __version__, "python": platform.python_version()}
    for name, package in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe(estimator: BaseEstimator) -> dict[str, Any]:
    """Return what is to be known of an estimator without loading it.

    Parameters
    ----------
    estimator : estimator or OnlineDecoder
        Fitted.

    Returns
    -------
    dict
        ``class``, ``steps``, ``classes``, ``ch_names``, ``sfreq`` (Hz), ``unit``, ``window``
        (``n_times``, ``tmin`` and ``duration`` in seconds), ``n_features``; None where it is not
        known.
    """
    parts = list(fitted_parts(estimator))
    pipeline = getattr(estimator, "pipeline", estimator)
    inner = getattr(pipeline, "best_estimator_", pipeline)
    shape = _first(parts, "input_shape_")
    names, rate = _first(parts, "_input_signal_") or (None, None)
    rate = getattr(estimator, "sfreq", None) or _first(parts, "sfreq_") or rate
    scale = _first(parts, "_input_scale_")
    n_times = getattr(estimator, "n_window", None)
    if n_times is None and shape is not None and len(shape) > 1:
        n_times = shape[-1]
    return {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        "steps": [name for name, _ in getattr(inner, "steps", [])],
        "classes": plain(getattr(estimator, "classes_", getattr(last_step(inner), "classes_",
                                                                 None))),
        "ch_names": plain(getattr(estimator, "ch_names", None) or names
                           or _first(parts, "ch_names_")),
        "n_channels": None if shape is None or len(shape) < 2 else int(shape[0]),
        "n_features": plain(_first(parts, "n_features_in_")),
        "sfreq": plain(rate),
        "unit": None if not scale else "V" if scale < _VOLTS else "not volts",
        "amplitude": plain(scale or None),
        "window": None if n_times is None else {
            "n_times": int(n_times),
            "tmin": plain(_first(parts, "tmin_in_")),
            "duration": None if not rate else float(n_times / rate),
        },
    }


def _first(parts: list[BaseEstimator], name: str) -> Any:
    return next((vars(p)[name] for p in parts if vars(p).get(name) is not None), None)


def plain(value: object) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
