"""Spatial patterns of a fitted decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_count, check_fits, check_seed
from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_labels
from skbci._typing import Labels, Scoring, Seed, Signals
from skbci.eegarray import EEGArray

__all__ = ["spatial_patterns"]

_METHODS = ("auto", "filters", "linear", "gradient", "permutation")


def spatial_patterns(
    estimator: BaseEstimator,
    X: Signals,
    y: Labels | None = None,
    *,
    method: str = "auto",
    scoring: Scoring = None,
    n_repeats: int = 5,
    random_state: Seed = 0,
) -> pd.DataFrame:
    r"""Compute what each channel contributes to a fitted decoder.

    Parameters
    ----------
    estimator : fitted estimator or pipeline
        Its input are epochs.
    X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times)
        Epochs, best those that it was not fitted on.
    y : array-like, shape (n_rows,), optional
        Labels; ``"gradient"`` and ``"permutation"`` need them.
    method : {"auto", "filters", "linear", "gradient", "permutation"}, default="auto"
        ``"filters"``: the patterns of a step that has ``patterns_`` (CSP, xDAWN). ``"linear"``:
        activation patterns of a linear decision about features of channels or about tangent
        vectors. ``"gradient"``: gradient times input of a network. ``"permutation"``: loss of
        score when a channel's epochs are exchanged among the rows; for any estimator. ``"auto"``
        takes the first of these that the estimator allows.
    scoring : str or callable, optional
        Of ``"permutation"``; by default the estimator's own score.
    n_repeats : int, default=5
        Permutations of each channel.
    random_state : int, RandomState or None, default=0
        Of the permutations.

    Returns
    -------
    DataFrame, shape (n_maps, n_channels)
        A row for each map, named by what it is of; columns are the channels' names.

    Raises
    ------
    ValueError
        If the method does not suit the estimator, X is not three-dimensional, or labels are
        missing.
    NotFittedError
        If the estimator is not fitted.

    Notes
    -----
    With features F and the decision d of a linear model, the activation pattern [1]_ is

    .. math:: a = \operatorname{Cov}(F, d) / \operatorname{Var}(d) ,

    one map for each of a channel's features. The pattern of tangent vectors is a change of the
    covariance matrix; its diagonal, back at the mean and in the space of the channels, is the
    change of each channel's power. Signs are those of the second class against the first (of more
    classes: of each against the rest). What weights would show is not where a signal comes from,
    since they cancel noise too.

    A gradient's map of a class is the mean over its rows, summed over time, of `input_relevance`:
    what the channel adds to the decision for the class that is right.

    References
    ----------
    .. [1] S. Haufe et al., "On the interpretation of weight vectors of linear models in
       multivariate neuroimaging", NeuroImage 87, 2014, 96-110.

    Examples
    --------
    >>> from skbci.baselines import csp_lda
    >>> from skbci.datasets import make_motor_imagery
    >>> from skbci.evaluation import spatial_patterns
    >>> data = make_motor_imagery(n_subjects=1, n_sessions=1, snr=3, random_state=0)
    >>> pipe = csp_lda(2, tmin=0.5).fit(data.X, data.y)
    >>> spatial_patterns(pipe, data.X).shape
    (2, 22)
    """
    method = check_choice(method, "method", "spatial_patterns", _METHODS)
    check_fits(estimator, "estimator", "spatial_patterns")
    check_is_fitted(estimator)
    X = as_eeg(X)
    shape = np.shape(X)
    if len(shape) != 3:
        raise ValueError(
            "spatial_patterns needs X as epochs of shape (n_rows, n_channels, n_times), got "
            f"shape {shape}."
        )
    known = X.ch_names if isinstance(X, EEGArray) else None
    names = known or [f"EEG{i:03d}" for i in range(shape[1])]
    labels = None if y is None else check_labels(y, shape[0], "spatial_patterns")
    maps: dict[str, np.ndarray] | None = None
    if method in ("auto", "filters"):
        maps = _filter_patterns(estimator, shape[1])
    if maps is None and method in ("auto", "linear"):
        maps = _linear_patterns(estimator, X)
    if maps is None and method in ("auto", "gradient") and _network(estimator) is not None:
        maps = _gradient_maps(estimator, X, _needed(labels, "gradient"))
    if maps is None and method in ("auto", "permutation"):
        repeats = check_count(n_repeats, "n_repeats", "spatial_patterns")
        maps = _permutation_map(estimator, X, _needed(labels, "permutation"), scoring, repeats,
                                check_seed(random_state, "random_state", "spatial_patterns"))
    if maps is None:
        wanted = {"filters": "no step with patterns_ over these channels",
                  "linear": "no linear decision about features of channels or tangent vectors",
                  "gradient": "no network with input_relevance at its end"}[method]
        raise ValueError(f"spatial_patterns: method={method!r}, but {_name(estimator)} has "
                         f"{wanted}.")
    return pd.DataFrame.from_dict(maps, orient="index", columns=names)


def _needed(y: np.ndarray | None, method: str) -> np.ndarray:
    if y is None:
        raise ValueError(f"spatial_patterns: method {method!r} needs the labels y.")
    return y


def _name(estimator: BaseEstimator) -> str:
    if isinstance(estimator, Pipeline):
        return "the pipeline " + " > ".join(estimator.named_steps)
    return type(estimator).__name__


def _steps(estimator: BaseEstimator) -> list[BaseEstimator]:
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [
        estimator]
    return [step for step in steps if step is not None and step != "passthrough"]


def _to_channels(steps: list[BaseEstimator]) -> np.ndarray | None:
    """Return the matrix from patterns of what the steps give to the channels; None is identity."""
    from skbci.features import RankReducer  # brings pyplot, as pyRiemann does

    back = None
    for step in steps:
        if isinstance(step, RankReducer):
            own = np.linalg.pinv(step.components_ / step.scale_)
            back = own if back is None else back @ own
    return back


# -- filters --------------------------------------------------------------------------------


def _filter_patterns(estimator: BaseEstimator, n_channels: int) -> dict[str, np.ndarray] | None:
    steps = _steps(estimator)
    for place, step in enumerate(steps):
        found = getattr(step, "patterns_", None)
        if found is None:
            continue
        bands = found if isinstance(found, list) else [found]
        back = _to_channels(steps[:place])
        maps: dict[str, np.ndarray] = {}
        for band, patterns in enumerate(bands):
            patterns = np.atleast_2d(patterns)
            if back is not None and patterns.shape[1] == back.shape[1]:
                patterns = patterns @ back.T
            if patterns.shape[1] != n_channels:
                return None
            where = f"band {band}, " if len(bands) > 1 else ""
            maps |= {f"{where}pattern {k}": row for k, row in enumerate(patterns)}
        return maps
    return None


# -- linear decisions -----------------------------------------------------------------------


def _linear_patterns(estimator: BaseEstimator, X: Signals) -> dict[str, np.ndarray] | None:
    from pyriemann.tangentspace import TangentSpace

    if not isinstance(estimator, Pipeline) or not hasattr(estimator[-1], "coef_"):
        return None
    decision = np.asarray(estimator.decision_function(X), dtype=float)
    columns = decision.reshape(len(decision), -1)
    classes = [str(label) for label in estimator.classes_]
    titles = [f"{classes[-1]} - {classes[0]}"] if columns.shape[1] == 1 else classes
    n_channels = np.shape(X)[1]
    flows, features = X, []
    for place, step in enumerate(estimator[:-1]):
        flows = flows if step == "passthrough" else step.transform(flows)
        if np.ndim(flows) == 2:
            features.append((place, np.asarray(flows, dtype=float)))
    if not features:
        return None
    # The first features are in the unit of the signal: later steps only scale or rotate them.
    place, first = features[0]
    steps = list(estimator[:-1])
    maps = {}
    for title, column in zip(titles, columns.T):
        centred = column - column.mean()
        activation = (first - first.mean(axis=0)).T @ centred / max(centred @ centred, 1e-300)
        tangent = steps[place]
        if isinstance(tangent, TangentSpace):
            back = _to_channels(steps[:place])
            maps[title] = _power_change(activation, tangent.reference_, back)
        elif first.shape[1] % n_channels == 0:
            parts = activation.reshape(n_channels, -1)
            labels = _labels(steps[place], parts.shape[1])
            maps |= {f"{title}{label}": parts[:, k] for k, label in enumerate(labels)}
        else:
            return None
    return maps if all(len(m) == n_channels for m in maps.values()) else None


def _power_change(
    activation: np.ndarray, reference: np.ndarray, back: np.ndarray | None
) -> np.ndarray:
    """Change of each channel's power along a tangent vector at the reference."""
    from pyriemann.geometry.tangentspace import unupper

    matrix = unupper(activation[np.newaxis])[0]
    values, vectors = np.linalg.eigh(reference)
    root = (vectors * np.sqrt(values)) @ vectors.T
    change = root @ matrix @ root
    if back is not None:
        change = back @ change @ back.T
    return np.diagonal(change).copy()


def _labels(step: BaseEstimator, count: int) -> list[str]:
    """Return what a channel's features are called, from the names of the first channel's."""
    if count == 1:
        return [""]
    try:
        names = [str(name) for name in step.get_feature_names_out()[:count]]
    except (AttributeError, ValueError, TypeError):
        return [f", feature {k}" for k in range(count)]
    return [", " + name.split("_", 1)[-1] for name in names]


# -- networks and everything else -----------------------------------------------------------


def _network(estimator: BaseEstimator) -> Any:
    last = _steps(estimator)[-1]
    return last if hasattr(last, "input_relevance") else None


def _gradient_maps(
    estimator: BaseEstimator, X: Signals, y: np.ndarray
) -> dict[str, np.ndarray] | None:
    flows = estimator[:-1].transform(X) if isinstance(estimator, Pipeline) and len(
        estimator.steps) > 1 else X
    relevance = np.asarray(_network(estimator).input_relevance(flows, y), dtype=float)
    # Rows x (bands x) channels x times.
    if relevance.ndim < 3 or relevance.shape[-2] != np.shape(X)[1]:
        return None
    by_channel = relevance.sum(axis=-1)
    by_channel = by_channel.reshape(len(by_channel), -1, by_channel.shape[-1]).sum(axis=1)
    return {str(label): by_channel[y == label].mean(axis=0) for label in np.unique(y)}


def _permutation_map(
    estimator: BaseEstimator, X: Signals, y: np.ndarray, scoring: Scoring, n_repeats: int,
    random: np.random.RandomState,
) -> dict[str, np.ndarray]:
    scorer = check_scoring(estimator, scoring=scoring)
    whole = scorer(estimator, X, y)
    data = np.asarray(X)
    losses = np.zeros(data.shape[1])
    for _ in range(n_repeats):
        order = random.permutation(len(data))
        for channel in range(data.shape[1]):
            mixed = data.copy()
            mixed[:, channel] = data[order, channel]
            rows = X.with_data(mixed) if isinstance(X, EEGArray) else mixed
            losses[channel] += (whole - scorer(estimator, rows, y)) / n_repeats
    return {"loss of score": losses}
