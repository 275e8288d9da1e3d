"""Recordings of the Lab Streaming Layer: XDF files of signals and markers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mne
import numpy as np

from skbci._checks import check_distinct
from skbci._process.quiet import quiet_mne
from skbci._warning import warn
from skbci.datasets._mne.reasons import reason
from skbci.datasets._mne.stamps import even_stamps
from skbci.datasets._units import in_volts

# A stream as pyxdf gives it: its header and samples.
Stream = dict[str, Any]

__all__ = ["read_xdf"]

_TYPES = ("eeg", "eog", "ecg", "emg", "stim", "misc", "ecog", "seeg", "resp", "gsr")
_MARKERS = ("marker", "markers", "events", "stim")
_RATE_OFF = 0.01  # how far, relatively, samples may come at another rate than is stated


def read_xdf(
    path: Path, stream: str | None = None, marker_stream: str | None = None,
    unit: str | None = None,
) -> mne.io.BaseRaw:
    """Read one signal stream of an XDF file, with the markers as annotations.

    Parameters
    ----------
    path : Path
    stream, marker_stream : str, optional
        Names of the streams, where there are several.
    unit : str, optional
        Unit of the samples where the file does not state it.

    Returns
    -------
    mne.io.RawArray
        In volts. Markers are at the nearest sample, those of a trigger channel where it takes
        another value than zero; where samples are missing, an annotation "BAD boundary" keeps
        windows from crossing.

    Raises
    ------
    ImportError
        If pyxdf is not installed.
    ValueError
        If the file is damaged, there is not exactly one such stream, its rate is irregular, its
        time stamps run back, or the markers' stream holds a signal.

    Warns
    -----
    UserWarning
        If the unit is not stated, the file was cut short, or markers have no sample.
    """
    streams = _load(path)
    signal = _chosen(path, streams, stream, "stream", "signal", _is_eeg)
    marks = _chosen(path, streams, marker_stream, "marker_stream", "marker", _is_marker)
    data, stamps = np.asarray(signal["time_series"]), np.asarray(signal["time_stamps"])
    name = _text(signal, "name")
    if data.ndim != 2 or data.dtype.kind not in "iuf" or len(stamps) < 2:
        raise ValueError(f"{path}: the stream {name!r} holds no signal of at least two samples.")
    stamps, own_rate = even_stamps(stamps)
    sfreq = _rate(path, name, signal, stamps, own_rate)
    volts = data.T * _factors(path, signal, data.shape[1], unit)[:, np.newaxis]
    info = _info(path, signal, data.shape[1], sfreq)
    with quiet_mne():
        raw = mne.io.RawArray(volts, info)
    _warn_if_cut_short(path, signal, len(stamps))
    # Neighbours that are more than a sample and a half apart have others missing between them.
    gaps = np.flatnonzero(np.diff(stamps) > 1.5 / sfreq)
    at, texts = _nearest(path, marks, stamps, sfreq)
    onsets = np.concatenate([at / sfreq, (gaps + 1) / sfreq])
    with quiet_mne():
        raw.set_annotations(mne.Annotations(onsets, 0.0, [*texts, *["BAD boundary"] * len(gaps)]))
    return raw


def _load(path: Path) -> list[Stream]:
    try:
        import pyxdf
    except ImportError as error:
        raise ImportError(
            f'{path}: XDF files need pyxdf, which is not installed: pip install "skbci[xdf]"'
        ) from error
    try:
        # Its straight lines through the stamps go across gaps of less than a second.
        streams = pyxdf.load_xdf(path, dejitter_timestamps=False)[0]
    except Exception as error:  # pyxdf fails in many ways at damaged files
        raise ValueError(
            f"{path} is not an XDF file, or it is damaged: {reason(error)}."
        ) from error
    if not streams:
        raise ValueError(f"{path} holds no streams.")
    return streams


def _text(stream: Stream, key: str) -> str:
    found = stream["info"].get(key) or [""]
    return str(found[0] or "")


def _is_eeg(stream: Stream) -> bool:
    return _text(stream, "type").lower() == "eeg"


def _is_marker(stream: Stream) -> bool:
    kind = _text(stream, "type").lower()
    return _text(stream, "channel_format") == "string" or kind in _MARKERS


def _chosen(
    path: Path, streams: Sequence[Stream], wanted: str | None, parameter: str, kind: str,
    fits: Callable[[Stream], bool],
) -> Stream:
    """The only stream of a kind, or the one of a name."""
    listed = ", ".join(
        f"{_text(one, 'name')!r} ({_text(one, 'type') or 'no type'}, {len(one['time_stamps'])} "
        "samples)" for one in streams
    )
    if wanted is not None:
        found = [one for one in streams if _text(one, "name") == wanted]
        if len(found) != 1:
            n = len(found) or "no"
            raise ValueError(
                f"{path}: {parameter}={wanted!r}: {n} streams have this name; it has {listed}."
            )
        return found[0]
    found = [one for one in streams if fits(one)]
    if len(found) > 1:  # one of several that nothing came through decides nothing
        found = [one for one in found if len(one["time_stamps"])] or found
    if len(found) != 1:
        what = "no EEG stream" if kind == "signal" else "no marker stream"
        if found:
            what = f"{len(found)} {'EEG' if kind == 'signal' else 'marker'} streams"
        raise ValueError(
            f"{path} has {what}: choose one with {parameter}=...; it has {listed}."
        )
    return found[0]


def _rate(path: Path, name: str, signal: Stream, stamps: np.ndarray, own: float) -> float:
    stated = float(_text(signal, "nominal_srate") or 0)
    steps = np.diff(stamps)
    if not stated > 0:
        raise ValueError(
            f"{path}: the stream {name!r} has no regular sampling rate; epochs need one."
        )
    if (steps < -0.5 / stated).any():
        at = int(np.argmin(steps)) + 1
        raise ValueError(
            f"{path}: the time stamps of the stream {name!r} run back by {-steps.min():.3g} s at "
            f"sample {at}: nobody knows which samples its markers belong to."
        )
    if abs(own / stated - 1) > _RATE_OFF or (steps < 0.5 / stated).mean() > 0.05:
        raise ValueError(
            f"{path}: the stream {name!r} states {stated:g} Hz, but its samples come at an "
            f"irregular rate, or another one ({own:.4g} Hz)."
        )
    return stated


def _channels(signal: Stream) -> list[dict[str, str]]:
    desc = (signal["info"].get("desc") or [None])[0] or {}
    channels = (desc.get("channels") or [None])[0] or {}
    return [
        {key: str(value[0] or "") for key, value in channel.items() if isinstance(value, list)}
        for channel in channels.get("channel") or []
    ]


def _info(path: Path, signal: Stream, n_channels: int, sfreq: float) -> mne.Info:
    channels = _channels(signal)
    if channels and len(channels) != n_channels:
        raise ValueError(
            f"{path}: the stream {_text(signal, 'name')!r} describes {len(channels)} channels and "
            f"holds {n_channels}."
        )
    names = [
        channel.get("label") or channel.get("name") or f"EEG{at:03d}"
        for at, channel in enumerate(channels or [{}] * n_channels)
    ]
    check_distinct(names, "channel labels", str(path))
    kinds = [channel.get("type", "").strip() for channel in channels or [{}] * n_channels]
    kinds = [kind.lower() or "eeg" for kind in kinds]
    kinds = [kind if kind in _TYPES else "misc" for kind in kinds]
    return mne.create_info(names, sfreq, kinds)


def _factors(path: Path, signal: Stream, n_channels: int, unit: str | None) -> np.ndarray:
    stated = [channel.get("unit") for channel in _channels(signal)] or [None] * n_channels
    kinds = _info(path, signal, n_channels, 1.0).get_channel_types()
    factors = np.ones(n_channels)
    unknown = 0
    for at, (own, kind) in enumerate(zip(stated, kinds)):
        if kind in ("misc", "stim", "resp", "gsr"):  # no voltages
            continue
        factor = in_volts(own if unit is None else unit, "unit" if unit else f"{path}: unit")
        unknown += factor is None
        factors[at] = 1e-6 if factor is None else factor
    if unknown:
        warn(
            f"{path}: the stream {_text(signal, 'name')!r} does not state the unit of {unknown} "
            "channels; they are taken for microvolts. State it: unit='uV', or whatever it is.",
        )
    return factors


def _warn_if_cut_short(path: Path, signal: Stream, n: int) -> None:
    """Warn where the file ends before the stream did, or does not say whether it does."""
    footer = (signal.get("footer") or {}).get("info") or {}
    count = (footer.get("sample_count") or [None])[0]
    if count is None or int(count) > n:
        of = f"{n} samples" if count is None else f"{n} of {count} samples"
        warn(
            f"{path} is cut short, or its recorder did not end: {of} of the stream "
            f"{_text(signal, 'name')!r} are there and were kept.",
        )


def _nearest(
    path: Path, marks: Stream, stamps: np.ndarray, sfreq: float
) -> tuple[np.ndarray, list[str]]:
    """Number of the sample nearest to each marker, and the markers' texts."""
    rows = [list(np.atleast_1d(row)) for row in marks["time_series"]]
    times = np.asarray(marks["time_stamps"], dtype=np.float64)
    if (own := _pulses(path, marks, times)) is not None:
        rows, times = [rows[at] for at in own], times[own]
    texts = ["/".join(_spelled(value) for value in row) for row in rows]
    right = np.clip(np.searchsorted(stamps, times), 1, len(stamps) - 1)
    at = right - (times - stamps[right - 1] < stamps[right] - times)
    off = np.abs(stamps[at] - times) > 1.0 / sfreq
    if off.any():
        warn(
            f"{path}: {int(off.sum())} of {len(times)} markers were left out, since no sample was "
            "recorded at their time.",
        )
    kept = [row for row in range(len(texts)) if not off[row] and texts[row]]
    return at[kept], [texts[row] for row in kept]


def _pulses(path: Path, marks: Stream, times: np.ndarray) -> list[int] | None:
    """Samples at which a trigger channel takes another value than zero; None of markers.

    Raises
    ------
    ValueError
        If there are several channels, or values between whole numbers, as of a signal.
    """
    stated = float(_text(marks, "nominal_srate") or 0)
    values = np.asarray(marks["time_series"])
    # Markers whose stream states a rate come seldom all the same.
    even = stated > 0 and len(times) > 2 and float(np.median(np.diff(times))) < 2 / stated
    if not even or values.dtype.kind not in "iuf":
        return None
    line = np.asarray(values, dtype=np.float64).reshape(len(times), -1)
    if line.shape[1] > 1 or (line != np.round(line)).any():
        raise ValueError(
            f"{path}: the stream {_text(marks, 'name')!r} holds {line.shape[1]} channels at "
            f"{stated:g} Hz, which are no markers."
        )
    changed = np.diff(line[:, 0], prepend=0) != 0
    return [int(at) for at in np.flatnonzero(changed & (line[:, 0] != 0))]


def _spelled(value: object) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
