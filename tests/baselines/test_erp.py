"""erp_lda and erp_xdawn_riemann."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from skbci import EEGArray
from skbci.baselines import erp_lda, erp_xdawn_riemann
from skbci.datasets import load_recording, make_erp
from skbci.model_selection import LeaveSubjectsOut, PurgedKFold


@pytest.fixture(params=[erp_lda, erp_xdawn_riemann], ids=lambda f: f.__name__)
def make(request):
    return request.param


@pytest.fixture(scope="module")
def data():
    return make_erp(2, 1, 240, snr=4, random_state=0)


def test_finds_the_p300(make, data):
    auc = cross_val_score(make(tmin=0.0), data.X, data.y, cv=PurgedKFold(3), scoring="roc_auc")
    assert auc.mean() > 0.8
    shuffled = np.random.default_rng(0).permutation(data.y)
    chance = cross_val_score(make(tmin=0.0), data.X, shuffled, cv=PurgedKFold(3),
                             scoring="roc_auc")
    assert abs(chance.mean() - 0.5) < 0.12


def test_volts_and_microvolts_give_the_same(make, data):
    volts = make().fit(data.X, data.y).predict_proba(data.X)
    micro = make().fit(data.X * 1e6, data.y).predict_proba(data.X * 1e6)
    np.testing.assert_allclose(micro, volts, atol=1e-3)


def test_a_doubled_channel_is_no_problem(make, data):
    doubled = np.concatenate([np.asarray(data.X), np.asarray(data.X)[:, :2]], axis=1)
    pipe = make(sfreq=128).fit(doubled, data.y)
    assert np.isfinite(pipe.predict_proba(doubled)).all()
    assert pipe.score(doubled, data.y) > 0.85


def test_a_baseline_takes_offsets_away(make, data):
    pipe = make(baseline=(None, 0.0)).fit(data.X, data.y)
    rng = np.random.default_rng(0)
    shifted = data.X + rng.standard_normal((len(data.X), 8, 1)) * 1e-5
    np.testing.assert_allclose(
        pipe.decision_function(shifted), pipe.decision_function(data.X), atol=1e-2
    )
    assert list(pipe.named_steps)[:4] == ["filter", "baseline", "crop", "align"]


def test_fits_alike_pickles_and_takes_lists_and_epochs(make, data):
    X, y = data.X[:120], data.y[:120]
    one, other = (clone(make()).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).predict(X), one.predict(X))
    np.testing.assert_array_equal(make().fit(X, list(y)).predict(X), one.predict(X))
    np.testing.assert_array_equal(make().fit(X.to_epochs(), y).predict(X), one.predict(X))


def test_grid_search_reaches_the_steps(data):
    X, y = data.X[:120], data.y[:120]
    for pipe, grid in ((erp_lda(), {"means__width": [0.04, 0.1]}),
                       (erp_xdawn_riemann(), {"xdawn__nfilter": [1, 50]})):
        search = GridSearchCV(pipe, grid, cv=PurgedKFold(2), scoring="roc_auc").fit(X, y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_alignment_by_name(make):
    data = make_erp(3, 1, 120, snr=4, random_state=0)
    for alignment in ("euclidean", "riemannian"):
        auc = cross_val_score(make(alignment=alignment), data.X, data.y, cv=LeaveSubjectsOut(3),
                              scoring="roc_auc")
        assert auc.mean() > 0.65


@pytest.mark.parametrize(("params", "y", "match"), [
    ({}, "one", "one class only: .*'target'"),
    ({"baseline": (-5.0, 0.0)}, None, "BaselineCorrection: tmin=-5 s lies outside"),
    ({"tmin": -5.0}, None, "Crop: tmin=-5 s lies outside"),
    ({"sfreq": 100.0}, None, "sampled at 128 Hz"),
])
def test_bad_input_is_named(make, data, params, y, match):
    labels = np.full(len(data.y), "target") if y else data.y
    with pytest.raises(ValueError, match=match):
        make(**params).fit(data.X, labels)


def test_bad_keywords_are_named(make):
    with pytest.raises(ValueError, match=r"baseline=0.2 must be None or \(start, end\)"):
        make(baseline=0.2)
    with pytest.raises(ValueError, match="alignment='procrustes' is not 'scale', 'euclidean'"):
        make(alignment="procrustes")


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "wanted"), [("S1", 0.960), ("S2", 0.951), ("S3", 0.871)])
def test_speller_recordings(data_folder, name, wanted):
    data = load_recording(data_folder / "p300_gtec" / f"{name}.npz", tmin=-0.2, tmax=0.8)
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    auc = cross_val_score(erp_lda(tmin=0.0), data.X, data.y, cv=cv, scoring="roc_auc").mean()
    assert auc == pytest.approx(wanted, abs=0.02)
    assert isinstance(data.X, EEGArray)


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(("name", "wanted"), [("S1", 0.960), ("S2", 0.951), ("S3", 0.871)])
def test_speller_recordings_with_xdawn(data_folder, name, wanted):
    data = load_recording(data_folder / "p300_gtec" / f"{name}.npz", tmin=0.0, tmax=0.8)
    pipe = erp_xdawn_riemann()
    auc = cross_val_score(pipe, data.X, data.y, cv=PurgedKFold(5), scoring="roc_auc").mean()
    assert auc > wanted - 0.04
