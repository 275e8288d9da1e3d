"""Base of the alignments: whitening, group by group."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike

from skbci._checks import check_choice, check_count, check_number
from skbci._checks.labels import check_column
from skbci._eegarray.groups import Key, check_columns, group_rows
from skbci._eegarray.lost_table import note_table, require_table
from skbci._eegarray.rows import carry_rows, row_values
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Signals
from skbci._usable import Unusable, amplitudes, find_unusable, report_unusable, typical_amplitude
from skbci.eegarray import EEGArray
from skbci.features._alignment.group_moments import nearest_relatives
from skbci.features._base import SignalTransformer

__all__ = ["GroupAlignment", "whiten"]

_WITHOUT_TABLE = "All of them are aligned as one group"


class GroupAlignment(SignalTransformer):
    """Base of the transformers that whiten each group by its own mean covariance."""

    looks_back = row_context = True

    def __init__(
        self,
        by: str | Sequence[str] = "subject",
        *,
        estimator: str = "scm",
        min_rows: int = 5,
        tol: float = 1e-6,
    ) -> None:
        self.by = by
        self.estimator = estimator
        self.min_rows = min_rows
        self.tol = tol

    @abstractmethod
    def _mean(self, covariances: np.ndarray) -> np.ndarray:
        """Mean of covariance matrices, shape (n_rows, n, n), of full rank."""

    # MOABB's protocol of transfer hands them to whoever asks.
    __metadata_request__fit = {"subjects": True, "X_target_unlabeled": True}

    @on_one_thread
    def fit(
        self, X: Signals, y: Labels | None = None, subjects: Labels | None = None,
        X_target_unlabeled: Signals | None = None,
    ) -> Self:
        """Find the mean covariance of each group.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times), \
(n_rows, n_bands, n_channels, n_times) or (n_rows, n_times)
            Band-passed signals; 2-D input has one channel, bands are aligned one by one.
        y : object, optional
            Ignored.
        subjects : array-like, shape (n_rows,), optional
            Who each row is from, where X has no table that says so.
        X_target_unlabeled : array-like, EEGArray or mne.Epochs, optional
            Rows of the people or sessions to be decoded, processed as X is. What comes from them
            in ``transform`` is whitened by these rows, whatever comes with it.

        Returns
        -------
        self
        """
        self._fit(X, subjects, X_target_unlabeled)
        return self

    @on_one_thread
    def fit_transform(
        self, X: Signals, y: Labels | None = None, subjects: Labels | None = None,
        X_target_unlabeled: Signals | None = None,
    ) -> np.ndarray:
        """Fit, and whiten the same rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs
            As for ``fit``.
        y : object, optional
            Ignored.
        subjects, X_target_unlabeled : optional
            As for ``fit``.

        Returns
        -------
        ndarray or EEGArray
            Exactly what ``fit(X).transform(X)`` gives, with everything computed once.
        """
        X, data, groups = self._fit(X, subjects, X_target_unlabeled)
        out = np.empty_like(data)
        for key, rows in groups.items():
            out[rows] = whiten(data[rows], self.references_[key], self.tol)
        return carry_rows(X, out)

    @on_one_thread
    def transform(self, X: Signals) -> np.ndarray:
        """Whiten each group of X by its own rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times), \
(n_rows, n_bands, n_channels, n_times) or (n_rows, n_times)
            Signals of the fitted channels, with the table that tells the groups apart.

        Returns
        -------
        ndarray or EEGArray
            Of X's shape, without a unit, under X's table.
        """
        X, data = self._read(X, ndim=(2, 3, 4))
        require_table(self, X, _WITHOUT_TABLE)
        name = type(self).__name__
        out = np.empty_like(data)
        groups = group_rows(X, len(data), self.by, name)
        good = self._usable(X, data, groups, fitted=True)
        for key, rows in groups.items():
            reference = self._at_predict_time(key, data[rows[good[rows]]])
            out[rows] = whiten(data[rows], reference, self.tol)
        return carry_rows(X, out)

    def _fit(
        self, X: Signals, subjects: Labels | None, target: Signals | None
    ) -> tuple[Signals, np.ndarray, dict[Key, np.ndarray]]:
        name = type(self).__name__
        check_columns(self.by, name)
        check_choice(self.estimator, "estimator", self, ("scm", "oas", "lwf"))
        check_count(self.min_rows, "min_rows", self)
        check_number(self.tol, "tol", self, low=0, high=1, closed="left")
        X, data = self._read_fit(X, ndim=(2, 3, 4))
        note_table(self, X, check_columns(self.by, name), _WITHOUT_TABLE)
        groups = group_rows(_of_subjects(X, data, subjects), len(data), self.by, name)
        good = self._usable(X, data, groups, fitted=False)
        self.references_ = {}
        for key, rows in groups.items():
            kept = rows[good[rows]]
            if not len(kept):
                raise ValueError(
                    f"{name}: none of the {len(rows)} rows of the group {key} has a usable signal "
                    "in all channels. Leave the group out, or drop or interpolate its channels."
                )
            self.references_[key] = self._reference(data[kept])
        self.target_references_ = {} if target is None else self._of_targets(target)
        return X, data, groups

    def _of_targets(self, X: Signals) -> dict[Key, np.ndarray]:
        """Mean covariance of each group that is to be decoded."""
        X, data = self._read(X, ndim=(2, 3, 4))
        groups = group_rows(X, len(data), self.by, type(self).__name__)
        good = self._usable(X, data, groups, fitted=True)
        return {key: self._of_new(key, data[rows[good[rows]]]) for key, rows in groups.items()}

    def _usable(
        self, X: Signals, data: np.ndarray, groups: dict[Key, np.ndarray], fitted: bool
    ) -> np.ndarray:
        """Say which rows have a signal in all channels, judged by the rows of their group."""
        amplitude = amplitudes(data if data.ndim > 2 else data[:, np.newaxis])
        if not fitted:
            self._typical = typical_amplitude(amplitude)
        found = Unusable(np.zeros(amplitude.shape, bool), np.zeros(amplitude.shape, bool))
        for rows in groups.values():
            # Few rows do not say what is typical of them.
            few = fitted and len(rows) < self.min_rows
            own = find_unusable(amplitude[rows], self._typical if few else None)
            found.flat[rows], found.large[rows] = own.flat, own.large
        names = X.ch_names if isinstance(X, EEGArray) else None
        then = "Such rows do not count for the mean."
        report_unusable(found, type(self).__name__, names, then)
        return ~found.rows

    def _at_predict_time(self, key: Key, rows: np.ndarray) -> np.ndarray:
        """Mean covariance to whiten a group of new rows by."""
        if key in self.target_references_:
            return self.target_references_[key]
        if key not in self.references_ and () in self.target_references_:
            return self.target_references_[()]
        if len(rows) < self.min_rows and key in self.references_:
            return self.references_[key]
        return self._of_new(key, rows)

    def _of_new(self, key: Key, rows: np.ndarray) -> np.ndarray:
        """Mean covariance of a group's rows, with a prior where they are few."""
        share = min(1.0, len(rows) / self.min_rows)
        if share == 1:
            return self._reference(rows)
        prior = np.mean(nearest_relatives(self.references_, key), axis=0)
        if not len(rows):
            return prior
        return (1 - share) * prior + share * self._reference(rows, within=prior)

    def _reference(self, rows: np.ndarray, within: np.ndarray | None = None) -> np.ndarray:
        """Mean covariance of rows in their range, or in the range of another matrix."""
        if rows.ndim == 4:
            return np.stack([
                self._reference(rows[:, band], None if within is None else within[band])
                for band in range(rows.shape[1])
            ])
        signals, peak = _centered(rows if rows.ndim == 3 else rows[:, np.newaxis])
        raw = signals @ signals.transpose(0, 2, 1) / signals.shape[2]
        basis = _range(raw.mean(axis=0) if within is None else within, self.tol, rows.dtype)[1]
        alive = np.trace(raw, axis1=1, axis2=2) > 0
        if not alive.any() or not basis.shape[1]:
            return np.zeros(raw.shape[1:])
        if self.estimator == "scm" or signals.shape[2] == 1:
            covariances = basis.T @ raw @ basis
        else:
            from pyriemann.estimation import Covariances  # brings torch and pyplot

            covariances = np.zeros((len(rows), basis.shape[1], basis.shape[1]))
            covariances[alive] = Covariances(self.estimator).transform(basis.T @ signals[alive])
        mean = self._mean(covariances)
        return basis @ mean @ basis.T * peak**2


def _of_subjects(X: Signals, data: np.ndarray, subjects: Labels | None) -> Signals:
    """Return rows under a table that says who they are from."""
    if subjects is None or row_values(X, "subject") is not None:
        return X
    table = X.metadata.copy() if isinstance(X, EEGArray) else pd.DataFrame(index=range(len(data)))
    table["subject"] = check_column(subjects, len(data), "subjects")
    return EEGArray(data, table)


def _centered(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Rows in float64 without each channel's mean, divided by the largest value."""
    peak = float(np.abs(rows).max(initial=0)) or 1.0
    signals = rows.astype(np.float64) / peak
    if signals.shape[2] > 1:
        signals -= signals.mean(axis=2, keepdims=True)
    return signals, peak


def _range(matrix: np.ndarray, tol: float, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of what is more than rounding, shapes (rank,), (n, rank)."""
    values, vectors = np.linalg.eigh(matrix)
    floor = max(tol, len(values) * float(np.finfo(dtype).eps))
    kept = values > floor * values[-1]
    return values[kept], vectors[:, kept]


def whiten(rows: np.ndarray, reference: np.ndarray, tol: float) -> np.ndarray:
    """Multiply signals by the inverse square root of the reference in its range."""
    if rows.ndim == 4:
        bands = [whiten(rows[:, b], reference[b], tol) for b in range(rows.shape[1])]
        return np.stack(bands, axis=1)
    values, vectors = _range(reference, tol, rows.dtype)
    operator = (vectors / np.sqrt(values)) @ vectors.T
    if rows.ndim == 2:
        return rows * rows.dtype.type(operator[0, 0])
    return operator.astype(rows.dtype) @ rows
