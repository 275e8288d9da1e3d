"""All baselines by the same tests."""

from __future__ import annotations

import pickle
import warnings

import mne
import numpy as np
import pytest
from pyriemann.classification import FgMDM
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline

from skbci import EEGArray
from skbci.baselines import csp_lda, fbcsp, riemann_fgmdm, riemann_mdm, tangent_space_lr

BASELINES = [csp_lda, fbcsp, tangent_space_lr, riemann_fgmdm, riemann_mdm]
SFREQ, N, C, T = 100.0, 40, 6, 200
Y = np.tile(["left", "right"], N // 2)


def _epochs(seed: int = 0, n: int = N, reference: bool = True, effect: float = 2.0) -> np.ndarray:
    """Broadband noise and a 12-Hz rhythm whose side depends on the label; volts, mean 5 mV."""
    random = np.random.RandomState(seed)
    y = np.tile([0, 1], n // 2)
    time = np.arange(T) / SFREQ
    phase = random.uniform(0, 2 * np.pi, (n, 2, 1))
    rhythm = np.sin(2 * np.pi * 12 * time + phase) * (
        1 + effect * (y[:, None] == np.arange(2)))[:, :, None]
    X = random.standard_normal((n, C, T))
    X[:, :2] += rhythm
    X = np.einsum("dc,nct->ndt", random.standard_normal((C, C)), X) * 1e-5 + 5e-3
    return X - X.mean(axis=1, keepdims=True) if reference else X


@pytest.fixture(params=BASELINES, ids=lambda f: f.__name__)
def make(request):
    return request.param


def test_a_ready_pipeline_with_plain_names(make):
    pipe = make(sfreq=SFREQ)
    assert isinstance(pipe, Pipeline)
    assert all(name.isidentifier() and len(name) <= 8 for name in pipe.named_steps)
    assert pipe.get_params()["filter__order"] == 4
    clone(pipe)


def test_learns_what_there_is_to_learn_and_nothing_else(make):
    X = _epochs()
    cv = StratifiedKFold(4, shuffle=True, random_state=0)
    assert cross_val_score(make(sfreq=SFREQ), X, Y, cv=cv).mean() > 0.85
    noise = [cross_val_score(make(sfreq=SFREQ), _epochs(seed, effect=0.0), Y, cv=cv).mean()
             for seed in range(3)]
    assert abs(np.mean(noise) - 0.5) < 0.15


def test_volts_and_microvolts_give_the_same_predictions(make):
    X = _epochs()
    test = _epochs(seed=1)
    volts = make(sfreq=SFREQ).fit(X, Y)
    micro = make(sfreq=SFREQ).fit(X * 1e6, Y)
    assert np.array_equal(volts.predict(test), micro.predict(test * 1e6))
    np.testing.assert_allclose(volts.predict_proba(test), micro.predict_proba(test * 1e6),
                               atol=1e-6)


@pytest.mark.parametrize("block", range(4))
def test_average_reference_never_fails(make, block):
    """100 seeds in all: rank C - 1, few trials, and finite numbers everywhere."""
    for seed in range(25 * block, 25 * (block + 1)):
        X, y = _epochs(seed, n=12), Y[:12]
        pipe = make(sfreq=SFREQ)
        if make is fbcsp:
            pipe.set_params(filter__bands=((8, 12), (12, 16)), csp__n_bands=2, select__k=4)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pipe.fit(X, y)
            features = pipe[:-1].transform(X)
            probabilities = pipe.predict_proba(X)
        assert np.isfinite(np.asarray(features)).all()
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_doubled_channel_is_no_problem_either(make):
    X = _epochs()
    doubled = np.concatenate([X, X[:, :1], X[:, :2].mean(axis=1, keepdims=True)], axis=1)
    pipe = make(sfreq=SFREQ).fit(doubled, Y)
    assert pipe.score(doubled, Y) > 0.85


def test_array_with_rate_and_epochs_predict_alike(make):
    X, test = _epochs(), _epochs(1)
    expected = make(sfreq=SFREQ).fit(X, Y).predict(test)
    known = make().fit(EEGArray(X, sfreq=SFREQ), Y)
    assert np.array_equal(known.predict(EEGArray(test, sfreq=SFREQ)), expected)
    info = mne.create_info(C, SFREQ, "eeg")
    epochs, other = (mne.EpochsArray(x, info, verbose="error") for x in (X, test))
    assert np.array_equal(make().fit(epochs, Y).predict(other), expected)


def test_epochs_straight_into_cross_validation(make, capsys):
    info = mne.create_info(C, SFREQ, "eeg")
    epochs = mne.EpochsArray(_epochs(), info, tmin=-0.5, verbose="error")
    scores = cross_val_score(make(tmin=0.0, tmax=1.0), epochs, list(Y), cv=3)
    assert scores.mean() > 0.75
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_the_window_is_on_the_rows_own_time_axis(make):
    X = _epochs()
    late = EEGArray(X, sfreq=SFREQ, tmin=-0.5)
    a = make(tmin=0.0, tmax=1.0).fit(late, Y)
    b = make(sfreq=SFREQ, tmin=0.5, tmax=1.5).fit(X, Y)
    np.testing.assert_allclose(a.predict_proba(late), b.predict_proba(X))


def test_two_fits_are_equal_and_pickles_too(make):
    X, test = _epochs(), _epochs(1)
    one, other = (make(sfreq=SFREQ).fit(X, Y) for _ in range(2))
    assert np.array_equal(one.predict_proba(test), other.predict_proba(test))
    assert np.array_equal(pickle.loads(pickle.dumps(one)).predict(test), one.predict(test))


def test_three_classes_of_integers(make):
    X = _epochs(n=60)
    y = np.arange(60) % 3
    X[y == 2] *= np.linspace(0.5, 2, C)[:, None]
    pipe = make(sfreq=SFREQ).fit(X, y)
    assert set(pipe.predict(X)) <= {0, 1, 2}
    assert pipe.predict_proba(X).shape == (60, 3)


def test_grid_search_reaches_the_steps():
    search = GridSearchCV(csp_lda(sfreq=SFREQ), {"csp__n_components": [2, 50]}, cv=2)
    search.fit(_epochs(), Y)  # 50 is far above the rank
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    names = set(fbcsp(sfreq=SFREQ).get_params()) & set(tangent_space_lr(sfreq=SFREQ).get_params())
    assert {"filter__bands", "crop__tmin"} <= names
    assert {"cov__estimator", "rank__tol", "mdm__metric"} <= set(riemann_mdm().get_params())
    assert {"tangent__metric", "lr__C"} <= set(tangent_space_lr().get_params())
    assert {"select__k", "csp__reg"} <= set(fbcsp().get_params())


def test_filter_bank_finds_the_band():
    pipe = fbcsp(sfreq=SFREQ).fit(_epochs(), Y)
    names = pipe["csp"].get_feature_names_out()[pipe["select"].get_support()]
    assert {"band1", "band2"} & {name.split("_")[0] for name in names}  # 8-12, 12-16 Hz


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["left"] * N}, "class"),
        ({"X": "constant"}, "Constant channel: channel 2"),
        ({"X": "nan"}, "NaN"),
        ({"sfreq": None}, "sampling rate: pass sfreq="),
        ({"sfreq": 50.0}, "Nyquist"),
        ({"tmin": 1.5, "tmax": 9.0}, "tmax"),
        ({"y": Y[:-1]}, "."),
    ],
)
def test_bad_input_is_named(make, change, message):
    X = _epochs(reference=False)
    kind = change.get("X")
    if kind == "constant":
        X[:, 2] = 1e-5
    elif kind == "nan":
        X[3, 1, 7] = np.nan
    settings = {"sfreq": SFREQ, **{k: v for k, v in change.items() if k not in ("X", "y")}}
    with pytest.raises(ValueError, match=message):
        make(**settings).fit(X, change.get("y", Y))


def test_one_class_is_named_by_all(make):
    with pytest.raises(ValueError, match="(only )?one class"):
        make(sfreq=SFREQ).fit(_epochs(), np.zeros(N))


def test_wrong_channel_count_at_predict(make):
    pipe = make(sfreq=SFREQ).fit(_epochs(), Y)
    with pytest.raises(ValueError, match="X has 4 channels .* fitted with 6 channels"):
        pipe.predict(_epochs()[:, :4])


def test_geodesic_filtering_is_pyriemanns():
    X, other = _epochs(reference=False), _epochs(1, reference=False)
    pipe = riemann_fgmdm(sfreq=SFREQ).fit(X, Y)
    cov = pipe[:-1].transform(X)
    plain = FgMDM().fit(np.asarray(cov), Y)
    tested = np.asarray(pipe[:-1].transform(other))
    np.testing.assert_allclose(pipe.predict_proba(other), plain.predict_proba(tested))
    # The filter leaves one direction of two classes: what both say is decided there.
    assert np.mean(pipe.predict(other) == Y) >= np.mean(
        riemann_mdm(sfreq=SFREQ).fit(X, Y).predict(other) == Y)
