"""Contiguous blocks in time, without the windows that straddle their borders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_count, check_number
from skbci._row_times import row_duration, row_onsets
from skbci._sessions import apart_in_time, recording_codes
from skbci._typing import Labels, Signals
from skbci.model_selection._base import Fold, TimedSplitter
from skbci.model_selection._row_labels import count_rows

__all__ = ["PurgedKFold"]


class PurgedKFold(TimedSplitter):
    r"""K-fold over contiguous blocks of time, for windows that overlap.

    The rows are put in order of time, recording after recording, and cut into ``n_splits``
    blocks of equal size; each is the test set once. Training rows whose window shares signal
    with a test window, or comes closer to it than ``gap``, are removed: a shuffled split of
    overlapping windows tests on signal it was trained on.

    Parameters
    ----------
    n_splits : int, default=5
        Number of blocks.
    window : float, optional
        Length in seconds of the signal that one row was computed from. None: samples over
        sampling rate, where X is a signal that knows its sampling rate. Rows that are features
        do not know it.
    gap : float, default=0.0
        Seconds that must at least lie between a training and a test window.

    See Also
    --------
    WithinSubject : Any splitter inside each subject, ``WithinSubject(PurgedKFold(5))``.
    skbci.evaluation.leakage_report : What a split lets through.

    Notes
    -----
    With onsets :math:`t`, a training row :math:`i` is removed if a test row :math:`j` of the same
    recording has :math:`|t_i - t_j| < \mathrm{window} + \mathrm{gap}`.

    ``groups`` number the recordings (runs, sessions); windows of different recordings never
    overlap. The columns ``subject``, ``session`` and ``run`` of X's row table separate recordings
    too, whether or not groups are passed, and so do onsets that begin anew from one row to the
    next and coincide with those before: runs that were joined without labels. ``onsets`` are
    seconds from the start of the recording, by default the table's column ``onset``.

    References
    ----------
    .. [1] M. Lopez de Prado, "Advances in Financial Machine Learning", Wiley, 2018, chapter 7
       (purging and embargo).

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.model_selection import PurgedKFold
    >>> onset = np.arange(8) * 0.5                     # one-second windows every half second
    >>> for train, test in PurgedKFold(2, window=1.0).split(np.zeros((8, 3)), onsets=onset):
    ...     print(train, test)
    [5 6 7] [0 1 2 3]
    [0 1 2] [4 5 6 7]
    """

    def __init__(
        self, n_splits: int = 5, *, window: float | None = None, gap: float = 0.0
    ) -> None:
        self.n_splits = n_splits
        self.window = window
        self.gap = gap

    def get_n_splits(
        self, X: Signals | None = None, y: Labels | None = None, groups: Labels | None = None,
        onsets: ArrayLike | None = None,
    ) -> int:
        """Return ``n_splits``.

        Parameters
        ----------
        X, y, groups, onsets : object
            Ignored, exist for compatibility.

        Returns
        -------
        int
        """
        return self.n_splits

    def _iter_folds(
        self, X: Signals, y: Labels | None, groups: Labels | None, **where: Any
    ) -> Iterator[Fold]:
        who = type(self).__name__
        n_splits = check_count(self.n_splits, "n_splits", who, low=2)
        gap = check_number(self.gap, "gap", who, low=0, unit="seconds")
        n_rows = count_rows(X, groups, who)
        if n_splits > n_rows:
            raise ValueError(f"{who}: n_splits={n_splits} blocks need as many rows, got {n_rows}.")
        reach = row_duration(X, self.window, who) + gap
        times = row_onsets(X, where.get("onsets"), n_rows, who)
        recordings = recording_codes(X, n_rows, groups, times)
        for block in np.array_split(np.lexsort((times, recordings)), n_splits):
            rest = np.setdiff1d(np.arange(n_rows), block)
            yield rest[apart_in_time(times, recordings, rest, block, reach)], np.sort(block)

    def _empty_hint(self) -> str:
        return (
            f"every one lies within window + gap of a test row (window={self.window}, "
            f"gap={self.gap} seconds). Use a smaller gap, other blocks, or longer recordings."
        )
