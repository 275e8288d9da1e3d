"""BCI Competition III, data set V, from the files that the competition published."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._checks import check_count, check_positive
from skbci._recording.times import first_sample
from skbci._typing import Subset
from skbci.datasets._bci3_files import (
    CODES,
    N_COLUMNS,
    TEST_SESSION,
    find_labels,
    read_labels,
    read_session,
    session_file,
)
from skbci.datasets._bunch import make_bunch
from skbci.datasets._docs import fill_doc
from skbci.datasets._npz.features_layout import psd_names, session_onsets

__all__ = ["load_bci3_mental_imagery"]

_PSD_CHANNELS = ["C3", "Cz", "C4", "CP1", "CP2", "P3", "Pz", "P4"]
_FREQS = np.arange(8, 31, 2)
_RAW_CHANNELS = [
    "Fp1", "AF3", "F7", "F3", "FC1", "FC5", "T7", "C3", "CP1", "CP5", "P7", "P3", "Pz", "PO3",
    "O1", "Oz", "O2", "PO4", "P4", "P8", "CP6", "CP2", "C4", "T8", "FC6", "FC2", "F4", "F8",
    "AF4", "Fp2", "Fz", "Cz",
]  # fmt: skip
_PSD_RATE, _RAW_RATE = 16.0, 512.0
_DESCR = """BCI Competition III, data set V (IDIAP): mental imagery, subject {subject}, sessions \
{sessions}. 2: repetitive self-paced left hand movements; 3: the same with the right hand; 7: \
generation of words beginning with the same random letter. {what}."""


@fill_doc
def load_bci3_mental_imagery(
    folder: str | os.PathLike[str],
    subject: int,
    *,
    sessions: int | Iterable[int] | None = None,
    which: str = "psd",
    window: float = 1.0,
    hop: float = 0.5,
) -> Bunch:
    """Read data set V of BCI Competition III (mental imagery) as it was published.

    Three subjects imagined left hand movements, right hand movements or words beginning with a
    letter, in four sessions of four minutes on one day. The archives from the competition's web
    site, unpacked anywhere under one folder, are read in their text (``.asc``) or Matlab
    (``.mat``) form.

    Parameters
    ----------
    folder : path-like
        Where the files are; folders inside it are searched too.
    subject : {1, 2, 3}
        Subject.
    sessions : int or sequence of int, optional
        Sessions 1 to 3 are ``train_subject1_psd01`` ... ``03``, session 4 is
        ``test_subject1_psd04``. By default 1 to 3, and 4 if its labels are there.
    which : {"psd", "raw"}, default="psd"
        The precomputed features or the raw signals.
    window, hop : float, default=1.0, 0.5
        Length of the windows that raw signals are cut into and distance of their starts, in
        seconds; the defaults are the competition's. Not used for "psd".

    Returns
    -------
    Bunch
        ``X`` : EEGArray
            With "psd", shape (n_rows, 96): power densities over the last second, a row every
            62.5 ms, of 8 channels x 12 frequencies (8 to 30 Hz in steps of 2), channel by
            channel. With "raw", shape (n_windows, 32, n_times): windows, 512 Hz, in volts (the
            source is taken to be in microvolts).
        ``y`` : ndarray of int
            2 left hand, 3 right hand, 7 words. For raw windows the label of most samples.
        ``metadata`` : DataFrame
            Subject, session, run (1), onset in seconds from the start of the session, task.
        ``sfreq``, ``ch_names``, ``DESCR``, ``label_names``, ``window``
            Rate in Hz (None with "psd"), names, text, what the labels mean, seconds of signal
            behind a row.
        ``feature_names``, ``feature_rate``, ``y_test8``
            With "psd": names, rows a second, and the labels of session 4, one for 8 rows, which
            are the competition's unit.

    Raises
    ------
    FileNotFoundError
        If a file is missing; the message says what was looked for.
    ValueError
        If a file is not in the published form.

    See Also
    --------
    load_recording : Read this set from ``.npz`` files.

    Notes
    -----
    The test session's labels were published later, in ``labels8_subject1_psd.asc`` (one label for
    8 rows) and ``labels8_subject1_raw.asc`` (one a window of 1 s, every 0.5 s). A file
    ``labels_subject1_psd.asc`` with one label per row is preferred where it is there.

    References
    ----------
    .. [1] %(online_learning_paper)s.
    .. [2] B. Blankertz et al., "The BCI competition III: validating alternative approaches to
       actual BCI problems", IEEE Trans. Neural Syst. Rehabil. Eng. 14, 2006, 153-159.

    Examples
    --------
    >>> from skbci.datasets import load_bci3_mental_imagery
    >>> data = load_bci3_mental_imagery("data_set_V", subject=1)  # doctest: +SKIP
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise FileNotFoundError(f"No folder at {place}; unpack the competition's archives there.")
    if which not in N_COLUMNS:
        raise ValueError(f"which={which!r} must be 'psd' or 'raw'.")
    subject = check_count(subject, "subject", "load_bci3_mental_imagery")
    if subject > 3:
        raise ValueError(f"subject={subject}: data set V has the subjects 1, 2 and 3.")
    files = {
        session: session_file(place, subject, session, which)
        for session in _sessions(place, subject, sessions, which)
    }
    size = first_sample(check_positive(window, "window", "load_bci3_mental_imagery"), _RAW_RATE)
    step = max(1, round(check_positive(hop, "hop", "load_bci3_mental_imagery") * _RAW_RATE))
    parts, y_test8 = [], None
    for session, file in files.items():
        data, labels = read_session(file, which)
        if labels is None and session != TEST_SESSION:
            raise ValueError(f"The training file {file} has no column or variable of labels.")
        if which == "raw":
            parts.append(_cut(data, labels, size, step, place, subject, file))
            continue
        if labels is None:
            labels = _row_labels(len(data), place, subject, file)
        if session == TEST_SESSION:
            y_test8 = _majority(labels[: len(labels) // 8 * 8].reshape(-1, 8))
        parts.append((data, labels))
    numbers = np.repeat(list(files), [len(labels) for _, labels in parts])
    X, y = (np.concatenate(blocks) for blocks in zip(*parts))
    table = pd.DataFrame({
        "subject": subject, "session": numbers, "run": 1, "task": "imagery",
        "onset": session_onsets(numbers, _PSD_RATE if which == "psd" else _RAW_RATE / step),
    })
    if which == "raw":
        return make_bunch(
            X, y, table, sfreq=_RAW_RATE, ch_names=_RAW_CHANNELS, label_names=CODES,
            window=size / _RAW_RATE,
            description=_DESCR.format(subject=subject, sessions=list(files), what="Raw signals"),
        )
    return make_bunch(
        X, y, table, ch_names=_PSD_CHANNELS, label_names=CODES, window=1.0, y_test8=y_test8,
        feature_names=psd_names(_PSD_CHANNELS, _FREQS), feature_rate=_PSD_RATE,
        description=_DESCR.format(subject=subject, sessions=list(files),
                                  what="Power densities over the last second, 16 rows a second"),
    )


def _sessions(place: Path, subject: int, sessions: Subset, which: str) -> list[int]:
    if sessions is None:
        labelled = find_labels(place, subject, which) is not None
        return [1, 2, 3, TEST_SESSION] if labelled else [1, 2, 3]
    chosen = [sessions] if isinstance(sessions, (int, np.integer)) else list(sessions)
    unknown = [session for session in chosen if session not in (1, 2, 3, TEST_SESSION)]
    if unknown or not chosen:
        raise ValueError(f"sessions={sessions!r}: choose among 1, 2, 3 and 4.")
    return sorted({int(session) for session in chosen})


def _row_labels(n_rows: int, place: Path, subject: int, file: Path) -> np.ndarray:
    """Labels of the test session's features, from one label per row or one for 8 rows."""
    labels, source = read_labels(place, subject, "psd")
    if len(labels) == n_rows:
        return labels
    if len(labels) in (n_rows // 8, -(-n_rows // 8)) and 8 * len(labels) >= n_rows:
        return np.repeat(labels, 8)[:n_rows]
    raise ValueError(
        f"{source} has {len(labels)} labels, which is neither one for each of the {n_rows} rows "
        f"of {file.name} nor one for 8 of them."
    )


def _cut(
    signal: np.ndarray, samples: np.ndarray | None, size: int, step: int, place: Path,
    subject: int, file: Path,
) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a raw session in volts, and the label of each."""
    if not 1 <= size <= len(signal):
        raise ValueError(
            f"window={size / _RAW_RATE:g} s does not fit {file.name}, which lasts "
            f"{len(signal) / _RAW_RATE:g} s."
        )
    first = np.arange(0, len(signal) - size + 1, step)
    view = np.lib.stride_tricks.sliding_window_view(signal, size, axis=0)
    X = view[first].astype(np.float32) * np.float32(1e-6)
    if samples is None:
        labels, source = read_labels(place, subject, "raw")
        competition = size == _RAW_RATE and 2 * step == _RAW_RATE
        if competition and len(labels) == len(first):
            return X, labels
        if len(labels) != len(signal):
            raise ValueError(
                f"{source} has {len(labels)} labels, but {file.name} was cut into {len(first)} "
                "windows; the competition's labels go with window=1.0 and hop=0.5."
            )
        samples = labels
    return X, _majority(np.lib.stride_tricks.sliding_window_view(samples, size)[first])


def _majority(labels: np.ndarray) -> np.ndarray:
    """The most frequent label of each row."""
    codes = np.array(list(CODES))
    counts = np.stack([(labels == code).sum(axis=1) for code in codes])
    return codes[counts.argmax(axis=0)]
