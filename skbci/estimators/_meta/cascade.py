"""A cascade of two classifiers: the second sees the first one's latest answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_count, check_fits, check_number, check_splitter
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_classes, check_column
from skbci._eegarray.lost_table import WITHOUT_TABLE, note_table, require_table
from skbci._eegarray.rows import carry_rows, row_values
from skbci._sessions import LEVELS, session_rows
from skbci._typing import Labels, Signals, Splitter
from skbci._whole import all_or_nothing
from skbci.eegarray import EEGArray
from skbci.estimators._docs import fill_doc
from skbci.estimators._meta.base import DividesRows, can, params_of_rows, take_rows
from skbci.estimators._meta.lags import lagged
from skbci.estimators._meta.out_of_fold import inner_folds, out_of_fold

_STACKS = ("labels", "one-hot", "probabilities")


@fill_doc
class CascadeClassifier(DividesRows):
    r"""A terminal classifier that sees the features and an initial classifier's latest labels.

    An imagined movement lasts for many rows. The terminal classifier gets each row's features and
    what the initial one says about this row and the rows just before it, and so learns how far to
    trust the past.

    Parameters
    ----------
    initial, terminal : classifier
        Clones of them are fitted. In the HJB paper both are networks with the layers 50-30.
    n_lags : int, default=8
        How many rows the terminal classifier looks back on, the current one included.
    stack : {"labels", "one-hot", "probabilities"}, default="labels"
        What it sees of each of them: the number of the class (one value, so that 96 features and
        8 lags are the paper's 104 inputs), an indicator for each class, or the probability of
        each class.
    cv : int, splitter, iterable or None, default=None
        How the training rows are divided for the out-of-fold labels. None: whole ``groups`` where
        ``fit`` gets them, else whole sessions, else, of a single session, five blocks, each a
        contiguous share of every class's rows.
        A splitter that never tests some rows (such as `SessionSplit`) leaves them out of the
        terminal classifier's training.
    gap : float, default=1.0
        Without ``cv`` and of a single session, rows that begin within so many seconds of a
        block's rows are left out of what the block's labels are learned from, where the rows have
        onsets: at least the length of signal that one row was computed from.

    Attributes
    ----------
    initial_, terminal_ : classifier
        The fitted classifiers; the initial one on all rows.
    classes_ : ndarray, shape (n_classes,)
        The labels.
    n_features_in_ : int
        Size of the second axis of the input.

    Raises
    ------
    ValueError
        If every training session has fewer rows than ``n_lags``, the onsets of a run do not
        increase, y has one class, or a fold leaves one class to train on.

    See Also
    --------
    EvidenceAccumulator : Averages over the past without learning how.

    Notes
    -----
    What a classifier says about rows that it was trained on is too good to learn from: the
    terminal classifier is trained on labels that the initial one gave while the row was held out.

    The past ends where the recording begins: at a change of subject, session or run in the row
    table of an `EEGArray`. There, and in a recording shorter than ``n_lags``, the first row's
    label stands in for the missing ones. Rows of a plain array are one recording, in order.

    References
    ----------
    .. [1] %(hjb_paper)s, Fig. 2.
    .. [2] D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skbci.estimators import CascadeClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(np.repeat(["left", "right"], 50), 4)        # blocks of 50 rows
    >>> X = rng.normal(size=(400, 3)) + (y == "left")[:, None]
    >>> clf = CascadeClassifier(GaussianNB(), GaussianNB()).fit(X[:200], y[:200])
    >>> clf.score(X[200:], y[200:]) > clf.initial_.score(X[200:], y[200:])
    True
    """

    _remembers = True
    _takes_sparse = False

    looks_back = row_context = True

    def __init__(
        self, initial: BaseEstimator, terminal: BaseEstimator, n_lags: int = 8, *,
        stack: str = "labels", cv: Splitter = None, gap: float = 1.0,
    ) -> None:
        self.initial = initial
        self.terminal = terminal
        self.n_lags = n_lags
        self.stack = stack
        self.cv = cv
        self.gap = gap

    def _inner(self) -> dict[str, Any]:
        return {"initial": self.initial, "terminal": self.terminal}

    def fit(
        self, X: Signals, y: Labels, groups: Labels | None = None, **params: Any
    ) -> CascadeClassifier:
        """Fit the initial classifier, its out-of-fold labels, and the terminal classifier.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each recording's in order of time.
        y : array-like, shape (n_rows,)
            Labels; at least two classes.
        groups : array-like, shape (n_rows,), optional
            For ``cv``; without one, whole groups are held out.
        **params
            ``sample_weight``, or, with metadata routing, what the classifiers request.

        Returns
        -------
        self
        """
        X, y = self._check_training(X, y, reset=True)
        self._learn(X, y, groups, "fit", self._routed(y, params, groups))
        return self

    @available_if(can("partial_fit", "initial", "terminal"))
    @all_or_nothing
    def partial_fit(
        self, X: Signals, y: Labels, classes: ArrayLike | None = None
    ) -> CascadeClassifier:
        """Let both classifiers go on learning.

        The labels that the terminal classifier learns from are given by the initial one before it
        learns from the same rows. Rows that follow those of the previous call in the same
        recording look back on them.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, in order of time.
        y : array-like, shape (n_rows,)
            Labels.
        classes : array-like, optional
            All labels; needed in the first call unless `fit` came before.

        Returns
        -------
        self
        """
        first = not hasattr(self, "terminal_")
        X, y = self._check_training(X, y, reset=first, classes=classes)
        if first:
            self._learn(X, y, None, "partial_fit", self._routed(y, {}))
            return self
        values = self._values(self.initial_, X)
        self.terminal_.partial_fit(self._stacked(X, self._with_tail(X, values)), y)
        self.initial_.partial_fit(X, y)
        self._tail_ = self._last_rows(X, values)
        return self

    def predict(self, X: Signals) -> np.ndarray:
        """Return the terminal classifier's labels.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each recording's from its beginning and in order of time.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        X = self._terminal_input(X)
        return self.terminal_.predict(X)

    @available_if(can("predict_proba", "terminal"))
    def predict_proba(self, X: Signals) -> np.ndarray:
        """Return the terminal classifier's probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each recording's from its beginning and in order of time.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        X = self._terminal_input(X)
        return self.terminal_.predict_proba(X)

    # -- training -------------------------------------------------------------------------

    def _check_training(
        self, X: Signals, y: Labels, reset: bool, classes: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        name = type(self).__name__
        for part in ("initial", "terminal"):
            check_fits(getattr(self, part), part, self, and_has="predict")
        check_splitter(self.cv, "cv", self)
        check_count(self.n_lags, "n_lags", name)
        check_choice(self.stack, "stack", self, _STACKS)
        check_number(self.gap, "gap", self, low=0, unit="seconds")
        source = as_eeg(X)
        data, labels = check_eeg(
            self, source, y, reset=reset, ndim=(2, 3, 4), same_times=True,
            ensure_min_samples=2 if reset else 1,
        )
        if reset:
            self.classes_ = np.unique(labels if classes is None else classes)
            self._tail_ = None
            check_classes(self.classes_, self)
        if foreign := sorted(set(np.unique(labels).tolist()) - set(self.classes_.tolist())):
            raise ValueError(
                f"{name}: y has labels {foreign} that are not among the classes "
                f"{self.classes_.tolist()}."
            )
        return (source if isinstance(source, EEGArray) else data), labels

    def _learn(
        self, X: np.ndarray, y: np.ndarray, groups: Labels | None, method: str, params: Bunch
    ) -> None:
        name = type(self).__name__
        note_table(self, X, (*LEVELS, "onset"), WITHOUT_TABLE)
        longest = max(len(rows) for rows in session_rows(X, len(y), name))
        if longest < self.n_lags:
            raise ValueError(
                f"{name}: n_lags={self.n_lags} reaches further back than the longest training "
                f"recording, which has {longest} rows (n_samples={len(y)} in all)."
            )
        if groups is not None:
            groups = check_column(groups, len(y), "groups")

        def learn(part: BaseEstimator, seen: np.ndarray, rows: np.ndarray, share: Bunch) -> Any:
            data = seen, y[rows]
            if method == "partial_fit":
                return clone(part).partial_fit(*data, classes=self.classes_)
            return clone(part).fit(*data, **params_of_rows(X, share["fit"], rows))

        def fit_predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            fitted = learn(self.initial, take_rows(X, train), train, params["initial"])
            return self._values(fitted, take_rows(X, test))

        values, covered = out_of_fold(
            inner_folds(self.cv, X, y, groups, self.gap, name), y, len(self.classes_),
            fit_predict, name, self.gap,
        )
        self.initial_ = learn(self.initial, X, np.arange(len(y)), params["initial"])
        known = take_rows(X, covered)
        history = self._history(values[covered], session_rows(known, len(covered), name))
        self.terminal_ = learn(
            self.terminal, self._stacked(known, history), covered, params["terminal"]
        )
        self._tail_ = None

    # -- what the terminal classifier sees ------------------------------------------------

    def _values(self, fitted: BaseEstimator, X: np.ndarray) -> np.ndarray:
        """Return a classifier's share for each class, row by row."""
        own = np.asarray(fitted.classes_)
        out = np.zeros((len(X), len(self.classes_)))
        if self.stack == "probabilities":
            if not hasattr(fitted, "predict_proba"):
                raise TypeError(
                    f"{type(self).__name__}: stack='probabilities' needs an initial classifier "
                    f"with predict_proba, which {type(fitted).__name__} lacks; use stack='labels'."
                )
            out[:, np.searchsorted(self.classes_, own)] = fitted.predict_proba(X)
            return out
        predicted = np.searchsorted(self.classes_, fitted.predict(X))
        out[np.arange(len(X)), predicted] = 1.0
        return out

    def _history(self, values: np.ndarray, sessions: list[np.ndarray]) -> np.ndarray:
        if self.stack == "labels":
            values = values.argmax(axis=1)[:, None].astype(float)
        return lagged(values, sessions, self.n_lags)

    def _stacked(self, X: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Put features and history side by side, with the rows' table."""
        flat = np.asarray(X).reshape(len(X), -1)
        stacked = np.hstack([flat, history.astype(flat.dtype)])
        return carry_rows(X, stacked, sfreq=None, ch_names=None, tmin=0.0, info=None)

    def _terminal_input(self, X: Signals) -> np.ndarray:
        check_is_fitted(self, "terminal_")
        source = as_eeg(X)
        data = check_eeg(self, source, reset=False, ndim=(2, 3, 4), same_times=True)
        X = source if isinstance(source, EEGArray) else data
        require_table(self, X, WITHOUT_TABLE)
        sessions = session_rows(X, len(data), type(self).__name__)
        return self._stacked(X, self._history(self._values(self.initial_, X), sessions))

    # -- history across calls of partial_fit ----------------------------------------------

    def _with_tail(self, X: Signals, values: np.ndarray) -> np.ndarray:
        """Return the history of rows whose recording may have begun in the previous call."""
        sessions = session_rows(X, len(values), type(self).__name__)
        tail = self._tail_
        key, onset = _place(X, sessions[0][0])
        if tail is None or key is None or tail["key"] != key or tail["onset"] >= onset:
            return self._history(values, sessions)
        n = len(tail["values"])
        joined = np.concatenate([tail["values"], values])
        shifted = [rows + n for rows in sessions]
        shifted[0] = np.concatenate([np.arange(n), shifted[0]])
        return self._history(joined, shifted)[n:]

    def _last_rows(self, X: Signals, values: np.ndarray) -> dict[str, Any] | None:
        rows = session_rows(X, len(values), type(self).__name__)[-1]
        key, onset = _place(X, rows[-1])
        if key is None:
            return None
        before = self._tail_
        kept = values[rows]
        if before is not None and before["key"] == key and before["onset"] < _place(X, rows[0])[1]:
            kept = np.concatenate([before["values"], kept])
        return {"key": key, "onset": onset, "values": kept[-self.n_lags :]}


def _place(X: Signals, row: int) -> tuple[Any, float]:
    """Return a row's recording and onset; no recording where the rows have no onsets."""
    onsets = row_values(X, "onset")
    if onsets is None:
        return None, 0.0
    columns = [row_values(X, name) for name in ("subject", "session", "run")]
    return tuple(None if c is None else c[row] for c in columns), float(onsets[row])
