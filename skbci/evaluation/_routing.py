"""Routing of metadata to the splitter and to the pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
)

from skbci._typing import Labels, Splitter


def routing_enabled() -> bool:
    """Return whether scikit-learn's metadata routing is switched on."""
    return bool(get_config().get("enable_metadata_routing", False))


def split_params(cv: Splitter, groups: Labels | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the keyword arguments of ``cv.split``."""
    if not routing_enabled():
        return {"groups": groups}
    router = MetadataRouter(owner="compare").add(
        splitter=cv, method_mapping=MethodMapping().add(caller="fit", callee="split")
    )
    given = {**params, **({} if groups is None else {"groups": groups})}
    return dict(router.route_params(caller="fit", params=given).splitter.split)


def pipeline_params(
    pipelines: Mapping[str, BaseEstimator], cv: Splitter, scorers: Mapping[str, Any],
    groups: Labels | None, params: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """Pick what each pipeline's `cross_validate` gets as ``params``.

    With routing, a pipeline (or the scorer) gets what it requests, and ``groups`` too if it
    requests them. Without, every pipeline's ``fit`` gets all of ``params``, as in scikit-learn.

    Raises
    ------
    TypeError
        If nothing requests one of ``params``.
    """
    if not routing_enabled():
        return {name: dict(params) for name in pipelines}
    given = {**params, **({} if groups is None else {"groups": groups})}
    used = _consumed(cv, "split", given)
    chosen = {}
    for name, estimator in pipelines.items():
        # Raises where a step could take one of the params but was not told whether to.
        MetadataRouter(owner="compare").add(
            estimator=estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit")
        ).route_params(caller="fit", params=dict(params))
        wanted = _consumed(estimator, "fit", given)
        for scorer in scorers.values():
            wanted |= _consumed(scorer, "score", given)
        chosen[name] = {key: given[key] for key in wanted}
        used |= wanted
    unused = sorted(set(params) - used)
    if unused:
        raise TypeError(
            f"compare: nothing requests params {unused}. Tell a step, the scorer or the splitter "
            "to, for example with set_fit_request."
        )
    return chosen


def scorer_params(scorer: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the scorer's share of ``params``, under the names that it knows them by."""
    if not routing_enabled() or not params or not hasattr(scorer, "get_metadata_routing"):
        return {}
    router = MetadataRouter(owner="compare").add(
        scorer=scorer, method_mapping=MethodMapping().add(caller="score", callee="score")
    )
    wanted = {key: params[key] for key in _consumed(scorer, "score", params)}
    return dict(router.route_params(caller="score", params=wanted).scorer.score)


def _consumed(thing: Any, method: str, params: Mapping[str, Any]) -> set[str]:
    if not hasattr(thing, "get_metadata_routing"):
        return set()
    return set(get_routing_for_object(thing).consumes(method, params.keys()))


