"""Data sets from MOABB, the Mother of All BCI Benchmarks."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbci._checks import check_list, refusal
from skbci._typing import Subset
from skbci.datasets._bunch import make_bunch
from skbci.datasets._docs import fill_doc
from skbci.datasets._mne.doubts import doubt_eeg, doubt_types, say_left_out
from skbci.eegarray import EEGArray

if TYPE_CHECKING:
    from moabb.datasets.base import BaseDataset
    from moabb.paradigms.base import BaseParadigm

__all__ = ["fetch_moabb"]

# MOABB's word for what a data set is about -> its general paradigm, and our name of the task.
_PARADIGMS = {
    "imagery": ("MotorImagery", "imagery"),
    "p300": ("P300", "p300"),
    "ssvep": ("SSVEP", "ssvep"),
    "cvep": ("CVEP", "cvep"),
}


@fill_doc
def fetch_moabb(
    dataset: str | BaseDataset,
    paradigm: str | BaseParadigm | None = None,
    subjects: Iterable[int] | None = None,
    **paradigm_options: Any,
) -> Bunch:
    """Download a data set with MOABB and cut it into epochs.

    MOABB keeps what it has downloaded, so that only the first call needs a network. It is an
    extra: ``pip install "skbci[moabb]"``.

    Parameters
    ----------
    dataset : str or MOABB data set
        Name of a class of ``moabb.datasets``, such as "BNCI2014_001" (BCI Competition IV 2a),
        "Lee2019_MI" (OpenBMI) or "BNCI2014_002", or an instance.
    paradigm : str or MOABB paradigm, optional
        Name of a class of ``moabb.paradigms``, such as "LeftRightImagery", or an instance. By
        default the general one for the data set: "MotorImagery", "P300", "SSVEP", "CVEP".
    subjects : iterable of int, optional
        By default all.
    **paradigm_options
        Passed to the paradigm's class, such as ``fmin=4, fmax=38, tmin=0.0, resample=128``.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_epochs, n_channels, n_times)
            In volts.
        ``y`` : ndarray of str
            Classes, as MOABB names them.
        ``metadata`` : DataFrame
            Subject, session and run as MOABB names them, task, and onset in seconds as far as the
            epochs' events know it: MOABB counts runs as if one followed another, so that it tells
            how far rows of a run are apart.
        ``sfreq``, ``ch_names``, ``DESCR``
            Rate in Hz, names, text.

    Raises
    ------
    ImportError
        If MOABB is not installed.
    ValueError
        If MOABB has no data set or paradigm of the name, the paradigm is not one for the data
        set, or a subject is not in it.
    ConnectionError
        If the data cannot be downloaded.

    Warns
    -----
    UserWarning
        If MOABB made no epochs of some events (bad stretches, ends of runs, two events at one
        sample), channels are no EEG by their names, or the signals are not of the size of volts.

    See Also
    --------
    read_epochs : Read a recording of your own.
    skbci.evaluation.Comparison.from_moabb : Tables of MOABB's results.

    References
    ----------
    .. [1] %(moabb_paper)s.

    Examples
    --------
    >>> from skbci.datasets import fetch_moabb
    >>> data = fetch_moabb("BNCI2014_001", "LeftRightImagery", subjects=[1])  # doctest: +SKIP
    """
    _import("moabb")
    source = _make(dataset, "datasets", {})
    task = _PARADIGMS.get(str(getattr(source, "paradigm", "")), ("", None))[1]
    if paradigm is None:
        paradigm = _default_paradigm(source)
    elif paradigm_options and not isinstance(paradigm, (str, type)):
        raise ValueError(
            f"{sorted(paradigm_options)} were given beside a paradigm that is made already; pass "
            "the paradigm's name, or set them on the instance."
        )
    cutter = _make(paradigm, "paradigms", paradigm_options)
    wanted = _check_subjects(source, subjects)
    try:
        epochs, labels, table = cutter.get_data(source, subjects=wanted, return_epochs=True)
    except (OSError, TimeoutError) as error:  # what network libraries raise derives from OSError
        raise ConnectionError(
            f"MOABB could not get {type(source).__name__} (subjects {wanted}): {error}. The first "
            "download needs a network; afterwards MOABB's folder is enough. Without one, use "
            "load_recording for local files or make_motor_imagery for simulated EEG."
        ) from error
    except AssertionError as error:  # MOABB's way to say that they do not belong together
        raise ValueError(
            f"MOABB cannot cut {type(source).__name__} with {type(cutter).__name__}: {error}."
        ) from error
    where = f"{type(source).__name__} of MOABB"
    say_left_out(epochs, where)
    X = EEGArray.from_epochs(epochs)
    doubt_types(X.info, np.arange(X.shape[1]), where, "Choose with channels=[...].")
    doubt_eeg(X, where)
    rows = pd.DataFrame(table).reset_index(drop=True)
    known = X.metadata.drop(columns=[column for column in X.metadata if column in rows])
    rows = pd.concat([rows, known], axis=1)
    if task is not None:
        rows["task"] = task
    rows.attrs = dict(X.metadata.attrs)
    X = EEGArray(np.asarray(X), rows, sfreq=X.sfreq, ch_names=X.ch_names, tmin=X.tmin, info=X.info)
    return make_bunch(
        X, np.asarray(labels, dtype=str),
        description=f"{type(source).__name__} through MOABB's {type(cutter).__name__}. "
        f"{(type(source).__doc__ or '').strip()}",
    )


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            'fetch_moabb needs MOABB, which is not installed: pip install "skbci[moabb]"'
        ) from error


def _make(thing: Any, module: str, options: dict[str, Any]) -> Any:
    """Return an instance of a class of MOABB by its name; instances are returned as they are."""
    if isinstance(thing, str):
        home = _import(f"moabb.{module}")
        found = getattr(home, thing, None)
        if not isinstance(found, type):
            names = sorted(name for name, value in vars(home).items() if isinstance(value, type))
            raise ValueError(f"moabb.{module} has no {thing!r}; it has {', '.join(names)}.")
        thing = found
    return thing(**options) if isinstance(thing, type) else thing


def _default_paradigm(source: object) -> str:
    kind = str(getattr(source, "paradigm", ""))
    if kind not in _PARADIGMS:
        raise ValueError(
            f"No default paradigm for {type(source).__name__} (of kind {kind!r}); pass "
            "paradigm=... from moabb.paradigms."
        )
    return _PARADIGMS[kind][0]


def _check_subjects(source: Any, subjects: Subset) -> list[int]:
    known = list(source.subject_list)
    if subjects is None:
        return known
    one = isinstance(subjects, (int, np.integer))
    # Whose recordings, not in which order: a set will do.
    given = sorted(subjects) if isinstance(subjects, (set, frozenset)) else subjects
    wanted = check_list([given] if one else given, "subjects", "fetch_moabb", "numbers",
                        also="None")
    missing = [subject for subject in wanted if subject not in known]
    if missing or not wanted:
        because = f"must be among those of {type(source).__name__}, {known}"
        raise ValueError(refusal(missing or wanted, "subjects", "fetch_moabb", because))
    return [int(subject) for subject in wanted]
