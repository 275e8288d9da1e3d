"""Going on to learn in the first minutes of a new session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from skbci._checks import check_count, check_fits, check_positive, check_seed
from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_labels
from skbci._eegarray.lost_table import WITHOUT_TABLE, note_table, require_table
from skbci._eegarray.rows import row_seconds, row_values
from skbci._sessions import LEVELS, session_codes, session_rows
from skbci.eegarray import EEGArray
from skbci.estimators._decoder_pipeline import DecoderPipeline
from skbci.estimators._meta.base import (
    MetaClassifier,
    can,
    has_partial_fit,
    params_of_rows,
    take_rows,
)
from skbci.estimators._meta.calibration import calibration_rows, mixed_batch
from skbci.estimators._meta.learning_rate import scaled_learning_rate
from skbci.estimators._meta.looking_back import holds_cascade, may_look_back
from skbci.pipeline import last_step

_WITHOUT_TABLE = "No session can be told from another, so that nothing is learned online"


class OnlineClassifier(MetaClassifier):
    r"""Fit on earlier sessions, then learn from the beginning of a new one as it arrives.

    `fit` divides its rows by itself: a subject's last session is the calibration, the sessions
    before it are the offline training set. The classifier is fitted on the latter, and then gets
    the calibration rows by ``partial_fit``, mini-batch by mini-batch in order of arrival. With
    ``SessionSplit(calibration=60)``, which puts the first minute of the test session at the end
    of the training rows, `cross_val_score` scores the rest of the session: the online protocol of
    the HJB paper.

    Parameters
    ----------
    estimator : classifier or Pipeline
        A clone of it is fitted. It, or the pipeline's last step, has ``partial_fit``; the
        pipeline's other steps are fitted offline and then left alone.
    batch_size : int, default=16
        Rows in a mini-batch.
    n_passes : int, default=1
        How often the calibration rows are gone through. 0: not at all, which is the offline
        classifier under the same protocol, to compare with.
    lr_factor : float, default=1.0
        Multiplies the networks' learning rate while they learn online.
    replay : int, default=0
        Number of offline rows, drawn evenly from the classes, that are mixed into each mini-batch.
        A minute of calibration is a few blocks of one class each; without replay a mini-batch
        holds one class, and the last of them is what a network remembers best.
    random_state : int, RandomState or None, default=None
        Seeds the drawing of rows to replay.

    Attributes
    ----------
    estimator_ : classifier or Pipeline
        The fitted classifier.
    classes_ : ndarray, shape (n_classes,)
        The labels.
    n_calibration_ : int
        Rows learned online.

    Raises
    ------
    TypeError
        If the classifier has no ``partial_fit``.
    ValueError
        If the onsets of a run do not increase, or the calibration has labels that the offline
        rows do not have.

    See Also
    --------
    skbci.model_selection.SessionSplit : Its ``calibration`` makes such training rows.

    Notes
    -----
    Sessions are read from the row table of an `EEGArray` (columns ``subject`` and ``session``);
    which one is the last is read as `skbci.model_selection.SessionSplit` reads it. Whoever has one
    session only, and the rows of a plain array, are offline rows; `partial_fit` then takes the
    calibration.

    Steps that look back, such as `CausalCentering`, `CascadeClassifier` and
    `EvidenceAccumulator`, need to know how a session began: at predict time the calibration rows
    are put before the later rows of the same run, and their results are dropped. Where a step may
    look back, all of them are kept, and each `partial_fit` takes longer than the one before; where
    none does, no row is kept.

    References
    ----------
    .. [1] T. K. Reddy, V. Arora, L. Behera (2018). HJB-Equation-Based Optimal Learning Scheme for
       Neural Networks With Applications in Brain-Computer Interface. IEEE Transactions on
       Emerging Topics in Computational Intelligence. doi:10.1109/TETCI.2018.2858761, section VI-A.
    .. [2] J. del R. Millan, "On the need for on-line learning in brain-computer interfaces",
       International Joint Conference on Neural Networks, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from skbci import EEGArray
    >>> from skbci.estimators import OnlineClassifier
    >>> from skbci.model_selection import SessionSplit
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(np.repeat([0, 1], 10), 16)
    >>> session, onset = np.repeat([1, 2], 160), np.tile(np.arange(160.0), 2)
    >>> X = rng.normal(size=(320, 2)) + 1.5 * y[:, None] + 1.5 * (session == 2)[:, None]
    >>> X = EEGArray(X, {"session": session, "onset": onset})
    >>> cv = SessionSplit(calibration=80, window=1)
    >>> linear = SGDClassifier("log_loss", alpha=0.01, random_state=0)
    >>> for n_passes in (0, 1):                                 # offline, online
    ...     clf = OnlineClassifier(linear, batch_size=10, n_passes=n_passes)
    ...     print(cross_val_score(clf, X, y, cv=cv).round(2))
    [0.56]
    [0.74]
    """

    def __init__(
        self,
        estimator: Any,
        *,
        batch_size: int = 16,
        n_passes: int = 1,
        lr_factor: float = 1.0,
        replay: int = 0,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.batch_size = batch_size
        self.n_passes = n_passes
        self.lr_factor = lr_factor
        self.replay = replay
        self.random_state = random_state

    def _inner(self) -> dict[str, Any]:
        return {"estimator": self.estimator}

    @property
    def classes_(self) -> np.ndarray:
        """The labels, in the order of the probabilities."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Size of the second axis of the input."""
        return self.estimator_.n_features_in_

    def fit(self, X: Any, y: Any, **params: Any) -> OnlineClassifier:
        """Fit on all but each subject's last session, then learn that one in order of arrival.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows; each session's in order of time.
        y : array-like, shape (n_rows,)
            Labels.
        **params
            ``sample_weight``, or, with metadata routing, what the classifier requests: for the
            offline fit.

        Returns
        -------
        self
        """
        self._check_settings()
        routed = self._routed(y, params)
        X = as_eeg(X)
        note_table(self, X, (*LEVELS, "onset"), _WITHOUT_TABLE)
        late = calibration_rows(X, _num_samples(X), type(self).__name__)
        fitted = clone(self.estimator)
        self._heads_: list[EEGArray] = []
        self.n_calibration_ = 0
        if not late.any():
            self.estimator_ = fitted.fit(X, y, **routed["estimator"]["fit"])
            self._offline_ = (X, y) if self.replay else None
            return self
        y = check_labels(y, _num_samples(X), self)
        early = np.flatnonzero(~late)
        own = params_of_rows(X, routed["estimator"]["fit"], early)
        offline = take_rows(X, early), y[early]
        self.estimator_ = fitted.fit(*offline, **own)
        self._offline_ = offline if self.replay else None
        self._go_on(take_rows(X, np.flatnonzero(late)), y[late])
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> OnlineClassifier:
        """Learn further rows in order of arrival, mini-batch by mini-batch.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows in order of time.
        y : array-like, shape (n_rows,)
            Labels, all among ``classes_``.
        classes : array-like, optional
            All labels; needed in the first call if `fit` did not come before. A pipeline needs
            `fit` first.

        Returns
        -------
        self
        """
        self._check_settings()
        X = as_eeg(X)
        if not hasattr(self, "estimator_") and not isinstance(self.estimator, Pipeline):
            self._heads_, self._offline_, self.n_calibration_ = [], None, 0
            first = clone(self.estimator)
            first.partial_fit(X, y, classes=np.unique(y) if classes is None else classes)
            self.estimator_ = first
            return self
        check_is_fitted(self, "estimator_")
        y = check_labels(y, _num_samples(X), self, least_classes=1)
        self._go_on(X if isinstance(X, EEGArray) else np.asarray(X), y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the classifier's labels.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each run's in order of time.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        return self._ask("predict", X)

    @available_if(can("predict_proba", "estimator"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the classifier's probabilities.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows, each run's in order of time.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
        """
        return self._ask("predict_proba", X)

    # -- learning online ------------------------------------------------------------------

    def _go_on(self, X: Any, y: np.ndarray) -> None:
        session_rows(X, len(y), type(self).__name__)
        if foreign := sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist())):
            raise ValueError(
                f"{type(self).__name__}: the calibration has labels {foreign} that the offline "
                f"rows do not have; they have {self.classes_.tolist()}."
            )
        inside = self._transformed(X)
        if isinstance(X, EEGArray) and may_look_back(self.estimator_):
            self._heads_ = [*self._heads_, X]
        self.n_calibration_ += len(y)
        if isinstance(self.estimator_, DecoderPipeline):
            bad = self.estimator_._bad_rows(X)
            if bad.any():
                inside, y = take_rows(inside, np.flatnonzero(~bad)), y[~bad]
        learner = last_step(self.estimator_)
        random = check_seed(self.random_state, "random_state", self) if self.replay else None
        offline = self._offline_ and (self._transformed(self._offline_[0]), self._offline_[1])
        with scaled_learning_rate(learner, float(self.lr_factor), type(self).__name__):
            for _ in range(self.n_passes):
                for rows in self._batches(len(y)):
                    batch = take_rows(inside, rows), y[rows]
                    if offline:
                        batch = mixed_batch(batch, offline, self.replay, random)
                    learner.partial_fit(*batch)

    def _batches(self, n_rows: int) -> Iterator[np.ndarray]:
        for start in range(0, n_rows, self.batch_size):
            yield np.arange(start, min(start + self.batch_size, n_rows))

    def _transformed(self, X: Any) -> Any:
        """What the pipeline's last step sees of rows that may continue a known session."""
        if not isinstance(self.estimator_, Pipeline) or len(self.estimator_.steps) == 1:
            return X
        X, n_before = self._with_heads(X)
        inside = self.estimator_[:-1].transform(X)
        return take_rows(inside, np.arange(n_before, len(inside)))

    # -- how sessions began ---------------------------------------------------------------

    def _with_heads(self, X: Any) -> tuple[Any, int]:
        """Put the rows seen before in front of the rows that continue their run."""
        if not isinstance(X, EEGArray) or row_values(X, "onset") is None:
            return X, 0
        before = []
        for head in self._heads_:
            joined = np.concatenate([head, X])
            codes = session_codes(joined, len(joined), "run")
            onset = row_seconds(joined)
            if onset is None:
                continue
            old, new = codes[: len(head)], codes[len(head) :]
            keep = np.zeros(len(head), dtype=bool)
            for code in np.intersect1d(old, new):
                mine = onset[: len(head)][old == code]
                if mine.max() < onset[len(head) :][new == code].min():
                    keep |= old == code
            if keep.any():
                before.append(head[np.flatnonzero(keep)])
        if not before:
            return X, 0
        return np.concatenate([*before, X]), sum(map(len, before))

    def _ask(self, method: str, X: Any) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        X = as_eeg(X)
        require_table(self, X, WITHOUT_TABLE)
        X, n_before = self._with_heads(X)
        return getattr(self.estimator_, method)(X)[n_before:]

    # -- settings -------------------------------------------------------------------------

    def _check_settings(self) -> None:
        name = type(self).__name__
        check_fits(self.estimator, "estimator", self)
        check_count(self.batch_size, "batch_size", name)
        check_count(self.n_passes, "n_passes", name, low=0)
        check_count(self.replay, "replay", name, low=0)
        check_positive(self.lr_factor, "lr_factor", self)
        if not has_partial_fit(self.estimator):
            step = last_step(self.estimator)
            where = "the pipeline's last step" if step is not self.estimator else "estimator"
            raise TypeError(
                f"{name} needs a classifier that can go on learning, but {where} is a "
                f"{type(step).__name__}, which has no partial_fit. MLPClassifier and "
                "sklearn.linear_model.SGDClassifier have one."
            )
        if self.replay and holds_cascade(self.estimator):
            raise ValueError(
                f"{name}: replay={self.replay} mixes rows of other times into a mini-batch, and a "
                "CascadeClassifier needs the rows in order; use replay=0."
            )
