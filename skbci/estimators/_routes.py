"""Parameters with two underscores that reach the parts an estimator builds.

Routes such as ``optimizer__r`` or ``module__dropout`` are ordinary parameters to `get_params`,
`set_params` and `clone`, so a grid search reaches them. As everywhere in scikit-learn, names and
values are checked in ``fit``. A class has these functions as its methods.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from skbci._whole import WholeFits


def is_route(self: BaseEstimator, name: str) -> bool:
    """Whether a name is a route to a part that the estimator has."""
    prefix, found, rest = name.partition("__")
    return bool(found and rest) and prefix in self._route_prefixes


def route(self: BaseEstimator, prefix: str) -> dict[str, Any]:
    """Return the parameters under one prefix, without it."""
    start = prefix + "__"
    return {k[len(start) :]: v for k, v in vars(self).items() if k.startswith(start)}


def extra_names(self: BaseEstimator) -> list[str]:
    """Return the names that came through ``**routes``."""
    explicit = set(self._get_param_names())
    return [
        name
        for name in vars(self)
        if name not in explicit and not name.startswith("_") and not name.endswith("_")
    ]


def check_routes(self: BaseEstimator) -> None:
    """Refuse parameters that are neither the estimator's nor a part's."""
    unknown = [name for name in self._extra_names() if not self._is_route(name)]
    if unknown:
        raise ValueError(
            f"{type(self).__name__} has no parameter {', '.join(map(repr, unknown))}. Its "
            f"parameters are {', '.join(self._get_param_names())}, and any that starts with "
            f"{' or '.join(prefix + '__' for prefix in self._route_prefixes)}."
        )


def get_params(self: BaseEstimator, deep: bool = True) -> dict[str, Any]:
    """Get the parameters, routes included.

    Parameters
    ----------
    deep : bool, default=True
        Whether to include the parameters of nested estimators.

    Returns
    -------
    dict
    """
    return {
        **BaseEstimator.get_params(self, deep=deep),
        **{name: getattr(self, name) for name in self._extra_names()},
    }


def set_params(self: Any, **params: Any) -> Any:
    """Set parameters, routes included.

    Parameters
    ----------
    **params : dict
        Names and values.

    Returns
    -------
    self
    """
    routes = {name: value for name, value in params.items() if self._is_route(name)}
    BaseEstimator.set_params(self, **{k: v for k, v in params.items() if k not in routes})
    self.__dict__.update(routes)
    return self


class RoutedParams(WholeFits, BaseEstimator):
    """scikit-learn parameters plus routes."""

    _route_prefixes: tuple[str, ...] = ()

    _is_route = is_route
    _route = route
    _extra_names = extra_names
    _check_routes = check_routes
    get_params = get_params
    set_params = set_params
