"""The paper scripts' shared helper: runs that can be killed, tables that keep their numbers."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

import _study as study
import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed

TASKS = [{"subject": s, "rule": r} for s in (1, 2) for r in ("hjb", "None", "a,b")]


class Counter:
    def __init__(self, fail_at=None):
        self.calls, self.fail_at = [], fail_at

    def __call__(self, subject, rule):
        if len(self.calls) == self.fail_at:
            raise KeyboardInterrupt
        self.calls.append((subject, rule))
        return {"score": subject / 3, "name": f"{rule} {subject}"}


def test_results_come_back_as_they_were(tmp_path):
    frame = study.Study(tmp_path / "deep", "scores").run(TASKS, Counter())
    assert frame[["subject", "rule"]].to_dict("records") == TASKS
    assert frame["score"].tolist() == [task["subject"] / 3 for task in TASKS]
    assert list(frame.columns) == ["subject", "rule", "score", "name"]


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    first, second = Counter(fail_at=2), Counter()
    with pytest.raises(KeyboardInterrupt):
        study.Study(tmp_path, "s").run(TASKS, first)
    frame = study.Study(tmp_path, "s").run(TASKS, second)
    assert first.calls + second.calls == [(t["subject"], t["rule"]) for t in TASKS]
    pd.testing.assert_frame_equal(frame, study.Study(tmp_path / "whole", "s").run(TASKS,
                                                                                   Counter()))


def test_a_finished_run_is_not_repeated_and_fresh_repeats_it(tmp_path):
    study.Study(tmp_path, "s").run(TASKS, Counter())
    again, anew = Counter(), Counter()
    study.Study(tmp_path, "s").run(TASKS, again)
    study.Study(tmp_path, "s", fresh=True).run(TASKS, anew)
    assert again.calls == []
    assert len(anew.calls) == len(TASKS)


@pytest.mark.parametrize("cut", [1, 8, 30])
def test_a_line_that_was_cut_off_is_run_again(tmp_path, cut):
    one = study.Study(tmp_path, "s")
    whole = one.run(TASKS, Counter())
    one.path.write_bytes(one.path.read_bytes()[:-cut])
    again = Counter()
    pd.testing.assert_frame_equal(study.Study(tmp_path, "s").run(TASKS, again), whole)
    assert len(again.calls) >= 1


def damaged_copies(content, n, seed):
    """Copies with flipped bits, cuts, and bytes that were lost, doubled or moved."""
    rng = np.random.default_rng(seed)
    for number in range(n):
        copy, at = bytearray(content), int(rng.integers(len(content)))
        length = int(rng.integers(1, 40))
        kind = number % 5
        if kind == 0:
            copy[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del copy[at:]
        elif kind == 2:
            del copy[at : at + length]
        elif kind == 3:
            copy[at:at] = copy[at : at + length]
        else:
            copy[at : at + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
        if bytes(copy) != content:
            yield bytes(copy)


def test_a_damaged_file_never_gives_other_results(tmp_path):
    """It is refused, or what is lost is run again."""
    one = study.Study(tmp_path, "s")
    whole = one.run(TASKS, Counter())
    content, refused = one.path.read_bytes(), 0
    for copy in damaged_copies(content, 300, seed=0):
        one.path.write_bytes(copy)
        with contextlib.suppress(ValueError):
            pd.testing.assert_frame_equal(study.Study(tmp_path, "s").run(TASKS, Counter()), whole)
            continue
        with pytest.raises(ValueError, match=r"s\.csv is damaged"):
            study.Study(tmp_path, "s").run(TASKS, Counter())
        refused += 1
    assert refused > 100


def test_a_damaged_line_is_named(tmp_path):
    one = study.Study(tmp_path, "s")
    one.run(TASKS, Counter())
    lines = one.path.read_text().splitlines(keepends=True)
    assert lines[2].count("0.333") == 1
    one.path.write_text("".join([*lines[:2], lines[2].replace("0.333", "0.433"), *lines[3:]]))
    with pytest.raises(ValueError, match=r"s\.csv is damaged: line 3 .*checksum.*'0\.433"):
        study.Study(tmp_path, "s").run(TASKS, Counter())
    one.path.write_text("".join([*lines[:2], *lines[3:]]))  # the remedy of the message
    again = Counter()
    assert len(study.Study(tmp_path, "s").run(TASKS, again)) == len(TASKS)
    assert again.calls == [(TASKS[1]["subject"], TASKS[1]["rule"])]


def test_a_file_from_before_there_were_checksums(tmp_path):
    one = study.Study(tmp_path, "s")
    whole = one.run(TASKS, Counter())
    lines = [line.rpartition(",")[0] for line in one.path.read_text().splitlines()]
    one.path.write_text("\n".join(lines) + "\n")
    again = Counter()
    with pytest.warns(UserWarning, match=r"s\.csv was written without checksums"):
        frame = study.Study(tmp_path, "s").run(TASKS, again)
    pd.testing.assert_frame_equal(frame, whole)
    assert again.calls == []


def test_a_task_of_several_lines_counts_only_with_all_of_them(tmp_path):
    def folds(subject, rule):
        return [{"fold": fold, "score": fold * subject} for fold in range(3)]

    one = study.Study(tmp_path, "s")
    whole = one.run(TASKS, folds)
    assert len(whole) == 3 * len(TASKS)
    lines = one.path.read_text().splitlines(keepends=True)
    one.path.write_text("".join(lines[:-2]))
    kept = study.Study(tmp_path, "s")
    calls = []

    def counted(**task):
        calls.append(task)
        return folds(**task)

    pd.testing.assert_frame_equal(kept.run(TASKS, counted), whole)
    assert calls == TASKS[-1:]


def test_order_is_that_of_the_tasks_for_any_number_of_jobs(tmp_path):
    serial = study.Study(tmp_path, "one").run(TASKS, Counter())
    parallel = study.Study(tmp_path, "two").run(TASKS[::-1], Counter(), n_jobs=2)
    turned = study.Study(tmp_path, "two").run(TASKS, Counter())
    assert parallel["rule"].tolist() == serial["rule"].tolist()[::-1]
    pd.testing.assert_frame_equal(turned, serial)


def test_new_columns_join_old_lines(tmp_path):
    one = study.Study(tmp_path, "s")
    one.run(TASKS[:1], lambda **t: {"a": 1})
    frame = one.run(TASKS[:2], lambda **t: {"b": 2.5})
    assert frame["a"].isna().tolist() == [False, True]
    assert frame["b"].isna().tolist() == [True, False]


def test_tasks_of_an_earlier_run_are_not_shown(tmp_path):
    one = study.Study(tmp_path, "s")
    one.run(TASKS, Counter())
    assert len(one.run(TASKS[:2], Counter())) == 2


@pytest.mark.parametrize(("tasks", "message"), [
    ([], "no tasks"),
    ([{"a": 1}, {"b": 1}], "different arguments"),
    ([{"a": 1}, {"a": 1}], "twice"),
])
def test_bad_tasks_are_named(tmp_path, tasks, message):
    with pytest.raises(ValueError, match=message):
        study.Study(tmp_path, "s").run(tasks, lambda **t: {})


def test_results_must_not_hide_arguments_and_files_not_be_mixed(tmp_path):
    one = study.Study(tmp_path, "s")
    with pytest.raises(ValueError, match="name of an argument"):
        one.run([{"a": 1}], lambda a: {"a": 2})
    one.run([{"a": 1}], lambda a: {"c": 2})
    with pytest.raises(ValueError, match="--fresh"):
        study.Study(tmp_path, "s").run([{"b": 1}], lambda b: {"c": 2})


def test_a_table_without_all_of_its_tasks_is_refused(tmp_path):
    one = study.Study(tmp_path, "s")

    def beside_another_run(subject, rule):
        if (subject, rule) == (2, "None"):  # whose older copy of the file takes the place of ours
            one.path.write_text(one.path.read_text().splitlines()[0] + "\n")
        return {"score": subject}

    with pytest.raises(RuntimeError, match=r"4 of 6 tasks.*'subject': '1', 'rule': 'hjb'"):
        one.run(TASKS, beside_another_run)
    assert len(study.Study(tmp_path, "s").run(TASKS, Counter())) == len(TASKS)


def run_half(folder, half):
    tasks = [{"half": half, "number": number} for number in range(20)]
    return study.Study(folder, "shared").run(tasks, lambda half, number: {"sum": half + number})


def test_two_runs_that_share_a_file_lose_nothing(tmp_path):
    # In processes of their own, that take turns at writing.
    Parallel(n_jobs=2)(delayed(run_half)(tmp_path, half) for half in range(2))
    lines = study.Study(tmp_path, "shared").frame()
    assert sorted(zip(lines["half"], lines["number"])) == [
        (half, number) for half in range(2) for number in range(20)
    ]
    assert (lines["sum"] == lines["half"] + lines["number"]).all()
    assert [path.name for path in tmp_path.iterdir()] == ["shared.csv"]


def test_written_table_keeps_numbers_and_protocol(tmp_path):
    frame = pd.DataFrame({"rule": ["hjb", "a|b"], "error": [1 / 3, np.nan], "n": [3, 4]})
    text = study.write_table(frame, tmp_path / "t.1" / "table", "Table", "Four folds.")
    back = pd.read_csv(tmp_path / "t.1" / "table.csv")
    pd.testing.assert_frame_equal(back, frame)
    assert (tmp_path / "t.1" / "table.md").read_text() == text
    lines = text.splitlines()
    assert lines[0] == "# Table"
    assert lines[-1] == "Four folds."
    table = [line for line in lines if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    assert [cell.strip() for cell in table[2].strip("|").split("|")] == ["hjb", "0.333", "3"]
    assert "a\\|b" in table[3]


def test_a_named_index_is_a_column():
    frame = pd.DataFrame({"score": [0.5]}, index=pd.Index(["x"], name="rule"))
    assert study.markdown_table(frame).splitlines()[0].split() == ["|", "rule", "|", "score", "|"]


def test_arguments(monkeypatch):
    monkeypatch.setenv("SKBCI_DATA", "/some/folder")
    parser = argparse.ArgumentParser()
    study.add_arguments(parser)
    args = parser.parse_args(["--quick"])
    assert args.quick
    assert not args.fresh
    assert args.data == Path("/some/folder")
    monkeypatch.delenv("SKBCI_DATA")
    parser = argparse.ArgumentParser()
    study.add_arguments(parser)
    assert parser.parse_args([]).data is None
