"""The one check of input that all estimators share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skbci._checks import refusal
from skbci._checks.finite import refuse_unreadable
from skbci._checks.foreign import check_foreign
from skbci._checks.kinds import refuse_kinds
from skbci._checks.labels import check_labels
from skbci._checks.masked import check_unmasked
from skbci._checks.shapes import check_alike
from skbci._eegarray.mne_exchange import array_from_list
from skbci._recording.kinds import is_epochs, is_raw
from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray

__all__ = ["as_eeg", "check_eeg", "check_flat_channels", "signal_scale"]

FLOATS = (np.float64, np.float32)
# So many rows say how large signals are.
_SCALE_ROWS = 32
# Fewer samples than that, and fewer than there would be channels, are no signal of a band.
_FEW_TIMES = 32


def as_eeg(X: Signals) -> Any:
    """Turn ``mne.Epochs``, or scikit-learn's list of one-epoch objects, into an `EEGArray`.

    Their data channels that are not marked bad are taken (EEG, MEG ...; no triggers, no eyes).
    Everything else is returned as it is.

    Raises
    ------
    ValueError
        If entries are masked, rows of different lengths, or named axes in another order.
    TypeError
        If X is a continuous recording, or a tensor that numpy cannot read.
    """
    if is_epochs(X):
        return EEGArray.from_epochs(X)
    if isinstance(X, (list, tuple)) and len(X) and all(map(is_epochs, X)):
        return array_from_list(EEGArray, X)
    if is_raw(X):
        raise TypeError(
            "X is a continuous recording (mne.io.Raw); estimators take epochs or windows. Cut it "
            "with read_epochs (around events) or SlidingWindows.explode."
        )
    return check_unmasked(check_alike(check_foreign(X, "X"), "X"), "X")


def check_eeg(
    estimator: BaseEstimator,
    X: Signals,
    y: Labels = "no_validation",
    *,
    reset: bool,
    ndim: Sequence[int] = (2, 3),
    same_times: bool = False,
    flat: str = "raise",
    **check_params: Any,
) -> Any:
    """Validate input for an estimator the scikit-learn way, in two, three or more dimensions.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` (the size of the second axis) and ``input_shape_`` (all axes but
        the first) when ``reset`` is true, and is checked against them when it is not.
    X : array-like, EEGArray, mne.Epochs or list of mne.Epochs
        Rows first. Pass it through `as_eeg` before, to keep the rows' context.
    y : array-like, optional
        Labels; when given they are validated with X and returned too.
    reset : bool
        True in ``fit``.
    ndim : sequence of int
        The numbers of dimensions that the estimator can take.
    same_times : bool
        Whether the last axis must be as long as in ``fit`` for 3-D input.
    flat : "raise" or "allow"
        What to do in ``fit`` about channels of 3-D input that never change.
    **check_params
        Passed to `sklearn.utils.check_array`.

    Returns
    -------
    X : ndarray of float
    y : ndarray, only when given

    Raises
    ------
    TypeError
        If X is no array of rows, or holds dates, time spans or records.
    ValueError
        On NaN, infinity, complex numbers, too few rows, a wrong number of dimensions, channels or
        times, or a constant channel.
    """
    name = type(estimator).__name__
    source = as_eeg(X)
    known = isinstance(source, EEGArray) and source.ndim >= 3
    names, rate = (source.ch_names, source.sfreq) if known else (None, None)
    bads = source.metadata.attrs.get("left_out_bads", ()) if known else ()
    if isinstance(source, EEGArray):
        source = np.asarray(source)
    params = {"dtype": FLOATS, "allow_nd": True, **check_params}
    if source is None or isinstance(source, (str, bytes, Mapping, set)):
        because = "must be an array of rows, an EEGArray, mne.Epochs or a DataFrame"
        raise TypeError(refusal(source, "X", name, because))
    if isinstance(source, (list, tuple)):
        refuse_unreadable(source, name, names)
    refuse_kinds(source, "X", name)
    if not reset and hasattr(estimator, "input_shape_"):
        _check_channels(estimator, names, bads)
        _check_shape(estimator, source, same_times)
        _check_rate(estimator, rate)
    if not isinstance(y, str):  # "no_validation"
        y = check_labels(y, None, estimator, least_classes=1)
    try:
        out = validate_data(estimator, source, y, reset=reset, **params)
    except (TypeError, ValueError, OverflowError):
        refuse_unreadable(source, name, names)
        raise
    with_y = isinstance(out, tuple)
    data = out[0] if with_y else out
    if data.ndim not in ndim:
        allowed = " or ".join(f"{n}-D" for n in ndim)
        raise ValueError(
            f"{name} takes {allowed} input, got {data.ndim}-D input of shape {data.shape}."
        )
    _check_not_empty(data, name)
    if data.ndim == 4 and not names:
        _check_bands_first(data, name)
    if reset:
        estimator.input_shape_ = data.shape[1:]
        estimator._input_signal_ = names, rate
        if data.ndim > 2:
            estimator._input_scale_ = signal_scale(data[:_SCALE_ROWS])
        if flat == "raise":
            check_flat_channels(data, names)
    return out


def _check_bands_first(data: np.ndarray, name: str) -> None:
    """Refuse an array without channel names whose last axis is no time: bands, likely."""
    n_times = data.shape[-1]
    if n_times < min(data.shape[-2], _FEW_TIMES):
        raise ValueError(
            f"{name} takes rows x bands x channels x time samples, but X of shape {data.shape} "
            f"would have {data.shape[2]} channels and {n_times} time samples. If its last axis is "
            "the bands, as in MOABB's filter-bank paradigms, give np.moveaxis(X, -1, 1); if these "
            "are channels and times, name the channels: EEGArray(X, ch_names=...)."
        )


def signal_scale(data: np.ndarray) -> float:
    """Typical deviation of signals from their own means, in their unit."""
    return float(np.median(np.std(data, axis=-1, dtype=np.float64)))


def _check_not_empty(data: np.ndarray, name: str) -> None:
    """Refuse input with no entry along an axis."""
    axes = {2: ("rows", "columns"), 3: ("rows", "channels", "time samples"),
            4: ("rows", "bands", "channels", "time samples")}
    if 0 in data.shape:
        at = data.shape.index(0)
        what = axes[data.ndim][at] if data.ndim in axes else f"entries along axis {at}"
        raise ValueError(f"{name}: X has 0 {what} (shape {data.shape}); at least one is needed.")


def _check_shape(estimator: BaseEstimator, X: Signals, same_times: bool) -> None:
    """Compare a 3-D (or deeper) input with what fit saw; 2-D is left to scikit-learn."""
    full = X.shape if hasattr(X, "shape") else np.shape(X) if isinstance(X, list) else ()
    fitted, shape = estimator.input_shape_, tuple(full[1:])
    name = type(estimator).__name__
    if len(full) < 2:
        return  # scikit-learn's own message about such input follows
    if len(shape) != len(fitted):
        raise ValueError(
            f"{name} was fitted on {len(fitted) + 1}-D input (rows of shape {tuple(fitted)}), "
            f"got {len(full)}-D input of shape {tuple(full)}."
        )
    if len(shape) < 2:
        return
    if shape[:-1] != tuple(fitted[:-1]):
        raise ValueError(
            f"X has {shape[-2]} channels (rows of shape {shape}), but {name} was fitted with "
            f"{fitted[-2]} channels (rows of shape {tuple(fitted)})."
        )
    if same_times and shape[-1] != fitted[-1]:
        raise ValueError(
            f"X has {shape[-1]} time samples a row, but {name} was fitted with {fitted[-1]}."
        )


def _check_channels(
    estimator: BaseEstimator, names: list[str] | None, bads: Sequence[str]
) -> None:
    """Compare channel names with those of fit, where both are known.

    ``bads`` are the channels that the recording marks bad and that were left out for it.
    """
    name, fitted = type(estimator).__name__, getattr(estimator, "_input_signal_", (None, None))[0]
    if not names or not fitted or names == fitted:
        return
    if sorted(names) == sorted(fitted):
        raise ValueError(
            f"X has the channels of fit in another order: {name} was fitted with {fitted}, got "
            f"{names}."
        )
    missing = [channel for channel in fitted if channel not in names]
    marked = [channel for channel in missing if channel in bads]
    added = [channel for channel in names if channel not in fitted]
    parts = []
    if missing:
        parts.append(f"without {_shown(missing)}")
    if added:
        parts.append(f"with {_shown(added)} besides")
    remedy = "Take the same channels as in fit (picks=...)."
    if marked:
        remedy = (
            f"{_shown(marked)} {'is' if len(marked) == 1 else 'are'} marked bad in this recording "
            "and therefore left out: repair it first (interpolate_bads() of MNE's Epochs and Raw, "
            "with a montage), or leave the channel out of the data for fit as well."
        )
    raise ValueError(
        f"X has other channels than fit, {' and '.join(parts)}: {name} was fitted with {fitted}, "
        f"got {names}. {remedy}"
    )


def _shown(channels: Sequence[str]) -> str:
    return ", ".join(repr(channel) for channel in channels)


def _check_rate(estimator: BaseEstimator, rate: float | None) -> None:
    """Compare the sampling rate with that of fit, where both are known."""
    fitted = getattr(estimator, "_input_signal_", (None, None))[1]
    if rate and fitted and not np.isclose(rate, fitted):
        raise ValueError(
            f"X is sampled at {rate:g} Hz, but {type(estimator).__name__} was fitted at "
            f"{fitted:g} Hz."
        )


def check_flat_channels(data: np.ndarray, ch_names: Sequence[str] | None = None) -> None:
    """Refuse 3-D data in which a channel has one and the same value everywhere.

    Raises
    ------
    ValueError
        Naming the channels.
    """
    if data.ndim != 3 or data.shape[2] < 2 or not len(data):
        return
    suspects = np.flatnonzero(np.ptp(data[0], axis=-1) == 0)
    flat = [int(c) for c in suspects if np.all(data[:, c] == data[0, c, 0])]
    if flat:
        shown = ", ".join(repr(ch_names[c]) if ch_names else str(c) for c in flat)
        raise ValueError(
            f"Constant channel: channel {shown} has the same value at every sample of every row. "
            "Drop or interpolate flat channels first."
        )
