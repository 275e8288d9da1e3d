"""A pipeline that knows which of its rows hold no signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from joblib import Memory
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score
from sklearn.utils import Tags, column_or_1d, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, check_is_fitted

from skbci._checks import check_choice, check_list, refusal
from skbci._checks.eeg import as_eeg, check_flat_channels
from skbci._checks.finite import refuse_unreadable
from skbci._checks.labels import unpacked
from skbci._process.quiet import filters_kept
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Signals
from skbci._usable import (
    ON_BAD_ROWS,
    amplitudes,
    check_classes_left,
    find_unusable,
    report_unusable,
    typical_amplitude,
)
from skbci.estimators._meta.base import take_rows
from skbci.estimators._meta.silence import prior_answer
from skbci.pipeline import TARGET_ROWS, Pipeline

__all__ = ["DecoderPipeline"]


def _last_has(method: str) -> Callable[[DecoderPipeline], bool]:
    def check(self: DecoderPipeline) -> bool:
        getattr(self._final_estimator, method)  # its own error says what is missing
        return True

    return check


def _can_transform(pipe: DecoderPipeline) -> bool:
    return hasattr(super(DecoderPipeline, pipe), "transform")


class DecoderPipeline(Pipeline):
    r"""A `skbci.Pipeline` of epochs that sets rows without usable signal aside.

    Drop-outs, railed amplifiers and lost packets happen in every session. Such rows are found
    before the first step, so that they reach neither the filters' neighbours, nor means over rows,
    nor the classifier: ``fit`` goes on without them, and what is predicted of them is the prior.

    Parameters
    ----------
    steps : list of (str, estimator)
        As of `skbci.Pipeline`; the last is a classifier, and the first takes signals.
    on_bad_rows : {"prior", "raise", "ignore"}, default="prior"
        What to do about rows without usable signal: ``"prior"`` leaves them out of ``fit`` and
        predicts the classes' frequencies there, with a warning that names row and channel;
        ``"raise"`` makes that warning an error; ``"ignore"`` looks for none.
    transform_input, memory, verbose
        As of `skbci.Pipeline`.

    Attributes
    ----------
    prior_ : ndarray, shape (n_classes,)
        Frequencies of the classes among the fitted rows, by their weights.
    amplitude_ : ndarray, shape (n_channels,)
        Median over the fitted rows of each channel's peak-to-peak amplitude, in X's unit.

    Raises
    ------
    ValueError
        If no usable rows of a class are left in ``fit``, or with ``on_bad_rows="raise"``.

    See Also
    --------
    skbci.baselines : The decoders there are such pipelines.

    Notes
    -----
    A row is without usable signal if one of its channels is. A channel is *flat* in a row where at
    least half of the samples lie in stretches of one and the same value, each a tenth of the row
    or longer, where nothing but rounding changes, or where its amplitude is below a thousandth of
    ``amplitude_``; it is *too large* where its amplitude is above a thousand times of that. Units
    and offsets do not matter, but microvolts after volts are too large. With a channel that is
    flat all the time, every row is without signal: drop or interpolate it, or set ``"ignore"``.

    Three-dimensional input is looked at; rows of features have no amplitude. ``transform`` and
    slices of the pipeline, such as ``pipeline[:-1]``, take rows as they are.

    Examples
    --------
    >>> import warnings
    >>> from skbci.baselines import csp_lda
    >>> from skbci.datasets import make_motor_imagery
    >>> data = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=40, random_state=0)
    >>> pipe = csp_lda(4).fit(data.X[:30], data.y[:30])
    >>> new = data.X[30:].copy()
    >>> new[2] = 0.0                                            # a dropped packet
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     proba = pipe.predict_proba(new)
    >>> print(caught[0].message)
    DecoderPipeline: 1 of 10 rows has no usable signal: row 2 (flat in all channels). The prior is
    predicted there.
    >>> proba[2], pipe.prior_
    (array([0.5, 0.5]), array([0.5, 0.5]))
    """

    def __init__(
        self,
        steps: Sequence[tuple[str, BaseEstimator]],
        *,
        on_bad_rows: str = "prior",
        transform_input: Sequence[str] | None = None,
        memory: str | Memory | None = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            steps, transform_input=transform_input, memory=memory, verbose=verbose
        )
        self.on_bad_rows = on_bad_rows

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        first = self.steps[0][1] if self.steps else None
        if first is not None and not isinstance(first, str):
            tags.input_tags.three_d_array = get_tags(first).input_tags.three_d_array
        return tags

    def __getitem__(self, ind: int | str | slice) -> BaseEstimator:
        """Return a step, or some of the steps as an ordinary pipeline."""
        if isinstance(ind, slice):
            return Pipeline(self.steps, memory=self.memory, verbose=self.verbose)[ind]
        return super().__getitem__(ind)

    @filters_kept()
    @on_one_thread
    def fit(self, X: Signals, y: Labels | None = None, **params: Any) -> DecoderPipeline:
        """Fit all steps on the rows that have a usable signal.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs.
        y : array-like, shape (n_rows,)
            Labels.
        **params
            As of `skbci.Pipeline`; what has an entry a row loses those of rows set aside.

        Returns
        -------
        self
        """
        check_choice(self.on_bad_rows, "on_bad_rows", self, ON_BAD_ROWS)
        pairs = check_list(self.steps, "steps", self, "(name, estimator) pairs")
        if not pairs or not all(isinstance(pair, (tuple, list)) and len(pair) == 2
                                and isinstance(pair[0], str) for pair in pairs):
            raise ValueError(refusal(self.steps, "steps", self, "must be (name, estimator) pairs"))
        for name in ("prior_", "amplitude_", "_row_shape"):
            self.__dict__.pop(name, None)
        X, y = as_eeg(X), None if y is None else unpacked(y)
        signals = _signals(X)
        if signals is not None and y is not None and len(signals) == np.shape(y)[0]:
            check_flat_channels(signals, getattr(X, "ch_names", None))
            amplitude = amplitudes(signals)
            self.amplitude_, self._row_shape = typical_amplitude(amplitude), signals.shape[1:-1]
            bad = self._judge(X, amplitude, "Such rows are set aside.")
            if bad.any():
                labels = column_or_1d(y, warn=True)
                check_classes_left(labels, ~bad, type(self).__name__)
                kept = np.flatnonzero(~bad)
                own = {name: value for name, value in params.items() if name != TARGET_ROWS}
                params |= _check_method_params(X, own, indices=kept)
                X, y = take_rows(X, kept), labels[kept]
        super().fit(X, y, **params)
        classes = getattr(self._final_estimator, "classes_", None)
        if classes is not None and hasattr(self, "amplitude_"):
            weight = params.get("sample_weight", params.get(f"{self.steps[-1][0]}__sample_weight"))
            weight = None if weight is None else np.asarray(weight, dtype=np.float64)
            counts = np.bincount(np.searchsorted(classes, column_or_1d(y)), weight, len(classes))
            self.prior_ = counts / counts.sum()
        return self

    @available_if(_last_has("predict"))
    def predict(self, X: Signals, **params: Any) -> np.ndarray:
        """Predict labels; of rows without usable signal, the most frequent one.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs of the fitted channels.
        **params
            Passed to the last step.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        return self._ask("predict", X, params)

    @available_if(_last_has("predict_proba"))
    def predict_proba(self, X: Signals, **params: Any) -> np.ndarray:
        """Compute class probabilities; of rows without usable signal, the classes' frequencies.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs of the fitted channels.
        **params
            Passed to the last step.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        return self._ask("predict_proba", X, params)

    @available_if(_last_has("predict_log_proba"))
    def predict_log_proba(self, X: Signals, **params: Any) -> np.ndarray:
        """Compute the logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs of the fitted channels.
        **params
            Passed to the last step.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        return self._ask("predict_log_proba", X, params)

    @available_if(_last_has("decision_function"))
    def decision_function(self, X: Signals, **params: Any) -> np.ndarray:
        """Compute the classes' scores; of rows without usable signal, the prior's log-odds.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs of the fitted channels.
        **params
            Passed to the last step.

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_classes)
            With more than two classes, the logarithms of their frequencies.
        """
        return self._ask("decision_function", X, params)

    @available_if(_can_transform)
    @on_one_thread
    def transform(self, X: Signals, **params: Any) -> np.ndarray:
        """Transform by all steps; rows without usable signal, too.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs of the fitted channels.
        **params
            Passed to the steps, where metadata routing is enabled.

        Returns
        -------
        ndarray, shape (n_rows, n_features)
        """
        return super().transform(X, **params)

    @available_if(_last_has("score"))
    @on_one_thread
    def score(
        self, X: Signals, y: Labels | None = None, sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> float:
        """Score the predictions, those of rows without usable signal among them.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
            Epochs of the fitted channels.
        y : array-like, shape (n_rows,)
            True labels.
        sample_weight : array-like, shape (n_rows,), optional
            Weights of the rows.
        **params
            Passed to the last step, where every row has a usable signal.

        Returns
        -------
        float
            What the last step scores by; accuracy, where a row has no usable signal.
        """
        X = as_eeg(X)
        if not self._bad_rows(X, report=False).any():
            return super().score(X, y, sample_weight, **params)
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))

    # -- rows without signal --------------------------------------------------------------

    @on_one_thread
    def _ask(self, method: str, X: Signals, params: dict[str, Any]) -> np.ndarray:
        check_is_fitted(self)
        X = as_eeg(X)
        ask = getattr(super(), method)
        bad = self._bad_rows(X)
        if not bad.any():
            return ask(X, **params)
        silent = prior_answer(method, self.prior_, self.classes_)
        if bad.all():
            return np.repeat(silent[np.newaxis], len(bad), axis=0)
        kept = np.flatnonzero(~bad)
        own = _check_method_params(X, params, indices=kept)
        answers = np.asarray(ask(take_rows(X, kept), **own))
        out = np.empty((len(bad), *answers.shape[1:]), np.result_type(answers, silent))
        out[kept], out[bad] = answers, silent
        return out

    def _bad_rows(self, X: Signals, report: bool = True) -> np.ndarray:
        """Find the rows without usable signal, and report them."""
        signals = _signals(X) if hasattr(self, "prior_") else None
        if signals is None or signals.shape[1:-1] != self._row_shape:
            return np.zeros(0, bool)  # features, or another input, which the steps will refuse
        return self._judge(X, amplitudes(signals),
                           "The prior is predicted there." if report else None)

    def _judge(self, X: Signals, amplitude: np.ndarray, then: str | None) -> np.ndarray:
        if self.on_bad_rows == "ignore":
            return np.zeros(len(amplitude), bool)
        found, names = find_unusable(amplitude, self.amplitude_), getattr(X, "ch_names", None)
        if then is not None:
            report_unusable(found, type(self).__name__, names, then, self.on_bad_rows)
        if found.rows.any():  # the steps would count only the rows that are left
            refuse_unreadable(X, type(self).__name__, names, but=found.rows)
        return found.rows


def _signals(X: Signals) -> np.ndarray | None:
    """Rows of channels and times as numbers; None for anything else."""
    data = np.asarray(X if isinstance(X, (np.ndarray, list)) else None)
    return data if data.ndim > 2 and len(data) and data.dtype.kind in "fiu" else None
