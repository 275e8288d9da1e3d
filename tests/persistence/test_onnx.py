"""Exported networks give what the estimators give, in a runtime of their own."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.estimators import (
    FBMSNetClassifier,
    MIN2NetClassifier,
    MLPClassifier,
    MLPRegressor,
    MultiViewClassifier,
    NeuralClassifier,
    SparseMultitaskClassifier,
)
from skbci.features import BandEnergy, FilterBank
from skbci.nets import FBMSNet, MIN2Net
from skbci.persistence import export_onnx
from tests.persistence.test_plain import Parametrized

pytestmark = [pytest.mark.extras, pytest.mark.filterwarnings("ignore")]
BANDS = ((8, 12), (12, 30))


def small(**settings):
    return {"max_epochs": 2, "random_state": 0, **settings}


def run(path, X, dtype=np.float32):
    """What onnxruntime computes, and the metadata."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {"X": np.asarray(X, dtype)})
    return dict(zip(names, values)), {name: json.loads(text) for name, text in about.items()}


NETWORKS = {
    "mlp": lambda: MLPClassifier((6,), **small()),
    "sigmoids": lambda: MLPClassifier((6,), criterion="binary-cross-entropy", **small()),
    "raw": lambda: MLPClassifier((6,), standardize=False, **small()),
    "own": lambda: NeuralClassifier(Parametrized, **small()),
    "min2net": lambda: MIN2NetClassifier(**small()),
    "bands": lambda: MIN2NetClassifier(**small()),
    "fbmsnet": lambda: FBMSNetClassifier(bands=BANDS, kernel_sizes=(5, 9), sfreq=128, **small()),
    "fbmsnet of bands": lambda: FBMSNetClassifier(kernel_sizes=(5, 9), **small()),
    "views": lambda: MultiViewClassifier(
        [("raw", "passthrough")], n_networks=2, **small()),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_probabilities_are_equal(name, epochs, tmp_path):
    X, y = epochs
    rows = X + 3e-5  # an offset, and volts: the standardization is in the graph
    if name in ("mlp", "sigmoids", "raw"):
        rows = rows[:, 0, :12] * (1e5 if name == "raw" else 1)
    if name in ("bands", "fbmsnet of bands"):
        rows = FilterBank(BANDS, sfreq=128).fit_transform(rows)
    net = NETWORKS[name]().fit(rows, y)
    export_onnx(net, tmp_path / "a.onnx")
    given = rows
    if name == "fbmsnet":
        given = FilterBank(BANDS, sfreq=128).fit_transform(rows)
    if name == "views":
        given = rows.reshape(len(rows), -1)
    for part in (slice(None), slice(1)):
        found, about = run(tmp_path / "a.onnx", given[part])
        np.testing.assert_allclose(
            found["probabilities"], net.predict_proba(rows[part]), atol=1e-5)
    assert about["classes"] == ["left", "right"]


def test_a_large_offset_in_double_precision(epochs, tmp_path):
    X, y = epochs
    rows = X[:, 0] * 1e5 + 1e4
    net = MLPClassifier((6,), **small()).fit(rows, y)
    export_onnx(net, tmp_path / "a.onnx", dtype="float64")
    found, _ = run(tmp_path / "a.onnx", rows, np.float64)
    np.testing.assert_allclose(found["probabilities"], net.predict_proba(rows), atol=1e-5)


def test_every_task_has_an_output(epochs, tmp_path):
    X, y = epochs
    task = np.repeat(["a", "b"], 30)
    labels = np.where(task == "a", y, np.where(y == "left", "open", "closed"))
    net = SparseMultitaskClassifier(**small()).fit(X, labels, task=task)
    export_onnx(net, tmp_path / "a.onnx")
    found, about = run(tmp_path / "a.onnx", X)
    for k, name in enumerate(about["tasks"]):
        own = net.predict_proba(X, task=np.repeat(name, 60))
        columns = own.sum(axis=0) > 0
        np.testing.assert_allclose(found[f"probabilities_{k}"], own[:, columns], atol=1e-5)


def test_the_metadata_have_the_labels_themselves(epochs, tmp_path):
    X, y = epochs
    numbers, rows = (y == "left").astype(int), X[:, 0] * 1e5
    views = MultiViewClassifier([("raw", "passthrough")], **small())
    for net in (MLPClassifier((6,), **small()), views):
        export_onnx(net.fit(rows, numbers), tmp_path / "a.onnx")
        assert run(tmp_path / "a.onnx", rows)[1]["classes"] == [0, 1]
    task = np.repeat(["a", "b"], 30)
    tasks = SparseMultitaskClassifier(**small()).fit(X, numbers + 2 * (task == "b"), task=task)
    export_onnx(tasks, tmp_path / "a.onnx")
    assert run(tmp_path / "a.onnx", X)[1]["tasks"] == {"a": [0, 1], "b": [2, 3]}


def test_a_regressor(epochs, tmp_path):
    X = epochs[0][:, 0]
    targets = np.stack([X[:, 0] * 1e6 + 5, X[:, 1]], axis=1)
    net = MLPRegressor((6,), **small()).fit(X, targets)
    export_onnx(net, tmp_path / "a.onnx")
    found, _ = run(tmp_path / "a.onnx", X)
    np.testing.assert_allclose(found["prediction"], net.predict(X), rtol=1e-4, atol=1e-9)


def test_of_a_pipeline_or_a_search_the_network_is_written(epochs, tmp_path):
    X, y = epochs
    pipe = make_pipeline(BandEnergy(sfreq=128, log=True), StandardScaler(),
                         MLPClassifier((3,), **small()))
    for fitted in (clone(pipe).fit(X, y),
                   GridSearchCV(pipe, {"mlpclassifier__lr": [0.1]}, cv=2).fit(X, y)):
        export_onnx(fitted, tmp_path / "a.onnx")
        steps = getattr(fitted, "best_estimator_", fitted)
        found, about = run(tmp_path / "a.onnx", steps[:-1].transform(X))
        np.testing.assert_allclose(
            found["probabilities"], fitted.predict_proba(X), atol=1e-5)
        assert about["sfreq"] == 128


def test_what_is_no_network_is_refused(epochs, tmp_path):
    X, y = epochs
    with pytest.raises(TypeError, match="LogisticRegression.*MLPClassifier"):
        export_onnx(LogisticRegression().fit(X[:, 0], y), tmp_path / "a")
    views = MultiViewClassifier([("power", BandEnergy(sfreq=128))], **small()).fit(X, y)
    with pytest.raises(ValueError, match="views 'power'.*transform rows beforehand"):
        export_onnx(views, tmp_path / "a")
    net = MLPClassifier((3,), **small()).fit(X[:, 0], y)
    with pytest.raises(ValueError, match="dtype='int8'"):
        export_onnx(net, tmp_path / "a", dtype="int8")
    assert not list(tmp_path.iterdir())


class Spectral(torch.nn.Module):
    """What has no form in ONNX: a program's own choice by the values."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.last = torch.nn.Linear(n_features, n_outputs)

    def forward(self, X):
        return self.last(X * 2 if float(X.sum()) > 0 else X)


def test_a_network_that_has_no_graph_is_named(epochs, tmp_path):
    X, y = epochs
    net = NeuralClassifier(Spectral, **small()).fit(X[:, 0], y)
    with pytest.raises(ValueError, match="NeuralClassifier cannot be expressed"):
        export_onnx(net, tmp_path / "a")


@pytest.mark.parametrize("missing", ["onnx", "onnxscript"])
def test_a_missing_package_is_named(missing, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"{missing} .*skbci\[onnx\]"):
        export_onnx(MLPClassifier(), tmp_path / "a")


@pytest.mark.parametrize("net", [
    lambda: MIN2Net(3, 60, 2, subsampling=30), lambda: FBMSNet(4, 3, 60, 2, kernel_sizes=(5, 9)),
], ids=["min2net", "fbmsnet"])
def test_networks_are_traced_as_ordinary_convolutions(net):
    net = net().eval()
    x = torch.randn((2, 4, 3, 60) if isinstance(net, FBMSNet) else (2, 3, 60))
    expected = net(x)[0]
    for traced in (torch.export.export(net, (x,)).module(), torch.jit.trace(net, x)):
        torch.testing.assert_close(traced(x)[0], expected, atol=1e-5, rtol=1e-4)
