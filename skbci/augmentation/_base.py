"""Base of the augmentations: validation of rows, new rows, and both put together."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length

from skbci._checks import check_count, check_seed
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_labels, label_column
from skbci._typing import Labels, Seed, Signals
from skbci._weights import check_weights
from skbci.eegarray import EEGArray


class Augmented(NamedTuple):
    """New training rows, without those that they were made from.

    Attributes
    ----------
    X : ndarray or EEGArray, shape (n_new, ...)
        As the rows given; with their table where they have one.
    y : ndarray, shape (n_new,)
        Labels.
    sample_weight : ndarray, shape (n_new,), or None
        Weights; None where all rows, old and new, weigh the same.
    source : ndarray of int, shape (n_new,)
        Index of the row that each came from: whose group, and whose row of the table, it has.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.augmentation import GaussianNoise
    >>> X, y = np.ones((3, 2, 50)), np.array(["left", "right", "left"])
    >>> new = GaussianNoise(0.1).augment(X, y, random_state=0)
    >>> new.X.shape, new.source.tolist(), new.sample_weight is None
    ((3, 2, 50), [0, 1, 2], True)
    """

    X: Any
    y: np.ndarray
    sample_weight: np.ndarray | None
    source: np.ndarray


@dataclass
class GivenRows:
    """Rows to make others from, validated."""

    X: Signals
    data: np.ndarray
    y: np.ndarray
    classes: np.ndarray


@dataclass
class NewRows:
    """The rows that an augmentation makes; None stands for what the source row has."""

    data: np.ndarray
    source: np.ndarray
    y: np.ndarray | None = None
    share: np.ndarray | None = None
    table: pd.DataFrame | None = None


class Augmentation(BaseEstimator):
    """Base of what makes further training rows.

    Its parameters are scikit-learn's kind, to be cloned and searched; nothing is fitted. Children
    answer `_check_settings` and `_new_rows`, which gets validated rows and a generator.

    Attributes
    ----------
    needs_classes : bool
        Whether labels matter, so that they have to be classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci.augmentation import Augmentation, TimeShift
    >>> isinstance(TimeShift(), Augmentation), sorted(TimeShift().get_params())
    (True, ['max_seconds', 'n_copies', 'sfreq'])
    >>> X = np.random.default_rng(0).normal(size=(4, 2, 100))
    >>> TimeShift(sfreq=100).augment(X, [0, 1, 0, 1], random_state=0).y.tolist()
    [0, 1, 0, 1]
    """

    needs_classes: bool = False
    _input_ndim: tuple[int, ...] = (3, 4)

    @abstractmethod
    def _check_settings(self) -> None:
        """Raise if a parameter is wrong."""

    @abstractmethod
    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        """Make new rows, none of which shares memory with those given."""

    def augment(
        self, X: Signals, y: Labels, *, sample_weight: ArrayLike | None = None,
        random_state: Seed = None,
    ) -> Augmented:
        """Make new rows of training rows.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_bands, n_channels, n_times)
            Training rows; where neither channels nor times matter, also (n_rows, n_features).
            They are not changed.
        y : array-like, shape (n_rows,)
            Labels.
        sample_weight : array-like, shape (n_rows,), optional
            Weights; of rows of weight zero nothing is made.
        random_state : int, RandomState or None, default=None
            Seeds what is drawn. Global random states are neither used nor changed.

        Returns
        -------
        Augmented
            ``X``, ``y``, ``sample_weight`` and ``source`` of the new rows only.

        Raises
        ------
        ValueError, TypeError
            If a parameter, the labels or the rows are not what this augmentation can do with.
        """
        self._check_settings()
        rng = check_seed(random_state, "random_state", self)
        if random_state is None:  # not numpy's global generator
            rng = np.random.RandomState()
        X = as_eeg(X)
        data = self._read(X)
        who = type(self).__name__
        if self.needs_classes:
            y = check_labels(y, len(data), who, least_classes=1)
        else:
            y = label_column(y, len(data), who)
        weight = check_weights(sample_weight, data)
        kept = np.arange(len(data)) if weight is None else np.flatnonzero(weight > 0)
        return self.augment_valid(X, data, y, weight, kept, np.unique(y), rng)

    def augment_valid(
        self, X: Signals, data: np.ndarray, y: np.ndarray, weight: np.ndarray | None,
        kept: np.ndarray, classes: np.ndarray, rng: np.random.RandomState,
    ) -> Augmented:
        """Make new rows of some of an estimator's own rows, which it has validated.

        Parameters
        ----------
        X : EEGArray or anything
            Where the rows' table and names are read, if it is an `EEGArray`.
        data : ndarray of float, shape (n_rows, ...)
        y : ndarray, shape (n_rows,)
        weight : ndarray of float, shape (n_rows,), or None
        kept : ndarray of int
            Rows to make new ones of.
        classes : ndarray
            All labels, sorted, whether these rows have them or not.
        rng : RandomState

        Returns
        -------
        Augmented
        """
        self._check_axes(data)
        if len(kept) < len(data):
            X, data, y = X[kept] if isinstance(X, EEGArray) else X, data[kept], y[kept]
        new = self._new_rows(GivenRows(X, data, y, classes), rng)
        source = kept[new.source]
        share = new.share
        if weight is not None:
            share = weight[source] * (1.0 if share is None else share)
        labels = y[new.source] if new.y is None else new.y
        return Augmented(under_table(X, new), labels, share, source)

    def _read(self, X: Signals) -> np.ndarray:
        """Validate rows, and leave no trace of them."""
        return check_eeg(copy.copy(self), X, reset=True, ndim=(2, 3, 4), flat="allow")

    def _check_axes(self, data: np.ndarray) -> None:
        """Refuse rows of features where channels or times matter."""
        if data.ndim not in self._input_ndim:
            raise ValueError(
                f"{type(self).__name__} needs rows of channels x times (or of bands x channels x "
                f"times), but X has shape {data.shape}: rows of features. 'noise' and 'mixup' "
                "take those."
            )


class RandomAugmentation(Augmentation):
    """Base of the augmentations that draw at random: each row may serve several times."""

    n_copies: int

    def _check_settings(self) -> None:
        check_count(self.n_copies, "n_copies", self)

    def _sources(self, rows: GivenRows) -> np.ndarray:
        """All rows, ``n_copies`` times."""
        return np.tile(np.arange(len(rows.data)), self.n_copies)


def under_table(X: Signals, new: NewRows) -> Any:
    """Put new data under the table rows of their sources."""
    if not isinstance(X, EEGArray):
        return new.data
    table = new.table
    if table is None:
        table = X.metadata.iloc[new.source].reset_index(drop=True)
    window = None if X.ndim == 3 else X.window  # signals know it by themselves
    return EEGArray(
        new.data, table, sfreq=X.sfreq, ch_names=X.ch_names, tmin=X.tmin, info=X.info,
        window=window,
    )


def with_new_rows(
    X: Signals, y: np.ndarray, sample_weight: ArrayLike | None, new: Augmented
) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Put new rows behind those that they were made from.

    Parameters
    ----------
    X : array-like, EEGArray or DataFrame, shape (n_rows, ...)
        Rows; a data frame stays one.
    y : array-like, shape (n_rows,)
        Labels.
    sample_weight : array-like, shape (n_rows,), or None
        Weights; None is 1 each where new rows have weights.
    new : Augmented
        What an augmentation made of them.

    Returns
    -------
    X : ndarray, EEGArray or DataFrame, shape (n_rows + n_new, ...)
    y : ndarray, shape (n_rows + n_new,)
    sample_weight : ndarray, shape (n_rows + n_new,), or None
    """
    check_consistent_length(X, y)
    if isinstance(X, pd.DataFrame):
        frame = pd.DataFrame(np.asarray(new.X), columns=X.columns)
        rows: Any = pd.concat([X, frame], ignore_index=True)
    else:
        own = X if isinstance(X, EEGArray) else np.asarray(X)
        rows = np.concatenate([own, new.X])
    labels = np.concatenate([np.asarray(y), new.y])
    if new.sample_weight is None:
        return rows, labels, None
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
    return rows, labels, np.concatenate([weight, new.sample_weight])
