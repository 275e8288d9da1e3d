"""Ranges of settings, and the engines that draw from them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    train_test_split,
)
from sklearn.preprocessing import StandardScaler

from skbci import EEGArray, make_pipeline
from skbci.augmentation import AUGMENTATIONS
from skbci.estimators import MIN2NetClassifier, MLPClassifier, MultiViewClassifier
from skbci.features import BandEnergy, WindowMeans
from skbci.model_selection import LeaveSubjectsOut, StackedRandomizedSearchCV, search_spaces
from skbci.optim import OPTIMIZERS
from skbci.sparsity import PRUNING
from skbci.weighting import POLICIES


def test_there_is_a_space_for_each_optimizer():
    spaces = search_spaces()
    assert list(spaces) == [*OPTIMIZERS]
    for name, space in spaces.items():
        assert space["optimizer"] == [name]
        assert "lr" in space
    others = search_spaces(["loss_weighting", "sparsity", "augmentation"])
    assert set(others["loss_weighting"]["loss_weighting"]) <= set(POLICIES)
    assert set(others["sparsity"]["pruning"]) <= set(PRUNING)
    assert set(others["augmentation"]["augmentation"]) - {None} <= set(AUGMENTATIONS)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_the_middle_of_each_range_learns(name):
    X, y = load_wine(return_X_y=True)
    X, new, y, target = train_test_split(X, y, random_state=0, stratify=y)
    space = search_spaces(name, engine="grid", n_values=3)[name]
    values = {key: options[len(options) // 2] for key, options in space.items()}
    net = MLPClassifier((20,), max_epochs=40, batch_size=32, random_state=0).set_params(**values)
    assert net.fit(X, y).score(new, target) > 0.85


def test_draws_stay_within_the_grid():
    """Log-uniform: half of the draws below the geometric middle."""
    lr = search_spaces("sgd")["sgd"]["lr"]
    low, middle, high = search_spaces("sgd", engine="grid", n_values=3)["sgd"]["lr"]
    drawn = lr.rvs(2000, random_state=0)
    assert (drawn.min() >= low, drawn.max() <= high) == (True, True)
    assert abs((drawn < middle).mean() - 0.5) < 0.05
    momentum = search_spaces("hjb-momentum")["hjb-momentum"]["optimizer__inner__momentum"]
    assert momentum.support() == (0.5, 0.99)
    np.testing.assert_allclose(momentum.mean(), (0.5 + 0.99) / 2)


def test_steps_of_pipelines():
    spaces = search_spaces("adam", step="mlpclassifier", engine="grid", n_values=2)
    pipe = make_pipeline(StandardScaler(), MLPClassifier((3,), max_epochs=2, random_state=0))
    X = np.random.default_rng(0).standard_normal((30, 4))
    search = GridSearchCV(pipe, spaces["adam"], cv=2).fit(X, X[:, 0] > 0)
    assert set(search.best_params_) == {"mlpclassifier__optimizer", "mlpclassifier__lr"}


def test_unknown_names_and_engines_are_named():
    with pytest.raises(ValueError, match="names='adamm'"):
        search_spaces("adamm")
    with pytest.raises(ValueError, match="engine='hyperopt'"):
        search_spaces(engine="hyperopt")
    with pytest.raises(ValueError, match="n_values=1"):
        search_spaces(n_values=1)


@pytest.fixture(scope="module")
def signals():
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 12)
    X = rng.standard_normal((24, 4, 64))
    X[y == "left", 1] *= 2
    table = {"subject": np.repeat([1, 2], 12)}
    return EEGArray(X, table, sfreq=64, ch_names=["C3", "Cz", "C4", "Pz"]), y


def test_randomized_search_over_the_settings_of_a_network(signals):
    spaces = search_spaces(["hjb", "adam", "loss_weighting", "augmentation"])
    more = {**spaces["loss_weighting"], **spaces["augmentation"]}
    space = [{**spaces["hjb"], **more}, {**spaces["adam"], **more}]
    net = MIN2NetClassifier(max_epochs=1, random_state=0)
    search = RandomizedSearchCV(net, space, n_iter=3, cv=LeaveSubjectsOut(2), random_state=0,
                                error_score="raise", refit=False).fit(*signals)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_halving_over_epochs_and_views(signals):
    views = [("bands", BandEnergy(((8, 30),), n_subbands=1)), ("slow", WindowMeans(0.25))]
    net = MultiViewClassifier(views, max_epochs=1, random_state=0)
    grid = {"bands__log": [True, False], "slow": ["passthrough", WindowMeans(0.5)],
            **search_spaces("hjb", engine="grid", n_values=2)["hjb"]}
    search = HalvingGridSearchCV(
        net, grid, resource="max_epochs", max_resources=2, min_resources=1, factor=4,
        cv=LeaveSubjectsOut(2), error_score="raise", random_state=0, refit=False).fit(*signals)
    assert search.n_candidates_[0] == 8


def test_stacked_search_over_sparsity_and_optimizers():
    X, y = load_wine(return_X_y=True)
    spaces = search_spaces(["hjb", "adam", "sgd", "sparsity"])
    space = [{**spaces[name], **spaces["sparsity"]} for name in ("hjb", "adam", "sgd")]
    search = StackedRandomizedSearchCV(
        MLPClassifier((10,), max_epochs=10, random_state=0), space, n_iter=8, cv=3,
        random_state=0, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.8
