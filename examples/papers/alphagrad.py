"""Several losses in one network: AlphaGrad and other policies against fixed weights.

Chaisaen, Autthasan, Ditthapron and Wilaiprasitporn (2025), "AlphaGrad: Normalized Gradient
Descent for Adaptive Multi-loss Functions in EEG-based Motor Imagery Classification", IEEE Journal
of Biomedical and Health Informatics. MIN2Net and FBMSNet under every policy, with and without
alignment of subjects, beside classical pipelines on the same splits: imagery across subjects, on
later sessions and within subjects, SSVEP and ERP. Run ``python examples/papers/alphagrad.py
--data FOLDER``, or without ``--data`` on simulated signals.
"""

from __future__ import annotations

import argparse
import textwrap
import time
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import _across_subjects
import numpy as np
import pandas as pd
from _alphagrad_data import SETTINGS
from _alphagrad_runs import (
    FEATURES,
    FIXED,
    LED,
    NETWORKS,
    POLICIES,
    PUBLISHED,
    SEARCHED,
    TANGENT,
    TODAY,
    TOLERANCE,
    TRIPLETS,
    WINDOWS,
    classical,
    feature_network,
    history_name,
    policies,
    run_classical,
    run_deep,
    run_network,
    run_single,
    single_task_nets,
    tangent_network,
)
from _study import Study, add_arguments, difference, write_table

from skbci.evaluation._paired import holm

NONE = ""
ACROSS = "imagery, across subjects"
#: Kinds of one method each.
ALONE = {"tangent": TANGENT, "features": FEATURES}
MOVING = [SEARCHED, *(name for name in POLICIES if name not in (FIXED, "cross-entropy only"))]


@dataclass(frozen=True)
class Budget:
    """What a setting may cost, the same for every policy."""

    splits: int  # of classical pipelines
    deep: dict[str, tuple[int, int, int]]  # splits, seeds and epochs of each network
    align: tuple[bool, ...] = (False, True)


BUDGETS = {
    "imagery, across subjects": Budget(5, {"MIN2Net": (5, 1, 40), "FBMSNet": (1, 1, 16)}),
    "imagery, later sessions": Budget(6, {"MIN2Net": (6, 3, 40), "FBMSNet": (6, 1, 15)}),
    "imagery, within subject": Budget(10, {"MIN2Net": (5, 1, 40), "FBMSNet": (2, 1, 15)}),
    "SSVEP": Budget(2, {"MIN2Net": (2, 10, 60), "FBMSNet": (2, 4, 30)}, (False,)),
    "ERP": Budget(3, {"MIN2Net": (3, 1, 30), "FBMSNet": (1, 1, 30)}, (False,)),
}
QUICK = Budget(1, {"MIN2Net": (1, 1, 2), "FBMSNet": (1, 1, 1)}, (True,))

PROTOCOL = (
    """**Protocol.** {what}. Signals at {rate}; MIN2Net's filtered to {low:g}-{high:g} Hz,
    FBMSNet's to nine bands. Aligned signals: `EuclideanAlignment` (networks, CSP, ERP) or
    `RiemannianRecentering` (tangent space, MDM) by unlabelled rows of the same group. Losses and
    training as published (Adam 1e-3, halved after 5 epochs without progress, best epoch by the
    classification loss on held-out training rows; triplet loss {triplet}), but for a budget that
    is the same for every policy: {budget}. FBMSNet has its inserted dense layer under every
    policy. Logits go into cross-entropy, and the centers are learned: the article's own code does
    neither. Networks of one loss (EEGNet, DeepConvNet, FBCNet) are there where braindecode can be
    imported, with MIN2Net's budget. *Tangent spaces* are those of the windows {windows} s after
    the cue; the windows, the ridge of the logistic regression and the network on them (200 units,
    dropout 0.8, ten epochs of HJB, the mean of five) were chosen on other splits of the same
    recordings across subjects, the part 0.1 that other losses may pull under a lead on the
    recordings of later sessions: those rows are what can be had, not what was foreseen. That
    network has one loss; no policy has a part in it. *{features}*: one network (200 units, 50
    epochs) on what the field's decoders see: FBCSP's chosen features; means of 50 ms and xDAWN's
    tangent space; the canonical correlations of three bands. HJB, HJB-AD or Adam and
    dropout 0.5 or 0.8 are chosen inside the training rows by `StackedGridSearchCV`; which features
    it gets was decided with these recordings in view. *{searched}*: `HeldOutSearch` over the led
    and the fixed weights,
    two fits; the fixed ones only where their accuracy on the rows that early stopping holds out is
    better by more than {tolerance:g}, a rule chosen among others on these tables.""",
    """**Columns.** Means over test subjects (over a subject's splits first) and their standard
    deviation; *macro F1*; *AUC* of two classes; *wobble*: standard deviation of the validation
    accuracy over a fit's last ten epochs; *seeds*: of the accuracy over seeds; *share*: of all
    weight that the classification has at the end; *collapsed*: fits where it has less than a
    twentieth. *to fixed* and *to classical*: the mean difference from the same network with fixed
    weights, and from the best classical pipeline of the table ({best}), over the subjects that
    both have; *p*: Wilcoxon's signed-rank test of it, each column Holm-corrected; none for fewer
    than six subjects. The article's own
    figures are for recordings that are not here (2a, OpenBMI and others).""",
)


def make_tasks(args: argparse.Namespace, setting: str, budget: Budget) -> dict[str, list[Any]]:
    """Classical, tangent-space and deep tasks of a setting."""
    data = args.data
    chosen = SETTINGS[setting]
    shared = {"data": data, "quick": args.quick, "setting": setting}
    within = 1 if args.quick else chosen.n_folds
    splits = [{**shared, "split": s, "n_splits": budget.splits}
              for s in range(within * budget.splits)]
    simple = [
        {**split, "method": method, "align": align}
        for align in budget.align for method in classical(chosen, align) for split in splits
    ]
    tangent = [] if chosen.paradigm != "imagery" else [
        {**split, "align": align, "seed": 0} for align, split in product(budget.align, splits)
    ]
    nets = [
        {**split, "network": network, "align": align, "policy": policy,
         "epochs": budget.deep[network][2], "seed": seed, "device": args.device,
         "histories": args.histories}
        for network in args.networks for align, split, policy, seed in product(
            budget.align, splits[: within * n_splits_of(args, budget, network)],
            chosen_policies(args, network), range(args.seeds or budget.deep[network][1]))
    ]
    n_splits = n_splits_of(args, budget, "MIN2Net")
    _, n_seeds, epochs = budget.deep["MIN2Net"]
    others = [
        {**split, "model": model, "align": align, "epochs": epochs, "seed": seed,
         "device": args.device}
        for model in single_task_nets() for align, split, seed in product(
            budget.align, splits[: within * n_splits], range(n_seeds))
    ]
    # Across subjects the tables of the two signals have networks of features, and better ones.
    features = [] if setting == ACROSS else [
        {**split, "align": align, "seed": seed}
        for align, split, seed in product(budget.align, splits, range(args.seeds or 3))
    ]
    return {"classical": simple, "tangent": tangent, "features": features, "deep": nets,
            "single": others}


def n_splits_of(args: argparse.Namespace, budget: Budget, network: str) -> int:
    """Splits of a network: at most those of the classical pipelines."""
    return min(args.splits or budget.deep[network][0], budget.splits)


def chosen_policies(args: argparse.Namespace, network: str) -> list[str]:
    """The policies to compare in a network."""
    return [name for name in policies(network) if args.policies is None or name in args.policies]


def run(args: argparse.Namespace, name: str, setting: str, budget: Budget) -> pd.DataFrame:
    """All lines of a setting."""
    tasks = make_tasks(args, setting, budget)
    functions = {"classical": run_classical,
                 "tangent": partial(run_network, make=tangent_network),
                 "features": partial(run_network, make=feature_network),
                 "deep": partial(run_deep, triplet=args.triplet), "single": run_single}
    frames = []
    for kind, function in functions.items():
        if tasks[kind]:
            study = Study(args.output, f"{name}_{kind}", fresh=args.fresh)
            found = study.run(tasks[kind], function, n_jobs=args.n_jobs)
            frames.append(found.assign(method=ALONE[kind]) if kind in ALONE else found)
    lines = pd.concat(frames, ignore_index=True)
    lines["method"] = (
        lines.reindex(columns=["method", "network", "model"]).bfill(axis=1).iloc[:, 0]
    )
    lines["policy"] = lines["policy"].fillna(NONE) if "policy" in lines else NONE
    lines["share"] = [
        final_share(args.histories, setting, line) if line["method"] in NETWORKS else np.nan
        for _, line in lines.iterrows()
    ]
    chosen = searched(lines, args.histories, setting)
    return pd.concat([
        part[part["method"] == method] for method in lines["method"].unique()
        for part in (lines, chosen)
    ], ignore_index=True)


def history(folder: Path, setting: str, line: Any) -> pd.DataFrame:
    """The epochs of the fit of a line."""
    name = history_name(setting, line["method"], line["align"], line["policy"], line["split"],
                        int(line["seed"]))
    return pd.read_csv(folder / f"{name}.csv")


def final_share(folder: Path, setting: str, line: Any) -> float:
    """The classification's part of all weight in a fit's last epoch."""
    last = history(folder, setting, line).filter(like="weight_").iloc[-1]
    return float(last["weight_logits"] / last.sum())


def kept_epoch(losses: pd.Series) -> int:
    """The epoch that early stopping goes back to: the last that was better by its ``tol``."""
    best, least = 0, np.inf
    for epoch, loss in enumerate(losses):
        if loss < least - 1e-4:
            best, least = epoch, loss
    return best


def searched(lines: pd.DataFrame, folder: Path, setting: str) -> pd.DataFrame:
    """What a search over the lead and fixed weights keeps: its two fits are there already."""
    kept = []
    for _, part in lines.groupby(["method", "align", "split", "seed"]):
        accuracy = {}
        for policy in (LED, FIXED):
            fit = part[part["policy"] == policy]
            if len(fit):
                epochs = history(folder, setting, fit.iloc[0])
                accuracy[policy] = epochs["valid_accuracy"][kept_epoch(epochs["valid_logits"])]
        if len(accuracy) == 2:
            best = FIXED if accuracy[FIXED] > accuracy[LED] + TOLERANCE else LED
            kept.append(part[part["policy"] == best].assign(policy=SEARCHED))
    return pd.concat(kept) if kept else lines[:0]


# -- tables ---------------------------------------------------------------------------------

KEYS = ["method", "policy", "align"]


def make_table(lines: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """A line a method, policy and alignment; and the best classical pipeline's name."""
    subjects = lines.groupby([*KEYS, "subject"])["accuracy"].mean()
    rows, order = [], subjects.groupby(level=[0, 1, 2], sort=False).mean()
    nets = {*ALONE.values(), *single_task_nets()}
    simple = order[[key[1] == NONE and key[0] not in nets for key in order.index]]
    best = simple.idxmax()
    for key, part in lines.groupby(KEYS, sort=False):
        mean = part.groupby("subject")[["accuracy", "f1", "auc"]].mean()
        row = dict(zip(KEYS, key)) | {
            "accuracy": mean["accuracy"].mean(), "sd": mean["accuracy"].std(),
            "macro F1": mean["f1"].mean(), "AUC": mean["auc"].mean(),
        }
        by_seed = part.groupby("seed")["accuracy"].mean()  # empty where a method has no seeds
        row |= {"seeds": by_seed.std() if len(by_seed) > 1 else np.nan}
        if key[1] != NONE:
            fits = part.drop_duplicates(["split", "seed"])
            row |= {"fits": len(fits), "epochs": fits["epochs_run"].mean(),
                    "wobble": fits["wobble"].mean()}
            if key[1] in MOVING:
                row |= {"share": fits["share"].mean(),
                        "collapsed": int((fits["share"] < 0.05).sum())}
        rows.append(row)
    table = pd.DataFrame(rows)
    for count in ("fits", "collapsed"):
        if count in table:
            table[count] = table[count].astype("Int64")
    for label, other in (("fixed", None), ("classical", best)):
        found = [
            difference(subjects, tuple(row[k] for k in KEYS),
                       other or (row["method"], FIXED, row["align"]))
            for _, row in table.iterrows()
        ]
        table[f"to {label}"] = [mean for mean, _ in found]
        table[f"p, {label}"] = holm([p for _, p in found])
    table["align"] = table["align"].map({True: "aligned", False: "raw"})
    table = table.rename(columns={"align": "signals"})
    return table, f"{best[0]}, {'aligned' if best[2] else 'raw'}"


# -- pictures -------------------------------------------------------------------------------


def draw_table(table: pd.DataFrame, title: str, path: Path) -> None:
    """Accuracies as points with the spread over subjects, a panel for the signals."""
    import matplotlib.pyplot as plt

    kinds = list(table["signals"].unique())
    names = [f"{m}: {p}" if p else m for m, p in zip(table["method"], table["policy"])]
    table = table.assign(name=names)
    order = list(dict.fromkeys(names))[::-1]
    colors = {"MIN2Net": "#2A6F97", "FBMSNet": "#81B29A",
              **dict.fromkeys(ALONE.values(), "#E07A5F")}
    figure, axes = plt.subplots(
        1, len(kinds), figsize=(4.6 + 3.2 * len(kinds), 1 + 0.26 * len(order)), sharex=True,
        sharey=True, squeeze=False, layout="constrained",
    )
    for ax, kind in zip(axes[0], kinds):
        part = table[table["signals"] == kind]
        for _, row in part.iterrows():
            color = colors.get(row["method"], "0.35")
            ax.errorbar(row["accuracy"], order.index(row["name"]), xerr=row["sd"], fmt="o",
                        color=color, elinewidth=1, markersize=5)
        ax.set_title(f"{kind} signals", loc="left", fontsize="medium")
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
        ax.set_xlabel("accuracy (mean and sd over subjects)")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    axes[0, 0].set_yticks(range(len(order)), order)
    figure.suptitle(title, x=0.01, ha="left")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_weights(setting: str, args: argparse.Namespace, align: bool, path: Path) -> None:
    """The loss weights of the first fit of each policy."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(args.networks), max(len(chosen_policies(args, n)) for n in args.networks),
        figsize=(17, 0.3 + 2.4 * len(args.networks)), squeeze=False, sharex="row", sharey="row",
        layout="constrained",
    )
    for row, network in zip(axes, args.networks):
        shown = chosen_policies(args, network)
        for ax, policy in zip(row, shown):
            file = f"{history_name(setting, network, align, policy, 0, 0)}.csv"
            history = pd.read_csv(args.histories / file)
            for name in history.filter(like="weight_"):
                ax.plot(history["epoch"], history[name], label=name.removeprefix("weight_"))
            ax.set_title(textwrap.fill(policy, 16), fontsize="small")
        for ax in row[len(shown) :]:
            ax.set_axis_off()
        row[0].set_ylim(bottom=0)
        row[0].set_ylabel(f"{network}\nweight")
        row[0].legend(frameon=False, fontsize="x-small")
    figure.supxlabel("epoch", fontsize="medium")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(argv: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """Run the study; give its tables."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--device", default="cpu", help="where networks train (default cpu)")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS),
                        metavar="NAME", help=f"of {', '.join(map(repr, SETTINGS))}")
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS),
                        help="those with several losses to train (default both); none: only what "
                             "they are compared with")
    parser.add_argument("--single", nargs="*", choices=list(TODAY),
                        help="braindecode's networks in the tables of the two signals (default "
                             "all, where braindecode can be imported)")
    known = [*POLICIES, PUBLISHED]
    parser.add_argument("--policies", nargs="+", choices=known, metavar="NAME",
                        help=f"of {', '.join(map(repr, known))}, as far as a table has them "
                             "(default all)")
    parser.add_argument("--triplet", choices=list(TRIPLETS), default="published",
                        help="MIN2Net's triplet loss: all semi-hard triplets of unit embeddings, "
                             "or one negative a pair of embeddings as they are")
    parser.add_argument("--tables", nargs="+", choices=["weighting", "signals"],
                        default=["weighting", "signals"],
                        help="loss weightings, and across subjects the whole signal beside "
                             "rhythms only (default both)")
    parser.add_argument("--test-data", type=Path,
                        help="folder of other people of the same kind: train on everybody of "
                             "--data, test on these, and print the tables of the two signals only")
    parser.add_argument("--splits", type=at_least_one, help="splits of each network")
    parser.add_argument("--seeds", type=at_least_one,
                        help="fits with other seeds (both: by default what the budget has)")
    args = parser.parse_args(argv)
    start, tables = time.perf_counter(), {}
    stem = f"alphagrad{'_simulated' if args.data is None else ''}{'_quick' if args.quick else ''}"
    stem += "_one_negative" if args.triplet == "one-negative" else ""
    args.histories = args.output / f"{stem}_histories"
    if args.test_data is not None:
        return _across_subjects.run(args, stem)
    for setting in args.settings if "weighting" in args.tables else ():
        budget = QUICK if args.quick else BUDGETS[setting]
        short = setting.replace(", ", "_").replace(" ", "_")
        lines = run(args, f"{stem}_{short}", setting, budget)
        tables[setting], best = make_table(lines)
        chosen = SETTINGS[setting]
        rate = {"imagery": "100 Hz", "ssvep": "128 Hz", "erp": "125 Hz"}[chosen.paradigm]
        if args.data is None:
            rate = {"erp": "128 Hz"}.get(chosen.paradigm, rate)
        words = {
            "what": f"{'Simulated signals' if args.data is None else 'Recordings'}; "
                    f"{chosen.protocol}",
            "triplet": f"{args.triplet}, {TRIPLETS[args.triplet]}",
            "features": FEATURES, "searched": SEARCHED, "tolerance": TOLERANCE,
            "windows": ", ".join(f"{a:g}-{b:g}" for a, b in WINDOWS),
            "rate": rate, "low": chosen.band[0], "high": chosen.band[1], "best": best,
            "budget": "; ".join(budget_words(args, budget, chosen.unit)),
        }
        protocol = "\n\n".join(
            textwrap.fill(" ".join(part.format(**words).split()), 99) for part in PROTOCOL
        )
        path = args.output / f"{stem}_{short}"
        print(write_table(tables[setting], path, f"Loss weighting: {setting}", protocol))
        draw_table(tables[setting], setting, path.with_suffix(".png"))
        if args.networks:
            draw_weights(setting, args, budget.align[-1],
                         path.with_name(f"{path.name}_weights.png"))
    if ACROSS in args.settings and "signals" in args.tables:
        tables |= _across_subjects.run(args, stem)
    print(f"Tables and pictures in {args.output}; {time.perf_counter() - start:.0f} s")
    return tables


def budget_words(args: argparse.Namespace, budget: Budget, unit: str) -> list[str]:
    """What each network gets."""
    found = {net: (n_splits_of(args, budget, net), *budget.deep[net][1:]) for net in args.networks}
    return [
        f"{net}, {plural(splits, unit)}, {plural(args.seeds or seeds, 'seed')} a fit, "
        f"{plural(epochs, 'epoch')}"
        for net, (splits, seeds, epochs) in found.items()
    ]


def at_least_one(text: str) -> int:
    """A number of splits or seeds."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return int(text)


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{n} {one if n == 1 else many or one + 's'}"


if __name__ == "__main__":
    main()
