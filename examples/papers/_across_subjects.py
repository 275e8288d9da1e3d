"""New people, two signals: what each decoder scores, on what it was fitted, and what it lives on.

The second half of ``alphagrad.py``: networks and linear models on imagined left and right fists of
people that they were not trained on, once with the whole signal from the cue on, once with rhythms
only.
"""

from __future__ import annotations

import re
import textwrap
import time
import warnings
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _alphagrad_data import Setting
from _alphagrad_runs import (
    FIXED,
    LED,
    TANGENT,
    TODAY,
    deep,
    single,
    single_task_nets,
    tangent_network,
    tangent_spaces,
)
from _multi_band import OnViews, Views, describe, views_of
from _study import Study, difference, markdown_table
from scipy import stats
from scipy.signal import resample_poly
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skbci import EEGArray
from skbci.baselines import csp_lda, riemann_mdm, slow_potentials_lr
from skbci.datasets import load_recording, make_motor_imagery
from skbci.estimators import AugmentedClassifier, MultiViewClassifier
from skbci.evaluation import confound_report
from skbci.features import (
    ChannelScaling,
    Crop,
    EuclideanAlignment,
    FilterBank,
    WindowMeans,
)

WHOLE, RHYTHMS = "whole signal", "rhythms only"
VIEWS = "views in a network (ours), mirrored"
#: Decoders of views that are computed once, `_multi_band`.
ON_VIEWS = {"bands and windows, chosen (ours), mirrored": "linear",
            "bands and windows in a network (ours), mirrored": "network",
            "what is odd in bands and windows, in a network (ours), mirrored": "odd",
            "bands and windows, and the signal, in networks (ours), mirrored": "networks"}
SEEDS = {name: 3 for name, kind in ON_VIEWS.items() if kind != "linear"}
SIGNALS = (WHOLE, RHYTHMS)
#: Low edge in Hz and start in seconds after the cue.
EDGES = {WHOLE: (0.3, 0.0), RHYTHMS: (7.0, 0.5)}
N_FOLDS = 6
_RATE = 100.0  # Hz; what the published networks take
_STOP = 3.9  # s; with a start at 0.5 s the rows can be cut into four
_NET_BANDS = {
    WHOLE: ((0.3, 4.0), *((4.0 * i, 4.0 * i + 4) for i in range(1, 9))),
    RHYTHMS: tuple((7.0 + 3.5 * i, 10.5 + 3.5 * i) for i in range(9)),
}
#: Epochs of a network, the same for every policy.
EPOCHS = {"MIN2Net": 40, "FBMSNet": 16, **dict.fromkeys(TODAY, 40)}
POLICIES_OF = {"MIN2Net": ("AlphaGrad", LED), "FBMSNet": (FIXED, LED)}

PROTOCOL = """**Protocol.** {people}. Signals at 100 Hz, average reference. *{signal}*: {low:g} Hz
and up, from {start:g} s after the cue{note}. Every pipeline aligns each person by their own
unlabelled rows (transductive). Networks: losses and training as in the table of loss weightings,
{epochs} epochs, best epoch by rows that are held out of the training rows; nothing was chosen on
test rows here, but the windows and settings of the tangent spaces were on other splits of these
people, the settings of the slow potentials, whitened by person in the views' network, on six folds
of subjects 1 to 60, dropout and epochs of that network on two of these folds. *bands and windows*:
bands, windows and penalties chosen in each fold by an inner cross-validation over its training
people, among sets that were laid out on these six folds; the network's dropout penalizes as much
as the ridge that was chosen, its epochs and units were tried on two folds. *what is odd*: in a row
and its mirror image, in one network; *and the signal*: the signal at 50 Hz in another one, whose
log odds count half; epochs, learning rates and that weight were chosen by thirty people among the
training people of the first fold. *mirrored*: every
training row also with left and right channels and labels exchanged; the network's predictions are
averaged over a row and its image.
*training*: accuracy on the rows that a pipeline was fitted on. *slow*, *rhythms*: what it loses
when the part of a test row below 4 Hz, or above 7 Hz, is exchanged with that of another row of the
same person: what the decoder lives on. *p, chance*: Wilcoxon's test over people against .5. *to
linear*, *p*: difference from the best linear pipeline of the table ({best}; picked on these test
rows), the same test.
As many guesses as there are test rows ({n_rows}) stay below {threshold:.3f} with probability .99;
over folds, whose training rows overlap, decoders stray somewhat further."""


# -- data -----------------------------------------------------------------------------------


@cache
def people(folder: Path | None, quick: bool) -> tuple[EEGArray, np.ndarray]:
    """Imagined fists of everybody in a folder, or simulated."""
    if folder is None:
        bunch = make_motor_imagery(6 if quick else 12, 1, 20, snr=2.0, random_state=0)
    else:
        inside = folder / "eegmmidb"
        bunch = load_recording(inside if inside.is_dir() else folder, pattern="mi_*.npz",
                               subjects=range(1, 7) if quick else None)
    # The recordings' codes by their names, which say what a mirror exchanges.
    sides = {1: "left_hand", 2: "right_hand"}
    return bunch.X, np.array([sides.get(label, label) for label in np.asarray(bunch.y).tolist()])


def signal_of(X: EEGArray, signal: str) -> EEGArray:
    """Rows of one of the two signals, at 100 Hz."""
    low, start = EDGES[signal]
    bank = FilterBank(((low, 0.45 * _RATE),), sfreq=X.sfreq, output="channels")
    data = np.asarray(bank.fit_transform(X), dtype=np.float32)
    data = resample_poly(data, int(_RATE), int(X.sfreq), axis=-1)
    X = EEGArray(data, X.metadata, sfreq=_RATE, ch_names=X.ch_names, tmin=X.tmin)
    return Crop(start, _STOP).fit_transform(X)


@cache
def rows_of(
    data: Path | None, test_data: Path | None, quick: bool, signal: str, fold: int
) -> tuple[EEGArray, np.ndarray, EEGArray, np.ndarray]:
    """Training rows and labels, test rows and labels."""
    X, y = people(data, quick)
    if test_data is not None:
        other, labels = people(test_data, quick)
        return signal_of(X, signal), y, signal_of(other, signal), labels
    tested = in_fold(X.metadata["subject"].to_numpy(), fold)
    X = signal_of(X, signal)
    return X[~tested], y[~tested], X[tested], y[tested]


def in_fold(subject: np.ndarray, fold: int) -> np.ndarray:
    """Which rows are of the people that a fold tests."""
    order = np.random.default_rng(0).permutation(np.unique(subject))
    return np.isin(subject, np.array_split(order, N_FOLDS)[fold])


@cache
def views(data: Path | None, quick: bool, signal: str, part: str | None) -> Views:
    """Views of everybody's rows, of the signal or with a part of it exchanged."""
    X = signal_of(people(data, quick)[0], signal)
    return views_of(X if part is None else exchanged(X, part), signal == WHOLE)


def views_of_fold(
    data: Path | None, test_data: Path | None, quick: bool, signal: str, fold: int,
    part: str | None = None,
) -> tuple[Views, np.ndarray, Views, np.ndarray]:
    """Views and labels of the training rows, views and labels of the test rows."""
    own, y = views(data, quick, signal, None), people(data, quick)[1]
    if test_data is not None:
        return own, y, views(test_data, quick, signal, part), people(test_data, quick)[1]
    tested = in_fold(own.subject, fold)
    return own[~tested], y[~tested], views(data, quick, signal, part)[tested], y[tested]


def exchanged(X: EEGArray, part: str) -> EEGArray:
    """Rows whose slow part, or whose rhythms, are those of another row of the same person."""
    data = np.asarray(X, dtype=np.float64)
    bank = FilterBank(((0.0, 4.0), (7.0, 0.5 * X.sfreq)), sfreq=X.sfreq)
    band = np.asarray(bank.fit_transform(data))[:, 0 if part == "slow" else 1]
    subject = X.metadata["subject"].to_numpy()
    other, rng = np.arange(len(X)), np.random.default_rng(0)
    for one in np.unique(subject):
        mine = np.flatnonzero(subject == one)
        other[mine] = rng.permutation(mine)
    return X.with_data((data - band + band[other]).astype(X.dtype))


# -- pipelines ------------------------------------------------------------------------------


def setting_of(signal: str) -> Setting:
    """What the pipelines of the loss-weighting table want to know."""
    band = (0.3, 38.0) if signal == WHOLE else (8.0, 30.0)
    return Setting("imagery", None, None, band, _NET_BANDS[signal], "subject", 100, "", "")


def pipelines(signal: str) -> dict[str, tuple[str, Any]]:
    """Kind of each pipeline, and a function of a seed that makes it."""
    where = {"fmin": 8.0, "fmax": 30.0, "tmin": 0.5, "tmax": 3.5}
    rhythm_setting = setting_of(RHYTHMS)

    def tangent_lr() -> Pipeline:
        return Pipeline([
            ("features", tangent_spaces(rhythm_setting, True, _windows(signal))),
            ("scale", StandardScaler()), ("lr", LogisticRegression(C=1e-4, max_iter=1000)),
        ])

    found: dict[str, tuple[str, Any]] = {
        "CSP + LDA": ("classical", lambda seed: csp_lda(**where, alignment="euclidean")),
        "MDM": ("classical", lambda seed: riemann_mdm(**where, alignment="riemannian")),
        "tangent spaces + LR": ("classical", lambda seed: tangent_lr()),
    }
    if signal == WHOLE:
        found["slow potentials + LR"] = ("classical", lambda seed: slow_potentials_lr())
        found["slow potentials and tangent spaces"] = ("classical", lambda seed: VotingClassifier(
            [("slow", slow_potentials_lr()), ("tangent", tangent_lr())], voting="soft"))
    found[f"{best_views(signal)}, mirrored"] = ("classical", lambda seed: AugmentedClassifier(
        found[best_views(signal)][1](seed), "mirror"))
    found[TANGENT] = ("network", lambda seed: tangent_network(
        rhythm_setting, True, seed, _windows(signal)))
    found[VIEWS] = ("network", lambda seed: multi_view(signal, seed))
    for name, kind in ON_VIEWS.items():
        if kind == "networks" and signal != WHOLE:
            continue
        found[name] = ("classical" if kind == "linear" else "network", partial(OnViews, kind))
    for network, chosen in POLICIES_OF.items():
        for policy in chosen:
            found[f"{network}: {policy}"] = ("network", _deep(network, signal, policy))
    for model in single_task_nets(TODAY):
        found[mirrored(model)] = ("network", _single(model, signal))
    return found


def mirrored(model: str) -> str:
    """Name of a network of one loss that is trained on mirrored rows, too."""
    return f"{model}, mirrored"


def network_of(pipeline: str) -> str:
    """The first part of a pipeline's name: the network's, where it is one of `EPOCHS`."""
    return re.split("[:,]", pipeline)[0]


def best_views(signal: str) -> str:
    """Name of the linear pipeline that is fitted on mirrored rows, too."""
    return "slow potentials and tangent spaces" if signal == WHOLE else "tangent spaces + LR"


def multi_view(signal: str, seed: int) -> MultiViewClassifier:
    """Tangent spaces and, of the whole signal, what is slow in one network, mirrored."""
    views = [("tangent", tangent_spaces(setting_of(RHYTHMS), True, _windows(signal)))]
    if signal == WHOLE:
        slow = make_pipeline(FilterBank(((0.3, 4.0),), output="channels"), ChannelScaling(),
                             EuclideanAlignment(), WindowMeans(0.125))
        views.append(("slow", slow))
    dropout = {"tangent": 0.8, "slow": 0.3} if signal == WHOLE else 0.9
    return MultiViewClassifier(
        views, view_dropout=dropout, dropout=0.5, augmentation="mirror", average_mirrored=True,
        n_networks=3, optimizer="adam", lr=1e-3, max_epochs=10, batch_size=100,
        random_state=100 * seed,
    )


def _windows(signal: str) -> tuple[tuple[float, float], ...]:
    start = EDGES[signal][1]
    whole = ((0.25, 1.75), (0.0, 1.0), (0.5, 1.5), (1.0, 2.0), (0.0, _STOP))
    return whole if start == 0 else ((0.5, 2.0), (0.5, 1.5), (1.0, 2.0), (1.5, 3.0), (0.5, _STOP))


def _deep(network: str, signal: str, policy: str) -> Any:
    def make(seed: int, epochs: int = EPOCHS[network], device: str = "cpu") -> Pipeline:
        return deep(network, setting_of(signal), True, policy, epochs, seed, device)

    return make


def _single(model: str, signal: str) -> Any:
    def make(seed: int, epochs: int = EPOCHS[model]) -> AugmentedClassifier:
        return AugmentedClassifier(single(model, setting_of(signal), True, epochs, seed), "mirror")

    return make


# -- runs -----------------------------------------------------------------------------------


def run_one(
    data: Path | None, test_data: Path | None, quick: bool, signal: str, fold: int,
    pipeline: str, kind: str, seed: int,
) -> list[dict[str, Any]]:
    """Fit one pipeline; a line for each person among its test rows."""
    where = data, test_data, quick, signal, fold
    on_views = pipeline in ON_VIEWS
    train, y_train, test, y_test = views_of_fold(*where) if on_views else rows_of(*where)
    make = pipelines(signal)[pipeline][1]
    short = {"epochs": 1} if quick and network_of(pipeline) in EPOCHS else {}
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(seed, **short).fit(train, y_train)
        seconds = time.perf_counter() - start
        hits = model.predict(test) == y_test
        parts = ("slow", "rhythms") if signal == WHOLE else ()
        swapped = {
            part: model.predict(
                views_of_fold(*where, part)[2] if on_views else exchanged(test, part)) == y_test
            for part in parts
        }
        own = float(np.mean(model.predict(train) == y_train))
        alone = {} if not hasattr(model, "networks_") or not on_views else {
            f"{name}_alone": model.classes_[(odds > 0).astype(int)] == y_test
            for name, odds in model.members(test).items()
        }
    subject = test.subject if on_views else test.metadata["subject"].to_numpy()
    return [
        {"subject": one, "rows": int((subject == one).sum()),
         "accuracy": float(hits[subject == one].mean()), "train_accuracy": own,
         **{f"without_{part}": float(swapped[part][subject == one].mean()) if part in swapped
            else np.nan for part in ("slow", "rhythms")},
         **{name: float(right[subject == one].mean()) for name, right in alone.items()},
         "seconds": seconds, "chosen": describe(model) if on_views else ""}
        for one in np.unique(subject)
    ]


def run(args: Any, stem: str) -> dict[str, pd.DataFrame]:
    """Run all pipelines on both signals; print a table for each."""
    folds = range(1 if args.test_data is not None or args.quick else N_FOLDS)
    tasks = [
        {"data": args.data, "test_data": args.test_data, "quick": args.quick, "signal": signal,
         "fold": fold, "pipeline": name, "kind": kind, "seed": seed}
        for signal in SIGNALS for name, (kind, _) in pipelines(signal).items()
        if kind == "classical" or wanted(args, name)
        for seed in (range(1) if kind == "classical" else
                     range(args.seeds or SEEDS.get(name, 1))) for fold in folds
    ]
    name = f"{stem}_signals" + ("_test_data" if args.test_data is not None else "")
    lines = Study(args.output, f"{name}_runs", fresh=args.fresh).run(
        tasks, run_one, n_jobs=args.n_jobs)
    by_seed = lines.groupby(["signal", "kind", "pipeline", "seed"], sort=False)
    by_seed = by_seed[["accuracy", "train_accuracy"]].mean().reset_index()
    by_seed.to_csv(args.output / f"{name}.csv", index=False)
    print(markdown_table(by_seed[["signal", "kind", "pipeline", "accuracy", "train_accuracy",
                                  "seed"]], 4))
    tables = {}
    for signal in SIGNALS:
        table, best = make_table(lines[lines["signal"] == signal])
        text = words(args, lines[lines["signal"] == signal], signal, best)
        title = f"New people, {signal}"
        print(f"# {title}\n\n{markdown_table(table)}\n{text}\n")
        path = args.output / f"{name}_{signal.replace(' ', '_')}.md"
        path.write_text(f"# {title}\n\n{markdown_table(table)}\n{text}\n", encoding="utf-8")
        tables[signal] = table
    return tables


def wanted(args: Any, pipeline: str) -> bool:
    """Whether a network was asked for."""
    network = network_of(pipeline)
    if network in TODAY:
        return args.single is None or network in args.single
    if network in POLICIES_OF:
        policy = pipeline.removeprefix(f"{network}: ")
        return network in args.networks and (args.policies is None or policy in args.policies)
    return True


def make_table(lines: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """A line for each pipeline, and the best linear pipeline's name."""
    subjects = lines.groupby(["kind", "pipeline", "subject"], sort=False)["accuracy"].mean()
    means = subjects.groupby(level=[0, 1], sort=False).mean()
    best = means.loc["classical"].idxmax()
    # A kind and a name are looked up in a sorted index; the subjects stay in their order.
    subjects = subjects.sort_index(level=[0, 1], sort_remaining=False, kind="stable")
    rows = []
    for (kind, name), part in lines.groupby(["kind", "pipeline"], sort=False):
        own = subjects[kind, name]
        gap, p = difference(subjects, (kind, name), ("classical", best))
        moved = own - 0.5
        by_seed = part.groupby("seed")["accuracy"].mean()
        rows.append({
            "pipeline": name, "kind": kind, "accuracy": own.mean(), "sd": own.std(),
            "seeds": by_seed.std() if len(by_seed) > 1 else np.nan,
            "training": part["train_accuracy"].mean(),
            "slow": (part["accuracy"] - part["without_slow"]).mean(),
            "rhythms": (part["accuracy"] - part["without_rhythms"]).mean(),
            "p, chance": stats.wilcoxon(moved[moved != 0]).pvalue if (moved != 0).sum() > 5
            else np.nan,
            "to linear": gap, "p": p,
        })
    return pd.DataFrame(rows), best


def words(args: Any, lines: pd.DataFrame, signal: str, best: str) -> str:
    """Protocol, and what the confound report says of the signal."""
    low, start = EDGES[signal]
    n_rows = int(lines.drop_duplicates(["subject", "fold"])["rows"].sum())
    if args.test_data is not None:
        who = "All people of one folder train, all people of another are tested, once"
    else:
        count = lines["fold"].nunique()
        who = f"Seeded folds of a sixth of the people each ({count} of {N_FOLDS})"
    note = ", up to 3.9 s" if signal == WHOLE else " up to 3.9 s, after the filter"
    text = PROTOCOL.format(
        people=who, signal=signal, low=low, start=start, note=note, best=best, n_rows=n_rows,
        epochs=", ".join(f"{name} {n}" for name, n in EPOCHS.items() if name not in TODAY
                         or lines["pipeline"].eq(mirrored(name)).any()),
        threshold=stats.binom.ppf(0.99, n_rows, 0.5) / n_rows,
    )
    X, y = people(args.data, args.quick)
    report = confound_report(signal_of(X, signal), y, n_permutations=0)
    verdict = " ".join(report.verdict.split("\n"))
    return "\n\n".join(textwrap.fill(" ".join(part.split()), 99) for part in (
        text, f"**Confound report of the training people's signal.** {verdict}"))
