"""What transfer methods are worth on new people: without labels of theirs, and with a few.

Imagined left and right fists as in ``alphagrad.py``, rhythms only, six folds of people. Without
labels: raw signals, scaled channels, recentering, and a scaling after it, in front of four
decoders, and `AdaptiveBatchNorm` inside a network, which also gets the whole signal. With the
labels of a person's first rows: pyRiemann's MDWM and rotation by `DomainTransfer`, on the rows
after these. ``--data FOLDER`` as there; simulated without.
"""

from __future__ import annotations

import argparse
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _across_subjects import (
    EPOCHS,
    N_FOLDS,
    RHYTHMS,
    WHOLE,
    in_fold,
    people,
    setting_of,
    signal_of,
)
from _alphagrad_runs import LED, deep
from _study import Study, add_arguments, difference, write_table
from pyriemann.tangentspace import TangentSpace
from pyriemann.transfer import MDWM, TLRotate
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skbci
from skbci import EEGArray
from skbci.baselines import DomainTransfer, csp_lda, riemann_fgmdm, riemann_mdm
from skbci.estimators import AdaptiveBatchNorm
from skbci.features import GroupScaler
from skbci.model_selection import LeaveSubjectsOut

#: Alignments by their names in the table, in the order in which they are run.
ALIGNED = {"raw": None, "channels scaled": "scale", "recentered, Euclidean": "euclidean",
           "recentered, Riemannian": "riemannian"}
RAW, SCALED, EUCLIDEAN, RIEMANNIAN = ALIGNED
CSP, MDM, FGMDM, TANGENT = "CSP + LDA", "MDM", "FgMDM", "tangent space + LR"
NET = "MIN2Net"
#: Signal of each network; the other decoders are above 8 Hz in any case.
NETS = {NET: RHYTHMS, f"{NET}, whole signal": WHOLE}
RUNS = {CSP: (RAW, SCALED, EUCLIDEAN, RIEMANNIAN), MDM: (RAW, EUCLIDEAN, RIEMANNIAN),
        FGMDM: (RAW, EUCLIDEAN, RIEMANNIAN), TANGENT: (RAW, EUCLIDEAN, RIEMANNIAN),
        **dict.fromkeys(NETS, (RAW, EUCLIDEAN))}
#: What the others of a decoder are compared with.
PLAIN = {name: RIEMANNIAN if name in (MDM, FGMDM, TANGENT) else EUCLIDEAN for name in RUNS}
LABELLED = 15  # a run of a recording
NO_LABELS = "recentered, no labels"
_PENALTIES = {"C": (1e-4, 1e-3, 1e-2, 1e-1, 1.0)}
_WHERE = {"fmin": 8.0, "fmax": 30.0, "tmin": 0.5, "tmax": 3.5}

FREE = """**Protocol.** Rhythms only, {folds} folds of people, 8 to 30 Hz, 0.5 to 3.5 s after the
cue (MIN2Net: 7 Hz and up, 0.5 to 3.9 s; the whole signal from 0.3 Hz and 0 s on). No labels of
test people: alignments, z-scores and batch normalization go by all rows of a test person
(transductive). *scaled*: covariances, or tangent vectors, of each person to a mean squared
distance of one from the person's mean (`GroupScaler(joint=True)`); *z-scores*: each value of its
own, within each person; *batch normalization by person*: `AdaptiveBatchNorm` around the same
fitted network. The penalty of the logistic regression is chosen by people among the training
people of each fold; band, window and MIN2Net are those of the table of new people, and nothing
else was chosen. MIN2Net: {epochs} epochs, one seed. *to recentered*, *p*: to the decoder's row
without a difference, Wilcoxon's test over people."""
FEW = """**Protocol.** As in the table without labels, but only rows after a person's first
{labelled} are tested ({rows} rows), and the labels of these first rows may be used. Recentering
is Riemannian and goes by all rows of a person, without labels. *among the others'*: the labelled
rows are training rows like others; *MDWM*: class means are half those of the others, half the
person's own (pyRiemann, tradeoff .5, not tuned); *rotated*: others' tangent vectors are turned to
the person's class means (`TLRotate`). The penalty is the one that the fold's training people
chose, C = 1 for the person's own rows alone. *to no labels*, *p*: to the same decoder without
labels, on the same rows."""


# -- rows, once for all folds ---------------------------------------------------------------


@cache
def signals(data: Path | None, quick: bool, aligned: str) -> EEGArray:
    """Everybody's rows, aligned by person: no person's depend on those of others."""
    front = csp_lda(**_WHERE, alignment=ALIGNED[aligned])[:3]
    return front.fit_transform(signal_of(people(data, quick)[0], RHYTHMS))


@cache
def covariances(data: Path | None, quick: bool, aligned: str) -> EEGArray:
    """Covariances of these rows."""
    X = signals(data, quick, aligned)
    return EEGArray(riemann_mdm()["cov"].fit_transform(X), X.metadata)


@cache
def labels(data: Path | None, quick: bool) -> tuple[np.ndarray, np.ndarray]:
    """Labels and subject of each row."""
    X, y = people(data, quick)
    return y, X.metadata["subject"].to_numpy()


# -- decoders -------------------------------------------------------------------------------


def at_identity(n_channels: int) -> TangentSpace:
    """The tangent space where recentered people have their means."""
    return TangentSpace().fit(np.eye(n_channels)[np.newaxis])


def to_tangent(matrices: Any) -> np.ndarray:
    """Logarithms of covariances, as vectors."""
    return at_identity(np.shape(matrices)[-1]).transform(np.asarray(matrices))


def to_covariance(scaled: Any) -> np.ndarray:
    """Covariances of vectors of mean square one: they are one from the identity."""
    n_values = np.shape(scaled)[-1]
    n_channels = int((np.sqrt(8 * n_values + 1) - 1) / 2)
    return at_identity(n_channels).inverse_transform(np.asarray(scaled) / np.sqrt(n_values))


def regression() -> Any:
    """A logistic regression, its penalty chosen by people among those it is fitted on."""
    return skbci.make_pipeline(StandardScaler(), GridSearchCV(
        LogisticRegression(max_iter=1000), _PENALTIES, cv=LeaveSubjectsOut(5)))


def scaled() -> list[Any]:
    """Steps that bring the covariances of each person to a dispersion of one."""
    return [FunctionTransformer(to_tangent), GroupScaler(with_mean=False, joint=True),
            FunctionTransformer(to_covariance)]


def decoders(decoder: str, aligned: str) -> dict[str, Any]:
    """Pipelines on aligned rows (covariances, but for CSP), by what is done to them further."""
    if decoder == CSP:
        csp, lda = csp_lda()["csp"], csp_lda()["lda"]
        found = {"": skbci.make_pipeline(csp, lda)}
        return found | {", z-scores": skbci.make_pipeline(csp, GroupScaler(), lda)}
    if decoder == TANGENT:
        found = {"": skbci.make_pipeline(TangentSpace(), regression()),
                 ", scaled": skbci.make_pipeline(
                     TangentSpace(), GroupScaler(joint=True), regression()),
                 ", z-scores": skbci.make_pipeline(TangentSpace(), GroupScaler(), regression())}
    else:
        last = riemann_mdm()["mdm"] if decoder == MDM else riemann_fgmdm()["fgmdm"]
        found = {"": last, ", scaled": skbci.make_pipeline(*scaled(), last)}
    # Scaling is by the distance from the person's geometric mean, which has to be the same.
    return {then: model for then, model in found.items()
            if then != ", scaled" or aligned == RIEMANNIAN}


def run_one(
    data: Path | None, quick: bool, decoder: str, aligned: str, fold: int
) -> list[dict[str, Any]]:
    """Fit a decoder; a line for each test person and each further step."""
    y, subject = labels(data, quick)
    tested = in_fold(subject, fold)
    predicted = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if decoder in NETS:
            X = signal_of(people(data, quick)[0], NETS[decoder])
            pipe = deep(NET, setting_of(NETS[decoder]), aligned != RAW, LED,
                        1 if quick else EPOCHS[NET], seed=0)
            pipe.set_params(classifier=AdaptiveBatchNorm(pipe["classifier"]))
            pipe.fit(X[~tested], y[~tested])
            rows = pipe[:-1].transform(X[tested])
            predicted[""] = pipe["classifier"].estimator_.predict(rows)
            predicted[", batch normalization by person"] = pipe["classifier"].predict(rows)
        else:
            rows = (signals if decoder == CSP else covariances)(data, quick, aligned)
            for then, model in decoders(decoder, aligned).items():
                predicted[then] = model.fit(rows[~tested], y[~tested]).predict(rows[tested])
    return [
        {"then": then, "subject": one, "rows": int((subject == one).sum()),
         "accuracy": float(np.mean((said == y[tested])[subject[tested] == one]))}
        for then, said in predicted.items() for one in np.unique(subject[tested])
    ]


# -- with some labels -----------------------------------------------------------------------


def run_labelled(data: Path | None, quick: bool, fold: int) -> list[dict[str, Any]]:
    """Decoders that know the labels of a person's first rows; a line for each and each person."""
    y, subject = labels(data, quick)
    rows = covariances(data, quick, RIEMANNIAN)
    others = ~in_fold(subject, fold)
    tangent = TangentSpace().fit(np.asarray(rows[others]))
    vectors = EEGArray(tangent.transform(np.asarray(rows)), rows.metadata)
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = regression().fit(vectors[others], y[others])
        penalty = search[-1].best_params_["C"]
        nearest = riemann_mdm()["mdm"].fit(rows[others], y[others])
        for one in np.unique(subject[~others]):
            own = np.flatnonzero(subject == one)
            first, later = own[: labelled(quick)], own[labelled(quick):]
            train = np.concatenate([np.flatnonzero(others), first])
            predicted = {
                (MDM, NO_LABELS): nearest.predict(rows[later]),
                (TANGENT, NO_LABELS): search.predict(vectors[later]),
                **with_labels(rows, vectors, y, train, first, later, one, penalty),
            }
            for (decoder, method), said in predicted.items():
                lines.append({"decoder": decoder, "method": method, "subject": one,
                              "rows": len(later), "accuracy": float(np.mean(said == y[later]))})
    return lines


def with_labels(
    rows: EEGArray, vectors: EEGArray, y: np.ndarray, train: np.ndarray, first: np.ndarray,
    later: np.ndarray, one: Any, penalty: float,
) -> dict[tuple[str, str], np.ndarray]:
    """Predict a person's later rows, by decoder and by what is done with the labels."""
    def lr(C: float = penalty) -> Any:
        return skbci.make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))

    mdm = riemann_mdm()["mdm"]
    turned = skbci.make_pipeline(DomainTransfer(TLRotate(None), target=one), lr())
    return {
        (MDM, "own rows only"): mdm.fit(rows[first], y[first]).predict(rows[later]),
        (MDM, "among the others'"): mdm.fit(rows[train], y[train]).predict(rows[later]),
        (MDM, "MDWM"): DomainTransfer(MDWM(0.5, None), target=one).fit(
            rows[train], y[train]).predict(rows[later]),
        (TANGENT, "own rows only"): lr(1.0).fit(vectors[first], y[first]).predict(vectors[later]),
        (TANGENT, "among the others'"): lr().fit(
            vectors[train], y[train]).predict(vectors[later]),
        (TANGENT, "rotated"): turned.fit(vectors[train], y[train]).predict(vectors[later]),
    }


def labelled(quick: bool) -> int:
    """How many rows of a test person have labels."""
    return 6 if quick else LABELLED


# -- tables ---------------------------------------------------------------------------------


def make_table(lines: pd.DataFrame, names: tuple[str, str], plain: dict[str, str]) -> pd.DataFrame:
    """A line for each decoder and method, and its difference from the decoder's plain one."""
    by = lines.groupby([*names, "subject"])["accuracy"].mean()
    found = []
    for decoder, method in dict.fromkeys(zip(lines[names[0]], lines[names[1]])):
        own = by.loc[(decoder, method)]
        gap, p = difference(by, (decoder, method), (decoder, plain[decoder]))
        found.append({names[0]: decoder, names[1]: method, "accuracy": own.mean(),
                      "sd": own.std(), "gap": gap, "p": p})
    table = pd.DataFrame(found)
    order = list(dict.fromkeys(table[names[0]]))
    return table.sort_values(names[0], key=lambda name: name.map(order.index), kind="stable")


def main(argv: list[str] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run all; print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--decoders", nargs="+", choices=list(RUNS), default=list(RUNS))
    args = parser.parse_args(argv)
    folds = range(1 if args.quick else N_FOLDS)
    stem = "new_people_transfer"
    stem += ("" if args.data else "_simulated") + ("_quick" if args.quick else "")
    shared = {"data": args.data, "quick": args.quick}
    few = Study(args.output, f"{stem}_labels_runs", fresh=args.fresh).run(
        [{**shared, "fold": fold} for fold in folds], run_labelled, n_jobs=args.n_jobs)
    few_table = make_table(few, ("decoder", "method"), dict.fromkeys(RUNS, NO_LABELS))
    few_table.insert(2, "labelled rows",
                     np.where(few_table["method"] == NO_LABELS, 0, labelled(args.quick)))
    few_table = few_table.rename(columns={"gap": "to no labels"})
    print(write_table(few_table, args.output / f"{stem}_labels", "New people, with some labels",
                      FEW.format(labelled=labelled(args.quick), rows=tested_rows(few))))
    lines = Study(args.output, f"{stem}_runs", fresh=args.fresh).run(
        [{**shared, "decoder": decoder, "aligned": aligned, "fold": fold}
         for decoder in args.decoders for aligned in RUNS[decoder] for fold in folds],
        run_one, n_jobs=args.n_jobs)
    lines["transfer"] = lines["aligned"] + lines["then"].fillna("")
    table = make_table(lines, ("decoder", "transfer"), PLAIN)
    table = table.rename(columns={"gap": "to recentered"})
    print(write_table(table, args.output / stem, "New people, without labels of theirs",
                      FREE.format(folds=len(folds), epochs=1 if args.quick else EPOCHS[NET])))
    return table, few_table


def tested_rows(lines: pd.DataFrame) -> int:
    """Test rows of all people."""
    return int(lines.drop_duplicates("subject")["rows"].sum())


if __name__ == "__main__":
    main()
