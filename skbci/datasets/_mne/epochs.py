"""Epochs from whatever MNE reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import mne
import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._checks import check_names, check_positive
from skbci._checks.labels import doubt_spelling
from skbci._eegarray.mne_exchange import event_onsets
from skbci._process.quiet import mne_level, quiet_mne
from skbci._recording.annotations import boundaries, crosses_bad
from skbci._recording.channels import channel_picks, left_out_bads
from skbci._recording.projections import projected
from skbci._recording.times import check_span, first_sample
from skbci._typing import EventId, PathLike, Picks
from skbci.datasets._bunch import make_bunch
from skbci.datasets._mne.bids import bids_path_of
from skbci.datasets._mne.doubts import doubt_eeg, doubt_types, say_left_out
from skbci.datasets._mne.events import chosen_epochs, raw_events
from skbci.datasets._mne.files import open_recording, whose
from skbci.eegarray import EEGArray

if TYPE_CHECKING:
    from mne import BaseEpochs
    from mne.io import BaseRaw

__all__ = ["read_epochs"]

_EDGE = "EDGE boundary, for the filter"


def read_epochs(
    path_or_raw: PathLike | BaseRaw | BaseEpochs,
    *,
    event_id: EventId = None,
    tmin: float = 0.0,
    tmax: float = 4.0,
    picks: Picks = None,
    exclude: Sequence[str] = (),
    l_freq: float | None = None,
    h_freq: float | None = None,
    resample: float | None = None,
    stim_channel: str | None = None,
    subject: str | int | None = None,
    session: str | int | None = None,
    run: str | int | None = None,
    task: str | None = None,
    stream: str | None = None,
    marker_stream: str | None = None,
    unit: str | None = None,
) -> Bunch:
    """Read a recording in any format that MNE knows, or XDF, and cut epochs around its events.

    Parameters
    ----------
    path_or_raw : path-like, mne_bids.BIDSPath, mne.io.BaseRaw or mne.BaseEpochs
        A continuous recording (FIF, EDF, BDF, GDF, BrainVision, EEGLAB ..., by the ending; XDF
        with the extra ``xdf``), a file of epochs (FIF or EEGLAB's), or an object already read,
        which is not changed. Of a file in a BIDS data set, events and channels are those of its
        tables, with the extra ``bids``.
    event_id : dict of str to int, str or sequence of str, optional
        The events to take, by default all. Names choose among the annotations (or the epochs'
        events). A dictionary gives annotations codes by their names, as in
        `mne.events_from_annotations`, and names the codes of a stimulus channel, of stored epochs,
        or that annotations state ("769", "Stimulus/S  1").
    tmin, tmax : float, default=0.0, 4.0
        Window around the event in seconds: from the first sample at or after ``tmin`` to the last
        one before ``tmax``. Stored epochs are cropped to it as far as they reach.
    picks : str or sequence of str or int, optional
        Channels to take: names, indices, or types as in MNE; "all" for all. By default the data
        channels (EEG, MEG ...) that are not marked bad. Of a type, those not marked bad.
    exclude : sequence of str, default=()
        Names of channels to leave out of these.
    l_freq, h_freq : float, optional
        Edges in Hz of a zero-phase filter (MNE's default FIR) applied before cutting, to each
        stretch between boundaries for itself.
    resample : float, optional
        New sampling rate in Hz, applied after cutting.
    stim_channel : str, optional
        Stimulus channel to take events from when there are no annotations; by default MNE's
        choice.
    subject, session, run, task : int or str, optional
        What the rows' table says. Else the table that stored epochs bring along says it; then
        the header, of the subject; then the names of the file and its folders, such as
        ``S001R04.edf``, ``A01T.gdf`` or ``sub-01_ses-2_run-3_eeg.edf``; else all but the task
        are 1, with a warning for the subject. The names in a BIDS data set come before the
        header, and state the task.
    stream, marker_stream : str, optional
        Of an XDF file, the names of the streams of signals and of markers, where there are several
        of type EEG, or several of markers.
    unit : {"V", "mV", "uV", "nV"}, optional
        Of an XDF file, the unit of the samples, where the file does not state it or is wrong.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_epochs, n_channels, n_times)
            In volts; ``X.to_epochs()`` gives them back to MNE.
        ``y`` : ndarray of str
            Names of the events.
        ``metadata`` : DataFrame
            Subject, session, run, onset (seconds from the start of the recording) where the epochs
            know it, task if given.
        ``sfreq``, ``ch_names``, ``DESCR``, ``event_id``
            Rate in Hz, names, text, the events' codes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If it is an XDF file, or a BIDSPath, and the extra is not installed, or MNE needs a
        package for its format that is not.
    ValueError
        If the file cannot be read, or names a file of its data or markers beside which one of its
        own name is there, an XDF file has not one stream of EEG at a regular rate and one
        of markers to choose, it has no events, ``event_id`` names events that are not
        there or contradicts those that are, or no window lies inside the recording.

    Warns
    -----
    UserWarning
        If events were left out, or share a sample; it says how many and why. If nothing says
        whose the recording is, ``exclude`` names a channel that is not there, or an EDF, BDF or
        GDF file is shorter than its header states, or holds channels of several rates or of other
        units than volts. If the tables of a BIDS data set contradict the recording. MNE's own
        warnings of reading come too.

    See Also
    --------
    load_recording : Read ``.npz`` recordings.
    load_bids : Read all recordings of a BIDS data set.

    Notes
    -----
    Epochs that touch an annotation starting with "bad" (as in MNE) or "edge", or that reach
    outside the recording, are left out, and a warning says how many.

    In discontinuous EDF files (EDF+D), where MNE puts records end to end, events are at the
    samples that were recorded at their time, and no window crosses a gap. Codes of BDF files are
    the lower 16 bits of the status channel; the others are the amplifier's state.

    In GDF files, events are counted at the rate that their table states, no window crosses the
    beginning of a segment (code 32766), and epochs that touch a rejected trial (1023) or samples
    that are marked as missing are left out.

    Epochs of EEGLAB have no onsets: their file counts events as if one epoch began where another
    ended.

    Examples
    --------
    >>> import mne
    >>> import numpy as np
    >>> from skbci.datasets import read_epochs
    >>> noise = np.random.default_rng(0).normal(0, 1e-5, (2, 2000))
    >>> raw = mne.io.RawArray(noise, mne.create_info(["C3", "C4"], 100, "eeg"), verbose="error")
    >>> raw = raw.set_annotations(mne.Annotations([2, 8], 0, ["left", "right"]))
    >>> data = read_epochs(raw, tmax=3, subject=1)
    >>> data.X.shape, data.y.tolist(), data.metadata["onset"].tolist()
    ((2, 2, 300), ['left', 'right'], [2.0, 8.0])
    """
    tmin, tmax = check_span(tmin, tmax, "read_epochs")
    exclude = check_names(exclude, "exclude", "read_epochs")
    if resample is not None:
        resample = check_positive(resample, "resample", "read_epochs", unit="Hz")
    if l_freq is not None and h_freq is not None and not l_freq < h_freq:
        raise ValueError(
            f"read_epochs: l_freq={l_freq!r} must be below h_freq={h_freq!r}: MNE would stop what "
            "is between them."
        )
    bids_path = bids_path_of(path_or_raw)
    if bids_path is not None and bids_path.root is not None:
        path_or_raw = bids_path.fpath
    source = open_recording(
        path_or_raw, bids_path, stream=stream, marker_stream=marker_stream, unit=unit
    )
    levels = whose(source, path_or_raw, subject, session, run, bids_path)
    task = levels.pop("task", None) if task is None else task
    where = path_or_raw if isinstance(path_or_raw, (str, os.PathLike)) else "the recording"
    chosen = channel_picks(source.info, picks, str(where), exclude)
    bads = left_out_bads(source.info, chosen)
    if picks is None:
        doubt_types(source.info, chosen, where)
    with quiet_mne():
        if isinstance(source, mne.BaseEpochs):
            epochs, onsets = _from_epochs(
                source, event_id, tmin, tmax, chosen, l_freq, h_freq, where
            )
        else:
            epochs, onsets = _from_raw(
                source, event_id, tmin, tmax, chosen, l_freq, h_freq, stim_channel, resample, where
            )
        if resample is not None:
            epochs = epochs.resample(resample)
        codes = {code: name for name, code in epochs.event_id.items()}
        y = np.array([codes[code] for code in epochs.events[:, 2]])
        given = {"subject": subject, "session": session, "run": run, "task": task}
        table = {**levels, "onset": onsets, "task": task}
        table = {name: values for name, values in table.items() if values is not None}
        epochs.metadata = _table(
            epochs, table, [name for name, value in given.items() if value is not None]
        )
        X = EEGArray.from_epochs(epochs, picks="all")
        X.metadata.attrs["left_out_bads"] = bads
        X = X[..., _inside(tmin, tmax, X.tmin, epochs.info["sfreq"], X.shape[2])]
    doubt_spelling(np.unique(y), f"{where}: the events")
    doubt_eeg(X, where)
    return make_bunch(X, y, event_id=dict(epochs.event_id),
                      description=f"Epochs of {where}, {tmin:g} to {tmax:g} s around the events.")


def _from_raw(
    raw: BaseRaw, event_id: EventId, tmin: float, tmax: float, picks: Picks, l_freq: float | None,
    h_freq: float | None, stim_channel: str | None, resample: float | None, where: object,
) -> tuple[BaseEpochs, np.ndarray]:
    events, names = raw_events(raw, event_id, stim_channel, where)
    raw = projected(raw)
    # MNE applies projections again to the channels that it cuts: of all, that changes nothing.
    cut = np.arange(len(raw.ch_names)) if raw.info["projs"] else picks
    _prepare(raw, cut, l_freq, h_freq)
    sfreq = float(raw.info["sfreq"])
    first, stop = first_sample(tmin, sfreq), first_sample(tmax, sfreq)
    if stop <= first:
        raise ValueError(
            f"No sample of {where} lies between tmin={tmin:g} and tmax={tmax:g} s: at {sfreq:g} "
            f"Hz one is taken every {1 / sfreq:g} s."
        )
    if resample is not None:
        # MNE rounds the new length: cut so much that it reaches the last sample before tmax.
        wanted = first_sample(tmax - first / sfreq, resample)
        while round((stop - first) * resample / sfreq) < wanted:
            stop += 1
    epochs = mne.Epochs(
        raw, events, names, tmin=first / sfreq, tmax=(stop - 1) / sfreq, baseline=None,
        preload=True, picks="all", on_missing="ignore",
    )
    if cut is not picks:
        epochs.pick(picks)
    starts = epochs.events[:, 0] - raw.first_samp + first
    edges = np.flatnonzero(crosses_bad(raw, starts, len(epochs.times)))
    epochs.drop(edges, reason="edge")
    if not len(epochs):
        raise ValueError(
            f"No event of {where} has {tmin:g} to {tmax:g} s around it inside the recording and "
            "free of 'bad' annotations."
        )
    say_left_out(epochs, where)
    return epochs, (epochs.events[:, 0] - raw.first_samp) / sfreq


def _from_epochs(
    epochs: BaseEpochs, event_id: EventId, tmin: float, tmax: float, picks: Picks,
    l_freq: float | None, h_freq: float | None, where: object,
) -> tuple[BaseEpochs, np.ndarray | None]:
    epochs, _ = chosen_epochs(epochs, event_id, where)
    _prepare(epochs, picks, l_freq, h_freq)
    sfreq = epochs.info["sfreq"]
    if _inside(tmin, tmax, epochs.tmin, sfreq, len(epochs.times)) == slice(0, 0):
        raise ValueError(
            f"The window {tmin:g} to {tmax:g} s lies outside the epochs of {where}, which last "
            f"from {epochs.tmin:g} to {epochs.tmax:g} s."
        )
    if epochs.metadata is not None and "onset" in epochs.metadata:
        return epochs, epochs.metadata["onset"].to_numpy()
    return epochs, event_onsets(epochs)


def _inside(tmin: float, tmax: float, t0: float, sfreq: float, n_times: int) -> slice:
    """Samples of the window, as far as rows that begin at t0 have them; (0, 0) where none."""
    first = max(0, first_sample(tmin - t0, sfreq))
    stop = min(n_times, first_sample(tmax - t0, sfreq))
    return slice(first, stop) if first < stop else slice(0, 0)


def _prepare(
    signal: BaseRaw | BaseEpochs, picks: Picks, l_freq: float | None, h_freq: float | None
) -> None:
    """Pick channels and filter them, in place."""
    signal.pick(picks)
    if l_freq is None and h_freq is None:
        return
    begins = boundaries(signal) if isinstance(signal, mne.io.BaseRaw) else []
    if begins:
        # MNE filters the stretches between these for themselves, and across other boundaries.
        onsets = np.array(begins) / signal.info["sfreq"] + signal.first_time
        signal.annotations.append(onsets, 0.0, _EDGE)
    with mne_level("WARNING"):  # which says where a filter is longer than the signal
        signal.filter(l_freq, h_freq, picks="all")
    if begins:
        signal.annotations.delete(np.flatnonzero(signal.annotations.description == _EDGE))


def _table(epochs: BaseEpochs, columns: dict[str, Any], given: list[str]) -> pd.DataFrame:
    """The rows' table; columns that stored epochs bring along win over all but given ones."""
    table = pd.DataFrame(columns, index=range(len(epochs)))
    if epochs.metadata is None:
        return table
    own = epochs.metadata.reset_index(drop=True)
    own = own.drop(columns=[name for name in given if name in own])
    return pd.concat([table.drop(columns=[c for c in table if c in own]), own], axis=1)
