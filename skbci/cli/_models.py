"""Fitted decoders in files, with what they were fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from skbci._version import __version__

__all__ = ["Model", "load_model", "save_model"]

_KIND = "skbci decoder"


@dataclass
class Model:
    """A fitted decoder, and the epochs that it takes."""

    decoder: Any
    tmin: float
    tmax: float
    sfreq: float
    ch_names: list[str]
    resample: float | None = None
    version: str = __version__


def save_model(path: str, model: Model) -> Path:
    """Write a decoder to a file."""
    target = Path(path).expanduser()
    if not target.parent.is_dir():
        raise FileNotFoundError(f"--output {path}: there is no folder {target.parent}.")
    joblib.dump({"kind": _KIND, **vars(model)}, target)
    return target


def load_model(path: str) -> Model:
    """Read a decoder from a file that `save_model` has written.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is another one.
    """
    source = Path(path).expanduser()
    if not source.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    try:
        found = joblib.load(source)
    except Exception as error:  # whatever a file of another kind makes of it
        raise ValueError(f"{path} is no decoder that skbci fit has written ({error}).") from error
    if not isinstance(found, dict) or found.pop("kind", None) != _KIND:
        raise ValueError(f"{path} is no decoder that skbci fit has written.")
    return Model(**found)
