"""Names of what steps give, and data frames, from the first step to the last."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skbci import EEGArray, make_pipeline
from skbci.baselines import (
    csp_lda,
    erp_lda,
    erp_xdawn_riemann,
    fbcsp,
    riemann_fgmdm,
    riemann_mdm,
    slow_potentials_lr,
    ssvep_cca,
    tangent_space_lr,
)
from skbci.features import (
    BandEnergy,
    Crop,
    EuclideanAlignment,
    FilterBank,
    RankReducer,
    SlidingWindows,
)

NAMES = ["C3", "Cz", "C4"]
BANDS = [(8, 12), (12, 30)]


@pytest.fixture(scope="module")
def eeg():
    rng = np.random.default_rng(0)
    table = {"subject": np.repeat([1, 2], 12)}
    return EEGArray(rng.normal(0, 1e-5, (24, 3, 128)), table, sfreq=128.0, ch_names=NAMES)


Y = np.arange(24) % 2
READY = {
    "csp": lambda: csp_lda(2), "aligned": lambda: csp_lda(2, alignment="euclidean"),
    "fbcsp": lambda: fbcsp(2), "tangent": tangent_space_lr, "mdm": riemann_mdm,
    "filtered": riemann_fgmdm,
    "slow": slow_potentials_lr, "erp": lambda: erp_lda(baseline=None),
    "xdawn": lambda: erp_xdawn_riemann(1, baseline=None), "cca": lambda: ssvep_cca((8, 13)),
}


@pytest.mark.parametrize("name", READY)
def test_ready_pipelines_name_their_features_and_give_data_frames(name, eeg):
    y = np.array([8, 13])[Y] if name == "cca" else Y
    plain = READY[name]().fit(eeg, y)
    framed = READY[name]().set_output(transform="pandas").fit(eeg, y)
    assert framed.predict(eeg).tolist() == plain.predict(eeg).tolist()
    names, out = framed[:-1].get_feature_names_out(), framed[:-1].transform(eeg)
    if out.ndim > 2:  # signals or matrices: a frame holds two dimensions
        assert not isinstance(out, pd.DataFrame)
        assert len(names) in (out.shape[1], out.shape[1] * out.shape[2])
        return
    assert list(out.columns) == list(names)
    assert len(set(names)) == len(names)
    np.testing.assert_allclose(out, plain[:-1].transform(eeg))


@pytest.mark.parametrize(("step", "names"), [
    (FilterBank(BANDS), [f"{ch}_{band}Hz" for band in ("8-12", "12-30") for ch in NAMES]),
    (FilterBank(BANDS, output="channels"),
     [f"{ch}_{band}Hz" for band in ("8-12", "12-30") for ch in NAMES]),
    (SlidingWindows(0.5, 0.5), [f"{ch}_window{k}" for k in range(2) for ch in NAMES]),
    (Crop(0.25), NAMES), (EuclideanAlignment(), NAMES),
    (RankReducer(), ["component0", "component1", "component2"]),
], ids=str)
def test_signals_are_named_by_their_channels(step, names, eeg):
    step = clone(step)
    out = step.fit_transform(eeg)
    assert step.get_feature_names_out().tolist() == names
    assert len(names) == np.prod(out.shape[1:-1])
    if out.ndim == 3 and getattr(out, "ch_names", None):
        assert out.ch_names == names
    other = [name.replace("C", "P") for name in names]
    assert step.get_feature_names_out(["P3", "Pz", "P4"]).tolist() == other
    with pytest.raises(ValueError, match="channels \\(3\\), got 2"):
        step.get_feature_names_out(["P3", "Pz"])
    framed = clone(step).set_output(transform="pandas").fit_transform(eeg)
    assert isinstance(framed, EEGArray)
    np.testing.assert_array_equal(framed, out)


def test_names_go_from_step_to_step(eeg):
    pipe = make_pipeline(FilterBank(BANDS), Crop(0.25), EuclideanAlignment()).fit(eeg)
    assert pipe.get_feature_names_out().tolist() == [
        "C3_8-12Hz", "Cz_8-12Hz", "C4_8-12Hz", "C3_12-30Hz", "Cz_12-30Hz", "C4_12-30Hz"]
    stacked = make_pipeline(FilterBank(BANDS, output="channels"),
                            BandEnergy([(8, 20)], n_subbands=1)).fit(eeg)
    frame = stacked.set_output(transform="pandas").transform(eeg)
    assert list(frame) == stacked.get_feature_names_out().tolist()
    assert frame.columns[0] == "C3_8-12Hz_8-20Hz"


def test_rows_of_features_become_frames(eeg):
    rows = np.asarray(eeg)[:, 0]
    for step in (Crop(0.25, sfreq=128), EuclideanAlignment()):
        out = step.set_output(transform="pandas").fit(rows).transform(rows)
        assert isinstance(out, pd.DataFrame)
        assert list(out) == step.get_feature_names_out().tolist()


def test_a_step_without_containers_is_named_in_the_error(eeg):
    class Bare:
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

        def __repr__(self):
            return "Bare()"

    with pytest.raises(ValueError, match=r"Bare\(\)"):
        make_pipeline(Bare(), Crop()).set_output(transform="pandas")
