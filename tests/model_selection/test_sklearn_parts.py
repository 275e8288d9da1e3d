"""What the searches take from scikit-learn's private parts is where they look for it."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from skbci.model_selection import _sklearn

ROOM = Path(_sklearn.__file__).parent
# Module, name, and the arguments that are used of it.
PARTS = [
    ("sklearn.base", "_fit_context", ["prefer_skip_nested_validation"]),
    ("sklearn.metrics._scorer", "_BaseScorer", []),
    ("sklearn.metrics._scorer", "_MultimetricScorer", []),
    ("sklearn.metrics._scorer", "_PassthroughScorer", []),
    ("sklearn.model_selection._search", "BaseSearchCV", []),
    ("sklearn.model_selection._split", "GroupsConsumerMixin", []),
    (
        "sklearn.model_selection._validation", "_fit_and_score",
        ["estimator", "X", "y", "scorer", "train", "test", "verbose", "parameters", "fit_params",
         "score_params", "return_train_score", "split_progress", "candidate_progress",
         "error_score"],
    ),
    (
        "sklearn.model_selection._validation", "_score",
        ["estimator", "X_test", "y_test", "scorer", "score_params", "error_score"],
    ),
    ("sklearn.utils", "_safe_indexing", ["X", "indices"]),
    ("sklearn.utils._param_validation", "Interval", ["type", "left", "right", "closed"]),
    ("sklearn.utils.metadata_routing", "_routing_enabled", []),
    (
        "sklearn.utils.metaestimators", "_safe_split",
        ["estimator", "X", "y", "indices", "train_indices"],
    ),
    ("sklearn.utils.validation", "_check_method_params", ["X", "params", "indices"]),
    ("sklearn.utils.validation", "_num_samples", ["x"]),
]


def imported(path: Path) -> set[tuple[str, str]]:
    """Names that a file takes from scikit-learn's private parts."""
    return {
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (node.module or "").startswith("sklearn") and "._" in f".{node.module}.{alias.name}"
    }


@pytest.mark.parametrize(("module", "name", "arguments"), PARTS, ids=[p[1] for p in PARTS])
def test_scikit_learn_has_the_part(module, name, arguments):
    part = getattr(importlib.import_module(module), name, None)
    assert part is not None, f"scikit-learn has moved {module}.{name}"
    missing = set(arguments) - set(inspect.signature(part).parameters)
    assert not missing, f"{module}.{name} no longer takes {missing}"


def test_the_parts_are_in_one_file_and_in_the_table():
    assert imported(ROOM / "_sklearn.py") <= {part[:2] for part in PARTS}
    others = {path.name: imported(path) for path in ROOM.glob("*.py")}
    del others["_sklearn.py"]
    assert not any(others.values()), {k: v for k, v in others.items() if v}


def test_a_scikit_learn_that_moved_a_part_is_told_by_its_name(monkeypatch):
    monkeypatch.delattr("sklearn.model_selection._validation._fit_and_score")
    spec = importlib.util.spec_from_file_location("moved", _sklearn.__file__)
    with pytest.raises(ImportError, match="_fit_and_score"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_a_loop_without_its_parallel_is_refused(monkeypatch):
    def fit(self, X, y=None):
        return self

    monkeypatch.setattr(_sklearn.BaseSearchCV, "fit", fit)
    with pytest.raises(RuntimeError, match="Parallel by that name"):
        _sklearn.search_loop(object)
