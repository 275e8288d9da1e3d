"""``skbci compare``: pipelines on the same folds, and what else could have told the labels."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names

from skbci.cli._confusion import confusion_scorers, take_confusions
from skbci.cli._findings import Findings
from skbci.cli._pipelines import make_pipelines
from skbci.cli._recordings import check_window, expand, read_files, window_settings
from skbci.cli._splits import SPLITS, check_split, make_split
from skbci.cli._words import UsageError, in_options
from skbci.eegarray import EEGArray
from skbci.evaluation import ConfoundReport, compare, confound_report, leakage_report

__all__ = ["compare_files"]


def compare_files(args: argparse.Namespace) -> None:
    """Compare, print, and write the report where one is wanted."""
    check_window(args)
    pipelines = make_pipelines(args.pipelines, args.align)
    check_split(args.split)
    if args.scoring not in get_scorer_names():
        raise UsageError(f"--scoring {args.scoring}: scikit-learn has no scorer of this name; "
                         "some are accuracy, balanced_accuracy, roc_auc and neg_log_loss.")
    if args.report is not None:
        _check_target(Path(args.report).expanduser())
    with _overheard() as said:
        files = expand(args.files)
        X, y = read_files(files, **window_settings(args))
        classes = np.unique(y).tolist()
        if len(classes) < 2:
            raise ValueError(f"all epochs are of one event, {classes[0]!r}; a comparison needs "
                             "two or more. --events names those to take.")
        cv = make_split(args.split, args.folds, *_counts(X))
        folds = list(cv.split(X, y))
        leakage = leakage_report(cv, X, y=y)
        scoring = {args.scoring: args.scoring, **confusion_scorers(classes)}
        result = compare(pipelines, X, y, cv=cv, scoring=scoring, baseline=next(iter(pipelines)),
                         n_jobs=args.n_jobs, cache=args.cache, progress=sys.stderr.isatty())
        comparison, confusions = take_confusions(result, classes)
        confounds = _confounds(X, y, args)
    found = Findings(X, y, files, pipelines, f"{args.split}: {SPLITS[args.split]}", folds,
                     comparison, confusions, leakage, confounds,
                     shlex.join(["skbci", *args.argv]), said)
    print(f"{comparison}\n\nLeakage: {in_options(leakage.verdict)}\n")
    print(f"Confounds: {confounds if isinstance(confounds, str) else confounds.verdict}")
    if args.report is not None:
        from skbci.cli._report import write_report

        print(f"\nReport: {write_report(found, Path(args.report).expanduser())}")


def _check_target(target: Path) -> None:
    """Refuse a name that the report cannot be written to, before the work begins."""
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {target}: its name must end in .html.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"--report {target}: there is no folder {target.parent}.")
    if target.is_dir():
        raise IsADirectoryError(f"--report {target}: it is a folder; name a file in it.")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"--report {target}: it is write-protected.")


def _confounds(X: EEGArray, y: np.ndarray, args: argparse.Namespace) -> ConfoundReport | str:
    """Look for other sources of the labels; words where that is not possible or not wanted."""
    if args.no_confounds:
        return "not looked for (--no-confounds)."
    try:
        return confound_report(X, y, n_jobs=args.n_jobs)
    except ValueError as error:
        return f"not looked for: {error}"


def _counts(X: EEGArray) -> tuple[int, int]:
    """Count subjects, and the sessions of the one with the fewest."""
    table = X.metadata.assign(session=X.metadata.get("session", 1))
    sessions = table.groupby("subject", sort=False)["session"].nunique()
    return len(sessions), int(sessions.min())


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Keep what is warned of for the report, too."""
    said: list[str] = []
    show = warnings.showwarning

    def listen(message: Warning | str, *more: Any, **where: Any) -> None:
        text = in_options(message)
        if text not in said:
            said.append(text)
        show(message, *more, **where)

    warnings.showwarning = listen
    try:
        yield said
    finally:
        warnings.showwarning = show
