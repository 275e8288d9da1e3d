"""Parameters with two underscores that reach the parts an estimator builds."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from skbci._whole import WholeFits


class RoutedParams(WholeFits, BaseEstimator):
    """scikit-learn parameters plus routes such as ``optimizer__r`` or ``module__dropout``.

    The routes are ordinary parameters to `get_params`, `set_params` and `clone`, so a grid search
    reaches them. As everywhere in scikit-learn, names and values are checked in ``fit``.
    """

    _route_prefixes: tuple[str, ...] = ()

    def _is_route(self, name: str) -> bool:
        prefix, found, rest = name.partition("__")
        return bool(found and rest) and prefix in self._route_prefixes

    def _route(self, prefix: str) -> dict[str, Any]:
        """Give the parameters under one prefix, without it."""
        start = prefix + "__"
        return {k[len(start) :]: v for k, v in vars(self).items() if k.startswith(start)}

    def _extra_names(self) -> list[str]:
        """Names that came through ``**routes``."""
        explicit = set(self._get_param_names())
        return [
            name
            for name in vars(self)
            if name not in explicit and not name.startswith("_") and not name.endswith("_")
        ]

    def _check_routes(self) -> None:
        unknown = [name for name in self._extra_names() if not self._is_route(name)]
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no parameter {', '.join(map(repr, unknown))}. Its "
                f"parameters are {', '.join(self._get_param_names())}, and any that starts with "
                f"{' or '.join(prefix + '__' for prefix in self._route_prefixes)}."
            )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
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
            **super().get_params(deep=deep),
            **{name: getattr(self, name) for name in self._extra_names()},
        }

    def set_params(self, **params: Any) -> RoutedParams:
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
        super().set_params(**{k: v for k, v in params.items() if k not in routes})
        self.__dict__.update(routes)
        return self
