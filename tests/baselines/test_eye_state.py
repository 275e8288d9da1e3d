from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skbci.baselines import KStar, RotationForest, eye_state_ensemble, eye_state_pipeline
from skbci.datasets import make_eye_state
from skbci.model_selection import LeaveSubjectsOut


@pytest.fixture(scope="module")
def eeg():
    return make_eye_state(n_subjects=5, duration=40, random_state=0)


@pytest.fixture(scope="module")
def split(eeg):
    (split,) = LeaveSubjectsOut(1, 2, random_state=0).split(eeg.X)
    return split


def test_the_network_is_the_papers(eeg, split):
    pipe = eye_state_pipeline(optimizer="hjb-ad", lr=0.02, max_epochs=2, random_state=0)
    pipe.fit(eeg.X[split[0]], eeg.y[split[0]])
    assert list(pipe.named_steps) == ["energies", "pca", "scale", "classifier"]
    assert pipe[0].transform(eeg.X[:2]).shape == (2, 448)
    net = pipe[-1]
    widths = [tuple(p.shape) for name, p in net.net_.module_.named_parameters() if p.ndim == 2]
    n_components = pipe.named_steps["pca"].n_components_
    assert widths == [(50, n_components), (30, 50), (10, 30), (2, 10)]
    assert pipe.named_steps["pca"].explained_variance_ratio_.sum() >= 0.95
    assert (net.dropout, net.criterion, net.lr) == (0.2, "binary-cross-entropy", 0.02)
    other = eye_state_pipeline(architecture=2)[-1]
    assert other.hidden_layer_sizes == (50, 30)


def test_volts_and_microvolts_give_the_same_answers(eeg, split):
    train, test = split
    pipe = eye_state_pipeline(max_epochs=3, random_state=0)
    volts = clone(pipe).fit(eeg.X[train], eeg.y[train]).predict_proba(eeg.X[test])
    micro = clone(pipe).fit(eeg.X[train] * 1e6, eeg.y[train]).predict_proba(eeg.X[test] * 1e6)
    np.testing.assert_allclose(volts, micro, atol=1e-4)


def test_unseen_subjects_are_decoded(eeg, split):
    train, test = split
    for classifier in (None, RotationForest(20, random_state=0), LogisticRegression(max_iter=500)):
        extra = {} if classifier else {"lr": 0.1, "max_epochs": 30, "random_state": 0}
        pipe = eye_state_pipeline(classifier, **extra)
        score = pipe.fit(eeg.X[train], eeg.y[train]).score(eeg.X[test], eeg.y[test])
        assert score > 0.6, classifier


def test_an_ensemble_averages_its_two_networks(eeg, split):
    train, test = split
    pipe = eye_state_ensemble("Ens3", lr=0.1, max_epochs=5, random_state=0)
    pipe.fit(eeg.X[train], eeg.y[train])
    rows = pipe[:-1].transform(eeg.X[test])
    single = [net.predict_proba(rows) for net in pipe[-1].estimators_]
    assert not np.allclose(*single)
    np.testing.assert_allclose(pipe.predict_proba(eeg.X[test]), np.mean(single, axis=0),
                               rtol=1e-6)


@pytest.mark.parametrize(("name", "optimizers"), [
    ("Ens1", ["hjb-ad", "adagrad"]), ("Ens2", ["evdhjb", "evdhjb"]), ("Ens3", ["hjb", "hjb"]),
    ("Ens4", ["sgd", "sgd"]),
])
def test_ensembles_are_those_of_the_paper(name, optimizers):
    nets = [net for _, net in eye_state_ensemble(name)[-1].estimators]
    assert [net.optimizer for net in nets] == optimizers
    assert [net.hidden_layer_sizes for net in nets] == [(50, 30, 10), (50, 30)]


def test_given_classifiers_are_cloned_and_everything_is_searchable(eeg):
    member = DummyClassifier()
    pipe = eye_state_ensemble([member, LogisticRegression()])
    assert pipe[-1].estimators[0][1] is not member
    search = GridSearchCV(
        eye_state_pipeline(max_epochs=2, random_state=0),
        {"classifier__optimizer": ["hjb", "adam"], "pca__n_components": [5]},
        cv=LeaveSubjectsOut(2),
    ).fit(eeg.X, eeg.y)
    assert set(search.best_params_) == {"classifier__optimizer", "pca__n_components"}


@pytest.mark.parametrize(("call", "message"), [
    (lambda: eye_state_pipeline(architecture=3), r"architecture=3 is unknown; choose 1 for"),
    (lambda: eye_state_pipeline(KStar(), lr=0.1), r"\['lr'\] are parameters of the network"),
    (lambda: eye_state_ensemble("Ens5"), r"name='Ens5' is unknown; choose one of \['Ens1'"),
    (lambda: eye_state_ensemble([KStar()], lr=1), r"\['lr'\] are parameters of the networks"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
