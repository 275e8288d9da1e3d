"""What was written is read as it was, in this process and in another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import zipfile
from functools import partial
from pathlib import Path

import mne
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, EpochScoring, LRScheduler
from torch import nn

from skbci import EEGArray
from skbci._version_record import VersionWarning
from skbci.baselines import csp_lda, tangent_space_lr
from skbci.estimators import (
    EvidenceAccumulator,
    MIN2NetClassifier,
    MLPClassifier,
    MultiViewClassifier,
    NeuralClassifier,
    OnlineClassifier,
)
from skbci.features import BandEnergy, CausalCentering, FilterBank, WelchPSD
from skbci.persistence import load, save
from skbci.stream import OnlineDecoder
from tests.persistence.conftest import assert_same
from tests.persistence.test_plain import MaxNorm, Parametrized
from tests.public_estimators import ESTIMATORS, PIPELINES
from tests.test_whole_fits import data_for

pytestmark = [pytest.mark.extras, pytest.mark.filterwarnings("ignore")]
OWN = "tests.persistence.test_save_load"


class Shrink(TransformerMixin, BaseEstimator):
    """A step of the user's own with all that other formats stumble over."""

    def fit(self, X, y=None):
        self.factors_ = {("a", 1): torch.tensor([2.0]), None: np.float32(3), 7: {1, 2}}
        self.table_ = pd.DataFrame({"subject": ["x", "y"], "score": [1.0, np.nan]})
        self.names_ = np.array(["a", None, ("b", 2)], dtype=object)
        return self

    def transform(self, X):
        return np.asarray(X) / float(self.factors_["a", 1])


class Act(nn.Module):
    """A torch module of the user's own that keeps functions."""

    def __init__(self, n_channels, n_times, n_outputs):
        super().__init__()
        self.act, self.also = nn.functional.elu, torch.tanh
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_outputs))
        self.register_buffer("scale", torch.tensor(2.0, dtype=torch.float64))

    def forward(self, X):
        return self.also(self.act(self.layers(X))) * self.scale.to(X.dtype)


@pytest.mark.parametrize("estimator", [*ESTIMATORS, *PIPELINES], ids=lambda e: str(e)[:40])
def test_every_public_estimator(estimator, tmp_path):
    X, y = data_for(estimator)
    if "CCA" in str(estimator):
        y = np.array([8, 13])[y]
    if "max_epochs" in estimator.get_params():
        estimator = clone(estimator).set_params(max_epochs=3)
    fitted = clone(estimator).fit(X, y)
    save(fitted, tmp_path / "a.skbci")
    assert_same(fitted, load(tmp_path / "a.skbci"), X)


def small(**settings):
    return {"max_epochs": 2, "random_state": 0, **settings}


PIPES = {
    "csp": lambda: csp_lda(2, sfreq=128, alignment="euclidean"),
    "tangent": lambda: tangent_space_lr(sfreq=128),
    "mlp": lambda: make_pipeline(WelchPSD(sfreq=128), StandardScaler(),
                                 MLPClassifier((4,), early_stopping=True, **small())),
    "mne": lambda: make_pipeline(
        mne.decoding.Scaler(mne.create_info(4, 128.0, "eeg")), mne.decoding.Vectorizer(),
        SelectKBest(partial(mutual_info_classif, random_state=0), k=5), LogisticRegression()),
    "csp of mne": lambda: make_pipeline(mne.decoding.CSP(2), LinearDiscriminantAnalysis()),
    "search": lambda: GridSearchCV(
        csp_lda(2, sfreq=128), {"csp__n_components": [2, 4]},
        scoring={"a": make_scorer(roc_auc_score, response_method="predict_proba"),
                 "b": "accuracy"}, refit="a", cv=2),
    "ensemble": lambda: make_pipeline(
        BandEnergy(sfreq=128), StackingClassifier([
            ("svm", SVC(probability=False)), ("net", MLPClassifier((3,), **small())),
            ("trees", RandomForestClassifier(3, random_state=0))], cv=2)),
    "calibrated": lambda: CalibratedClassifierCV(csp_lda(2, sfreq=128), cv=2),
    "union": lambda: make_pipeline(FeatureUnion([
        ("a", BandEnergy(sfreq=128)), ("b", make_pipeline(
            WelchPSD(sfreq=128), FunctionTransformer(np.log1p),
            ColumnTransformer([("c", "passthrough", [0, 2])])))]), LogisticRegression()),
    "min2net": lambda: MIN2NetClassifier(loss_weighting="alphagrad", **small()),
    "views": lambda: MultiViewClassifier(
        [("raw", "passthrough"), ("power", BandEnergy(sfreq=128))], **small()),
    "online": lambda: OnlineClassifier(
        make_pipeline(BandEnergy(sfreq=128), MLPClassifier((3,), **small()))),
    "callbacks": lambda: NeuralClassifier(
        Act, callbacks=[LRScheduler(policy="StepLR", step_size=1), EarlyStopping("train_loss"),
                        EpochScoring("accuracy")], optimizer="adam", **small()),
    "own": lambda: make_pipeline(Shrink(), NeuralClassifier(Parametrized, **small())),
}
TRUSTED = [f"{OWN}.Shrink", Act, MaxNorm, Parametrized]


@pytest.mark.parametrize("name", PIPES)
def test_pipelines_predict_the_same(name, epochs, tmp_path):
    X, y = epochs
    fitted = PIPES[name]().fit(X, y)
    save(fitted, tmp_path / "a.skbci")
    assert_same(fitted, load(tmp_path / "a.skbci", trusted=TRUSTED), X)


def test_what_goes_on_learning_goes_on_the_same(epochs, tmp_path):
    X, y = epochs
    net = MLPClassifier((4,), optimizer="adam", dropout=0.3, **small())
    fitted = net.fit(X.reshape(60, -1), y)
    save(fitted, tmp_path / "a.skbci")
    back = load(tmp_path / "a.skbci")
    for _ in range(2):
        fitted.partial_fit(X.reshape(60, -1), y)
        back.partial_fit(X.reshape(60, -1), y)
    assert_same(fitted, back, X.reshape(60, -1))
    pd.testing.assert_frame_equal(fitted.history_.drop(columns="dur"),
                                  back.history_.drop(columns="dur"))


def test_a_step_of_ones_own_keeps_everything(epochs, tmp_path):
    step = Shrink().fit(epochs[0])
    step.self_shared_ = step.factors_
    save(step, tmp_path / "a.skbci")
    back = load(tmp_path / "a.skbci", trusted=[Shrink])
    assert back.factors_ == step.factors_
    assert back.self_shared_ is back.factors_
    assert back.names_.tolist() == ["a", None, ("b", 2)]
    pd.testing.assert_frame_equal(back.table_, step.table_)


def test_a_decoder_goes_on_in_the_middle_of_a_session(epochs, tmp_path):
    X, y = epochs
    table = {"subject": [1] * 60, "session": [1] * 60, "onset": np.arange(60) * 2.0}
    rows = EEGArray(X, table, sfreq=128.0)
    for pipeline in (
        make_pipeline(WelchPSD(n_per_seg=32), MLPClassifier((3,), **small())),
        make_pipeline(FilterBank([(8, 30)], phase="causal", output="channels"), WelchPSD(),
                      CausalCentering(), EvidenceAccumulator(LogisticRegression(), 3)),
        csp_lda(2),
    ):
        fitted = pipeline.fit(rows, y)
        decoder = OnlineDecoder(fitted, 0.5, 0.125, batch_size=4)
        stream = np.hstack(list(X[:10]))
        decoder.update(stream[:, :301])
        save(decoder, tmp_path / "a.skbci")
        back = load(tmp_path / "a.skbci")
        for at in (slice(301, 400), slice(400, 640)):
            for one, two in zip(decoder.update(stream[:, at]), back.update(stream[:, at])):
                np.testing.assert_array_equal(one, two)
        header = json.loads(zipfile.ZipFile(tmp_path / "a.skbci").read("header.json"))
        assert header["window"]["n_times"] == 64


def test_another_process_predicts_the_same_bits(epochs, tmp_path):
    X, y = epochs
    np.save(tmp_path / "X.npy", X)
    for name in ("csp", "mlp", "min2net", "own"):
        fitted = PIPES[name]().fit(X, y)
        save(fitted, tmp_path / f"{name}.skbci")
        np.save(tmp_path / f"{name}.npy", fitted.predict_proba(X))
    code = f"""
        import numpy as np
        from skbci.persistence import load
        X = np.load("X.npy")
        for name in ("csp", "mlp", "min2net", "own"):
            model = load(name + ".skbci", trusted={[f"{OWN}.Shrink",
                         "tests.persistence.test_plain.Parametrized",
                         "tests.persistence.test_plain.MaxNorm"]})
            assert np.array_equal(model.predict_proba(X), np.load(name + ".npy")), name
    """
    root = str(Path(__file__).parents[2])  # where the other process finds the classes of here
    subprocess.run([sys.executable, "-W", "error::UserWarning:skbci", "-c",
                    textwrap.dedent(code)], cwd=tmp_path, check=True,
                   env={**os.environ, "PYTHONPATH": root})


def test_own_classes_whose_module_is_missing_are_named(epochs, tmp_path, monkeypatch):
    save(PIPES["own"]().fit(*epochs), tmp_path / "own.skbci")
    monkeypatch.setitem(sys.modules, OWN, None)  # as if there were none
    trusted = [f"{OWN}.Shrink", "tests.persistence.test_plain.Parametrized",
               "tests.persistence.test_plain.MaxNorm"]
    with pytest.raises(ImportError, match=r"own\.skbci holds .*Shrink, which cannot be imported"):
        load(tmp_path / "own.skbci", trusted=trusted)


def test_the_header_says_what_is_decoded(epochs, tmp_path):
    X, y = epochs
    rows = EEGArray(X, sfreq=128.0, ch_names=["C3", "Cz", "C4", "Pz"], tmin=0.5)
    save(csp_lda(2).fit(rows, y), tmp_path / "a.skbci")
    with zipfile.ZipFile(tmp_path / "a.skbci") as archive:
        header = json.loads(archive.read("header.json"))
    assert header["class"].endswith("DecoderPipeline")
    assert header["classes"] == ["left", "right"]
    assert header["ch_names"] == ["C3", "Cz", "C4", "Pz"]
    assert header["sfreq"] == 128
    assert header["unit"] == "V"
    assert header["window"] == {"n_times": 64, "tmin": 0.5, "duration": 0.5}
    assert {"skbci", "python", "numpy", "scipy", "sklearn", "torch", "skorch", "mne",
            "pyriemann", "pandas"} <= header["versions"].keys()
    assert header["types"] == []


@pytest.mark.parametrize("around", [
    lambda inner: inner,
    lambda inner: CalibratedClassifierCV(inner, cv=2),
    lambda inner: VotingClassifier([("a", inner), ("b", clone(inner))], voting="soft"),
    lambda inner: GridSearchCV(inner, {"logisticregression__C": [1.0]}, cv=2),
])
def test_the_header_looks_into_unions_and_ensembles(epochs, tmp_path, around):
    X, y = epochs
    union = FeatureUnion([("a", WelchPSD(sfreq=128)), ("b", WelchPSD(sfreq=128))])
    save(around(make_pipeline(union, LogisticRegression())).fit(X, y), tmp_path / "a.skbci")
    header = json.loads(zipfile.ZipFile(tmp_path / "a.skbci").read("header.json"))
    assert header["sfreq"] == 128
    assert header["n_channels"] == X.shape[1]
    assert header["window"]["n_times"] == X.shape[2]


def test_equals_are_written_equal(epochs, tmp_path):
    X, y = epochs
    for name in "ab":
        save(csp_lda(2, sfreq=128).fit(X, y), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_are_safetensors_by_their_names(epochs, tmp_path):
    from safetensors.numpy import load as read

    X, y = epochs
    net = NeuralClassifier(Act, **small()).fit(X, y)
    save(net, tmp_path / "a.skbci")
    with zipfile.ZipFile(tmp_path / "a.skbci") as archive:
        tensors = read(archive.read("weights.safetensors"))
    np.testing.assert_array_equal(
        tensors["net_.module_.layers.1.weight"], net.net_.module_.layers[1].weight.detach())


def test_what_was_trained_on_another_device_is_read_on_this_one(epochs, tmp_path, monkeypatch):
    """A twin of the CPU that says it was on a GPU, which this machine need not have."""
    import skbci._plain.torch_parts as parts

    X, y = epochs
    net = NeuralClassifier(Act, **small()).fit(X, y)
    freeze_tensor = parts.TORCH["tensor"]

    def on_gpu(value, walk, frozen):
        return freeze_tensor[1](value, walk, frozen).fill(device="cuda:0")

    from skbci._plain import walk

    monkeypatch.setitem(walk._KINDS, "tensor", (freeze_tensor[0], on_gpu, freeze_tensor[2]))
    net.device = net.net_.device = "cuda"
    save(net, tmp_path / "a.skbci")
    net.device = net.net_.device = "cpu"
    back = load(tmp_path / "a.skbci", trusted=TRUSTED, map_location="cpu")
    assert back.device == back.net_.device == "cpu"
    assert_same(net, back, X)
    back.partial_fit(X, y)
    if not torch.cuda.is_available():
        back = load(tmp_path / "a.skbci", trusted=TRUSTED)
        assert next(back.net_.module_.parameters()).device.type == "cpu"
        assert_same(net, back, X)


# -- what is not written, and other versions ----------------------------------------------------


def test_only_what_is_fitted_is_written(epochs, tmp_path):
    with pytest.raises(NotFittedError):
        save(csp_lda(), tmp_path / "a")
    for value in ({"a": 1}, LogisticRegression, None):
        with pytest.raises(TypeError, match="fitted estimator"):
            save(value, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_lambda_is_named_and_leaves_the_old_file(epochs, tmp_path):
    X, _ = epochs
    save(StandardScaler().fit(X[:, 0]), tmp_path / "a")
    before = (tmp_path / "a").read_bytes()
    pipe = make_pipeline(FunctionTransformer(lambda X: X), StandardScaler()).fit(X[:, 0])
    with pytest.raises(ValueError, match=r"steps\[0\]\[1\].*lambda"):
        save(pipe, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_net_of_skorch_is_refused(epochs, tmp_path):
    X, y = epochs
    net = NeuralNetClassifier(
        Act, module__n_channels=4, module__n_times=64, module__n_outputs=2, max_epochs=1,
        criterion=nn.CrossEntropyLoss, verbose=0)
    net.fit(X.astype("float32"), (y == "left").astype(int))
    with pytest.raises(ValueError, match="skorch.*NeuralClassifier"):
        save(net, tmp_path / "a")


def test_what_holds_itself_is_refused(epochs, tmp_path):
    step = Shrink().fit(epochs[0])
    step.me_ = [step]
    with pytest.raises(ValueError, match="holds itself"):
        save(step, tmp_path / "a")


def rewritten(path, **changes):
    """The file with another header, which knows its own checksum."""
    from skbci.persistence._layout import digest_of, pack

    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = {**json.loads(members["header.json"]), **changes}
    header["digest"] = digest_of(header)
    members["header.json"] = json.dumps(header).encode()
    path.write_bytes(pack(members))


def test_another_version_is_read_with_a_warning_and_a_newer_format_is_not(epochs, tmp_path):
    path = tmp_path / "a.skbci"
    save(csp_lda(2, sfreq=128).fit(*epochs), path)
    header = json.loads(zipfile.ZipFile(path).read("header.json"))
    rewritten(path, versions={**header["versions"], "skbci": "0.0.7", "numpy": "1.2"})
    with pytest.warns(VersionWarning, match=r"skbci 0\.0\.7.*numpy 1\.2"):
        load(path)
    rewritten(path, format=2)
    with pytest.raises(ValueError, match=r"a\.skbci.*format 2 by skbci 0\.0\.7.*newer"):
        load(path)


@pytest.mark.parametrize("missing", ["skops", "safetensors"])
def test_a_missing_package_is_named_with_the_extra(missing, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, missing, None)
    for name in [name for name in sys.modules if name.startswith(missing + ".")]:
        monkeypatch.setitem(sys.modules, name, None)
    for call in (lambda: save(StandardScaler(), tmp_path / "a"), lambda: load(tmp_path / "a")):
        with pytest.raises(ImportError, match=rf"{missing}.*skbci\[persistence\]"):
            call()


@pytest.mark.parametrize("device", ["gpu", 3.5, "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_no_damage(epochs, tmp_path, device):
    save(csp_lda(2, sfreq=128).fit(*epochs), tmp_path / "a")
    with pytest.raises(ValueError, match="map_location=.* is no device that networks can be put"):
        load(tmp_path / "a", map_location=device)


@pytest.mark.parametrize("trusted", [[3], [None], 7])
def test_what_is_trusted_has_a_name(epochs, tmp_path, trusted):
    with pytest.raises(TypeError, match="must be a list of names or classes"):
        load(tmp_path / "a", trusted=trusted)
