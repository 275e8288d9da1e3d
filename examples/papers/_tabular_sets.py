"""The data sets of the HJB paper's Table V, ready for its protocol and for an honest one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from skbci.datasets import (
    fetch_tabular,
    load_recording,
    make_gabor_2d,
    make_modulo2,
    make_parity,
)
from skbci.estimators import MLPClassifier, MLPRegressor

__all__ = [
    "FETCHED",
    "FILES",
    "FUNCTIONS",
    "OwnCode",
    "TabularSet",
    "encoder",
    "load_set",
    "network",
    "paper_name",
]

#: The paper's names of the real sets, and their files.
FILES = {
    "BC": "breast_cancer_wisconsin_original.npz",
    "MMG": "mammographic_mass.npz",
    "BM": "bank_marketing_small.npz",
    "HTRU2": "htru2.npz",
    "ADU": "adult.npz",
    "IJCNN": "ijcnn1.npz",
}
#: The paper's names of the sets that are only there by download, and `fetch_tabular`'s.
FETCHED = {"Covtype": "covertype-binary", "WS": "webspam"}
#: The synthetic ones.
FUNCTIONS = {
    "8-BP": lambda: make_parity(8),
    "Mod-2": lambda: make_modulo2(3, 2),
    "Gabor-2D": lambda: make_gabor_2d(100, random_state=0),
}
_TYPO = 55  # the one BI-RADS assessment of MMG that is not on the scale from 0 to 6


@dataclass(frozen=True, eq=False)
class TabularSet:
    """A table with its targets; missing values are NaN, categories are codes."""

    name: str
    X: np.ndarray
    y: np.ndarray
    categorical: np.ndarray

    @property
    def real(self) -> bool:
        """Whether it is no synthetic function."""
        return self.name not in FUNCTIONS

    @property
    def regression(self) -> bool:
        """Whether the target is a real number."""
        return self.y.dtype.kind == "f"

    @property
    def batch_size(self) -> int:
        """8, 128 or 256 for sizes of the order of 100, 10^3 or 10^5 (nearest on a log scale)."""
        n_rows = len(self.y)
        return 8 if n_rows < 10**2.5 else 128 if n_rows < 10**4 else 256

    @property
    def constant_error(self) -> float:
        """Error of the best constant prediction, in the unit of `error`."""
        if self.regression:
            return float(np.var(self.y))
        shares = np.unique(self.y, return_counts=True)[1] / len(self.y)
        return 100 * float(1 - shares.max()) if self.real else float(np.prod(shares))

    def as_numbers(self) -> np.ndarray:
        """All columns as z-scored numbers, from all rows: how the paper's sets were prepared."""
        X = OwnCode().fit_transform(self.X)
        spread = X.std(axis=0)
        return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)

    def error(self, model: Any, X: np.ndarray, y: np.ndarray) -> float:
        """Percentage of errors; of functions the mean squared error of the output."""
        if self.regression:
            return float(np.mean((model.predict(X) - y) ** 2))
        if self.real:
            return 100 * float(np.mean(model.predict(X) != y))
        return float(np.mean((model.predict_proba(X)[:, 1] - y) ** 2))


class OwnCode(TransformerMixin, BaseEstimator):
    """Give a missing value a code of its own: one less than the column's smallest value."""

    def fit(self, X: np.ndarray, y: Any = None) -> OwnCode:
        """Learn the codes."""
        self.codes_ = np.nanmin(X, axis=0) - 1
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Put them in."""
        return np.where(np.isnan(X), self.codes_, X)


@cache
def load_set(
    name: str, folder: Path | None, max_rows: int | None = None, *, mend: bool = False
) -> TabularSet:
    """Load a set by the paper's name, or fetch any other by its name on OpenML.

    Of a set with more than ``max_rows`` rows, that many are drawn at random, always the same.
    ``mend`` reads the one BI-RADS assessment of 55 in MMG, which the scale does not have, as 5.
    """
    if name in FUNCTIONS:
        bunch = FUNCTIONS[name]()
    elif name in FILES:
        bunch = load_recording(Path(folder or ".") / "tabular" / FILES[name])
    else:
        bunch = fetch_tabular(FETCHED.get(name, name))
    X, y = np.asarray(bunch.X, dtype=float), np.asarray(bunch.y)
    if name == "ADU":  # the paper's 33k are the rows of the original training file
        X, y = X[: bunch.n_train], y[: bunch.n_train]
    if mend and name == "MMG":
        X[X[:, 0] == _TYPO, 0] = 5
    flags = bunch.get("is_categorical")
    categorical = np.zeros(X.shape[1], bool) if flags is None else np.asarray(flags, bool)
    if max_rows is not None and len(y) > max_rows:
        X, _, y, _ = train_test_split(X, y, train_size=max_rows, stratify=y, random_state=0)
    return TabularSet(name, X, y, categorical)


def paper_name(name: str) -> str:
    """The paper's name of a set to fetch, where it has one."""
    return {ours: theirs for theirs, ours in FETCHED.items()}.get(name.lower(), name)


def mammographic(variant: str, folder: Path) -> TabularSet:
    """One of the ways to prepare the mammographic masses (see `MAMMOGRAPHIC`)."""
    data = load_set("MMG", folder, mend=variant != "as filed")
    X, y = data.X, data.y
    if variant == "column means":
        X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    elif variant == "complete rows":
        whole = ~np.isnan(X).any(axis=1)
        X, y = X[whole], y[whole]
    elif variant == "no BI-RADS":
        X = X[:, 1:]
    return replace(data, X=X, y=y, categorical=data.categorical[: X.shape[1]])


#: What the variants of the mammographic set do.
MAMMOGRAPHIC = {
    "as filed": "missing values get a code of their own; BI-RADS 55 is left",
    "own code": "the same, with the 55 read as 5",
    "column means": "missing values are set to the column's mean; 55 read as 5",
    "complete rows": "the 830 rows without missing values; 55 read as 5",
    "no BI-RADS": "as 'own code', without the radiologist's assessment",
}


def encoder(data: TabularSet) -> Any:
    """What the honest protocol does with the columns, learned on training rows only."""
    if not data.categorical.any():
        return OwnCode()
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (one_hot, np.flatnonzero(data.categorical)), remainder=OwnCode()
    )


def network(
    data: TabularSet, optimizer: str, lr: float, epochs: int, seed: int, honest: bool
) -> Any:
    """Hidden layers of 50 and 30 units; a pipeline with its `encoder` if ``honest``."""
    settings: dict[str, Any] = {
        "optimizer": optimizer, "lr": lr, "max_epochs": epochs, "random_state": seed,
        "batch_size": data.batch_size, "standardize": honest,
    }
    if data.regression:
        net: Any = MLPRegressor((50, 30), **settings)
    else:
        net = MLPClassifier(
            (50, 30), dropout=(0.2, 0.0) if data.real else 0.0,
            criterion="binary-cross-entropy", **settings,
        )
    return Pipeline([("encode", encoder(data)), ("net", net)]) if honest else net
