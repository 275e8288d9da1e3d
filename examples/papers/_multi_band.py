"""Views of many bands and windows: computed once, chosen inside training rows, linear or network.

Nothing in these views is learned from other people's rows, so they are computed once for all
folds: covariances of bands and windows as tangent vectors at each person's own mean, z-scored
within each person, and, of the whole signal, what is slow, and the signal itself at 50 Hz, both
whitened by person. A row's mirror image has the same views with left and right channels exchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import solve
from scipy.signal import resample_poly
from sklearn.base import BaseEstimator, ClassifierMixin
from skorch.callbacks import LRScheduler
from torch.optim import AdamW

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
_LEAST = 1e-7  # of a probability
_OF_SIGNAL = 0.5  # of what the network of the views counts
_POWER = 0.97  # of a whitened signal below 38 Hz, at 50 Hz


class Views:
    """Views of rows and of their mirror images.

    Parameters
    ----------
    own, mirrored : dict of str to ndarray, shape (n_rows, n_channels or pairs, n_values)
        Views by name.
    subject : ndarray, shape (n_rows,)
        Whose rows they are.
    once : dict of str to ndarray of bool
        Which channels ("slow") and pairs of them ("tangent") to take for one of each pair of
        mirror images.
    """

    def __init__(
        self, own: dict[str, np.ndarray], mirrored: dict[str, np.ndarray], subject: np.ndarray,
        once: dict[str, np.ndarray],
    ) -> None:
        self.own, self.mirrored, self.subject, self.once = own, mirrored, subject, once
        self.rows = np.arange(len(subject))
        self._all: Views = self
        self._products: dict[str, np.ndarray] = {}
        self.chosen: dict[bytes, dict[str, float]] = {}

    def __getitem__(self, rows: np.ndarray) -> Views:
        own, mirrored = ({name: view[rows] for name, view in part.items()}
                         for part in (self.own, self.mirrored))
        some = Views(own, mirrored, self.subject[rows], self.once)
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
        own["signal"] = _signal(X)
    channels, pairs = _mirrored(X.ch_names)
    mirrored = {name: view[:, channels if name in ("slow", "signal") else pairs]
                for name, view in own.items()}
    once = {"slow": np.arange(len(channels)) < channels, "tangent": np.arange(len(pairs)) < pairs}
    return Views(own, mirrored, X.metadata["subject"].to_numpy(), once)


def _signal(X: EEGArray) -> np.ndarray:
    """Rows at half their 100 Hz, whitened by person, of unit power all in all."""
    whiten = skbci.make_pipeline(
        FilterBank(((0.3, 38.0),), output="channels"), ChannelScaling(), EuclideanAlignment())
    data = resample_poly(np.asarray(whiten.fit_transform(X)), 1, 2, axis=-1)
    return data.astype(np.float32) / _POWER


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


# -- the decoders -------------------------------------------------------------------------


class OnViews(ClassifierMixin, BaseEstimator):
    """Decoder of `Views` that is fitted on rows and their mirror images.

    Parameters
    ----------
    kind : {"linear", "network", "odd", "networks"}
        Ridge regression; a `MultiViewClassifier` whose dropout of each view penalizes as much; one
        on what is odd in the views; or that one and a second one on the signal, whose log odds
        count half.
    seed : int
        Of the networks.
    n_networks : int
        How many of kind "network" are averaged.
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
        if self.kind in ("odd", "networks"):
            self._fit_networks(views, y)
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
        if self.kind in ("odd", "networks"):
            said = self.members(views)
            return said["views"] + _OF_SIGNAL * said.get("signal", 0.0)
        own, mirrored = (self.network_.predict_proba(part)[:, 1] for part in self._inputs(views))
        return own - mirrored

    def predict(self, views: Views) -> np.ndarray:
        """Label of each row."""
        return self.classes_[(self.decision_function(views) > 0).astype(int)]

    def members(self, views: Views) -> dict[str, np.ndarray]:
        """Log odds of each network, odd under mirroring."""
        found = {}
        for name, network in self.networks_.items():
            own, mirrored = (network.predict_proba(part).astype(np.float64)
                             for part in self._inputs_of(name, views))
            odds = [np.log(p[:, 1] + _LEAST) - np.log(p[:, 0] + _LEAST) for p in (own, mirrored)]
            found[name] = (odds[0] - odds[1]) / 2
        return found

    def _fit_networks(self, views: Views, y: np.ndarray) -> None:
        """One or two networks; epochs, rates and weights were chosen by people of one fold."""
        swapped = np.where(y == self.classes_[1], self.classes_[0], self.classes_[1])
        dropout = {}
        for name, penalty in self.penalties_.items():
            # All of the view is odd: as many values as there are.
            strength = penalty * _half(name, views).shape[1] / len(y)
            dropout[_kind(name)] = min(strength / (1 + strength), 0.98)
        of_views = MultiViewClassifier(
            view_dropout=dropout, optimizer="adam", lr=1e-3, batch_size=100,
            random_state=100 * self.seed, **_falling(80),
        )
        of_signal = MultiViewClassifier(
            dropout=0.5, optimizer=AdamW, optimizer__weight_decay=1e-2, lr=2e-3, batch_size=64,
            random_state=100 * self.seed, **_falling(20),
        )
        self.networks_ = {"views": of_views}
        if self.kind == "networks":
            self.networks_["signal"] = of_signal
        for name, network in self.networks_.items():
            own, mirrored = self._inputs_of(name, views)
            both = {key: np.concatenate([own[key], mirrored[key]]) for key in own}
            network.fit(both, np.concatenate([y, swapped]))

    def _inputs_of(self, name: str, views: Views) -> list[dict[str, np.ndarray]]:
        """What one of them sees of rows, and of their mirror images."""
        if name == "signal":
            return [{"signal": part["signal"]} for part in (views.own, views.mirrored)]
        odd = {_kind(name): _half(name, views) for name in self.penalties_}
        return [odd, {key: -view for key, view in odd.items()}]

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


def _values(name: str, part: dict[str, np.ndarray], of: Any = slice(None)) -> np.ndarray:
    """Values of the slow view, or of a choice of bands and windows, shape rows x values."""
    if name == "slow":
        return part["slow"][:, of].reshape(len(part["slow"]), -1)
    n_bands, windows = TANGENTS[name]
    chosen = [part[_name(window)][:, of, :n_bands] for window in windows]
    return np.concatenate([view.reshape(len(view), -1) for view in chosen], axis=1)


def _odd(name: str, views: Views) -> np.ndarray:
    return (_values(name, views.own) - _values(name, views.mirrored)) / 2


def _half(name: str, views: Views) -> np.ndarray:
    """What is odd in a view, once: it says the same of a channel (or pair) and its partner."""
    once = views.once[_kind(name)]
    return (_values(name, views.own, once) - _values(name, views.mirrored, once)) / 2


def _kind(name: str) -> str:
    return "tangent" if name in TANGENTS else name


def _odd_values(view: np.ndarray, mirrored: np.ndarray) -> float:
    """Mean square of the odd part of a view whose values are standardized."""
    return float(view.shape[1] * np.square((view - mirrored) / 2).sum() / np.square(view).sum())


def _falling(epochs: int) -> dict[str, Any]:
    """Epochs over which the learning rate falls to nothing."""
    return {"max_epochs": epochs,
            "callbacks": [LRScheduler(policy="CosineAnnealingLR", T_max=epochs)]}


def describe(decoder: Any) -> str:
    """What was chosen, for the lines of a study."""
    return ", ".join(f"{name} {penalty:g}" for name, penalty in decoder.penalties_.items())
