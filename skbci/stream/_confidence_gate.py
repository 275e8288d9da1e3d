"""Answers where a decoder is sure enough, and none elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_list, check_number, refusal
from skbci._typing import Label, Labels
from skbci.stream._checks import real_numbers

__all__ = ["ConfidenceGate"]

_WHO = "ConfidenceGate"


class ConfidenceGate:
    """Turn a decoder's probabilities into answers, or into None: nothing yet.

    An answer is the most probable class, once its probability has been at least ``threshold`` for
    ``dwell`` seconds without interruption. After an answer there is none for ``refractory``
    seconds. So a self-paced interface rests until it is sure, and a speller goes on collecting
    evidence until it knows the letter.

    Parameters
    ----------
    classes : array-like, shape (n_classes,)
        The decoder's ``classes_``, in the order of the probabilities.
    threshold : float or dict of label to float, default=0.8
        Least probability of an answer, of each class its own where it is a dict.
    dwell : float, default=0.0
        Seconds from the first window that is sure to the one that answers.
    refractory : float, default=0.0
        Seconds after an answer without another one.
    idle : label, optional
        A class that is no answer: rest, or "no control". Where it is the most probable one,
        nothing is said.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.

    Raises
    ------
    TypeError, ValueError
        If a setting is out of range, or a label is not among the classes.

    See Also
    --------
    skbci.evaluation.self_paced_scores : Activations against what was intended.

    Notes
    -----
    A gate can be pickled, and goes on where it is.

    Examples
    --------
    >>> from skbci.stream import ConfidenceGate
    >>> gate = ConfidenceGate(["left", "right"], threshold=0.75, dwell=0.5, refractory=2.0)
    >>> probabilities = [[.6, .4], [.8, .2], [.9, .1], [.9, .1], [.9, .1], [.9, .1]]
    >>> gate.answers([0.0, 0.25, 0.5, 0.75, 1.0, 1.25], probabilities).tolist()
    [None, None, None, 'left', None, None]
    """

    def __init__(
        self,
        classes: Labels,
        threshold: float | Mapping[Any, float] = 0.8,
        *,
        dwell: float = 0.0,
        refractory: float = 0.0,
        idle: Any = None,
    ) -> None:
        given = check_list(classes, "classes", self, "labels")
        if len({isinstance(label, str) for label in given}) > 1:  # numpy would make strings of all
            because = "must be strings only, or numbers only"
            raise ValueError(refusal(classes, "classes", self, because))
        self.classes_ = np.asarray(given)
        known = self.classes_.tolist()
        if len(known) < 2 or len(set(map(repr, known))) < len(known):
            raise ValueError(
                refusal(classes, "classes", self, "must be at least two labels, all different")
            )
        if idle is not None and (np.ndim(idle) or idle not in known):
            among = ", ".join(map(repr, known))
            raise ValueError(refusal(idle, "idle", self, f"is not one of {among}"))
        by_class = threshold if isinstance(threshold, Mapping) else dict.fromkeys(known, threshold)
        if foreign := set(by_class) - set(known):
            raise ValueError(
                f"ConfidenceGate: threshold has {sorted(map(repr, foreign))}, which are not among "
                f"the classes {known}."
            )
        missing = [label for label in known if label not in by_class and label != idle]
        if missing:
            raise ValueError(
                f"ConfidenceGate: threshold={threshold} has no value for {missing}."
            )
        for value in by_class.values():
            check_number(value, "threshold", self, low=0, high=1)
        self.threshold, self.idle = threshold, idle
        self.dwell = check_number(dwell, "dwell", self, low=0, unit="seconds")
        self.refractory = check_number(refractory, "refractory", self, low=0, unit="seconds")
        self._needed = np.array([
            np.inf if label == idle and idle is not None else float(by_class[label])
            for label in known
        ])
        self.reset()

    def reset(self) -> None:
        """Forget what came before: a new run begins."""
        self._sure: int | None = None  # place of the class, and since when
        self._since = self._last = self._latest = -np.inf

    def answer(self, time: float, probabilities: ArrayLike) -> Label | None:
        """Take one decision, and answer or say nothing yet.

        Parameters
        ----------
        time : float
            Seconds; not before that of the last one.
        probabilities : array-like, shape (n_classes,)
            As `OnlineDecoder` gives them.

        Returns
        -------
        label or None
            None is: nothing yet.
        """
        return self.answers([time], np.asarray(probabilities)[np.newaxis])[0]

    def answers(self, times: ArrayLike, probabilities: ArrayLike) -> np.ndarray:
        """Take several decisions in order of time.

        Parameters
        ----------
        times : array-like, shape (n_windows,)
            Seconds.
        probabilities : array-like, shape (n_windows, n_classes)

        Returns
        -------
        ndarray of object, shape (n_windows,)
            A label for each window that answers, None for each other.

        Raises
        ------
        ValueError
            If the shapes do not fit, a probability is none, or time runs backwards. Nothing has
            been taken then.
        """
        stamps = real_numbers(times, "times must be real numbers, in seconds", who=_WHO)
        rows = real_numbers(
            probabilities, "probabilities must be real numbers", who=_WHO
        )
        if stamps.ndim != 1 or rows.shape != (len(stamps), len(self.classes_)):
            raise ValueError(
                f"ConfidenceGate: times of shape {stamps.shape} and probabilities of shape "
                f"{rows.shape}: give one time and {len(self.classes_)} probabilities a window."
            )
        if not np.isfinite(stamps).all() or (np.diff(stamps) < 0).any():
            raise ValueError("ConfidenceGate: times must be finite and in order.")
        if (rows < 0).any() or (rows > 1).any():
            raise ValueError(
                "ConfidenceGate: probabilities must be from 0 to 1, as predict_proba and "
                "OnlineDecoder give them."
            )
        if len(stamps) and stamps[0] < self._latest:
            raise ValueError(
                f"ConfidenceGate: {stamps[0]:g} s is before the window before it; call reset() "
                "where another recording begins."
            )
        out = np.full(len(stamps), None, dtype=object)
        self._latest = stamps.max(initial=self._latest)
        known = self.classes_.tolist()
        for at, (time, row) in enumerate(zip(stamps.tolist(), rows)):
            best = int(row.argmax())
            if not row[best] >= self._needed[best]:
                self._sure = None
                continue
            if self._sure != best:
                self._sure, self._since = best, time
            rested = time - self._last >= self.refractory - 1e-9  # times are rounded
            if rested and time - self._since >= self.dwell - 1e-9:
                out[at], self._last, self._sure = known[best], time, None
        return out

    def decode(
        self, decisions: Iterable[tuple[float, ArrayLike]]
    ) -> Iterator[tuple[float, Label]]:
        """Go through a decoder's decisions and yield the answers among them.

        Parameters
        ----------
        decisions : iterable of (timestamp, probabilities)
            Such as ``decoder.decode(chunks)``.

        Yields
        ------
        timestamp : float
        label
        """
        for time, probabilities in decisions:
            label = self.answer(time, probabilities)
            if label is not None:
                yield time, label
