"""The learning rate that is large and still trains well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import joblib
import numpy as np

from skbci._checks import check_number, is_number
from skbci._docs import fill_references

__all__ = ["largest_stable_step"]


@fill_references
def largest_stable_step(
    epsilon: float = 0.01, *, param: str = "lr", metric: str = "score"
) -> Callable[[Mapping[str, Any]], int]:
    r"""Choose the largest learning rate whose training loss is within epsilon of the best.

    To be given as ``refit=`` to `GridSearchCV` or `RandomizedSearchCV`.

    Parameters
    ----------
    epsilon : float, default=0.01
        How much worse than the best the mean training loss may be, in the unit of the loss. With 0
        the step with the lowest training loss is chosen.
    param : str, default="lr"
        The learning rate among the searched parameters: its full name, or the part after the last
        ``__``, so that the default finds ``mlpclassifier__lr``.
    metric : str, default="score"
        With several metrics, the name of the one that is the negative loss.

    Returns
    -------
    callable
        Takes ``cv_results_`` and gives the index of the chosen candidate.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range; when called, if the search has no training scores, no
        such parameter, several of them, or no finite training score.

    Notes
    -----
    Equation (53) of [1]_: with :math:`V(\eta)` the mean training loss of learning rate
    :math:`\eta`,

    .. math:: \eta^* = \max \{\eta : V(\eta) \le \min_{\eta'} V(\eta') + \epsilon\} .

    The training loss of a candidate is minus its ``mean_train_score``: search with
    ``return_train_score=True`` and a scoring that is a loss with its sign turned, such as
    ``"neg_log_loss"``. It is measured on the fitted network, without dropout.

    Where other parameters are searched too, the equation chooses the step within each setting of
    these, and among the chosen ones the best mean *test* score decides, as in any search; at a
    tie the first. Candidates whose fit failed are passed over.

    References
    ----------
    .. [1] %(hjb_paper)s

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skbci.estimators import MLPClassifier
    >>> from skbci.model_selection import largest_stable_step
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     MLPClassifier((20,), max_epochs=40, batch_size=16, random_state=0),
    ...     {"lr": [1e-4, 0.03, 0.1, 30.0]}, cv=3, scoring="neg_log_loss",
    ...     return_train_score=True, refit=largest_stable_step(0.1))
    >>> search.fit(X, y).best_params_
    {'lr': 0.1}
    """
    return _LargestStableStep(epsilon, param, metric)


class _LargestStableStep:
    """The rule as an object that can be pickled and printed."""

    def __init__(self, epsilon: object, param: str, metric: str) -> None:
        self.epsilon = check_number(epsilon, "epsilon", "largest_stable_step", low=0)
        self.param = param
        self.metric = metric

    def __repr__(self) -> str:
        return (
            f"largest_stable_step({self.epsilon:g}, param={self.param!r}, metric={self.metric!r})"
        )

    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        loss = -self._scores(cv_results, "train")
        name = self._find_param(cv_results)
        steps = np.array([self._step(candidate, name) for candidate in cv_results["params"]])
        if not np.isfinite(loss).any():
            raise ValueError("largest_stable_step: no candidate has a finite training score.")
        test = self._scores(cv_results, "test")
        chosen = [
            self._largest(members, loss, steps)
            for members in self._settings(cv_results["params"], name)
            if np.isfinite(loss[members]).any()
        ]
        if len(chosen) == 1:
            return chosen[0]
        return max(chosen, key=lambda index: (np.nan_to_num(test[index], nan=-np.inf), -index))

    def _largest(self, members: np.ndarray, loss: np.ndarray, steps: np.ndarray) -> int:
        finite = members[np.isfinite(loss[members])]
        allowed = finite[loss[finite] <= loss[finite].min() + self.epsilon]
        return int(allowed[np.argmax(steps[allowed])])

    def _scores(self, cv_results: Mapping[str, Any], which: str) -> np.ndarray:
        key = f"mean_{which}_{self.metric}"
        if key in cv_results:
            return np.asarray(cv_results[key], dtype=float)
        metrics = sorted(k[10:] for k in cv_results if k.startswith("mean_test_"))
        if self.metric not in metrics:
            raise ValueError(
                f"largest_stable_step: metric={self.metric!r} was not computed; the search has "
                f"{metrics}."
            )
        raise ValueError(
            "largest_stable_step needs training scores: search with return_train_score=True (and "
            'a loss, such as scoring="neg_log_loss").'
        )

    def _find_param(self, cv_results: Mapping[str, Any]) -> str:
        searched = [key[6:] for key in cv_results if key.startswith("param_")]
        found = [name for name in searched if name == self.param] or [
            name for name in searched if name.split("__")[-1] == self.param
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(
                f"largest_stable_step: param={self.param!r} can be any of {found}; give its full "
                "name."
            )
        raise ValueError(
            f"largest_stable_step: there is no learning rate {self.param!r} among the searched "
            f"parameters {searched}."
        )

    def _step(self, candidate: dict[str, Any], name: str) -> float:
        """Step size of a candidate; below all others where the grid leaves it out."""
        if name not in candidate:
            return -np.inf
        value = candidate[name]
        if not is_number(value):
            raise TypeError(
                f"largest_stable_step: {name}={value!r} is not a learning rate, a number."
            )
        return float(value)

    @staticmethod
    def _settings(candidates: list[dict[str, Any]], name: str) -> list[np.ndarray]:
        """Indices of the candidates that differ in nothing but the learning rate."""
        groups: dict[str, list[int]] = {}
        for index, candidate in enumerate(candidates):
            others = {key: value for key, value in candidate.items() if key != name}
            groups.setdefault(str(joblib.hash(others)), []).append(index)
        return [np.array(members) for members in groups.values()]
