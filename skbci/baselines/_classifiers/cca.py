"""Canonical correlation with the flicker: the training-free decoder of SSVEP."""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_count
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.frequencies import resolve_sfreq
from skbci._checks.labels import label_column
from skbci._process.threads import on_one_thread
from skbci._typing import Label, Labels, Signals
from skbci._whole import WholeFits
from skbci.baselines._classifiers.canonical import band_weights, canonical_correlations
from skbci.baselines._docs import fill_doc

__all__ = ["CCAClassifier"]

_HERTZ = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:hz)?\s*", re.IGNORECASE)
_LEAST_HZ = 3.0  # labels below it are taken for codes of classes


@fill_doc
class CCAClassifier(WholeFits, ClassifierMixin, BaseEstimator):
    r"""Find the flicker frequency that a row correlates with most.

    Some weighted sum of the channels is compared with some weighted sum of sines and cosines at
    each frequency and its harmonics. Nothing is learned from the signals but, where the labels do
    not say so, which label belongs to which frequency.

    Parameters
    ----------
    frequencies : dict, sequence of float, or None, default=None
        Flicker frequencies in Hz. A dict gives each label's. None: the labels are the
        frequencies, as numbers (``12.0``) or words (``"12 Hz"``; prefer words for fractions such
        as ``"7.5 Hz"``, since scikit-learn's scores refuse 7.5 for a label). A sequence: labels
        that are among the frequencies mean themselves; if none of them is, ``fit`` gives each
        label one of the frequencies, so that the training rows' correlations are largest.
    n_harmonics : int, default=3
        Sinusoids of a reference, the fundamental being the first; those at half of the sampling
        rate or above are left out.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for `mne.Epochs` or an `EEGArray`, which know theirs.

    Attributes
    ----------
    classes_ : ndarray
        Labels; with a dict all of its labels, in training rows or not.
    frequencies_ : ndarray of shape (n_classes,)
        Their frequencies in Hz.
    sfreq_ : float
        Sampling rate in Hz.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If a label has no frequency, a frequency is not below half of the sampling rate, there is
        no sampling rate, or X has NaN or infinity.

    See Also
    --------
    skbci.baselines.ssvep_cca : The pipeline with it.

    Notes
    -----
    With the references :math:`Y_f = (\sin 2\pi h f t, \cos 2\pi h f t)_{h \le H}` the score of
    frequency f is the first canonical correlation [1]_

    .. math:: \rho_f = \max_{w, v} \operatorname{corr}(w^\top X, v^\top Y_f),

    for all rows at once the largest singular value of :math:`Q_X^\top Q_{Y_f}`, where Q are
    orthonormal bases. Directions of X without signal are left out, so that the reference and the
    unit do not matter; neither does the flicker's phase. With bands on the second axis (as from
    ``FilterBank(output="bands")``) the score is that of filter bank CCA [2]_,
    :math:`\sum_m (m^{-1.25} + 0.25) \rho_{f,m}^2` for bands m = 1, 2, ...; bands should then
    begin one above another and end alike.

    Rows with fewer samples than channels and references together correlate perfectly with
    anything: windows have to be longer.

    References
    ----------
    .. [1] %(cca_paper)s.
    .. [2] X. Chen, Y. Wang, S. Gao, T.-P. Jung and X. Gao, "Filter bank canonical correlation
       analysis for implementing a high-speed SSVEP-based brain-computer interface", Journal of
       Neural Engineering 12, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.baselines import CCAClassifier
    >>> time = np.arange(256) / 128
    >>> X = np.random.default_rng(0).standard_normal((20, 3, 256))
    >>> hertz = np.tile([10, 12], 10)
    >>> X[:, 1] += np.sin(2 * np.pi * hertz[:, None] * time)
    >>> CCAClassifier(sfreq=128).fit(X, hertz).score(X, hertz)
    1.0

    Labels that do not name their frequency:

    >>> side = np.where(hertz == 10, "right", "left")
    >>> CCAClassifier((8, 10, 12), sfreq=128).fit(X, side).frequencies_
    array([12., 10.])
    """

    def __init__(
        self,
        frequencies: Mapping[Any, float] | Sequence[float] | None = None,
        *,
        n_harmonics: int = 3,
        sfreq: float | None = None,
    ) -> None:
        self.frequencies = frequencies
        self.n_harmonics = n_harmonics
        self.sfreq = sfreq

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        # It decodes flicker; on any other data it has nothing to go by.
        tags.classifier_tags.poor_score = True
        return tags

    @on_one_thread
    def fit(self, X: Signals, y: Labels) -> CCAClassifier:
        """Settle which label has which frequency.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times), \
(n_rows, n_bands, n_channels, n_times) or (n_rows, n_times)
            Signals; 2-D input has one channel.
        y : array-like, shape (n_rows,)
            Labels.

        Returns
        -------
        self
        """
        check_count(self.n_harmonics, "n_harmonics", self)
        X = as_eeg(X)
        data = check_eeg(self, X, reset=True, ndim=(2, 3, 4), flat="allow")
        labels = label_column(y, len(data), self)
        self.sfreq_ = resolve_sfreq(self.sfreq, X, self)
        self.classes_, self.frequencies_ = self._assign(data, labels)
        return self

    def decision_function(self, X: Signals) -> np.ndarray:
        """Score each label.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape as in fit, with any number of times
            Signals of the fitted channels.

        Returns
        -------
        ndarray, shape (n_rows, n_classes) or (n_rows,)
            Canonical correlations, from 0 to 1; with bands the weighted sums of their squares.
            For two classes the second's less the first's.
        """
        check_is_fitted(self)
        X = as_eeg(X)
        data = check_eeg(self, X, reset=False, ndim=(2, 3, 4))
        resolve_sfreq(self.sfreq_, X, self)
        scores = self._scores(data, self.frequencies_)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Signals) -> np.ndarray:
        """Predict the label of the largest score.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape as in fit, with any number of times
            Signals of the fitted channels.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    @on_one_thread
    def _scores(self, data: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
        if data.ndim == 2:
            data = data[:, np.newaxis]
        harmonics = int(self.n_harmonics)
        if data.ndim == 3:
            return canonical_correlations(data, frequencies, harmonics, self.sfreq_)
        weights = band_weights(data.shape[1])
        return np.sum([
            weight * canonical_correlations(data[:, m], frequencies, harmonics, self.sfreq_) ** 2
            for m, weight in enumerate(weights)
        ], axis=0)

    def _assign(self, data: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Classes and their frequencies."""
        classes = np.unique(y)
        given = self.frequencies
        if isinstance(given, Mapping):
            unknown = [label for label in classes.tolist() if label not in given]
            if unknown:
                check_classification_targets(y)
                raise ValueError(
                    f"CCAClassifier: frequencies has no entry for the labels {unknown}; its "
                    f"labels are {list(given)}."
                )
            classes = np.unique(np.asarray(list(given)))
            return classes, self._checked([given[label] for label in classes.tolist()])
        named = [_hertz(label) for label in classes.tolist()]
        if given is None:
            return classes, self._checked(self._read_labels(classes, named))
        hertz = self._checked(given)
        among = [f is not None and bool(np.isclose(f, hertz).any()) for f in named]
        if all(among):
            return classes, np.array(named, dtype=np.float64)
        check_classification_targets(y)
        if any(among):
            other = [label for label, known in zip(classes.tolist(), among) if not known]
            raise ValueError(
                f"CCAClassifier: the labels {other} are not among frequencies={list(given)}, but "
                "others are. Give every label's frequency: frequencies={label: Hz, ...}."
            )
        if len(classes) > len(hertz):
            raise ValueError(
                f"CCAClassifier: there are {len(classes)} classes, but frequencies has "
                f"{len(hertz)} entries only."
            )
        scores = self._scores(data, hertz)
        means = np.array([scores[y == label].mean(axis=0) for label in classes])
        return classes, hertz[linear_sum_assignment(-means)[1]]

    def _read_labels(self, classes: np.ndarray, named: list[float | None]) -> list[float]:
        hertz = [f for f in named if f is not None and f >= _LEAST_HZ]
        if len(hertz) < len(named):
            raise ValueError(
                f"CCAClassifier: the labels {classes.tolist()} are not frequencies such as 12.0 "
                f"or '12 Hz', {_LEAST_HZ:g} Hz or more. Give frequencies={{label: Hz, ...}}, or "
                "the list of the flicker frequencies, among which fit finds each label's."
            )
        return hertz

    def _checked(self, frequencies: Any) -> np.ndarray:
        if isinstance(frequencies, (str, numbers.Number)):
            raise TypeError(
                f"CCAClassifier: frequencies={frequencies!r} must be a dict of label to Hz, a "
                "sequence of Hz, or None."
            )
        try:
            hertz = np.asarray(list(frequencies), dtype=np.float64)
        except (TypeError, ValueError):
            raise TypeError(
                f"CCAClassifier: frequencies={frequencies!r} must hold numbers in Hz."
            ) from None
        if not len(hertz):
            raise ValueError("CCAClassifier: frequencies is empty; give at least one, in Hz.")
        nyquist = self.sfreq_ / 2
        outside = hertz[~((hertz > 0) & (hertz < nyquist))]
        if len(outside):
            raise ValueError(
                f"CCAClassifier: frequencies={outside.tolist()} Hz must be above 0 and below half "
                f"of the sampling rate, {nyquist:g} Hz."
            )
        if len(np.unique(hertz)) != len(hertz):
            raise ValueError(
                f"CCAClassifier: frequencies={hertz.tolist()} Hz holds a frequency twice; labels "
                "of the same flicker cannot be told apart."
            )
        return hertz


def _hertz(label: Label) -> float | None:
    """Read a label as a frequency."""
    if isinstance(label, str):
        match = _HERTZ.fullmatch(label)
        return float(match.group(1)) if match else None
    if isinstance(label, numbers.Real) and not isinstance(label, bool):
        return float(label)
    return None
