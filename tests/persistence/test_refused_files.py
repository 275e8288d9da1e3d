"""Files that are damaged, or made to do harm, are refused in words."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci.estimators import MLPClassifier
from skbci.persistence import load, save

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 5)), np.tile([0, 1], 15)


@pytest.fixture(scope="module")
def written(data, tmp_path_factory):
    """A small model's file."""
    X, y = data
    path = tmp_path_factory.mktemp("written") / "a.skbci"
    net = MLPClassifier((3,), max_epochs=2, random_state=0)
    save(make_pipeline(StandardScaler(), net).fit(X, y), path)
    return path


@pytest.fixture(scope="module")
def forest(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("forest") / "a.skbci"
    save(RandomForestClassifier(2, max_depth=2, random_state=0).fit(*data), path)
    return path


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, members, **settings):
    with zipfile.ZipFile(path, "w", **settings) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def forged(source, path, edit):
    """Change the objects in a file, and its checksums with them."""
    members = members_of(source)
    inner = members_of(io.BytesIO(members["objects.skops"]))
    schema = json.loads(inner["schema.json"])
    edit(schema, inner)
    if "schema.json" in inner:
        inner["schema.json"] = json.dumps(schema).encode()
    buffer = io.BytesIO()
    packed(buffer, inner.items())
    members["objects.skops"] = buffer.getvalue()
    header = json.loads(members["header.json"])
    header["sha256"]["objects.skops"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    header.pop("digest")
    text = json.dumps(header, sort_keys=True).encode()
    header["digest"] = hashlib.sha256(text).hexdigest()
    members["header.json"] = json.dumps(header).encode()
    return packed(path, members.items())


def nodes(schema, loader):
    waiting = [schema]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, dict):
            if part.get("__loader__") == loader:
                yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def become(node, kind, loader, **content):
    module, _, name = kind.rpartition(".")
    node.clear()
    node.update({"__module__": module, "__class__": name, "__loader__": loader, **content})


def test_a_forgery_that_changes_nothing_is_read(written, tmp_path):
    load(forged(written, tmp_path / "a", lambda schema, inner: None))


# -- damage -------------------------------------------------------------------------------------


def test_a_file_that_is_cut_short(written, tmp_path):
    whole = written.read_bytes()
    for n in [0, 1, 30, 1000, len(whole) // 2, len(whole) - 1000, len(whole) - 1]:
        (tmp_path / "cut.skbci").write_bytes(whole[:n])
        with pytest.raises(ValueError, match=r"cut\.skbci"):
            load(tmp_path / "cut.skbci")


def test_a_bit_that_has_fallen_over(written, data, tmp_path):
    whole = written.read_bytes()
    expected = load(written).predict_proba(data[0])
    refused = 0
    for at in np.random.default_rng(0).integers(0, len(whole), 60):
        broken = bytearray(whole)
        broken[at] ^= 4
        (tmp_path / "bit.skbci").write_bytes(broken)
        try:
            found = load(tmp_path / "bit.skbci").predict_proba(data[0])
        except ValueError as error:
            refused += "bit.skbci" in str(error)
        else:  # a date in the archive, say
            np.testing.assert_array_equal(found, expected)
            refused += 1
    assert refused == 60


def test_members_by_other_names(written, tmp_path):
    members = members_of(written)
    other = {name.replace("weights", "layers"): data for name, data in members.items()}
    more = {**members, "run_me.py": b"print(1)"}
    fewer = {name: data for name, data in members.items() if "weights" not in name}
    swapped = dict(zip(members, [members["header.json"], members["weights.safetensors"],
                                 members["objects.skops"]]))
    for part, says in ((other, "layers.safetensors"), (more, "run_me.py"),
                       (fewer, "'header.json', 'objects.skops' where"),
                       (swapped, "member 'objects.skops'")):
        path = packed(tmp_path / "renamed.skbci", part.items())
        with pytest.raises(ValueError, match=r"renamed\.skbci") as error:
            load(path)
        assert says in str(error.value)


def test_weights_of_another_file(written, data, tmp_path):
    members = members_of(written)
    other = MLPClassifier((3,), max_epochs=2, random_state=1)
    save(make_pipeline(StandardScaler(), other).fit(*data), tmp_path / "b")
    members["weights.safetensors"] = members_of(tmp_path / "b")["weights.safetensors"]
    with pytest.raises(ValueError, match="member 'weights.safetensors'.*sha256"):
        load(packed(tmp_path / "a", members.items()))


def test_an_archive_that_swells(written, tmp_path):
    members = members_of(written) | {"weights.safetensors": bytes(50_000_000)}
    path = packed(tmp_path / "bomb.skbci", members.items(), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ValueError, match=r"bomb\.skbci.*compressed"):
        load(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(written, tmp_path):
    members = list(members_of(written).items())
    with pytest.raises(ValueError, match="several members of one name"):
        load(packed(tmp_path / "a", [*members, members[0]]))


class Harm:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("content", ["pickle", "text", "array"])
def test_other_kinds_of_files(content, tmp_path):
    path = tmp_path / "other"
    harm = pickle.dumps(Harm(tmp_path / "harm"))
    path.write_bytes({"pickle": harm, "text": b"hello", "array": b"\x93NUMPY" + harm}[content])
    with pytest.raises(ValueError, match=r"other cannot be read.*not written by skbci"):
        load(path)
    assert not (tmp_path / "harm").exists()


def test_a_header_that_is_none(written, tmp_path):
    members = members_of(written)
    for header in (b"[]", b"{", b"\xff", b"[" * 100_000, b'{"format": "x"}',
                   members["header.json"].replace(b'"V"', b'"uV"').replace(b"30", b"31")):
        members["header.json"] = header
        if header == members_of(written)["header.json"]:
            continue
        with pytest.raises(ValueError, match=r"member 'header\.json'"):
            load(packed(tmp_path / "a", members.items()))


# -- harm ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [
    "os.system", "builtins.eval", "builtins.exec", "subprocess.Popen", "skorch.net.NeuralNet",
    "skorch.classifier.NeuralNetClassifier", "torch.load", "joblib.load", "pickle.loads",
    "skbci.eegarray.np", "skbci._whole.FunctionType", "skbci.datasets.load_recording",
    "sklearn.datasets.load_files", "skbci.cli.main", "mne.io.read_raw", "numpy.load",
    "torch.hub.load", "importlib.import_module", "no_such_module.Thing", "shutil.rmtree",
])
@pytest.mark.parametrize("loader", ["FunctionNode", "TypeNode", "ObjectNode"])
def test_foreign_names_are_refused_and_named(kind, loader, written, tmp_path):
    def edit(schema, inner):
        become(next(nodes(schema, "JsonNode")), kind, loader)

    with pytest.raises(ValueError) as error:
        load(forged(written, tmp_path / "bad.skbci", edit))
    assert "bad.skbci" in str(error.value)
    assert kind in str(error.value) or "damaged" in str(error.value)


@pytest.mark.parametrize("loader", [
    "ConstructorFromReduceNode", "MethodNode", "OperatorFuncNode", "SparseMatrixNode",
    "DefaultDictNode", "NoSuchNode",
])
def test_ways_to_call_something_are_refused(loader, written, tmp_path):
    def edit(schema, inner):
        become(next(nodes(schema, "JsonNode")), "pathlib.Path", loader, content={
            "content": [], "__loader__": "TupleNode", "__module__": "builtins",
            "__class__": "tuple"})

    with pytest.raises(ValueError, match=f"objects.skops.*{loader}"):
        load(forged(written, tmp_path / "a", edit))


@pytest.mark.parametrize(("loader", "kind"), [
    ("DictNode", "skbci.stream._lsl.LSLInput"), ("ListNode", "skbci.eegarray.EEGArray"),
    ("NdArrayNode", "numpy.load"), ("RandomStateNode", "sklearn.svm._classes.SVC"),
])
def test_containers_are_of_no_other_class(loader, kind, written, tmp_path):
    def edit(schema, inner):
        node = next(nodes(schema, loader), None) or next(nodes(schema, "DictNode"))
        node["__loader__"] = loader
        node["__module__"], _, node["__class__"] = kind.rpartition(".")

    with pytest.raises(ValueError, match=rf"objects\.skops.*{kind}"):
        load(forged(written, tmp_path / "a", edit))


def test_pickles_within_are_not_opened(written, tmp_path):
    def an_array(schema, inner):
        node = next(nodes(schema, "NdArrayNode"))
        buffer = io.BytesIO()
        np.save(buffer, np.array([Harm(tmp_path / "harm")], dtype=object), allow_pickle=True)
        inner[node["file"]] = buffer.getvalue()

    def a_network(schema, inner):
        node = next(nodes(schema, "JsonNode"))
        inner["x.bin"] = pickle.dumps(Harm(tmp_path / "harm"))
        become(node, "skorch.net.NeuralNet", "ObjectNode", content={
            "__loader__": "DictNode", "__module__": "builtins", "__class__": "dict",
            "key_types": {"__loader__": "ListNode", "__module__": "builtins", "__class__": "list",
                          "content": [{"__loader__": "TypeNode", "__module__": "builtins",
                                       "__class__": "str"}]},
            "content": {"__cuda_dependent_attributes__": {
                "__loader__": "BytesNode", "__module__": "builtins", "__class__": "bytes",
                "file": "x.bin"}},
        })

    for edit, says in ((an_array, "shape"), (a_network, "skorch.net.NeuralNet")):
        path = forged(written, tmp_path / "a", edit)
        with pytest.raises(ValueError, match=says):
            load(path)
        if edit is a_network:
            with pytest.raises(ValueError, match="opens a pickle"):
                load(path, trusted=["skorch.net.NeuralNet"])
    assert not (tmp_path / "harm").exists()


def test_an_array_that_claims_more_than_it_has(written, tmp_path):
    def edit(schema, inner):
        name = next(nodes(schema, "NdArrayNode"))["file"]
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
        inner[name] = buffer.getvalue()

    with pytest.raises(ValueError, match=r"objects\.skops.*1000000000000"):
        load(forged(written, tmp_path / "a", edit))


@pytest.mark.parametrize(("field", "value"), [
    ("left_child", 10**6), ("right_child", 0), ("feature", 77), ("left_child", 0),
    ("feature", -5),
])
def test_trees_that_lead_out_of_themselves(field, value, forest, tmp_path):
    load(forest)

    def edit(schema, inner):
        state = next(nodes(schema, "TreeNode"))["content"]["content"]
        table = np.load(io.BytesIO(inner[state["nodes"]["file"]]))
        table[field][0] = value
        buffer = io.BytesIO()
        np.save(buffer, table)
        inner[state["nodes"]["file"]] = buffer.getvalue()

    with pytest.raises(ValueError, match=r"objects\.skops.*decision tree"):
        load(forged(forest, tmp_path / "a", edit))


def test_descriptions_without_end_or_sense(written, tmp_path):
    def edit_protocol(schema, inner):
        schema["protocol"] = 0

    def no_schema(schema, inner):
        del inner["schema.json"]

    def kind(schema, inner):
        for node in nodes(schema, "ObjectNode"):
            if node["__class__"] == "Frozen":
                node["content"]["content"]["kind"]["content"] = '"module"'

    for edit in (edit_protocol, no_schema, kind):
        with pytest.raises(ValueError, match=r"a: the member 'objects\.skops|weights\.safe"):
            load(forged(written, tmp_path / "a", edit))


def test_a_description_of_endless_depth(written, tmp_path):
    def edit(schema, inner):
        end = b'{"__loader__":"ListNode","__module__":"builtins","__class__":"list","content":['
        del inner["schema.json"]
        inner["schema.json "] = end * 50_000 + b"]}" * 50_000

    path = forged(written, tmp_path / "a", edit)
    path.write_bytes(path.read_bytes().replace(b"schema.json ", b"schema.json"))
    with pytest.raises(ValueError, match="a: the member|a cannot be read"):
        load(path)


@pytest.mark.parametrize("trusted", ["os.system", MLPClassifier])
def test_trusted_is_a_list(trusted, written):
    with pytest.raises(TypeError, match="trusted"):
        load(written, trusted=trusted)
