"""Everything of scikit-learn's private parts that this room leans on.

A search whose fits are seen all at once needs more of scikit-learn than its public names give: the
loop between choosing candidates and fitting them, what one fit of it does and returns, and what a
scorer asks for. All of it is here. Where a version of scikit-learn has moved a part, the import of
this file fails and names it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import _score as score_rows
from sklearn.utils import _safe_indexing as rows_of
from sklearn.utils._param_validation import Interval
from sklearn.utils.metadata_routing import _routing_enabled as routing_enabled
from sklearn.utils.metaestimators import _safe_split as split_rows
from sklearn.utils.validation import _check_method_params as params_of_rows
from sklearn.utils.validation import _num_samples as count_samples

__all__ = [
    "OWN_ARGUMENTS", "BaseSearchCV", "GroupsConsumerMixin", "Interval", "count_samples",
    "fit_and_score", "fit_context", "has_callbacks", "is_search_fit", "only_predicts",
    "params_of_rows", "routing_enabled", "rows_of", "score_rows", "search_loop", "split_rows",
]

#: Arguments of `fit_and_score` that differ from fit to fit.
OWN_ARGUMENTS = (
    "train", "test", "parameters", "split_progress", "candidate_progress", "callback_ctx",
)


def search_loop(parallel: Callable[..., object]) -> Callable[..., Any]:
    """Return the search's own ``fit``, with another class in the place of `joblib.Parallel`.

    scikit-learn's loop leaves no room between choosing candidates and fitting them one by one.

    Raises
    ------
    RuntimeError
        If the loop does not look up the name ``Parallel``: it would run as ever.
    """
    fit = inspect.unwrap(BaseSearchCV.fit)
    if "Parallel" not in fit.__code__.co_names or "Parallel" not in fit.__globals__:
        raise RuntimeError(
            "sklearn.model_selection.BaseSearchCV.fit no longer takes its Parallel by that name."
        )
    known = {**fit.__globals__, "Parallel": parallel}
    return FunctionType(fit.__code__, known, fit.__name__, fit.__defaults__, fit.__closure__)


def is_search_fit(call: Any) -> bool:
    """Whether a call that was prepared for joblib is the fit and score of one candidate."""
    function, args, kwargs = call
    known = getattr(function, "function", None) is fit_and_score and len(args) == 3
    return known and {"train", "test", "parameters"} <= set(kwargs)


def has_callbacks(value: object) -> bool:
    """Whether scikit-learn's callbacks were set on an estimator or on anything within."""
    if not hasattr(value, "get_params") or isinstance(value, type):
        return False
    parts = value, *value.get_params().values()
    return any(hasattr(part, "_skl_callbacks") for part in parts)


def only_predicts(scorer: Any, params: dict[str, Any]) -> bool:
    """Whether a scorer asks a pipeline for nothing but what its last step predicts.

    Then the last step can answer alone. Any other callable gets a pipeline and rows of its own:
    it may look into them, change, pickle or refit them.
    """
    if type(scorer) is _MultimetricScorer:
        return all(only_predicts(one, params) for one in scorer._scorers.values())
    if type(scorer) is _PassthroughScorer:
        return not params  # which step gets it, the pipeline decides
    module = type(scorer).__module__
    return isinstance(scorer, _BaseScorer) and module == _BaseScorer.__module__
