"""What is one for the whole process is put back, whatever the threads do."""

from __future__ import annotations

import ast
import contextlib
import threading
import warnings
from pathlib import Path

import mne
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB

import skbci
from skbci._process.quiet import filters_kept, quiet_mne, without_warnings
from skbci.baselines import BandCSP, csp_lda
from skbci.datasets import read_epochs
from skbci.estimators import MLPClassifier
from skbci.evaluation import compare
from skbci.model_selection import StackedGridSearchCV
from tests.interrupts import Interrupt

SOON = 10  # s: nobody waits as long


def in_threads(*functions):
    """Run functions, each in a thread of its own; give their results."""
    results, errors = [None] * len(functions), []

    def run(place, function):
        try:
            results[place] = function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    return results


@pytest.fixture
def filters():
    """The filters, which are to be the same object of the same content at the end."""
    before, content = warnings.filters, list(warnings.filters)
    yield
    same = warnings.filters is before and list(warnings.filters) == content
    before[:] = content
    warnings.filters = before
    assert same, "warnings.filters has changed"


@pytest.fixture
def level():
    """MNE's level, which is to be the same at the end."""
    before = mne.utils.logger.level
    yield
    after = mne.utils.logger.level
    mne.utils.logger.setLevel(before)
    assert after == before, f"MNE's level has changed from {before} to {after}"


class Turns:
    """Two threads that come one after the other, and leave in the order in which they came."""

    def __init__(self):
        self.second_is_in, self.first_is_out = threading.Event(), threading.Event()
        self.lock, self.first = threading.Lock(), None

    def come(self):
        with self.lock:
            self.first = self.first or threading.get_ident()

    def wait(self):
        if self.first == threading.get_ident():
            assert self.second_is_in.wait(SOON)
        else:
            self.second_is_in.set()
            assert self.first_is_out.wait(SOON)

    def leave(self):
        if self.first == threading.get_ident():
            self.first_is_out.set()


TURNS = {}


class Catches(ClassifierMixin, BaseEstimator):
    """Catches warnings while it is fitted, as many packages do, in turns with another thread."""

    def fit(self, X, y):
        turns = TURNS["now"]
        turns.come()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            turns.wait()
        turns.leave()
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


X, Y = np.random.default_rng(0).normal(size=(24, 5)), np.arange(24) % 2
ONE_FOLD = [(np.arange(16), np.arange(16, 24))]


def comparison():
    return compare({"a": Catches()}, X, Y, cv=ONE_FOLD, progress=False)


def search():
    return StackedGridSearchCV(Catches(), {}, cv=ONE_FOLD, refit=False).fit(X, Y)


@pytest.mark.parametrize("one", [comparison, search], ids=["compare", "search"])
def test_filters_of_warnings_outlive_threads_that_overlap(one, filters):
    TURNS["now"] = Turns()
    in_threads(one, one)


def test_comparisons_leave_the_filters_alone(filters, monkeypatch):
    """Not even for a moment: another thread's warnings are its own."""
    monkeypatch.setattr(warnings, "resetwarnings", lambda: pytest.fail("filters were reset"))
    compare({"a": GaussianNB()}, X, Y, cv=3, groups=Y, progress=False)


def test_warnings_are_ignored_in_ones_own_thread_only(filters):
    silent, heard = threading.Event(), threading.Event()

    def quiet():
        with without_warnings(UserWarning, "odd"):
            silent.set()
            assert heard.wait(SOON)
            warnings.warn("Odd value", UserWarning, stacklevel=1)  # an error, were it seen

    def loud():
        assert silent.wait(SOON)
        try:
            with pytest.raises(UserWarning, match="Odd"):
                warnings.warn("Odd value", UserWarning, stacklevel=1)
        finally:
            heard.set()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        in_threads(quiet, loud)
        with without_warnings(UserWarning, "odd"):
            with pytest.raises(UserWarning, match="even"):
                warnings.warn("even", UserWarning, stacklevel=1)
            with pytest.raises(RuntimeWarning):
                warnings.warn("odd", RuntimeWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("odd", UserWarning, stacklevel=1)


def test_the_last_to_leave_puts_the_filters_back(filters):
    with filters_kept(), filters_kept():
        with filters_kept():
            warnings.simplefilter("ignore")
        assert warnings.filters[0][:3] == ("ignore", None, Warning)  # others are still inside


def test_the_filters_come_back_after_an_error(filters):
    @filters_kept()
    def fails():
        warnings.filters = []
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        fails()


def test_csp_in_threads_leaves_mnes_level(level, filters, monkeypatch):
    fit, inside = mne.decoding.CSP.fit, threading.Barrier(2)

    def waits(self, *args, **kwargs):
        with contextlib.suppress(threading.BrokenBarrierError):
            inside.wait(0.2)  # where both can be inside, the first to come leaves first
        assert mne.utils.logger.level == 40
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(mne.decoding.CSP, "fit", waits)
    data = np.random.default_rng(0).normal(size=(12, 4, 64))
    in_threads(*[lambda: BandCSP(2).fit(data, np.arange(12) % 2)] * 2)


def test_a_second_thread_waits_for_mnes_level(level):
    order, inside = [], threading.Event()

    def first():
        with quiet_mne():
            inside.set()
            threading.Event().wait(0.1)
            order.append("first leaves")

    def second():
        assert inside.wait(SOON)
        with quiet_mne():
            order.append("second is in")

    in_threads(first, second)
    assert order == ["first leaves", "second is in"]


def test_recordings_are_read_in_threads_as_alone(level, filters):
    noise = np.random.default_rng(0).normal(size=(2, 2000)) * 1e-5
    raw = mne.io.RawArray(noise, mne.create_info(["C3", "C4"], 100, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([2, 5, 8, 12], 0, ["left", "right"] * 2))

    def read():
        data = read_epochs(raw, tmax=2, subject=1)
        return np.asarray(data.X), data.X.to_epochs().get_data(copy=True)

    alone = read()
    for some in in_threads(*[read] * 4):
        np.testing.assert_array_equal(some[0], alone[0])
        np.testing.assert_array_equal(some[1], alone[1])


@pytest.mark.filterwarnings("ignore")
def test_scores_from_threads_are_those_of_one_thread(level, filters):
    data = np.random.default_rng(0).normal(size=(40, 3, 64))
    y = np.arange(40) % 2
    data[y == 1, 0] *= 1.4
    small = MLPClassifier((4,), max_epochs=3, dropout=0.2, random_state=0)

    def scores():
        pipes = {"csp": csp_lda(2, sfreq=64), "net": small}
        folds = compare(pipes, data, y, cv=2, scoring="neg_log_loss", progress=False).folds
        return folds["score"].tolist()

    alone = scores()
    assert in_threads(*[scores] * 3) == [alone] * 3


# What changes a setting of the process by itself, in no order with other threads.
GLOBAL = {"catch_warnings", "simplefilter", "filterwarnings", "resetwarnings", "use_log_level",
          "set_log_level", "seterr", "setbufsize"}


def test_settings_of_the_process_are_changed_in_one_place():
    found = []
    for path in Path(skbci.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if path.name == "quiet.py" or path.parent.name == "cli":  # a process of its own
                continue
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            # MNE's verbose= sets the level of the process.
            said = [word for word in node.keywords
                    if word.arg == "verbose" and isinstance(word.value, ast.Constant)]
            if called in GLOBAL or said:
                found.append(f"{path.name}:{node.lineno}")
    assert not found, f"{found}: use skbci._process.quiet"


@pytest.mark.parametrize("n", [1, 2])
def test_ctrl_c_on_the_way_in_or_out_leaves_no_holder_behind(n):
    with contextlib.suppress(KeyboardInterrupt), Interrupt(n), filters_kept():
        pass
    before = list(warnings.filters)
    with filters_kept():
        warnings.simplefilter("ignore", category=BytesWarning)
    assert warnings.filters == before
