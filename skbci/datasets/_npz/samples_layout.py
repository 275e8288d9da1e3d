"""Sample-wise files: ``X (n_samples, n_channels)`` with one label per sample."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci.datasets._bunch import make_bunch
from skbci.datasets._npz.archive import Archive
from skbci.datasets._npz.channels import chosen_channels
from skbci.datasets._npz.epochs_layout import volt_factor
from skbci.datasets._npz.protocols import label_names, row_task, session_of, subject_of
from skbci.datasets._selection import Selection, to_volts

__all__ = ["read_samples_layout"]

_USED = ("X", "y", "scale", "ch_names", "sfreq")


def read_samples_layout(archive: Archive, selection: Selection) -> Bunch:
    """Read one row per sample, with a table of the blocks in which the label stays the same."""
    archive.require(["X", "y", "sfreq", "ch_names"], "a sample-wise recording")
    selection.refuse_window("a sample-wise recording")
    X, sfreq = archive["X"], archive.sfreq()
    y = archive.check_length("y", len(X))
    picks, ch_names = chosen_channels(archive, X.shape[1], selection)
    factor = volt_factor(archive, X.T, selection.unit)
    factor = factor[picks] if np.ndim(factor) == 1 else factor
    subject, session = subject_of(archive), session_of(archive)
    table = pd.DataFrame({
        "subject": subject, "session": session, "run": 1, "onset": np.arange(len(X)) / sfreq,
    })
    if (task := row_task(archive)) is not None:
        table["task"] = task
    keep = selection.mask(table)
    names = label_names(archive)
    data = to_volts(X[:, picks][keep].T, factor, selection.number(X)).T
    return make_bunch(
        data, y[keep], table[keep].reset_index(drop=True), sfreq=sfreq, ch_names=ch_names,
        feature_names=None if ch_names is None else np.array(ch_names),
        events=_blocks(y[keep], sfreq, subject, session, names or {}), label_names=names,
        meta=archive.meta, description=json.dumps(archive.meta, indent=1),
        stored=archive.rest(_USED),
    )


def _blocks(
    y: np.ndarray, sfreq: float, subject: int | str, session: int | str, names: dict
) -> pd.DataFrame:
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(y)), bool), y[1:] != y[:-1]]))
    codes = y[starts]
    return pd.DataFrame({
        "row": starts, "subject": subject, "session": session, "run": 1,
        "onset": starts / sfreq, "sample": starts,
        "duration": np.diff(np.append(starts, len(y))) / sfreq, "code": codes,
        "label": [names.get(code, str(code)) for code in codes.tolist()],
    })
