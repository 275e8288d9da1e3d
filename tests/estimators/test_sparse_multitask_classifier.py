"""One sparse network for several tasks."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci._training.multitask_net import TaskLosses
from skbci.datasets import load_recording
from skbci.estimators import SparseMultitaskClassifier, TaskScorer, compact_estimator
from skbci.estimators._neural.tasks import head_names
from skbci.features import FilterBank
from skbci.model_selection import WithinSubject
from skbci.sparsity import prunable

TASKS = ["execution", "imagery"]
N = 40


@pytest.fixture(scope="module")
def data():
    """Power of channel 0 is larger for one class of imagery, and for the other of execution."""
    rng = np.random.default_rng(0)
    task = np.repeat(["imagery", "execution"], N)
    y = np.tile(["left", "right"], N)
    X = rng.normal(size=(2 * N, 3, 64))
    X[(task == "imagery") == (y == "right"), 0] *= 2.5
    order = rng.permutation(2 * N)
    table = {"task": task[order], "subject": np.repeat([1, 2], N),
             "session": np.tile(np.repeat([1, 2], N // 2), 2)}
    return EEGArray(X[order] * 1e-6, table, sfreq=64.0, ch_names=["C3", "Cz", "C4"]), y[order]


@pytest.fixture(scope="module")
def three_tasks():
    """Tasks with different classes, two of which share a label; tasks are numbers."""
    rng = np.random.default_rng(1)
    task = np.repeat([1, 2, 3], 18)
    y = np.concatenate([np.tile(own, 18 // len(own)) for own in ("ab", "abc", "xy")
                        for own in [list(own)]])
    return rng.normal(size=(54, 2, 64)), y, task


def net(**settings):
    return SparseMultitaskClassifier(**{"max_epochs": 3, "random_state": 0, **settings})


def state(clf):
    return {name: v.clone() for name, v in clf.net_.module_.state_dict().items()}


def assert_pruned(clf):
    dropped = 0
    for name, weight in prunable(clf.net_.module_).items():
        assert not weight.detach().numpy()[~clf.masks_[name]].any()
        dropped += int((~clf.masks_[name]).sum())
    assert dropped


# ---- learning and predicting -------------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [0.0, 0.4])
def test_it_learns_both_tasks(data, sparsity):
    X, y = data
    clf = net(sparsity=sparsity, max_epochs=40).fit(X[::2], y[::2])
    for task in TASKS:
        assert TaskScorer(task)(clf, X[1::2], y[1::2]) > 0.75
    # What tells the classes of one task tells the other's the wrong way round.
    mine = (X.metadata["task"] == "imagery").to_numpy()
    right = clf.predict(X[mine]) == y[mine]
    wrong = clf.predict(np.asarray(X[mine]), task="execution") == y[mine]
    assert right.mean() > 0.75 > 0.5 > wrong.mean()


def test_three_ways_to_say_the_task_are_the_same(data):
    X, y = data
    task = X.metadata["task"].to_numpy()
    table = net().fit(X, y)
    told = net().fit(np.asarray(X), y, task=task)
    for name, value in state(table).items():
        assert torch.equal(value, state(told)[name])
    expected = table.predict_proba(X)
    assert np.array_equal(told.predict_proba(np.asarray(X), task=list(task)), expected)
    one = told.predict_proba(np.asarray(X), task="imagery")
    assert np.array_equal(one[task == "imagery"], expected[task == "imagery"])
    # What is told goes before what the table says.
    swapped = np.where(task == "imagery", "execution", "imagery")
    assert not np.array_equal(table.predict_proba(X, task=swapped), expected)
    assert table.score(X, y) == told.score(np.asarray(X), y, task=task)
    assert table.score(X, y) == accuracy_score(y, table.predict(X))


def test_without_a_word_there_is_one_task(data):
    X, y = np.asarray(data[0]), data[1]
    clf = net().fit(X, y)
    assert clf.tasks_ == ["task"]
    assert clf.overlap_.empty
    assert clf.predict(X).shape == y.shape
    # Its loss is what it would be with any name.
    other = net().fit(X, y, task="all the same")
    for a, b in zip(state(clf).values(), state(other).values()):
        assert torch.equal(a, b)


def test_tasks_with_classes_of_their_own(three_tasks):
    X, y, task = three_tasks
    clf = net().fit(X, y, task=task)
    assert clf.tasks_ == [1, 2, 3]
    assert list(clf.classes_) == list("abcxy")
    assert {k: "".join(v) for k, v in clf.task_classes_.items()} == {1: "ab", 2: "abc", 3: "xy"}
    proba, said = clf.predict_proba(X, task=task), clf.predict(X, task=task)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    for name, own in clf.task_classes_.items():
        rows = task == name
        foreign = ~np.isin(clf.classes_, own)
        assert not proba[rows][:, foreign].any()
        assert (proba[rows][:, ~foreign] > 0).all()
        assert np.isin(said[rows], own).all()
    assert np.array_equal(clf.classes_[proba.argmax(axis=1)], said)
    assert list(clf.overlap_) == ["1 & 2", "1 & 3", "2 & 3"]
    assert list(clf.density_) == [1, 2, 3, "network"]


def test_predictions_do_not_depend_on_the_unit(data):
    X, y = data
    volts, micro = (net(max_epochs=5).fit(X * f, y).predict_proba(X * f) for f in (1.0, 1e6))
    np.testing.assert_allclose(volts, micro, atol=1e-3)


# ---- losses ------------------------------------------------------------------------------------


def test_losses_are_means_over_the_rows_of_each_task():
    losses = TaskLosses({"a": 2, "b": 3})
    y = torch.tensor([0, 4, 1, 2, 3])
    assert losses.tasks_of(y).tolist() == [0, 1, 0, 1, 1]
    rng = torch.Generator().manual_seed(0)
    heads = torch.randn(5, 2, generator=rng), torch.randn(5, 3, generator=rng)
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0, 0.0])
    for w in (None, weight):
        found = losses(heads, y, None, w)
        for k, (rows, start) in enumerate((([0, 2], 0), ([1, 3, 4], 2))):
            own = torch.nn.functional.cross_entropy(heads[k][rows], y[rows] - start,
                                                    reduction="none")
            share = torch.ones(len(rows)) if w is None else w[rows]
            torch.testing.assert_close(found[k], (own * share).sum() / share.sum())
    alone = losses(heads, torch.tensor([0, 0, 1, 1, 0]), None, None)
    assert alone[1] == 0


@pytest.mark.parametrize("batch_size", [8, 10, 32])
def test_every_batch_has_its_share_of_each_task(data, batch_size):
    X, y = data
    rows = np.flatnonzero((X.metadata["task"] == "execution").to_numpy())[:10]
    rows = np.concatenate([rows, np.flatnonzero((X.metadata["task"] == "imagery").to_numpy())])
    clf = net(max_epochs=1, batch_size=batch_size).fit(X[rows], y[rows])
    codes = torch.tensor([0] * 10 + [2] * 40)
    inner = clf.net_
    with torch.random.fork_rng():
        torch.manual_seed(0)
        orders = [inner.shuffled(codes) for _ in range(3)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(50))
        for batch in codes[order].split(batch_size):
            assert abs(int((batch == 0).sum()) - len(batch) / 5) <= 1.0 + 1e-9
    assert not torch.equal(orders[0], orders[1])


def test_history_has_a_column_for_each_task(data):
    X, y = data
    clf = net(early_stopping=True, loss_weighting="alphagrad", loss_weighting__lr=0.2).fit(X, y)
    table = clf.history_
    for name in TASKS:
        assert {f"{what}_{name}" for what in ("train", "valid", "weight", "gradient_norm")} <= {
            *table}
    weights = table[[f"weight_{name}" for name in TASKS]]
    np.testing.assert_allclose(weights.sum(axis=1), 2)
    assert (weights.iloc[-1] != 1).all()
    for what in ("train", "valid"):
        both = table[[f"{what}_{name}" for name in TASKS]]
        np.testing.assert_allclose(both.mean(axis=1), table[f"{what}_mean"])
    np.testing.assert_allclose((weights.to_numpy() * both).sum(axis=1), table["valid_loss"],
                               rtol=1e-5)
    assert clf.loss_weighting_.weights_.sum() == pytest.approx(2)


def test_recorded_losses_are_those_of_the_rows(data):
    """With a step size of zero the network stays; batches of uneven shares add up."""
    X, y = data
    rows = np.r_[0:61]
    clf = net(lr=0.0, max_epochs=1, batch_size=7, module__dropout=0.0, sparsity=0).fit(
        X[rows], y[rows])
    first = clf.history_.iloc[0]
    assert 0.4 < first["train_imagery"] < 1.2  # in training mode, each batch normalized by itself
    valid = net(lr=0.0, max_epochs=1, batch_size=7, early_stopping=True).fit(
        X, y, groups=X.metadata["subject"])
    seen = valid.history_.iloc[0]
    held_out = [
        rows for rows in (np.flatnonzero(X.metadata["subject"] == s) for s in (1, 2))
        if np.isclose(_loss(valid, X[rows], y[rows], "imagery"), seen["valid_imagery"], atol=1e-4)
    ]
    assert len(held_out) == 1
    assert _loss(valid, X[held_out[0]], y[held_out[0]], "execution") == pytest.approx(
        seen["valid_execution"], abs=1e-4)


def _loss(clf, X, y, task):
    mine = (X.metadata["task"] == task).to_numpy()
    proba = clf.predict_proba(X[mine])
    return -np.log(proba[np.arange(mine.sum()), np.searchsorted(clf.classes_, y[mine])]).mean()


def test_task_weights_scale_losses(data):
    X, y = data
    clf = net(task_weights={"imagery": 3, "execution": 1}).fit(X, y)
    assert (clf.history_["weight_imagery"] == 1.5).all()
    assert (clf.history_["weight_execution"] == 0.5).all()
    # A task without weight does not move its own layers, nor does it say which weights stay.
    alone = net(task_weights={"imagery": 1, "execution": 0}, pruning="snip", max_epochs=1,
                sparsity=0).fit(X, y)
    start = net(lr=0.0, max_epochs=1, sparsity=0).fit(X, y)
    name = "private.execution.weight"
    assert torch.equal(state(alone)[name], state(start)[name])
    assert not torch.equal(state(alone)["spatial.weight"], state(start)["spatial.weight"])
    joint = net(task_weights={"imagery": 1, "execution": 0}, pruning="snip", max_epochs=1,
                sparsity=0.5, pruning__floor="layer").fit(X, y)
    assert joint.masks_["private.execution.weight"].sum() <= 1


@pytest.mark.parametrize("policy", ["alphagrad", "adamt", "gradapprox", "uncertainty", "dwa"])
def test_any_policy_and_optimizer(data, policy):
    X, y = data
    clf = net(loss_weighting=policy, optimizer="hjb", lr=0.05, early_stopping=True).fit(X, y)
    assert np.isfinite(clf.history_.drop(columns="epoch").to_numpy(dtype=float)).all()
    assert_pruned(clf)


# ---- masks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pruning", ["snip-multitask", "snip", "lottery", "magnitude"])
def test_masks_density_and_overlap(data, pruning):
    X, y = data
    clf = net(pruning=pruning, sparsity=0.5).fit(X, y)
    assert_pruned(clf)
    density, overlap = clf.density_, clf.overlap_["execution & imagery"]
    assert list(density) == [*TASKS, "network"]
    assert list(density.index) == [*clf.masks_, "total"]
    for name, mask in clf.masks_.items():
        assert density.loc[name, "network"] == pytest.approx(mask.mean())
        own = [masks[name] for masks in clf.task_masks_.values() if name in masks]
        assert np.array_equal(np.logical_or.reduce(own), mask)
        if len(own) == 2:
            both, either = (own[0] & own[1]).sum(), (own[0] | own[1]).sum()
            assert overlap[name] == pytest.approx(both / either)
    kept = sum(int(mask.sum()) for mask in clf.masks_.values())
    size = sum(mask.size for mask in clf.masks_.values())
    if pruning == "snip-multitask":
        assert kept > round(0.5 * size)
        assert overlap["total"] < 1
        for task in TASKS:
            own = clf.task_masks_[task].values()
            assert sum(int(m.sum()) for m in own) == round(0.5 * sum(m.size for m in own))
    else:
        assert kept == round(0.5 * size)
        assert overlap["total"] == 1
    assert_pruned(clf.partial_fit(X, y))
    assert_pruned(pickle.loads(pickle.dumps(clf)).partial_fit(X, y))


@pytest.mark.parametrize("pruning", ["snip-multitask", "lottery"])
def test_sparsity_zero_is_dense_training(data, pruning):
    X, y = data
    nothing = net(pruning="snip", sparsity=1e-9).fit(X, y)  # masks are found, and drop nothing
    dense = net(sparsity=0, pruning=pruning).fit(X, y)
    for name, value in state(dense).items():
        assert torch.equal(value, state(nothing)[name])
    assert (dense.density_.fillna(1) == 1).all(axis=None)


def test_masks_do_not_depend_on_the_order_of_rows(data):
    X, y = data
    order = np.random.default_rng(2).permutation(len(y))
    one, other = (net(max_epochs=1).fit(X[rows], y[rows]).task_masks_
                  for rows in (np.arange(len(y)), order))
    for task in TASKS:
        for name, mask in one[task].items():
            assert (mask == other[task][name]).mean() > 0.995  # but for ties within rounding


def test_the_arbiter_is_a_setting(data):
    X, y = data
    either, both = (net(pruning__arbiter=a, max_epochs=1).fit(X, y).masks_ for a in ("or", "and"))
    assert (both["spatial.weight"] <= either["spatial.weight"]).all()
    assert both["spatial.weight"].sum() < either["spatial.weight"].sum()


def test_compact(data):
    X, y = data
    clf = net(sparsity=0.9, pruning__floor="layer").fit(X, y)
    smaller, report = compact_estimator(clf, X, n_repeats=3)
    np.testing.assert_allclose(smaller.predict_proba(X), clf.predict_proba(X), atol=1e-5)
    assert report.after.parameters < report.before.parameters
    assert report.after.multiply_adds < report.before.multiply_adds
    assert_pruned(smaller.partial_fit(X, y))
    assert set(smaller.task_masks_) == set(TASKS)
    assert compact_estimator(clf, n_repeats=3)[1].difference < 1e-5


@pytest.mark.parametrize("arbiter", ["or", "and"])
@pytest.mark.parametrize("sparsity", [0.8, 0.95])
def test_smaller_networks_know_what_each_task_asked_for(data, arbiter, sparsity):
    """What is kept in units that are left; all of it, where units are left out for want of it."""
    clf = net(sparsity=sparsity, pruning__floor="layer", pruning__arbiter=arbiter).fit(*data)
    smaller, _ = compact_estimator(clf, data[0], n_repeats=1)
    assert list(smaller.density_) == list(clf.density_)
    final = smaller.masks_
    for task in TASKS:
        before, after = clf.task_masks_[task], smaller.task_masks_[task]
        assert list(before) == list(after)
        for name, mask in after.items():
            assert mask.shape == smaller.net_.module_.get_parameter(name).shape
            assert not (mask & ~final[name]).any()
            assert mask.sum() <= (before[name] & clf.masks_[name]).sum()
    if arbiter == "or":
        for name, mask in final.items():
            own = [masks[name] for masks in smaller.task_masks_.values() if name in masks]
            assert np.array_equal(np.logical_or.reduce(own), mask)
    # Where no unit goes, nothing changes.
    full = net(sparsity=0.1, max_epochs=1).fit(*data)
    same, report = compact_estimator(full, data[0], n_repeats=1)
    assert report.after.parameters == report.before.parameters
    pd.testing.assert_frame_equal(same.density_, full.density_)
    pd.testing.assert_frame_equal(same.overlap_, full.overlap_)


def same_masks(one, other):
    return all(np.array_equal(mask, other.masks_[name]) for name, mask in one.masks_.items())


def test_one_mask_goes_by_the_weights_of_the_losses_however_they_are_given(data):
    X, y = data
    settings = {"pruning": "snip", "sparsity": 0.8, "max_epochs": 1}
    by_task = net(task_weights={"execution": 100, "imagery": 0.01}, **settings).fit(X, y)
    by_place = net(loss_weighting__weights=[100, 0.01], **settings).fit(X, y)
    of_masks = net(pruning__task_weights={"execution": 100, "imagery": 0.01}, **settings).fit(X, y)
    assert same_masks(by_task, by_place)
    assert same_masks(by_task, of_masks)
    assert not same_masks(by_task, net(**settings).fit(X, y))
    # Policies that find their weights by themselves start with equal ones.
    assert same_masks(net(loss_weighting="alphagrad", **settings).fit(X, y),
                      net(**settings).fit(X, y))


@pytest.mark.parametrize("names", [[1, 2], ["v1.5", "keys"], [True, False]])
def test_weights_of_tasks_in_masks_are_named_as_the_tasks_are(data, names):
    X, y = np.asarray(data[0]), data[1]
    task = [names[kind == "imagery"] for kind in data[0].metadata["task"]]
    settings = {"pruning": "snip", "sparsity": 0.8, "max_epochs": 1}
    weights = {names[0]: 50.0, names[1]: 0.5}
    told = net(pruning__task_weights=weights, **settings).fit(X, y, task=task)
    assert same_masks(told, net(task_weights=weights, **settings).fit(X, y, task=task))
    with pytest.raises(ValueError, match=r"SparseMultitaskClassifier: pruning__task_weights names "
                                         r"the tasks \['a'\], but there are rows of"):
        net(pruning__task_weights={"a": 1.0}, **settings).fit(X, y, task=task)


def test_masks_that_are_given_away_are_copies(data):
    clf = net(sparsity=0.5, max_epochs=1).fit(*data)
    for mask in clf.masks_.values():
        mask[...] = True
    for own in clf.task_masks_.values():
        for mask in own.values():
            mask[...] = True
    assert_pruned(clf.partial_fit(*data))
    assert clf.density_.loc["total"].max() < 1


# ---- partial_fit, weights, groups --------------------------------------------------------------


def test_partial_fit_first_and_after(three_tasks):
    X, y, task = three_tasks
    clf = net().partial_fit(X, y, task=task, classes={1: list("abc"), 2: list("abc"),
                                                      3: list("xyz")})
    assert "".join(clf.task_classes_[3]) == "xyz"
    only = task == 2
    before = state(clf)
    clf.partial_fit(X[only], y[only], task=2)
    assert np.isnan(clf.history_["train_1"].iloc[-1])
    assert not torch.equal(before["private.2.weight"], state(clf)["private.2.weight"])
    with pytest.raises(ValueError, match="classes=.* differ from those of the first call"):
        clf.partial_fit(X, y, task=task, classes=list("ab"))
    with pytest.raises(ValueError, match=r"labels \['x', 'y'\] .* classes of task 1"):
        clf.partial_fit(X[task == 3], y[task == 3], task=1)
    with pytest.raises(ValueError, match="classes names the tasks"):
        net().partial_fit(X, y, task=task, classes={1: list("ab")})


def test_row_weights(data):
    X, y = data
    weight = np.ones(len(y))
    weight[::4] = 0
    kept = weight > 0
    left_out, gone = net().fit(X, y, sample_weight=weight), net().fit(X[kept], y[kept])
    for a, b in zip(state(left_out).values(), state(gone).values()):
        assert torch.equal(a, b)
    for given in ("balanced", {"left": 5.0}):
        weighted = net(class_weight=given, max_epochs=1)
        skewed = np.r_[np.flatnonzero(y == "left"), np.flatnonzero(y == "right")[:12]]
        shift = (weighted.fit(X[skewed], y[skewed]).predict_proba(X)
                 - net(max_epochs=1).fit(X[skewed], y[skewed]).predict_proba(X))
        assert np.abs(shift).max() > 0
    with pytest.raises(ValueError, match=r"class_weight names \['up'\]"):
        net(class_weight={"up": 1}).fit(X, y)


def test_validation_rows_are_of_every_task(data, monkeypatch):
    X, y = data
    seen = []
    original = SparseMultitaskClassifier._split

    def watch(self, rows, target, seed):
        train, valid = original(self, rows, target, seed)
        seen.append((rows, train, valid))
        return train, valid

    monkeypatch.setattr(SparseMultitaskClassifier, "_split", watch)
    net(early_stopping=True, max_epochs=1).fit(X, y)
    # Runs of one task only: the last run of each task is held out.
    table = {"task": X.metadata["task"].to_numpy(),
             "run": np.where(X.metadata["task"] == "imagery", 1, 2) + 2 * (np.arange(80) >= 40)}
    by_run = EEGArray(np.asarray(X), table)
    net(early_stopping=True, max_epochs=1).fit(by_run, y)
    for rows, train, valid in seen:
        assert not set(train) & set(valid)
        assert len(train) + len(valid) == len(y)
        assert set(rows.y["task"][valid]) == set(TASKS)
        assert set(rows.y["task"][train]) == set(TASKS)
    subjects = X.metadata["subject"].to_numpy()
    assert len(set(subjects[seen[0][2]])) == 1
    assert set(table["run"][seen[1][2]]) == {3, 4}


# ---- scikit-learn ------------------------------------------------------------------------------


def test_metadata_routing(data):
    X, y = np.asarray(data[0]), data[1]
    task = data[0].metadata["task"].to_numpy()
    params = {"task": task, "groups": data[0].metadata["subject"].to_numpy()}
    scoring = {"imagery": TaskScorer("imagery"),
               "f1": TaskScorer("execution", f1_score, average="macro")}
    from_table = cross_validate(net(), *data, cv=WithinSubject(2), scoring=scoring)
    with sklearn.config_context(enable_metadata_routing=True):
        told = cross_validate(net(), X, y, params=params, cv=WithinSubject(2), scoring=scoring)
        for name in ("test_imagery", "test_f1"):
            assert np.array_equal(told[name], from_table[name])
        asked = net().set_fit_request(task=True, groups=True).set_predict_request(task=True)
        asked.set_score_request(task=True)
        together = cross_validate(asked, X, y, params=params, cv=LeaveOneGroupOut())
        assert len(together["test_score"]) == 2
        pipe = make_pipeline(FilterBank(((8, 30),), sfreq=64, output="channels"), net())
        routed = cross_validate(pipe, X, y, params=params, cv=LeaveOneGroupOut(), scoring=scoring)
        table = cross_validate(pipe, *data, cv=LeaveOneGroupOut(), scoring=scoring,
                               params={"groups": params["groups"]})
        assert np.array_equal(routed["test_f1"], table["test_f1"])
        grid = {"sparsity": [0.0, 0.5], "pruning": ["snip", "snip-multitask"]}
        search = GridSearchCV(net(), grid, cv=2).fit(X, y, task=task)
        assert search.score(X, y, task=task) == search.best_estimator_.score(X, y, task=task)
        with pytest.raises(ValueError, match="must be told which one"):
            cross_validate(net().set_score_request(task=False), X, y, params=params,
                           cv=LeaveOneGroupOut(), error_score="raise")


def test_messages_of_tools_say_how_the_task_gets_through(data):
    X, y, task = np.asarray(data[0]), data[1], data[0].metadata["task"].to_numpy()
    said = r"set_config\(enable_metadata_routing=True\).*use TaskScorer, because scorers such as"
    told = {"params": {"task": task}, "cv": 2, "error_score": "raise"}
    for scoring in (None, TaskScorer("imagery")):
        with pytest.raises(ValueError, match=said):
            cross_validate(net(max_epochs=1), X, y, scoring=scoring, **told)
    with (sklearn.config_context(enable_metadata_routing=True),
          pytest.raises(ValueError, match=said)):
        cross_validate(net(max_epochs=1), X, y, scoring="accuracy", **told)


def test_a_search_inside_a_cross_validation_is_scored_by_task(data):
    X, y, task = np.asarray(data[0]), data[1], data[0].metadata["task"].to_numpy()
    scoring = {name: TaskScorer(name) for name in TASKS}
    search = GridSearchCV(net(max_epochs=1), {"sparsity": [0.0, 0.5]}, cv=2)
    with sklearn.config_context(enable_metadata_routing=True):
        told = cross_validate(search, X, y, cv=2, scoring=scoring, params={"task": task})
    table = cross_validate(search, *data, cv=2, scoring=scoring)
    for name in TASKS:
        assert np.array_equal(told[f"test_{name}"], table[f"test_{name}"])
        assert np.isfinite(told[f"test_{name}"]).all()


def test_searches_without_routing(data):
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    grid = {"sparsity": [0.0, 0.6], "pruning": ["snip", "lottery"]}
    searches = [GridSearchCV(net(), grid, cv=folds, n_jobs=n).fit(*data) for n in (1, 2)]
    one, two = (s.cv_results_["mean_test_score"] for s in searches)
    assert np.array_equal(one, two)
    assert one[0] == one[2]  # dense is dense
    assert searches[0].predict(data[0]).shape == data[1].shape
    assert len(cross_val_score(clone(searches[0].best_estimator_), *data, cv=2)) == 2


def test_a_scorer_asks_for_the_task_only():
    assert TaskScorer("imagery").get_metadata_routing().score.requests == {"task": True}


def test_a_scorer_prints_itself():
    assert repr(TaskScorer("imagery", f1_score, average="macro")) == (
        "TaskScorer('imagery', f1_score, average='macro')")


# ---- names and bad input -----------------------------------------------------------------------


def test_any_label_can_name_a_task(data):
    X, y = data
    names = {"imagery": "v1.0 loss", "execution": "mean"}
    task = X.metadata["task"].map(names).to_numpy()
    clf = net().fit(X, y, task=task)
    assert clf.tasks_ == ["mean", "v1.0 loss"]
    assert {"train_mean_", "train_v1_0 loss"} <= set(clf.history_)
    assert set(clf.predict(X, task=task)) <= {"left", "right"}
    assert head_names(["a.b", "a_b", "", "loss", 3]) == ["a_b", "a_b_", "_", "loss_", "3"]


@pytest.mark.parametrize(("settings", "error", "message"), [
    ({"sparsity": 1}, ValueError,
     r"SparseMultitaskClassifier: sparsity=1 must be at least 0 and below 1"),
    ({"sparsity": -0.5}, ValueError, r"sparsity=-0.5 must be at least 0 and below 1"),
    ({"pruning": "cut"}, ValueError, "pruning='cut' is unknown"),
    ({"pruning__n_rounds": 2}, ValueError, "'snip-multitask' has no setting 'n_rounds'"),
    ({"task_weights": {"imagery": 1}}, ValueError, r"names the tasks \['imagery'\], but"),
    ({"task_weights": [1, 2]}, TypeError, r"task_weights=\[1, 2\] must be a dict"),
    ({"task_weights": {"imagery": "a", "execution": 1}}, TypeError,
     r"Classifier: task_weights\['imagery'\]='a' must be a number"),
    ({"task_weights": {"imagery": True, "execution": 1}}, TypeError, r"\['imagery'\]=True must"),
    ({"task_weights": {"imagery": -1, "execution": 1}}, ValueError, r"\['imagery'\]=-1 must be"),
    ({"task_weights": {"imagery": np.nan, "execution": 1}}, ValueError, r"\['imagery'\]=nan must"),
    ({"task_weights": {"imagery": 0, "execution": 0}}, ValueError,
     "task_weights=.* are all zero: at least one task must count"),
    ({"task_weights": {"imagery": 1, "execution": 2}, "loss_weighting": "alphagrad"}, ValueError,
     "'alphagrad' weighs the tasks by itself"),
    ({"loss_weighting": "gradapprox"}, ValueError, "early_stopping=False leaves no rows"),
    ({"optimizer": "lm"}, ValueError, "cannot train the losses of several heads"),
    ({"module__n_layers": 2}, ValueError, "DualTaskNet has no argument 'n_layers'"),
    ({"modul__n_maps": 2}, ValueError, "no parameter 'modul__n_maps'"),
])
def test_bad_settings(data, settings, error, message):
    with pytest.raises(error, match=message):
        net(**settings).fit(*data)


def test_bad_tasks(data):
    X, y = data
    task = X.metadata["task"].to_numpy()
    plain = np.asarray(X)
    one_class = np.where(task == "imagery", "left", y)
    with pytest.raises(ValueError, match=r"task 'imagery' has one class only: \['left'\]"):
        net().fit(X, one_class)
    with pytest.raises(ValueError, match="y has one class only"):
        net().fit(plain, np.full(len(y), "left"))
    with pytest.raises(ValueError, match=r"task has shape \(3,\), but there are 80 rows"):
        net().fit(plain, y, task=["imagery"] * 3)
    for gap in (None, np.nan, pd.NA, pd.NaT):
        with pytest.raises(ValueError, match="task has 40 missing"):
            net().fit(plain, y, task=[gap if name == "imagery" else name for name in task])
    with pytest.raises(ValueError, match="task has 40 missing"):
        net().fit(plain, y, task=pd.Series(task, dtype="string").where(task == "imagery"))
    for gap in (np.nan, pd.NA):
        with pytest.raises(ValueError, match="task is missing"):
            net().fit(plain, y, task=gap)
    for odd in ({"a": 1}, {"a"}):
        with pytest.raises(TypeError, match="task=.* must be one label for all rows, or one for"):
            net().fit(plain, y, task=odd)
    lists = np.empty(len(y), dtype=object)
    lists[:] = [[name] for name in task]
    with pytest.raises(ValueError, match=r"task holds \['[a-z]*'\] in row 0: each row needs one"):
        net().fit(plain, y, task=lists)
    lists[:] = [bytearray(name, "ascii") for name in task]
    with pytest.raises(TypeError, match=r"task has bytearray.*, which cannot name a task"):
        net().fit(plain, y, task=lists)
    with pytest.raises(ValueError, match="task cannot be called 'network'.*density_ has a column"):
        net().fit(plain, y, task=np.where(task == "imagery", "network", task))
    with pytest.raises(ValueError, match="'network'"):
        net().partial_fit(plain, y, task="network")
    clf = net().fit(plain, y, task=task)
    with pytest.raises(ValueError, match="'rest', but SparseMultitaskClassifier was fitted on "
                                         "'execution', 'imagery' only"):
        clf.predict(plain, task="rest")
    with pytest.raises(ValueError, match=r"has the tasks \['execution', 'imagery'\] and must be"):
        clf.predict_proba(plain)


def test_a_task_that_a_fold_lacks_is_named(data):
    X, y = data
    task = X.metadata["task"].to_numpy()
    by_task = [(np.flatnonzero(task == a), np.flatnonzero(task == b))
               for a, b in (TASKS, TASKS[::-1])]
    with pytest.raises(ValueError, match="task has 'imagery', but .* training fold needs rows"):
        cross_val_score(net(), X, y, cv=by_task, error_score="raise")
    clf = net().fit(X, y)
    with pytest.raises(ValueError, match="no row is of the task 'imagery'; they are of"):
        TaskScorer("imagery")(clf, X[task == "execution"], y[task == "execution"])
    with pytest.raises(ValueError, match="must be told the rows' tasks"):
        TaskScorer("imagery")(clf, np.asarray(X), y)


def test_saliency_that_is_not_finite(data):
    X, y = data
    with pytest.raises(ValueError, match="is not finite"):
        net(standardize=False).fit(np.asarray(X) * 1e200, y, task=X.metadata["task"])


@pytest.mark.real_data
def test_paired_recordings(data_folder):
    bunch = load_recording(data_folder / "eegmmidb", pattern="m[ei]_fists_22ch_S001*.npz",
                           subjects=[1])
    clf = net(sparsity=0.4, max_epochs=30, module__pooling=64)
    X = FilterBank(((8, 30),), output="channels").fit_transform(bunch.X)
    clf.fit(X[::2], bunch.y[::2])
    assert set(clf.tasks_) == set(TASKS)
    assert clf.score(X[::2], bunch.y[::2]) > 0.8
