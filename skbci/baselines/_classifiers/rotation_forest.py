"""Rotation forest: trees on principal axes of random feature subsets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_count, check_jobs, check_number, check_seed
from skbci._checks.eeg import as_eeg, check_eeg
from skbci._checks.labels import check_classes
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Seed, Signals
from skbci._weights import as_counts, check_weights
from skbci._whole import WholeFits
from skbci.baselines._classifiers.standardized import standardized

__all__ = ["RotationForest"]


class RotationForest(WholeFits, ClassifierMixin, BaseEstimator):
    r"""Ensemble of decision trees, each on its own rotation of the features.

    For each tree the features are divided at random into subsets; on each subset principal axes
    are found from random classes' random rows, and all of them are kept, so that nothing is lost
    and every tree sees all training rows from another angle. Trees so built are both accurate and
    unlike each other. Averages their class probabilities.

    Parameters
    ----------
    n_estimators : int, default=100
        Trees. The HJB paper's eye-state study used 10 forests of 100.
    subset_size : int, default=3
        Features in a subset; one subset is smaller where the number of features is no multiple.
    sample_fraction : float, default=0.75
        Rows that the axes of a subset are found from, as a share in (0, 1] of the rows of the
        drawn classes.
    criterion : {"entropy", "gini", "log_loss"}, default="entropy"
        Quality of a split of the trees (`sklearn.tree.DecisionTreeClassifier`).
    max_depth : int, optional
        Largest depth of a tree.
    min_samples_leaf : int, default=2
        Fewest rows in a leaf, counted by their weights, as in the J48 trees of the original.
    n_jobs : int, optional
        Threads. The result is the same for any number.
    random_state : int, RandomState or None, default=None
        Seeds subsets, rows and trees.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.
    estimators_ : list of DecisionTreeClassifier
        The trees; they work on rotated features.
    rotations_ : list of ndarray, shape (n_values, n_values)
        The orthogonal matrix of each tree, made anew at each access: rotated features are
        standardized features times it.
    n_features_in_ : int
        Size of the second axis of the input.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range, y has one class, or X has NaN or infinity.

    Notes
    -----
    As in [1]_: with K subsets of M features, from the rows of a random non-empty set of classes a
    bootstrap sample of 75 % is drawn for each subset, and its M principal axes fill a block of the
    rotation matrix. The features are standardized first, so that predictions do not depend on
    their units. The trees are not pruned, other than those (C4.5) of the original. Drawing goes by
    the rows' weights, so that the forest can be boosted, see `adaptive_rotation_forest`.

    References
    ----------
    .. [1] J. J. Rodriguez, L. I. Kuncheva and C. J. Alonso, "Rotation forest: a new classifier
       ensemble method", IEEE Transactions on Pattern Analysis and Machine Intelligence 28(10),
       2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_val_score
    >>> from skbci.baselines import RotationForest
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(cross_val_score(RotationForest(20, random_state=0), X, y).mean() > 0.94)
    True
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        subset_size: int = 3,
        sample_fraction: float = 0.75,
        criterion: str = "entropy",
        max_depth: int | None = None,
        min_samples_leaf: int = 2,
        n_jobs: int | None = None,
        random_state: Seed = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.subset_size = subset_size
        self.sample_fraction = sample_fraction
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags

    @on_one_thread
    def fit(self, X: Signals, y: Labels, sample_weight: ArrayLike | None = None) -> RotationForest:
        """Grow the trees.

        Parameters
        ----------
        X : array-like or EEGArray, shape (n_rows, n_features) or (n_rows, n_channels, n_values)
            Features.
        y : array-like, shape (n_rows,)
            Labels; at least two classes.
        sample_weight : array-like, shape (n_rows,), optional
            Non-negative weights; rows of weight zero are left out. Whole numbers count rows: a row
            of weight two is two rows. Of others only the ratios matter.

        Returns
        -------
        self
        """
        n_trees = self._check_settings()
        data, labels = check_eeg(
            self, as_eeg(X), y, reset=True, flat="allow", ensure_min_samples=2
        )
        flat = data.reshape(len(data), -1).astype(np.float64)
        given = check_weights(sample_weight, flat)
        weight = np.ones(len(flat)) if given is None else as_counts(given)
        kept = weight > 0
        self.classes_, codes = np.unique(labels[kept], return_inverse=True)
        check_classes(self.classes_, self)
        flat, codes, weight = _distinct(flat[kept], codes, weight[kept])
        rows, self._mean, self._spread = standardized(flat, weight)
        random = check_seed(self.random_state, "random_state", self)
        seeds = random.randint(2**31 - 1, size=n_trees)
        grown = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self._grow)(rows, codes, weight, seed) for seed in seeds
        )
        self._turns = [turn for turn, _ in grown]
        self.estimators_ = [tree for _, tree in grown]
        return self

    @property
    def rotations_(self) -> list[np.ndarray]:
        """The trees' rotation matrices."""
        check_is_fitted(self, "estimators_")
        return [turn.apply(np.eye(len(self._mean))) for turn in self._turns]

    def predict(self, X: Signals) -> np.ndarray:
        """Predict the most probable label of each row.

        Parameters
        ----------
        X : array-like or EEGArray
            Rows of the fitted shape.

        Returns
        -------
        ndarray, shape (n_rows,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    @on_one_thread
    def predict_proba(self, X: Signals) -> np.ndarray:
        """Average the trees' class probabilities.

        Parameters
        ----------
        X : array-like or EEGArray
            Rows of the fitted shape.

        Returns
        -------
        ndarray, shape (n_rows, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.
        """
        check_is_fitted(self, "estimators_")
        data = check_eeg(self, as_eeg(X), reset=False, same_times=True)
        rows = (data.reshape(len(data), -1) - self._mean) / self._spread
        # A generator, read in the trees' order: the sum is the same for any number of threads.
        votes = Parallel(n_jobs=self.n_jobs, prefer="threads", return_as="generator")(
            delayed(_vote)(tree, turn, rows) for tree, turn in zip(self.estimators_, self._turns)
        )
        total = np.zeros((len(rows), len(self.classes_)))
        for vote in votes:
            total += vote
        return total / len(self.estimators_)

    def _grow(
        self, rows: np.ndarray, codes: np.ndarray, weight: np.ndarray, seed: int
    ) -> tuple[_Rotation, DecisionTreeClassifier]:
        random = np.random.RandomState(seed)
        turn = _draw_rotation(rows, codes, weight, self.subset_size, self.sample_fraction, random)
        # A little less than the number, which a sum of weights may miss by rounding.
        least = (self.min_samples_leaf - 1e-6) / weight.sum()
        tree = DecisionTreeClassifier(
            criterion=self.criterion, max_depth=self.max_depth,
            min_weight_fraction_leaf=min(least, 0.5), random_state=random,
        )
        return turn, tree.fit(turn.apply(rows), codes, sample_weight=weight)

    def _check_settings(self) -> int:
        name = type(self).__name__
        check_jobs(self.n_jobs, "n_jobs", self)
        check_choice(self.criterion, "criterion", self, ("entropy", "gini", "log_loss"))
        if self.max_depth is not None:
            check_count(self.max_depth, "max_depth", self, also="None")
        check_count(self.subset_size, "subset_size", name)
        check_count(self.min_samples_leaf, "min_samples_leaf", name)
        check_number(self.sample_fraction, "sample_fraction", self, low=0, high=1, closed="right")
        return check_count(self.n_estimators, "n_estimators", name)


@dataclass
class _Rotation:
    """A block-diagonal orthogonal matrix behind a permutation."""

    order: np.ndarray  # features, subset after subset
    blocks: list[np.ndarray]  # (n_subsets, size, size), and a smaller one for what is left over

    def apply(self, rows: np.ndarray) -> np.ndarray:
        out = np.empty_like(rows)
        at = 0
        for block in self.blocks:
            n_subsets, size, _ = block.shape
            part = self.order[at : at + n_subsets * size]
            turned = np.einsum(
                "nks,kst->nkt", rows[:, part].reshape(len(rows), n_subsets, size), block
            )
            out[:, part] = turned.reshape(len(rows), -1)
            at += n_subsets * size
        return out


def _distinct(
    rows: np.ndarray, codes: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort rows, and put equal ones of one class together, with the sum of their weights.

    Then neither their order nor whether a weight or repetition counts them makes a difference.
    """
    table = np.column_stack([rows, codes]) + 0.0  # no negative zeros
    found, place = np.unique(table, axis=0, return_inverse=True)
    total = np.bincount(place.reshape(-1), weight, minlength=len(found))
    return np.ascontiguousarray(found[:, :-1]), found[:, -1].astype(np.intp), total


def _draw_rotation(
    rows: np.ndarray, codes: np.ndarray, weight: np.ndarray, size: int, fraction: float,
    random: np.random.RandomState,
) -> _Rotation:
    order = random.permutation(rows.shape[1])
    n_whole = len(order) // size
    blocks = []
    for n_subsets, width in ((n_whole, size), (1, len(order) - n_whole * size)):
        if n_subsets and width:
            first = 0 if width == size else n_whole * size
            subsets = order[first : first + n_subsets * width].reshape(n_subsets, width)
            blocks.append(_principal_axes(rows, codes, weight, subsets, fraction, random))
    return _Rotation(order, blocks)


def _principal_axes(
    rows: np.ndarray,
    codes: np.ndarray,
    weight: np.ndarray,
    subsets: np.ndarray,
    fraction: float,
    random: np.random.RandomState,
) -> np.ndarray:
    """Axes of each subset of features, from rows of its own draw; the largest variance first."""
    n_classes = int(codes.max()) + 1
    covariances = np.empty((len(subsets), subsets.shape[1], subsets.shape[1]))
    for place, features in enumerate(subsets):
        classes = random.permutation(n_classes)[: random.randint(1, n_classes + 1)]
        pool = np.flatnonzero(np.isin(codes, classes))
        up_to = weight[pool].cumsum()
        points = random.random_sample(max(1, round(fraction * up_to[-1]))) * up_to[-1]
        drawn = pool[np.searchsorted(up_to, points, side="right").clip(max=len(pool) - 1)]
        sample = rows[np.ix_(drawn, features)]
        sample = sample - sample.mean(axis=0)
        covariances[place] = sample.T @ sample / len(sample)
    return np.linalg.eigh(covariances)[1][..., ::-1]


def _vote(tree: DecisionTreeClassifier, turn: _Rotation, rows: np.ndarray) -> np.ndarray:
    return tree.predict_proba(turn.apply(rows))
