"""Views of many bands and windows: computed once, chosen inside training rows, linear or network.

Nothing in these views is learned from other people's rows, so they are computed once for all
folds: covariances of bands and windows as tangent vectors at each person's own mean, log powers,
and, of the whole signal, what is slow, whitened by person. All but the last are z-scores within
each person. A row's mirror image has the same views with left and right channels exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve
from sklearn.base import BaseEstimator, ClassifierMixin

import skbci
from skbci import EEGArray
from skbci.augmentation import Mirror
from skbci.estimators import MultiViewClassifier
from skbci.features import (
    ChannelScaling,
    Crop,
    EuclideanAlignment,
    FilterBank,
    GroupScaler,
    LogCovariance,
    WindowMeans,
)
from skbci.model_selection import LeaveSubjectsOut

BANDS = ((8.0, 30.0), (7.0, 11.0), (10.0, 14.0), (13.0, 19.0), (18.0, 26.0), (25.0, 35.0))
POWER_BANDS = ((8.0, 12.0), (12.0, 16.0), (16.0, 24.0), (24.0, 32.0))
#: Sets of windows in seconds after the cue, one of which is chosen.
WINDOW_SETS = {
    "even": ((0.5, 1.5), (1.0, 2.0), (1.5, 2.5), (2.0, 3.0), (2.5, 3.5), (0.5, 3.5)),
    "early": ((0.5, 1.5), (0.5, 2.0), (0.5, 3.5)),
    "earliest": ((0.5, 1.0), (0.5, 1.5), (0.5, 2.0), (0.5, 3.5)),
}
#: Ridge penalties of each view, in mean squares of its rows; None is without the view.
TANGENT_GRID, SLOW_GRID, POWER_GRID = (15.0, 50.0), (1.0, 3.0), (None, 150.0)
N_INNER = 5


@dataclass
class Views:
    """Views of rows, of their mirror images, and whose rows they are."""

    own: dict[str, np.ndarray]
    mirrored: dict[str, np.ndarray]
    subject: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Views:
        own, mirrored = ({name: view[rows] for name, view in part.items()}
                         for part in (self.own, self.mirrored))
        return Views(own, mirrored, self.subject[rows])

    def __len__(self) -> int:
        return len(self.subject)


def views_of(X: EEGArray, slow: bool) -> Views:
    """Views of rows, of shape rows x channels (or pairs of them) x whatever there is of each."""
    own = {}
    bands = FilterBank(BANDS).fit_transform(X)
    for window in sorted({window for windows in WINDOW_SETS.values() for window in windows}):
        steps = Crop(*window), EuclideanAlignment(), LogCovariance(), GroupScaler()
        tangent = np.asarray(skbci.make_pipeline(*steps).fit_transform(bands), dtype=np.float32)
        own[_name(window)] = tangent.reshape(len(X), len(BANDS), -1).transpose(0, 2, 1)
    powers = [_powers(X, band) for band in POWER_BANDS]
    own["powers"] = np.concatenate(powers, axis=2)
    if slow:
        means = skbci.make_pipeline(FilterBank(((0.3, 4.0),), output="channels"),
                                    ChannelScaling(), EuclideanAlignment(), WindowMeans(0.125))
        means = np.asarray(means.fit_transform(X), dtype=np.float32)
        own["slow"] = means.reshape(len(X), len(X.ch_names), -1)
    channels, pairs = _mirrored(X.ch_names)
    mirrored = {name: view[:, channels if name in ("powers", "slow") else pairs]
                for name, view in own.items()}
    return Views(own, mirrored, X.metadata["subject"].to_numpy())


def _powers(X: EEGArray, band: tuple[float, float]) -> np.ndarray:
    """Log powers of half a second each, shape rows x channels x windows."""
    signal = FilterBank((band,), output="channels").fit_transform(Crop(0.5).fit_transform(X))
    log = np.log(np.asarray(WindowMeans(0.5).fit_transform(signal.with_data(np.square(signal)))))
    scaled = GroupScaler().fit_transform(X.with_data(log, sfreq=None, ch_names=None))
    return np.asarray(scaled, dtype=np.float32).reshape(len(X), len(X.ch_names), -1)


def _mirrored(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Order of the channels, and of their pairs, in a mirror image."""
    numbers = EEGArray(np.arange(float(len(names)))[None, :, None].repeat(2, axis=2),
                       ch_names=names)
    channels = np.asarray(Mirror().exchange(numbers))[0, :, 0].astype(int)
    first, second = np.triu_indices(len(names))
    place = np.zeros((len(names), len(names)), dtype=int)
    place[first, second] = place[second, first] = np.arange(len(first))
    return channels, place[channels[first], channels[second]]


def _name(window: tuple[float, float]) -> str:
    return f"tangent {window[0]:g}-{window[1]:g} s"


# -- the choice, inside training rows ---------------------------------------------------------


def kernels_of(views: Views) -> dict[str, np.ndarray]:
    """Inner products of what is odd in each view, which is all that a mirrored linear model sees.

    A linear model that is fitted on rows and on their mirror images, labels exchanged, weighs
    odd parts (x - mirrored x) / 2 only.
    """
    kernels = {}
    for name, view in views.own.items():
        odd = ((view - views.mirrored[name]) / 2).reshape(len(view), -1)
        kernel = (odd @ odd.T).astype(np.float64)
        kernels[name] = kernel / np.trace(kernel) * len(view)
    for name, windows in WINDOW_SETS.items():
        kernels[name] = np.mean([kernels[_name(window)] for window in windows], axis=0)
    return kernels


def candidates(slow: bool) -> list[dict[str, float]]:
    """Penalty of each view that is used; all combinations."""
    return [
        {windows: tangent} | ({"slow": low} if slow else {})
        | ({"powers": power} if power is not None else {})
        for windows in WINDOW_SETS for tangent in TANGENT_GRID
        for low in (SLOW_GRID if slow else (None,)) for power in POWER_GRID
    ]


def joint(kernels: dict[str, np.ndarray], penalties: dict[str, float]) -> np.ndarray:
    """Kernel of several views, each with a penalty of its own."""
    return sum(kernels[name] / penalty for name, penalty in penalties.items())


def decisions(
    kernel: np.ndarray, sign: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Ridge regression of -1 and 1 on odd parts, in its dual form."""
    inner = kernel[np.ix_(train, train)] + np.eye(len(train))
    return kernel[np.ix_(test, train)] @ solve(inner, sign[train], assume_a="pos")


def choose(
    kernels: dict[str, np.ndarray], sign: np.ndarray, subject: np.ndarray, slow: bool
) -> dict[str, float]:
    """The candidate that decodes these people best, each from the others."""
    n_splits = min(N_INNER, len(np.unique(subject)))
    inner = list(LeaveSubjectsOut(n_splits).split(sign, groups=subject))

    def accuracy(penalties: dict[str, float]) -> float:
        kernel = joint(kernels, penalties)
        return float(np.mean([
            np.mean(np.sign(decisions(kernel, sign, seen, left)) == sign[left])
            for seen, left in inner
        ]))

    return max(candidates(slow), key=accuracy)


# -- the two decoders -------------------------------------------------------------------------


class OnViews(ClassifierMixin, BaseEstimator):
    """Decoder of `Views` that is fitted on rows and their mirror images.

    Parameters
    ----------
    kind : {"linear", "network"}
        Ridge regression, or a `MultiViewClassifier` whose dropout of each view penalizes as much.
    seed : int
        Of the networks.
    n_networks : int
        How many are averaged.
    """

    def __init__(self, kind: str, seed: int = 0, n_networks: int = 3) -> None:
        self.kind, self.seed, self.n_networks = kind, seed, n_networks

    def fit(self, views: Views, y: np.ndarray) -> OnViews:
        """Choose views and penalties by training people, then fit on all of them."""
        self.classes_ = np.unique(y)
        sign = np.where(y == self.classes_[1], 1.0, -1.0)
        kernels = kernels_of(views)
        self.penalties_ = choose(kernels, sign, views.subject, "slow" in views.own)
        if self.kind == "linear":
            self._fit_linear(views, kernels, sign)
            return self
        inputs, mirrored = self._inputs(views)
        # Dropping a share p of standardized values is a ridge of p / (1 - p) times the rows.
        strength = {
            _kind(name): penalty * _odd_values(inputs[_kind(name)], mirrored[_kind(name)]) / len(y)
            for name, penalty in self.penalties_.items()
        }
        self.network_ = MultiViewClassifier(
            view_dropout={name: min(s / (1 + s), 0.98) for name, s in strength.items()},
            dropout=0.5, n_networks=self.n_networks, optimizer="adam", lr=1e-3, max_epochs=10,
            batch_size=100, random_state=100 * self.seed,
        )
        both = {name: np.concatenate([view, mirrored[name]]) for name, view in inputs.items()}
        other = np.where(sign > 0, self.classes_[0], self.classes_[1])
        self.network_.fit(both, np.concatenate([y, other]))
        return self

    def decision_function(self, views: Views) -> np.ndarray:
        """Positive for the second class, odd under mirroring."""
        if self.kind == "linear":
            return sum(self._odd(name, views) @ weight for name, weight in self.weights_.items())
        own, mirrored = (self.network_.predict_proba(part)[:, 1] for part in self._inputs(views))
        return own - mirrored

    def predict(self, views: Views) -> np.ndarray:
        """Label of each row."""
        return self.classes_[(self.decision_function(views) > 0).astype(int)]

    def _fit_linear(self, views: Views, kernels: dict[str, np.ndarray], sign: np.ndarray) -> None:
        kernel = joint(kernels, self.penalties_)
        dual = solve(kernel + np.eye(len(sign)), sign, assume_a="pos")
        self.weights_ = {}
        for name, penalty in self.penalties_.items():
            parts = [_name(w) for w in WINDOW_SETS[name]] if name in WINDOW_SETS else [name]
            for part in parts:
                odd = self._odd(part, views)
                scale = len(odd) / np.square(odd).sum() / len(parts) / penalty
                self.weights_[part] = odd.T @ dual * scale

    def _odd(self, name: str, views: Views) -> np.ndarray:
        return ((views.own[name] - views.mirrored[name]) / 2).reshape(len(views), -1)

    def _inputs(self, views: Views) -> list[dict[str, np.ndarray]]:
        """What the network sees of rows, and of their mirror images."""
        windows = next(name for name in self.penalties_ if name in WINDOW_SETS)
        names = {"tangent": [_name(window) for window in WINDOW_SETS[windows]]}
        names |= {name: [name] for name in ("slow", "powers") if name in self.penalties_}
        return [
            {view: np.concatenate([part[name].reshape(len(views), -1) for name in own], axis=1)
             for view, own in names.items()} for part in (views.own, views.mirrored)
        ]


def _kind(name: str) -> str:
    return "tangent" if name in WINDOW_SETS else name


def _odd_values(view: np.ndarray, mirrored: np.ndarray) -> float:
    """Mean square of the odd part of a view whose values are standardized."""
    return float(view.shape[1] * np.square((view - mirrored) / 2).sum() / np.square(view).sum())


def describe(decoder: Any) -> str:
    """What was chosen, for the lines of a study."""
    return ", ".join(f"{name} {penalty:g}" for name, penalty in decoder.penalties_.items())
