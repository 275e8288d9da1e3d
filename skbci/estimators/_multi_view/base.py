"""What stands behind `MultiViewClassifier`: its parameters, its input and its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from skbci._checks import check_count, check_flag, check_number
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._typing import Seed, Signals
from skbci.augmentation import Augmentation, Mirror, resolve_augmentation
from skbci.eegarray import EEGArray
from skbci.estimators import _setting_types as like
from skbci.estimators._multi_view.arrays import ViewInput, read_mapping, table_of
from skbci.estimators._multi_view.network import ViewsNetwork
from skbci.estimators._multi_view.training_rows import ViewRows
from skbci.estimators._multi_view.views import PASSTHROUGH, Rows, check_views
from skbci.estimators._neural.silent_rows import find_silent
from skbci.estimators._neural.training_rows import hold_out
from skbci.estimators._routes import RoutedParams
from skbci.nets import MultiViewNet

# What the networks are given as it is.
_OF_NETWORKS = (
    "loss_weighting", "optimizer", "lr", "max_epochs", "batch_size", "sparsity", "pruning",
    "early_stopping", "validation_fraction", "n_iter_no_change", "tol", "monitor", "lr_patience",
    "lr_factor", "min_lr", "class_weight", "callbacks", "device", "verbose",
)


class BaseMultiView(RoutedParams):
    """Views by name among the parameters, validated rows, and networks over views."""

    _route_prefixes = ("module", "optimizer", "pruning", "callbacks", "loss_weighting",
                       "augmentation")

    # Set by the child's __init__.
    views: Sequence[tuple[str, str | BaseEstimator]] | None
    augmentation: like.Augmentation
    average_mirrored: bool
    n_networks: int
    early_stopping: bool
    validation_fraction: float
    hidden_units: int
    dropout: float
    view_dropout: float | Mapping[str, float]
    random_state: Seed

    networks_: list[ViewsNetwork]
    _mirror_: Mirror | None
    _by_name_: bool

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters, those of the views by their names, and routes.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the views and their parameters.

        Returns
        -------
        dict
        """
        params = super().get_params(deep=False)
        for name, view in self._pairs() if deep else ():
            params[name] = view
            if hasattr(view, "get_params"):
                params |= {f"{name}__{key}": v for key, v in view.get_params(deep=True).items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, views and their parameters by their names, and routes.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self
        """
        if "views" in params:
            self.views = params.pop("views")
        names = [name for name, _ in self._pairs()]
        if replaced := {name: params.pop(name) for name in names if name in params}:
            self.views = [(name, replaced.get(name, view)) for name, view in self._pairs()]
        for key in [key for key in params if key.partition("__")[0] in names]:
            name, _, rest = key.partition("__")
            dict(self._pairs())[name].set_params(**{rest: params.pop(key)})
        return super().set_params(**params)

    def _pairs(self) -> list[tuple[str, BaseEstimator]]:
        """Return names and transformers, as far as ``views`` has such."""
        views = self.views if isinstance(self.views, (list, tuple)) else ()
        return [
            (pair[0], pair[1]) for pair in views
            if isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str)
        ]

    # -- parts ----------------------------------------------------------------------------

    def _read(
        self, X: Signals | Mapping[str, Signals], reset: bool
    ) -> tuple[Rows, int, np.ndarray]:
        """Validate rows; return them, their number and which are without signal."""
        by_name = isinstance(X, Mapping) and not hasattr(X, "toarray")  # sparse ones may be both
        if reset:
            self._by_name_ = by_name
        elif by_name != self._by_name_:
            seen = "a dict of arrays" if self._by_name_ else "an array"
            raise ValueError(
                f"{type(self).__name__} was fitted with {seen}, but X is of type "
                f"{type(X).__name__}."
            )
        if by_name and isinstance(X, Mapping):
            if reset:
                names = list(X) if self.views is None else [n for n, _ in self._pairs()]
                if not names:
                    raise ValueError(f"{type(self).__name__}: X is a dict without an array.")
                self._inputs_ = {name: ViewInput() for name in names}
            arrays = read_mapping(X, self._inputs_, self, reset)
            n_rows = len(next(iter(arrays.values())))
            return arrays, n_rows, np.zeros(n_rows, dtype=bool)
        X = as_eeg(X)
        data = check_eeg(self, X, reset=reset, ndim=(2, 3, 4), same_times=True,
                         ensure_min_samples=2 if reset else 1)
        then = "Such rows are set aside." if reset else "The prior is predicted there."
        silent = find_silent(self, X, data, then, learn=reset)
        return X if isinstance(X, EEGArray) else data, len(data), silent

    def _fit_rows(
        self, X: Rows, y: np.ndarray, target: np.ndarray, weight: np.ndarray | None,
        groups: np.ndarray | None, augmentation: Augmentation | None, seed: int,
    ) -> None:
        """Fit everything to rows that have a signal and a weight."""
        first = table_of(X) if isinstance(X, dict) else X
        train, valid = np.arange(len(y)), np.arange(0)
        if self.early_stopping:
            train, valid = hold_out(self, first, len(y), target, groups, seed)
        default = list(X) if self._by_name_ else ["features"]
        views = check_views(
            [(name, PASSTHROUGH) for name in default] if self.views is None else self.views, self)
        rows = ViewRows(views, X, y, weight, train, valid, augmentation, seed, self)
        self._fitted_views_, self.views_ = rows.views, rows.views.transformers
        self._mirror_ = _mirror_of(augmentation) if self.average_mirrored else None
        self.networks_ = [
            self._network(rows.views.shapes, seed + k).fit_split(
                rows.features, rows.labels, rows.weight, rows.held_out)
            for k in range(self.n_networks)
        ]
        self.n_iter_ = self.networks_[0].n_iter_

    def _network(self, shapes: dict[str, tuple[int, ...]], seed: int) -> ViewsNetwork:
        # A single view's head is the head for all.
        alone = None if len(shapes) == 1 else "cross-entropy"
        routes = {name: getattr(self, name) for name in self._extra_names()
                  if not name.startswith(("augmentation__", "module__"))}
        module = {"views": shapes, "hidden_units": self.hidden_units, "dropout": self.dropout,
                  "view_dropout": self.view_dropout, **self._route("module")}
        return ViewsNetwork(
            MultiViewNet, losses={"logits": "cross-entropy", **dict.fromkeys(shapes, alone)},
            random_state=seed, **{name: getattr(self, name) for name in _OF_NETWORKS},
            **{f"module__{key}": value for key, value in module.items()}, **routes,
        )

    def _probabilities(self, X: Rows) -> np.ndarray:
        features = self._fitted_views_.transform(X, self)
        return np.mean([network.predict_proba(features) for network in self.networks_], axis=0)

    def _check_settings(self) -> Augmentation | None:
        self._check_routes()
        if self.views is not None:
            check_views(self.views, self)
        check_count(self.n_networks, "n_networks", self)
        check_flag(self.average_mirrored, "average_mirrored", self)
        check_flag(self.early_stopping, "early_stopping", self)
        check_number(self.validation_fraction, "validation_fraction", self, low=0, high=1,
                     closed="neither")
        augmentation = resolve_augmentation(
            self.augmentation, self._route("augmentation"), who=self)
        if self.average_mirrored and _mirror_of(augmentation) is None:
            raise ValueError(
                f"{type(self).__name__}: average_mirrored=True averages predictions over rows and "
                "their mirror images; it needs augmentation='mirror', which says how labels "
                "exchange."
            )
        return augmentation


def _mirror_of(augmentation: Augmentation | None) -> Mirror | None:
    """The mirror among augmentations."""
    parts = getattr(augmentation, "augmentations", [augmentation])
    return next((part for part in parts if isinstance(part, Mirror)), None)
