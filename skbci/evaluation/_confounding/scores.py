"""Scores of a block of features, and of chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci._typing import Label
from skbci.evaluation._folds import Fold

__all__ = ["C", "Trial", "above_chance_p", "chance_threshold", "decode", "independent_rows",
           "repeats_p", "unit_sizes"]

C = 0.01  # inverse ridge of the logistic regression on standardized features


@dataclass(frozen=True)
class Trial:
    """Labels, folds and who the rows are from."""

    y: np.ndarray
    folds: Sequence[Fold]
    units: np.ndarray | None  # subjects; None where folds are the units
    n_independent: int

    @property
    def n_classes(self) -> int:
        return len(np.unique(self.y))


def decode(features: np.ndarray, trial: Trial, model: BaseEstimator | None = None) -> pd.Series:
    """Cross-validated accuracy of a linear classifier.

    Parameters
    ----------
    features : ndarray, shape (n_rows, n_features)
    trial : Trial
    model : classifier, optional
        By default logistic regression on standardized features.

    Returns
    -------
    Series
        Share of rows classified right, by unit.
    """
    if model is None:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000, tol=1e-3))
    right: dict[Label, list[bool]] = {}
    for number, (train, test) in enumerate(trial.folds):
        fitted = clone(model).fit(features[train], trial.y[train])
        hits = fitted.predict(features[test]) == trial.y[test]
        units = np.full(len(test), number) if trial.units is None else trial.units[test]
        for unit, hit in zip(units, hits):
            right.setdefault(unit, []).append(bool(hit))
    return pd.Series({unit: np.mean(hits) for unit, hits in right.items()}, dtype=float)


def unit_sizes(trial: Trial) -> pd.Series:
    """Test rows of each unit, in the order of `decode`."""
    sizes: dict[Label, int] = {}
    for number, (_, test) in enumerate(trial.folds):
        for unit in np.full(len(test), number) if trial.units is None else trial.units[test]:
            sizes[unit] = sizes.get(unit, 0) + 1
    return pd.Series(sizes, dtype=int)


def chance_threshold(chance: float, n_rows: float, alpha: float) -> float:
    r"""Accuracy that guessing exceeds with probability ``alpha`` at the most.

    With :math:`F^{-1}` the quantile of the binomial distribution of n guesses,
    :math:`F^{-1}(1 - \alpha; n, \mathrm{chance}) / n`; a fraction of a guess is left out.
    """
    n_rows = max(int(n_rows), 1)
    return float(stats.binom.ppf(1 - alpha, n_rows, chance) / n_rows)


def above_chance_p(accuracy: float, chance: float, n_rows: float) -> float:
    """One-sided binomial p-value of an accuracy over that many independent guesses.

    The number may have a fraction: the sum of binomial probabilities is the incomplete beta
    function, which knows no whole numbers.
    """
    if accuracy <= 0:
        return 1.0
    hits = accuracy * n_rows
    return float(stats.beta.cdf(chance, hits, n_rows - hits + 1))


def independent_rows(
    tested: np.ndarray, onsets: np.ndarray | None, recordings: np.ndarray, window: float | None
) -> int:
    """Rows among those tested that share no signal: overlapping windows count once."""
    if onsets is None or window is None:
        return len(tested)
    count = 0
    for code in np.unique(recordings[tested]):
        times = np.sort(onsets[tested[recordings[tested] == code]])
        end = -np.inf
        for time in times:
            if not np.isfinite(time) or time >= end - 1e-4:
                count += 1
                end = time + window
    return count


def repeats_p(
    y: np.ndarray, codes: np.ndarray, seed: int, n_draws: int = 2000
) -> tuple[float, tuple[float, float]]:
    """Return whether a label tells the next one of its run, by shuffling each run's labels.

    Parameters
    ----------
    y : ndarray of int, shape (n_rows,)
    codes : ndarray of int, shape (n_rows,)
        The run of each row; rows of a run in the order of time.
    seed : int
    n_draws : int

    Returns
    -------
    p : float
        Two-sided, from the mean and the variance of the number of neighbours that are alike
        under the shuffles, which keep each run's labels.
    share, expected : tuple of float
        Share of neighbours that are alike, and the mean of the shuffles.
    """
    rng = np.random.default_rng(seed)
    runs = [y[codes == code] for code in np.unique(codes)]
    pairs = sum(len(run) - 1 for run in runs)
    if pairs < 2:
        return np.nan, (np.nan, np.nan)
    observed = sum(int((run[1:] == run[:-1]).sum()) for run in runs)
    draws = np.zeros(n_draws)
    for run in runs:
        shuffled = rng.permuted(np.tile(run, (n_draws, 1)), axis=1)
        draws += (shuffled[:, 1:] == shuffled[:, :-1]).sum(axis=1)
    spread = draws.std(ddof=1)
    share = (observed / pairs, float(draws.mean() / pairs))
    if spread == 0:
        return 1.0, share
    return float(2 * stats.norm.sf(abs(observed - draws.mean()) / spread)), share
