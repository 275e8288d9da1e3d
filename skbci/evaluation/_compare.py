"""Several pipelines on the same folds, tested against each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _num_samples

from skbci._checks import (
    check_arguments,
    check_flag,
    check_jobs,
    check_list,
    check_splitter,
    is_number,
    refusal,
    shown,
)
from skbci._checks.eeg import as_eeg
from skbci._checks.labels import check_column
from skbci._eegarray.rows import row_values
from skbci._process.quiet import filters_kept, without_warnings
from skbci._typing import Labels, Scoring, Signals, Splitter
from skbci.evaluation._collect import RESERVED, collect
from skbci.evaluation._comparison import Comparison
from skbci.evaluation._fit_cache import FitCache
from skbci.evaluation._folds import Fold, make_folds, warn_of_trained_rows
from skbci.evaluation._routing import pipeline_params, split_params
from skbci.evaluation._run import Job, cross_validate_here, run_folds

__all__ = ["compare"]


@filters_kept()
def compare(
    pipelines: Mapping[str, BaseEstimator],
    X: Signals,
    y: Labels,
    *,
    cv: Splitter = None,
    groups: Labels | None = None,
    scoring: str | Callable[..., float] | Sequence[str] | Mapping[str, Any] = "accuracy",
    baseline: str | None = None,
    by: str | None = "subject",
    n_jobs: int | None = None,
    params: Mapping[str, Any] | None = None,
    progress: bool = True,
    error_score: float | str = "raise",
    cache: str | os.PathLike[str] | None = None,
) -> Comparison:
    r"""Cross-validate several pipelines on the same folds and test them against one of them.

    The folds are made once. Each pipeline is fitted and scored on each fold by
    `sklearn.model_selection.cross_validate`, and again scored on each subject of the fold's test
    rows where there are several.

    Parameters
    ----------
    pipelines : dict of str to estimator
        Named pipelines; clones of them are fitted. A `GridSearchCV` chooses its parameters
        inside each training set.
    X : array-like, EEGArray or mne.Epochs, shape (n_rows, ...)
        Epochs or features. The subjects of an `EEGArray` or `mne.Epochs` are known to the splitter
        and to the tests.
    y : array-like, shape (n_rows,)
        Class labels, or values for regressors.
    cv : int, splitter or iterable of (train, test), optional
        As in `cross_validate`, such as ``LeaveSubjectsOut(5)``. None means five (stratified)
        folds, which keep neither subjects nor sessions apart.
    groups : array-like, shape (n_rows,), optional
        Passed to the splitter; with metadata routing also to the pipelines that request them.
    scoring : str, callable, sequence of str, or dict, default="accuracy"
        One metric or several. Means, tests and subjects are about the first of them, the others
        are columns of ``folds`` and ``summary``. Greater is better, as everywhere in
        scikit-learn.
    baseline : str, optional
        Name of the pipeline that the others are tested against.
    by : str or None, default="subject"
        Column of X's row table that says who a row is from; ``groups`` where there is no such
        column. None: fold by fold only.
    n_jobs : int, optional
        Processes that share the (pipeline, fold) pairs, or workers of the engine that
        `joblib.parallel_config` names (Dask, Ray). Scores do not depend on it as long as the
        pipelines have a fixed ``random_state``.
    params : dict, optional
        Metadata such as ``sample_weight``: with metadata routing for the steps that request it,
        else keyword arguments of every pipeline's ``fit``.
    progress : bool, default=True
        Whether to show a progress bar with a tick for each pipeline and fold.
    error_score : "raise" or float, default="raise"
        Score of a failed fit.
    cache : str or path, optional
        Folder in which each finished fit's scores and times are kept, under a key of pipeline,
        data, fold, metrics and versions. What is there already is not done again: a comparison
        goes on where it was ended, whatever ended it, and machines that share the folder share
        the work. A fit without a fixed ``random_state`` is kept, too.

    Returns
    -------
    Comparison
        DataFrames ``summary``, ``folds``, ``subjects``, ``tests``; printed, a table.

    Raises
    ------
    ValueError
        If there are no pipelines or folds, a fold is empty, the baseline is not among the
        pipelines, y has one class only, or lengths differ; with ``cache``, if a pipeline cannot
        be pickled.
    TypeError
        If something is no estimator, ``error_score`` no number, or nothing requests one of
        ``params``.
    OSError
        If the ``cache`` cannot be written to.

    Warns
    -----
    UserWarning
        If folds test rows that they train on.

    See Also
    --------
    leakage_report : What the split lets through.
    confound_report : What the labels can be told from besides the claimed signal.
    skbci.display.ComparisonDisplay : The picture of a comparison.

    Notes
    -----
    The paired differences :math:`d_i` are taken over subjects where more than one was tested,
    else over folds. The tests are the two-sided Wilcoxon signed-rank test (without zero
    differences) and the paired t-test; over folds the latter uses the variance
    :math:`(1/n + n_{test}/n_{train})\, s_d^2`, since training sets overlap [2]_. The Wilcoxon
    test over folds makes no such allowance and is optimistic. Either family of p-values is
    corrected by Holm's method [1]_. Effect sizes are Cohen's :math:`d_z = \bar d / s_d` and the
    matched-pairs rank-biserial correlation [3]_.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
       Journal of Statistics 6, 1979.
    .. [2] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning
       52, 2003.
    .. [3] D. S. Kerby, "The simple difference formula: an approach to teaching nonparametric
       correlation", Comprehensive Psychology 3, 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skbci.evaluation import compare
    >>> X, y = load_iris(return_X_y=True)
    >>> result = compare({"3-NN": KNeighborsClassifier(3), "1-NN": KNeighborsClassifier(1)},
    ...                  X, y, baseline="1-NN", progress=False)
    >>> result.summary["mean"].round(3).to_dict()
    {'3-NN': 0.967, '1-NN': 0.96}
    >>> result.tests[["difference", "p_wilcoxon_holm"]].round(3).to_dict("records")
    [{'difference': 0.007, 'p_wilcoxon_holm': 1.0}]
    """
    check_flag(progress, "progress", "compare")
    check_jobs(n_jobs, "n_jobs", "compare")
    if not is_number(error_score) and not (
        isinstance(error_score, str) and error_score == "raise"
    ):
        because = "must be 'raise', or a number such as numpy.nan"
        raise TypeError(refusal(error_score, "error_score", "compare", because))
    X = as_eeg(X)
    _check_input(pipelines, X, y, baseline)
    scorings = _check_scoring(scoring)
    first = next(iter(pipelines.values()))
    cv = check_cv(check_splitter(cv, "cv", "compare"), y, classifier=is_classifier(first))
    params = check_arguments(params, "params", "compare")
    folds = make_folds(cv, X, y, split_params(cv, groups, params), "compare")
    warn_of_trained_rows(folds, "compare")
    person, subjects = _subject_labels(X, groups, by)
    scorers = {name: check_scoring(first, scoring=s) for name, s in scorings.items()}
    routed = pipeline_params(pipelines, cv, scorers, groups, params)
    jobs = [
        Job(name, number, pipelines[name], fold, scorings, routed[name], error_score)
        for name in pipelines
        for number, fold in enumerate(folds)
    ]
    kept = None
    if cache is not None:
        unfitted = {name: clone(pipeline) for name, pipeline in pipelines.items()}
        kept = FitCache(cache)
        for job, key in zip(jobs, kept.keys(unfitted, (X, y, subjects), folds, scorings, routed)):
            job.key = key
    lines = run_folds(jobs, X, y, subjects, kept, n_jobs, progress)
    chance = _chance(first, X, y, folds, scorings["score"])
    fields = collect(lines, list(pipelines), person, subjects, baseline, _metric_name(scoring),
                   chance)
    return Comparison(**fields)


def _check_input(pipelines: object, X: Signals, y: Labels, baseline: str | None) -> None:
    if not isinstance(pipelines, Mapping):
        raise TypeError(f"compare: pipelines must be a dict of names to estimators, got a "
                        f"{type(pipelines).__name__}.")
    if not pipelines:
        raise ValueError("compare: pipelines is empty; give at least one estimator.")
    for name, estimator in pipelines.items():
        if not isinstance(name, str):
            raise TypeError(f"compare: the pipeline name {name!r} must be a string.")
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise TypeError(f"compare: pipeline {name!r} is {estimator!r}, not an estimator "
                            "(an instance with a fit method).")
    if baseline is not None and not (isinstance(baseline, str) and baseline in pipelines):
        raise ValueError(f"compare: baseline={shown(baseline)} is not among the pipelines "
                         f"{list(pipelines)}.")
    if y is None and is_classifier(next(iter(pipelines.values()))):
        raise ValueError("compare: y=None, but classifiers need labels.")
    check_consistent_length(X, y)
    if is_classifier(next(iter(pipelines.values()))) and len(pd.unique(pd.Series(y))) < 2:
        raise ValueError(f"compare: y has one class only, {pd.Series(y).iloc[0]!r}; a classifier "
                         "needs at least two.")


def _check_scoring(scoring: Scoring) -> dict[str, Any]:
    """Name the metrics; the first of them is called ``score``."""
    if scoring is None or isinstance(scoring, str) or (
        callable(scoring) and not isinstance(scoring, type)
    ):
        return {"score": scoring}
    named = dict(scoring) if isinstance(scoring, Mapping) else {
        name if isinstance(name, str) else getattr(name, "__name__", str(name)): name
        for name in check_list(scoring, "scoring", "compare", "metrics", also="None")
    }
    if not named:
        raise ValueError("compare: scoring is empty; name at least one metric.")
    first, *others = named
    taken = sorted(RESERVED & set(others))
    if taken:
        raise ValueError(f"compare: the metric names {taken} are columns of the result; choose "
                         "others.")
    return {"score": named[first], **{name: named[name] for name in others}}


def _metric_name(scoring: Scoring) -> str:
    if isinstance(scoring, (Mapping, list, tuple)):
        scoring = next(iter(scoring))
    if scoring is None:
        return "score"
    return scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")


def _subject_labels(
    X: Signals, groups: Labels | None, by: str | None
) -> tuple[str, np.ndarray | None]:
    """Return each row's subject or group, and the name of that level."""
    if by is None:
        return "subject", None
    if not isinstance(by, str):
        raise TypeError(refusal(by, "by", "compare", "must be a column of X's table, or None"))
    known = row_values(X, by)
    if known is not None:
        return by, check_column(known, _num_samples(X), f"metadata column {by!r}")
    return "group", None if groups is None else check_column(groups, _num_samples(X), "groups")


def _chance(
    estimator: BaseEstimator, X: Signals, y: Labels, folds: list[Fold], scoring: Scoring
) -> float:
    """Compute the mean score of the best answer that ignores X."""
    dummy = DummyRegressor() if is_regressor(estimator) else DummyClassifier(strategy="prior")
    if scoring is None:
        scoring = "r2" if is_regressor(estimator) else "accuracy"
    with without_warnings():
        result = cross_validate_here(dummy, X, y, cv=folds, scoring=scoring, error_score=np.nan)
    chance = float(np.mean(result["test_score"]))
    if scoring == "accuracy" and np.ndim(y) == 1:
        # The class that is rarer in training is the more frequent one in the test rows.
        shares = [pd.Series(np.asarray(y)[test]).value_counts(normalize=True) for _, test in folds]
        one_class = pd.concat(shares, axis=1).fillna(0).mean(axis=1)
        chance = float(np.nanmax([chance, one_class.max()]))
    return chance
