"""Finished fits of a comparison, kept in a folder."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
import pickle
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FunctionType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from skbci._process.files import replacing
from skbci._typing import Label, PathLike
from skbci._version import __version__
from skbci._warning import warn

__all__ = ["FitCache", "Result"]

# A fold's line, and the score of each subject in it.
Result = tuple[dict[str, Any], dict[Label, float]]

_FORMAT = 1
# What computes; another version of it may give another score.
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "skorch", "mne", "pyriemann")

# Python 3.11 loses its count of nested nodes where two threads parse at once: a SystemError.
_PARSING = threading.Lock()


class FitCache:
    """A folder with a file for each finished fit, under a key of all that the fit depends on.

    Several processes, of several machines, may use it at once: a file is there as a whole or not
    at all. It holds scores and times as text, nothing that a reader would run.

    Parameters
    ----------
    folder : str or Path
        Made where it is not there.

    Raises
    ------
    TypeError
        If it is no path.
    OSError
        If it cannot be made or written to.
    """

    def __init__(self, folder: PathLike) -> None:
        if not isinstance(folder, (str, os.PathLike)):
            raise TypeError(f"compare: cache={folder!r} must be the path of a folder, or None.")
        self.folder = Path(folder).absolute()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(self.folder / "README", _README)
        except OSError as error:
            words = f"compare: cache={str(folder)!r} cannot be written to: {error}."
            raise OSError(words) from error

    def keys(
        self, pipelines: Mapping[str, BaseEstimator], data: Sequence[object],
        folds: Sequence[object], scoring: Mapping[str, Any], params: Mapping[str, Any],
    ) -> list[str]:
        """Name each fit, pipeline by pipeline and fold by fold.

        Parameters
        ----------
        pipelines : dict of str to estimator
            Unfitted; their names are not part of the key.
        data : sequence
            Rows with their table, targets, subjects.
        folds : sequence of (train, test)
        scoring : dict
        params : dict of str to dict
            What each pipeline's ``fit`` gets beside.

        Returns
        -------
        list of str

        Raises
        ------
        ValueError
            If something cannot be pickled, and so not be told from others.
        """
        common = [
            f"{_FORMAT} {__version__} {_versions()}", _named("the data", list(data)),
            _named("scoring", dict(scoring)), *_sources(scoring),
        ]
        places = [_named("the folds", fold) for fold in folds]
        out = []
        for name, estimator in pipelines.items():
            own = [_named(f"pipeline {name!r}", estimator), _named("params", params[name]),
                   *sorted(_sources(estimator))]
            out += [_digest("\n".join([*common, *own, place])) for place in places]
        return out

    def read(self, key: str, name: str, number: int, subjects: Any) -> Result | None:
        """Look a fit up.

        Parameters
        ----------
        key : str
        name : str
            The pipeline's name in this comparison.
        number : int
            The fold's in this comparison.
        subjects : ndarray or None
            Labels of the rows.

        Returns
        -------
        Result or None
            None where it has not been done, or its file is damaged, which is warned of.
        """
        path = self._path(key)
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        try:
            digest, body = text.split("\n", 1)
            if digest != _digest(body):
                raise ValueError
            line, by_row = json.loads(body)
            scores = {subjects[int(row)]: float(score) for row, score in by_row}
        except (ValueError, TypeError, KeyError, IndexError):
            path.unlink(missing_ok=True)
            warn(
                f"compare: the file {path} of a kept fit is damaged; the fit is done again.",
            )
            return None
        return {"pipeline": name, "fold": number, **line}, scores

    def write(
        self, key: str, result: Result, test: np.ndarray, subjects: Any
    ) -> None:
        """Keep a fit that did not fail.

        Parameters
        ----------
        key : str
        result : Result
        test : ndarray of int
            The fold's test rows; a subject is kept as one of them.
        subjects : ndarray or None
            Labels of the rows.
        """
        line, scores = result
        if math.isnan(line["fit_s"]):
            return
        first: dict[Label, int] = {}
        for row in test if scores else ():
            first.setdefault(subjects[row], int(row))
        kept = {name: value for name, value in line.items() if name not in ("pipeline", "fold")}
        body = json.dumps([kept, [[first[who], score] for who, score in scores.items()]])
        self._write(self._path(key), f"{_digest(body)}\n{body}")

    def has(self, key: str) -> bool:
        """Return whether there is a file of a fit."""
        return self._path(key).exists()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def _write(self, path: Path, text: str) -> None:
        """Write a file beside its place and move it there, which is done or not done."""
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as file:
            file.write(text.encode("utf-8"))


_README = (
    "Scores of finished fits, kept by skbci.evaluation.compare(..., cache=...): a file each,\n"
    "under a key of pipeline, data, fold, metrics and versions. Any of them may be deleted.\n"
)


def _named(what: str, value: object) -> str:
    try:
        return str(joblib.hash(value))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"compare: cache=... keeps fits under what they were made of, but {what} cannot be "
            f"pickled: {error} Functions and classes have to be those of a module."
        ) from error


def _versions() -> str:
    known = []
    for name in _PACKAGES:
        try:
            known.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(known)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sources(value: object) -> set[str]:
    """Texts of the classes and functions within; pickles know them by name only."""
    return {f"{part.__module__}.{part.__qualname__} {_source(part)}" for part in _codes(value, [])}


def _codes(value: object, seen: list[Any]) -> Iterator[Any]:
    if any(value is known for known in seen) or isinstance(value, (str, bytes, np.ndarray)):
        return
    if isinstance(value, (type, FunctionType)):
        yield value
        return
    seen.append(value)
    if isinstance(value, Mapping):
        parts: list[Any] = list(value.values())
    elif isinstance(value, (list, tuple, set)):
        parts = list(value) if len(value) < 1000 else []
    elif isinstance(value, partial):
        parts = [value.func, value.args, value.keywords]
    elif hasattr(value, "__dict__") and not isinstance(value, np.generic):
        parts = [type(value), *vars(value).values()]
    else:
        parts = []
    for part in parts:
        yield from _codes(part, seen)


def _source(part: Any) -> str:
    try:
        with _PARSING:
            return inspect.getsource(part)
    except (OSError, TypeError):  # made in a shell, or not by Python
        code = getattr(part, "__code__", None)
        return "" if code is None else f"{code.co_code!r} {code.co_consts!r}"
