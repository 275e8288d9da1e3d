from __future__ import annotations

import pickle

import mne
import numpy as np
import pytest
from sklearn.base import clone

from skbci import EEGArray
from skbci.baselines import BandCSP, csp_lda

N, C, T = 40, 5, 120
Y = np.tile(["left", "right"], N // 2)


def _mixed(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Independent sources, two of them stronger in one class each, mixed into channels."""
    random = np.random.RandomState(seed)
    sources = random.standard_normal((N, C, T))
    sources[Y == "left", 0] *= 3
    sources[Y == "right", 1] *= 3
    mixing = random.standard_normal((C, C))
    return mixing @ sources, mixing


def test_full_rank_data_give_what_mne_gives():
    X, _ = _mixed()
    ours = BandCSP(4, reg=None).fit_transform(X, Y)
    theirs = mne.decoding.CSP(4, reg=None, log=True, rank="full")
    with mne.utils.use_log_level("error"):
        theirs = theirs.fit_transform(X, Y)
    # RankReducer's scale is a constant on every log-power.
    np.testing.assert_allclose(ours - ours.mean(axis=0), theirs - theirs.mean(axis=0), atol=1e-8)


def test_the_sources_that_differ_are_found():
    X, mixing = _mixed()
    csp = BandCSP(2).fit(X, Y)
    cosines = np.abs(csp.patterns_ @ mixing) / np.outer(
        np.linalg.norm(csp.patterns_, axis=1), np.linalg.norm(mixing, axis=0))
    assert (cosines[:, :2].max(axis=0) > 0.99).all()
    np.testing.assert_allclose(csp.filters_ @ csp.patterns_.T, np.eye(2), atol=1e-8)


def test_features_are_the_log_power_of_the_filters_output():
    X, _ = _mixed()
    csp = BandCSP(3).fit(X, Y)
    expected = np.log(np.mean((csp.filters_ @ X) ** 2, axis=-1))
    np.testing.assert_allclose(csp.transform(X), expected)


@pytest.mark.parametrize("scale", [1e-6, 1e3])
def test_unit_of_the_data_does_not_matter(scale):
    X, _ = _mixed()
    np.testing.assert_allclose(
        BandCSP(4).fit_transform(scale * X, Y), BandCSP(4).fit_transform(X, Y), atol=1e-8)


def test_an_invertible_mixture_of_the_channels_does_not_matter():
    X, _ = _mixed()
    other = np.random.RandomState(5).standard_normal((C, C)) @ X
    a, b = (BandCSP(4, reg=None, tol=0.0).fit_transform(data, Y) for data in (X, other))
    np.testing.assert_allclose(a - a.mean(axis=0), b - b.mean(axis=0), atol=1e-6)


def test_a_channel_that_is_the_sum_of_others_changes_nothing():
    X, _ = _mixed()
    more = np.concatenate([X, X.sum(axis=1, keepdims=True)], axis=1)
    a, b = (BandCSP(4, reg=None).fit_transform(data, Y) for data in (X, more))
    np.testing.assert_allclose(a - a.mean(axis=0), b - b.mean(axis=0), atol=1e-6)


def test_more_components_than_rank_are_cut():
    X, _ = _mixed()
    X = X - X.mean(axis=1, keepdims=True)
    csp = BandCSP(20).fit(X, Y)
    assert csp.filters_.shape == (C - 1, C)
    assert np.isfinite(csp.transform(X)).all()


def test_bands_are_independent_and_both_layouts_are_one():
    a, b = _mixed(0)[0], _mixed(1)[0]
    stacked = BandCSP(3).fit(np.stack([a, b], axis=1), Y)
    joined = BandCSP(3, n_bands=2).fit(np.concatenate([a, b], axis=1), Y)
    expected = np.hstack([BandCSP(3).fit_transform(x, Y) for x in (a, b)])
    np.testing.assert_allclose(stacked.transform(np.stack([a, b], axis=1)), expected)
    np.testing.assert_allclose(joined.transform(np.concatenate([a, b], axis=1)), expected)
    assert list(stacked.get_feature_names_out()) == [
        f"band{i}_csp{k}" for i in range(2) for k in range(3)]
    assert list(BandCSP(2).fit(a, Y).get_feature_names_out()) == ["csp0", "csp1"]


def test_three_classes():
    X, _ = _mixed()
    y = np.arange(N) % 3
    X[y == 2, :] *= np.linspace(1, 2, C)[:, None]
    assert BandCSP(4).fit(X, y).transform(X).shape == (N, 4)


def test_rows_keep_their_table_and_mne_keeps_silent(capsys):
    X, _ = _mixed()
    data = EEGArray(X, {"subject": np.arange(N)}, sfreq=100.0)
    out = BandCSP(2).fit_transform(data, Y)
    assert out.metadata["subject"].tolist() == list(range(N))
    assert out.sfreq is None
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_row_of_zeros_has_finite_features():
    X, _ = _mixed()
    csp = BandCSP(2).fit(X, Y)
    assert np.isfinite(csp.transform(np.zeros((1, C, T)))).all()


@pytest.mark.parametrize(
    ("csp", "X", "y", "error", "message"),
    [
        (BandCSP(), None, ["left"] * N, ValueError, "one class only: .*'left'"),
        (BandCSP(), None, None, ValueError, "requires y to be passed"),
        (BandCSP(), None, Y[:-1], ValueError, "y has 39 labels, but X has 40 rows"),
        (BandCSP(0), None, Y, ValueError, "n_components=0 must be at least 1"),
        (BandCSP(2.0), None, Y, TypeError, "n_components=2.0 must be"),
        (BandCSP(n_bands=2), None, Y, ValueError, "n_bands=2 does not divide the 5 channels"),
        (BandCSP(), np.full((N, C, T), np.nan), Y, ValueError, "NaN"),
        (BandCSP(), np.zeros((N, C, T)), Y, ValueError, "Constant channel"),
        (BandCSP(reg="magic"), None, Y, ValueError, "magic|reg"),
    ],
)
def test_bad_input_is_named(csp, X, y, error, message):
    with pytest.raises(error, match=message):
        clone(csp).fit(_mixed()[0] if X is None else X, y)


def test_wrong_channel_count():
    csp = BandCSP().fit(_mixed()[0], Y)
    with pytest.raises(ValueError, match="X has 4 channels .* fitted with 5 channels"):
        csp.transform(_mixed()[0][:, :4])


def test_mne_reads_the_filters_of_a_csp_pipeline():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 4, 200)), np.tile([0, 1], 20)
    X[y == 1, 2] *= 3
    X -= X.mean(axis=1, keepdims=True)
    pipe = csp_lda(2, sfreq=100.0).fit(X, y)
    info = mne.create_info(["C3", "Cz", "C4", "Pz"], 100.0, "eeg")
    if not hasattr(mne.decoding, "get_spatial_filter_from_estimator"):
        pytest.skip("MNE before 1.11 has no view of a pipeline's filters")
    found = mne.decoding.get_spatial_filter_from_estimator(pipe, info, step_name="csp")
    assert found.filters.shape == found.patterns.shape == (2, 4)
    assert found.evals.shape == (2,)
    # The source with the greatest power in one class is channel 2, as seen after the reference.
    strongest = np.argmax(np.abs(found.evals - 0.5))
    pattern = found.patterns[strongest]
    assert np.abs(pattern).argmax() == 2
    # A filter's output has the share of power that its eigenvalue says.
    band = np.asarray(pipe[:3].transform(X))
    power = [np.square(found.filters[0] @ band[y == label]).mean() for label in (0, 1)]
    assert found.evals[0] == pytest.approx(power[0] / sum(power), rel=1e-6)
    assert not hasattr(pipe[3], "inverse_transform")
    again = pickle.loads(pickle.dumps(pipe))
    np.testing.assert_array_equal(again.predict(X), pipe.predict(X))


def test_rows_of_one_time_sample_are_refused():
    X = np.random.default_rng(0).normal(size=(10, 3, 1))
    with pytest.raises(ValueError, match="rows of one time sample"):
        BandCSP(2).fit(X, np.arange(10) % 2)
