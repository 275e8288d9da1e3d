"""Fitted decoders in files, with what they were fitted on."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from skbci._process.files import replacing
from skbci.persistence import load, save

__all__ = ["Model", "check_model_path", "load_model", "save_model", "spare"]

_RUNS_CODE = (".joblib", ".pkl")


class Model(BaseEstimator):
    """A decoder, and the epochs that it takes.

    Parameters
    ----------
    decoder : estimator
        Fitted in place.
    tmin, tmax : float
        Its epochs, in seconds after the event.
    resample : float, optional
        Rate in Hz that recordings are to be resampled to.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels.
    sfreq_ : float
        Rate of the epochs in Hz.
    ch_names_ : list of str
        Their channels.
    """

    def __init__(
        self, decoder: BaseEstimator, tmin: float, tmax: float, resample: float | None = None
    ) -> None:
        self.decoder = decoder
        self.tmin = tmin
        self.tmax = tmax
        self.resample = resample

    def fit(self, X: Any, y: np.ndarray) -> Model:
        """Fit the decoder on epochs that know their rate and channels."""
        self.decoder.fit(X, y)
        self.classes_ = np.asarray(self.decoder.classes_)
        self.sfreq_, self.ch_names_ = float(X.sfreq), list(X.ch_names)
        return self


def check_model_path(path: str) -> Path:
    """Refuse a name that the model cannot be saved under, before it is fitted.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ImportError
        If the packages that write the file are not installed.
    """
    target = Path(path).expanduser()
    if not target.parent.is_dir():
        raise FileNotFoundError(f"--output {path}: there is no folder {target.parent}.")
    missing = [name for name in ("skops", "safetensors") if find_spec(name) is None]
    if missing and target.suffix not in _RUNS_CODE:
        raise ImportError(
            f"--output {path}: {' and '.join(missing)} not installed: pip install "
            '"skbci[persistence]"; or let the name end in .joblib, a file that runs code when it '
            "is read."
        )
    return target


def spare(output: str | None, inputs: Iterable[str | Path]) -> None:
    """Refuse to write over what is read.

    Raises
    ------
    ValueError
        If ``--output`` is one of the files.
    """
    if output is None or not (target := Path(output).expanduser()).exists():
        return
    for one in (Path(name).expanduser() for name in inputs):
        if one.exists() and target.samefile(one):
            raise ValueError(f"--output {output} is the file that is read; give another name.")


def save_model(target: Path, model: Model) -> None:
    """Write a decoder to a file; the ending says how."""
    if target.suffix in _RUNS_CODE:
        with replacing(target) as file:
            joblib.dump(model, file)
    else:
        save(model, target)


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
    if source.suffix not in _RUNS_CODE:
        found = load(source)
    else:
        try:
            found = joblib.load(source)
        except Exception as error:  # whatever a file of another kind makes of it
            raise ValueError(
                f"{path} is not a decoder that skbci fit has saved ({error})."
            ) from error
    if not isinstance(found, Model):
        raise ValueError(
            f"{path} is not a decoder that skbci fit has saved, but a {type(found).__name__}."
        )
    return found
