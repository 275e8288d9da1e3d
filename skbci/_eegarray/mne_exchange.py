"""An `EEGArray` from MNE's epochs, and epochs from an `EEGArray`."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skbci._checks import refusal
from skbci._eegarray.table import onset_seconds
from skbci._process.quiet import quiet_mne
from skbci._recording.channels import channel_picks, left_out_bads
from skbci._recording.kinds import is_epochs
from skbci._recording.restarts import refine, separate_restarts
from skbci._typing import Label, Picks

if TYPE_CHECKING:
    from mne import BaseEpochs, Info


__all__ = [
    "array_from_epochs", "array_from_list", "epochs_from_array", "event_onsets", "joined_table",
]

# Columns that keep an mne.Epochs' events, so that the way there and back loses nothing.
EVENT_COLUMNS = ("event_sample", "event_previous", "event_code")


def array_from_epochs(cls: Any, epochs: BaseEpochs, picks: Picks) -> Any:
    """Do the work of ``EEGArray.from_epochs``; ``cls`` is the class to make."""
    if not is_epochs(epochs):
        raise TypeError(refusal(epochs, "epochs", "EEGArray.from_epochs", "must be mne.Epochs"))
    if not epochs.preload:
        with quiet_mne():
            epochs = epochs.copy().drop_bad()
    events = np.asarray(epochs.events)
    sfreq, clock = float(epochs.info["sfreq"]), event_clock(epochs)
    if epochs.metadata is None:
        table = pd.DataFrame(index=pd.RangeIndex(len(events)))
    else:
        table = epochs.metadata.reset_index(drop=True)
    for column, values in zip(EVENT_COLUMNS, events.T):
        table[column] = values
    onsets = event_onsets(epochs) if "onset" not in table else None
    if onsets is not None:
        table["onset"] = onsets
    import mne

    chosen = channel_picks(epochs.info, picks, "the epochs")
    data, info = epochs.get_data(copy=False), mne.pick_info(epochs.info, chosen)
    if not np.array_equal(chosen, np.arange(data.shape[1])):
        data = data[:, chosen]
    out = cls(data, table, sfreq=sfreq, ch_names=info["ch_names"], tmin=epochs.tmin,
              info=info)
    out.metadata.attrs.update(
        event_id=dict(epochs.event_id), baseline=epochs.baseline, event_clock=clock,
        onset_from_events=onsets is not None,
        left_out_bads=left_out_bads(epochs.info, chosen),
    )
    return out


def epochs_from_array(array: Any) -> BaseEpochs:
    """Do the work of ``EEGArray.to_epochs``."""
    import mne

    if array.ndim != 3:
        raise ValueError(
            f"to_epochs needs (n_epochs, n_channels, n_times), got shape {array.shape}."
        )
    info = _info(array, mne)
    attrs = array.metadata.attrs
    clock = float(attrs.get("event_clock") or info["sfreq"])
    events, table, moved = _events(array, float(info["sfreq"]), clock)
    from_events = attrs.get("onset_from_events") and "onset" in table and not moved
    # MNE's events say it, unless somebody has changed it.
    if from_events and np.allclose(table["onset"].to_numpy(dtype=float), events[:, 0] / clock):
        table = table.drop(columns="onset")
    event_id = attrs.get("event_id")
    if event_id is not None:
        present = np.unique(events[:, 2]).tolist()
        event_id = {k: v for k, v in event_id.items() if v in present}
        event_id |= {str(code): code for code in present if code not in event_id.values()}
    table.attrs = {}
    with quiet_mne():
        epochs = mne.EpochsArray(
            np.asarray(array, dtype=float), info, events, tmin=array.tmin, event_id=event_id,
            metadata=table if table.shape[1] else None, proj=False,
        )
    epochs._raw_sfreq = clock  # what the events' samples were counted at; so MNE keeps it too
    if attrs.get("baseline") is not None:
        epochs.baseline = attrs["baseline"]
    return epochs


def event_clock(epochs: BaseEpochs) -> float:
    """Rate in Hz that the events' samples are counted at: the recording's.

    Epochs that were resampled or decimated keep the events of their recording.
    """
    return float(np.ravel(getattr(epochs, "_raw_sfreq", None) or epochs.info["sfreq"])[0])


def event_onsets(epochs: BaseEpochs) -> np.ndarray | None:
    """Seconds from the start of the recording to each epoch's event, or None where not known.

    Epochs from bare data have placeholders for events: the numbers of the epochs. Those of an
    EEGLAB file are counted as if one epoch began where another ended.
    """
    if type(epochs).__name__ == "EpochsEEGLAB":
        return None
    samples, selection = np.asarray(epochs.events)[:, 0], np.asarray(epochs.selection)
    if len(selection) == len(samples) and are_placeholders(samples, selection):
        return None
    return samples / event_clock(epochs)


def are_placeholders(samples: np.ndarray, selection: np.ndarray) -> bool:
    """Return whether event samples go on by one from epoch to epoch, as no recording's do.

    A single epoch does not tell. ``selection`` numbers the epochs before any were dropped.
    """
    if len(samples) < 2:
        return False
    return bool(np.mean(np.diff(samples) == np.diff(selection)) > 0.5)


def array_from_list(cls: Any, epochs: Sequence[BaseEpochs]) -> Any:
    """Return an array of many epochs objects, often of one epoch each, as scikit-learn's are."""
    arrays = [array_from_epochs(cls, one, None) for one in epochs]
    samples, selection = (
        np.concatenate(parts) for parts in
        ([one.events[:, 0] for one in epochs], [one.selection for one in epochs])
    )
    joined: Any = np.concatenate(arrays)
    if joined.metadata.attrs["onset_from_events"] and are_placeholders(samples, selection):
        del joined.metadata["onset"]
    return joined


def joined_table(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join the rows' tables of several arrays; events of one name get one code.

    Names keep the code that they have in the first table with them. Event samples are counted at
    the first table's rate.
    """
    event_id: dict[str, int] = {}
    used = {int(code) for table in tables for code in (table.attrs.get("event_id") or {}).values()}
    used |= {
        int(code) for table in tables if "event_code" in table
        for code in table["event_code"].dropna().unique()
    }
    clocks = [table.attrs.get("event_clock") for table in tables]
    clock = next((rate for rate in clocks if rate), None)
    parts = []
    for table, own_clock in zip(tables, clocks):
        renamed: dict[int, int] = {}
        for name, code in (table.attrs.get("event_id") or {}).items():
            if name not in event_id:
                taken = code in event_id.values()
                event_id[name] = max(used) + 1 if taken else code
                used.add(event_id[name])
            if event_id[name] != code:
                renamed[code] = event_id[name]
        changed = {}
        if renamed and "event_code" in table:
            changed["event_code"] = table["event_code"].map(lambda c, new=renamed: new.get(c, c))
        if own_clock and own_clock != clock and "event_sample" in table:
            changed["event_sample"] = (table["event_sample"] * (clock / own_clock)).round()
            changed["event_sample"] = changed["event_sample"].astype(table["event_sample"].dtype)
        parts.append(table.assign(**changed) if changed else table)
    joined = pd.concat(parts, ignore_index=True)
    for column in joined.columns:
        kept = _joined_order([part[column] for part in parts if column in part])
        if kept is not None and len(kept) == len(joined):
            joined[column] = kept
    first = tables[0].attrs
    joined.attrs = {
        key: value for key, value in first.items()
        if key != "baseline" or all(table.attrs.get(key) == value for table in tables)
    }
    joined.attrs.pop("event_id", None)
    if event_id:
        joined.attrs["event_id"] = event_id
    if clock:
        joined.attrs["event_clock"] = clock
    return joined


def _joined_order(columns: Sequence[pd.Series]) -> pd.Series | None:
    """Join ordered categoricals whose orders together make one; None where they do not.

    pandas would make text of those that have not all the same categories.
    """
    dtypes: list[Any] = [column.dtype for column in columns]
    if not all(isinstance(dtype, pd.CategoricalDtype) and dtype.ordered for dtype in dtypes):
        return None
    orders = [list(dtype.categories) for dtype in dtypes]
    if all(order == orders[0] for order in orders):
        return None  # pandas keeps it
    steps = {pair for order in orders for pair in zip(order, order[1:])}
    graph: dict[Label, set[Label]] = {name: set() for order in orders for name in order}
    for before, after in steps:
        graph[after].add(before)
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError:
        return None
    if not steps.issuperset(zip(order, order[1:])):
        return None  # nobody says which of two comes first
    every = pd.concat([column.astype(object) for column in columns], ignore_index=True)
    return pd.Series(pd.Categorical(every, categories=order, ordered=True))


def _info(array: Any, mne: ModuleType) -> Info:
    """Return measurement info of the array's channels, at its own rate."""
    if array.info is None:
        if array.sfreq is None:
            raise ValueError("to_epochs needs a sampling rate: give the EEGArray an sfreq.")
        names = array.ch_names or [f"EEG{i:03d}" for i in range(array.shape[1])]
        return mne.create_info(names, array.sfreq, "eeg")
    info = array.info
    if array.ch_names is not None:
        info = mne.pick_info(
            info, mne.pick_channels(info["ch_names"], array.ch_names, ordered=True)
        )
    if array.sfreq is not None and not np.isclose(info["sfreq"], array.sfreq):
        bads, montage = info["bads"], info.get_montage()
        info = mne.create_info(info["ch_names"], array.sfreq, info.get_channel_types())
        info["bads"] = bads
        with quiet_mne():
            info.set_montage(montage)
    return info


def _events(array: Any, sfreq: float, clock: float) -> tuple[np.ndarray, pd.DataFrame, bool]:
    """MNE's events, the table without them, and whether their samples are not the table's."""
    table, n_rows = array.metadata.copy(), len(array)
    known = table[[column for column in EVENT_COLUMNS if column in table]]
    table = table.drop(columns=list(known))
    onsets = onset_seconds(table["onset"].to_numpy()) if "onset" in table else None
    previous, codes = np.zeros(n_rows, dtype=int), np.ones(n_rows, dtype=int)
    if "event_code" in known:
        numbers = known["event_code"].astype(float)
        codes = numbers.fillna(numbers.max(skipna=True) + 1).fillna(1).astype(int).to_numpy()
    complete = len(known.columns) == len(EVENT_COLUMNS) and not known.isna().any(axis=None)
    if complete:
        samples, previous, codes = known.to_numpy(dtype=int).T
    # Epochs whose events were placeholders have no onsets.
    bare = onsets is None and array.metadata.attrs.get("onset_from_events") is False
    if not complete and onsets is not None and np.isfinite(onsets).all():
        samples = np.rint(onsets * clock).astype(int)
    elif not complete or bare:
        samples = np.arange(n_rows)  # placeholders, as MNE has them for bare data
        return np.column_stack([samples, previous, codes]), table, True
    window = array.shape[2] / sfreq
    apart = _one_after_another(samples, table, window, array.tmin + window - 1 / sfreq, clock)
    events = np.column_stack([apart, previous, codes])
    return events, table, not complete or bool((apart != samples).any())


def _one_after_another(
    samples: np.ndarray, table: pd.DataFrame, window: float, tmax: float, clock: float
) -> np.ndarray:
    """Put recordings on one axis of time, as `mne.concatenate_epochs` does, where they overlap."""
    recordings = np.zeros(len(samples), dtype=np.int64)
    for column in ("subject", "session", "run"):
        if column in table:
            recordings = refine(recordings, table[column].to_numpy())
    recordings = separate_restarts(recordings, samples / clock)
    order = np.argsort(recordings, kind="stable")
    again = (np.diff(samples[order]) <= 0) & (np.diff(recordings[order]) == 0)
    if len(np.unique(np.column_stack([recordings, samples]), axis=0)) < len(samples):
        # Two rows of a run at the same time: rows that are there twice, or runs without labels.
        stretch = np.zeros(len(samples), dtype=np.int64)
        stretch[order[1:]] = np.cumsum(again)
        recordings = refine(recordings, stretch)
    parts = [np.flatnonzero(recordings == code) for code in pd.unique(recordings)]
    spans = sorted((samples[rows].min(), samples[rows].max()) for rows in parts)
    length = round(window * clock)
    if all(later[0] >= earlier[1] + length for earlier, later in zip(spans, spans[1:])):
        return samples
    out, shift = samples.copy(), int((10 + tmax) * clock)
    offset = 0
    for rows in parts:
        out[rows] += offset
        offset += samples[rows].max() + shift
    return out if offset < np.iinfo(np.int32).max else np.arange(len(samples))
