"""Views of many bands and windows: computed once, chosen inside training rows, linear or network.

Nothing in these views is learned from other people's rows, so they are computed once for all
folds: covariances of bands and windows as tangent vectors at each person's own mean, z-scored
within each person, and, of the whole signal, what is slow, whitened by person. A row's mirror
image has the same views with left and right channels exchanged.
"""

from __future__ import annotations

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

BANDS = ((8.0, 30.0), (10.0, 14.0), (18.0, 26.0), (25.0, 35.0), (7.0, 11.0), (13.0, 19.0))
#: How many of them, and windows in seconds after the cue: one of these is chosen.
TANGENTS = {
    f"{windows}, {n_bands} bands": (n_bands, among) for n_bands in (4, 6) for windows, among in {
        "early": ((0.5, 1.5), (0.5, 2.0), (0.5, 3.5)),
        "earliest": ((0.5, 1.0), (0.5, 1.5), (0.5, 2.0), (0.5, 3.5)),
    }.items()
}
#: Ridge penalties of each view, in mean squares of its rows; all combinations are tried.
TANGENT_GRID, SLOW_GRID = (7.0, 15.0, 40.0), (2.0, 4.0)
N_INNER = 5


class Views:
    """Views of rows and of their mirror images.

    Parameters
    ----------
    own, mirrored : dict of str to ndarray, shape (n_rows, n_channels or pairs, n_values)
        Views by name.
    subject : ndarray, shape (n_rows,)
        Whose rows they are.
    """

    def __init__(
        self, own: dict[str, np.ndarray], mirrored: dict[str, np.ndarray], subject: np.ndarray
    ) -> None:
        self.own, self.mirrored, self.subject = own, mirrored, subject
        self.rows = np.arange(len(subject))
        self._all: Views = self
        self._products: dict[str, np.ndarray] = {}
        self.chosen: dict[bytes, dict[str, float]] = {}

    def __getitem__(self, rows: np.ndarray) -> Views:
        own, mirrored = ({name: view[rows] for name, view in part.items()}
                         for part in (self.own, self.mirrored))
        some = Views(own, mirrored, self.subject[rows])
        some.rows, some._all, some.chosen = self.rows[rows], self._all, self.chosen
        return some

    def __len__(self) -> int:
        return len(self.subject)

    def kernel(self, name: str) -> np.ndarray:
        """Inner products of what is odd in a view, of mean one.

        A linear model that is fitted on rows and on their mirror images, labels exchanged, weighs
        odd parts (x - mirrored x) / 2 only.
        """
        known = self._all._products
        if name not in known:  # once for all folds
            odd = _odd(name, self._all)
            known[name] = odd @ odd.T
        kernel = known[name][np.ix_(self.rows, self.rows)]
        return kernel / np.trace(kernel) * len(kernel)


def views_of(X: EEGArray, slow: bool) -> Views:
    """Views of rows, of shape rows x channels (or pairs of them) x whatever there is of each."""
    own = {}
    bands = FilterBank(BANDS).fit_transform(X)
    for window in sorted({window for _, windows in TANGENTS.values() for window in windows}):
        steps = Crop(*window), EuclideanAlignment(), LogCovariance(), GroupScaler()
        tangent = np.asarray(skbci.make_pipeline(*steps).fit_transform(bands), dtype=np.float32)
        own[_name(window)] = tangent.reshape(len(X), len(BANDS), -1).transpose(0, 2, 1)
    if slow:
        means = skbci.make_pipeline(FilterBank(((0.3, 4.0),), output="channels"),
                                    ChannelScaling(), EuclideanAlignment(), WindowMeans(0.125))
        means = np.asarray(means.fit_transform(X), dtype=np.float32)
        own["slow"] = means.reshape(len(X), len(X.ch_names), -1)
    channels, pairs = _mirrored(X.ch_names)
    mirrored = {name: view[:, channels if name == "slow" else pairs]
                for name, view in own.items()}
    return Views(own, mirrored, X.metadata["subject"].to_numpy())


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


def candidates(slow: bool) -> list[dict[str, float]]:
    """Penalty of each view that is used; all combinations."""
    return [
        {tangents: penalty} | ({"slow": low} if slow else {})
        for tangents in TANGENTS for penalty in TANGENT_GRID
        for low in (SLOW_GRID if slow else (0.0,))
    ]


def joint(views: Views, penalties: dict[str, float]) -> np.ndarray:
    """Kernel of several views, each with a penalty of its own."""
    return np.sum([views.kernel(name) / penalty for name, penalty in penalties.items()], axis=0)


def decisions(
    kernel: np.ndarray, sign: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Ridge regression of -1 and 1 on odd parts, in its dual form."""
    inner = kernel[np.ix_(train, train)] + np.eye(len(train))
    return kernel[np.ix_(test, train)] @ solve(inner, sign[train], assume_a="pos")


def choose(views: Views, sign: np.ndarray) -> dict[str, float]:
    """The candidate that decodes these people best, each from the others."""
    known = views.chosen.get(views.rows.tobytes())
    if known is not None:
        return known
    n_splits = min(N_INNER, len(np.unique(views.subject)))
    inner = list(LeaveSubjectsOut(n_splits).split(sign, groups=views.subject))

    def accuracy(penalties: dict[str, float]) -> float:
        kernel = joint(views, penalties)
        return float(np.mean([
            np.mean(np.sign(decisions(kernel, sign, seen, left)) == sign[left])
            for seen, left in inner
        ]))

    best = max(candidates("slow" in views.own), key=accuracy)
    views.chosen[views.rows.tobytes()] = best
    return best


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
        self.penalties_ = choose(views, sign)
        if self.kind == "linear":
            self._fit_linear(views, sign)
            return self
        inputs, mirrored = self._inputs(views)
        # Dropping a share p of standardized values is a ridge of p / (1 - p) times the rows.
        strength = {
            _kind(name): penalty * _odd_values(inputs[_kind(name)], mirrored[_kind(name)]) / len(y)
            for name, penalty in self.penalties_.items()
        }
        self.network_ = MultiViewClassifier(
            view_dropout={name: min(s / (1 + s), 0.98) for name, s in strength.items()},
            hidden_units=64, n_networks=self.n_networks, optimizer="adam", lr=1e-3,
            max_epochs=10, batch_size=100, random_state=100 * self.seed,
        )
        both = {name: np.concatenate([view, mirrored[name]]) for name, view in inputs.items()}
        other = np.where(sign > 0, self.classes_[0], self.classes_[1])
        self.network_.fit(both, np.concatenate([y, other]))
        return self

    def decision_function(self, views: Views) -> np.ndarray:
        """Positive for the second class, odd under mirroring."""
        if self.kind == "linear":
            return sum(_odd(name, views) @ weight for name, weight in self.weights_.items())
        own, mirrored = (self.network_.predict_proba(part)[:, 1] for part in self._inputs(views))
        return own - mirrored

    def predict(self, views: Views) -> np.ndarray:
        """Label of each row."""
        return self.classes_[(self.decision_function(views) > 0).astype(int)]

    def _fit_linear(self, views: Views, sign: np.ndarray) -> None:
        kernel = joint(views, self.penalties_)
        dual = solve(kernel + np.eye(len(sign)), sign, assume_a="pos")
        self.weights_ = {}
        for name, penalty in self.penalties_.items():
            odd = _odd(name, views)
            self.weights_[name] = odd.T @ dual * (len(odd) / np.square(odd).sum() / penalty)

    def _inputs(self, views: Views) -> list[dict[str, np.ndarray]]:
        """What the network sees of rows, and of their mirror images."""
        return [{_kind(name): _values(name, part) for name in self.penalties_}
                for part in (views.own, views.mirrored)]


def _values(name: str, part: dict[str, np.ndarray]) -> np.ndarray:
    """Values of the slow view, or of a choice of bands and windows, shape rows x values."""
    if name == "slow":
        return part["slow"].reshape(len(part["slow"]), -1)
    n_bands, windows = TANGENTS[name]
    chosen = [part[_name(window)][:, :, :n_bands] for window in windows]
    return np.concatenate([view.reshape(len(view), -1) for view in chosen], axis=1)


def _odd(name: str, views: Views) -> np.ndarray:
    return (_values(name, views.own) - _values(name, views.mirrored)) / 2


def _kind(name: str) -> str:
    return "tangent" if name in TANGENTS else name


def _odd_values(view: np.ndarray, mirrored: np.ndarray) -> float:
    """Mean square of the odd part of a view whose values are standardized."""
    return float(view.shape[1] * np.square((view - mirrored) / 2).sum() / np.square(view).sum())


def describe(decoder: Any) -> str:
    """What was chosen, for the lines of a study."""
    return ", ".join(f"{name} {penalty:g}" for name, penalty in decoder.penalties_.items())
