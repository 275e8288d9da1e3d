"""Files of features: training and test rows in time order, several rows a second."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci.datasets._bunch import make_bunch
from skbci.datasets._npz.archive import Archive
from skbci.datasets._npz.protocols import label_names, row_task, subject_of
from skbci.datasets._selection import Selection

__all__ = ["psd_names", "read_features_layout", "session_onsets"]

_USED = ("X_train", "y_train", "session_train", "X_test", "y_test", "session_test", "y_test8",
         "channels", "freqs", "feature_rate")


def psd_names(channels: list[str], freqs: np.ndarray) -> np.ndarray:
    """Name power densities, channel by channel, such as C3_8Hz."""
    return np.array([f"{channel}_{freq:g}Hz" for channel in channels for freq in freqs])


def session_onsets(sessions: np.ndarray, rate: float) -> np.ndarray:
    """Seconds from the first row of the session."""
    counts = pd.Series(sessions).groupby(sessions).cumcount()
    return counts.to_numpy() / rate


def read_features_layout(archive: Archive, selection: Selection) -> Bunch:
    """Join training and test rows; the session tells them apart."""
    archive.require(["X_train", "y_train", "X_test", "y_test", "feature_rate"],
                    "a file of features")
    selection.refuse_window("a file of features")
    if selection.picks is not None or selection.exclude:
        raise ValueError("picks and exclude cannot choose channels of a file of features.")
    train, test = archive["X_train"], archive["X_test"]
    if train.ndim != 2 or test.ndim != 2 or train.shape[1] != test.shape[1]:
        raise ValueError(
            f"{archive.path}: X_train {train.shape} and X_test {test.shape} must be tables with "
            "the same columns."
        )
    y = np.concatenate([
        archive.check_length("y_train", len(train)), archive.check_length("y_test", len(test))
    ])
    sessions = _sessions(archive, len(train), len(test))
    rate = archive.scalar("feature_rate")
    if rate is None or rate <= 0:
        raise ValueError(f"{archive.path}: feature_rate={rate!r} must be rows a second.")
    table = pd.DataFrame({
        "subject": subject_of(archive), "session": sessions,
        "run": 1, "onset": session_onsets(sessions, rate),
    })
    if (task := row_task(archive)) is not None:
        table["task"] = task
    keep = selection.mask(table)
    names = archive.arrays.get("feature_names")
    channels = [str(name) for name in archive.arrays.get("channels", [])]
    freqs = archive.arrays.get("freqs")
    if names is None and freqs is not None and len(channels) * len(freqs) == train.shape[1]:
        names = psd_names(channels, freqs)
    last_second = re.search("over the last second", str(archive.meta.get("features", "")))
    with_test = bool(keep[len(train) :].any())
    return make_bunch(
        np.concatenate([train, test])[keep].astype(selection.number(train)), y[keep],
        table[keep].reset_index(drop=True), ch_names=channels or None, feature_names=names,
        feature_rate=rate, freqs=freqs, window=1.0 if last_second else None,
        y_test8=archive.arrays.get("y_test8") if with_test else None,
        label_names=label_names(archive), meta=archive.meta,
        description=json.dumps(archive.meta, indent=1), stored=archive.rest(_USED),
    )


def _sessions(archive: Archive, n_train: int, n_test: int) -> np.ndarray:
    """Sessions of all rows; the test rows come from the session after the training's.

    The competition's data set V has its test rows from session 4, even where training sessions
    are missing from the file.
    """
    train = np.ones(n_train, int)
    if "session_train" in archive:
        train = archive.check_length("session_train", n_train).astype(int)
    if "session_test" in archive:
        test = archive.check_length("session_test", n_test).astype(int)
    else:
        is_bci3 = "competition iii" in str(archive.meta.get("dataset", "")).lower()
        last = int(train.max()) if n_train else 0
        test = np.full(n_test, max(4, last + 1) if is_bci3 else last + 1)
    return np.concatenate([train, test])
