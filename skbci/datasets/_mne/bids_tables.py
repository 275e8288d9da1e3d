"""Where the tables of a BIDS data set contradict the recording or themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from skbci._warning import warn
from skbci.datasets._units import in_volts

if TYPE_CHECKING:
    from mne.io import BaseRaw
    from mne_bids import BIDSPath

__all__ = ["doubt_tables"]

_MISSING = ("n/a", "nan", "NaN", "")


def doubt_tables(bids_path: BIDSPath, raw: BaseRaw) -> None:
    """Warn of what a recording's tables say otherwise than its header, which counts.

    That is the sampling rate (``channels.tsv``, ``eeg.json``), the channels' units, and the
    samples of events where they are not at the onsets. Rows of ``events.tsv`` without onset or
    type, which mne-bids leaves out, are counted.

    Warns
    -----
    UserWarning
        One for each of them.
    """
    said = [
        *_channels(_sidecar(bids_path, "channels", ".tsv"), raw),
        *_description(_sidecar(bids_path, bids_path.datatype, ".json"), raw),
        *_events(_sidecar(bids_path, "events", ".tsv"), raw),
    ]
    for text in said:
        warn(text)


def _sidecar(bids_path: BIDSPath, suffix: str, extension: str) -> Path | None:
    return bids_path.find_matching_sidecar(suffix=suffix, extension=extension, on_error="ignore")


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError):  # mne-bids has its say about such a table
        return pd.DataFrame()


def _numbers(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)


def _channels(path: Path | None, raw: BaseRaw) -> Iterator[str]:
    table = _table(path) if path else pd.DataFrame()
    if "name" not in table:
        return
    sfreq = float(raw.info["sfreq"])
    if "sampling_frequency" in table:
        rates = _numbers(table["sampling_frequency"])
        for rate in np.unique(rates[np.isfinite(rates) & ~np.isclose(rates, sfreq)]):
            whose = ", ".join(table["name"][rates == rate])
            yield (f"{path} states {rate:g} Hz for {whose}, the recording itself {sfreq:g} Hz, "
                   "which was used.")
    if "units" not in table:
        return
    own = getattr(raw, "_orig_units", None) or {}
    eeg = set(np.array(raw.ch_names)[[kind == "eeg" for kind in raw.get_channel_types()]])
    for stated, rows in table[table["name"].isin(eeg)].groupby("units"):
        if stated in _MISSING:
            continue
        names = list(rows["name"])
        try:
            volts = in_volts(stated, "units")
        except ValueError:
            yield (f"{path} states the unit {stated!r} for {', '.join(names)}, which is no "
                   "voltage that is understood (V, mV, uV, nV); the recording's own was used.")
            continue
        others = [name for name in names if _differs(own.get(name), volts)]
        if others:
            yield (f"{path} states the unit {stated!r} for {', '.join(others)}, the recording "
                   f"itself {own[others[0]]!r}, which was used.")


def _differs(unit: str | None, volts: float | None) -> bool:
    """Whether a recording's own unit is another one, as far as both are known."""
    try:
        known = in_volts(unit, "unit")
    except ValueError:
        return False
    return known is not None and volts is not None and not np.isclose(known, volts, atol=0)


def _description(path: Path | None, raw: BaseRaw) -> Iterator[str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig")) if path else {}
        rate = float(content.get("SamplingFrequency", raw.info["sfreq"]))
    except (ValueError, TypeError, AttributeError):
        return
    if not np.isclose(rate, raw.info["sfreq"]):
        yield (f"{path} states {rate:g} Hz, the recording itself {raw.info['sfreq']:g} Hz, which "
               "was used.")


def _events(path: Path | None, raw: BaseRaw) -> Iterator[str]:
    table = _table(path) if path else pd.DataFrame()
    if "onset" not in table:
        return
    untimed = table["onset"].isin(_MISSING).to_numpy()
    nameless = np.array(table["trial_type"] == "n/a" if "trial_type" in table else 0 * untimed)
    # Where no event has a type, mne-bids goes by the codes.
    unnamed = nameless.astype(bool) & ~untimed & (not nameless.all())
    for rows, what in ((untimed, "onset"), (unnamed, "trial_type")):
        if rows.any():
            yield (f"{path}: {int(rows.sum())} of {len(table)} events were left out, since their "
                   f"{what} is missing.")
    if "sample" in table:
        sfreq = float(raw.info["sfreq"])
        apart = np.abs(_numbers(table["sample"]) - _numbers(table["onset"]) * sfreq)
        # A table may count samples from one.
        off = np.isfinite(apart) & (apart > 1.5)
        if off.any():
            first = table.loc[off].iloc[0]
            yield (f"{path}: {int(off.sum())} of {len(table)} events have a sample that is not at "
                   f"their onset, the first {first['sample']} at {first['onset']} s, at "
                   f"{sfreq:g} Hz; the onsets were used.")
