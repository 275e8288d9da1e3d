"""Run the benchmarks, hold them against the toolkit's goals, and write down what came out.

``python benchmarks/run.py`` runs all of them in one process, ``python benchmarks/run.py stream
fits`` those two. Tables go to the standard output as they come; ``results.md``, ``results.json``
and pictures to the folder of ``--output``. ``--write-readme`` puts the table of goals into
``benchmarks/README.md``; with ``--last`` nothing is measured and the folder's last results are
taken.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

from _report import Report, emit, machine

FOLDER = Path(__file__).resolve().parent
NAMES = (
    "features", "fits", "networks", "optimizers", "second_order", "weighting", "search", "stream",
    "imports", "gpu", "growth",
)
MARKERS = "<!-- results: start -->", "<!-- results: end -->"


def measure(names: Sequence[str], quick: bool, folder: Path) -> Report:
    """Run benchmarks one after the other, printing as they go."""
    scripts = {name: importlib.import_module(name) for name in names}  # sets the threads first
    report = Report(machine(), quick, list(names))
    print(f"# Benchmarks\n\n{report.head()}", flush=True)
    for name, script in scripts.items():
        started = time.perf_counter()
        print(f"\n## {name}\n", flush=True)
        report.tables.extend(emit(script.tables(quick), folder))
        print(f"({name}: {time.perf_counter() - started:.0f} s)", flush=True)
        gc.collect()
    print(f"\n## What was asked and what was measured\n\n{report.summary()}", flush=True)
    return report


def save(report: Report, folder: Path) -> None:
    """Write both forms of a report."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.record(), indent=1, ensure_ascii=False)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    (folder / "results.md").write_text(report.markdown(), encoding="utf-8")


def load(folder: Path) -> Report:
    """Read the last report of a folder."""
    path = folder / "results.json"
    if not path.exists():
        raise FileNotFoundError(f"There are no results in {path} yet; run without --last first.")
    return Report.from_record(json.loads(path.read_text(encoding="utf-8")))


def put_between_markers(text: str, new: str) -> str:
    """Replace what stands between the two markers, and nothing else."""
    start, end = MARKERS
    before, opened, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not opened or not closed or start in rest or end in before + after:
        raise ValueError(
            f"The text must hold the line {start!r} once and {end!r} once after it."
        )
    return f"{before}{start}\n\n{new}\n\n{end}{after}"


def write_readme(report: Report, path: Path) -> None:
    """Put head and goals of a report into the README."""
    new = f"{report.head()}\n\n{report.summary()}"
    text = put_between_markers(path.read_text(encoding="utf-8"), new)
    path.write_text(text, encoding="utf-8")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="of " + ", ".join(NAMES) + "; default: all")
    parser.add_argument("--quick", action="store_true",
                        help="small and fast, to see that everything works; ratios mean nothing")
    parser.add_argument("--output", type=Path, default=FOLDER / "results", metavar="FOLDER",
                        help="where results and pictures go (default: %(default)s)")
    parser.add_argument("--write-readme", action="store_true",
                        help="put the table of goals into benchmarks/README.md")
    parser.add_argument("--last", action="store_true",
                        help="measure nothing: take the last results of the output folder")
    args = parser.parse_args(argv)
    unknown = [name for name in args.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}. The benchmarks are: {', '.join(NAMES)}")
    if args.last and (args.names or args.quick):
        parser.error("--last takes results as they are; leave out names and --quick")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    if args.last:
        report = load(args.output)
        print(report.markdown())
    else:
        report = measure(list(dict.fromkeys(args.names)) or NAMES, args.quick, args.output)
        save(report, args.output)
    if args.write_readme:
        write_readme(report, FOLDER / "README.md")


if __name__ == "__main__":
    main()
