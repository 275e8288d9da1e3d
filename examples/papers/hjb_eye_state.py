"""
Table IV of the HJB paper: eyes open or closed
==============================================

Networks trained by eight optimizers, four ensembles, K* and rotation forests on people they have
never seen; convergence (Fig. 3) and ROC curves (Fig. 4)::

    python examples/papers/hjb_eye_state.py

By default 20 simulated subjects. ``--moabb Rodrigues2017`` downloads recordings; ``--data`` adds
a check on two recordings with 64 channels and what leaks in the UCI eye-state file. A run that
was killed continues from what it finished. The whole study takes about an hour on two cores,
``--quick`` less than three minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from functools import partial

import matplotlib
import numpy as np
import pandas as pd
from _eye_state_data import (
    EMOTIV,
    WINDOW,
    Windows,
    downloaded,
    recorded,
    simulated,
    uci_recording,
)
from _eye_state_report import (
    ENSEMBLES,
    NETWORKS,
    claims,
    common_loss,
    draw,
    table_iv,
    times_to,
)
from _eye_state_runs import (
    STEPS,
    chosen_step,
    ensemble,
    epoch_choices,
    evaluate,
    fixed_step,
    other,
    preparation,
)
from _hjb_paper import NAMES
from _study import Study, add_arguments, write_table
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from skbci.baselines import KStar, RotationForest, eye_state_ensemble, eye_state_pipeline
from skbci.model_selection import PurgedKFold
from skbci.optim import OPTIMIZERS

PROTOCOL = """\
Paper: 20 recorded subjects (not public), as printed.
Ours: {source}; {n_windows} windows of 1.5 s every 0.5 s, energies of 32 sub-bands a channel.
Both protocols: {n_splits} random splits by subject, {n_test} of {n_subjects} tested; principal
components (95 % of the variance) and z-scores from the training subjects only; means over splits.
That much of the paper's protocol is honest. What differs is how the step is chosen:
Paper's protocol: {epochs} epochs, batches of 128, the step of {steps} "which achieves the best
performance", that is, the best mean test accuracy: chosen on the test subjects.
Honest protocol: step and number of epochs ({epoch_choices}) chosen by GridSearchCV on training
subjects: some of them are held out, the best log-loss wins, then all of them train.
K* (blend 39) and RJ48F, up to {forests} boosted rotation forests of {trees} unpruned entropy trees
(boosting ends at one without errors on its training rows; grown: {grown}), have nothing to
choose.
Ensembles average two networks, each with its optimizer's step (and epochs).
Precision and recall are of closed eyes. Epochs and seconds of networks: median over splits of the
processor time (one thread) until the training loss first was at most {targets}
(paper's, honest protocol): 5 % of the way from the start above what the middle optimizer reaches
at best, one loss for all fits of a protocol, long or short; '-': not reached in half of the
splits. Of forests the seconds are of the fit, of K* of the prediction. Each cell: paper / paper's
protocol / honest protocol."""


def best_steps(fixed: pd.DataFrame) -> dict[str, float]:
    """Step with the best mean test accuracy, for each optimizer: the paper's choice."""
    mean = fixed.groupby(["optimizer", "lr"])["test"].mean().unstack()
    return {str(name): float(step) for name, step in mean.idxmax(axis=1).items()}


def run_ensembles(args: argparse.Namespace, chosen: pd.DataFrame, label: str) -> pd.DataFrame:
    """Ensembles with the steps (and epochs) that their optimizers got, split by split."""
    by = chosen.set_index(["optimizer", "split"])
    tasks = []
    for name in args.ensembles:
        nets = dict(eye_state_ensemble(name)[-1].estimators)
        for split in range(args.n_splits):
            first, second = (by.loc[net.optimizer, split] for net in nets.values())
            tasks.append({
                "name": name, "split": split, "n_splits": args.n_splits,
                "lr1": float(first["lr"]), "epochs1": int(first["n_trained"]),
                "lr2": float(second["lr"]), "epochs2": int(second["n_trained"]),
            })
    if not tasks:
        return pd.DataFrame()
    study = Study(args.output, f"eye_state_ensembles_{label}{args.suffix}", args.fresh)
    return study.run(tasks, partial(ensemble, load=args.load), args.n_jobs)


def real_check(args: argparse.Namespace) -> None:
    """Train on one of the two recorded subjects, test on the other."""
    data = recorded(args.data)
    lines = []
    classifiers = {
        label: lambda optimizer=NAMES[label]: eye_state_pipeline(
            optimizer=optimizer, lr=0.01, max_epochs=100, random_state=0)[-1]
        for label in args.networks
    } | {"K*": lambda: KStar(39), "RJ48F": lambda: RotationForest(args.trees, random_state=0),
         "LDA": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")}
    for log in (False, True):
        energies = np.log(np.asarray(data.energies)) if log else np.asarray(data.energies)
        used = Windows(data.energies.with_data(energies), data.closed)
        for name, make in classifiers.items():
            for who in np.unique(data.subjects):
                model = Pipeline([*preparation().steps, ("classifier", make())])
                split = (np.flatnonzero(data.subjects == who),
                         np.flatnonzero(data.subjects != who))
                found = evaluate(model, used, *split)
                lines.append({"classifier": name, "energies": "log" if log else "as they are",
                              "trained on": f"S{who:03d}", "accuracy": found["test"],
                              "AUC": found["auc"]})
    table = pd.DataFrame(lines).pivot_table(
        index="classifier", columns=["energies", "trained on"], values=["accuracy", "AUC"],
        sort=False,
    )
    print(write_table(
        table, args.output / f"hjb_eye_state_real{args.suffix}",
        "Real recordings: trained on one subject, tested on the other",
        f"PhysioNet EEG Motor Movement/Imagery, subjects 1 and 15, one minute of each state, the "
        f"14 Emotiv channels of 64 ({', '.join(EMOTIV)}), {len(data.closed)} windows. Nothing was "
        "chosen: step 0.01, as the paper has it for HJB, 100 epochs. Each state is one run, so "
        "that anything else that differs between the two minutes helps as well.",
    ))


def uci_lesson(args: argparse.Namespace) -> None:
    """What shuffling rows of one recording gives, and what honest blocks give."""
    samples, states, data = uci_recording(args.data)
    neighbours = KNeighborsClassifier(3)
    network = eye_state_pipeline(optimizer="hjb", lr=0.01, max_epochs=100,
                                 random_state=0)[1:]
    shuffled = StratifiedKFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        lines = [
            ("3-NN on single samples", cross_val_score(neighbours, samples, states, cv=shuffled),
             cross_val_score(neighbours, samples, states, cv=KFold(5))),
            ("the paper's pipeline, HJB, on windows",
             cross_val_score(network, data.energies, data.closed, cv=shuffled),
             cross_val_score(network, data.energies, data.closed,
                             cv=PurgedKFold(5, window=WINDOW))),
        ]
    table = pd.DataFrame(
        [(name, *(100 * score.mean() for score in scores)) for name, *scores in lines],
        columns=["classifier", "shuffled rows", "contiguous blocks"],
    )
    print(write_table(
        table, args.output / f"hjb_eye_state_uci{args.suffix}",
        "The UCI eye-state file: what shuffling leaks (accuracy, %)",
        "One recording of 117 s. Neighbouring samples are nearly equal and neighbouring windows "
        "overlap: with shuffled rows a classifier only has to find its neighbour. Five folds; "
        "the windows' blocks are purged. Share of the larger class: "
        f"{100 * max(states.mean(), 1 - states.mean()):.1f} % of the samples.", digits=1,
    ))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments and what follows from them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    add_arguments(parser)
    parser.add_argument("--subjects", type=int, help="to simulate (default 20; quick 6)")
    parser.add_argument("--duration", type=float,
                        help="seconds to simulate of each (default 120; quick 60)")
    parser.add_argument("--snr", type=float, default=1.0,
                        help="power of closed-eyes alpha over that of the background (default 1)")
    parser.add_argument("--moabb", metavar="NAME",
                        help="instead, a set of MOABB with events 'open' and 'closed'")
    args = parser.parse_args(argv)
    quick = args.quick
    args.epochs, args.n_splits = (30, 2) if quick else (200, 4)
    args.forests, args.trees = (1, 10) if quick else (10, 100)
    args.suffix = (f"_{args.moabb}" if args.moabb else "") + ("_quick" if quick else "")
    args.networks = [name for name in NETWORKS if NAMES[name] in OPTIMIZERS]
    args.ensembles = [
        name for name in ENSEMBLES
        if all(net.optimizer in OPTIMIZERS for _, net in eye_state_ensemble(name)[-1].estimators)
    ]
    if left_out := sorted({*NETWORKS, *ENSEMBLES} - {*args.networks, *args.ensembles}):
        print(f"Left out, their optimizers are not in skbci.optim: {', '.join(left_out)}\n")
    if args.moabb:
        args.load = partial(downloaded, args.moabb)
        args.source = f"{args.moabb} from MOABB"
    else:
        subjects, duration = args.subjects or (6 if quick else 20), args.duration or (
            60.0 if quick else 120.0)
        args.load = partial(simulated, subjects, duration, args.snr)
        args.source = f"make_eye_state, {duration:g} s a subject, snr {args.snr:g}"
        # Studies of other simulations do not share a file.
        if (args.subjects, args.duration, args.snr) != (None, None, 1.0):
            args.suffix = f"_{subjects}x{duration:g}s_snr{args.snr:g}{args.suffix}"
    return args


def run_networks(args: argparse.Namespace) -> tuple[dict[str, pd.DataFrame], float]:
    """Single networks under both protocols; the median number of principal components."""
    common = {"n_epochs": args.epochs, "n_splits": args.n_splits}
    paper_name = {ours: name for name, ours in NAMES.items()}
    splits = range(args.n_splits)
    fixed = Study(args.output, f"eye_state_steps{args.suffix}", args.fresh).run(
        [{"optimizer": NAMES[name], "lr": lr, "split": split, **common}
         for split in splits for lr in STEPS for name in args.networks],
        partial(fixed_step, load=args.load), args.n_jobs,
    )
    best = best_steps(fixed)
    paper = fixed[fixed["lr"] == fixed["optimizer"].map(best)].assign(n_trained=args.epochs)
    honest = Study(args.output, f"eye_state_chosen{args.suffix}", args.fresh).run(
        [{"optimizer": NAMES[name], "split": split, **common}
         for split in splits for name in args.networks],
        partial(chosen_step, load=args.load), args.n_jobs,
    )
    steps = {name: best[NAMES[name]] for name in args.networks}
    print("Steps chosen on the test subjects:", ", ".join(f"{k} {v:g}" for k, v in steps.items()))
    inner = honest.groupby("optimizer")[["lr", "n_trained"]].agg(list)
    print("Steps and epochs chosen on training subjects, split by split:")
    for name in args.networks:
        pairs = zip(*inner.loc[NAMES[name]])
        print(f"  {name}: " + ", ".join(f"{lr:g} x {n}" for lr, n in pairs))
    print()
    return {
        label: frame.assign(name=frame["optimizer"].map(paper_name))
        for label, frame in (("paper", paper), ("honest", honest))
    }, float(fixed["components"].median())


def main(argv: list[str] | None = None) -> None:
    """Run the study."""
    matplotlib.use("Agg")
    args = parse(argv)
    start = time.perf_counter()
    data = args.load()
    n_subjects = len(np.unique(data.subjects))
    n_test = len(np.unique(data.subjects[data.splits(1)[0][1]]))
    results, components = run_networks(args)
    others = Study(args.output, f"eye_state_others{args.suffix}", args.fresh).run(
        [{"name": name, "split": split, "n_splits": args.n_splits, "forests": args.forests,
          "trees": args.trees} for name in ("K*", "RJ48F") for split in range(args.n_splits)],
        partial(other, load=args.load), args.n_jobs,
    )
    targets = {label: common_loss(frame) for label, frame in results.items()}
    results = {
        label: pd.concat([others, times_to(frame, targets[label]),
                          run_ensembles(args, frame, label)], ignore_index=True)
        for label, frame in results.items()
    }
    protocol = PROTOCOL.format(
        source=args.source, n_windows=len(data.closed), n_splits=args.n_splits, n_test=n_test,
        n_subjects=n_subjects, epochs=args.epochs, steps=STEPS, forests=args.forests,
        epoch_choices=", ".join(map(str, epoch_choices(args.epochs))), trees=args.trees,
        targets=" / ".join(f"{targets[label]:.3g}" for label in ("paper", "honest")),
        grown=", ".join(f"{n:.0f}" for n in others["grown"].dropna()),
    ) + f"\nPrincipal components here: {components:.0f} (median); the paper's: 90."
    means = table_iv(args, results, protocol)
    print(write_table(
        claims(means, results), args.output / f"hjb_eye_state_claims{args.suffix}",
        "What the paper says of Table IV, and what is so here", "Here: honest protocol.",
    ))
    draw(args, results["paper"])
    if args.data is not None and (args.data / "eegmmidb").is_dir():
        real_check(args)
        if (args.data / "uci_eeg_eye_state").is_dir():
            uci_lesson(args)
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
