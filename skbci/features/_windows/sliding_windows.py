"""Windows of continuous signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skbci._checks import check_choice, check_positive
from skbci._checks.eeg import as_eeg
from skbci._checks.frequencies import resolve_sfreq
from skbci._checks.labels import refuse_missing
from skbci._checks.masked import check_unmasked
from skbci._eegarray.rows import carry_rows, row_seconds
from skbci._recording.annotations import crosses_bad
from skbci._recording.channels import channel_picks, left_out_bads
from skbci._recording.kinds import is_epochs, is_raw
from skbci._recording.projections import projected
from skbci._recording.times import first_sample
from skbci._typing import Labels, Picks, Signals
from skbci._warning import warn
from skbci.eegarray import EEGArray
from skbci.features._base import EEGTransformer

if TYPE_CHECKING:
    from mne.io import BaseRaw

__all__ = ["SlidingWindows"]


class SlidingWindows(EEGTransformer):
    """Cut signals into overlapping windows.

    As a step of a pipeline, rows stay rows and get an axis of windows. To turn recordings into a
    data set whose rows are the windows, with each window's onset, use :meth:`explode` before.

    Parameters
    ----------
    window : float
        Length of a window in seconds.
    hop : float
        Seconds from the start of one window to the start of the next.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs`, `mne.io.Raw` or an `EEGArray`, which
        know theirs.

    Attributes
    ----------
    n_window_, n_hop_ : int
        Both in samples: up to the last one before ``window`` seconds have passed, and rounded to
        the nearest.
    sfreq_ : float
        Sampling rate in Hz.
    n_features_in_ : int
        Number of channels; of time samples for 2-D input.

    Raises
    ------
    ValueError
        If there is no sampling rate, ``window`` or ``hop`` is not positive, ``hop`` is less than
        one sample, or a window is longer than the signal.

    Notes
    -----
    Window m of row i holds the samples from :math:`m h` to :math:`m h + w - 1`; samples after
    the last whole window are left out. Neighbouring windows share samples: split them with
    `skbci.model_selection.PurgedKFold` or by run, never at random.

    Examples
    --------
    One run of 117 s at 128 Hz in windows of 1.5 s every 0.5 s:

    >>> import numpy as np
    >>> recording = np.random.default_rng(0).standard_normal((14, 117 * 128))
    >>> X, _ = SlidingWindows(1.5, 0.5, sfreq=128).explode(recording)
    >>> X.shape
    (232, 14, 192)
    >>> X.metadata["onset"].head(3).tolist()
    [0.0, 0.5, 1.0]
    """

    def __init__(self, window: float, hop: float, *, sfreq: float | None = None) -> None:
        self.window = window
        self.hop = hop
        self.sfreq = sfreq

    def fit(self, X: Signals, y: Labels | None = None) -> SlidingWindows:
        """Check the windows against the rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals; 2-D input has one channel.
        y : object, optional
            Ignored.

        Returns
        -------
        self
        """
        X, data = self._read_fit(X, flat="allow")
        self.sfreq_ = resolve_sfreq(self.sfreq, X, self)
        self.n_window_, self.n_hop_ = self._lengths(self.sfreq_, data.shape[-1])
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Cut each row into its windows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_times)
            Signals of the fitted channels.

        Returns
        -------
        ndarray or EEGArray, shape (n_rows, n_windows, n_channels, n_window) or \
(n_rows, n_windows, n_window)
            A read-only view where X needed no conversion: copy it before writing.
        """
        X, data = self._read(X, flat="allow")
        resolve_sfreq(self.sfreq_, X, self)
        self._lengths(self.sfreq_, data.shape[-1])
        out = _windows(data, self.n_window_, self.n_hop_)
        # A row is still the whole signal that it holds the windows of.
        own = {"window": X.window} if isinstance(X, EEGArray) else {}
        return carry_rows(X, out, **own)

    def _signals_out(self, names: list[str]) -> list[str]:
        n_windows = 1 + (self.input_shape_[-1] - self.n_window_) // self.n_hop_
        return [f"{ch}_window{k}" for k in range(n_windows) for ch in names]

    def explode(
        self, X: Signals, y: Labels | None = None, *, label: str = "last", picks: Picks = None
    ) -> tuple[EEGArray, Any]:
        """Turn recordings into rows, one for each window.

        Needs no fit: it is a change of the data set, not a step learned from it.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_runs, n_channels, n_times), or \
(n_channels, n_times), or mne.io.BaseRaw or mne.Epochs
            Continuous recordings. Of a Raw, windows that touch an annotation starting with "bad"
            or "edge" (such as the boundary between recordings that were joined) are left out.
        y : array-like, shape (n_runs,), (n_runs, n_times) or, for one recording, (n_times,), \
optional
            Labels of the runs, or of each sample.
        label : {"last", "majority"}, default="last"
            A window's label where each sample has one: the last sample's, as an online decoder
            would need it, or the most frequent (of a tie the smallest).
        picks : str or sequence of str or int, optional
            Channels of a Raw or of Epochs: names, indices, or types as in MNE; "all" for all. By
            default the data channels (EEG, MEG ...) that are not marked bad.

        Returns
        -------
        X : EEGArray, shape (n_runs * n_windows, n_channels, n_window)
            Window by window, run by run, less those left out. The metadata has the run's columns;
            ``onset`` is the window's start in seconds from the start of the run: the row's own
            onset, or zero, plus its time axis. ``run`` numbers the rows where the table had no
            such column. Each window's own time axis begins at zero.
        y : ndarray of shape (n_runs * n_windows,) or None
            The windows' labels.

        Raises
        ------
        ValueError
            If there is no sampling rate, a window is longer than the signal, no window is free
            of "bad" and "edge" annotations, or y fits neither the runs nor their samples.

        Warns
        -----
        UserWarning
            If windows were left out; it says how many.
        """
        check_choice(label, "label", self, ("last", "majority"))
        runs = _read_runs(X, picks)
        sfreq = resolve_sfreq(self.sfreq, runs, self)
        data = np.asarray(runs)
        n_window, n_hop = self._lengths(sfreq, data.shape[-1])
        windows = _windows(data, n_window, n_hop)
        n_runs, n_windows = windows.shape[:2]
        table = runs.metadata.loc[runs.metadata.index.repeat(n_windows)].reset_index(drop=True)
        starts = runs.tmin + np.tile(np.arange(n_windows) * n_hop / sfreq, n_runs)
        before = row_seconds(runs)
        table["onset"] = starts + (0.0 if before is None else np.repeat(before, n_windows))
        if "run" not in table:
            table["run"] = np.repeat(np.arange(n_runs), n_windows)
        out = EEGArray(
            windows.reshape(n_runs * n_windows, *windows.shape[2:]), table, sfreq=sfreq,
            ch_names=runs.ch_names, info=runs.info,
        )
        labels = None
        if y is not None:
            y = np.asarray(check_unmasked(y, "y"))
            labels = _window_labels(y, data.shape, n_window, n_hop, label)
        if is_raw(X):
            return _free_of_bad(X, out, labels, np.arange(n_windows) * n_hop, n_window)
        return out, labels

    def _lengths(self, sfreq: float, n_times: int) -> tuple[int, int]:
        for name, value in (("window", self.window), ("hop", self.hop)):
            check_positive(value, name, self, unit="seconds")
        n_window, n_hop = first_sample(self.window, sfreq), round(self.hop * sfreq)
        for name, value in (("window", self.window), ("hop", self.hop)):
            if round(value * sfreq) < 1:
                raise ValueError(
                    f"SlidingWindows: {name}={value:g} s is less than one sample "
                    f"({1 / sfreq:g} s at {sfreq:g} Hz)."
                )
        if n_window > n_times:
            raise ValueError(
                f"SlidingWindows: windows longer than the signal: window={self.window:g} s is "
                f"{n_window} samples at {sfreq:g} Hz, but the signal has {n_times}."
            )
        return n_window, n_hop


def _windows(data: np.ndarray, n_window: int, n_hop: int) -> np.ndarray:
    """View (n, ..., n_times) as (n, n_windows, ..., n_window)."""
    return np.moveaxis(sliding_window_view(data, n_window, axis=-1)[..., ::n_hop, :], -2, 1)


def _free_of_bad(
    raw: BaseRaw, X: EEGArray, y: np.ndarray | None, first: np.ndarray, n_window: int
) -> tuple[EEGArray, Any]:
    """Leave out windows that touch stretches marked bad, and say so."""
    keep = ~crosses_bad(raw, first, n_window)
    if keep.all():
        return X, y
    what = f"{int((~keep).sum())} of {len(keep)} windows"
    if not keep.any():
        raise ValueError(
            f"SlidingWindows.explode: all {len(keep)} windows touch annotations that start with "
            "'bad' or 'edge'; none is left. Use a shorter window or look at raw.annotations."
        )
    warn(
        f"SlidingWindows.explode: {what} were left out because they touch annotations that start "
        "with 'bad' or 'edge' (bad stretches, boundaries between recordings).",
    )
    return X[keep], None if y is None else y[keep]


def _read_runs(X: Signals, picks: Picks) -> EEGArray:
    """Recordings as an array of runs."""
    if is_raw(X):
        from mne import pick_info

        chosen = channel_picks(X.info, picks)
        info = pick_info(X.info, chosen)
        out = EEGArray(projected(X).get_data(picks=chosen)[np.newaxis], sfreq=info["sfreq"],
                       ch_names=info["ch_names"], info=info)
        out.metadata.attrs["left_out_bads"] = left_out_bads(X.info, chosen)
        return out
    if picks is not None:
        if not is_epochs(X):
            raise TypeError(
                "SlidingWindows.explode: picks chooses channels of mne.io.Raw and mne.Epochs; "
                f"index the channels of a {type(X).__name__} instead."
            )
        X = EEGArray.from_epochs(X, picks)
    X = as_eeg(X)
    if isinstance(X, EEGArray) and X.ndim == 3:
        # An epoch's event says nothing of the windows cut from it.
        events = [name for name in X.metadata if str(name).startswith("event_")]
        table = X.metadata.drop(columns=events)
        bads = table.attrs.get("left_out_bads")
        table.attrs = {} if bads is None else {"left_out_bads": bads}
        return EEGArray(X, table, sfreq=X.sfreq, ch_names=X.ch_names, tmin=X.tmin, info=X.info)
    data = np.asarray(X)
    if data.ndim == 2:
        data = data[np.newaxis]
    if data.ndim != 3:
        raise ValueError(
            "SlidingWindows.explode takes (n_runs, n_channels, n_times), (n_channels, n_times) "
            f"or mne.io.Raw, got an array of shape {data.shape}."
        )
    return EEGArray(data, sfreq=getattr(X, "sfreq", None))


def _window_labels(
    y: np.ndarray, shape: tuple[int, ...], n_window: int, n_hop: int, label: str
) -> np.ndarray:
    n_runs, n_times = shape[0], shape[-1]
    n_windows = 1 + (n_times - n_window) // n_hop
    if n_runs == 1 and y.shape == (n_times,):
        y = y[np.newaxis]
    if y.shape == (n_runs,):
        return np.repeat(y, n_windows)
    if y.shape != (n_runs, n_times):
        raise ValueError(
            f"SlidingWindows.explode: y has shape {y.shape}; it needs one label per run, "
            f"{(n_runs,)}, or one a sample, {(n_runs, n_times)}."
        )
    if label == "last":
        return y[:, n_window - 1 :: n_hop].ravel()
    refuse_missing(y, "SlidingWindows.explode: y", "label='majority' counts them all")
    classes, codes = np.unique(y, return_inverse=True)
    parts = _windows(codes.reshape(y.shape), n_window, n_hop).reshape(-1, n_window)
    counts = np.stack([(parts == code).sum(axis=1) for code in range(len(classes))])
    return classes[counts.argmax(axis=0)]
