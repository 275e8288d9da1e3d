"""What the paper scripts share: resumable runs, tables with their protocol, tests, arguments."""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _study_file import LINES, SUM, alone, checksum, read_lines, text_of, to_csv
from joblib import Parallel, delayed
from tqdm import tqdm

from skbci._process.files import replacing
from skbci.evaluation._paired import differences, wilcoxon_p

__all__ = ["Study", "add_arguments", "difference", "markdown_table", "write_table"]

class Study:
    """Tasks whose results are kept in a CSV file as they come in.

    A study that was killed goes on where it was: tasks that are in the file are not run again.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    name : str
        The file is ``folder/name.csv``.
    fresh : bool, default=False
        Whether to forget what the file holds.

    Notes
    -----
    The file knows nothing of the code that made it: after a change of the code, run with
    ``fresh=True``. Each line has a checksum, so that a damaged file is refused, and not read as
    other results. Files without checksums, from before there were any, are read with a warning.
    """

    def __init__(self, folder: Path, name: str, fresh: bool = False) -> None:
        self.path = Path(folder) / f"{name}.csv"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._order: list[tuple[str, ...]] = []
        self._keys: list[str] = []
        if fresh:
            self.path.unlink(missing_ok=True)

    def run(
        self,
        tasks: Sequence[dict[str, Any]],
        function: Callable[..., Any],
        n_jobs: int = 1,
    ) -> pd.DataFrame:
        """Run the tasks that are not finished yet.

        Parameters
        ----------
        tasks : sequence of dict
            Each a set of keyword arguments; all with the same names, no two alike. Values are
            told apart by their text.
        function : callable
            ``function(**task)`` gives a dict of results, or a list of such dicts.
        n_jobs : int, default=1
            Processes that share the tasks.

        Returns
        -------
        DataFrame
            As `frame`.

        Raises
        ------
        ValueError
            If the tasks differ in their names, two are alike, a result has the name of a task's
            argument, or the file is damaged; the message names the line.
        RuntimeError
            If tasks are missing from the file in the end: a task gave no result, or another run
            wrote into the same file.
        """
        self._keys = _common_keys(tasks)
        self._order = [self._key(task) for task in tasks]
        if len(set(self._order)) < len(self._order):
            twice = next(key for key in self._order if self._order.count(key) > 1)
            raise ValueError(f"the task {dict(zip(self._keys, twice))} is there twice.")
        done = {self._key(line) for line in self._read()}
        waiting = [task for task, key in zip(tasks, self._order) if key not in done]
        bar = tqdm(total=len(tasks), initial=len(tasks) - len(waiting), desc=self.path.stem,
                   disable=None)
        results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            delayed(_call)(function, task) for task in waiting
        )
        with bar:
            for task, result in results:
                self._append(task, result)
                bar.update()
        self._check_whole()
        return self.frame()

    def frame(self) -> pd.DataFrame:
        """Results so far: the tasks' arguments and results, in the order of the last `run`.

        Returns
        -------
        DataFrame
            One row per line; what else the file holds, from tasks that were not in that run, is
            left out.
        """
        lines = self._read()
        if self._order:
            place = {key: number for number, key in enumerate(self._order)}
            lines = [line for line in lines if self._key(line) in place]
            lines.sort(key=lambda line: place[self._key(line)])
        if not lines:
            return pd.DataFrame(columns=self._keys)
        text = to_csv(lines, [n for n in lines[0] if n not in (LINES, SUM)], header=True)
        # Only an empty field is a missing value: a task may be called "None" or "NA".
        return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])

    def _check_whole(self) -> None:
        done = {self._key(line) for line in self._read()}
        lost = [key for key in self._order if key not in done]
        if lost:
            raise RuntimeError(
                f"{self.path} lacks {len(lost)} of {len(self._order)} tasks that were run, the "
                f"first of them {dict(zip(self._keys, lost[0]))}: they gave no result, or another "
                "run wrote into the same file. Run once more, one run at a time."
            )

    def _key(self, line: dict[str, Any]) -> tuple[str, ...]:
        missing = [name for name in self._keys if name not in line]
        if missing:
            raise ValueError(
                f"{self.path} was made by other tasks: it has no column {missing[0]!r}. Run with "
                "fresh=True (--fresh), or give the study another name."
            )
        return tuple(text_of(line[name]) for name in self._keys)

    def _read(self) -> list[dict[str, str]]:
        """Lines of finished tasks; what a killed run left of others is passed over."""
        if not self.path.exists():
            return []
        lines = read_lines(self.path)
        if not self._keys:
            return lines
        counts = pd.Series([self._key(line) for line in lines], dtype=object).value_counts()
        return [line for line in lines if counts[self._key(line)] == int(line[LINES])]

    def _append(self, task: dict[str, Any], result: Any) -> None:
        results = [result] if isinstance(result, dict) else list(result)
        for one in results:
            if clash := sorted(set(one) & {*task, LINES, SUM}):
                raise ValueError(
                    f"the results {clash} have the name of an argument of the task, or of a "
                    f"column of the file ({LINES}, {SUM})."
                )
        new = [{**task, **one, LINES: len(results)} for one in results]
        with alone(self.path):  # another run may write into the same file
            old = self._read()
            columns = list(dict.fromkeys(name for line in [*old, *new] for name in line))
            columns = [name for name in columns if name not in (LINES, SUM)] + [LINES, SUM]
            for line in (*old, *new):
                line[SUM] = checksum(line)
            # The whole file is written anew and moved into place: a run can be killed any time.
            with replacing(self.path) as file:
                file.write(to_csv([*old, *new], columns, header=True).encode())


def _call(function: Callable[..., Any], task: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    return task, function(**task)


def _common_keys(tasks: Sequence[dict[str, Any]]) -> list[str]:
    if not tasks:
        raise ValueError("there are no tasks.")
    keys = list(tasks[0])
    for task in tasks:
        if set(task) != set(keys):
            raise ValueError(
                f"the tasks have different arguments: {sorted(keys)} and {sorted(task)}."
            )
    return keys


def markdown_table(frame: pd.DataFrame, digits: int = 3) -> str:
    """Give a frame as a Markdown table that is also legible as plain text.

    Parameters
    ----------
    frame : DataFrame
        A named index becomes the first column(s); an unnamed one is left out.
    digits : int, default=3
        Decimals of floating-point numbers. Missing values are left empty.

    Returns
    -------
    str
    """
    frame = _with_index(frame)
    names = [
        " ".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)
        for name in frame.columns
    ]
    cells = [[_cell(value, digits) for value in frame.iloc[:, at]] for at in range(len(names))]
    numeric = [pd.api.types.is_numeric_dtype(frame.iloc[:, at]) for at in range(len(names))]
    widths = [max(3, len(name), *map(len, column)) for name, column in zip(names, cells)]

    def line(parts: Sequence[str]) -> str:
        fitted = [
            part.rjust(width) if right else part.ljust(width)
            for part, width, right in zip(parts, widths, numeric)
        ]
        return "| " + " | ".join(fitted) + " |"

    rule = [("-" * (width - 1) + ":") if right else "-" * width
            for width, right in zip(widths, numeric)]
    return "\n".join([line(names), line(rule), *(line(row) for row in zip(*cells))]) + "\n"


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index() if named else frame


def _cell(value: Any, digits: int) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, (float, np.floating)):
        return f"{value:.{digits}f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def write_table(
    frame: pd.DataFrame, path_without_suffix: Path, title: str, protocol: str, *, digits: int = 3
) -> str:
    """Write a table as CSV and as Markdown with its protocol under it.

    Parameters
    ----------
    frame : DataFrame
        The table; the CSV file has its numbers unrounded.
    path_without_suffix : Path
        Where; ``.csv`` and ``.md`` are added.
    title : str
        Heading of the Markdown file.
    protocol : str
        How the figures were made.
    digits : int, default=3
        Decimals in the Markdown file.

    Returns
    -------
    str
        The Markdown text, to print.
    """
    path = Path(path_without_suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"# {title}\n\n{markdown_table(frame, digits)}\n{protocol.strip()}\n"
    path.with_name(path.name + ".md").write_text(text, encoding="utf-8")
    _with_index(frame).to_csv(path.with_name(path.name + ".csv"), index=False)
    return text


def difference(
    subjects: pd.Series, one: tuple[Any, ...], other: tuple[Any, ...]
) -> tuple[float, float]:
    """Mean difference of two methods, and Wilcoxon's p, over the subjects that both have.

    Parameters
    ----------
    subjects : Series
        Scores; the level "subject" of the index comes last, the methods' names before it.
    one, other : tuple
        Names of the methods.

    Returns
    -------
    mean, p : float
        NaN where a method is unknown or there is none to compare with; the p also for fewer than
        six subjects, whose smallest p is over .05.
    """
    known = set(subjects.index.droplevel("subject"))
    if one == other or not {one, other} <= known:
        return np.nan, np.nan
    pair = pd.concat([subjects[one], subjects[other]], axis=1, join="inner").to_numpy()
    gap = differences(pair[:, 0], pair[:, 1])
    return float(np.mean(gap)), np.nan if len(gap) < 6 else wilcoxon_p(gap)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every paper script has.

    Parameters
    ----------
    parser : ArgumentParser
        Gets ``--data``, ``--quick``, ``--n-jobs``, ``--output`` and ``--fresh``.
    """
    data = os.environ.get("SKBCI_DATA")
    parser.add_argument("--data", type=Path, default=Path(data) if data else None,
                        help="folder of recordings (default: the environment's SKBCI_DATA)")
    parser.add_argument("--quick", action="store_true",
                        help="a small version that takes less than 3 minutes on 2 cores")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--output", type=Path, default=Path("outputs"),
                        help="folder for tables, pictures and unfinished runs (default outputs)")
    parser.add_argument("--fresh", action="store_true",
                        help="start anew; else a run continues from what it finished")
