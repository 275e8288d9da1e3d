"""fetch_moabb and fetch_tabular, without any network."""

from __future__ import annotations

import io
import lzma
import sys
import types
from urllib.error import HTTPError, URLError

import mne
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.utils import Bunch

from skbci.datasets import _libsvm, _tabular, fetch_moabb, fetch_tabular


class FakeDataset:
    """Two subjects of left and right."""

    paradigm = "imagery"
    unit_factor = 1e6

    def __init__(self):
        self.subject_list = [1, 2]


class OfflineDataset(FakeDataset):
    """Its files are not there."""


class OddDataset(FakeDataset):
    """Of a kind that has no default paradigm."""

    paradigm = "unheard"


class MotorImagery:
    """As MOABB's: epochs in volts, labels and a table when epochs are asked for."""

    def __init__(self, fmin=8, fmax=32):
        self.fmin, self.fmax = fmin, fmax

    def get_data(self, dataset, subjects=None, return_epochs=False):
        assert return_epochs
        if isinstance(dataset, OfflineDataset):
            raise URLError("no route to host")
        n = 4 * len(subjects)
        rng = np.random.default_rng(0)
        info = mne.create_info(["C3", "C4"], 250.0, "eeg")
        labels = np.array(["left_hand", "right_hand"] * (n // 2))
        events = np.column_stack([np.arange(n) * 1000 + 500, np.zeros(n, int),
                                  1 + (labels == "right_hand")])
        epochs = mne.EpochsArray(rng.normal(0, 1e-5, (n, 2, 100)), info, events, tmin=0.5,
                                 event_id={"left_hand": 1, "right_hand": 2}, verbose="error")
        table = pd.DataFrame({"subject": np.repeat(subjects, 4), "session": "0train", "run": "0"})
        return epochs, labels.tolist(), table


@pytest.fixture
def fake_moabb(monkeypatch):
    package = types.ModuleType("moabb")
    datasets, paradigms = types.ModuleType("moabb.datasets"), types.ModuleType("moabb.paradigms")
    for cls in (FakeDataset, OfflineDataset, OddDataset):
        setattr(datasets, cls.__name__, cls)
    paradigms.MotorImagery = MotorImagery
    package.datasets, package.paradigms = datasets, paradigms
    for module in (package, datasets, paradigms):
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("fake_moabb")
def test_moabb_data_become_a_bunch():
    data = fetch_moabb("FakeDataset", subjects=[2])
    assert data.X.shape == (4, 2, 100)
    assert np.asarray(data.X).std() == pytest.approx(1e-5, rel=0.2)  # volts
    assert data.y.tolist() == ["left_hand", "right_hand"] * 2
    assert data.metadata["subject"].tolist() == [2] * 4
    assert data.metadata["session"].tolist() == ["0train"] * 4
    assert data.metadata["onset"].tolist() == [2, 6, 10, 14]
    assert set(data.metadata["task"]) == {"imagery"}
    assert data.sfreq == 250
    assert data.ch_names == ["C3", "C4"]
    assert data.X.tmin == 0.5
    assert "FakeDataset" in data.DESCR
    assert data.X.to_epochs().event_id == {"left_hand": 1, "right_hand": 2}


@pytest.mark.usefixtures("fake_moabb")
def test_moabb_takes_names_classes_and_instances():
    by_name = fetch_moabb("FakeDataset", "MotorImagery", fmin=4)
    by_class = fetch_moabb(FakeDataset, MotorImagery)
    by_instance = fetch_moabb(FakeDataset(), MotorImagery(fmin=4))
    assert by_name.X.shape == by_class.X.shape == by_instance.X.shape == (8, 2, 100)


class Runs(MotorImagery):
    """Cuts a run as MNE does, and drops what MOABB drops."""

    channels = ("C3", "C4")
    volts = 1e-5

    def get_data(self, dataset, subjects=None, return_epochs=False):
        noise = np.random.default_rng(0).normal(0, self.volts, (2, 5000))
        raw = mne.io.RawArray(noise, mne.create_info(list(self.channels), 100, "eeg"))
        raw.set_annotations(mne.Annotations([15.5], 0.2, ["BAD jaw"]))
        events = np.array([[500, 0, 1], [500, 0, 2], [1500, 0, 2], [2500, 0, 1], [4900, 0, 2]])
        epochs = mne.Epochs(raw, events, {"left_hand": 1, "right_hand": 2}, 0, 3, baseline=None,
                            preload=True, event_repeated="drop")
        return epochs, ["left_hand"] * 2, pd.DataFrame({"subject": [1] * 2})


@pytest.mark.usefixtures("fake_moabb")
def test_events_that_moabb_drops_are_said():
    with pytest.warns(UserWarning, match="3 of 5 events were left out") as said:
        assert len(fetch_moabb("FakeDataset", Runs()).y) == 2
    text = str(said[0].message)
    assert "1 because of annotations" in text
    assert "1 because the window" in text
    assert "1 because another event is at the same sample" in text


@pytest.mark.usefixtures("fake_moabb")
@pytest.mark.filterwarnings("ignore:.*events were left out:UserWarning")
def test_units_and_names_of_moabb_are_doubted():
    loud, eyes = Runs(), Runs()
    loud.volts, eyes.channels = 10.0, ("C3", "EOG1")
    with pytest.warns(UserWarning, match="FakeDataset of MOABB: the signals are too large"):
        fetch_moabb("FakeDataset", loud)
    with pytest.warns(UserWarning, match=r"\['EOG1'\] are of type 'eeg', but"):
        fetch_moabb("FakeDataset", eyes)


@pytest.mark.usefixtures("fake_moabb")
def test_a_paradigm_of_another_kind_is_named():
    class P300(MotorImagery):
        def get_data(self, *args, **kwargs):
            raise AssertionError("Dataset Fake is not valid for paradigm")

    with pytest.raises(ValueError, match="cannot cut FakeDataset with P300: Dataset Fake is not"):
        fetch_moabb("FakeDataset", P300())


@pytest.mark.usefixtures("fake_moabb")
@pytest.mark.parametrize(("arguments", "error", "match"), [
    (("NoSuchSet",), ValueError, "no 'NoSuchSet'; it has FakeDataset, OddDataset, OfflineDataset"),
    (("FakeDataset", "P400"), ValueError, "moabb.paradigms has no 'P400'"),
    (("FakeDataset", None, [3]), ValueError, r"subjects=\[3\] must be among .*Fake.*\[1, 2\]"),
    (("FakeDataset", None, "1"), TypeError, "subjects='1' must be a list of numbers or None"),
    (("FakeDataset", None, 1.5), TypeError, "subjects=1.5 must be a list of numbers or None"),
    (("FakeDataset", None, []), ValueError, r"subjects=\[\] must be among those of FakeDataset"),
    (("OddDataset",), ValueError, "No default paradigm for OddDataset"),
    (("OfflineDataset",), ConnectionError, "could not get OfflineDataset .*load_recording"),
])
def test_moabb_errors(arguments, error, match):
    with pytest.raises(error, match=match):
        fetch_moabb(*arguments)


@pytest.mark.usefixtures("fake_moabb")
def test_moabb_options_beside_an_instance_are_refused():
    with pytest.raises(ValueError, match=r"\['fmin'\] were given beside a paradigm"):
        fetch_moabb("FakeDataset", MotorImagery(), fmin=4)


def test_without_moabb_the_error_says_how_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "moabb", None)
    with pytest.raises(ImportError, match=r'pip install "skbci\[moabb\]"'):
        fetch_moabb("BNCI2014_001")


def frame():
    return Bunch(
        data=pd.DataFrame({
            "age": [30, 40, 50],
            "weight": pd.array([1.5, None, 2.5], dtype="Float64"),
            "job": pd.Categorical(["clerk", None, "cook"], categories=["clerk", "cook"]),
            "town": ["a", "b", "a"],
        }),
        target=pd.Series(pd.Categorical(["no", "yes", "no"])),
        feature_names=["age", "weight", "job", "town"], DESCR="a table",
    )


@pytest.fixture
def asked(monkeypatch):
    """Replaces the download; remembers what was asked for."""
    calls = []

    def fake(**query):
        calls.append(query)
        return frame()

    monkeypatch.setattr(_tabular, "fetch_openml", fake)
    return calls


def test_tables_become_numbers(asked):
    data = fetch_tabular("adult")
    np.testing.assert_array_equal(
        data.X, [[30, 1.5, 0, 0], [40, np.nan, np.nan, 1], [50, 2.5, 1, 0]]
    )
    assert data.X.dtype == np.float64
    assert data.y.tolist() == ["no", "yes", "no"]
    assert data.is_categorical.tolist() == [False, False, True, True]
    assert data.categories == {"job": ["clerk", "cook"], "town": ["a", "b"]}
    assert data.feature_names.tolist() == ["age", "weight", "job", "town"]
    assert data.target_names.tolist() == ["no", "yes"]
    assert data.DESCR == "a table"
    assert data.sfreq is None
    assert fetch_tabular("adult", dtype="float32").X.dtype == np.float32


@pytest.mark.parametrize(("name", "expected"), [
    ("Mammographic-Mass", {"data_id": 45557}),
    ("htru2", {"data_id": 45558}),
    (44, {"data_id": 44}),
    ("spambase", {"name": "spambase", "version": 1}),
])
def test_names_and_numbers(asked, name, expected):
    fetch_tabular(name, version=1)
    assert {key: asked[0].get(key) for key in expected} == expected
    assert ("name" in asked[0]) != ("data_id" in asked[0])


def test_every_known_name_is_documented():
    for name, number in _tabular.TABLES.items():
        row = next(line for line in fetch_tabular.__doc__.splitlines()
                   if line.split()[:1] == [name])
        assert str(number) in row


def test_sparse_tables(monkeypatch):
    stored = Bunch(data=sparse.csr_matrix(np.eye(3)), target=np.array([0, 1, 1]),
                   feature_names=["a", "b", "c"], DESCR="")
    monkeypatch.setattr(_tabular, "fetch_openml", lambda **query: stored)
    data = fetch_tabular(293)
    np.testing.assert_array_equal(data.X, np.eye(3))
    assert not data.is_categorical.any()


@pytest.mark.parametrize(("error", "raised", "match"), [
    (URLError("name resolution failed"), ConnectionError,
     r"'htru2' was requested from OpenML \(data_id=45558\), which could not be.*load_recording"),
    (TimeoutError("timed out"), ConnectionError, "could not be reached: timed out"),
    (HTTPError("https://x", 412, "no such data set", None, None), ValueError,
     "OpenML has no table 'htru2'.*breast-cancer-wisconsin"),
    (HTTPError("https://x", 503, "busy", None, None), ConnectionError, "answered 503 busy"),
])
def test_network_trouble_is_explained(monkeypatch, error, raised, match):
    def fail(**query):
        raise error

    monkeypatch.setattr(_tabular, "fetch_openml", fail)
    with pytest.raises(raised, match=match):
        fetch_tabular("htru2")


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match=r"name_or_id=1\.5"):
        fetch_tabular(1.5)
    for dtype in (int, "nonsense", None):
        with pytest.raises(ValueError, match="dtype=.* must be a floating-point format"):
            fetch_tabular("adult", dtype=dtype)
    with pytest.raises(TypeError, match="cache='no' must be True or False"):
        fetch_tabular("adult", cache="no")


@pytest.mark.usefixtures("fake_moabb")
def test_moabb_takes_a_subject_by_numpys_number():
    one, wanted = (fetch_moabb("FakeDataset", subjects=of).X for of in (np.int64(2), [2]))
    assert one.metadata.equals(wanted.metadata)


# -- the LIBSVM collection ----------------------------------------------------------------


class Answer(io.BytesIO):
    """As `http.client.HTTPResponse`: ``length`` is what is still to come of what was announced."""

    def __init__(self, body, announced=None):
        super().__init__(body)
        self.length = len(body) if announced is None else announced

    def read(self, *size):
        got = super().read(*size)
        self.length -= len(got)
        return got


ROWS = lzma.compress(b"1 1:0.5 254:2\n-1 2:1.5\n1 3:-1\n")


@pytest.fixture
def collection(monkeypatch):
    """Answers with three rows; notes what was asked."""
    asked = []

    def answer(address, timeout):
        asked.append(address)
        return Answer(ROWS)

    monkeypatch.setattr(_libsvm, "urlopen", answer)
    return asked


def test_webspam_comes_from_the_libsvm_collection_once(collection, tmp_path):
    for _ in range(2):
        data = fetch_tabular("Webspam", data_home=tmp_path, dtype="float32")
        assert data.X.shape == (3, 254)
        assert data.X.dtype == np.float32
        assert [data.X[0, 0], data.X[0, 253], data.X[1, 1], data.X[2, 2]] == [0.5, 2, 1.5, -1]
        assert np.count_nonzero(data.X) == 4
        assert data.y.tolist() == [1, -1, 1]
        assert not data.is_categorical.any()
    assert len(collection) == 1
    assert collection[0].endswith("/binary/webspam_wc_normalized_unigram.svm.xz")
    assert [path.name for path in (tmp_path / "libsvm").iterdir()] == [
        "webspam_wc_normalized_unigram.svm.xz"
    ]


def test_webspam_is_not_kept_where_it_should_not_be(collection, tmp_path):
    assert len(fetch_tabular("webspam", data_home=tmp_path, cache=False).y) == 3
    assert not (tmp_path / "libsvm").exists()


@pytest.mark.parametrize("error", [
    URLError("no route to host"), HTTPError("address", 404, "Not Found", {}, None),
])
def test_webspam_without_a_network(monkeypatch, tmp_path, error):
    def fail(address, timeout):
        raise error

    monkeypatch.setattr(_libsvm, "urlopen", fail)
    with pytest.raises(ConnectionError, match="'webspam' was requested from the LIBSVM"):
        fetch_tabular("webspam", data_home=tmp_path)
    assert not list((tmp_path / "libsvm").iterdir())


def test_webspam_that_was_cut_off_is_not_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(_libsvm, "urlopen", lambda address, timeout: Answer(ROWS[:40], len(ROWS)))
    with pytest.raises(ConnectionError, match=f"ended {len(ROWS) - 40} bytes too early"):
        fetch_tabular("webspam", data_home=tmp_path)
    assert not list((tmp_path / "libsvm").iterdir())


DAMAGED = {
    "empty": b"", "no archive": b"1 1:0.5\n", "cut": ROWS[:-20],
    "changed": ROWS[:30] + bytes(8) + ROWS[38:], "no rows": lzma.compress(b""),
    "feature 0": lzma.compress(b"1 0:0.5\n"), "feature 255": lzma.compress(b"1 255:1\n"),
    "words": lzma.compress(b"spam 1:0.5\n"), "half a label": lzma.compress(b"1.5 1:0.5\n"),
    "no number": lzma.compress(b"1 1:x\n"), "order": lzma.compress(b"1 3:1 2:1\n"),
    "no label": lzma.compress(b"nan 1:1\n"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_file_of_webspam_is_named(tmp_path, content):
    file = tmp_path / "libsvm" / "webspam_wc_normalized_unigram.svm.xz"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"svm\.xz is damaged .*Delete it"):
        fetch_tabular("webspam", data_home=tmp_path)
