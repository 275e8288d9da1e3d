from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.estimators import MLPClassifier
from skbci.model_selection import largest_stable_step

IRIS = load_iris(return_X_y=True)


def results(candidates, losses, test=None):
    names = {name for candidate in candidates for name in candidate}
    return {
        "params": candidates, **{f"param_{name}": None for name in names},
        "mean_train_score": -np.asarray(losses, float),
        "mean_test_score": np.zeros(len(losses)) if test is None else np.asarray(test, float),
    }


LOSSES = st.lists(st.floats(0, 10), min_size=1, max_size=8)


@given(LOSSES, st.floats(0, 3), st.randoms())
@settings(deadline=None)
def test_the_step_is_the_largest_of_those_near_the_best(losses, epsilon, random):
    steps = [10.0 ** k for k in range(len(losses))]
    random.shuffle(steps)
    found = largest_stable_step(epsilon)(results([{"lr": s} for s in steps], losses))
    allowed = [s for s, loss in zip(steps, losses) if -loss >= -min(losses) - epsilon]
    assert steps[found] == max(allowed)


@given(LOSSES)
@settings(deadline=None)
def test_a_larger_epsilon_never_gives_a_smaller_step(losses):
    table = results([{"lr": float(k)} for k in range(len(losses))], losses)
    chosen = [largest_stable_step(e)(table) for e in (0, 0.1, 1, 5, 100)]
    assert chosen == sorted(chosen)
    assert losses[chosen[0]] == min(losses)
    assert chosen[-1] == len(losses) - 1


def test_a_step_is_chosen_in_each_setting_and_test_scores_choose_the_setting():
    candidates = [{"net__lr": lr, "net__optimizer": o} for o in ("hjb", "adam")
                  for lr in (0.1, 1.0)]
    losses = [0.50, 0.505, 0.20, 0.90]
    rule = largest_stable_step(0.01)
    assert rule(results(candidates, losses, [0.9, 0.8, 0.7, 0.99])) == 1
    assert rule(results(candidates, losses, [0.9, 0.8, 0.81, 0.99])) == 2
    assert rule(results(candidates, losses)) == 1  # a tie: the first
    assert rule(results(candidates, losses, [np.nan, np.nan, 0.1, np.nan])) == 2


def test_failed_fits_are_passed_over_and_lists_of_grids_understood():
    rule = largest_stable_step(10)
    table = results([{"lr": 1.0}, {"lr": 2.0}, {"lr": 3.0}], [0.3, 0.4, np.nan])
    assert rule(table) == 1
    mixed = [{"a": 1, "lr": 0.1}, {"a": 1, "lr": 0.2}, {"a": 2}]
    assert rule(results(mixed, [1, 1, 1], [0, 0, 1])) == 2
    assert rule(results(mixed, [1, 1, 1], [0, 1, 0])) == 1


def test_in_a_search_over_a_pipeline():
    pipe = make_pipeline(StandardScaler(), MLPClassifier((10,), max_epochs=30, batch_size=16,
                                                         optimizer="sgd", random_state=0))
    search = GridSearchCV(
        pipe, {"mlpclassifier__lr": [1e-4, 0.1, 0.3, 1e3]}, cv=3, scoring="neg_log_loss",
        return_train_score=True, refit=largest_stable_step(0.02),
    )
    with pytest.warns(ConvergenceWarning, match="Training diverged"):
        search.fit(*IRIS)
    loss = -search.cv_results_["mean_train_score"]
    assert search.best_index_ == max(np.flatnonzero(loss <= loss.min() + 0.02))
    assert search.best_params_["mlpclassifier__lr"] in (0.1, 0.3)
    assert search.best_estimator_.score(*IRIS) > 0.9
    assert clone(search).refit(search.cv_results_) == search.best_index_


def test_with_several_metrics_and_another_name():
    search = RandomizedSearchCV(
        LogisticRegression(max_iter=300), {"C": [0.01, 1.0, 100.0]}, n_iter=3, cv=2,
        scoring={"loss": "neg_log_loss", "accuracy": "accuracy"}, return_train_score=True,
        random_state=0, refit=largest_stable_step(1e9, param="C", metric="loss"),
    ).fit(*IRIS)
    assert search.best_params_ == {"C": 100.0}


def test_the_rule_can_be_pickled_and_printed():
    rule = largest_stable_step(0.25, param="eta")
    assert repr(rule) == "largest_stable_step(0.25, param='eta', metric='score')"
    again = pickle.loads(pickle.dumps(rule))
    assert again(results([{"eta": 1}, {"eta": 2}], [0.1, 0.2])) == 1


@pytest.mark.parametrize(("epsilon", "error", "message"), [
    (-0.1, ValueError, r"epsilon=-0\.1 must be at least 0"),
    (np.inf, ValueError, "epsilon=inf"),
    ("0.1", TypeError, r"epsilon='0\.1' must be a number"),
    (True, TypeError, "epsilon=True must be a number"),
])
def test_bad_epsilons_are_named(epsilon, error, message):
    with pytest.raises(error, match=message):
        largest_stable_step(epsilon)


def test_what_the_search_lacks_is_named():
    rule, table = largest_stable_step(), results([{"lr": 1.0}], [0.5])
    without = {key: value for key, value in table.items() if key != "mean_train_score"}
    with pytest.raises(ValueError, match="return_train_score=True"):
        rule(without)
    with pytest.raises(ValueError, match=r"metric='loss' was not computed; .* \['score'\]"):
        largest_stable_step(metric="loss")(table)
    with pytest.raises(ValueError, match=r"no learning rate 'lr' among .* \['C'\]"):
        rule(results([{"C": 1.0}], [0.5]))
    both = results([{"a__lr": 1.0, "b__lr": 2.0}], [0.5])
    with pytest.raises(ValueError, match=r"'lr' can be any of \['.__lr', '.__lr'\]"):
        rule(both)
    assert largest_stable_step(param="a__lr")(both) == 0
    with pytest.raises(ValueError, match="no candidate has a finite training score"):
        rule(results([{"lr": 1.0}], [np.nan]))
    with pytest.raises(TypeError, match="lr='big' is not a learning rate"):
        rule(results([{"lr": "big"}], [0.5]))
