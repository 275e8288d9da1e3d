"""FBMSNet as an estimator, with its filter bank inside or before."""

from __future__ import annotations

import pickle

import mne
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.estimators import FBMSNetClassifier
from skbci.features import FilterBank

BANDS = ((4, 8), (8, 12), (12, 20))
SMALL = {"bands": BANDS, "kernel_sizes": (5, 9, 15), "depth": 2, "max_epochs": 3,
         "random_state": 0}


@pytest.fixture(scope="module")
def epochs():
    """A 10-Hz rhythm on one of two channels, in volts, at 100 Hz."""
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 30)
    X = rng.normal(size=(60, 2, 100))
    wave = 2 * np.sin(2 * np.pi * 0.1 * np.arange(100) + rng.uniform(0, 6, (60, 1)))
    X[np.arange(60), (y == "right").astype(int)] += wave
    return X * 1e-5, y


def quick(**params):
    return FBMSNetClassifier(**{**SMALL, "sfreq": 100.0, **params})


@pytest.mark.parametrize("optimizer", ["adam", "hjb"])
def test_it_learns(optimizer, epochs):
    X, y = epochs
    losses = {"logits": "cross-entropy", "features": None}
    clf = quick(max_epochs=15, batch_size=10, lr=0.01, optimizer=optimizer, losses=losses)
    assert clf.fit(X[:40], y[:40]).score(X[40:], y[40:]) > 0.85


def test_a_filter_bank_before_gives_the_same(epochs):
    X, y = epochs
    inside = quick().fit(X.astype(np.float32), y)
    before = make_pipeline(FilterBank(BANDS, sfreq=100.0), quick(bands=None, sfreq=None))
    before.fit(X.astype(np.float32), y)
    X = X.astype(np.float32)
    np.testing.assert_array_equal(inside.predict(X), before.predict(X))
    # Rounding of the input is all that differs; biases beneath batch normalization amplify it.
    np.testing.assert_allclose(
        inside.predict_proba(X), before.predict_proba(X), rtol=1e-2, atol=1e-3
    )


@pytest.mark.parametrize("unit", [1e6, 1e-6])
def test_the_unit_changes_no_prediction(epochs, unit):
    X, y = epochs
    mine, other = (quick(max_epochs=10).fit(rows, y) for rows in (X, X * unit))
    np.testing.assert_array_equal(mine.predict(X), other.predict(X * unit))
    np.testing.assert_allclose(
        mine.predict_proba(X), other.predict_proba(X * unit), rtol=1e-5, atol=1e-6
    )


def test_the_sampling_rate_comes_with_the_signal(epochs):
    X, y = epochs
    known = EEGArray(X, sfreq=100.0)
    mine = quick(sfreq=None).fit(known, y)
    assert np.array_equal(mine.predict_proba(known), quick().fit(X, y).predict_proba(X))
    events = np.column_stack([100 * np.arange(60), np.zeros(60, int), np.ones(60, int)])
    info = mne.create_info(["C3", "C4"], 100.0, "eeg")
    E = mne.EpochsArray(X, info, events, verbose=False)
    assert np.array_equal(quick(sfreq=None).fit(E, y).predict(E), mine.predict(known))
    with pytest.raises(ValueError, match="FBMSNetClassifier needs a sampling rate: pass sfreq"):
        quick(sfreq=None).fit(X, y)
    with pytest.raises(ValueError, match="sfreq=90 Hz was given, but the data was sampled at 100"):
        quick(sfreq=90.0).fit(known, y)
    with pytest.raises(TypeError, match="bands=None must be a sequence of \\(low, high\\) pairs"):
        quick(bands=None).fit(known, y)


def test_the_latent_is_what_the_classifier_sees(epochs):
    X, y = epochs
    clf = quick(shared_layer=True).fit(X, y)
    latent = clf.transform(X)
    assert latent.shape == (60, 3 * 3 * 2 * 4)
    classifier = clf.net_.module_.classifier
    weight, bias = classifier.weight.detach().double(), classifier.bias.detach()
    logits = torch.tensor(latent) @ weight.T + bias
    p = torch.softmax(logits, 1).numpy()
    np.testing.assert_allclose(p, clf.predict_proba(X), rtol=1e-10)
    assert len(clf.get_feature_names_out()) == 72
    assert not hasattr(clf, "inverse_transform")


@pytest.mark.parametrize("policy", ["alphagrad", "adamt", "gradnorm", "dwa"])
@pytest.mark.parametrize("shared_layer", [False, True])
def test_policies_with_and_without_the_shared_layer(policy, shared_layer, epochs):
    clf = quick(loss_weighting=policy, shared_layer=shared_layer).fit(*epochs)
    weights = clf.history_[["weight_logits", "weight_features"]]
    np.testing.assert_allclose(weights.sum(axis=1), 2)
    assert (clf.net_.module_.latent_layer is not None) == shared_layer
    seen = "gradient_norm_features" in clf.history_
    assert seen == clf.loss_weighting_.uses_gradients


def test_centers_are_learned(epochs):
    first, last = (
        quick(max_epochs=n, center_lr=0.1, early_stopping=False).fit(*epochs) for n in (1, 8)
    )
    centers = last.net_.criterion_.parts[1].loss.centers
    assert centers.shape == (2, 72)
    moved = (centers - first.net_.criterion_.parts[1].loss.centers).detach().abs().max()
    assert float(moved) > 0.3
    losses = last.history_["train_features"]
    assert losses.iloc[-1] < 0.7 * losses.iloc[0]


def test_rows_of_samples_are_epochs_of_one_channel(epochs):
    X, y = epochs
    filtered = FilterBank(BANDS, sfreq=100.0, dtype="float64").fit_transform(X[:, :1])
    clf = quick(batch_size=30)  # a single batch would be in double precision
    flat, deep = clone(clf).fit(X[:, 0], y), clf.fit(filtered, y)
    np.testing.assert_allclose(
        flat.predict_proba(X[:, 0]), deep.predict_proba(filtered), rtol=1e-3, atol=1e-5
    )


def test_reproducible_pickled_and_gone_on(epochs):
    X, y = epochs
    clf = quick(loss_weighting="alphagrad", shared_layer=True).fit(X, y)
    assert np.array_equal(
        clf.predict_proba(X), clone(clf).fit(X, y).predict_proba(X)
    )
    other = pickle.loads(pickle.dumps(clf))
    for one in (clf, other):
        one.partial_fit(X[:5], y[:5])
    assert np.array_equal(clf.predict_proba(X), other.predict_proba(X))


def test_grid_search_gives_the_same_for_any_number_of_jobs(epochs):
    grid = {"loss_weighting": ["fixed", "alphagrad"], "optimizer": ["hjb", "adam"]}
    clf = quick(max_epochs=1, lr=0.01)
    results = [
        GridSearchCV(clf, grid, cv=2, n_jobs=n, scoring="neg_log_loss", error_score="raise")
        .fit(*epochs).cv_results_ for n in (1, 2)
    ]
    for key in (k for k in results[0] if k.startswith("split")):
        assert np.array_equal(results[0][key], results[1][key])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bands": ((4, 60),)}, r"band \(4, 60\) Hz reaches above the Nyquist frequency 50"),
        ({"bands": ((4, 8), (8, 12))}, "n_bands=2 bands cannot be dealt out among 3 kernels"),
        ({"kernel_sizes": (4, 8, 12)}, "must hold odd numbers"),
        ({"n_segments": 51}, "n_times=100 samples are too few .* n_segments=51 segments"),
        ({"module__width": 1}, "module FBMSNet has no argument 'width'"),
        ({"losses": {"logits": "cross-entropy"}}, "no entry for 'features' of module FBMSNet"),
    ],
)
def test_what_does_not_fit_is_refused_at_fit(params, message, epochs):
    clf = quick(**params)
    with pytest.raises(ValueError, match=message):
        clf.fit(*epochs)


def test_few_samples_make_fewer_segments_and_one_is_refused(epochs):
    X, y = epochs
    assert quick().fit(X[..., :5], y).net_.module_.n_segments == 2
    with pytest.raises(ValueError, match="needs at least two samples a row, got n_features=1"):
        quick().fit(X[:, 0, :1], y)
