"""What a benchmark found, as one structure that is written as Markdown and as JSON."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from _timing import Timing, ratio

import skbci

QUICK = (
    "**Quick run: few rows and few repeats, to see that everything works. Its ratios mean "
    "nothing.**"
)
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "skorch", "mne")


@dataclass(frozen=True)
class Claim:
    """A goal of the toolkit and what was measured: a ratio, or a quantity with a unit."""

    work: str
    peer: str
    asked: float
    measured: float
    unit: str = "times as fast"
    at_most: bool = False

    @property
    def holds(self) -> bool:
        return _meets(self.measured, self.asked, self.at_most)

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}

    def cells(self) -> tuple[str, ...]:
        bound = "at most" if self.at_most else "at least"
        return (
            self.work, self.peer, f"{bound} {self.asked:g} {self.unit}",
            f"{self._shown()} {self.unit}", "yes" if self.holds else "**no**",
        )

    def _shown(self) -> str:
        """Three digits, or as many as it takes not to contradict the verdict."""
        whole = len(f"{abs(self.measured):.0f}")
        shown = [f"{self.measured:.{digits}g}" for digits in range(max(3, whole), 18)]
        for text in shown:
            if _meets(float(text), self.asked, self.at_most) == self.holds:
                return text
        return shown[-1]


def _meets(measured: float, asked: float, at_most: bool) -> bool:
    return measured <= asked if at_most else measured >= asked


@dataclass(frozen=True)
class Picture:
    """How a table is drawn: lines of rows over sizes."""

    file: str
    x: str
    y: str
    lines: Mapping[str, Mapping[float, str]]  # names of the table's rows, by line and size
    column: str | None = None  # what is drawn; by default the seconds' medians


@dataclass
class Table:
    """Timings of methods, and whatever else is known of each.

    Parameters
    ----------
    title : str
    times : mapping of str to Timing, optional
        By method; without any, the table has only its further columns.
    reference : str, optional
        The method that all others are compared with.
    note : str, optional
        What has to be known about the protocol.
    timed : str, optional
        What the times are the times of.
    columns : mapping of str to mapping, optional
        Further columns: by name, then by method; numbers or text.
    picture : Picture, optional
    """

    title: str
    times: Mapping[str, Timing] = field(default_factory=dict)
    reference: str | None = None
    note: str = ""
    timed: str = ""
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    picture: Picture | None = None
    claims: list[Claim] = field(default_factory=list)

    def faster(
        self, method: str, factor: float, *, peer: str | None = None, work: str | None = None
    ) -> Table:
        """Hold a goal against it: ``method`` is ``factor`` times as fast as the peer."""
        other = self._named(peer)
        measured = ratio(self.times[other], self.times[method])
        self.claims.append(Claim(work or method, other, factor, measured))
        return self

    def at_most(
        self, asked: float, measured: float, unit: str, *, work: str, peer: str = "-"
    ) -> Table:
        """Hold a goal against it: no more than ``asked`` of a unit."""
        self.claims.append(Claim(work, peer, asked, measured, unit, at_most=True))
        return self

    def rows(self) -> list[dict[str, Any]]:
        """One record for each method, from which both forms are written."""
        methods = list(self.times) or list(next(iter(self.columns.values()), {}))
        return [self._row(method) for method in methods]

    def markdown(self) -> str:
        """Title, note and table."""
        rows = self.rows()
        timed = bool(self.times)
        compared = timed and self.reference is not None
        names = ["method", *(["median", "minimum", "maximum"] if timed else []),
                 *(["times as fast"] if compared else []), *self.columns]
        lines = [f"### {self.title}", ""]
        notes = [f"Times are of {self.timed}." if self.timed else "", self.note]
        if any(notes):
            lines += [" ".join(note for note in notes if note), ""]
        lines += [_line(names), _line(["---", *("---:" for _ in names[1:])])]
        for row in rows:
            cells = [row["method"]]
            if timed:
                cells += [show_seconds(row[k]) for k in ("median", "minimum", "maximum")]
            if compared:
                cells += [f"{row['times as fast']:.2f}"]
            lines.append(_line([*cells, *(_cell(row[name]) for name in self.columns)]))
        return "\n".join(lines)

    def record(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "title": self.title, "note": self.note, "timed": self.timed,
            "reference": self.reference, "columns": list(self.columns), "rows": self.rows(),
            "picture": asdict(self.picture) if self.picture else None,
            "claims": [claim.record() for claim in self.claims],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Table:
        """Read what `record` gave."""
        rows = record["rows"]
        claims = [{k: v for k, v in claim.items() if k != "holds"} for claim in record["claims"]]
        picture = dict(record["picture"] or {})
        if picture:
            picture["lines"] = {
                name: {float(size): row for size, row in line.items()}
                for name, line in picture["lines"].items()
            }
        return cls(
            title=record["title"], note=record["note"], timed=record["timed"],
            times={r["method"]: Timing(tuple(r["seconds"])) for r in rows if "seconds" in r},
            reference=record["reference"],
            columns={c: {r["method"]: r[c] for r in rows} for c in record["columns"]},
            picture=Picture(**picture) if picture else None,
            claims=[Claim(**claim) for claim in claims],
        )

    def _row(self, method: str) -> dict[str, Any]:
        row: dict[str, Any] = {"method": method}
        if method in self.times:
            t = self.times[method]
            row |= {"median": t.median, "minimum": t.best, "maximum": t.worst}
            if self.reference is not None:
                row["times as fast"] = ratio(self.times[self.reference], t)
        row |= {name: values.get(method) for name, values in self.columns.items()}
        if method in self.times:
            row["seconds"] = list(self.times[method].seconds)
        return row

    def _named(self, peer: str | None) -> str:
        name = self.reference if peer is None else peer
        if name is None:
            raise ValueError(f"{self.title!r} has no reference; name the peer.")
        return name


@dataclass
class Report:
    """A run: the machine, the tables, and what became of the goals."""

    machine: dict[str, str]
    quick: bool
    names: list[str]
    tables: list[Table] = field(default_factory=list)

    @property
    def claims(self) -> list[Claim]:
        return [claim for table in self.tables for claim in table.claims]

    def head(self) -> str:
        """Who measured what, and with which versions."""
        lines = [f"Benchmarks: {', '.join(self.names)}. "
                 + "; ".join(f"{key}: {value}" for key, value in self.machine.items()) + "."]
        return "\n\n".join([*([QUICK] if self.quick else []), *lines])

    def summary(self) -> str:
        """The goals in one table."""
        if not self.claims:
            return "None of these benchmarks has a goal."
        names = ("work", "peer", "asked", "measured (median)", "holds")
        lines = [_line(names), _line(["---"] * len(names))]
        lines += [_line(claim.cells()) for claim in self.claims]
        kept = sum(claim.holds for claim in self.claims)
        return "\n".join([*lines, "", f"{kept} of {len(self.claims)} hold."])

    def markdown(self) -> str:
        parts = ["# Benchmarks", self.head(), "## What was asked and what was measured",
                 self.summary(), "## All tables"]
        for table in self.tables:
            parts.append(table.markdown())
            if table.picture:
                parts.append(f"![{table.title}]({table.picture.file})")
        return "\n\n".join(parts) + "\n"

    def record(self) -> dict[str, Any]:
        return {
            "quick": self.quick, "benchmarks": self.names, "machine": self.machine,
            "claims": [claim.record() for claim in self.claims],
            "tables": [table.record() for table in self.tables],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Report:
        """Read what `record` gave."""
        tables = [Table.from_record(table) for table in record["tables"]]
        return cls(record["machine"], record["quick"], record["benchmarks"], tables)


def machine() -> dict[str, str]:
    """Processor, versions and threads."""
    cores = os.cpu_count()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    versions = {"skbci": skbci.__version__}  # also where it is not installed
    versions |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{_processor()}, {usable} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(), **versions,
        "threads": "one (search: two processes of one thread each)",
    }


def _processor() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    models = [line.partition(":")[2].strip() for line in info.splitlines()
              if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def emit(tables: Iterable[Table], folder: Path | None = None) -> Iterator[Table]:
    """Print each table as it comes, and draw those with a picture into the folder."""
    warnings.simplefilter("ignore")  # torch's on even kernels, scikit-learn's on convergence
    for table in tables:
        print(table.markdown(), end="\n\n", flush=True)
        if folder is not None and table.picture is not None:
            from _pictures import draw

            draw(table, folder)
        yield table


def main(
    tables: Callable[..., Iterator[Table]], doc: str | None, argv: Sequence[str] | None = None,
    options: Mapping[str, type] | None = None,
) -> None:
    """Run one script's benchmarks by themselves.

    Parameters
    ----------
    tables : callable
        Takes ``quick`` and the options, and yields tables.
    doc : str
        What the script does.
    argv : sequence of str, optional
    options : mapping of str to type, optional
        The script's own options.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few rows and repeats")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="draw pictures there")
    for name, kind in (options or {}).items():
        parser.add_argument(f"--{name}", type=kind)
    given = vars(parser.parse_args(argv))
    quick, folder = given.pop("quick"), given.pop("output")
    found = Report(machine(), quick, [Path(parser.prog).stem])
    print(found.head(), end="\n\n")
    chosen = {name: value for name, value in given.items() if value is not None}
    found.tables.extend(emit(tables(quick, **chosen), folder))
    if found.claims:
        print(found.summary())


def show_seconds(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if abs(seconds) * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
