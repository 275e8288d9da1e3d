"""New people while their rows arrive: alignment by what has come so far, beside all rows at once.

Imagined left and right fists as in ``alphagrad.py``, six folds of people. An alignment goes by the
rows of a call. *transductive*: a call with all rows of a person; *online*: for each row a call
with it and the rows before it, as a stream would have them. ``--data FOLDER`` as there; simulated
without.
"""

from __future__ import annotations

import argparse
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _across_subjects import N_FOLDS, WHOLE, in_fold, people, pipelines, rows_of, signal_of
from _multi_band import OnViews, Views, views_of
from _study import Study, add_arguments, difference, write_table

PIPELINES = ("CSP + LDA", "MDM", "tangent spaces + LR",
             "bands and windows, chosen (ours), mirrored")
EVERY = 3  # rows are predicted online as they would all be; every third is enough
FIRST = 10  # rows of a person that are told apart

PROTOCOL = """**Protocol.** The whole signal, {folds} folds of people; every third row of each test
person ({rows} rows). *transductive*: aligned, and scaled, by all rows of the person; *online*: by
the row itself and those before it, nothing of the person being known before; *first* and *later*:
the same of a person's first ten rows and of the others; *p*: Wilcoxon's test over people between
the two. No labels of test people in either. What the pipelines' settings were chosen on is said in
the table of new people."""


def arriving(model: Any, X: Any, at: np.ndarray) -> np.ndarray:
    """Predict rows of one person by those that have come until then."""
    return np.array([model.predict(X[: last + 1])[-1] for last in at])


@cache
def all_views(data: Path | None, quick: bool) -> Views:
    """Views of everybody's rows."""
    return views_of(signal_of(people(data, quick)[0], WHOLE), slow=True)


class _OfSignals:
    """A decoder of views that makes them itself."""

    def __init__(self, model: OnViews) -> None:
        self.model = model

    def predict(self, X: Any) -> np.ndarray:
        """Views of these rows, and nothing else; then their labels."""
        return self.model.predict(views_of(X, slow=True))


def run_one(
    data: Path | None, quick: bool, pipeline: str, fold: int
) -> list[dict[str, Any]]:
    """Fit once; a line for each test person."""
    X, y, tested, truth = rows_of(data, None, quick, WHOLE, fold)
    model: Any = pipelines(WHOLE)[pipeline][1](0)
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of people with few rows
        if isinstance(model, OnViews):
            views = all_views(data, quick)
            model = _OfSignals(model.fit(views[~in_fold(views.subject, fold)], y))
        else:
            model.fit(X, y)
        subject = tested.metadata["subject"].to_numpy()
        for one in np.unique(subject):
            own = np.flatnonzero(subject == one)
            at = np.arange(EVERY - 1, len(own), EVERY)
            right = truth[own][at]
            together = model.predict(tested[own])[at] == right
            online = arriving(model, tested[own], at) == right
            early = at < FIRST
            lines.append({
                "subject": one, "rows": len(at), "transductive": together.mean(),
                "online": online.mean(),
                **{f"{kind}, {part}": hits[which].mean()
                   for part, which in (("first", early), ("later", ~early))
                   for kind, hits in (("transductive", together), ("online", online))},
            })
    return lines


def loss_p(lines: pd.DataFrame) -> float:
    """Wilcoxon's p over people of what going online costs."""
    kinds = {(kind, "accuracy"): lines.set_index("subject")[kind]
             for kind in ("online", "transductive")}
    return difference(pd.concat(kinds), *kinds)[1]


def main(argv: list[str] | None = None) -> pd.DataFrame:
    """Run the pipelines; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--pipelines", nargs="+", choices=PIPELINES, default=list(PIPELINES))
    args = parser.parse_args(argv)
    folds = 1 if args.quick else N_FOLDS
    tasks = [{"data": args.data, "quick": args.quick, "pipeline": name, "fold": fold}
             for name in args.pipelines for fold in range(folds)]
    stem = f"new_people_online{'' if args.data else '_simulated'}{'_quick' if args.quick else ''}"
    lines = Study(args.output, f"{stem}_runs", fresh=args.fresh).run(
        tasks, run_one, n_jobs=args.n_jobs)
    shown = [name for name in lines if name.startswith(("transductive", "online"))]
    table = lines.groupby("pipeline", sort=False)[shown].mean().reset_index()
    table["p"] = [loss_p(lines[lines["pipeline"] == name]) for name in table["pipeline"]]
    rows = int(lines.drop_duplicates(["subject", "fold"])["rows"].sum())
    print(write_table(table, args.output / stem, "New people while their rows arrive",
                      PROTOCOL.format(folds=lines["fold"].nunique(), rows=rows)))
    return table


if __name__ == "__main__":
    main()
