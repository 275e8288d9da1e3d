"""The benchmarks' report: both forms say the same, and the goals are judged as they read."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import _report
import matplotlib.pyplot as plt
import pytest
import run
from _report import Claim, Picture, Report, Table
from _timing import Timing, interleave

# Medians 0.3, 0.1 and 0.02 s; the means and the best times have other ratios.
SLOW = Timing((0.2, 0.3, 1.9))
FAST = Timing((0.1, 0.09, 0.4))
FASTEST = Timing((0.02, 0.019, 0.5))
TIMES = {"slow": SLOW, "fast": FAST, "fastest": FASTEST}


@pytest.fixture
def report():
    timed = Table("Timed", TIMES, "slow", note="In turn.", timed="one step",
                  columns={"error": {"fast": 1.25e-7, "fastest": 3.0}})
    timed.faster("fast", 2.9).faster("fastest", 5.5, peer="fast", work="the fastest")
    memory = Table("Memory", columns={"extra (MB)": {"a": 812.0, "b": 1234.0}})
    memory.at_most(1000, 812.0, "MB", work="a").at_most(1000, 1234.0, "MB", work="b")
    machine = {"processor": "one of 8", "threads": "one"}
    return Report(machine, False, ["first", "second"], [timed, memory])


def cells(markdown):
    """Read the table of some Markdown: rows of cells, the line of dashes left out."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in split if not set("".join(row)) <= set("-:")]


def seconds(text):
    number, unit = text.split()
    return float(number) / {"s": 1, "ms": 1e3, "µs": 1e6, "ns": 1e9}[unit]


def test_ratios_are_those_of_the_medians():
    rows = {row["method"]: row for row in Table("T", TIMES, "slow").rows()}
    assert rows["slow"]["times as fast"] == 1
    assert rows["fast"]["times as fast"] == pytest.approx(0.3 / 0.1)
    assert rows["fastest"]["times as fast"] == pytest.approx(0.3 / 0.02)
    claims = Table("T", TIMES, "slow").faster("fast", 2).faster("fastest", 2, peer="fast").claims
    assert [claim.measured for claim in claims] == pytest.approx([3, 5])
    assert [claim.peer for claim in claims] == ["slow", "fast"]


def test_markdown_and_json_give_the_same_numbers(report):
    record = json.loads(json.dumps(report.record()))
    for table, as_json in zip(report.tables, record["tables"]):
        names, *rows = cells(table.markdown())
        assert [row[0] for row in rows] == [row["method"] for row in as_json["rows"]]
        for row, wanted in zip(rows, as_json["rows"]):
            for name, cell in list(zip(names, row))[1:]:
                if name in ("median", "minimum", "maximum"):
                    assert seconds(cell) == pytest.approx(wanted[name], rel=5e-3)
                elif wanted[name] is None:
                    assert cell == "-"
                else:
                    number = float(cell.replace(",", ""))
                    assert number == pytest.approx(wanted[name], rel=5e-3)
    names, *rows = cells(report.summary())
    for row, wanted in zip(rows, record["claims"]):
        assert (row[0], row[1]) == (wanted["work"], wanted["peer"])
        assert (row[4] == "yes") == wanted["holds"]
        for cell, key in ((row[2], "asked"), (row[3], "measured")):
            number = float(re.search(r"[\d.]+", cell)[0])
            assert number == pytest.approx(wanted[key], rel=5e-3)


def test_json_keeps_every_timing_and_gives_the_report_back(report):
    record = json.loads(json.dumps(report.record()))
    assert record["tables"][0]["rows"][0]["seconds"] == [0.2, 0.3, 1.9]
    assert Report.from_record(record).record() == report.record()
    assert Report.from_record(record).markdown() == report.markdown()


def test_a_table_without_times_has_no_columns_of_times():
    names, *rows = cells(Table("M", columns={"MB": {"a": 1.5, "b": 2}}).markdown())
    assert names == ["method", "MB"]
    assert rows == [["a", "1.5"], ["b", "2"]]


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (Claim("w", "p", 5.0, 5.0), True),
        (Claim("w", "p", 5.0, 4.9999), False),
        (Claim("w", "p", 5.0, 5.0001), True),
        (Claim("w", "-", 0.2, 0.2, "ms", at_most=True), True),
        (Claim("w", "-", 0.2, 0.20001, "ms", at_most=True), False),
        (Claim("w", "-", 0.2, 0.19999, "ms", at_most=True), True),
        (Claim("w", "p", 1.0, float("nan")), False),
        (Claim("w", "p", 1.0, float("nan"), at_most=True), False),
    ],
)
def test_a_goal_holds_up_to_its_edge_and_reads_so(claim, holds):
    assert claim.holds is holds
    *_, shown, verdict = claim.cells()
    assert verdict == ("yes" if holds else "**no**")
    number = float(shown.split()[0])  # rounding never contradicts the verdict
    assert (number <= claim.asked if claim.at_most else number >= claim.asked) is holds


def test_a_goal_without_a_peer_is_refused():
    with pytest.raises(ValueError, match="'T' has no reference; name the peer"):
        Table("T", TIMES).faster("fast", 2)


def test_summary_counts_and_quick_runs_say_so(report):
    assert report.summary().endswith("2 of 4 hold.")
    assert "mean nothing" not in report.markdown()
    report.quick = True
    assert "mean nothing" in report.head().splitlines()[0].replace("\n", " ")
    assert Report({}, False, ["optimizers"]).summary() == "None of these benchmarks has a goal."


def test_interleave_takes_turns_and_leaves_the_first_rounds_out():
    calls = []
    work = {name: (lambda name=name: calls.append(name)) for name in "abc"}
    times = interleave(work, repeats=2, warmup=1)
    assert "".join(calls) == "abcabcabc"
    assert {name: len(timing.seconds) for name, timing in times.items()} == dict.fromkeys("abc", 2)
    assert (Timing((2.0, 4.0)) / 2).seconds == (1.0, 2.0)


def test_an_unknown_name_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as refusal:
        run.main(["fits", "fit", "speed"])
    assert refusal.value.code == 2
    message = capsys.readouterr().err
    assert "unknown: fit, speed." in message
    for name in run.NAMES:
        assert name in message.partition("The benchmarks are:")[2]
        assert (run.FOLDER / f"{name}.py").exists()


def test_last_results_are_asked_for_alone(capsys, tmp_path):
    with pytest.raises(SystemExit):
        run.main(["--last", "fits"])
    assert "leave out names and --quick" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match="run without --last first"):
        run.main(["--last", "--output", str(tmp_path)])


def test_markers_are_replaced_and_nothing_else(report, tmp_path):
    start, end = run.MARKERS
    text = f"# Title\n\nBefore.\n\n{start}\nstale | table\n{end}\n\nAfter.\n"
    path = tmp_path / "README.md"
    path.write_text(text, encoding="utf-8")
    run.write_readme(report, path)
    written = path.read_text(encoding="utf-8")
    assert written.startswith(f"# Title\n\nBefore.\n\n{start}\n")
    assert written.endswith(f"{end}\n\nAfter.\n")
    assert "stale" not in written
    assert report.summary() in written
    run.write_readme(report, path)
    assert path.read_text(encoding="utf-8") == written


@pytest.mark.parametrize("text", ["none", "{0} only", "{1} {0}", "{0} {1} {1}", "{0} {0} {1}"])
def test_missing_or_repeated_markers_are_refused(text):
    with pytest.raises(ValueError, match="must hold the line"):
        run.put_between_markers(text.format(*run.MARKERS), "new")


def test_the_readme_has_its_markers_and_every_name():
    text = (run.FOLDER / "README.md").read_text(encoding="utf-8")
    run.put_between_markers(text, "new")
    for name in run.NAMES:
        assert f"| `{name}` |" in text


def test_saved_results_are_read_back(report, tmp_path):
    run.save(report, tmp_path)
    assert run.load(tmp_path).record() == report.record()
    assert (tmp_path / "results.md").read_text(encoding="utf-8") == report.markdown()


def test_pictures_have_logarithmic_axes_and_a_line_for_each_method(tmp_path, monkeypatch):
    from _pictures import draw

    lines = {"`a`": {1.0: "a, 1", 10.0: "a, 10"}, "`b`": {1.0: "b, 1", 10.0: "b, 10"}}
    times = dict(zip(("a, 1", "b, 1", "a, 10", "b, 10"), (SLOW, FAST, SLOW / 0.1, FAST / 0.1)))
    picture = Picture("growth.png", "rows", "time (s)", lines)
    monkeypatch.setattr(plt, "close", lambda figure: None)
    path = draw(Table("Growth", times, picture=picture), tmp_path)
    assert path.stat().st_size > 1000
    ax = plt.gcf().axes[0]
    monkeypatch.undo()
    plt.close(ax.figure)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rows", "time (s)")
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([0.3, 3.0])


def test_one_benchmark_from_its_command_line(tmp_path):
    command = [sys.executable, run.__file__, "optimizers", "--quick", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    record = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert record["quick"]
    assert record["benchmarks"] == ["optimizers"]
    assert record["machine"]["threads"].startswith("one")
    table = Table.from_record(record["tables"][0])
    assert table.markdown() in done.stdout
    assert (tmp_path / "results.md").read_text(encoding="utf-8").count(_report.QUICK) == 1
    assert all(len(timing.seconds) == 5 for timing in table.times.values())
