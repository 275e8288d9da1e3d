"""Blocks of features of what a recording holds besides the claimed signal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.fft
from scipy.signal import get_window

from skbci._eegarray.table import onset_seconds

__all__ = ["BANDS", "Block", "Layout", "amplitude_outliers", "channel_groups", "signal_blocks",
           "time_windows"]

SLOW = "slow"
BANDS = {
    SLOW: (0.3, 4.0), "theta": (4.0, 7.0), "mu": (8.0, 13.0), "beta": (14.0, 30.0),
    "gamma": (31.0, 45.0),
}
BEFORE = "before the cue"
_STEPS = {SLOW: 0.125, "theta": 0.0625}  # s, of the means of what is read as a wave
_GUARD = 0.25  # s before the cue that a zero-phase filter reaches into from behind it
_WINDOW = 1.0  # s
_MOST_WINDOWS = 6
# A source's own filter has taken a band away where the band has less than this share of the
# density that a 1/f spectrum would not fall below, relative to the band named.
_ABSENT = {SLOW: ("mu", 0.05), "theta": ("mu", 0.01), "gamma": ("beta", 1e-3)}
_GROUPS = {
    "frontal/ocular": r"(NZ|N\d+|FP|AF|F)(\d+|Z)?",
    "temporal": r"(FT|T|TP|A|M)\d+",
    "central": r"(FC|C|CP)(\d+|Z)",
    "parieto-occipital": r"(P|PO|O|I)(\d+|Z)",
    "EOG": r".*EOG.*|EYE.*|L?OC|R?OC|[VH]E[LOR]?",
}


@dataclass(frozen=True)
class Block:
    """Features of one band, window and group of channels."""

    band: str
    window: str
    group: str
    channels: np.ndarray
    data: np.ndarray  # (n_rows, n_features)


@dataclass(frozen=True)
class Layout:
    """How an epoch is cut up."""

    sfreq: float
    windows: dict[str, slice]
    groups: dict[str, np.ndarray]
    bands: dict[str, tuple[float, float]]


def channel_groups(ch_names: Sequence[str] | None, n_channels: int) -> dict[str, np.ndarray]:
    """Channels by region, after the names of the 10-05 system.

    Returns
    -------
    dict of str to ndarray of int
        Empty where no name is known; channels of unknown names are in no group.
    """
    if ch_names is None:
        return {}
    spelled = [re.sub(r"^EEG[ _-]*|[ ._-]+(REF|LE|AVG)?$", "", n.upper()) for n in ch_names]
    spelled = [name.strip(" .-_") for name in spelled]
    order = ["EOG", "frontal/ocular", "temporal", "central", "parieto-occipital"]
    found: dict[str, list[int]] = {name: [] for name in order}
    for channel, name in enumerate(spelled[:n_channels]):
        group = next((g for g in order if re.fullmatch(_GROUPS[g], name)), None)
        if group is not None:
            found[group].append(channel)
    return {name: np.array(channels) for name, channels in found.items() if channels}


def time_windows(n_times: int, sfreq: float, tmin: float) -> dict[str, slice]:
    """Windows of about a second: the time before the cue, then one after the other.

    Names tell seconds relative to the cue.
    """
    cue = int(np.clip(round(-tmin * sfreq), 0, n_times))
    windows: dict[str, slice] = {}
    before = cue - round(_GUARD * sfreq)
    if before >= round(0.25 * sfreq):
        windows[BEFORE] = slice(max(0, before - round(_WINDOW * sfreq)), before)
    left = n_times - cue
    if left < 2:
        return windows
    count = int(np.clip(round(left / (_WINDOW * sfreq)), 1, _MOST_WINDOWS))
    if left < _WINDOW * sfreq:  # short epochs, as those of event-related potentials
        count = max(1, int(left / (0.25 * sfreq)))
    edges = cue + np.linspace(0, left, count + 1).round().astype(int)
    for start, stop in zip(edges[:-1], edges[1:]):
        first, last = tmin + start / sfreq, tmin + stop / sfreq
        windows[f"{_seconds(first)}-{_seconds(last)} s"] = slice(int(start), int(stop))
    return windows


def _seconds(value: float) -> str:
    return f"{round(value, 2) + 0.0:g}"


def present_bands(data: np.ndarray, sfreq: float) -> tuple[dict[str, tuple[float, float]], list]:
    """Bands that the rate can show and that the recording's own filter left in.

    Returns
    -------
    bands : dict
    absent : list of str
        Names of the bands that are not there.
    """
    length = data.shape[-1]
    freqs = scipy.fft.rfftfreq(length, 1 / sfreq)
    taper = get_window("hann", length)
    step = max(1, len(data) // 200)  # some rows say as much as all
    rows = data[::step]
    rows = rows - rows.mean(axis=-1, keepdims=True)
    density = np.median(np.abs(scipy.fft.rfft(rows * taper, axis=-1)) ** 2, axis=(0, 1))
    bands, absent, level = {}, [], {}
    for name, (low, high) in BANDS.items():
        high = min(high, 0.45 * sfreq)
        inside = (freqs >= low) & (freqs <= high)
        if high <= low + 1 or not inside.any():
            absent.append(name)
            continue
        bands[name] = (low, high)
        level[name] = float(np.median(density[inside]))
    for name, (other, share) in _ABSENT.items():
        if name in bands and other in level and level[name] < share * level[other]:
            del bands[name]
            absent.append(name)
    return bands, absent


def signal_blocks(data: np.ndarray, layout: Layout) -> list[Block]:
    """Features of every band, window and group.

    The slow and the theta band give means over 125 and 62.5 ms of the filtered signal, which
    evoked potentials show in; all but the slow band give the logarithm of their power.

    Parameters
    ----------
    data : ndarray, shape (n_rows, n_channels, n_times)
    layout : Layout

    Returns
    -------
    list of Block
    """
    groups = layout.groups or {"all": np.arange(data.shape[1])}
    blocks = []
    from skbci.features import FilterBank  # brings pyplot, which nobody may want to draw with

    waves = [band for band in _STEPS if band in layout.bands]
    filtered = {}
    if waves:
        bank = FilterBank([layout.bands[band] for band in waves], sfreq=layout.sfreq, order=3)
        filtered = dict(zip(waves, np.moveaxis(np.asarray(bank.fit_transform(data)), 1, 0)))
    for window, span in layout.windows.items():
        for band, values in _window_features(data, filtered, span, layout).items():
            blocks += [
                Block(band, window, group, channels, values[:, channels].reshape(len(data), -1))
                for group, channels in groups.items()
            ]
    return blocks


def _window_features(
    data: np.ndarray, filtered: dict[str, np.ndarray], span: slice, layout: Layout
) -> dict[str, np.ndarray]:
    """Of each band: (n_rows, n_channels, n_features of the window)."""
    found: dict[str, list[np.ndarray]] = {band: [] for band in layout.bands}
    for band, signal in filtered.items():
        part = signal[..., span]
        pieces = max(1, round(part.shape[-1] / (_STEPS[band] * layout.sfreq)))
        edges = np.linspace(0, part.shape[-1], pieces + 1).round().astype(int)
        found[band].append(np.add.reduceat(part, edges[:-1], axis=-1) / np.diff(edges))
    part = data[..., span]
    part = part - part.mean(axis=-1, keepdims=True)
    power = np.abs(scipy.fft.rfft(part * get_window("hann", part.shape[-1]), axis=-1)) ** 2
    freqs = scipy.fft.rfftfreq(part.shape[-1], 1 / layout.sfreq)
    for band, (low, high) in layout.bands.items():
        inside = (freqs >= low) & (freqs <= high)
        if band != SLOW and inside.any():
            level = power[..., inside].mean(axis=-1, keepdims=True)
            floor = np.finfo(float).tiny + 1e-6 * np.median(level)
            found[band].append(np.log(np.maximum(level, floor)))
    return {band: np.concatenate(parts, axis=-1) for band, parts in found.items() if parts}


def amplitude_outliers(data: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Compute how far each row lies outside its subject's usual amplitudes, and nothing else.

    Parameters
    ----------
    data : ndarray, shape (n_rows, n_channels, n_times)
    subjects : ndarray of int, shape (n_rows,)

    Returns
    -------
    ndarray, shape (n_rows, 4)
        Largest and mean excess over channels, of the peak-to-peak amplitude and of the steepest
        step; zero for a row within three robust standard deviations of its subject's median.
    """
    size = np.log(np.ptp(data, axis=-1) + np.finfo(float).tiny)
    step = np.log(np.abs(np.diff(data, axis=-1)).max(axis=-1) + np.finfo(float).tiny)
    columns = []
    for values in (size, step):
        excess = np.zeros_like(values)
        for subject in np.unique(subjects):
            own = values[subjects == subject]
            middle = np.median(own, axis=0)
            spread = 1.4826 * np.median(np.abs(own - middle), axis=0) + 1e-12
            excess[subjects == subject] = np.maximum((own - middle) / spread - 3.0, 0.0)
        excess = np.log1p(excess)
        columns += [excess.max(axis=1), excess.mean(axis=1)]
    return np.column_stack(columns)


def within_subject(values: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Features centred and scaled by the rows of each subject."""
    out = np.array(values, dtype=float)
    for subject in np.unique(subjects):
        rows = subjects == subject
        out[rows] -= out[rows].mean(axis=0)
        spread = out[rows].std(axis=0)
        out[rows] /= np.where(spread > 0, spread, 1.0)
    return out


def order_features(table: pd.DataFrame | None, n_rows: int, codes: np.ndarray) -> dict[str, Any]:
    """Run and place of each row in the order of time.

    Parameters
    ----------
    table : DataFrame or None
        The rows' table.
    n_rows : int
    codes : ndarray of int, shape (n_rows,)
        Which run of which recording a row is from.

    Returns
    -------
    dict of str to ndarray, shape (n_rows, n)
        ``"run"`` where there are several, and ``"onset"``: place in the run, and seconds where
        they are known.
    """
    found: dict[str, Any] = {}
    place = np.zeros(n_rows)
    for code in np.unique(codes):
        rows = codes == code
        place[rows] = np.arange(rows.sum())
    columns = [place]
    if table is not None and "onset" in table:
        onset = onset_seconds(table["onset"].to_numpy())
        columns.append(np.where(np.isfinite(onset), onset, -1.0))
    found["onset"] = np.column_stack(columns)
    if table is not None:
        labels = [c for c in ("session", "run") if c in table and table[c].nunique() > 1]
        if labels:
            found["run"] = np.column_stack([pd.factorize(table[c], sort=False)[0] for c in labels])
    return found
