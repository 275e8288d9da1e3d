"""A fitted estimator with a smaller network that predicts the same."""

from __future__ import annotations

import copy

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skbci._checks.eeg import as_eeg
from skbci._training import one_thread
from skbci._typing import Signals
from skbci.estimators._neural.base import BaseNeural
from skbci.estimators._neural.sparse import all_masks
from skbci.sparsity import CompactionReport, compact

_MEASURED_ROWS = 32


def compact_estimator(
    estimator: BaseEstimator, X: Signals | None = None, *, n_repeats: int = 200
) -> tuple[BaseEstimator, CompactionReport]:
    """Leave out the units that pruning has cut off, and measure what that saves.

    Parameters
    ----------
    estimator : estimator
        A fitted `MLPClassifier`, `MLPRegressor`, `SparseMultitaskClassifier`, a `NeuralClassifier`
        around a module that `skbci.sparsity.compact` knows, a pipeline that ends with one, or a
        search over them, of which the best one is taken. It stays as it is.
    X : array-like, optional
        Rows to compare outputs on, as in ``predict``. None: standardized noise.
    n_repeats : int, default=200
        Predictions of one row to take the median time of.

    Returns
    -------
    smaller : estimator
        Fitted, with predictions that are the same but for rounding. It can be trained on with
        ``partial_fit``, its optimizer starting anew; ``fit`` builds a network of full size. Its
        masks are those of the units that are left; of what each task asked for, what is kept.
    report : CompactionReport
        Parameters, multiplications, bytes and time of the network before and after.

    Raises
    ------
    TypeError
        If it is no neural estimator, or its module is unknown.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    skbci.sparsity.compact : The same for modules.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbci.estimators import MLPClassifier, compact_estimator
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((40,), sparsity=0.8, pruning__floor="layer", random_state=0).fit(X, y)
    >>> smaller, report = compact_estimator(clf, X)
    >>> bool((smaller.predict(X) == clf.predict(X)).all())
    True
    >>> report.after.parameters < report.before.parameters
    True
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        if X is not None:
            X = estimator[:-1].transform(X)
        last, report = compact_estimator(estimator[-1], X, n_repeats=n_repeats)
        pipeline = copy.copy(estimator)
        pipeline.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], last)]
        return pipeline, report
    if not isinstance(estimator, BaseNeural):
        raise TypeError(
            f"{type(estimator).__name__} is none of skbci's neural estimators; it has no masks."
        )
    check_is_fitted(estimator, "net_")
    masks = all_masks(estimator)
    with one_thread():
        module, report = compact(
            estimator.net_.module_, masks, _rows(estimator, X), n_repeats=n_repeats
        )
    smaller = copy.deepcopy(estimator)
    net = smaller.net_
    lr = net.optimizer_.param_groups[0]["lr"]
    net.module = net.module_ = module
    net.initialize_optimizer()
    net.set_lr(lr)
    smaller._follow_compaction(estimator.net_.module_)
    return smaller, report


def _rows(estimator: BaseEstimator, X: Signals) -> Tensor:
    """Rows as the module gets them."""
    if X is not None:
        return _single(estimator, X).to(estimator.device)
    shape = _single(estimator, np.zeros((1, *estimator.input_shape_))).shape[1:]
    noise = torch.Generator().manual_seed(0)
    return torch.randn(_MEASURED_ROWS, *shape, generator=noise).to(estimator.device)


def _single(estimator: BaseEstimator, X: Signals) -> Tensor:
    """In the network's own precision."""
    X = as_eeg(X)
    return estimator._as_tensor(X, estimator._read_rows(X)).float()
