"""
Mental imagery: Table III of the HJB paper
==========================================

Three imagined tasks, 16 rows a second, trained on earlier sessions and tested on a later one::

    python examples/papers/hjb_mental_imagery.py --data path/to/bci3_V_idiap

The folder holds BCI Competition III data set V, as ``.npz`` recordings or as the competition's own
files. Without ``--data`` simulated sessions stand in: the script then shows that everything runs,
and nothing about the paper. A run that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _mental_imagery import (
    ALGORITHMS,
    LINEAR,
    LONG,
    ONLINE,
    OPTIMIZERS,
    SPLITS,
    UNIT,
    VOTE,
    choose,
    load_subject,
    rows_of,
    run_cell,
    run_online,
    splits_of,
    subjects_of,
)
from _study import Study, add_arguments, write_table
from scipy.stats import ttest_rel

MODES = ("offline", "online")
WHOLE = "offline, whole session"
CHOSEN = "chosen by cross-validation"
# Table III, percent: subject, then offline and online, in the order of SPLITS.
PAPER: dict[str, dict[int, tuple[list[float], list[float]]]] = {
    "[27]": {
        1: ([67.8, 69.5, 72.4, 75.2, 75.3], [72.8, 72.3, 75.4, 76.3, 79.5]),
        2: ([52.1, 60.3, 59.1, 62.2, 62.6], [59.8, 68.3, 64.7, 68.8, 70.1]),
        3: ([52.5, 43.4, 38.9, 42.6, 51.0], [61.7, 46.2, 39.4, 43.8, 56.2]),
    },
    "DNN with AD": {
        1: ([71.5, 73.4, 74.8, 75.3, 81.3], [79.5, 75.5, 78.3, 85.0, 85.2]),
        2: ([65.3, 67.9, 64.2, 68.7, 78.2], [68.1, 69.9, 68.9, 70.3, 81.6]),
        3: ([63.9, 62.5, 57.6, 71.0, 75.5], [68.6, 66.2, 58.9, 72.0, 77.7]),
    },
    "DNN with HJB": {
        1: ([73.5, 68.5, 74.9, 77.4, 82.8], [82.2, 74.3, 85.4, 87.3, 88.4]),
        2: ([69.1, 67.3, 64.1, 70.2, 78.6], [70.8, 70.2, 71.7, 70.8, 83.8]),
        3: ([65.4, 66.4, 63.6, 73.1, 76.2], [74.4, 69.3, 68.3, 75.8, 83.1]),
    },
    "DNN with HJB+AD": {
        1: ([74.2, 76.5, 79.1, 79.7, 83.1], [83.2, 84.1, 86.0, 87.1, 87.5]),
        2: ([66.0, 68.5, 66.2, 69.7, 79.7], [69.4, 70.9, 69.2, 70.1, 83.2]),
        3: ([66.8, 65.0, 64.9, 74.1, 75.8], [73.1, 68.3, 67.8, 75.2, 82.8]),
    },
}
# The rows that the paper calls average; [27], DNN with AD, HJB, HJB+AD.
PAPER_AVERAGE: dict[str, tuple[list[float], list[float]]] = {
    "[27]": ([57.5, 57.7, 56.8, 60.0, 63.0], [64.8, 62.3, 59.8, 63.0, 68.6]),
    "DNN with AD": ([66.9, 67.9, 65.5, 71.7, 78.3], [72.1, 70.5, 68.7, 75.8, 81.5]),
    "DNN with HJB": ([69.3, 67.4, 67.5, 73.6, 79.2], [75.8, 71.3, 75.1, 77.9, 85.1]),
    "DNN with HJB+AD": ([69.0, 70.0, 70.1, 74.5, 79.5], [75.2, 74.4, 74.3, 77.5, 84.5]),
}
WINNER = {1: 0.796, 2: 0.703, 3: 0.560}  # of the competition, 0.5 s, 1+2+3 -> 4

PROTOCOL = """
**Columns.** *paper*: Table III, accuracy per feature vector. *paper's protocol*: ours, per row.
*honest*: ours, per row; per half second (eight rows, the competition's unit, one decision at its
last row); with five seconds of evidence (a decision each half second). Fractions.

**Paper's protocol**, as far as it is stated (sections III and VI-A): densities with unit l1 norm
in each channel; networks of 50-30 units with dropout 0.2, the terminal one sees eight labels of
the initial one; sigmoid outputs, eta 0.01, R = 100 I; four-fold cross-validation while training,
the fold's model with the least validation error is tested. Online: one pass over the first minute
of the test session, the rest is tested. *Not stated*, and chosen here: 30 epochs, mini-batches of
128 (offline) and 16 (online), shuffled stratified folds, features scaled to unit variance on the
training rows, the initial network's labels out of fold, no smoothing of decisions, 20 features
for [27]. Online, [27] is fitted anew with the minute's rows. The paper does not say how [27] went
on learning; the figures that it prints as online for 1+2+3 -> 4 (79.5, 70.1, 56.2) are the
competition's result to within 0.2 points (79.6, 70.3, 56.0), which was offline.

**Honest.** Log-densities, each session centred by its own running mean without labels
(`CausalCentering`, memory of a minute); number of features, and what the terminal network sees,
chosen by cross-validation over the training sessions only (each left out once; purged blocks of
time where there is one). Half a second and five seconds have a decoder each. Half a second:
terminal networks look back on 8 rows, the others average log-probabilities. Five seconds: no
terminal network and nothing chosen; classifiers of the 5, 10 and 20 best features vote, and a
forward filter over 80 rows follows the class, which changes as often as in training
(`EvidenceAccumulator`); the vote of two algorithms has cascades that look back on 80 rows, too.
*chosen by cross-validation* takes, for each line, the algorithm with the best score on the
training sessions. The first minute of a session is its hardest: the running mean begins there.

**Offline** and **online** scores are of the same rows: what follows the test session's first
minute. *offline, whole session* includes that minute, as the paper's offline figures may; they
stand in both lines.
"""

T_TEST = """
Paired t-tests (two-sided) over the cells of subject and split that both algorithms have, as the
paper reports for HJB ("p-value < 0.05 ... over off-line as well as on-line conditions", section
VI-A, p. 10): *paper*: of Table III's printed figures; *paper's protocol* and *honest, 0.5 s*: of
ours, on what follows the first minute. *gain*: mean difference of accuracies. Cells of one subject
share their test sessions and are not independent of each other: the p-values are too small.
"""

SAME_ROWS = """
Means over subjects and splits, protocols as under Table III. What has no ``partial_fit`` ([27],
LDA, the vote) is fitted anew with the minute's rows. *better* and *worse* count the pairs of
subject and split.
"""

ONLINE_PROTOCOL = """
One network (HJB, ten features, honest preprocessing), means over subjects, splits and {seeds}
seeds; per half second, on what follows the test session's first minute. *better* and *worse* count
the pairs of subject and split. *excess*: how much more often than it is true the network says the
class that the minute ended with. The minute holds {blocks} blocks of one class each, so a
mini-batch is of one class, at most two.
"""


def paper_figure(algorithm: str, subject: int, mode: str, split: str) -> float:
    """The paper's accuracy as a fraction; NaN for what it does not have."""
    # A subject whose sessions are not all there still has the competition's column.
    split = "1+2+3->4" if split.endswith("->4") else split
    figures = PAPER.get(algorithm, {}).get(subject)
    if figures is None or split not in SPLITS:
        return np.nan
    return figures[MODES.index(mode)][list(SPLITS).index(split)] / 100


def make_table(lines: pd.DataFrame, real: bool) -> pd.DataFrame:
    """Table III, ours beside the paper's."""
    honest = lines[lines["protocol"] == "honest"]
    papers = lines[lines["protocol"] == "paper"]
    # Offline and online side by side on the same rows, and offline on all rows, as printed.
    shown = {"offline": ("offline", "rest"), "online": ("online", "rest"),
             WHOLE: ("offline", "session")}
    rows = []
    for (subject, split), cell in honest.groupby(["subject", "split"], sort=False):
        best = {"unit": cell.loc[cell["inner"].idxmax(), "algorithm"],
                "evidence": cell.loc[cell["inner_evidence"].idxmax(), "algorithm"]}
        for label, algorithm in product(shown, [*ALGORITHMS, LINEAR, VOTE, CHOSEN]):
            mode, part = shown[label]
            here = {"subject": subject, "split": split, "mode": mode, "part": part}
            short, long = (
                pick(honest, **here, algorithm=best[level] if algorithm == CHOSEN else algorithm)
                for level in ("unit", "evidence")
            )
            theirs = pick(papers, **here, algorithm=algorithm)
            parts = (("", short["chosen"]), ("5 s: ", long["chosen_evidence"]))
            chosen = "; ".join(f"{label}{what}" for label, what in parts if isinstance(what, str))
            rows.append({
                "subject": str(subject), "train -> test": split.replace("->", " -> "),
                "mode": label, "algorithm": algorithm,
                "paper": paper_figure(algorithm, subject, mode, split) if real else np.nan,
                "paper's protocol": theirs.get("row", np.nan),
                "honest, row": short.get("row", np.nan), "honest, 0.5 s": short["unit"],
                "honest, 5 s": long["evidence"],
                "choice": f"{best['unit']}; 5 s: {best['evidence']}" if algorithm == CHOSEN
                else chosen,
            })
    return with_averages(pd.DataFrame(rows))


def pick(lines: pd.DataFrame, **where: Any) -> dict[str, Any]:
    """The one line with these values, or nothing."""
    mask = np.logical_and.reduce([lines[name] == value for name, value in where.items()])
    found = lines[mask]
    return {} if found.empty else found.iloc[0].to_dict()


def with_averages(table: pd.DataFrame) -> pd.DataFrame:
    """Add means over the subjects that have the split, where several do."""
    table["_split"] = table["train -> test"].where(~table["train -> test"].str.endswith("-> 4"),
                                                   "earlier -> 4")
    means = []
    for (split, mode, algorithm), lines in table.groupby(["_split", "mode", "algorithm"],
                                                         sort=False):
        if len(lines) > 1:
            numbers = lines.select_dtypes("number").mean().to_dict()
            means.append({"subject": "mean", "train -> test": split, "mode": mode,
                          "algorithm": algorithm, **numbers, "choice": ""})
    return pd.concat([table, pd.DataFrame(means)], ignore_index=True).drop(columns="_split")


def t_tests(table: pd.DataFrame) -> pd.DataFrame:
    """Paired t-tests of HJB against the baselines, on the paper's figures and on ours."""
    cells = table[table["subject"] != "mean"]
    rows = []
    for mode, mine, other in product(
        MODES, ("DNN with HJB", "DNN with HJB+AD"), ("[27]", "DNN with AD", LINEAR)
    ):
        line: dict[str, Any] = {"mode": mode, "algorithm": mine, "against": other}
        for column in ("paper", "paper's protocol", "honest, 0.5 s"):
            wide = cells[cells["mode"] == mode].pivot_table(
                index=["subject", "train -> test"], columns="algorithm", values=column
            ).reindex(columns=[mine, other]).dropna()
            known = len(wide) > 1
            line |= {
                f"{column}: n": len(wide),
                f"{column}: gain": (wide[mine] - wide[other]).mean() if known else np.nan,
                f"{column}: p": ttest_rel(wide[mine], wide[other]).pvalue if known else np.nan,
            }
        rows.append(line)
    return pd.DataFrame(rows)


def online_comparison(lines: pd.DataFrame) -> pd.DataFrame:
    """Offline and online on the same rows: what follows the first minute."""
    rest = lines[(lines["part"] == "rest")]
    rows = []
    for (protocol, algorithm), part in rest.groupby(["protocol", "algorithm"], sort=False):
        for metric in ("row", "unit", "evidence"):
            wide = part.pivot_table(index=["subject", "split"], columns="mode", values=metric)
            if wide.empty:
                continue
            gain = wide["online"] - wide["offline"]
            rows.append({
                "protocol": protocol, "algorithm": algorithm,
                "per": {"row": "row", "unit": "0.5 s", "evidence": "5 s"}[metric],
                "offline": wide["offline"].mean(), "online": wide["online"].mean(),
                "gain": gain.mean(), "better": int((gain > 0).sum()),
                "worse": int((gain < 0).sum()),
            })
    return pd.DataFrame(rows)


def adaptation_table(lines: pd.DataFrame) -> pd.DataFrame:
    """Ways to use the first minute, against not using it."""
    wide = lines.pivot_table(index=["subject", "split"], columns="variant", values="unit")
    excess = lines.groupby("variant")["excess of the minute's last class"].mean()
    rows = []
    for variant in ONLINE:
        gain = wide[variant] - wide["offline"]
        rows.append({
            "first minute": variant, "accuracy": wide[variant].mean(), "gain": gain.mean(),
            "better": int((gain > 0).sum()), "worse": int((gain < 0).sum()),
            "excess": excess[variant],
        })
    return pd.DataFrame(rows)


# -- pictures -------------------------------------------------------------------------------

TASKS = {2: "left hand", 3: "right hand", 7: "words"}  # of data set V
COLORS = ("#2A6F97", "#E07A5F", "#81B29A", "#8E7DBE")


def draw_bars(table: pd.DataFrame, path: Path) -> None:
    """Table III as bars: ours per half second, the paper's as a mark over each bar."""
    import matplotlib.pyplot as plt

    subjects = [s for s in table["subject"].unique() if s != "mean"]
    names = [*ALGORITHMS, CHOSEN]
    widest = table[table["subject"] != "mean"].groupby("subject")["train -> test"].nunique().max()
    figure, axes = plt.subplots(
        len(subjects), 2, figsize=(11, 2.7 * len(subjects) + 0.6), sharey=True, squeeze=False,
        layout="constrained", width_ratios=(1, 1),
    )
    for (row, subject), (col, mode) in product(enumerate(subjects), enumerate(MODES)):
        ax, part = axes[row, col], table[(table["subject"] == subject) & (table["mode"] == mode)]
        splits = list(part["train -> test"].unique())
        width = 0.84 / len(names)
        for n, name in enumerate(names):
            line = part[part["algorithm"] == name].set_index("train -> test").loc[splits]
            x = np.arange(len(splits)) + (n - (len(names) - 1) / 2) * width
            color = "#14213D" if name == CHOSEN else COLORS[n]
            ax.bar(x, line["honest, 0.5 s"], width * 0.9, color=color, label=name)
            ax.scatter(x, line["paper"], marker="_", s=110, linewidths=1.8, color="0.1", zorder=3,
                       label="paper's figure" if n == 0 and line["paper"].notna().any() else None)
        ax.axhline(1 / 3, color="0.45", linestyle=(0, (4, 3)), linewidth=1,
                   label="chance" if (row, col) == (0, 0) else None)
        ax.set_xticks(np.arange(len(splits)), splits)
        ax.set_xlim(-0.6, widest - 0.4)
        ax.set_ylim(0, 1)
        ax.set_title(f"subject {subject}, {mode}", loc="left", fontsize="medium")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy per half second\n(paper: per row)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_session(bunch: Any, split: str, decoders: dict[str, Any], path: Path) -> None:
    """Fig. 1 with decisions: what was asked for, and what the decoders said, over the session."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    train, test = rows_of(bunch, split)
    X, y = bunch.X, np.asarray(bunch.y)
    seconds = X[test].metadata["onset"].to_numpy()
    classes = np.unique(y)
    figure, axes = plt.subplots(1 + len(decoders), 1, figsize=(11, 0.9 + 0.75 * len(decoders)),
                                sharex=True, layout="constrained")
    strips = {"task": y[test]}
    for label, decoder in decoders.items():
        said = decoder.fit(X[train], y[train]).predict(X[test])
        share = np.mean((said == y[test])[UNIT - 1 :: UNIT])
        strips[f"{label}\n({share:.2f})"] = said
    edges = np.append(seconds, seconds[-1] + np.median(np.diff(seconds)))
    for ax, (label, labels) in zip(axes, strips.items()):
        starts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
        ends = np.append(starts[1:], len(labels))
        for a, b in zip(starts, ends):
            color = COLORS[int(np.searchsorted(classes, labels[a]))]
            ax.axvspan(edges[a], edges[b], color=color, linewidth=0)
        ax.set_yticks([])
        ax.tick_params(axis="x", length=0)
        ax.set_ylabel(label, rotation=0, ha="right", va="center")
        for side in ("top", "right", "left", "bottom"):
            ax.spines[side].set_visible(False)
    axes[-1].tick_params(axis="x", length=3)
    axes[-1].set_xlabel(f"seconds of session {split.split('->')[1]}")
    axes[-1].set_xlim(edges[0], edges[-1])
    patches = [Patch(color=COLORS[n], label=TASKS.get(c, str(c))) for n, c in enumerate(classes)]
    figure.legend(handles=patches, loc="outside upper center", ncols=len(classes), frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


# -- the run --------------------------------------------------------------------------------


def make_tasks(data: str, subjects: list[int], quick: bool) -> tuple[list[Any], list[Any]]:
    """Cells of Table III, and of the online study."""
    cells, online = [], []
    for subject in subjects:
        for split in splits_of(data, subject, quick):
            where = {"data": data, "subject": subject, "split": split, "quick": quick}
            for protocol, algorithm in product(("paper", "honest"), [*ALGORITHMS, LINEAR, VOTE]):
                if protocol == "honest" or algorithm in ALGORITHMS:
                    cells.append({**where, "algorithm": algorithm, "protocol": protocol})
            online += [{**where, "variant": variant, "seed": seed}
                       for variant in ONLINE for seed in range(1 if quick else 5)]
    return cells, online


def main(argv: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """Run the study; give its tables."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add_arguments(parser)
    args = parser.parse_args(argv)
    start = time.perf_counter()
    data = "simulated" if args.data is None else str(find_folder(args.data))
    subjects = subjects_of(data)[-1:] if args.quick else subjects_of(data)
    if not subjects:
        raise SystemExit(f"no subject of data set V in {data}")
    kind = "_quick" if args.quick else ""
    name = f"hjb_mental_imagery{'_simulated' if args.data is None else ''}{kind}"
    cells, online = make_tasks(data, subjects, args.quick)
    study = Study(args.output, f"{name}_runs", fresh=args.fresh)
    lines = study.run(cells, run_cell, n_jobs=args.n_jobs)
    ways = Study(args.output, f"{name}_online_runs", fresh=args.fresh).run(
        online, run_online, n_jobs=args.n_jobs
    )
    tables = {
        "table_III": make_table(lines, real=args.data is not None),
        "online": online_comparison(lines),
        "adaptation": adaptation_table(ways),
    }
    tables["t_tests"] = t_tests(tables["table_III"])
    note = "" if args.data else "\n**Simulated sessions**: nothing here speaks about the paper.\n"
    blocks = f"{ways['blocks'].min()} to {ways['blocks'].max()}"
    seeds = ways["seed"].nunique()
    texts = {
        "table_III": ("Table III: mental imagery", note + PROTOCOL),
        "t_tests": ("Table III: HJB against the baselines, paired t-tests", note + T_TEST),
        "online": ("Offline and online on the same rows, after the first minute",
                   note + SAME_ROWS),
        "adaptation": ("What the first minute is good for",
                       note + ONLINE_PROTOCOL.format(seeds=seeds, blocks=blocks)),
    }
    for key, (title, protocol) in texts.items():
        print(write_table(tables[key], args.output / f"{name}_{key}", title, protocol))
    draw_bars(tables["table_III"], args.output / f"{name}_bars.png")
    draw_last_session(data, subjects[-1], lines, args.quick,
                      args.output / f"{name}_session.png")
    print(f"Tables and pictures in {args.output.resolve()}; "
          f"{time.perf_counter() - start:.0f} s")
    return tables


def draw_last_session(
    data: str, subject: int, lines: pd.DataFrame, quick: bool, path: Path
) -> None:
    """Decode a subject's last session by what was chosen for it."""
    split = splits_of(data, subject, quick)[-1]
    bunch = load_subject(data, subject, quick)
    cell = lines[(lines["protocol"] == "honest") & (lines["subject"] == subject)
                 & (lines["split"] == split)]
    train, _ = rows_of(bunch, split)
    decoders = {}
    for label, rows, column in (("0.5 s", UNIT, "inner"), ("5 s", LONG, "inner_evidence")):
        best = cell.loc[cell[column].idxmax(), "algorithm"]
        decoders[label], _ = choose(best, rows, bunch.X[train], np.asarray(bunch.y)[train], quick)
    draw_session(bunch, split, decoders, path)


def find_folder(data: Path) -> Path:
    """The data set's own folder, given it or the one above."""
    inside = data / "bci3_V_idiap"
    return inside if inside.is_dir() else data


assert set(OPTIMIZERS) < set(ALGORITHMS)

if __name__ == "__main__":
    main()
