"""Online learning in the first minutes of a new session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from skbci._checks import check_count, check_fits, check_positive, check_seed
from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_labels
from skbci._eegarray.lost_table import WITHOUT_TABLE, note_table, require_table
from skbci._past import Past
from skbci._sessions import LEVELS, session_rows
from skbci._typing import Labels, Seed, Signals
from skbci.eegarray import EEGArray
from skbci.estimators._decoder_pipeline import DecoderPipeline
from skbci.estimators._docs import fill_doc
from skbci.estimators._meta.base import (
    AroundOneClassifier,
    can,
    has_partial_fit,
    params_of_rows,
    take_rows,
)
from skbci.estimators._meta.calibration import calibration_rows, mixed_batch
from skbci.estimators._meta.learning_rate import scaled_learning_rate
from skbci.estimators._meta.looking_back import GoingOn, holds_cascade
from skbci.pipeline import last_step

_WITHOUT_TABLE = "No session can be told from another, so that nothing is learned online"


@fill_doc
class OnlineClassifier(AroundOneClassifier):
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

    Steps that look back need to know how a recording began. Rows that come after those of the
    calibration in the same recording are taken to go on with it; rows that begin before its last
    one, and rows without onsets, begin anew. What is kept of each recording:

    - for `CausalCentering` the running mean;
    - for `EvidenceAccumulator` and `CascadeClassifier` the rows of the window, or of ``n_lags``,
      as they enter the step: the classifier inside is asked about them again once it has learned;
    - for `EuclideanAlignment`, `RiemannianRecentering` and `ChannelScaling` the last 500 rows, as
      they enter the step: a group's mean covariance is that of the rows of a call and of those
      before them, which makes the three transductive over the rows of a call;
    - for a `FunctionTransformer`, and steps of packages of which nothing is known: all rows, until
      32 of a recording have shown that a transformer makes of each alone what it makes of all. A
      function or class with an attribute ``looks_back``, True or False, is taken at its word;
      where it is True, all rows are kept, and each call takes longer than the one before;
    - for all other steps, those of scikit-learn, MNE and pyriemann among them, nothing. Pipelines
      and unions keep what the steps in them need.

    References
    ----------
    .. [1] %(hjb_paper)s, section VI-A.
    .. [2] %(online_learning_paper)s.

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
        estimator: BaseEstimator,
        *,
        batch_size: int = 16,
        n_passes: int = 1,
        lr_factor: float = 1.0,
        replay: int = 0,
        random_state: Seed = None,
    ) -> None:
        self.estimator = estimator
        self.batch_size = batch_size
        self.n_passes = n_passes
        self.lr_factor = lr_factor
        self.replay = replay
        self.random_state = random_state

    def fit(self, X: Signals, y: Labels, **params: Any) -> OnlineClassifier:
        """Fit on all but each subject's last session, then learn that one in order of arrival.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows; each session's in order of time.
        y : array-like, shape (n_rows,)
            Labels.
        **params
            ``sample_weight``, ``groups`` if the classifier takes them, or, with metadata routing,
            what it requests: for the offline fit.

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
        self._pasts_: dict[str, Past] = {}
        self.n_calibration_ = 0
        if not late.any():
            self.estimator_ = fitted.fit(X, y, **routed["estimator"]["fit"])
            self._offline_ = self._to_replay(X, y)
            return self
        y = check_labels(y, _num_samples(X), self)
        early = np.flatnonzero(~late)
        own = params_of_rows(X, routed["estimator"]["fit"], early)
        offline = take_rows(X, early), y[early]
        self.estimator_ = fitted.fit(*offline, **own)
        self._offline_ = self._to_replay(*offline)
        self._go_on(take_rows(X, np.flatnonzero(late)), y[late])
        return self

    def partial_fit(
        self, X: Signals, y: Labels, classes: ArrayLike | None = None
    ) -> OnlineClassifier:
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
            self._pasts_, self._offline_, self.n_calibration_ = {}, None, 0
            first = clone(self.estimator)
            first.partial_fit(X, y, classes=np.unique(y) if classes is None else classes)
            self.estimator_ = first
            going_on = GoingOn(first, {})
            going_on.learn(X)
            self._pasts_ = going_on.pasts
            return self
        check_is_fitted(self, "estimator_")
        y = check_labels(y, _num_samples(X), self, least_classes=1)
        self._go_on(X if isinstance(X, EEGArray) else np.asarray(X), y)
        return self

    def predict(self, X: Signals) -> np.ndarray:
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
    def predict_proba(self, X: Signals) -> np.ndarray:
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

    def _go_on(self, X: np.ndarray, y: np.ndarray) -> None:
        session_rows(X, len(y), type(self).__name__)
        if foreign := sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist())):
            raise ValueError(
                f"{type(self).__name__}: the calibration has labels {foreign} that the offline "
                f"rows do not have; they have {self.classes_.tolist()}."
            )
        self.n_calibration_ += len(y)
        if isinstance(self.estimator_, DecoderPipeline):
            bad = self.estimator_._bad_rows(X)
            if bad.any():
                X, y = take_rows(X, np.flatnonzero(~bad)), y[~bad]
            if not len(y):
                return
        going_on = GoingOn(self.estimator_, self._pasts_)
        inside = going_on.learn(X)
        learner = last_step(self.estimator_)
        random = check_seed(self.random_state, "random_state", self) if self.replay else None
        offline = self._offline_
        with scaled_learning_rate(learner, float(self.lr_factor), type(self).__name__):
            for _ in range(self.n_passes):
                for rows in self._batches(len(y)):
                    batch = take_rows(inside, rows), y[rows]
                    if offline:
                        batch = mixed_batch(batch, offline, self.replay, random)
                    learner.partial_fit(*batch)
        self._pasts_ = going_on.pasts

    def _batches(self, n_rows: int) -> Iterator[np.ndarray]:
        for start in range(0, n_rows, self.batch_size):
            yield np.arange(start, min(start + self.batch_size, n_rows))

    def _to_replay(self, X: np.ndarray, y: Labels) -> tuple[np.ndarray, Labels] | None:
        """Return what the last step sees of the offline rows, where they are replayed."""
        return (GoingOn(self.estimator_, {}).learn(X), y) if self.replay else None

    def _ask(self, method: str, X: Signals) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        X = as_eeg(X)
        require_table(self, X, WITHOUT_TABLE)
        return getattr(GoingOn(self.estimator_, self._pasts_).estimator, method)(X)

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
