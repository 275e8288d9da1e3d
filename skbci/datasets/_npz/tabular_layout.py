"""Tables that are not EEG: ``X (n_rows, n_features)`` with labels."""

from __future__ import annotations

import json

from sklearn.utils import Bunch

from skbci.datasets._bunch import make_bunch
from skbci.datasets._npz.archive import Archive
from skbci.datasets._selection import Selection

__all__ = ["read_tabular_layout"]

_USED = ("X", "y", "feature_names", "is_categorical", "categories_json", "y_names", "n_train")


def read_tabular_layout(archive: Archive, selection: Selection) -> Bunch:
    """Read a table; missing values stay NaN and categories stay codes."""
    archive.require(["X", "y"], "a table")
    selection.refuse_window("a table")
    X = archive["X"]
    if selection.rows or selection.picks is not None or selection.exclude:
        raise ValueError(f"{archive.path} is a table: it has no subjects, sessions or channels.")
    y = archive.check_length("y", len(X))
    for key in ("feature_names", "is_categorical"):
        if key in archive:
            archive.check_length(key, X.shape[1])
    n_train = archive.scalar("n_train")
    try:
        categories = json.loads(str(archive.arrays.get("categories_json", "null")))
    except json.JSONDecodeError as error:
        raise ValueError(f"{archive.path}: categories_json is not valid JSON: {error}.") from error
    return make_bunch(
        X.astype(selection.number(X)), y,
        feature_names=archive.arrays.get("feature_names"),
        is_categorical=archive.arrays.get("is_categorical"), categories=categories,
        target_names=archive.arrays.get("y_names"),
        n_train=None if n_train is None else int(n_train), meta=archive.meta or None,
        description=json.dumps(archive.meta, indent=1) if archive.meta else archive.path.stem,
        stored=archive.rest(_USED),
    )
