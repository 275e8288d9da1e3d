"""What the labels of sessions and runs say of time: dates, times and numbers."""

from __future__ import annotations

import datetime
import decimal
import numbers
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from skbci._typing import Label

__all__ = ["label_moments"]

Moment: TypeAlias = tuple[Any, ...]

# Dates that begin with the day or the month, or name it; their numbers do not come in order.
_DAY_FIRST = re.compile(r"\D*\d{1,2}([./-])\d{1,2}\1(?:\d{2}){1,2}\D*")
_MONTH = re.compile(
    r"(?<![a-z])(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])", re.IGNORECASE,
)
_HALF_DAY = re.compile(r"\d\s*[ap]\.?m(?![a-z])", re.IGNORECASE)
_YEAR_LAST = re.compile(r"\d.*?(?<!\d)(?:19|20)\d\d(?!\d)\D*")
_DECIMAL = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.])")


def label_moments(labels: Sequence[Label]) -> list[Moment]:
    """Return for each label the numbers that tell its place in time; () where none do.

    Parameters
    ----------
    labels : sequence
        All different.

    Returns
    -------
    list of tuple
        All empty where they could be read in two ways that differ.
    """
    moments = [_numbers(label) for label in labels]
    return [()] * len(moments) if _ambiguous(labels, moments) else moments


def _numbers(label: Label) -> Moment:
    """The numbers that a label holds, in order; () where it has none."""
    if isinstance(label, tuple):
        return sum((_numbers(part) for part in label), ())
    if isinstance(label, (datetime.date, np.datetime64)):
        return (pd.Timestamp(label).value,)
    if isinstance(label, pd.Period):
        return (label.start_time.value,)
    if isinstance(label, (datetime.timedelta, np.timedelta64)):
        return (pd.Timedelta(label).value,)
    if isinstance(label, pd.Interval):
        return _numbers(label.left)
    if isinstance(label, bytes):
        return _numbers(label.decode("utf-8", "replace"))
    if isinstance(label, (bool, np.bool_)):
        return ()
    if isinstance(label, (numbers.Real, decimal.Decimal)):
        return () if np.isnan(float(label)) else (label,)
    if isinstance(label, str) and re.fullmatch(r"\s*[+-]\d+\s*", label):
        return (int(label),)
    if isinstance(label, datetime.time):
        label = label.isoformat()
    doubts = _MONTH, _HALF_DAY
    if isinstance(label, str) and not (
        _DAY_FIRST.fullmatch(label) or any(doubt.search(label) for doubt in doubts)
    ):
        return tuple(int(digits) for digits in re.findall(r"\d+", label))
    return ()


def _ambiguous(labels: Sequence[Label], moments: Sequence[Moment]) -> bool:
    """Return whether the labels' order is another one with 1.10 as a decimal, or by the year."""
    readings = []
    texts = [label if isinstance(label, str) else "" for label in labels]
    if any(_DECIMAL.search(text) for text in texts):
        readings.append([
            tuple(map(float, re.findall(r"\d+(?:\.\d+)?", text))) if text else own
            for text, own in zip(texts, moments)
        ])
    if texts and all(_YEAR_LAST.search(text) and len(own) > 1
                     for text, own in zip(texts, moments)):
        readings.append([(own[-1], *own[:-1]) for own in moments])
    places = range(len(moments))
    order = sorted(places, key=moments.__getitem__)
    return any(sorted(places, key=reading.__getitem__) != order for reading in readings)
