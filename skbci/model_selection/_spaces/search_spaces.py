"""Where to look for a network's settings."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from skbci._checks import check_choice, check_count, check_list
from skbci.model_selection._spaces.ranges import OPTIMIZER_RANGES, OTHER_VALUES, Range

__all__ = ["search_spaces"]

ENGINES = ("scipy", "grid", "optuna")


def search_spaces(
    names: str | Sequence[str] | None = None,
    *,
    step: str | None = None,
    engine: str = "scipy",
    n_values: int = 4,
) -> dict[str, dict[str, Any]]:
    """Return ranges of settings in which a network's best ones are usually found.

    Parameters
    ----------
    names : str or sequence of str, optional
        Optimizers, by the names that networks take, and ``"loss_weighting"``, ``"sparsity"``,
        ``"augmentation"``. None: all optimizers.
    step : str, optional
        Name of the network within a pipeline, such as ``"mlpclassifier"``; of nested ones
        ``"outer__inner"``.
    engine : {"scipy", "grid", "optuna"}, default="scipy"
        What the values are for: ``"scipy"`` gives distributions and lists for
        `RandomizedSearchCV` and `StackedRandomizedSearchCV`, ``"grid"`` lists for `GridSearchCV`,
        `StackedGridSearchCV`, `HalvingGridSearchCV` and `HeldOutSearch`, ``"optuna"``
        distributions for ``OptunaSearchCV`` (``pip install "skbci[optuna]"``).
    n_values : int, default=4
        With ``engine="grid"``, values of each range.

    Returns
    -------
    dict of str to dict
        By name, a space: values by parameter name. That of an optimizer has ``optimizer``,
        ``lr``, and what else of it matters. Spaces are joined by ``{**one, **other}``; a list of
        them, ``list(spaces.values())``, is what scikit-learn's searches take for several
        optimizers, each in its own range.

    Raises
    ------
    ValueError
        If a name or the engine is unknown.
    ImportError
        If Optuna is asked for and not installed.

    Notes
    -----
    A learning rate means something else to each optimizer: HJB's step is as long as the root of
    the loss, Adam's as the learning rate, SGD's as the gradient. One range for all finds one of
    them at its best. Within these, networks of a hidden layer learned features of EEG and others
    in forty epochs, between too slow and unstable; ``r`` of the HJB rules only scales the step and
    is left to ``lr``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbci.estimators import MLPClassifier
    >>> from skbci.model_selection import StackedRandomizedSearchCV, search_spaces
    >>> X, y = load_iris(return_X_y=True)
    >>> spaces = search_spaces(["hjb", "adam"])
    >>> search = StackedRandomizedSearchCV(
    ...     MLPClassifier((10,), max_epochs=30, random_state=0), list(spaces.values()), n_iter=6,
    ...     cv=3, random_state=0)
    >>> bool(search.fit(X, y).best_score_ > 0.9)
    True
    >>> search_spaces("adam", step="mlpclassifier", engine="grid", n_values=3)["adam"]
    {'mlpclassifier__optimizer': ['adam'], 'mlpclassifier__lr': [0.0003, 0.003, 0.03]}
    """
    who = "search_spaces"
    check_choice(engine, "engine", who, ENGINES)
    check_count(n_values, "n_values", who, low=2)
    if step is not None and not isinstance(step, str):
        raise TypeError(f"search_spaces: step={step!r} must be a step's name, or None.")
    known = {**OPTIMIZER_RANGES, **OTHER_VALUES}
    if names is None:
        names = list(OPTIMIZER_RANGES)
    chosen = [names] if isinstance(names, str) else check_list(names, "names", who, "names",
                                                               also="None")
    for name in chosen:
        check_choice(name, "names", who, tuple(known))
    translate = {"scipy": _for_scipy, "grid": lambda v: _as_list(v, n_values),
                 "optuna": _for_optuna}[engine]
    prefix = "" if step is None else f"{step}__"
    out = {}
    for name in chosen:
        space = {"optimizer": [name], **known[name]} if name in OPTIMIZER_RANGES else known[name]
        out[name] = {prefix + key: translate(values) for key, values in space.items()}
    return out


def _for_scipy(values: Any) -> Any:
    if not isinstance(values, Range):
        return list(values)
    if values.log:
        return stats.loguniform(values.low, values.high)
    return stats.uniform(values.low, values.high - values.low)


def _as_list(values: Any, n: int) -> list[Any]:
    if not isinstance(values, Range):
        return list(values)
    spaced = np.geomspace if values.log else np.linspace
    return [float(f"{value:.3g}") for value in spaced(values.low, values.high, n)]


def _for_optuna(values: Any) -> Any:
    try:
        distributions = importlib.import_module("optuna.distributions")
    except ImportError as error:
        raise ImportError(
            'search_spaces(engine="optuna") needs Optuna, which is not installed: '
            'pip install "skbci[optuna]"'
        ) from error
    if not isinstance(values, Range):
        return distributions.CategoricalDistribution(list(values))
    return distributions.FloatDistribution(values.low, values.high, log=values.log)
