"""Transformers that treat every row by itself, without the checks of their input."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectorMixin
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from skbci._eegarray.groups import Key
from skbci.features import (
    BandEnergy,
    BaselineCorrection,
    ChannelNormalizer,
    Crop,
    FilterBank,
    FisherSelection,
    GroupAlignment,
    GroupScaler,
    LogCovariance,
    RankReducer,
    WelchPSD,
    WindowMeans,
    scaled,
    whiten,
)
from skbci.stream._stages.base import Stage

__all__ = ["AlignByFitted", "ScaleByFitted", "Trusted", "compiled_transform"]

# Types, not their children: a child may do anything.
_TRUSTED = (
    BandEnergy, BaselineCorrection, ChannelNormalizer, Crop, FilterBank, LogCovariance,
    RankReducer, WelchPSD, WindowMeans,
)


class Trusted(Stage):
    """A transformer of the toolkit, by its own code behind the check of the input."""

    how = "compiled"

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return self.step._compute(row, row)


class Affine(Stage):
    """Principal components, as a matrix and an offset."""

    how = "compiled"

    def refresh(self) -> None:
        pca = self.step
        matrix = pca.components_.T
        if pca.whiten:
            spread = np.sqrt(pca.explained_variance_)
            matrix = matrix / np.maximum(spread, np.finfo(spread.dtype).eps)
        self._matrix, self._offset = matrix, pca.mean_ @ matrix

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return row @ self._matrix - self._offset


class Scale(Stage):
    """One of scikit-learn's scalers."""

    how = "compiled"

    def refresh(self) -> None:
        step = self.step
        if type(step) is MinMaxScaler:
            # Its two numbers are a factor and an offset that follows.
            self._center, self._scale = -step.min_ / step.scale_, 1 / step.scale_
        elif type(step) is StandardScaler:
            self._center = step.mean_ if step.with_mean else None
            self._scale = step.scale_ if step.with_std else None
        else:
            self._center = step.center_ if step.with_centering else None
            self._scale = step.scale_ if step.with_scaling else None

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        if self._center is not None:
            row = row - self._center
        return row if self._scale is None else row / self._scale


class Select(Stage):
    """A selection of columns."""

    how = "compiled"

    def refresh(self) -> None:
        self._columns = np.flatnonzero(self.step._get_support_mask())

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return row[:, self._columns]


class AlignByFitted(Stage):
    """Alignment by the reference that a group had in ``fit``."""

    how = "by the fitted group"

    def __init__(self, name: str, step: GroupAlignment, key: Key) -> None:
        self.key = key
        super().__init__(name, step)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return whiten(row, self.step.references_[self.key], self.step.tol)


class ScaleByFitted(Stage):
    """Z-scores by what is known of a group."""

    how = "by the fitted group"

    def __init__(self, name: str, step: GroupScaler, key: Key) -> None:
        self.key = key
        super().__init__(name, step)

    def refresh(self) -> None:
        self._moments = self.step._known_of(self.key)

    def __call__(self, row: np.ndarray, onset: float) -> np.ndarray:
        return scaled(row, self._moments, self.step)


def compiled_transform(name: str, step: BaseEstimator) -> Stage | None:
    """Return a stage that equals the step on single rows, or None where there is none."""
    kind = type(step)
    if kind in _TRUSTED:
        return Trusted(name, step)
    if kind is PCA:
        return Affine(name, step)
    if kind in (StandardScaler, RobustScaler) or (kind is MinMaxScaler and not step.clip):
        return Scale(name, step)
    if kind is FisherSelection or getattr(kind, "transform", None) is SelectorMixin.transform:
        return Select(name, step)
    return None
