"""Sparse multitask learning: one network for imagined and executed movements, mostly pruned.

Shin, Yin and Lee (2023), "Sparse Multitask Learning for Efficient Neural Representation of Motor
Imagery and Execution", arXiv:2312.05828. A network with a trunk that both tasks share, dense or
pruned to 20, 40 and 80 % sparsity by a lottery ticket, by SNIP, and by the paper's SNIP with a
mask a task; within subjects. Run ``python examples/papers/sparse_multitask.py --data FOLDER``,
or without ``--data`` on simulated signals.
"""

from __future__ import annotations

import argparse
import textwrap
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from _sparse_multitask_runs import (
    ALIKE,
    BAND,
    DENSE,
    LR,
    OURS,
    RATE,
    SNIP,
    TASKS,
    TICKET,
    cells,
    fit,
    of_subject,
    run,
    run_history,
    subjects,
)
from _study import Study, add_arguments, difference, write_table

from skbci.display import SparsityDisplay
from skbci.evaluation._paired import holm

#: Table of the paper: accuracy in %, its sd, F1 and its sd, for imagery and execution.
PAPER = {
    (DENSE, 0.0): ((60.0, 4.0, 0.59, 0.04), (70.0, 3.0, 0.69, 0.03)),
    (TICKET, 0.2): ((61.0, 4.0, 0.60, 0.04), (71.0, 3.0, 0.70, 0.03)),
    (TICKET, 0.4): ((62.5, 3.5, 0.62, 0.03), (72.5, 2.5, 0.72, 0.02)),
    (TICKET, 0.8): ((58.0, 5.0, 0.57, 0.05), (68.0, 4.0, 0.67, 0.04)),
    (SNIP, 0.2): ((61.5, 3.5, 0.61, 0.03), (71.5, 2.5, 0.71, 0.02)),
    (SNIP, 0.4): ((63.0, 3.0, 0.62, 0.03), (73.0, 2.0, 0.72, 0.02)),
    (SNIP, 0.8): ((57.5, 4.5, 0.57, 0.04), (67.5, 3.5, 0.67, 0.03)),
    (OURS, 0.2): ((62.0, 3.0, 0.61, 0.03), (72.0, 2.0, 0.71, 0.02)),
    (OURS, 0.4): ((64.5, 2.5, 0.64, 0.02), (74.5, 1.5, 0.74, 0.01)),
    (OURS, 0.8): ((60.5, 4.0, 0.60, 0.04), (70.5, 3.0, 0.70, 0.03)),
}
KEYS = ["method", "sparsity"]
METRICS = ("accuracy", "f1")


@dataclass(frozen=True)
class Budget:
    """What a run may cost."""

    n_folds: int = 3
    n_seeds: int = 2
    epochs: int = 80
    n_watched: int = 4  # subjects whose losses are drawn


QUICK = Budget(n_folds=2, n_seeds=1, epochs=15, n_watched=1)

PROTOCOL = (
    """**Protocol.** {what}; left or right fist, {n_rows} trials of each task and subject, 22
    channels, {low:g}-{high:g} Hz, 0-4 s after the cue at {rate} Hz. {n_folds} folds within each
    subject, drawn anew for each of {n_seeds}; a fold trains one network for both tasks. The same
    for all methods: `DualTaskNet`, Adam at {lr:g}, batches of 16 rows of both tasks, {epochs}
    epochs, the last weights taken, dropout 0.25, same initial weights and mini-batches. Kernels,
    poolings and step size were chosen by the dense network's accuracy on eight of the sixteen
    recorded subjects, the epochs so that networks of 80 % sparsity are trained on them, too (50 at
    half the step size are too few). Masks are found on training rows. The lottery ticket takes one
    round of training before the last and drops the same share of each layer; it costs two
    trainings.""",
    """**Columns.** Means over subjects (over a subject's seeds first; predictions of all folds
    together) and their standard deviation over subjects; *seeds*: standard deviation over seeds of
    the mean accuracy; *kept*: share of the weights that are left; *overlap*: Jaccard index of what
    the two tasks asked for; *to dense* and *to SNIP*: mean difference in accuracy from the dense
    network and from SNIP with the same sparsity; *p*: Wilcoxon's signed-rank test over subjects,
    each column Holm-corrected; none for fewer than six subjects. *paper*: accuracy and F1 of the
    article, ten subjects, three classes, other recordings, protocol not given in full.""",
    """*SNIP by task (paper)* keeps a shared weight if either task asks for it: more than SNIP with
    the same sparsity. *SNIP, as many weights* is SNIP told to keep as many weights as that; only
    against it does the comparison tell what masks by task bring, beside more weights.""",
)


def measure(args: argparse.Namespace, name: str, budget: Budget) -> tuple[pd.DataFrame, ...]:
    """Scores, and histories of the subjects that are watched."""
    people = subjects(args.data, args.quick)
    shared = {"data": args.data, "quick": args.quick}
    scores = [
        {**shared, "subject": subject, "seed": seed, "method": method, "sparsity": sparsity,
         "n_folds": budget.n_folds, "epochs": budget.epochs}
        for seed, subject, (method, sparsity) in product(range(budget.n_seeds), people, cells())
    ]
    watched = [
        {**shared, "subject": subject, "method": method, "sparsity": sparsity,
         "epochs": budget.epochs}
        for subject, (method, sparsity) in product(people[: budget.n_watched], cells())
        if method != ALIKE
    ]
    return (
        Study(args.output, f"{name}_scores", args.fresh).run(scores, run, args.n_jobs),
        Study(args.output, f"{name}_histories", args.fresh).run(watched, run_history, args.n_jobs),
    )


# -- tables ---------------------------------------------------------------------------------


def make_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One line per task, method and sparsity."""
    rows = []
    by_subject = scores.groupby(["task", *KEYS, "subject"])[list(METRICS)].mean()
    by_seed = scores.groupby(["task", *KEYS, "seed"])["accuracy"].mean()
    for place, task in enumerate(TASKS):
        for method, sparsity in cells():
            mine = by_subject.loc[task, method, sparsity]
            part = scores[(scores["task"] == task) & (scores["method"] == method)
                          & (scores["sparsity"] == sparsity)]
            seeds = by_seed.loc[task, method, sparsity]
            row = {
                "task": task, "method": method, "sparsity %": round(100 * sparsity),
                "accuracy": mine["accuracy"].mean(), "sd": mine["accuracy"].std(),
                "macro F1": mine["f1"].mean(), "sd F1": mine["f1"].std(),
                "seeds": seeds.std() if len(seeds) > 1 else np.nan,
                "kept": part["kept"].mean(), "overlap": part["overlap"].mean(),
            }
            for label, other in (("dense", (DENSE, 0.0)), ("SNIP", (SNIP, sparsity))):
                row[f"to {label}"], row[f"p, {label}"] = difference(
                    by_subject["accuracy"].loc[task], (method, sparsity), other)
            published = PAPER.get((method, sparsity))
            if published:
                accuracy, _, f1, _ = published[place]
                row |= {"paper": accuracy / 100, "paper F1": f1}
            rows.append(row)
    table = pd.DataFrame(rows)
    for label in ("dense", "SNIP"):
        table[f"p, {label}"] = holm(table[f"p, {label}"].to_numpy())
    return table


def findings(scores: pd.DataFrame) -> str:
    """Say what the paper claims, and what is seen here."""
    mean = scores.groupby(["task", *KEYS])["accuracy"].mean()
    lines = []
    for sparsity in (0.4, 0.8):
        for task in TASKS:
            dense = mean[task, DENSE, 0.0]
            gaps = [
                f"{method} {100 * (mean[task, method, sparsity] - dense):+.1f}"
                for method in (TICKET, SNIP, OURS, ALIKE)
            ]
            lines.append(f"- {task}, {100 * sparsity:.0f} % sparsity, points of accuracy to the "
                         f"dense network: {', '.join(gaps)}.")
    both = scores.groupby([*KEYS, "subject"])["accuracy"].mean()
    for sparsity in (0.2, 0.4, 0.8):
        for other in (TICKET, SNIP, ALIKE):
            gap, p = difference(both, (OURS, sparsity), (other, sparsity))
            said = "no test" if np.isnan(p) else f"p = {p:.3f}, uncorrected"
            lines.append(f"- Both tasks, {100 * sparsity:.0f} %: {OURS} minus {other} "
                         f"{100 * gap:+.1f} points ({said}).")
    return "\n".join(lines)


# -- pictures -------------------------------------------------------------------------------


def draw(args: argparse.Namespace, path: Path, scores: pd.DataFrame, histories: pd.DataFrame,
         budget: Budget) -> None:
    """Scores against sparsity, convergence, and the density of one network."""
    import matplotlib.pyplot as plt

    order = {task: place for place, task in enumerate(TASKS)}
    ordered = scores.sort_values("task", key=lambda s: s.map(order), kind="stable")
    displays = {"": SparsityDisplay.from_results(ordered)}
    runs: dict[str, dict[float, list[pd.DataFrame]]] = {}
    for (method, sparsity, _), part in histories.groupby([*KEYS, "subject"], sort=False):
        runs.setdefault(method, {}).setdefault(sparsity, []).append(part)
    displays["_convergence"] = SparsityDisplay.from_histories(runs)
    X, y = of_subject(args.data, args.quick, subjects(args.data, args.quick)[0])
    clf = fit(OURS, 0.8, 1, 0, X, y)  # masks are found before training
    displays["_density"] = SparsityDisplay.from_estimator(clf)
    for suffix, display in displays.items():
        display.figure_.savefig(path.with_name(f"{path.name}{suffix}.png"), dpi=130)
        plt.close(display.figure_)


def main(argv: list[str] | None = None) -> pd.DataFrame:
    """Run the study; give its table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add_arguments(parser)
    args = parser.parse_args(argv)
    start = time.perf_counter()
    budget = QUICK if args.quick else Budget()
    stem = "sparse_multitask"
    stem += f"{'_simulated' if args.data is None else ''}{'_quick' if args.quick else ''}"
    scores, histories = measure(args, stem, budget)
    table = make_table(scores)
    X, _ = of_subject(args.data, args.quick, subjects(args.data, args.quick)[0])
    words = {
        "what": f"{scores['subject'].nunique()} "
                f"{'simulated' if args.data is None else 'recorded'} subjects",
        "n_rows": len(X) // len(TASKS), "low": BAND[0], "high": BAND[1], "rate": RATE, "lr": LR,
        "n_folds": budget.n_folds, "epochs": budget.epochs,
        "n_seeds": "one seed" if budget.n_seeds == 1 else f"{budget.n_seeds} seeds",
    }
    protocol = "\n\n".join(
        textwrap.fill(" ".join(part.format(**words).split()), 99) for part in PROTOCOL
    )
    path = args.output / stem
    protocol = f"{protocol}\n\n{findings(scores)}"
    print(write_table(table, path, "Sparse multitask learning", protocol))
    draw(args, path, scores, histories, budget)
    print(f"Table and pictures in {args.output}; {time.perf_counter() - start:.0f} s")
    return table


if __name__ == "__main__":
    main()
