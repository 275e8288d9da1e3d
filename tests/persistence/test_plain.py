"""Objects taken apart into plain parts and put together again, in pickles and files."""

from __future__ import annotations

import copy
import pickle
import pickletools
from collections import OrderedDict, defaultdict, deque

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import InconsistentVersionWarning
from torch import nn
from torch.nn.utils import parametrizations, parametrize

import skbci
from skbci._plain import Frozen, freeze, thaw
from skbci._plain.frozen import NotPlain
from skbci._version_record import VersionWarning
from skbci.eegarray import EEGArray
from skbci.estimators import MLPClassifier, NeuralClassifier
from skbci.features import EuclideanAlignment
from skbci.model_selection import HeldOutSearch


def again(value, deep=False):
    return thaw(pickle.loads(pickle.dumps(freeze(value, deep))))


class MaxNorm(nn.Module):
    """Scales a weight down to a norm, as braindecode does."""

    def forward(self, weight):
        return weight / weight.flatten(1).norm(dim=1).clamp_min(1.0)[:, None, None, None]


class Parametrized(nn.Module):
    """A small network after EEGNet, whose depthwise layer has a largest norm."""

    def __init__(self, n_channels, n_times, n_outputs):
        super().__init__()
        self.temporal = nn.Conv2d(1, 4, (1, 9), padding="same", bias=False)
        self.spatial = nn.Conv2d(4, 8, (n_channels, 1), groups=4, bias=False)
        parametrize.register_parametrization(self.spatial, "weight", MaxNorm())
        self.norm = nn.BatchNorm2d(8)
        self.last = parametrizations.weight_norm(nn.Linear(8, n_outputs))

    def forward(self, X):
        values = self.norm(self.spatial(self.temporal(X[:, None]))).square()
        return self.last(values.mean(dim=(2, 3)).clamp_min(1e-6).log())


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(24, 3, 50)), np.tile(["left", "right"], 12)
    net = NeuralClassifier(Parametrized, optimizer="adam", max_epochs=2, random_state=0)
    return net.fit(X, y), X, y


@pytest.mark.parametrize("copied", [
    lambda value: pickle.loads(pickle.dumps(value)), copy.deepcopy,
], ids=["pickle", "deepcopy"])
def test_parametrized_modules_are_copied(fitted, copied):
    net, X, _ = fitted
    other = copied(net)
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    module = other.net_.module_
    assert parametrize.is_parametrized(module.spatial, "weight")
    assert type(module.last.parametrizations.weight) is parametrize.ParametrizationList
    before = module.spatial.parametrizations.weight.original
    assert any(before is p for group in other.net_.optimizer_.param_groups
               for p in group["params"])
    own = net.net_.module_.spatial.parametrizations.weight.original.detach().clone()
    other.partial_fit(*fitted[1:])
    assert not torch.equal(before, own)
    assert torch.equal(net.net_.module_.spatial.parametrizations.weight.original, own)


@pytest.mark.extras  # for its time
def test_parametrized_modules_go_to_other_processes(fitted):
    net, X, y = fitted
    one, two = (
        CalibratedClassifierCV(clone(net), cv=2, n_jobs=jobs).fit(X, y) for jobs in (None, 2)
    )
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_a_parametrized_module_may_be_a_parameter(fitted):
    _, X, y = fitted
    net = NeuralClassifier(Parametrized(3, 50, 2), max_epochs=1, random_state=0).fit(X, y)
    other = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    np.testing.assert_array_equal(
        clone(other).fit(X, y).predict_proba(X), net.predict_proba(X))


def test_what_occurs_twice_is_one_object_afterwards():
    weight = nn.Parameter(torch.arange(3.0))
    layer = nn.Linear(3, 1)
    layer.weight = weight
    optimizer = torch.optim.Adam([weight], lr=0.5)
    weight.sum().backward()
    optimizer.step()
    back = again({"layer": layer, "optimizer": optimizer, "weights": [weight]})
    (param,) = back["optimizer"].param_groups[0]["params"]
    assert param is back["layer"].weight is back["weights"][0]
    assert isinstance(param, nn.Parameter)
    for name, value in optimizer.state[weight].items():
        assert torch.equal(back["optimizer"].state[param][name], value)
    param.grad = torch.ones(3)
    weight.grad = torch.ones(3)
    back["optimizer"].step()
    optimizer.step()
    assert torch.equal(param, weight)


@pytest.mark.parametrize("tensor", [
    torch.arange(6).reshape(2, 3).t(), torch.tensor(True), torch.zeros(0, 3),
    torch.tensor([1.5, -2], dtype=torch.bfloat16), torch.tensor(2 + 3j),
    torch.ones(2, dtype=torch.float16, requires_grad=True),
], ids=str)
def test_tensors_keep_dtype_shape_and_values(tensor):
    back = again(tensor)
    assert back.dtype == tensor.dtype
    assert back.requires_grad == tensor.requires_grad
    assert torch.equal(back, tensor)


MODULES = {
    "lstm": lambda: nn.LSTM(2, 3),
    "attention": lambda: nn.MultiheadAttention(4, 2),
    "sequential": lambda: nn.Sequential(nn.Conv1d(2, 3, 3), nn.GELU()),
    "dict": lambda: nn.ModuleDict({"a": nn.BatchNorm1d(2)}),
    "orthogonal": lambda: parametrizations.orthogonal(nn.Linear(3, 3)),
    "spectral": lambda: parametrizations.spectral_norm(nn.Linear(3, 3)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_keep_their_state(name):
    module = MODULES[name]()
    back = again(module)
    theirs = module.state_dict()
    assert back.state_dict().keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in back.state_dict().items())
    assert repr(back) == repr(module)


def test_other_things_of_torch():
    generator = torch.Generator().manual_seed(3)
    torch.rand(5, generator=generator)
    back = again([torch.Size([2, 3]), torch.float16, torch.device("cpu"), generator])
    assert back[:3] == [torch.Size([2, 3]), torch.float16, torch.device("cpu")]
    assert torch.equal(torch.rand(4, generator=back[3]), torch.rand(4, generator=generator))


def test_containers():
    value = {
        ("s", 1): [1, (2, torch.tensor(3))], None: {True: "x"},
        "ordered": OrderedDict(b=1, a=2), "default": defaultdict(list, {3: [4]}),
        "deque": deque([1, 2, 3], maxlen=3), "set": {1, frozenset({2})},
    }
    back = again(value)
    assert back["default"]["none"] == []
    del back["default"]["none"]
    assert back == value
    assert list(back["ordered"]) == ["b", "a"]
    assert back["deque"].maxlen == 3


def test_tables_come_back_as_they_were():
    table = pd.DataFrame({
        "subject": pd.Categorical(["b", "a", "b"], ["b", "a"], ordered=True),
        "onset": [0.5, np.nan, 2], "run": pd.array([1, None, 3], dtype="Int64"),
        "note": ["x", None, "y"], "when": pd.to_datetime(["2020-01-01", None, "2021-05-06"]),
        "mixed": np.array([1, "a", np.nan], dtype=object), "good": [True, False, True],
    }, index=[3, 5, 9])
    table.attrs["source"] = "made up"
    frozen = freeze({"table": table})
    names = [arg for _, arg, _ in pickletools.genops(pickle.dumps(frozen))
             if isinstance(arg, str)]
    assert not [name for name in names if name.startswith("pandas")]
    back = thaw(frozen)["table"]
    pd.testing.assert_frame_equal(back, table)
    assert back.attrs == table.attrs


def test_rows_keep_their_context():
    rows = EEGArray(np.zeros((2, 3, 4)), {"subject": [1, 2]}, sfreq=100.0,
                    ch_names=["C3", "Cz", "C4"], tmin=-0.5)
    back = again({"rows": rows})["rows"]
    assert isinstance(back, EEGArray)
    assert (back.sfreq, back.ch_names, back.tmin) == (100.0, ["C3", "Cz", "C4"], -0.5)
    assert back.metadata["subject"].tolist() == [1, 2]


def test_arrays_keep_the_strides_by_which_sums_are_rounded():
    part = np.asfortranarray(np.arange(65.0).reshape(13, 5))[:3]
    thing = BaseEstimator()
    thing.components_ = part
    back = again(thing, deep=True).components_
    np.testing.assert_array_equal(back, part)
    assert back.strides == part.strides


def test_what_is_plain_is_left_alone():
    value = {"a": [1, "b", np.arange(3)], "b": (None, 2.5)}
    assert freeze(value) is value


def local():
    class Inside(BaseEstimator):
        pass

    return Inside()


@pytest.mark.parametrize(("value", "says"), [
    (lambda: 1, "lambda"), (local(), "Inside"), ([].append, "a method|found again"),
], ids=["lambda", "class", "method"])
def test_what_has_no_name_is_refused_by_its_place(value, says):
    thing = BaseEstimator()
    thing.steps = [("one", value)]
    with pytest.raises(NotPlain, match=says) as error:
        freeze(thing, deep=True)
    assert "steps[0][1]" in str(error.value)


def test_frozen_objects_name_no_classes_that_are_not_theirs():
    with pytest.raises(ValueError, match="not a class of torch modules"):
        thaw(Frozen("module", type=dict, state={}, parametrized=[]))
    with pytest.raises(ValueError, match="no kind"):
        thaw(Frozen("command"))


# -- pickles of estimators ----------------------------------------------------------------------


def test_pickles_hold_no_tables():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.tile([0, 1], 20)
    net = MLPClassifier((3,), early_stopping=True, max_epochs=2, random_state=0)
    search = HeldOutSearch(net, {"lr": [0.1, 0.2]}).fit(X, y)
    data = pickle.dumps(search)
    names = [arg for _, arg, _ in pickletools.genops(data) if isinstance(arg, str)]
    assert not [name for name in names if name.startswith("pandas")]
    pd.testing.assert_frame_equal(pickle.loads(data).results_, search.results_)


@pytest.mark.filterwarnings("ignore::skbci._version_record.VersionWarning")
def test_pickles_record_the_version_and_others_are_warned_about(monkeypatch):
    X = np.random.default_rng(0).normal(size=(10, 3, 40))
    for estimator in (EuclideanAlignment().fit(X), skbci.make_pipeline(EuclideanAlignment())):
        data = pickle.dumps(estimator)
        assert skbci.__version__.encode() in data
        name = type(estimator).__name__
        with monkeypatch.context() as patched:
            patched.setattr("skbci._version_record.__version__", "99.0")
            with pytest.warns(VersionWarning, match=f"{name}.*{skbci.__version__}.*99.0"):
                back = pickle.loads(data)
        assert not [key for key in vars(back) if "version" in key]
        pickle.loads(data)  # and no warning with the same one
    assert issubclass(VersionWarning, InconsistentVersionWarning)


def test_another_scikit_learn_is_warned_about(monkeypatch):
    data = pickle.dumps(EuclideanAlignment())
    monkeypatch.setattr("sklearn.__version__", "0.18")
    with pytest.warns(InconsistentVersionWarning):
        pickle.loads(data)
