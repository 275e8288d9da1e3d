"""Tables, claims and pictures of the eye-state study."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _hjb_paper import NAMES, TABLE_IV
from _study import write_table
from scipy.stats import ttest_rel

from skbci.display import ConvergenceDisplay

__all__ = [
    "ENSEMBLES",
    "GRID",
    "NETWORKS",
    "claims",
    "common_loss",
    "draw",
    "table_iv",
    "texts",
    "times_to",
]

NETWORKS = [name for name in TABLE_IV.index if name in NAMES]
ENSEMBLES = [name for name in TABLE_IV.index if name.startswith("Ens")]
GRID = np.linspace(0, 1, 101)  # of the ROC curves


def texts(values: Any) -> str:
    """Numbers as one field of the results."""
    return " ".join(f"{value:.5g}" for value in values)


def numbers(text: str) -> np.ndarray:
    """Get them back."""
    return np.array(str(text).split(), dtype=float)


def common_loss(frame: pd.DataFrame) -> float:
    """One loss to judge all fits of networks by: 5 % above what the middle optimizer reaches."""
    fits = frame[frame["losses"].fillna("") != ""]
    curves = fits["losses"].map(numbers)
    lowest = float(curves.map(np.nanmin).groupby(fits["optimizer"]).median().median())
    start = float(curves.map(lambda losses: losses[0]).median())
    return lowest + 0.05 * max(start - lowest, 0.0)


def times_to(frame: pd.DataFrame, target: float) -> pd.DataFrame:
    """Epochs and seconds of each fit until its training loss was ``target``; infinite if never."""
    out = frame.copy()
    out["epochs"], out["seconds"] = np.inf, np.inf
    for at, line in frame.iterrows():
        losses = numbers(line["losses"]) if isinstance(line["losses"], str) else np.array([])
        there = np.flatnonzero(losses <= target)
        if len(there):
            out.loc[at, "epochs"] = there[0] + 1.0
            out.loc[at, "seconds"] = numbers(line["durations"])[: there[0] + 1].sum()
    return out


def table_iv(
    args: argparse.Namespace, results: dict[str, pd.DataFrame], protocol: str
) -> pd.DataFrame:
    """Write the table; give the means of both protocols."""
    columns = [*TABLE_IV.columns, "auc"]
    means = {label: _middle(frame).reindex(columns=columns) for label, frame in results.items()}
    rows = [name for name in TABLE_IV.index if name in means["paper"].index]
    patterns = {"epochs": "{:.0f}", "seconds": "{:.2f}", "train": "{:.1f}", "test": "{:.1f}"}

    def cell(row: str, column: str) -> str:
        values = [frame.reindex(index=rows, columns=columns).loc[row, column]
                  for frame in (TABLE_IV, means["paper"], means["honest"])]
        values = values[1:] if column == "auc" else values
        pattern = patterns.get(column, "{:.2f}")
        return " / ".join(pattern.format(v) if np.isfinite(v) else "-" for v in values)

    table = pd.DataFrame(
        [[cell(row, column) for column in columns] for row in rows],
        index=pd.Index(rows, name="algorithm"), columns=columns,
    ).rename(columns={"train": "train %", "test": "test %"})
    path = args.output / f"hjb_eye_state{args.suffix}"
    print(write_table(table, path, "Table IV: eye state", protocol))
    pd.concat([frame.assign(protocol=label) for label, frame in results.items()])[
        ["protocol", "name", "split", *columns]
    ].to_csv(path.with_name(path.name + "_splits.csv"), index=False)
    return pd.concat(means)


def _middle(frame: pd.DataFrame) -> pd.DataFrame:
    """Means over splits; of times, where a split's may be infinite, medians."""
    groups = frame.groupby("name", sort=False)
    out = groups.mean(numeric_only=True)
    times = ["epochs", "seconds"]
    out[times] = groups[times].median()
    return out


def claims(means: pd.DataFrame, results: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What the paper says of Table IV, and what is so here (honest protocol)."""
    here = means.loc["honest"]
    nets = [name for name in NETWORKS if name in here.index]
    voting = [name for name in ENSEMBLES if name in here.index]
    lines = []
    for column, word in (("epochs", "epochs"), ("seconds", "time")):
        order = here.loc[nets, column].sort_values()
        ours = order["HJB+AD"]
        lines.append((f"HJB+AD converges in the least {word}",
                      f"{TABLE_IV.loc['HJB+AD', column]:g}, the least",
                      f"{f'{ours:.3g}' if np.isfinite(ours) else 'not to the common loss'}; "
                      f"least: {order.index[0]}, {order.iloc[0]:.3g}"))
    auc = here.loc[nets, "auc"].sort_values(ascending=False)
    lines.append(("HJB+AD has the largest area under the ROC curve", "Fig. 4",
                  f"{auc['HJB+AD']:.3f}; largest: {auc.index[0]}, {auc.iloc[0]:.3f}"))
    honest = results["honest"].set_index(["name", "split"])
    for name in ("HJB", "HJB+AD"):
        for column in ("precision", "recall"):
            mine, theirs = honest.loc[name, column], honest.loc["BP", column]
            p = ttest_rel(mine, theirs).pvalue if len(mine) > 1 else np.nan
            lines.append((f"{name} has a better {column} than BP (paired t, p < 0.01)", "p < 0.01",
                          f"{(mine - theirs).mean():+.3f}, p = {p:.2f} over {len(mine)} splits"))
    best = here.loc[nets, "test"]
    for name in ("K*", "RJ48F"):
        lines.append((f"{name} is worse than every network but LF",
                      f"{TABLE_IV.loc[name, 'test']:g} %",
                      f"{here.loc[name, 'test']:.1f} %; networks {best.min():.1f} to "
                      f"{best.max():.1f} %"))
    if voting:
        lines.append(("the ensembles Ens1 to Ens3 beat every single network",
                      f"{TABLE_IV.loc['Ens1', 'test']:g} % against 97.0 %",
                      ", ".join(f"{name} {here.loc[name, 'test']:.1f} %" for name in voting)
                      + f"; best single {best.max():.1f} % ({best.idxmax()})"))
    return pd.DataFrame(lines, columns=["claim", "paper", "here"])


def draw(args: argparse.Namespace, paper: pd.DataFrame) -> None:
    """Figs. 3 and 4, of the paper's protocol."""
    import matplotlib.pyplot as plt

    nets = paper[paper["name"].isin(NETWORKS) & (paper["losses"].fillna("") != "")]
    runs = {
        name: [pd.DataFrame({"train_loss": numbers(line.losses), "dur": numbers(line.durations)})
               for line in group.itertuples()]
        for name, group in ((name, nets[nets["name"] == name]) for name in args.networks)
    }
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
    lines = ConvergenceDisplay.from_histories(runs, ax=axes[0]).lines_
    ConvergenceDisplay.from_histories(runs, ax=axes[1], x="seconds")
    axes[0].get_legend().remove()
    axes[1].set_xscale("log")
    axes[1].xaxis.set_major_formatter("{x:g}")
    axes[1].set_ylabel("")
    save(figure, args.output / f"hjb_eye_state_convergence{args.suffix}.png")
    figure, ax = plt.subplots(figsize=(5.2, 5.0), layout="constrained")
    for line, name in zip(lines, args.networks):
        group = nets[nets["name"] == name]
        curve = np.mean([numbers(text) for text in group["roc"]], axis=0)
        ax.plot(np.r_[0, GRID], np.r_[0, curve], label=f"{name} (AUC {group['auc'].mean():.3f})",
                color=line.get_color(), linestyle=line.get_linestyle(), linewidth=1.5)
    ax.set(xlabel="open eyes taken for closed", ylabel="closed eyes recognized", aspect="equal")
    ax.plot([0, 1], [0, 1], color="0.8", linewidth=1, zorder=0)
    ax.legend(frameon=False, loc="lower right", fontsize="small")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    save(figure, args.output / f"hjb_eye_state_roc{args.suffix}.png")
    plt.close("all")


def save(figure: Any, path: Path) -> None:
    """Write a picture and say where."""
    figure.savefig(path, dpi=150, bbox_inches="tight")
    print(f"Picture: {path.resolve()}\n")
