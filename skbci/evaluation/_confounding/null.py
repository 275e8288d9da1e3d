"""The spread of a cross-validated accuracy around chance where there is no effect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci._docs import fill_references
from skbci._recording.restarts import refine
from skbci.evaluation._confounding.scores import C, Trial
from skbci.evaluation._folds import Fold

__all__ = ["effective_rows", "exchangeable_rows", "null_labels", "permuted_labels"]

_N_NULL = 500  # permutations; the spread is then known to 3 %


def permuted_labels(
    y: np.ndarray, groups: np.ndarray, n_draws: int, seed: int | list[int]
) -> np.ndarray:
    """Shuffle the labels within each group of rows.

    Parameters
    ----------
    y, groups : ndarray of int, shape (n_rows,)
    n_draws : int
    seed : int or list of int

    Returns
    -------
    ndarray of int, shape (n_rows, n_draws)
    """
    rng = np.random.default_rng(seed)
    out = np.tile(y[:, None], (1, n_draws))
    own = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    for draw in range(n_draws):
        for rows in own:
            out[rows, draw] = y[rng.permutation(rows)]
    return out


def exchangeable_rows(subjects: np.ndarray, folds: Sequence[Fold]) -> np.ndarray:
    """Groups of rows whose labels are exchangeable.

    Those of a subject; and of a fold, which keeps as many rows of each class as it has, often by
    design. Where a row is in several tests, folds say nothing.

    Parameters
    ----------
    subjects : ndarray of int, shape (n_rows,)
    folds : sequence of (train, test)

    Returns
    -------
    ndarray of int, shape (n_rows,)
    """
    tested = np.concatenate([test for _, test in folds])
    if len(np.unique(tested)) < len(tested):
        return subjects
    fold = np.full(len(subjects), -1)
    fold[tested] = np.repeat(np.arange(len(folds)), [len(test) for _, test in folds])
    return refine(subjects, fold)


def null_labels(trial: Trial, subjects: np.ndarray, seed: int) -> np.ndarray:
    """Permuted labels, within the same subjects and folds.

    Parameters
    ----------
    trial : Trial
    subjects : ndarray of int, shape (n_rows,)
    seed : int

    Returns
    -------
    ndarray of int, shape (n_rows, n_draws)
    """
    return permuted_labels(trial.y, exchangeable_rows(subjects, trial.folds), _N_NULL, [seed, 1])


@fill_references
def effective_rows(features: np.ndarray, trial: Trial, permuted: np.ndarray) -> float:
    r"""Number of independent guesses whose share of hits strays as far as this accuracy does.

    Each of two folds is tested by what was learned from the other, so that what they have in
    common by luck counts twice: the accuracy strays further from chance than n independent
    guesses do [1]_. With its variance under permuted labels,

    .. math:: n_\mathrm{eff} = n_0 \min\left(1,
        \frac{\bar{a} (1 - \bar{a})}{n \operatorname{var}(a)}\right) ,

    of n test rows, of which :math:`n_0` share no signal.

    Parameters
    ----------
    features : ndarray, shape (n_rows, n_features)
    trial : Trial
    permuted : ndarray of int, shape (n_rows, n_draws)
        As of `permuted_labels`.

    Returns
    -------
    float

    Notes
    -----
    For all draws at once the classifier is the first Newton step of the logistic regression from
    zero weights, a ridge regression on the labels: at this penalty the two have the same accuracy
    but for a row or so.

    References
    ----------
    .. [1] %(permutation_paper)s.
    """
    n_classes = trial.n_classes
    # The curvature of the loss at zero weights: 1/4 for two classes, 1/k for a softmax of k.
    penalty = (4 if n_classes == 2 else n_classes) / C
    model = make_pipeline(StandardScaler(), Ridge(penalty, solver="cholesky"))
    # Shares of all classes sum to one, so that the last one's need not be predicted.
    targets = (permuted[:, :, None] == np.arange(n_classes - 1)).astype(float)
    hits, n_hits = np.zeros(permuted.shape[1]), 0
    for train, test in trial.folds:
        model.fit(features[train], targets[train].reshape(len(train), -1))
        shares = model.predict(features[test]).reshape(len(test), -1, n_classes - 1)
        shares = np.dstack([shares, 1 - shares.sum(axis=2)])
        hits += (shares.argmax(axis=2) == permuted[test]).sum(axis=0)
        n_hits += len(test)
    accuracy = hits / n_hits
    mean, spread = accuracy.mean(), accuracy.var(ddof=1)
    n_rows = len(np.unique(np.concatenate([test for _, test in trial.folds])))
    independent = mean * (1 - mean) / n_rows
    return trial.n_independent * float(min(1.0, independent / spread) if spread else 1.0)
