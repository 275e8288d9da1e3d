"""The ERP simulator: what it promises about the P300 and about EEG."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from skbci import EEGArray
from skbci.baselines import erp_lda
from skbci.datasets import make_erp
from skbci.model_selection import PurgedKFold

QUIET = {"line_freq": None, "blinks": False, "reference": None}


CHANCE = pytest.approx(0.5, abs=0.09)  # eight subjects: its standard deviation is 0.027


def auc(data, y=None, **options):
    """Within-subject area under the ROC curve, mean over subjects and folds."""
    y = data.y if y is None else y
    subject = data.metadata["subject"].to_numpy()
    return np.mean([
        cross_val_score(erp_lda(**options), data.X[subject == s], y[subject == s],
                        cv=PurgedKFold(3), scoring="roc_auc").mean()
        for s in np.unique(subject)
    ])


@pytest.fixture(scope="module")
def data():
    return make_erp(random_state=0)


def test_bunch_has_the_documented_form(data):
    assert isinstance(data.X, EEGArray)
    assert data.X.shape == (600, 8, 128)
    assert data.X.tmin == pytest.approx(-0.2, abs=1 / 128)
    assert data.sfreq == data.X.sfreq == 128
    assert list(data.metadata) == ["subject", "session", "run", "onset", "task"]
    assert set(data.metadata["task"]) == {"oddball"}
    assert (data.y == "target").sum() == 100
    assert (data.y == "nontarget").sum() == 500
    assert "volt" in data.DESCR


def test_decoding_grows_with_snr():
    scores = [auc(make_erp(8, 1, 240, snr=snr, random_state=1)) for snr in (0, 0.5, 5)]
    assert scores[0] == CHANCE
    assert scores[1] > scores[0] + 0.06
    assert scores[2] > scores[1] + 0.1
    assert scores[2] > 0.85


def test_shuffled_labels_give_chance():
    data = make_erp(8, 1, 240, snr=5, random_state=2)
    shuffled = np.random.default_rng(0).permutation(data.y)
    assert auc(data, shuffled) == CHANCE


def test_no_information_before_the_stimulus():
    data = make_erp(8, 1, 240, snr=5, tmin=-0.5, duration=0.5, random_state=2)
    assert auc(data) == CHANCE


def responses(snr=1.0, **options):
    """What the stimuli evoke in epochs that no other stimulus reaches."""
    options = {"n_subjects": 3, "n_stimuli": 60, "interval": 2.0, "random_state": 3,
               "sfreq": 256, "tmin": 0.0, **QUIET, **options}
    return make_erp(snr=snr, **options)


def test_the_p300_is_parietal_positive_and_where_the_truth_says():
    names = ["Fz", "Cz", "Pz", "Oz"]
    with_, without = responses(ch_names=names), responses(0.0, ch_names=names)
    p300 = np.asarray(with_.X - without.X)
    target = with_.y == "target"
    assert not p300[~target].any()
    for row in with_.subjects.itertuples():
        own = target & (with_.metadata["subject"] == row.subject).to_numpy()
        mean = p300[own].mean(axis=0)
        assert np.abs(mean).max(axis=1).argmax() == 2
        peak = mean[2].argmax() / 256
        assert peak == pytest.approx(row.p300_latency, abs=0.04)
        single = p300[own][:, 2].argmax(axis=1) / 256
        assert 0.3 * row.p300_jitter < single.std() < 2 * row.p300_jitter


def test_snr_is_what_it_says():
    names = ["Pz", "Cz"]
    with_, without = responses(2.0, ch_names=names), responses(0.0, ch_names=names)
    p300 = np.asarray(with_.X - without.X)[with_.y == "target"][:, 0].max(axis=1)
    # Epochs of 30 s hold the slow part of the background too.
    long = make_erp(3, 1, 6, interval=30, duration=30, sfreq=256, random_state=3, snr=0,
                    ch_names=names, **QUIET)
    noise = np.asarray(long.X)[:, 0].var(axis=1)
    for row in with_.subjects.itertuples():
        own = (with_.metadata["subject"] == row.subject).to_numpy()[with_.y == "target"]
        other = (long.metadata["subject"] == row.subject).to_numpy()
        ratio = p300[own].mean() ** 2 / noise[other].mean()
        assert ratio == pytest.approx(row.snr, rel=0.4)


def test_all_stimuli_evoke_n1_and_p2():
    data = responses(0.0, ch_names=["PO7", "PO8", "CPz", "Oz"], n_subjects=6, n_stimuli=120)
    mean = np.asarray(data.X).mean(axis=0)
    time = np.arange(mean.shape[1]) / 256
    n1, p2 = (time > 0.12) & (time < 0.21), (time > 0.19) & (time < 0.28)
    assert mean[:2, n1].min() < -3 * mean[:2, time > 0.5].std()
    assert mean[2:, p2].max() > 3 * mean[2:, time > 0.5].std()


def test_neighbours_overlap_and_epochs_are_cut_from_one_recording():
    data = make_erp(1, 1, 30, random_state=0)
    table = data.metadata
    shift = round((table["onset"][1] - table["onset"][0]) * 128)
    np.testing.assert_array_equal(data.X[0][:, shift:], data.X[1][:, :-shift])
    assert table["onset"].diff().dropna().between(0.2, 0.3).all()


def test_same_seed_same_data_and_more_leave_the_first_as_they_were():
    one, again, other = (make_erp(1, 1, 12, random_state=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(one.X, again.X)
    assert (one.y == again.y).all()
    assert not np.allclose(one.X, other.X)
    np.testing.assert_array_equal(make_erp(2, 2, 12, random_state=7).X[:12], one.X)


def test_runs_and_ratio():
    data = make_erp(1, 2, 21, n_runs=2, n_nontargets=2, random_state=0)
    assert data.metadata.groupby(["session", "run"]).size().tolist() == [11, 10, 11, 10]
    per_run = data.metadata.assign(y=data.y == "target").groupby(["session", "run"])["y"].sum()
    assert per_run.tolist() == [4, 3, 4, 3]
    assert np.abs(np.asarray(data.X).sum(axis=1)).max() < 1e-15


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"n_stimuli": 5}, ValueError, "n_stimuli=5 must be at least 6"),
    ({"n_nontargets": 0}, ValueError, "n_nontargets=0 must be at least 1"),
    ({"interval": 0.01}, ValueError, "interval=0.01 must be at least 0.05"),
    ({"snr": -1}, ValueError, "snr=-1"),
    ({"snr": "high"}, TypeError, "snr='high' must be a number"),
    ({"ch_names": ["Pz", "Q1"]}, ValueError, r"\['Q1'\]"),
])
def test_bad_input_is_named(options, error, match):
    with pytest.raises(error, match=match):
        make_erp(**{"n_subjects": 1, "n_stimuli": 12, **options})
