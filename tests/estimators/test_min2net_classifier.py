"""MIN2Net as an estimator."""

from __future__ import annotations

import pickle
import warnings

import mne
import numpy as np
import pytest
import torch
from scipy.signal import resample_poly
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.estimators import MIN2NetClassifier, NeuralClassifier
from skbci.nets import MIN2Net
from skbci.weighting import LossCollapseWarning

HEADS = ("logits", "latent", "reconstruction")


@pytest.fixture(scope="module")
def epochs():
    """A rhythm on one of three channels, in volts."""
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 30)
    X = rng.normal(size=(60, 3, 100))
    wave = 2 * np.sin(2 * np.pi * 0.1 * np.arange(100) + rng.uniform(0, 6, (60, 1)))
    X[np.arange(60), (y == "right").astype(int)] += wave
    return X * 1e-5, y


def quick(**params):
    return MIN2NetClassifier(**{"max_epochs": 3, "random_state": 0, **params})


def test_it_learns_and_its_latent_separates_the_classes(epochs):
    X, y = epochs
    clf = MIN2NetClassifier(batch_size=10, max_epochs=30, lr=0.01, random_state=0)
    clf.fit(X[:40], y[:40])
    assert clf.score(X[40:], y[40:]) > 0.85
    later = LogisticRegression().fit(clf.transform(X[:40]), y[:40])
    assert later.score(clf.transform(X[40:]), y[40:]) > 0.85


def test_the_defaults_are_the_published_protocol(epochs):
    clf = quick(max_epochs=1).fit(*epochs)
    optimizer = clf.net_.optimizer_
    assert type(optimizer) is torch.optim.Adam
    assert optimizer.param_groups[0]["lr"] == 1e-3
    params = MIN2NetClassifier().get_params()
    expected = {"batch_size": 100, "max_epochs": 100, "lr_patience": 5, "lr_factor": 0.5,
                "min_lr": 1e-4, "n_iter_no_change": 20, "loss_weighting": "fixed"}
    assert {name: params[name] for name in expected} == expected
    for prefix in ("train", "valid", "weight"):
        assert {f"{prefix}_{head}" for head in HEADS} <= set(clf.history_)
    with torch.random.fork_rng():
        sizes = [p.shape for p in MIN2Net(3, 100, 2).parameters()]
    assert [p.shape for p in clf.net_.module_.parameters()] == sizes


def test_it_is_the_general_classifier_around_the_network(epochs):
    X, y = epochs
    general = NeuralClassifier(
        MIN2Net, losses={"logits": "cross-entropy", "latent": "triplet",
                         "reconstruction": "reconstruction"},
        module__subsampling=None, module__pooling=None, optimizer="adam", lr=1e-3, max_epochs=3,
        batch_size=100, early_stopping=True, n_iter_no_change=20, lr_patience=5, random_state=0,
        loss_weighting="alphagrad",
    ).fit(X, y)
    mine = quick(loss_weighting="alphagrad").fit(X, y)
    np.testing.assert_allclose(mine.predict_proba(X), general.predict_proba(X), rtol=1e-5)
    columns = [c for c in mine.history_ if c != "dur"]
    assert mine.history_[columns].equals(general.history_[columns])


@pytest.mark.parametrize("unit", [1e6, 1e-6])
def test_the_unit_changes_no_prediction(epochs, unit):
    X, y = epochs
    clf = quick(max_epochs=5, loss_weighting="alphagrad")
    mine, other = clone(clf).fit(X, y), clf.fit(X * unit, y)
    np.testing.assert_allclose(
        mine.predict_proba(X), other.predict_proba(X * unit), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(
        mine.transform(X), other.transform(X * unit), rtol=1e-2, atol=1e-3
    )
    scale = np.abs(mine.inverse_transform(mine.transform(X))).max()
    back = other.inverse_transform(other.transform(X * unit)) / unit
    np.testing.assert_allclose(
        back, mine.inverse_transform(mine.transform(X)), atol=1e-3 * scale
    )


def test_the_reconstruction_is_the_decoders_in_the_inputs_unit(epochs):
    X, y = epochs
    X = X + np.array([[[1e-3], [0.0], [-1e-3]]])  # volts, with an offset
    clf = quick().fit(X, y)
    train = np.setdiff1d(np.arange(60), np.concatenate(
        [np.flatnonzero(y == c)[-6:] for c in ("left", "right")]
    ))
    mean = X[train].mean((0, 2), keepdims=True)
    scale = X[train].std((0, 2), keepdims=True)
    with torch.no_grad():
        module = clf.net_.module_.eval()
        logits, latent, rows = module(torch.tensor((X - mean) / scale).float())
    np.testing.assert_allclose(clf.transform(X), latent, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        clf.inverse_transform(latent.numpy()), rows.numpy() * scale + mean, rtol=1e-5
    )
    assert np.array_equal(clf.predict(X), clf.classes_[logits.argmax(1).numpy()])
    assert clf.inverse_transform(clf.transform(X[:1])).shape == (1, 3, 100)


def test_reconstructions_improve_with_training(epochs):
    X, y = epochs
    error = {}
    for n_epochs in (1, 30):
        clf = quick(max_epochs=n_epochs, early_stopping=False, batch_size=10, lr=3e-3).fit(X, y)
        back = clf.inverse_transform(clf.transform(X))
        error[n_epochs] = np.mean((back - X) ** 2) / X.var()
    assert error[30] < error[1]


def test_a_pipeline_takes_the_latent_with_its_row_table(epochs):
    X, y = epochs
    X = EEGArray(X, sfreq=100.0, metadata={"subject": np.repeat([1, 2, 3], 20)})
    clf = quick(latent_dim=5).fit(X, y)
    latent = clf.transform(X)
    assert isinstance(latent, EEGArray)
    assert latent.shape == (60, 5)
    assert latent.dtype == np.float64
    assert clf.transform(X.astype(np.float32)).dtype == np.float32
    assert latent.metadata["subject"].tolist() == X.metadata["subject"].tolist()
    assert clf.get_feature_names_out().tolist() == [f"min2netclassifier{i}" for i in range(5)]
    table = clf.set_output(transform="pandas").transform(X)
    assert list(table) == clf.get_feature_names_out().tolist()
    pipe = make_pipeline(quick(), LogisticRegression())
    assert cross_val_score(pipe, np.asarray(X), y, cv=2).shape == (2,)


def test_rows_of_samples_are_epochs_of_one_channel(epochs):
    X, y = epochs
    flat, deep = quick(random_state=1), quick(random_state=1)
    flat.fit(X[:, 0], y)
    deep.fit(X[:, :1], y)
    np.testing.assert_allclose(
        flat.predict_proba(X[:, 0]), deep.predict_proba(X[:, :1]), rtol=1e-4
    )
    assert flat.inverse_transform(flat.transform(X[:, 0])).shape == (60, 100)


def test_bands_have_an_axis_of_their_own(epochs):
    X, y = epochs
    banded = np.stack([X, X[:, ::-1]], axis=1)
    clf = quick().fit(banded, y)
    assert clf.net_.module_.n_bands == 2
    assert clf.transform(banded).shape == (60, 6)
    assert clf.inverse_transform(clf.transform(banded)).shape == banded.shape


def test_mne_epochs_go_straight_in(epochs):
    X, y = epochs
    events = np.column_stack([100 * np.arange(60), np.zeros(60, int), np.ones(60, int)])
    info = mne.create_info(["C3", "Cz", "C4"], 100.0, "eeg")
    E = mne.EpochsArray(X, info, events, verbose=False)
    assert np.array_equal(quick().fit(E, y).predict_proba(E), quick().fit(X, y).predict_proba(X))
    np.testing.assert_array_equal(
        cross_val_score(quick(), E, y, cv=2), cross_val_score(quick(), X, y, cv=2)
    )


def test_the_network_can_be_trained_by_cross_entropy_alone(epochs):
    losses = {"logits": "cross-entropy", "latent": None, "reconstruction": None}
    clf = quick(losses=losses).fit(*epochs)
    assert clf.loss_weighting_.weights_.tolist() == [1.0]
    decoder = [p for n, p in clf.net_.module_.named_parameters() if n.startswith("decoder")]
    assert all(p.grad is None for p in decoder)


def test_grid_search_over_policies_and_optimizers(epochs):
    grid = [
        {"loss_weighting": ["alphagrad"], "loss_weighting__lr": [0.01, 0.3]},
        {"optimizer": ["hjb", "adam"], "loss_weighting": ["fixed"], "lr": [0.01]},
    ]
    clf = quick(max_epochs=2, batch_size=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [
            GridSearchCV(clf, grid, cv=2, n_jobs=n, scoring="neg_log_loss", error_score="raise")
            .fit(*epochs).cv_results_ for n in (1, 2)
        ]
    for key in (k for k in results[0] if k.startswith("split")):
        assert np.array_equal(results[0][key], results[1][key])
    assert len(np.unique(results[0]["mean_test_score"])) == 4


def test_what_it_predicts_of_doubles_does_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 22, 640))
    clf = quick(max_epochs=1).fit(X, np.tile([0, 1], 4))
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(clf.transform(X))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_pickling_and_going_on(epochs):
    X, y = epochs
    clf = quick(loss_weighting="adamt").fit(X, y)
    other = pickle.loads(pickle.dumps(clf))
    for one in (clf, other):
        one.partial_fit(X[:1], y[:1])
        one.partial_fit(X[1:9], y[1:9])
    assert clf.n_iter_ == 5
    assert np.array_equal(clf.predict_proba(X), other.predict_proba(X))
    assert np.array_equal(clf.loss_weighting_.weights_, other.loss_weighting_.weights_)


def test_max_norms_hold_after_training(epochs):
    clf = quick(optimizer="hjb", lr=0.5).fit(*epochs)
    module = clf.net_.module_
    for name, limit in module.max_norms.items():
        norms = module.get_parameter(name).detach().flatten(1).norm(dim=1)
        assert float(norms.max()) <= limit * (1 + 1e-5)
    assert quick(max_norm=False).fit(*epochs).net_.module_.max_norms == {}


def test_gradapprox_needs_rows_to_validate_on(epochs):
    X, y = epochs
    assert "valid_latent" in quick(loss_weighting="gradapprox").fit(X, y).history_
    with pytest.raises(ValueError, match="needs validation rows, but with 16 rows .* holds out"):
        quick(loss_weighting="gradapprox").fit(X[:16], y[:16])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"subsampling": 101}, "n_times=100 samples are too few for subsampling=101"),
        ({"subsampling": 2, "pooling": 3}, "too few for pooling=3; use at most 2"),
        ({"latent_dim": 0}, "latent_dim=0 must be at least 1"),
        ({"kernel_sizes": (3,)}, "must hold two sizes"),
        ({"module__depth": 3}, "module MIN2Net has no argument 'depth'"),
        ({"criterion__x": 1}, "has no parameter 'criterion__x'"),
        ({"losses": {"logits": "cross-entropy"}}, "no entry for 'latent', 'reconstruction'"),
    ],
)
def test_what_does_not_fit_is_refused_at_fit(params, message, epochs):
    clf = quick(**params)
    with pytest.raises(ValueError, match=message):
        clf.fit(*epochs)


@pytest.mark.real_data
def test_a_real_subject_is_decoded_and_a_collapse_is_seen(data_folder):
    """Competition IV 2b, subject 4, sessions 1-3 to 4-5; LDA on log-variances reaches .954."""
    with np.load(data_folder / "bci4_2b" / "B04.npz", allow_pickle=False) as file:
        X, y, session = file["X"] * float(file["scale"]), file["y"], file["session"]
    X = resample_poly(X, 2, 5, axis=-1)  # 250 to 100 Hz
    train = session <= 3
    clf = MIN2NetClassifier(batch_size=10, max_epochs=30, random_state=0)
    assert clf.fit(X[train], y[train]).score(X[~train], y[~train]) > 0.9
    with pytest.warns(LossCollapseWarning, match="AlphaGrad"):
        clf.set_params(loss_weighting="alphagrad").fit(X[train], y[train])
    assert clf.history_["weight_reconstruction"].iloc[-1] > 2.85


def test_latents_of_another_size_are_refused(epochs):
    clf = quick().fit(*epochs)
    with pytest.raises(ValueError, match="X has 4 features, but the latent of MIN2Net.* has 3"):
        clf.inverse_transform(np.zeros((2, 4)))
