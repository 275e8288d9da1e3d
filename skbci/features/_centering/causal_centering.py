"""Removing each session's running mean, without a look ahead."""

from __future__ import annotations

import copy

import numpy as np
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_flag, check_number
from skbci._eegarray.lost_table import WITHOUT_TABLE, note_table, require_table
from skbci._eegarray.rows import carry_rows
from skbci._past import Past
from skbci._sessions import LEVELS, check_by, session_rows
from skbci._typing import Labels, Signals
from skbci._usable import LIMIT, Unusable, report_unusable
from skbci.features._base import SignalTransformer
from skbci.features._centering.running_mean import NOT_COUNTED, CenteringStream

__all__ = ["CausalCentering"]

_LEAST_ROWS = 5


class CausalCentering(SignalTransformer):
    r"""Subtract from each row the mean of its session's rows up to it.

    Electrodes, impedances and the subject's state shift features from one session to the next by
    more than imagery does. The session's own running mean removes the shift without labels and
    without rows that are not recorded yet, so that a decoder can use it while the session runs.

    Parameters
    ----------
    by : {"session", "subject", "run"}, default="session"
        What has a mean of its own: a session (of a subject), a subject, or a run (of a session).
    scale : bool, default=False
        Whether to divide by the running standard deviation too.
    forgetting : float, default=1.0
        Factor in (0, 1] by which a row's weight falls with each later row; 1 weighs all rows
        alike, :math:`1 - 1/n` remembers about n rows.
    prior_rows : float, default=0.0
        Number of rows for which the prior mean counts when a session begins; the prior is the
        mean of the training sessions' first so many rows, since beginnings are like each other.
        0: a session is centred by nothing but its own rows.

    Attributes
    ----------
    mean_ : ndarray of the shape of a row
        The prior: mean of the means of the training sessions' beginnings (with
        ``prior_rows=0``, where it is not used, of whole sessions).
    var_ : ndarray of the shape of a row
        Mean of the variances within them; for ``scale``.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If the onsets of a run do not increase from row to row, ``forgetting`` is not in (0, 1],
        ``prior_rows`` is negative, X has NaN or infinity, or rows without a table follow a ``fit``
        with one.

    See Also
    --------
    ChannelNormalizer : Scales each row by itself.

    Notes
    -----
    With rows :math:`x_0, x_1, \dots` of a session, forgetting :math:`\lambda`, :math:`n_0` prior
    rows and the prior mean :math:`\mu`, row t becomes :math:`x_t - m_t`,

    .. math::

        m_t = \frac{n_0 \lambda^{t+1} \mu + \sum_{s \le t} \lambda^{t-s} x_s}
                   {n_0 \lambda^{t+1} + \sum_{s \le t} \lambda^{t-s}} .

    Without a prior the first row becomes zero, and an offset that is constant over the session
    has no influence at all; but in the first seconds, as long as the subject has imagined one
    class, the running mean is that class's mean. ``forgetting=1 - 1/n`` and ``prior_rows=n``
    together are the exponentially weighted mean that starts from the prior,
    :math:`m_t = m_{t-1} + (x_t - m_{t-1})/n`.

    A row that lies more than a thousand times the typical deviation from the running mean, in any
    feature, is no drift: it becomes zero and does not count, with a warning, so that one huge
    sample does not move the rest of the session. The typical deviation is the median over the
    fitted rows of the distance from their session's median (for five rows or more, and where it is
    not zero). Ten such rows in succession that are alike are a shift: the mean begins anew there.

    The subject, session, run and onset of a row come from the row table
    of an `EEGArray`; rows of a plain array are one session, in order. Each call of ``transform``
    begins every session anew; :meth:`start` gives an object that carries the mean from chunk to
    chunk. Later rows and other sessions never matter.

    Since a row's result depends on the rows before it, the common checks of scikit-learn that
    shuffle rows or take them one at a time do not apply; the tag ``non_deterministic`` says so.

    References
    ----------
    .. [1] C. Vidaurre, M. Kawanabe, P. von Buenau, B. Blankertz and K.-R. Mueller, "Toward
       unsupervised adaptation of LDA for brain-computer interfaces", IEEE Transactions on
       Biomedical Engineering 58(3), 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> from skbci.features import CausalCentering
    >>> X = EEGArray([[1.0], [3.0], [101.0], [103.0]], {"session": [1, 1, 2, 2]})
    >>> np.asarray(CausalCentering().fit_transform(X)).ravel()
    array([0., 1., 0., 1.])

    Chunk by chunk:

    >>> stream = CausalCentering().fit(X).start()
    >>> stream.update([[101.0]]), stream.update([[103.0]])
    (array([[0.]]), array([[1.]]))
    """

    looks_back = row_context = True

    def __init__(
        self,
        *,
        by: str = "session",
        scale: bool = False,
        forgetting: float = 1.0,
        prior_rows: float = 0.0,
    ) -> None:
        self.by = by
        self.scale = scale
        self.forgetting = forgetting
        self.prior_rows = prior_rows

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Rows depend on the rows before them: see Notes.
        tags.non_deterministic = True
        return tags

    def fit(self, X: Signals, y: Labels | None = None) -> CausalCentering:
        """Learn the prior: mean and variance at the beginning of the training sessions.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows of features or signals, each session's in order of time.
        y : object, optional
            Ignored.

        Returns
        -------
        self
        """
        self._check_parameters()
        X, data = self._read_fit(X, flat="allow")
        note_table(self, X, LEVELS, WITHOUT_TABLE)
        first = max(1, round(self.prior_rows)) if self.prior_rows else len(data)
        sessions = session_rows(X, len(data), "CausalCentering", self.by)
        apart = np.empty(data.shape, dtype=np.float64)
        for rows in sessions:
            apart[rows] = np.abs(data[rows] - np.median(data[rows], axis=0))
        typical = np.median(apart, axis=0)
        # Of few rows, or of a feature that hardly ever changes, nothing is known.
        known = (typical > 0) & (len(data) >= _LEAST_ROWS)
        self._limit = np.where(known, LIMIT * typical, np.inf)
        far = (apart > self._limit).reshape(len(data), -1)
        self._report(far)
        sound = np.asarray(~far.any(axis=1))
        kept = [data[rows[sound[rows]][:first]] for rows in sessions if sound[rows].any()]
        self.mean_ = np.mean([rows.mean(axis=0, dtype=np.float64) for rows in kept], axis=0)
        self.var_ = np.mean([rows.var(axis=0, dtype=np.float64) for rows in kept], axis=0)
        return self

    def _report(self, far: np.ndarray) -> None:
        found = Unusable(np.zeros_like(far), far)
        report_unusable(found, "CausalCentering", then=NOT_COUNTED, what="feature")

    def transform(self, X: Signals) -> np.ndarray:
        """Center every row by its session's rows up to it.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
            Rows of the fitted shape, each session's from its beginning and in order of time.

        Returns
        -------
        ndarray or EEGArray
            Of X's shape.
        """
        X, data = self._read(X, flat="allow", same_times=True)
        require_table(self, X, WITHOUT_TABLE)
        out = np.empty_like(data)
        far = np.zeros((len(data), self._limit.size), dtype=bool)
        past = self.__dict__.get("_past")
        for rows in session_rows(X, len(data), "CausalCentering", self.by):
            known = None if past is None else past.before(X, rows)
            stream = self.start() if known is None else copy.copy(known)
            out[rows], far[rows] = stream.center(data[rows])
            if past is not None:
                past.note(X, rows, stream)
        self._report(far)
        return carry_rows(X, out)

    def _going_on(self, past: Past) -> CausalCentering:
        """Return the same step, whose ``transform`` goes on with a past and adds to it."""
        other = copy.copy(self)
        other._past = past
        return other

    def start(self) -> CenteringStream:
        """Begin a session that arrives in chunks.

        Returns
        -------
        CenteringStream
            Its ``update(rows)`` gives the same rows, chunk by chunk, as ``transform`` gives for
            the whole session.
        """
        check_is_fitted(self)
        return CenteringStream(
            float(self.forgetting), self.scale, float(self.prior_rows), self.mean_, self.var_,
            self._limit,
        )

    def _check_parameters(self) -> None:
        check_by(self.by, "CausalCentering")
        check_flag(self.scale, "scale", self)
        check_number(self.forgetting, "forgetting", self, low=0, high=1, closed="right")
        check_number(self.prior_rows, "prior_rows", self, low=0)
