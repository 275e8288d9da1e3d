"""The studies do what the papers' protocols say; figures are copied from their text."""

from __future__ import annotations

import _alphagrad_runs
import _eye_state_data
import _eye_state_runs
import _mental_imagery
import _sparse_multitask_runs
import hjb_eye_state
import hjb_tabular
import numpy as np
import pytest
from _alphagrad_data import SETTINGS
from _tabular_sets import TabularSet, network
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skbci import EEGArray
from skbci.baselines import GalanClassifier
from skbci.weighting import AlphaGrad, resolve_policy


def test_mental_imagery():
    study = _mental_imagery
    assert study.SPLITS == {
        "1->2": ((1,), 2), "1->3": ((1,), 3), "2->3": ((2,), 3), "1+2->3": ((1, 2), 3),
        "1+2+3->4": ((1, 2, 3), 4),
    }
    assert (len(study.CHANNELS), study.WINDOW_S, study.CALIBRATION_S) == (8, 1.0, 60.0)
    for name, optimizer in (("AD", "adagrad"), ("HJB", "hjb"), ("HJB+AD", "hjb-ad")):
        decoder = study.paper_decoder(f"DNN with {name}", quick=False)
        assert (decoder[0].norm, decoder[0].n_channels) == ("l1", 8)
        best = decoder[-1].estimator
        assert best.n_splits == 4
        assert best.estimator.n_lags == 8
        for net in (best.estimator.initial, best.estimator.terminal):
            assert net.hidden_layer_sizes == (50, 30)
            assert net.dropout == (0.2, 0.0)  # after the first hidden layer only
            assert (net.optimizer, net.lr) == (optimizer, 0.01)
            assert net.criterion == "binary-cross-entropy"
    assert isinstance(study.paper_decoder("[27]", False)[-1].estimator.estimator, GalanClassifier)


def test_first_minute_of_mental_imagery():
    """Rows come every 62.5 ms and carry the second from their onset."""
    onset = np.arange(0, 150, 0.0625)
    sessions = np.repeat([1, 2], len(onset))
    table = {"session": sessions, "onset": np.tile(onset, 2), "run": 1, "subject": 1}
    X = EEGArray(np.zeros((len(sessions), 96)), table)
    bunch = Bunch(X=X, y=np.tile([0, 1], len(onset)), metadata=X.metadata)
    rows = _mental_imagery.first_minute(bunch, "1->2")
    assert set(sessions[rows]) == {2}
    np.testing.assert_array_equal(table["onset"][rows], np.arange(0, 59.0625, 0.0625))


def test_eye_state(monkeypatch):
    assert (_eye_state_data.WINDOW, _eye_state_data.HOP) == (1.5, 0.5)
    assert len(set(_eye_state_data.EMOTIV)) == 14
    subjects = np.repeat(np.arange(20), 3)
    energies = EEGArray(np.zeros((60, 4)), {"subject": subjects})
    data = _eye_state_data.Windows(energies, np.tile([True, False, True], 20))
    arguments = hjb_eye_state.parse([])
    assert arguments.n_splits == 4
    splits = data.splits(arguments.n_splits)
    sides = [[set(subjects[rows]) for rows in split] for split in splits]
    assert [(len(train), len(test)) for train, test in sides] == [(15, 5)] * 4
    assert not any(train & test for train, test in sides)
    assert len({tuple(sorted(test)) for _, test in sides}) == 4
    models = []
    monkeypatch.setattr(
        _eye_state_runs, "evaluate",
        lambda model, *_: models.append(model) or {"predict_seconds": 0, "fit_seconds": 0},
    )
    for name in ("K*", "RJ48F"):
        _eye_state_runs.other(
            name, 0, 4, arguments.forests, arguments.trees, load=lambda: data
        )
    assert models[0][-1].blend == 39
    assert models[1][-1].n_estimators == 10
    assert models[1][-1].estimator.n_estimators == 100


@pytest.mark.parametrize(
    ("n_rows", "batch_size"), [(100, 8), (256, 8), (961, 128), (1000, 128), (100_000, 256)]
)
def test_tabular_networks(n_rows, batch_size):
    data = TabularSet("BC", np.zeros((n_rows, 9)), np.arange(n_rows) % 2, np.zeros(9, bool))
    assert data.batch_size == batch_size
    assert network(data, "hjb", 0.01, 30, 0, False).batch_size == batch_size


def test_tabular_protocol():
    assert hjb_tabular.ITERATIONS == (30, 50, 100, 150, 200)
    assert hjb_tabular.STEPS == (0.01, 0.1, 1, 5)
    data = TabularSet("BC", np.zeros((200, 9)), np.arange(200) % 2, np.zeros(9, bool))
    train, test = hjb_tabular.split_half(data, 0)
    assert (len(train), len(test)) == (100, 100)
    assert not set(train) & set(test)
    tested = [rows for _, rows in hjb_tabular.folds(data, 0).split(data.X, data.y)]
    assert [len(rows) for rows in tested] == [50] * 4
    assert sorted(np.concatenate(tested)) == list(range(200))
    table = np.random.default_rng(0).normal(3, 5, (200, 9))
    scaled = TabularSet("BC", table, data.y, data.categorical).as_numbers()
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(table), atol=1e-12)


def test_sparse_multitask():
    assert _sparse_multitask_runs.LEVELS == (0.2, 0.4, 0.8)
    assert set(_sparse_multitask_runs.TASKS) == {"imagery", "execution"}
    dense = {level for _, level in _sparse_multitask_runs.cells()}
    assert dense == {0.0, 0.2, 0.4, 0.8}


def test_loss_weighting():
    setting, within = (SETTINGS[f"imagery, {name}"] for name in ("across subjects",
                                                                 "within subject"))
    assert (setting.batch_size, within.batch_size, within.n_folds) == (100, 10, 5)
    for kind in ("MIN2Net", "FBMSNet"):
        clf = _alphagrad_runs.deep(kind, setting, False, "AlphaGrad", 50, 0)[-1]
        assert (clf.optimizer, clf.lr, clf.lr_patience, clf.min_lr) == ("adam", 1e-3, 5, 1e-4)
        assert (clf.n_iter_no_change, clf.early_stopping) == (20, True)
        policy = resolve_policy(clf.loss_weighting)
        assert isinstance(policy, AlphaGrad)
        assert (policy.lr, policy.p, policy.minimum) == (0.01, 2, 1e-4)
    assert clf.shared_layer  # a dense layer of the latent's size before the classifier
    assert setting.band == (8, 30)
    bands = [tuple(band) for band in setting.bands]
    assert bands == [(low, low + 4) for low in range(4, 40, 4)]
