"""Evidence accumulated over a recording's last rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_count, check_fits, check_number, check_positive
from skbci._checks.eeg import as_eeg
from skbci._eegarray.lost_table import WITHOUT_TABLE, note_table, require_table
from skbci._eegarray.rows import row_values
from skbci._sessions import LEVELS, TOLERANCE_S, session_rows
from skbci._typing import Labels, Signals
from skbci._weights import as_counts
from skbci._whole import all_or_nothing
from skbci.estimators._meta.base import AroundOneClassifier, can
from skbci.estimators._meta.markov import forward_filter
from skbci.estimators._meta.silence import says_nothing

# A classifier that is certain must not outvote all other rows.
LEAST_PROBABILITY = 1e-7


class EvidenceAccumulator(AroundOneClassifier):
    r"""Average a classifier's log-probabilities over a recording's last rows.

    The class does not change from row to row, so what the classifier said lately is evidence
    about the present. Longer windows decide better and later.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``; a clone of it is fitted.
    window : int or float, default=8
        How many rows, or seconds, are averaged, the current row included.
    unit : {"rows", "seconds"}, default="rows"
        What ``window`` counts. Seconds need the column ``onset`` in the row table.
    change_rate : float, "learned" or None, default=None
        Probability that the class changes from a row to the next, in (0, 1). ``"learned"``: as
        often as among the training labels. None: it does not change within a window, and
        log-probabilities are averaged.
    exponent : float, default=1.0
        With a ``change_rate``: the power to which a row's likelihoods are raised, in (0, 1]. Where
        neighbouring rows share signal, the share that is new, hop / length of a sliding window.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray, shape (n_classes,)
        The labels.
    change_rate_ : float
        With a ``change_rate``: the probability in use.
    class_prior_ : ndarray, shape (n_classes,)
        With a ``change_rate``: shares of the classes among the training rows, by their weights.

    Raises
    ------
    ValueError
        If ``window`` is not positive, ``change_rate`` or ``exponent`` is out of range, seconds are
        asked for without onsets, or the onsets of a run do not increase.
    TypeError
        If the classifier has no ``predict_proba``.

    See Also
    --------
    CascadeClassifier : Learns how far to trust the past.

    Notes
    -----
    For a row at time t and the rows :math:`s` of its recording with :math:`t - w < t_s \le t`,

    .. math::

        \log p_t(k) = \frac{1}{n} \sum_s \log p(k \mid x_s) + \text{const} ,

    with probabilities below 1e-7 raised to that. The mean, not the sum: neighbouring rows share
    most of their signal, and a sum would be far too sure. A window of one row gives the
    classifier's own answer.

    With a ``change_rate`` c, what the window's rows say about the present is weighed by how likely
    the class has been the same since: the forward recursion of a hidden Markov model [1]_, begun
    at the window's first row with the classes' shares :math:`\pi_k`,

    .. math::

        p_s(k) \propto \left( \frac{p(k \mid x_s)}{\pi_k} \right)^\gamma
        \Big[ (1 - c) \, p_{s-1}(k)
        + c \sum_{j \ne k} p_{s-1}(j) \frac{\pi_k}{1 - \pi_j} \Big] ,

    with the exponent :math:`\gamma`. Old rows fade where newer ones speak against them, and so
    decisions follow a change of class sooner than an average does.

    A row of which the classifier says nothing but its prior, as `DecoderPipeline` and the networks
    do where there is no usable signal, is no evidence: averages are taken without it, and in the
    recursion its likelihoods are one. It counts for the window's length.

    Rows before the beginning of the recording (a change of subject, session or run in the row
    table of an `EEGArray`) are not there, so the first windows are shorter; each call begins every
    recording anew. Rows of a plain array are one recording, in order. ``fit`` changes nothing
    about the classifier: only ``predict`` and ``predict_proba`` accumulate.

    References
    ----------
    .. [1] L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech
       recognition", Proceedings of the IEEE 77(2), 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skbci.estimators import EvidenceAccumulator
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["left", "right"], 100)
    >>> X = rng.normal(size=(200, 1)) + (y == "left")[:, None]
    >>> [EvidenceAccumulator(GaussianNB(), n).fit(X, y).score(X, y) for n in (1, 10)]
    [0.695, 0.955]
    """

    looks_back = row_context = True

    def __init__(
        self,
        estimator: BaseEstimator,
        window: float = 8,
        *,
        unit: str = "rows",
        change_rate: float | str | None = None,
        exponent: float = 1.0,
    ) -> None:
        self.estimator = estimator
        self.window = window
        self.unit = unit
        self.change_rate = change_rate
        self.exponent = exponent

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if not self._is_single_row():
            # Rows in no order, as in scikit-learn's checks, have nothing to do with their past.
            tags.classifier_tags.poor_score = True
        return tags

    @property
    def _remembers(self) -> bool:  # type: ignore[override]
        return not self._is_single_row()

    def _is_single_row(self) -> bool:
        return self.unit == "rows" and self.window == 1

    def fit(self, X: Signals, y: Labels, **params: Any) -> EvidenceAccumulator:
        """Fit the classifier.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, shape (n_rows,)
            Labels.
        **params
            ``sample_weight``, ``groups`` if the classifier takes them, or, with metadata routing,
            what it requests.

        Returns
        -------
        self
        """
        self._check_settings()
        routed = self._routed(y, params)
        X = as_eeg(X)
        if not self._is_single_row():
            note_table(self, X, (*LEVELS, "onset"), WITHOUT_TABLE)
        fitted = clone(self.estimator).fit(X, y, **routed["estimator"]["fit"])
        if not hasattr(fitted, "predict_proba"):
            raise TypeError(
                f"{type(self).__name__} averages probabilities, but {type(fitted).__name__} has "
                "no predict_proba."
            )
        self.estimator_ = fitted
        self._counts = np.zeros(len(self.classes_)), 0, 0
        for name in ("change_rate_", "class_prior_"):
            self.__dict__.pop(name, None)
        self._count(X, y, routed["estimator"]["fit"].get("sample_weight"))
        return self

    @available_if(can("partial_fit", "estimator"))
    @all_or_nothing
    def partial_fit(
        self, X: Signals, y: Labels, classes: ArrayLike | None = None
    ) -> EvidenceAccumulator:
        """Let the classifier go on learning.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows.
        y : array-like, shape (n_rows,)
            Labels.
        classes : array-like, optional
            All labels; needed in the first call unless `fit` came before.

        Returns
        -------
        self
        """
        self._check_settings()
        if not hasattr(self, "estimator_"):
            self.estimator_ = clone(self.estimator)
        known = {} if classes is None else {"classes": classes}
        self.estimator_.partial_fit(as_eeg(X), y, **known)
        if not hasattr(self, "_counts"):
            self._counts = np.zeros(len(self.classes_)), 0, 0
        self._count(X, y)
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Return the label with the most evidence.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each recording's in order of time.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        check_is_fitted(self, "estimator_")
        if self._is_single_row() or len(self.classes_) == 1:
            return self.estimator_.predict(as_eeg(X))
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Signals) -> np.ndarray:
        """Compute accumulated probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each recording's in order of time.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.
        """
        check_is_fitted(self, "estimator_")
        X = as_eeg(X)
        proba = np.asarray(self.estimator_.predict_proba(X))
        if self._is_single_row():
            return proba
        require_table(self, X, WITHOUT_TABLE)
        out = proba.astype(np.float64)
        logs = np.log(np.maximum(out, LEAST_PROBABILITY))
        silent = says_nothing(self.estimator_, proba)
        rate = getattr(self, "change_rate_", None)  # as it was in fit
        if rate is not None:
            logs = self.exponent * (logs - np.log(self.class_prior_))
        logs[silent] = 0.0
        for rows in session_rows(X, len(proba), type(self).__name__):
            first = self._first_of_window(X, rows)
            if rate is not None:
                out[rows] = forward_filter(logs[rows], first, rate, self.class_prior_)
                continue
            n = _within(np.ones(len(rows)) - silent[rows], first)[:, None]
            means = _within(logs[rows], first) / np.maximum(n, 1)
            # Of one row, or of rows that say nothing: the classifier's own answer.
            alone = (n == 1) & ~silent[rows, None] | (n == 0)
            out[rows] = np.where(alone, out[rows], softmax(means, axis=1))
        return out.astype(proba.dtype)

    def _first_of_window(self, X: Signals, rows: np.ndarray) -> np.ndarray:
        """Place, within the recording, of the first row of each row's window."""
        place = np.arange(len(rows))
        if self.unit == "rows":
            return np.maximum(place - int(self.window) + 1, 0)
        onsets = row_values(X, "onset")
        if onsets is None:
            raise ValueError(
                f"{type(self).__name__}: unit='seconds' needs to know when the rows begin: give "
                "an EEGArray whose metadata has the column 'onset', or count in rows."
            )
        at = np.asarray(onsets, dtype=np.float64)[rows]
        first = np.searchsorted(at, at - float(self.window) + TOLERANCE_S, side="right")
        return np.minimum(first, place)

    def _count(self, X: Signals, y: Labels, sample_weight: ArrayLike | None = None) -> None:
        """Add these labels to what is known of the classes and of their changes."""
        if self.change_rate is None:
            return
        shares, changes, steps = self._counts
        labels = np.searchsorted(self.classes_, column_or_1d(y))
        weight = np.ones(len(labels))
        if sample_weight is not None:
            weight = as_counts(np.asarray(sample_weight, dtype=float))
        shares = shares + np.bincount(labels, weight, minlength=len(self.classes_))
        for rows in session_rows(as_eeg(X), len(labels), type(self).__name__):
            rows = rows[weight[rows] > 0]
            changes += int(np.sum(labels[rows][1:] != labels[rows][:-1]))
            steps += max(len(rows) - 1, 0)
        self._counts = shares, changes, steps
        # Half a row, half a change more than there are: nothing is impossible.
        self.class_prior_ = (shares + 0.5) / (shares + 0.5).sum()
        learned = (changes + 0.5) / (steps + 1)
        self.change_rate_ = learned if self.change_rate == "learned" else float(self.change_rate)

    def _check_settings(self) -> None:
        check_fits(self.estimator, "estimator", self, and_has="predict_proba")
        words = "'learned' or None"
        if isinstance(self.change_rate, str):
            check_choice(self.change_rate, "change_rate", self, ("learned", None))
        elif self.change_rate is not None:
            check_number(
                self.change_rate, "change_rate", self, low=0, high=1, closed="neither", also=words
            )
        check_number(self.exponent, "exponent", self, low=0, high=1, closed="right")
        if check_choice(self.unit, "unit", self, ("rows", "seconds")) == "rows":
            check_count(self.window, "window", self)
        else:
            check_positive(self.window, "window", self, unit="seconds")


def _within(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums of each row's values and those before it, from the first of its window on."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    return sums[1:] - sums[first]
