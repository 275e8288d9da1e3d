"""Checks of what belongs to each row: labels, groups, weights of classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skbci._checks.masked import check_unmasked
from skbci._checks.parameters import check_choice, check_number, refusal, who_asks
from skbci._typing import ClassWeight, Label, Labels
from skbci._warning import warn

__all__ = [
    "check_class_weight",
    "check_classes",
    "check_column",
    "check_labels",
    "check_weighted_classes",
    "doubt_joined",
    "doubt_spelling",
    "label_column",
    "refuse_missing",
    "unpacked",
]

_ROWS_SHOWN = 5


def check_labels(
    y: Labels, n_rows: int | None, who: object, *, least_classes: int = 2
) -> np.ndarray:
    """Check the labels of a classification: one for each row, of one kind, none missing.

    Parameters
    ----------
    y : array-like, shape (n_rows,)
    n_rows : int or None
        The rows of X; None leaves their number to another check.
    who : object
        Who asks, for the message.
    least_classes : {1, 2}
        How many different labels there must be; some rows of a whole may be of one class.

    Returns
    -------
    ndarray, shape (n_rows,)
        Labels that have an order.

    Raises
    ------
    ValueError
        If there are no labels, not one for each row, continuous ones or some of kinds that have
        no order, or if a label is missing (None, NaN, NaT, pandas.NA); it names the rows.
    """
    labels = label_column(y, n_rows, who)
    try:
        check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        why = str(error).rstrip(".")
        because = f"must hold strings, whole numbers or booleans as labels. {why}"
        raise type(error)(refusal(labels, "y", who, because)) from None
    if least_classes > 1:
        check_classes(np.unique(labels), who)
    return labels


def doubt_spelling(labels: Iterable[Label], name: str) -> None:
    """Warn of distinct labels that may be meant to be one.

    Warns
    -----
    UserWarning
        If two differ by capitals or by spaces around them only.
    """
    met: dict[str, str] = {}
    for label in labels:
        if isinstance(label, str):
            other = met.setdefault(label.strip().casefold(), label)
            if other != label:
                warn(
                    f"{name} {str(other)!r} and {str(label)!r} count as different ones, although "
                    "only spaces or capitals tell them apart.",
                )


def doubt_joined(parts: Mapping[str, Iterable[Label]]) -> None:
    """Warn of recordings that are joined, and label the same things differently by all signs.

    Parameters
    ----------
    parts : dict of str to iterable
        Names of the recordings, and their labels.

    Warns
    -----
    UserWarning
        If two recordings of several labels each have none in common, or labels of all together
        differ as `doubt_spelling` says.
    """
    distinct = {name: list(dict.fromkeys(labels)) for name, labels in parts.items()}
    several = {name: labels for name, labels in distinct.items() if len(labels) > 1}
    for name, labels in several.items():
        first, known = next(iter(several.items()))
        if not set(labels) & set(known):
            warn(
                f"{first} and {name} have no label in common ("
                f"{', '.join(map(repr, known[:5]))}; {', '.join(map(repr, labels[:5]))}): joined, "
                "these are different classes. Give what is the same the same names.",
            )
            break
    doubt_spelling(dict.fromkeys(label for labels in distinct.values() for label in labels),
                   "the labels")


def label_column(y: Labels, n_rows: int | None, who: object) -> np.ndarray:
    """Check labels as `check_labels` does, but let fractions and a single class pass."""
    name = who_asks(who)
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")
    refuse_missing(y, f"{name}: y", "leave these rows out, or label them")
    y = unpacked(y)
    try:
        if np.asarray(y).dtype.kind == "V":
            raise ValueError(refusal(y, "y", who, "must hold labels, not records"))
        if np.asarray(y).dtype.kind == "c":
            because = "must not hold complex numbers. Complex data not supported"
            raise ValueError(refusal(y, "y", who, because))
        labels = column_or_1d(y, warn=True)
    except (TypeError, ValueError) as error:
        because = f"must hold one label for each row, in one column. {str(error).rstrip('.')}"
        raise ValueError(refusal(y, "y", who, because)) from None
    if n_rows is not None and len(labels) != n_rows:
        raise ValueError(f"{name}: y has {len(labels)} labels, but X has {n_rows} rows.")
    return _of_one_kind(labels, name) if labels.dtype == object else labels


def unpacked(y: Labels) -> Any:
    """Return labels in an array of objects or of numpy's ``StringDType`` as what they all are.

    Numbers, truth values and strings; others, and what is no array, are returned as they are.
    """
    if not isinstance(y, np.ndarray) or y.ndim != 1:
        return y
    if y.dtype.kind == "T":
        return np.array(y.tolist())
    if y.dtype != object or any(isinstance(label, str) for label in y.tolist()):
        return y
    inner = np.asarray(y.tolist())
    return inner if inner.ndim == 1 and inner.dtype.kind in "biuf" else y


def check_classes(classes: np.ndarray, who: object) -> np.ndarray:
    """Check that there are at least two distinct labels.

    Raises
    ------
    ValueError
        Naming who asks, and the label that is there.

    Warns
    -----
    UserWarning
        If only spaces or capitals tell two labels apart.
    """
    if len(classes) < 2:
        raise ValueError(
            f"{who_asks(who)} needs at least two classes, but y has one class only: "
            f"{classes.tolist()}."
        )
    doubt_spelling(classes, f"{who_asks(who)}: the labels")
    return classes


def _of_one_kind(labels: np.ndarray, name: str) -> np.ndarray:
    """Convert labels that came as objects to the kind that they all are; strings stay objects."""
    kinds = {type(label) for label in labels.tolist()}
    if not any(issubclass(kind, str) for kind in kinds):
        inner: np.ndarray = unpacked(labels)
        return inner
    if all(issubclass(kind, str) for kind in kinds):
        return labels
    shown = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ValueError(
        f"{name}: y mixes labels of several kinds ({shown}), which have no order. Use strings "
        "only, or numbers only."
    )


def check_column(values: object, n_rows: int, name: str) -> np.ndarray:
    """Check groups, tasks or the like: one for each row, and none missing.

    Dates and time spans come back as pandas' objects.

    Raises
    ------
    ValueError
        If there is not one for each row, or an entry is missing (None, NaN, NaT, pandas.NA); it
        names the rows.
    """
    refuse_missing(values, name, "every row needs an entry")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must hold one entry for each of the {n_rows} rows.") from None
    if array.ndim != 1 or len(array) != n_rows:
        raise ValueError(
            f"{name} has shape {array.shape}, but there are {n_rows} rows: one entry for each row "
            "is needed."
        )
    if array.dtype.kind in "mM":  # as objects numpy would make them bare numbers
        array = pd.Series(array).astype(object).to_numpy()
    if array.dtype.kind == "O":
        for row, entry in enumerate(array.tolist()):
            if isinstance(entry, (list, tuple, set, dict, np.ndarray)):
                raise ValueError(f"{name} holds {entry!r:.80} in row {row}: each row needs one "
                                 "number or word.")
    return array


def refuse_missing(values: object, name: str, remedy: str) -> None:
    """Raise a ValueError that names the rows without a value."""
    # numpy would make the string 'nan' of a NaN in a list of strings.
    values = check_unmasked(values, name)
    listed = isinstance(values, (list, tuple))
    try:
        array = np.asarray(values, dtype=object if listed else None)
    except ValueError:
        return  # of parts of different lengths: it has no rows to name
    if array.dtype.kind not in "OfcmM":
        return
    missing = pd.isna(array)
    rows = np.flatnonzero(missing.any(axis=tuple(range(1, array.ndim))) if array.ndim else missing)
    if len(rows):
        shown = ", ".join(map(str, rows[:_ROWS_SHOWN]))
        more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
        raise ValueError(
            f"{name} has {len(rows)} missing entries (None or NaN), in row {shown}{more}: "
            f"{remedy}."
        )


def check_class_weight(class_weight: ClassWeight, classes: np.ndarray, who: object) -> Any:
    """Check weights of classes: None, "balanced", or a dict; a class without one weighs 1.

    Raises
    ------
    TypeError, ValueError
        If it is something else, names a class that is not there, a weight is no finite number of
        at least 0, or fewer than two classes weigh anything.
    """
    if class_weight is None or isinstance(class_weight, str):
        return check_choice(class_weight, "class_weight", who, ("balanced", None))
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            refusal(
                class_weight, "class_weight", who,
                "must be 'balanced', a dict of a number for each class, or None",
            )
        )
    known = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        raise ValueError(
            f"{who_asks(who)}: class_weight names {unknown}, but the classes are {known}."
        )
    for label, weight in class_weight.items():
        check_number(weight, f"class_weight[{label!r}]", who, low=0)
    if sum(class_weight.get(label, 1) > 0 for label in known) < 2:
        because = "must leave at least two classes a weight above 0"
        raise ValueError(refusal(dict(class_weight), "class_weight", who, because))
    return class_weight


def check_weighted_classes(estimator: BaseEstimator, y: Labels | None, weight: Any) -> None:
    """Refuse weights that leave rows of one class only."""
    if weight is None or y is None or np.shape(weight) != np.shape(y):
        return
    left = np.unique(np.asarray(y)[np.asarray(weight) != 0])
    if len(left) < 2:
        raise ValueError(
            f"{type(estimator).__name__}: a sample_weight other than 0 is left for one class "
            f"only, {left.tolist()}; at least two classes are needed."
        )
