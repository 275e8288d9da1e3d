"""scikit-learn's pipeline, without the loss of the rows' table between its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn.pipeline
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_memory

from skbci._checks.eeg import as_eeg
from skbci._typing import Labels, Signals
from skbci._whole import Undo, WholeFits, fits_or_not, undo_fit_in_place, undo_training
from skbci.eegarray import EEGArray

if TYPE_CHECKING:
    from joblib import Memory

__all__ = ["Pipeline", "is_pipeline", "keep_rows", "make_pipeline", "step_output"]

#: MOABB's word for rows of whoever is to be decoded; they are not those of X.
TARGET_ROWS = "X_target_unlabeled"


class Pipeline(WholeFits, sklearn.pipeline.Pipeline):
    """scikit-learn's `Pipeline`, whose rows know their subject, session and onset to the end.

    scikit-learn's transformers make bare arrays of whatever they get. What comes after them no
    longer knows which subject, session or run a row is of: online learning has no session to
    begin with, early stopping holds out the last rows instead of whole subjects. Here each step's
    output gets the row table of its input, where it has as many rows and no table of its own.

    Everything else is scikit-learn's: parameters, slicing, caching, metadata routing. Plain
    arrays, data frames (``set_output``) and sparse matrices are passed on as they are. A fit that
    fails or is interrupted leaves the pipeline and its steps as they were before.

    Parameters
    ----------
    steps : list of (str, estimator)
        Names and steps, as in scikit-learn.
    transform_input : list of str, optional
        As in scikit-learn. ``X_target_unlabeled``, MOABB's name for rows of whoever is to be
        decoded, always goes through the steps before the one that asks for it.
    memory : str or joblib.Memory, optional
        Cache of the fitted transformers. Two tables over the same numbers are kept apart.
    verbose : bool, default=False
        Whether to print the time of each step.

    Attributes
    ----------
    named_steps : Bunch
        The steps by name.
    classes_, n_features_in_, feature_names_in_ :
        As in scikit-learn.

    Raises
    ------
    TypeError
        If a step cannot transform.

    See Also
    --------
    make_pipeline : Names the steps by itself.
    skbci.features.KeepRows : Does it for one step of any pipeline.

    Notes
    -----
    Sampling rate and channel names are not put on what a step of another package gives, since its
    columns are no channels any more.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skbci.datasets import make_eye_state
    >>> from skbci.features import BandEnergy
    >>> from skbci.pipeline import Pipeline
    >>> eeg = make_eye_state(n_subjects=2, duration=20.0, random_state=0)
    >>> pipe = Pipeline([("energies", BandEnergy(log=True)), ("scale", StandardScaler()),
    ...                  ("pca", PCA(5))])
    >>> features = pipe.fit_transform(eeg.X)
    >>> features.shape[1], features.metadata["subject"].unique().tolist()
    (5, [1, 2])
    """

    def _fit(self, X: Signals, *args: Any, **kwargs: Any) -> Any:
        # The same steps with another cache: nobody who looks at this pipeline meanwhile sees it.
        worker = object.__new__(type(self))
        worker.__dict__.update(self.__dict__, memory=_KeepingMemory(check_memory(self.memory)))
        try:
            return sklearn.pipeline.Pipeline._fit(worker, X, *args, **kwargs)
        finally:
            self.steps = worker.steps  # type: ignore[has-type]

    def _get_metadata_for_step(self, **which: Any) -> Any:
        # Rows of whoever is to be decoded take the way that X takes, whether one says so or not.
        worker = object.__new__(type(self))
        named = [*(self.transform_input or ()), TARGET_ROWS]
        worker.__dict__.update(self.__dict__, transform_input=named)
        return sklearn.pipeline.Pipeline._get_metadata_for_step(worker, **which)

    def fit(self, X: Signals, y: Labels | None = None, **params: Any) -> Pipeline:
        """Fit all steps, one after the other.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, optional
            Labels.
        **params
            As in scikit-learn.

        Returns
        -------
        self
        """
        return super().fit(X, y, **params)

    @available_if(lambda self: self._can_fit_transform())
    @fits_or_not
    def fit_transform(self, X: Signals, y: Labels | None = None, **params: Any) -> np.ndarray:
        """Fit all steps, and transform with all of them.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, optional
            Labels.
        **params
            As in scikit-learn.

        Returns
        -------
        EEGArray where X is one, else what the last step gives
        """
        return keep_rows(X, super().fit_transform(X, y, **params))

    @available_if(lambda self: hasattr(super(), "fit_predict"))
    @fits_or_not
    def fit_predict(self, X: Signals, y: Labels | None = None, **params: Any) -> np.ndarray:
        """Fit all steps, and predict by the last one's ``fit_predict``.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, optional
            Labels.
        **params
            As in scikit-learn.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        return super().fit_predict(X, y, **params)

    def _undo_fit(self) -> Undo:
        return undo_fit_in_place(self)

    def _undo_training(self) -> Undo:
        return undo_training(self.steps[-1][1])  # the only step that goes on learning

    def _iter(
        self, with_final: bool = True, filter_passthrough: bool = True
    ) -> Iterator[tuple[int, str, Any]]:
        for at, name, step in super()._iter(with_final, filter_passthrough):
            # Unfiltered, the steps are about to be fitted; else they transform.
            yield at, name, _KeepingStep(step) if filter_passthrough else step


def make_pipeline(
    *steps: Sequence[tuple[str, BaseEstimator]], memory: str | Memory | None = None,
    transform_input: Sequence[str] | None = None, verbose: bool = False,
) -> Pipeline:
    """scikit-learn's `make_pipeline`, without the loss of the rows' table between the steps.

    Parameters
    ----------
    *steps : estimator
        Transformers, then a classifier or another transformer; their names are their types in
        lower case.
    memory : str or joblib.Memory, optional
        Cache of the fitted transformers.
    transform_input : list of str, optional
        As in scikit-learn.
    verbose : bool, default=False
        Whether to print the time of each step.

    Returns
    -------
    Pipeline

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from skbci import make_pipeline
    >>> from skbci.features import BandEnergy
    >>> list(make_pipeline(BandEnergy(log=True), PCA(5)).named_steps)
    ['bandenergy', 'pca']
    """
    named = sklearn.pipeline.make_pipeline(*steps).steps
    return Pipeline(named, transform_input=transform_input, memory=memory, verbose=verbose)


def keep_rows(X: Signals, out: np.ndarray) -> np.ndarray:
    """Put the table of its input on a transformer's output.

    Parameters
    ----------
    X : object
        What was transformed.
    out : object
        What came out.

    Returns
    -------
    EEGArray
        Where X has rows with a table (or is ``mne.Epochs``), and ``out`` is an array of as many
        rows without one; else ``out``.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.pipeline import keep_rows
    >>> X = EEGArray(np.ones((3, 2)), {"subject": [1, 1, 2]})
    >>> keep_rows(X, np.asarray(X).sum(axis=1)).metadata["subject"].tolist()
    [1, 1, 2]
    """
    if not isinstance(out, np.ndarray) or out.ndim == 0 or isinstance(out, np.ma.MaskedArray):
        return out
    if isinstance(out, EEGArray) and out.has_metadata:
        return out
    X = as_eeg(X)
    if not isinstance(X, EEGArray) or len(X) != len(out):
        return out
    if isinstance(out, EEGArray):  # it knows its own rate and channels
        return EEGArray(out, X.metadata, sfreq=out.sfreq, ch_names=out.ch_names, tmin=out.tmin,
                        info=out.info, window=out.window)
    return X.with_data(out, sfreq=None, ch_names=None, tmin=0.0, info=None)


def is_pipeline(estimator: BaseEstimator) -> bool:
    """Return whether an estimator is scikit-learn's pipeline or this package's, and no other.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skbci import make_pipeline
    >>> from skbci.pipeline import is_pipeline
    >>> is_pipeline(make_pipeline(StandardScaler())), is_pipeline(StandardScaler())
    (True, False)
    """
    return type(estimator) in (Pipeline, sklearn.pipeline.Pipeline)


def last_step(estimator: BaseEstimator) -> BaseEstimator:
    """Return the step of a pipeline that predicts, or the estimator itself."""
    while isinstance(estimator, sklearn.pipeline.Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def step_output(pipeline: BaseEstimator, X: Signals, out: np.ndarray) -> np.ndarray:
    """Return what a pipeline hands to the step after the one that made ``out`` of ``X``.

    Examples
    --------
    >>> import numpy as np
    >>> import sklearn.pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skbci import EEGArray, make_pipeline
    >>> from skbci.pipeline import step_output
    >>> X, out = EEGArray(np.ones((2, 2)), {"subject": [1, 2]}), np.zeros((2, 2))
    >>> step_output(make_pipeline(StandardScaler()), X, out).metadata["subject"].tolist()
    [1, 2]
    >>> type(step_output(sklearn.pipeline.make_pipeline(StandardScaler()), X, out)).__name__
    'ndarray'
    """
    return keep_rows(X, out) if isinstance(pipeline, Pipeline) else out


class _KeepingStep:
    """A fitted step whose output has the table of its input."""

    def __init__(self, step: BaseEstimator) -> None:
        self._step = step

    def __repr__(self) -> str:
        return repr(self._step)

    def __getattr__(self, name: str) -> Any:
        if name == "_step":
            raise AttributeError(name)  # a copy that is not filled yet
        found = getattr(self._step, name)
        if name not in ("transform", "inverse_transform"):
            return found
        return lambda X, **params: keep_rows(X, found(X, **params))


class _KeepingMemory:
    """A pipeline's cache, around which the output of each step gets the table of its input."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def __getattr__(self, name: str) -> Any:
        if name == "_memory":
            raise AttributeError(name)  # a copy that is not filled yet
        return getattr(self._memory, name)

    def cache(self, function: Any, **settings: Any) -> Any:
        """Wrap scikit-learn's function that fits a transformer and transforms with it."""
        cached = self._memory.cache(function, **settings)

        def kept(transformer: BaseEstimator, X: Signals, *args: Any, **kwargs: Any) -> Any:
            out, fitted = cached(transformer, X, *args, **kwargs)
            return keep_rows(X, out), fitted

        return kept
