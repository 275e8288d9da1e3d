"""``skbci info``: what is in a recording, and what is wrong with it."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd

from skbci._process.quiet import quiet_mne
from skbci._usable import amplitudes, find_unusable, typical_amplitude
from skbci.cli._recordings import check_window, expand, of_xdf, read_one, window_settings
from skbci.cli._words import in_options, of_file
from skbci.datasets import bids_path_of, load_recording, open_recording
from skbci.eegarray import EEGArray

__all__ = ["info"]


def info(args: argparse.Namespace) -> None:
    """Print what each file holds and what the readers have to say of it.

    Raises
    ------
    ValueError, FileNotFoundError
        If a file cannot be read at all.
    """
    check_window(args)
    for place, path in enumerate(expand(args.files)):
        print("\n" * bool(place) + str(path))
        lines = _npz_lines(path) if path.suffix.lower() == ".npz" else _mne_lines(path, args)
        for name, text in lines:
            print(f"  {name:10} {text}")
        for text in _checks(path, args):
            print(f"  {text}")


def _mne_lines(path: Path, args: argparse.Namespace) -> list[tuple[str, str]]:
    """What MNE reads of the header and the events."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again with the checks
        raw = open_recording(path, bids_path_of(path), **of_xdf(args))
    if isinstance(raw, mne.BaseEpochs):
        epochs, n_times = raw, len(raw.times)
        counts = Counter({name: int((epochs.events[:, 2] == code).sum())
                          for name, code in epochs.event_id.items()})
        length = (f"{len(epochs)} epochs of {n_times} samples, {epochs.tmin:g} to "
                  f"{epochs.tmax:g} s, at {epochs.info['sfreq']:g} Hz")
        return [("length", length), *_header_lines(epochs.info), ("events", _counted(counts))]
    with quiet_mne():
        counts, source = _events(raw)
    units = sorted({str(unit) for unit in raw._orig_units.values()} - {"n/a", "NA"})
    rate = raw.info["sfreq"]
    length = f"{raw.n_times / rate:g} s at {rate:g} Hz ({raw.n_times} samples)"
    where = f"; in the file {', '.join(units)}" if units else ""
    return [("length", length), *_header_lines(raw.info), ("unit", f"volts as read{where}"),
            ("events", f"{_counted(counts)}{source}")]


def _header_lines(header: mne.Info) -> list[tuple[str, str]]:
    kinds = Counter(header.get_channel_types())
    names = header["ch_names"]
    shown = " ".join(names[:24]) + (f" ... ({len(names)})" if len(names) > 24 else "")
    lines = [("channels", f"{', '.join(f'{n} {kind}' for kind, n in kinds.items())}: {shown}"),
             ("bad", " ".join(header["bads"]) or "none marked")]
    if header["highpass"] or header["lowpass"] < header["sfreq"] / 2:
        lines.append(("filter", f"{header['highpass']:g} to {header['lowpass']:g} Hz"))
    return lines


def _events(raw: mne.io.BaseRaw) -> tuple[Counter, str]:
    texts = Counter(map(str, raw.annotations.description))
    if texts:
        return texts, " (annotations)"
    if "stim" not in raw.get_channel_types():
        return Counter(), ""
    found = mne.find_events(raw, shortest_event=1)
    return Counter(map(str, found[:, 2].tolist())), " (stimulus channel)"


def _counted(counts: Counter) -> str:
    return ", ".join(f"{name} x {n}" for name, n in sorted(counts.items())) or "none"


def _npz_lines(path: Path) -> list[tuple[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bunch = load_recording(path)
    X, rate = bunch.X, bunch.sfreq
    names = bunch.ch_names or []
    known = dict(bunch.get("label_names") or {})
    if bunch.y is not None:
        labels: Any = np.asarray(bunch.y).tolist()
    else:
        events = bunch.get("events", pd.DataFrame())
        labels = [] if "label" not in events else events["label"].tolist()
    at = "" if rate is None else f" at {rate:g} Hz"
    return [
        ("length", f"{' x '.join(map(str, X.shape))} (rows first){at}"),
        ("channels", f"{len(names)}: {' '.join(names[:24])}"),
        ("events", _counted(Counter(str(known.get(label, label)) for label in labels))),
    ]


def _checks(path: Path, args: argparse.Namespace) -> list[str]:
    """Read the epochs as the other commands would, and collect what is said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            X, y = read_one(path, **window_settings(args))
        except ValueError as error:
            end = [f"no epochs  {in_options(error)}"]
        else:
            end = _epoch_lines(X, y)
    said = dict.fromkeys(of_file(in_options(one.message))[1] for one in caught)
    return [*(f"warning    {text}" for text in said), *end]


def _epoch_lines(X: EEGArray, y: np.ndarray) -> list[str]:
    data = np.asarray(X)
    stop = X.tmin + data.shape[2] / X.sfreq
    who = X.metadata[[c for c in ("subject", "session", "run") if c in X.metadata]]
    first = ", ".join(f"{name} {', '.join(map(str, who[name].unique()))}" for name in who)
    lines = [f"epochs     {_counted(Counter(y.tolist()))}; {data.shape[1]} channels, "
             f"{X.tmin:g} to {stop:g} s; {first}"]
    if not np.isfinite(data).all():
        broken = np.flatnonzero(~np.isfinite(data).all(axis=(1, 2)))
        return [*lines, f"warning    NaN or infinity in {len(broken)} epochs, first in number "
                f"{broken[0]}"]
    amplitude = amplitudes(data)
    found = find_unusable(amplitude, typical_amplitude(amplitude))
    if not found.rows.any():
        return [*lines, "usable     all epochs have signal in all channels"]
    channels = np.array(X.ch_names)[found.channels.any(axis=0)]
    shown = " ".join(channels[:8]) + (" ..." if len(channels) > 8 else "")
    return [*lines, f"warning    {int(found.rows.sum())} of {len(data)} epochs have channels "
            f"without usable signal ({shown}); "
            "decoders set them aside and predict the prior there"]
