"""Classes of rows whose left and right have been exchanged."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from skbci._checks import check_mapping, refusal, who_asks
from skbci._typing import Label

__all__ = ["mirrored_labels"]

_SIDE = re.compile("left|right", re.IGNORECASE)


def mirrored_labels(labels: object, classes: np.ndarray, who: object) -> np.ndarray:
    """Find each class's counterpart in the mirror.

    Parameters
    ----------
    labels : dict or None
        The counterpart of every class. None: the class of the same name with left and right
        exchanged, and what says neither stays.
    classes : ndarray, shape (n_classes,)
        Sorted labels.
    who : object
        Who asks, for the message.

    Returns
    -------
    ndarray of int, shape (n_classes,)
        Index of each class's counterpart.

    Raises
    ------
    ValueError
        If there is no such class, a class is left out, or a class's counterpart's counterpart is
        another class.
    TypeError
        If ``labels`` is no dict.
    """
    known = classes.tolist()
    pairs = _by_name(known, who) if labels is None else _by_map(labels, known, who)
    return np.array([known.index(pairs[label]) for label in known], dtype=np.int64)


def _by_name(known: list[Any], who: object) -> dict[Label, Label]:
    asks = who_asks(who)
    remedy = f"Say which classes exchange and which stay: {asks}(labels={{...}})"
    names = [label for label in known if isinstance(label, str)]
    lower = {label.lower(): label for label in names}
    sided = [label for label in names if _SIDE.search(label)]
    if len(lower) < len(names):
        raise ValueError(
            f"{asks}: some of the classes {known} differ in capital letters only, so that "
            f"labels=None cannot pair them. {remedy}, with every class in it."
        )
    if not sided:
        raise ValueError(
            f"{asks}: none of the classes {known} has 'left' or 'right' in its name, so that "
            f"labels=None cannot tell what they are in a mirror. {remedy}, with every class in it."
        )
    pairs = {}
    for label in known:
        swapped = _SIDE.sub(_other_side, label.lower()) if isinstance(label, str) else label
        if isinstance(label, str) and swapped not in lower:
            raise ValueError(
                f"{asks}: the class {label!r} would be {swapped!r} in a mirror, which labels=None "
                f"does not find among the classes {known}. {remedy}, with every class in it."
            )
        pairs[label] = lower[swapped] if isinstance(label, str) else label
    return pairs


def _other_side(side: re.Match[str]) -> str:
    return "left" if side[0].lower() == "right" else "right"


def _by_map(labels: object, known: list[Label], who: object) -> dict[Label, Label]:
    pairs = check_mapping(labels, "labels", who)
    strange = [one for pair in pairs.items() for one in pair if one not in known]
    if strange:
        because = f"names {sorted(set(map(repr, strange)))}, but the classes are {known}"
        raise ValueError(refusal(pairs, "labels", who, because))
    absent = [label for label in known if label not in pairs]
    if absent:
        because = f"lacks the classes {absent}; a class that stays is its own counterpart"
        raise ValueError(refusal(pairs, "labels", who, because))
    lost = [label for label in known if pairs[pairs[label]] != label]
    if lost:
        because = (
            f"must give back what it exchanges: {lost[0]!r} becomes {pairs[lost[0]]!r}, which "
            f"becomes {pairs[pairs[lost[0]]]!r}"
        )
        raise ValueError(refusal(pairs, "labels", who, because))
    return pairs
