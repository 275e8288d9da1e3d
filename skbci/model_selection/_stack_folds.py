"""The rows of a fold, and what transformers make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import _safe_split

from skbci.model_selection._prefix_memory import call_on_copies
from skbci.pipeline import step_output


class Fold:
    """The rows of one fold, cut out when they are asked for first.

    All fits of the fold share them. Whoever might write into them needs a copy.
    """

    def __init__(self, X: Any, y: Any, train: Any, test: Any) -> None:
        self.data = X, y
        self.train, self.test = train, test
        self.release()

    def rows(self, which: str, estimator: Any) -> Any:
        """Give X and y of the "train" or "test" rows."""
        if which not in self._cut:
            numbers = (self.train,) if which == "train" else (self.test, self.train)
            self._cut[which] = _safe_split(estimator, *self.data, *numbers)
        return self._cut[which]

    def transformed(self, which: str, pipeline: Pipeline) -> Any:
        """Give X as the pipeline's last step sees it, and y.

        What the last pipeline's transformers gave is known as far as this one has the same.

        Raises
        ------
        RuntimeError
            If a transformer writes into its input.
        """
        X, y = self.rows(which, pipeline)
        chain = self._chains.setdefault(which, [])
        for at, step in enumerate(transformers(pipeline)):
            if at >= len(chain) or chain[at][0] is not step:
                del chain[at:]
                out = step_output(pipeline, X, call_on_copies(step.transform, X))
                chain.append((step, out))
            X = chain[at][1]
        return X, y

    def release(self) -> None:
        """Let go of the rows."""
        self._cut: dict[str, Any] = {}
        self._chains: dict[str, list[tuple[Any, Any]]] = {}


def transformers(estimator: Any) -> Sequence[Any]:
    """Give the steps before a pipeline's last one, without those that do nothing."""
    if not isinstance(estimator, Pipeline):
        return ()
    steps = (step for _, step in estimator.steps[:-1])
    return [step for step in steps if step is not None and not isinstance(step, str)]
