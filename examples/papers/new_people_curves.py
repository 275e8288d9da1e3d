"""Why networks fall on new people: accuracy by epoch and by number of training people.

MIN2Net and FBMSNet as in ``alphagrad.py``, on imagined left and right fists, rhythms only. After
each epoch the network decodes people that it is trained on, people that early stopping holds out,
and the ten of the first fold, who are tested. ``--data FOLDER`` as there; simulated without.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from _across_subjects import RHYTHMS, in_fold, people, setting_of, signal_of
from _alphagrad_runs import FIXED, LED, deep
from _study import Study, add_arguments, write_table
from skorch.callbacks import Callback

from skbci.augmentation import Mirror

POLICIES = {"MIN2Net": LED, "FBMSNet": FIXED}
#: Network, training people, epochs, and whether training rows are mirrored, too.
RUNS = (
    *(("MIN2Net", count, 40, False) for count in (5, 10, 25, 50)), ("MIN2Net", 50, 40, True),
    *(("FBMSNet", count, 8, False) for count in (10, 50)),
)
QUICK = (("MIN2Net", 3, 2, False), ("MIN2Net", 4, 2, True))
PARTS = ("training", "held out", "test")
FEW = 450  # training rows that are predicted after each epoch

PROTOCOL = """**Protocol.** Rhythms only, 7 Hz and up, 0.5 to 3.9 s after the cue, 100 Hz, aligned
by person. Training people are the first so many of a seeded order of those that the first of six
folds trains on; a fifth of them is held out. Losses and training as in `alphagrad.py`, but no fit
stops early. *kept epoch*: where the loss on the people held out is least, the epoch that early
stopping goes back to; *training*, *held out*, *test*: accuracy there; *last* of them: after all
epochs; *best*: of the test people over all epochs, which nobody can choose. One seed; the
{rows} test rows have a standard error of {error:.3f}."""


class Accuracies(Callback):
    """Write accuracies into the history, epoch after epoch: some training rows', and others'."""

    def __init__(self, X: torch.Tensor, y: torch.Tensor) -> None:
        self.X, self.y = X, y  # of the test

    def __deepcopy__(self, memo: Any) -> Accuracies:
        return self  # a fit copies its callbacks, but need not copy the rows

    def on_epoch_end(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **_: Any
    ) -> None:
        """Predict each set with the network as it is."""
        some = slice(None, None, max(1, len(dataset_train.X) // FEW))
        parts = {"training": (dataset_train.X[some], dataset_train.y[some]),
                 "held out": (dataset_valid.X, dataset_valid.y), "test": (self.X, self.y)}
        for name, (X, y) in parts.items():
            best = net.predict_tensor(X).argmax(dim=1)
            net.history.record(name, float((best == y).float().mean()))


def run_one(
    data: Path | None, quick: bool, network: str, count: int, epochs: int, mirrored: bool,
    seed: int,
) -> list[dict[str, Any]]:
    """Fit once; a line for each epoch."""
    X, y = people(data, quick)
    tested = in_fold(X.metadata["subject"].to_numpy(), 0)
    X = signal_of(X, RHYTHMS)
    subject = X.metadata["subject"].to_numpy()
    order = np.random.default_rng(1).permutation(np.unique(subject[~tested]))
    train = np.isin(subject, order[:count])
    pipe = deep(network, setting_of(RHYTHMS), True, POLICIES[network], epochs, seed)
    start, steps, classifier = time.perf_counter(), pipe[:-1], pipe[-1]
    rows = steps.fit_transform(X[train])
    values = np.asarray(rows)
    axes = (0, values.ndim - 1)
    mean, deviation = values.mean(axis=axes, keepdims=True), values.std(axis=axes, keepdims=True)
    codes = (y == np.unique(y)[1]).astype(int)

    scaled = ((np.asarray(steps.transform(X[tested])) - mean) / deviation).astype(np.float32)
    test = torch.as_tensor(scaled), torch.as_tensor(codes[tested])
    classifier.set_params(callbacks=[Accuracies(*test)], n_iter_no_change=epochs,
                          augmentation=Mirror(ch_names=X.ch_names) if mirrored else None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier.fit(rows, y[train])
    seconds = time.perf_counter() - start
    history = classifier.history_
    return [{"number": number + 1, **{name.replace(" ", "_"): line[name] for name in PARTS},
             "valid_loss": line["valid_logits"], "test_rows": int(tested.sum()),
             "seconds": seconds} for number, line in history.iterrows()]


def make_table(lines: pd.DataFrame) -> pd.DataFrame:
    """A line for each fit."""
    rows = []
    for (network, count, mirrored), fit in lines.groupby(["network", "count", "mirrored"],
                                                         sort=False):
        kept, last = fit.loc[fit["valid_loss"].idxmin()], fit.iloc[-1]
        rows.append({
            "network": network + (", mirrored" if mirrored else ""), "people": count,
            "kept epoch": int(kept["number"]),
            **{name: kept[name.replace(" ", "_")] for name in PARTS},
            **{f"last {name}": last[name.replace(" ", "_")] for name in PARTS},
            "best": fit["test"].max(), "seconds": last["seconds"],
        })
    return pd.DataFrame(rows)


def draw(lines: pd.DataFrame, path: Path) -> None:
    """By epoch, of the fit with most people; and by number of people, at the kept epoch."""
    import matplotlib.pyplot as plt

    networks = list(lines["network"].unique())
    colours = dict(zip(PARTS, ("#14213D", "#2A9D8F", "#D1495B")))
    figure, axes = plt.subplots(len(networks), 2, figsize=(8.6, 0.4 + 3.0 * len(networks)),
                                sharey=True, squeeze=False, layout="constrained")
    table = make_table(lines[~lines["mirrored"]])
    for row, network in zip(axes, networks):
        own = lines[(lines["network"] == network) & ~lines["mirrored"]]
        fit = own[own["count"] == own["count"].max()]
        kept = table[table["network"] == network]
        for name, colour in colours.items():
            row[0].plot(fit["number"], fit[name.replace(" ", "_")], color=colour, label=name)
            row[1].plot(kept["people"], kept[name], "o-", color=colour)
        row[0].axvline(kept["kept epoch"].iloc[-1], color="0.7", linestyle=":")
        row[0].set(xlabel=f"epoch, {fit['count'].iloc[0]} people", ylabel=f"{network}\naccuracy")
        row[1].set(xlabel="training people", ylim=(0.45, 1))
        for ax in row:
            ax.axhline(0.5, linestyle="--", color="0.7")
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(argv: list[str] | None = None) -> pd.DataFrame:
    """Run the fits; print the table and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--networks", nargs="+", choices=list(POLICIES), default=list(POLICIES))
    args = parser.parse_args(argv)
    stem = f"new_people_curves{'' if args.data else '_simulated'}{'_quick' if args.quick else ''}"
    tasks = [{"data": args.data, "quick": args.quick, "network": network, "count": count,
              "epochs": epochs, "mirrored": mirrored, "seed": 0}
             for network, count, epochs, mirrored in (QUICK if args.quick else RUNS)
             if network in args.networks]
    study = Study(args.output, f"{stem}_runs", fresh=args.fresh)
    lines = study.run(tasks, run_one, n_jobs=args.n_jobs)
    table, n_rows = make_table(lines), int(lines["test_rows"].iloc[0])
    words = PROTOCOL.format(rows=n_rows, error=0.5 / np.sqrt(n_rows))
    print(write_table(table, args.output / stem, "Networks on new people, curves", words))
    draw(lines, args.output / f"{stem}.png")
    return table


if __name__ == "__main__":
    main()
