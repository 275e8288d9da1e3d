"""An `EEGArray` from MNE's epochs, and epochs from an `EEGArray`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skbci._channels import channel_picks, left_out_bads

__all__ = ["array_from_epochs", "epochs_from_array"]

# Columns that keep an mne.Epochs' events, so that the way there and back loses nothing.
EVENT_COLUMNS = ("event_sample", "event_previous", "event_code")


def array_from_epochs(cls: Any, epochs: Any, picks: Any) -> Any:
    """Do the work of ``EEGArray.from_epochs``; ``cls`` is the class to make."""
    epochs = epochs if epochs.preload else epochs.copy().drop_bad(verbose="error")
    events = np.asarray(epochs.events)
    sfreq = float(epochs.info["sfreq"])
    # Events count samples of the recording, whatever epochs were resampled to afterwards.
    clock = float(np.ravel(getattr(epochs, "_raw_sfreq", None) or sfreq)[0])
    if epochs.metadata is None:
        table = pd.DataFrame(index=pd.RangeIndex(len(events)))
    else:
        table = epochs.metadata.reset_index(drop=True)
    for column, values in zip(EVENT_COLUMNS, events.T):
        table[column] = values
    added = "onset" not in table
    if added:
        table["onset"] = events[:, 0] / clock
    import mne

    chosen = channel_picks(epochs.info, picks, "the epochs")
    data, info = epochs.get_data(copy=False), mne.pick_info(epochs.info, chosen)
    if not np.array_equal(chosen, np.arange(data.shape[1])):
        data = data[:, chosen]
    out = cls(data, table, sfreq=sfreq, ch_names=info["ch_names"], tmin=epochs.tmin,
              info=info)
    out.metadata.attrs.update(
        event_id=dict(epochs.event_id), baseline=epochs.baseline, onset_from_events=added,
        left_out_bads=left_out_bads(epochs.info, chosen),
    )
    return out


def epochs_from_array(array: Any) -> Any:
    """Do the work of ``EEGArray.to_epochs``."""
    import mne

    if array.ndim != 3:
        raise ValueError(
            f"to_epochs needs (n_epochs, n_channels, n_times), got shape {array.shape}."
        )
    info = array.info
    if info is not None and array.ch_names is not None:
        info = mne.pick_info(info, mne.pick_channels(info["ch_names"], array.ch_names,
                                                     ordered=True))
    elif info is None:
        if array.sfreq is None:
            raise ValueError("to_epochs needs a sampling rate: give the EEGArray an sfreq.")
        names = array.ch_names or [f"EEG{i:03d}" for i in range(array.shape[1])]
        info = mne.create_info(names, array.sfreq, "eeg")
    table = array.metadata.copy()
    attrs = dict(array.metadata.attrs)
    if all(column in table for column in EVENT_COLUMNS):
        events = table[list(EVENT_COLUMNS)].to_numpy(dtype=int)
        table = table.drop(columns=list(EVENT_COLUMNS))
    else:
        n_times = array.shape[2]
        events = np.column_stack(
            [np.arange(len(array)) * n_times, np.zeros(len(array), int), np.ones(len(array), int)]
        )
    if attrs.get("onset_from_events"):
        table = table.drop(columns="onset", errors="ignore")
    event_id = attrs.get("event_id")
    if event_id is not None:
        event_id = {k: v for k, v in event_id.items() if v in events[:, 2]}
    table.attrs = {}
    epochs = mne.EpochsArray(
        np.asarray(array, dtype=float), info, events, tmin=array.tmin, event_id=event_id,
        metadata=table if table.shape[1] else None, verbose="error",
    )
    if attrs.get("baseline") is not None:
        epochs.baseline = attrs["baseline"]
    return epochs
