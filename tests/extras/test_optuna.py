"""Optuna's search over the settings of networks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skbci import EEGArray, make_pipeline
from skbci.estimators import MIN2NetClassifier, MultiViewClassifier
from skbci.features import BandEnergy, FilterBank, WindowMeans
from skbci.model_selection import LeaveSubjectsOut, search_spaces
from skbci.optim import OPTIMIZERS

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def signals():
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 20)
    X = rng.standard_normal((40, 4, 64))
    X[y == "left", 1] *= 2
    table = {"subject": np.repeat([1, 2, 3, 4], 10)}
    return EEGArray(X, table, sfreq=64, ch_names=["C3", "Cz", "C4", "Pz"]), y


def search(estimator, space, n_trials=4, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import optuna
        from optuna_integration import OptunaSearchCV

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        return OptunaSearchCV(estimator, space, n_trials=n_trials, random_state=0,
                              cv=LeaveSubjectsOut(2), error_score="raise", **settings)


def test_every_range_is_one_of_optunas():
    import optuna

    for name in OPTIMIZERS:
        space = search_spaces(name, engine="optuna")[name]
        lr = space["lr"]
        low, high = search_spaces(name, engine="grid", n_values=2)[name]["lr"]
        assert isinstance(lr, optuna.distributions.FloatDistribution)
        assert (lr.low, lr.high, lr.log) == (low, high, True)
        assert space["optimizer"].choices == (name,)


def test_settings_of_a_network_in_a_pipeline(signals):
    spaces = search_spaces(
        ["adam", "loss_weighting", "sparsity"], step="min2netclassifier", engine="optuna")
    space = {**spaces["adam"], **spaces["loss_weighting"], **spaces["sparsity"]}
    pipe = make_pipeline(FilterBank(((8, 30),), output="channels"),
                         MIN2NetClassifier(max_epochs=1, random_state=0))
    found = search(pipe, space).fit(*signals)
    assert len(found.trials_) == 4
    assert set(found.best_params_) == set(space)
    assert found.predict(signals[0]).shape == (40,)


def test_augmentation_and_views(signals):
    from optuna.distributions import CategoricalDistribution

    views = [("bands", BandEnergy(((8, 30),), n_subbands=1)), ("slow", WindowMeans(0.25))]
    net = MultiViewClassifier(views, max_epochs=1, random_state=0)
    space = {**search_spaces("hjb", engine="optuna")["hjb"],
             **search_spaces("augmentation", engine="optuna")["augmentation"],
             "bands__log": CategoricalDistribution([True, False]),
             "slow__width": CategoricalDistribution([0.25, 0.5])}
    found = search(net, space).fit(*signals)
    assert np.isfinite(found.best_score_)
    assert found.best_estimator_.get_params()["slow__width"] == found.best_params_["slow__width"]
