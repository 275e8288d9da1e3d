"""Fits of a comparison that are kept, and gone on with."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, RepeatedKFold
from sklearn.tree import DecisionTreeClassifier

from skbci import EEGArray
from skbci.evaluation import compare
from skbci.model_selection import LeaveSubjectsOut

SUBJECT = np.repeat(["a", "b", "c"], 20)
Y = np.tile([0, 1], 30)
DATA = np.random.default_rng(0).standard_normal((60, 3)) + Y[:, None]
CV = LeaveSubjectsOut(3)


class Noting(ClassifierMixin, BaseEstimator):
    """Writes a line for each fit."""

    def __init__(self, log, seconds=0.0, fails=False, settings=None):
        self.log = log
        self.seconds = seconds
        self.fails = fails
        self.settings = settings

    def fit(self, X, y):
        with open(self.log, "a") as file:
            file.write("fit\n")
        time.sleep(self.seconds)
        if self.fails:
            raise ValueError("no")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(np.asarray(X)[:, 0] > 0.5).astype(int)]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.touch()
    return path


def n_fits(log):
    return len(log.read_text().splitlines())


def run(cache, pipelines, X=None, y=Y, **settings):
    X = EEGArray(DATA, {"subject": SUBJECT}) if X is None else X
    given = {"cv": CV, "progress": False, **settings}
    return compare(pipelines, X, y, cache=cache, **given)


def test_what_is_kept_is_not_done_again(tmp_path, log):
    folder = tmp_path / "new" / "cache"
    first = run(folder, {"one": Noting(log), "LR": LogisticRegression()}, baseline="LR")
    assert n_fits(log) == 3
    again = run(str(folder), {"one": Noting(log), "LR": LogisticRegression()}, baseline="LR")
    assert n_fits(log) == 3
    for table in ("summary", "folds", "subjects", "tests"):
        assert_frame_equal(getattr(first, table), getattr(again, table))
    without = run(None, {"one": Noting(log), "LR": LogisticRegression()}, baseline="LR")
    times = ["fit_s", "predict_s"]
    assert_frame_equal(without.folds.drop(columns=times), again.folds.drop(columns=times))
    assert_frame_equal(without.subjects, again.subjects)


def test_another_name_is_no_other_fit(tmp_path, log):
    run(tmp_path, {"one": Noting(log)})
    other = run(tmp_path, {"two": Noting(log)})
    assert n_fits(log) == 3
    assert other.folds["pipeline"].tolist() == ["two"] * 3
    assert other.folds["fold"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("change", [
    "data", "table", "target", "parameter", "metric", "metrics", "folds", "weights"])
def test_whatever_a_fit_depends_on_makes_it_another(change, tmp_path, log):
    run(tmp_path, {"one": Noting(log)})
    X, y, settings, pipe = EEGArray(DATA, {"subject": SUBJECT}), Y, {}, Noting(log)
    if change == "data":
        X = X * 1.0000001
    elif change == "table":
        X = EEGArray(DATA, {"subject": SUBJECT, "session": np.ones(60)})
    elif change == "target":
        y = 1 - Y
    elif change == "parameter":
        pipe = Noting(log, settings={"a": [1, 2]})
    elif change == "metric":
        settings["scoring"] = "balanced_accuracy"
    elif change == "metrics":
        settings["scoring"] = ["accuracy", "f1"]
    elif change == "folds":
        settings["cv"] = KFold(3, shuffle=True, random_state=0)
    else:
        pipe, settings["params"] = LogisticRegression(), {"sample_weight": np.ones(60)}
        run(tmp_path, {"one": pipe})
    before = len(list(tmp_path.rglob("*.json")))
    run(tmp_path, {"one": pipe}, X, y, **settings)
    assert len(list(tmp_path.rglob("*.json"))) == before + 3


def test_a_function_written_anew_is_another(tmp_path):
    def scoring(source):
        (tmp_path / "metric.py").write_text(source)
        sys.modules.pop("skbci_test_metric", None)
        import importlib.util
        import linecache

        linecache.clearcache()
        spec = importlib.util.spec_from_file_location(
            "skbci_test_metric", tmp_path / "metric.py")
        module = sys.modules["skbci_test_metric"] = importlib.util.module_from_spec(spec)
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = before
        return make_scorer(module.metric)

    folder = tmp_path / "cache"
    try:
        one = scoring("def metric(y, p):\n    return 1.0\n")
        assert run(folder, {"LR": LogisticRegression()}, scoring=one).folds["score"].eq(1).all()
        two = scoring("def metric(y, p):\n    return 2.0 + 0\n")
        assert run(folder, {"LR": LogisticRegression()}, scoring=two).folds["score"].eq(2).all()
    finally:
        sys.modules.pop("skbci_test_metric", None)


@pytest.mark.parametrize("damage", ["empty", "half", "digit", "bytes", "list"])
def test_damaged_files_are_named_and_their_fits_done_again(damage, tmp_path, log):
    first = run(tmp_path, {"one": Noting(log)})
    path = sorted(tmp_path.rglob("*.json"))[1]
    text = path.read_text()
    path.write_bytes({
        "empty": b"", "half": text[: len(text) // 2].encode(), "bytes": bytes(range(256)),
        "digit": text.replace('"n_train": 40', '"n_train": 41').encode(), "list": b"[]\n[]",
    }[damage])
    with pytest.warns(UserWarning, match=f"{path.name}.* is damaged") as caught:
        again = run(tmp_path, {"one": Noting(log)})
    assert len(caught) == 1
    assert n_fits(log) == 4
    assert_frame_equal(first.folds.drop(columns=["fit_s", "predict_s"]),
                       again.folds.drop(columns=["fit_s", "predict_s"]))
    run(tmp_path, {"one": Noting(log)})
    assert n_fits(log) == 4


def test_failed_fits_are_tried_again(tmp_path, log):
    for count in (3, 6):
        with pytest.warns(FitFailedWarning, match="failed on fold"):
            run(tmp_path, {"one": Noting(log, fails=True)}, error_score=np.nan)
        assert n_fits(log) == count


def test_folders_that_cannot_be_written_and_pipelines_that_cannot_be_told_apart(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot be written to"):
        run(tmp_path / "file", {"LR": LogisticRegression()})
    with pytest.raises(TypeError, match="cache=3 must be the path of a folder"):
        run(3, {"LR": LogisticRegression()})
    local = Noting(tmp_path / "log", settings=lambda: 1)
    with pytest.raises(ValueError, match="pipeline 'one' cannot be pickled"):
        run(tmp_path, {"one": local})


def test_whoever_shares_a_folder_shares_the_work(tmp_path, log):
    """Two at once, in one process: what one has done the other does not do."""
    settings = {"cv": RepeatedKFold(n_splits=5, n_repeats=4, random_state=0)}
    results = {}

    def work(who):
        results[who] = run(tmp_path, {"one": Noting(log, 0.02)}, **settings)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert n_fits(log) < 30  # of 20, where they do not begin in the same order
    times = ["fit_s", "predict_s"]
    assert_frame_equal(results[0].folds.drop(columns=times), results[1].folds.drop(columns=times))


def test_threads_parse_code_one_at_a_time(tmp_path, monkeypatch):
    """Python 3.11's parser raises SystemError where two threads are in it at once."""
    inside, most = [], []

    def slow(part):
        inside.append(part)
        most.append(len(inside))
        time.sleep(0.005)
        inside.pop()
        return repr(part)

    monkeypatch.setattr(inspect, "getsource", slow)
    pipelines = {"LR": LogisticRegression()}
    threads = [threading.Thread(target=run, args=(tmp_path / str(who), pipelines))
               for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}


def test_workers_keep_what_they_do(tmp_path):
    pipelines = {"tree": DecisionTreeClassifier(random_state=0), "LR": LogisticRegression()}
    with parallel_config("threading"):
        two = run(tmp_path, pipelines, n_jobs=2)
    assert len(list(tmp_path.rglob("*.json"))) == 6
    one = run(tmp_path, pipelines)
    assert_frame_equal(one.folds, two.folds)


KILLED = """
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedKFold
from skbci import EEGArray
from skbci.evaluation import compare

def everything(cache):
    rng = np.random.default_rng(0)
    subject = np.repeat(["a", "b", "c"], 60)
    X = EEGArray(rng.standard_normal((180, 30)), {"subject": subject}, sfreq=100)
    y = np.tile(["left", "right", "rest"], 60)
    return compare({"LR": LogisticRegression(C=1e3, max_iter=500)}, X, y,
                   cv=RepeatedKFold(n_splits=5, n_repeats=6, random_state=0), cache=cache,
                   progress=False)
"""


def test_a_killed_run_loses_no_finished_fit(tmp_path):
    """kill -9 in the middle; the next run leaves the files as they are and does the others."""
    folder = tmp_path / "cache"
    root = str(Path(__file__).parents[2])
    code = f"{KILLED}\neverything({str(folder)!r})"
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    try:
        while len(list(folder.rglob("*.json"))) < 5:
            assert child.poll() is None, "it ended by itself"
            time.sleep(0.005)
    finally:
        os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    kept = {path: path.stat().st_ino for path in folder.rglob("*.json")}
    assert 5 <= len(kept) < 30
    names = {}
    exec(KILLED, names)
    result = names["everything"](folder)
    assert len(result.folds) == 30
    assert {path: path.stat().st_ino for path in kept} == kept
    without = names["everything"](None)
    times = ["fit_s", "predict_s"]
    assert_frame_equal(result.folds.drop(columns=times), without.folds.drop(columns=times))
    assert_frame_equal(result.subjects, without.subjects)
