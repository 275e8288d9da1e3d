from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.display import LatentDisplay
from skbci.estimators import MIN2NetClassifier
from skbci.features import ChannelNormalizer

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class Latent(BaseEstimator):
    """Gives whatever it was given as the latent."""

    def __init__(self, values):
        self.values = values

    def transform(self, X):
        return self.values


def distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def test_a_latent_in_the_plane_keeps_its_distances():
    flat = np.random.default_rng(0).normal(size=(30, 2))
    tilted = flat @ np.linalg.qr(np.random.default_rng(1).normal(size=(7, 7)))[0][:2] + 5
    display = LatentDisplay.from_estimator(Latent(tilted), X[:30], np.tile([0, 1], 15))
    np.testing.assert_allclose(distances(display.embedding), distances(flat), atol=1e-9)
    assert sum(display.explained) == pytest.approx(1)


def test_points_are_the_principal_components_of_transform_by_class():
    scaler = StandardScaler().fit(X)
    display = LatentDisplay.from_estimator(scaler, X, NAMES)
    pca = PCA(2).fit(scaler.transform(X))
    expected = pca.transform(scaler.transform(X))
    assert list(display.points_) == ["setosa", "versicolor", "virginica"]
    for name, points in display.points_.items():
        found = points.get_offsets()
        sign = np.sign((found * expected[name == NAMES]).sum(axis=0))
        np.testing.assert_allclose(found, sign * expected[name == NAMES], atol=1e-9)
    shares = [round(100 * share) for share in pca.explained_variance_ratio_]
    assert display.ax_.get_xlabel() == f"component 1 ({shares[0]} % of the variance)"
    assert display.ax_.get_ylabel() == f"component 2 ({shares[1]} % of the variance)"
    words = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert words == list(display.points_)


def test_the_latent_of_a_network_behind_a_transformer():
    eeg = np.random.default_rng(0).normal(size=(20, 4, 64))
    labels = np.tile(["left", "right"], 10)
    pipe = make_pipeline(ChannelNormalizer("zscore"),
                         MIN2NetClassifier(max_epochs=2, random_state=0)).fit(eeg, labels)
    display = LatentDisplay.from_estimator(pipe, eeg, labels)
    latent = pipe[-1].transform(pipe[0].transform(eeg))
    assert latent.shape == (20, 4)
    own = LatentDisplay.from_estimator(Latent(latent), eeg, labels)
    np.testing.assert_array_equal(display.embedding, own.embedding)
    assert np.ptp(display.embedding) > 0


def test_tsne_is_sklearns_and_its_seed_decides():
    pipe = make_pipeline(StandardScaler(), PCA(3)).fit(X)
    small, labels = X[::5], Y[::5]
    a, b = (LatentDisplay.from_estimator(pipe, small, labels, method="tsne", random_state=3)
            for _ in range(2))
    np.testing.assert_array_equal(a.embedding, b.embedding)
    perplexity = (len(small) - 1) / 3
    own = TSNE(perplexity=perplexity, random_state=3).fit_transform(
        pipe.transform(small).astype(np.float32))
    np.testing.assert_array_equal(a.embedding, own)
    assert a.explained is None
    assert "t-SNE" in a.ax_.get_xlabel()
    tiny = LatentDisplay.from_estimator(pipe, X[:3], Y[:3], method="tsne")
    assert np.isfinite(tiny.embedding).all()


def test_every_row_is_drawn_once_and_many_labels_differ():
    labels = np.arange(len(X)) % 20
    display = LatentDisplay.from_estimator(StandardScaler().fit(X), X, labels)
    assert sum(len(points.get_offsets()) for points in display.points_.values()) == len(X)
    looks = {(tuple(points.get_facecolor()[0]), points.get_paths()[0].vertices.tobytes())
             for points in display.points_.values()}
    assert len(looks) == 20


def test_latents_of_any_shape_and_given_axes():
    maps = np.random.default_rng(0).normal(size=(10, 2, 3))
    figure, (left, right) = plt.subplots(1, 2)
    display = LatentDisplay.from_estimator(Latent(maps), X[:10], Y[:10], ax=right, size=9)
    flat = LatentDisplay.from_estimator(Latent(maps.reshape(10, 6)), X[:10], Y[:10])
    np.testing.assert_array_equal(display.embedding, flat.embedding)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()
    assert display.points_[0].get_sizes().tolist() == [9]


def test_a_constant_latent_is_a_point():
    display = LatentDisplay.from_estimator(Latent(np.ones((6, 4))), X[:6], Y[:6])
    np.testing.assert_allclose(display.embedding, 0)
    assert display.ax_.get_xlabel() == "component 1"


def test_saved_picture_holds_every_label(tmp_path):
    for method in ("pca", "tsne"):
        display = LatentDisplay.from_estimator(StandardScaler().fit(X), X[::3], NAMES[::3],
                                               method=method)
        display.figure_.savefig(tmp_path / "picture.png")
        inside = display.figure_.bbox
        texts = [*display.ax_.get_legend().get_texts(), display.ax_.xaxis.label,
                 display.ax_.yaxis.label]
        for box in (text.get_window_extent() for text in texts):
            assert box.x0 >= inside.x0
            assert box.x1 <= inside.x1
            assert box.y0 >= inside.y0


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: LatentDisplay.from_estimator(GaussianNB().fit(X, Y), X, Y), TypeError,
     "GaussianNB has no transform"),
    (lambda: LatentDisplay.from_estimator(StandardScaler(), X, Y), NotFittedError, "not fitted"),
    (lambda: LatentDisplay.from_estimator(Latent(X), X, Y, method="umap"), ValueError,
     "method='umap' is not one of"),
    (lambda: LatentDisplay.from_estimator(Latent(X), X, Y[:-1]), ValueError,
     "X has 150 rows, but y has 149 labels"),
    (lambda: LatentDisplay.from_estimator(Latent(X[:, :1]), X, Y), ValueError, "one dimension"),
    (lambda: LatentDisplay.from_estimator(Latent(X[:2]), X[:2], Y[:2]), ValueError,
     "at least three rows"),
    (lambda: LatentDisplay.from_estimator(Latent(X * np.nan), X, Y), ValueError, "not finite"),
])
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
