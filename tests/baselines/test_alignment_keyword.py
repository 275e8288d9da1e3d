"""The keyword ``alignment`` of the imagery baselines."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skbci.baselines import csp_lda, fbcsp, riemann_fgmdm, riemann_mdm, tangent_space_lr
from skbci.datasets import make_motor_imagery
from skbci.features import ChannelScaling, EuclideanAlignment, RiemannianRecentering
from skbci.model_selection import LeaveSubjectsOut

WINDOW = {"tmin": 0.5, "tmax": 3.5}


@pytest.fixture(scope="module")
def data():
    return make_motor_imagery(3, 1, 20, random_state=0)


@pytest.fixture(params=[csp_lda, fbcsp, tangent_space_lr, riemann_fgmdm, riemann_mdm],
                ids=lambda f: f.__name__)
def make(request):
    return request.param


@pytest.mark.parametrize(("word", "step"), [
    ("scale", ChannelScaling()),
    ("euclidean", EuclideanAlignment()), ("riemannian", RiemannianRecentering()),
])
def test_words_mean_the_transformers(make, data, word, step):
    by_word = make(alignment=word, **WINDOW).fit(data.X, data.y)
    by_step = make(**WINDOW).set_params(align=step).fit(data.X, data.y)
    np.testing.assert_array_equal(by_word.predict(data.X), by_step.predict(data.X))
    assert isinstance(by_word["align"], type(step))
    assert make(alignment=step)["align"] is step
    assert make()["align"].transform(data.X) is data.X


def test_subjects_gains_no_longer_matter(make, data):
    """With alignment a whole subject may be amplified and mixed; predictions stay."""
    new = (data.metadata["subject"] == 3).to_numpy()
    pipe = make(alignment=EuclideanAlignment(tol=1e-12), **WINDOW).fit(data.X[~new], data.y[~new])
    amplified = data.X.copy()
    amplified[new] *= 7.0
    np.testing.assert_array_equal(pipe.predict(amplified[new]), pipe.predict(data.X[new]))


def test_alignment_is_a_point_of_the_grid(data):
    grid = {"align": ["passthrough", EuclideanAlignment(), RiemannianRecentering()]}
    search = GridSearchCV(riemann_mdm(**WINDOW), grid, cv=LeaveSubjectsOut(3))
    search.fit(data.X, data.y)
    assert search.cv_results_["mean_test_score"].max() > 0.6


def test_unknown_words_are_named(make):
    for bad in ("procrustes", 3, EuclideanAlignment):
        with pytest.raises(ValueError, match="'riemannian', None, or a trans"):
            make(alignment=bad)
