"""Reading ``.npz`` recordings of any layout."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike
from sklearn.utils import Bunch

from skbci._checks import check_distinct, check_float_dtype, check_names, refusal
from skbci._recording.times import check_span
from skbci._typing import EventId, PathLike, Subset
from skbci._warning import warn
from skbci.datasets._npz.archive import Archive, find_files, open_archive
from skbci.datasets._npz.bunch_layout import FORMAT_KEY, read_bunch_layout
from skbci.datasets._npz.channels import bad_channels
from skbci.datasets._npz.continuous_layout import read_continuous_layout, run_keys
from skbci.datasets._npz.epochs_layout import read_epochs_layout
from skbci.datasets._npz.features_layout import read_features_layout
from skbci.datasets._npz.join import join_bunches
from skbci.datasets._npz.protocols import subject_unknown
from skbci.datasets._npz.samples_layout import read_samples_layout
from skbci.datasets._npz.tabular_layout import read_tabular_layout
from skbci.datasets._selection import Selection, as_list
from skbci.datasets._units import in_volts

__all__ = ["load_recording"]

WHO = "load_recording"
Reader = Callable[[Archive, Selection], Bunch]


def load_recording(
    path: PathLike | Sequence[PathLike],
    *,
    pattern: str = "*.npz",
    subjects: Subset = None,
    sessions: Subset = None,
    runs: Subset = None,
    picks: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    tmin: float | None = None,
    tmax: float | None = None,
    event_id: EventId = None,
    unit: str | None = None,
    dtype: DTypeLike | None = None,
) -> Bunch:
    """Load ``.npz`` recordings: epochs, continuous runs, features or tables.

    The layout is recognized by the arrays in the file; see Notes. Files are opened with
    ``allow_pickle=False``: loading cannot run code.

    Parameters
    ----------
    path : path-like or list of path-like
        A file, several files, or a folder. Several files are joined along the rows; their
        channels and sampling rates must agree.
    pattern : str, optional
        Which files of a folder to take, by default ``*.npz``.
    subjects, sessions, runs : value or sequence of values, optional
        Rows to keep, by the columns of the metadata. Every value must be in some file.
    picks : sequence of str, optional
        Channels to keep, in this order and spelling; upper and lower case are the same. By default
        all that are neither in ``bads`` nor of another type than data channels: by ``ch_types``
        or, where the file has none, by their names (EOG, ECG, STI ...), with a warning.
    exclude : sequence of str, default=()
        Names of channels to leave out of these.
    tmin, tmax : float, optional
        Both or none, in seconds, ``tmax`` excluded. Epochs are cropped; continuous runs are cut
        around their events.
    event_id : value or sequence of values, optional
        Codes or labels of the events around which continuous runs are cut; default all.
    unit : {"V", "mV", "uV", "nV"}, optional
        Unit of the stored values (times ``scale``), where the file does not state it or is wrong.
    dtype : dtype, optional
        Floating-point format of X. By default integers become float32, which holds 16-bit samples
        exactly, and floats stay as they are.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_rows, n_channels, n_times) or (n_rows, n_features)
            In volts, except features and tables, which are given as stored.
        ``y`` : ndarray or None
            Labels as stored, or the events' codes; None for continuous runs without a label each.
        ``metadata`` : DataFrame
            Those of subject, session, run, onset (seconds), task that are known.
        ``sfreq``, ``ch_names``, ``DESCR``
            Rate in Hz, names, the file's own description; None where unknown.
        ``label_names`` : dict
            What the labels mean, where the file says.
        ``events`` : DataFrame
            For continuous and sample-wise recordings: row of X, subject, session, run, onset
            (seconds) and sample in the run, code, label, duration (seconds) if known.
        ``meta`` : dict
            The file's own ``meta``.

        Features also have ``feature_names``, ``feature_rate`` (rows a second), ``window``
        (seconds of signal behind a row) and ``y_test8``; tables ``feature_names``,
        ``is_categorical``, ``categories``, ``target_names`` and ``n_train``. Other arrays of a
        file are passed on under their names.

    Raises
    ------
    FileNotFoundError
        If a file does not exist or nothing in the folder matches.
    ValueError
        If a file is corrupt, would grow out of proportion in memory, holds Python objects, lacks
        arrays that its layout needs, has arrays whose lengths or contents do not fit, or states a
        unit that is not understood; if files do not go together; if nothing matches.

    Warns
    -----
    UserWarning
        If nothing says who the files are from, if the signals are too large or too small for EEG
        in volts, if runs of different lengths are cut to one, or if events lie too near to an end
        of their run.

    See Also
    --------
    save_recording : Write a file that this function gives back equal.
    read_epochs : Read the formats that MNE reads.

    Notes
    -----
    =============  ==========================================================================
    layout         arrays
    =============  ==========================================================================
    epochs         ``X (n, channels, times)``, ``y``, ``sfreq``; optional ``ch_names``, ``scale``,
                   ``tmin``, ``subject``, ``session``, ``run``, ``onset`` or ``onset_s``, ``task``
    continuous     ``X (channels, samples)`` or ``run01``, ``run02`` ..., ``sfreq``; optional
                   ``ch_names``, ``scale``, ``ev_onset`` and ``ev_code`` (``ev_onset_run01`` ...)
                   or ``trial_onset`` and ``trial_freq``, onsets in samples
    sample-wise    ``X (samples, channels)``, ``y (samples)``, ``sfreq``, ``ch_names``
    features       ``X_train``, ``y_train``, ``X_test``, ``y_test``, ``feature_rate``; optional
                   ``session_train``, ``session_test``, ``channels``, ``freqs``, ``y_test8``
    table          ``X (n, features)``, ``y``; optional ``feature_names``, ``is_categorical``,
                   ``categories_json``, ``y_names``, ``n_train``
    =============  ==========================================================================

    ``meta``, a JSON text, may state ``units`` (V, mV, uV, nV or their names), ``dataset``,
    ``subject``, ``session``, ``run``, ``task``, ``labels``, ``bads`` and ``ch_types`` (those of
    MNE). Subject, session and run are else looked for in the file's name (``S001R04``, ``A01T``,
    ``B0101T``, ``sub-01_ses-2_run-3``, ``subject1_session2`` ...) and in the names of the folders
    above it, and are else 1, with a warning for the subject.
    Continuous runs are one row each; sample-wise recordings one row per sample, and ``X.T[None]``
    makes one continuous row of them.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skbci.datasets import load_recording
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(folder + "/S07.npz", X=np.full((6, 2, 50), 20, np.int16), scale=0.5,
    ...              y=[1, 2] * 3, sfreq=100, ch_names=["C3", "C4"], meta='{"units": "uV"}')
    ...     data = load_recording(folder)
    >>> data.X.shape, float(data.X[0, 0, 0].round(8)), data.metadata["subject"].unique().tolist()
    ((6, 2, 50), 1e-05, [7])
    """
    selection = _selection(subjects, sessions, runs, picks, exclude, tmin, tmax, event_id, unit,
                           dtype)
    files, bunches, nameless = [], [], []
    for file in find_files(os.fspath(path) if isinstance(path, os.PathLike) else path, pattern):
        with open_archive(file) as archive, _blamed_on(file):
            if not selection.may_match(archive.arrays):
                continue
            bunch = _reader(archive)(archive, selection)
            if FORMAT_KEY not in archive:
                nameless += [file.name] if _nameless(bunch, archive) else []
                kept = bunch.ch_names or []
                bunch.metadata.attrs["left_out_bads"] = [
                    name for name in bad_channels(archive) if name not in kept
                ]
        if len(bunch.X) or not selection.rows:
            files.append(file)
            bunches.append(bunch)
    selection.check_found()
    if not bunches:
        wanted = ", ".join(f"{name}s={values}" for name, values in selection.rows.items())
        raise ValueError(f"No row of the recording has {wanted} together.")
    # One file without any number is one recording, of whomever.
    if nameless and (len(files) > 1 or re.search(r"\d", nameless[0])):
        shown = ", ".join(nameless[:3]) + (" ..." if len(nameless) > 3 else "")
        warn(
            f"{shown}: neither the file nor its name says in a known way who it is from; all its "
            "rows became subject 1. Store an array or an entry of meta called 'subject', or name "
            "files like S01.npz or sub-01_ses-1.npz.",
        )
    return join_bunches(bunches, files)


@contextlib.contextmanager
def _blamed_on(file: Path) -> Iterator[None]:
    """Name the file in whatever goes wrong with its contents, which nothing here can foresee.

    The caller's arguments were checked before.
    """
    try:
        yield
    except Warning:  # where warnings are made errors
        raise
    except Exception as error:
        if type(error) is ValueError and str(file) in str(error):
            raise
        message = f"{file}: {str(error) or type(error).__name__}"
        if not isinstance(error, ValueError) or isinstance(error, UnicodeError):
            message = f"{file} holds unfit contents ({type(error).__name__}: {error})."
        raise ValueError(message) from error


def _nameless(bunch: Bunch, archive: Archive) -> bool:
    return "subject" in bunch.metadata and subject_unknown(archive)


def _selection(
    subjects: Subset, sessions: Subset, runs: Subset, picks: Any, exclude: Any, tmin: Any,
    tmax: Any, event_id: EventId, unit: str | None, dtype: DTypeLike | None,
) -> Selection:
    """Check the arguments against each other."""
    rows = {
        name: as_list(values, f"{name}s")
        for name, values in (("subject", subjects), ("session", sessions), ("run", runs))
        if values is not None
    }
    if (tmin is None) != (tmax is None):
        missing, value = ("tmin", tmin) if tmin is None else ("tmax", tmax)
        raise ValueError(refusal(value, missing, WHO, "is missing: give tmin and tmax, or none"))
    window = None if tmin is None else check_span(tmin, tmax, WHO)
    if event_id is not None and tmin is None:
        raise ValueError("event_id chooses events to cut around: give tmin and tmax too.")
    if picks is not None:
        picks = check_names(picks, "picks", WHO, also="None")
        check_distinct(picks, "picks", WHO)
    exclude = check_names(exclude, "exclude", WHO)
    if unit is not None:
        in_volts(unit, "unit")
    if dtype is not None:
        dtype = check_float_dtype(dtype, "dtype", WHO)
    return Selection(
        rows=rows, picks=picks, exclude=exclude, unit=unit, dtype=dtype, window=window,
        event_id=None if event_id is None else as_list(event_id, "event_id"),
    )


def _reader(archive: Archive) -> Reader:
    """Recognize the layout."""
    if FORMAT_KEY in archive:
        return read_bunch_layout
    if "X_train" in archive or "X_test" in archive:
        return read_features_layout
    if "X" not in run_keys(archive).values():
        return read_continuous_layout
    if "X" not in archive:
        raise ValueError(
            f"{archive.path} is not a recording: it lacks 'X' (or 'run01' ..., or 'X_train' and "
            f"'X_test'); it has {sorted(archive.arrays)}."
        )
    X = archive["X"]
    if X.dtype.kind not in "biuf":
        raise ValueError(f"{archive.path}: X holds {X.dtype}, not numbers.")
    if X.ndim == 3:
        return read_epochs_layout
    if X.ndim != 2:
        raise ValueError(
            f"{archive.path}: X has shape {X.shape}; recordings are (n, channels, times), "
            "(channels, samples), (samples, channels) or (n, features)."
        )
    if "sfreq" not in archive:
        return read_tabular_layout
    has_events = "ev_onset" in archive or "trial_onset" in archive
    return read_continuous_layout if has_events or "y" not in archive else read_samples_layout
