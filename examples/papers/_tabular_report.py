"""Tables, claims and pictures of the tabular study."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _hjb_paper import NAMES, paper_errors, paper_times
from _study import write_table
from _tabular_sets import FUNCTIONS

from skbci.display import ConvergenceDisplay

__all__ = ["LARGE", "SLOW", "save", "write_errors", "write_steps", "write_times"]

# From so many rows the honest protocol, and EVDHJB, are run in the two shortest trials only.
LARGE, SLOW = 10_000, 1_000


def histories(timings: pd.DataFrame) -> dict[str, dict[str, list[pd.DataFrame]]]:
    """Histories of the timed fits, by set and optimizer."""
    out: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for line in timings.itertuples():
        columns = (np.array(str(text).split(), float) for text in (line.losses, line.seconds))
        table = pd.DataFrame(dict(zip(("train_loss", "dur"), columns)))
        out.setdefault(line.set_name, {}).setdefault(line.optimizer, []).append(table)
    return out


def common_times(runs: dict[str, list[pd.DataFrame]]) -> pd.DataFrame:
    """Median time of each optimizer to one loss: 5 % above what the middle one reaches at best."""
    lowest = [np.median([run["train_loss"].min() for run in group]) for group in runs.values()]
    start = np.median([run["train_loss"].iloc[0] for group in runs.values() for run in group])
    target = float(np.median(lowest))
    target += 0.05 * max(start - target, 0.0)
    return ConvergenceDisplay(histories=runs).times_to_loss(target)


def figures(cells: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """Three frames of equal shape as text, side by side in each cell."""
    def text(value: float) -> str:
        return pattern.format(value) if np.isfinite(value) else "-"

    return cells.map(lambda triple: " / ".join(map(text, triple)))


def beside(sets: list[str], optimizers: list[str], *frames: pd.DataFrame) -> pd.DataFrame:
    """Cells with the values of all frames; NaN where a frame has none."""
    full = [frame.reindex(index=sets, columns=optimizers) for frame in frames]
    return pd.DataFrame(
        [[tuple(frame.loc[row, name] for frame in full) for name in optimizers] for row in sets],
        index=pd.Index(sets, name="set"), columns=optimizers,
    )


def pivot(results: pd.DataFrame, value: str, how: str) -> pd.DataFrame:
    """Sets x optimizers, under the paper's names."""
    known = {ours: name for name, ours in NAMES.items()}
    table = results.pivot_table(index="set_name", columns="optimizer", values=value, aggfunc=how)
    return table.rename(columns=known)


def sooner(pair: pd.DataFrame) -> str:
    """How often the first column's times are less than the second's.

    What never arrives is later than what does; sets where neither does are left out.
    """
    known = pair.dropna(how="all")
    if known.empty:
        return "-"
    first, second = (known.iloc[:, i].fillna(np.inf) for i in (0, 1))
    text = f"{int((first < second).sum())} of {len(known)}"
    both = known.dropna()
    if len(both):
        ratio = (both.iloc[:, 1] / both.iloc[:, 0]).median()
        text += f"; median ratio {ratio:.2f}"
        text += "" if len(both) == len(known) else f" of the {len(both)} where both arrive"
    return text


def claims(
    times: pd.DataFrame, epochs: pd.DataFrame, held: pd.DataFrame, largest: str | None
) -> pd.DataFrame:
    """What the paper says about speed and stability, in its own table and here."""
    paper = paper_times()
    ours = ["HJB", "HJB+AD"]
    lines = []

    def count(table: pd.DataFrame) -> str:
        table = table.dropna(how="all")
        best = table.min(axis=1)
        won = [name for name in table.index if table.loc[name, ours].min() <= best[name]]
        return f"{len(won)} of {len(table)} ({', '.join(won) or 'none'})"

    lines.append(("HJB or HJB+AD converges in the least time (all sets but Webspam)",
                  count(paper), count(times)))
    lines.append(("the same in epochs", "", count(epochs)))
    for other in ("EVDHJB", "BP", "AD", "Adam", "RMSprop"):
        for mine in ours:
            def ratio(table: pd.DataFrame, mine: str = mine, other: str = other) -> str:
                return sooner(table.reindex(columns=[mine, other]))

            lines.append((f"{mine} converges sooner than {other}", ratio(paper), ratio(times)))
    if largest is not None:
        order = times.loc[largest].dropna().sort_values().index
        printed = paper.loc[largest].sort_values().index if largest in paper.index else []
        lines.append((
            f"EVDHJB converges well on {largest} in spite of its cost",
            f"place {list(printed).index('EVDHJB') + 1} of {len(printed)}" if len(printed) else "",
            f"place {list(order).index('EVDHJB') + 1} of {len(order)} that got there"
            if "EVDHJB" in order else "never reached the common loss",
        ))
    real = held[~held["set_name"].isin(FUNCTIONS)]
    worst = (real if len(real) else held).groupby("optimizer")[["excess_1", "excess_5"]].median()
    calm = [name for name, ours_ in NAMES.items()
            if ours_ in worst.index and worst.loc[ours_].max() <= 0.1]
    lines.append(("with steps 1 and 5 only HJB and EVDHJB stay near the lowest training loss",
                  "Figs. 6, 7", f"within 0.1 of it (median): {', '.join(calm) or 'none'}"))
    return pd.DataFrame(lines, columns=["claim", "paper's table", "here"])


def write_errors(
    args: argparse.Namespace, data: dict[str, Any], ours: pd.DataFrame, honest: pd.DataFrame,
    protocol: str,
) -> None:
    """Table V's errors: paper / paper's protocol / honest protocol."""
    cells = beside(list(data), args.labels, paper_errors(), pivot(ours, "error", "mean"),
                   pivot(honest, "error", "mean"))
    table = figures(cells, "{:.2f}")
    table.insert(0, "rows", [len(one.y) for one in data.values()])
    table.insert(1, "constant", [one.constant_error for one in data.values()])
    note = (
        f"\nThe two shortest trials at most: EVDHJB from {SLOW:,} rows on, the honest protocol "
        f"from {LARGE:,}.\nColumn 'constant': the error of answering the same always. Where the "
        "paper's figure equals it\n(BM 11.61, IJCNN 9.57, HTRU2 9.15), its network had learned "
        "nothing but the larger class."
    )
    print(write_table(
        table, args.output / f"hjb_tabular_errors{args.suffix}",
        "Table V: test errors, paper / paper's protocol / honest protocol", protocol + note,
        digits=2,
    ))
    long = pd.concat([ours.assign(protocol="paper"), honest.assign(protocol="honest")])
    long.to_csv(args.output / f"hjb_tabular_trials{args.suffix}.csv", index=False)


def write_steps(
    args: argparse.Namespace, ours: pd.DataFrame, honest: pd.DataFrame, steps: pd.DataFrame
) -> None:
    """How the choice of the step makes the error of HJB and HJB+AD."""
    columns = [name for name in steps if name.startswith("step ")]
    means = steps.groupby(["set_name", "optimizer"], sort=False)[columns].mean()
    known = {"hjb": "HJB", "hjb-ad": "HJB+AD"}
    chosen = {
        name: frame.groupby(["set_name", "optimizer"])["error"].mean()
        for name, frame in (("eq. 53", ours), ("honest", honest))
    }
    lines = []
    for name, optimizer in means.index:
        row = means.loc[name, optimizer]
        printed = paper_errors()
        paper = printed.loc[name, known[optimizer]] if name in printed.index else np.nan
        best = row.min()
        lines.append({
            "set": name, "optimizer": known[optimizer], "paper": paper, **row,
            "eq. 53": chosen["eq. 53"][name, optimizer], "best step": best,
            "honest": chosen["honest"][name, optimizer], "best - paper": best - paper,
            "honest - paper": chosen["honest"][name, optimizer] - paper,
        })
    print(write_table(
        pd.DataFrame(lines), args.output / f"hjb_tabular_steps{args.suffix}",
        "Test errors (%) by how the step is chosen",
        "Paper's folds, means over the trials. 'eq. 53': by the training loss on one half, as "
        "section V of the paper says.\n'best step': one step for all trials, the one with the "
        "least error on the test folds, as section VI may mean\nby 'a constant learning rate, "
        "which achieves the best performance'.\n"
        "'honest': step and epochs chosen on training rows.",
        digits=2,
    ))


def write_times(
    args: argparse.Namespace, data: dict[str, Any], ours: pd.DataFrame, timings: pd.DataFrame
) -> None:
    """Table V's times, the claims about them, and Fig. 5."""
    runs = histories(timings)
    label = {ours_: name for name, ours_ in NAMES.items()}
    common = {
        unit: pd.DataFrame({
            name: common_times(runs[name])[unit].rename(index=label) for name in runs
        }).T.reindex(columns=args.labels)
        for unit in ("seconds", "epochs")
    }
    table = figures(
        beside(list(data), args.labels, paper_times(), pivot(ours, "seconds", "median"),
               common["seconds"]), "{:.3g}",
    )
    repeats = timings["repeat"].nunique()
    print(write_table(
        table, args.output / f"hjb_tabular_times{args.suffix}",
        "Table V: seconds to converge, paper / paper's protocol / to a common loss",
        f"Paper's protocol as above, {args.n_jobs} process(es) at once. Common loss: median of "
        f"{repeats} fits of the hold-out half, one thread, one at a time, optimizers in turn, "
        "each with the step of its hold-out stage, until the training loss is what the middle "
        "optimizer reaches at best plus 5 % of the way to it; '-': not reached.",
    ))
    large = [name for name, one in data.items() if one.real and len(one.y) >= LARGE]
    verdict = claims(common["seconds"], common["epochs"], ours,
                     "IJCNN" if "IJCNN" in data else (large[-1] if large else None))
    print(write_table(
        verdict, args.output / f"hjb_tabular_claims{args.suffix}",
        "What the paper says about speed, and what holds",
        f"Here: time to a common loss, median of {repeats}, one thread (see the times). Ratios "
        "above 1 are in favour of HJB. An optimizer that never arrives at that loss is later than "
        "one that does; sets where neither of a pair arrives are left out of it.",
    ))
    display = ConvergenceDisplay.from_times(common["seconds"].rename_axis(None))
    save(display.figure_, args.output / f"hjb_tabular_times{args.suffix}.png")


def save(figure: Any, path: Path) -> None:
    """Write a picture and say where."""
    figure.savefig(path, dpi=150, bbox_inches="tight")
    print(f"Picture: {path.resolve()}\n")
