"""Print a digest of what every transformer and ready decoder gives, to compare processes."""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from contextlib import suppress

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skbci.estimators import DecoderPipeline
from skbci.features import KeepRows
from tests.public_estimators import ESTIMATORS, PIPELINES

N_ROWS = 48
METHODS = ["transform", "predict_proba", "decision_function", "predict"]


def data_for(estimator):
    """Enough channels and times for linear algebra to share its work among threads."""
    rng = np.random.default_rng(0)
    y = np.arange(N_ROWS) % 2
    wants_epochs = (
        isinstance(estimator, Pipeline) if any(estimator is pipe for pipe in PIPELINES)
        else get_tags(estimator).input_tags.three_d_array
    )
    X = rng.standard_normal((N_ROWS, 22, 200) if wants_epochs else (N_ROWS, 100))
    X[y == 1] *= 1.2
    if "CCA" in str(estimator):
        y = np.array([8, 13])[y]
    return X, y


def digest(estimator):
    """Of all that it gives after a fit."""
    X, y = data_for(estimator)
    fitted = clone(estimator).fit(X, y)
    found = hashlib.sha256()
    for method in METHODS:
        if hasattr(fitted, method):
            with suppress(NotImplementedError):
                found.update(np.ascontiguousarray(getattr(fitted, method)(X)).tobytes())
    if hasattr(fitted, "transform"):
        with suppress(NotImplementedError):  # as of the linear discriminant's solvers
            found.update(np.ascontiguousarray(clone(estimator).fit_transform(X, y)).tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    everybody = [
        *(e for e in ESTIMATORS if type(e).__module__.startswith("skbci.features")
          and not isinstance(e, KeepRows)),
        *(e for e in PIPELINES if isinstance(e, DecoderPipeline)),
    ]
    found = {f"{place} {type(e).__name__}": digest(e) for place, e in enumerate(everybody)}
    json.dump(found, sys.stdout)
