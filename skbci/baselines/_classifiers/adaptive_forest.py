"""The HJB paper's adaptive rotation forest."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import AdaBoostClassifier

from skbci._checks import check_count, check_seed
from skbci._typing import Seed
from skbci.baselines._classifiers.rotation_forest import RotationForest

__all__ = ["adaptive_rotation_forest"]


def adaptive_rotation_forest(
    n_forests: int = 10, *, random_state: Seed = None, **forest: Any
) -> AdaBoostClassifier:
    """Return rotation forests that are boosted: each attends to what those before it got wrong.

    Parameters
    ----------
    n_forests : int, default=10
        Rotation forests, at most.
    random_state : int, RandomState or None, default=None
        Seeds the forests.
    **forest
        Parameters of the `RotationForest`, such as ``n_estimators=100`` (trees in each) and
        ``max_depth``.

    Returns
    -------
    AdaBoostClassifier
        Takes feature rows (n_rows, n_features).

    See Also
    --------
    RotationForest : One forest.

    Notes
    -----
    The "adaptive rotational J48 forest" of the HJB paper (section IV-C, p. 8; RJ48F in Table IV)
    has ten forests of 100 trees, after the boosted rotation forests of [1]_. Boosting is AdaBoost
    (SAMME): a forest with the weighted error e among K classes votes with
    log((1 - e) / e) + log(K - 1), and the weights of the rows it got wrong grow by that factor.
    It **stops at a forest without errors on its training rows**; forests of deep trees are, as
    a rule, and the result then is that one forest. The original's trees are pruned, which leaves
    errors; here ``max_depth`` or ``min_samples_leaf`` do.

    References
    ----------
    .. [1] C. R. Hamilton, S. Shahryari, K. M. Rasheed (2015). Eye state prediction from EEG data
       using boosted rotational forests. IEEE 14th International Conference on Machine Learning
       and Applications, 429-432. doi:10.1109/ICMLA.2015.58

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_val_score
    >>> from skbci.baselines import adaptive_rotation_forest
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = adaptive_rotation_forest(5, n_estimators=5, max_depth=2, random_state=0)
    >>> bool(cross_val_score(forest, X, y).mean() > 0.9)
    True
    """
    check_count(n_forests, "n_forests", "adaptive_rotation_forest")
    check_seed(random_state, "random_state", "adaptive_rotation_forest")
    return AdaBoostClassifier(
        RotationForest(**forest), n_estimators=n_forests, random_state=random_state
    )
