"""The tables of the site that come from a study: their columns, and what the study gives."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["OWN", "POLICIES", "SECONDS", "Table", "read_study"]

#: Columns of measured seconds, which a busy machine makes longer.
SECONDS = ("fit s", "predict s")

Make = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Table:
    """A table of the site: its columns, the first of which name a row, and the studies' files."""

    columns: tuple[str, ...]
    studies: Mapping[str, Make] = field(default_factory=dict)
    n_keys: int = 1


# -- figures as text ------------------------------------------------------------------------


def share(value: Any) -> str:
    """Part of one, as ``.681``; nothing where there is none."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    text = f"{value:.3f}"
    return ".000" if text == "-0.000" else text.replace("0.", ".", 1) if abs(value) < 1 else text


def without_zero(text: str) -> str:
    """Fractions of one as ``.681``, wherever they stand in a text."""
    return re.sub(r"(?<![\d.])0\.", ".", text)


def read_study(path: Path) -> pd.DataFrame:
    """What a study has written: a CSV file, or the first table of a Markdown file."""
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype={"eta_0": str}, keep_default_na=False, na_values=[""])
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("| \n").split(" | ")])
    head, _, *rows = table
    rows = [row + [""] * (len(head) - len(row)) for row in rows]
    text = pd.DataFrame(rows, columns=head).to_csv(index=False)
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])


# -- from a study's table to the site's -----------------------------------------------------


def as_printed(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """The study's own columns, fractions to two decimals."""
    return frame.map(lambda v: f"{v:.2f}" if isinstance(v, float) else str(v)).replace("nan", "")


def new_people(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Accuracies on new people.

    The last two columns compare with the best linear pipeline. A run that has left it out compares
    with another one: its figures are not taken.
    """
    numbers = frame.select_dtypes("number").columns
    new = frame.assign(**{name: frame[name].map(share) for name in numbers}).fillna("")
    linear = pd.concat([new, old[~old["pipeline"].isin(new["pipeline"])]], ignore_index=True)
    linear = linear[linear["kind"] == "classical"]
    best = linear.loc[pd.to_numeric(linear["accuracy"]).idxmax(), "pipeline"]
    if best not in set(new["pipeline"]):
        new[["to linear", "p"]] = ""
    return new


#: Networks on features, the one that is shown first; and all of the study that are not classical.
ON_FEATURES = ("the decoders' features in a network, optimizer searched",
               "tangent spaces + network (HJB)")
OTHER_NETWORKS = (*ON_FEATURES, "EEGNet", "DeepConvNet", "FBCNet")
POLICIES = ("fixed, 1 each", "cross-entropy only", "AlphaGrad", "AlphaGrad, projected (ours)",
            "AlphaGrad, led (ours)", "led, or fixed by held-out rows (ours)")

#: Files of the settings, and how the table calls them.
SETTINGS = {"imagery_across_subjects": "across subjects",
            "imagery_later_sessions": "2b, later sessions", "SSVEP": "SSVEP", "ERP": "ERP"}


def loss_weighting(
    name: str, nets: tuple[str, ...] = ("MIN2Net", "FBMSNet"), triplets: str = ""
) -> Make:
    """A row for raw and aligned signals of a setting: each network's accuracy by policy."""
    def make(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
        rows = []
        for signals, part in frame.groupby("signals", sort=False):
            cell = part.set_index(["method", "policy"])["accuracy"]
            alone = part[part["policy"].isna()].set_index("method")["accuracy"]
            features = [alone[one] for one in ON_FEATURES if one in alone.index]
            row = {
                "recordings": name if frame["signals"].nunique() == 1 else f"{name}, {signals}",
                "network on features": share(features[0]) if features else "",
                "best classical": share(alone.drop(list(OTHER_NETWORKS), errors="ignore").max()),
            }
            shown = part["method"].isin(nets)
            if shown.any():
                row |= {policy: " / ".join(share(cell.get((net, policy))) for net in nets)
                        for policy in POLICIES} | {"triplets": triplets}
            rows.append(row)
        return pd.DataFrame(rows)
    return make


def sparse(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """One row per method, one column per task and sparsity, the article's figure in brackets."""
    rows: dict[str, dict[str, str]] = {}
    for line in frame.to_dict("records"):
        percent = int(line["sparsity %"])
        cell = share(line["accuracy"])
        if not pd.isna(line["paper"]):
            cell += f" [{share(line['paper'])}]"
        row = rows.setdefault(line["method"], {"method": line["method"]})
        row[f"{line['task']}, {percent or 40} %"] = cell
    return pd.DataFrame(rows.values()).fillna("")


#: Columns of the mental-imagery table: mode and column of the study's.
IMAGERY = {
    "the paper, a row": ("offline", "paper"), "the paper, online": ("online", "paper"),
    "its protocol, a row": ("offline, whole session", "paper's protocol"),
    "session, 0.5 s": ("offline, whole session", "honest, 0.5 s"),
    "session, 5 s": ("offline, whole session", "honest, 5 s"),
    "rest, 0.5 s": ("offline", "honest, 0.5 s"), "rest, 5 s": ("offline", "honest, 5 s"),
    "online, 0.5 s": ("online", "honest, 0.5 s"), "online, 5 s": ("online", "honest, 5 s"),
}


def mental_imagery(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Earlier sessions to the last one: of subject 2, and the mean over subjects."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    last = frame["train -> test"].isin(["1+2+3 -> 4", "earlier -> 4"])
    for line in frame[last].to_dict("records"):
        subject = str(line["subject"])
        if subject in ("2", "mean"):
            row = rows.setdefault((subject, line["algorithm"]), {
                "subject": subject, "algorithm": line["algorithm"]})
            row |= {shown: share(line[column]) for shown, (mode, column) in IMAGERY.items()
                    if mode == line["mode"]}
    found = pd.DataFrame(rows.values()).fillna("")
    return found.sort_values("subject", kind="stable")


def gains(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Paired differences and their p-values."""
    short = {"paper": "the paper", "paper's protocol": "its protocol",
             "honest, 0.5 s": "honest, 0.5 s"}
    names = {f"{long}: {what}": f"{new}: {what}" for long, new in short.items()
             for what in ("gain", "p")}
    return frame.map(share).rename(columns=names)


def under_adam(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Errors without their p-values."""
    frame = frame.replace({"set": {"all sets": "mean error, %"}}).rename(
        columns={"HJB+AD": "HJB-AD"})
    return as_printed(frame, old)


def log_losses(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """The last line of the log-losses, in nats."""
    last = frame[frame["set"] == "all sets"].rename(columns={"HJB+AD": "HJB-AD"})
    numbers = {name: share(float(last[name].iloc[0]) / 100) for name in last.columns
               if name in old.columns and name != "set"}
    return pd.DataFrame([{"set": "mean log-loss"} | numbers])


def rates(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Table I."""
    return as_printed(frame, old).rename(columns={"0.0001": "1e-4", "1e-05": "1e-5"})


def within(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """What ``skbci compare`` prints."""
    shown = {"csp-lda": "CSP + LDA", "fbcsp": "FBCSP", "tangent-space": "tangent space + LR",
             "mdm": "MDM", "views": "views in a network",
             "tangent-search": "tangent space + network, optimizer searched"}
    parts = frame["accuracy"].str.split(" ± ", expand=True).map(without_zero)
    seconds = frame[list(SECONDS)].map(lambda value: without_zero(f"{value:.2g}"))
    return pd.DataFrame({
        "pipeline": frame["pipeline"].replace(shown), "accuracy": parts[0], "sd": parts[1],
        **seconds, "against CSP": frame["difference [95 % CI]"].map(without_zero),
        "p": frame["p Wilcoxon"].map(share),
    }).fillna("")


def plain(frame: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Shares, under the study's own names."""
    return frame.map(share)


def plain_but(*counts: str) -> Make:
    """Shares, but for columns of whole numbers, which stay as they are."""
    return lambda frame, old: plain(frame.astype(dict.fromkeys(counts, str)), old)


_PEOPLE = ("pipeline", "kind", "accuracy", "sd", "training", "slow", "rhythms", "to linear", "p")
OWN = {
    "new_people_whole": Table(_PEOPLE, {"alphagrad_signals_whole_signal": new_people}),
    "new_people_rhythms": Table(
        tuple(name for name in _PEOPLE if name not in ("slow", "rhythms")),
        {"alphagrad_signals_rhythms_only": new_people}),
    "within_subjects": Table(
        ("pipeline", "in skbci", "accuracy", "sd", "fit s", "predict s", "against CSP", "p"),
        {"compare_within_subjects": within}),
    "leaking_split": Table(
        ("pipeline", "earlier sessions -> session 4", "shuffled rows (leaks)"),
        {"quickstart_sessions": plain}),
    "loss_weighting": Table(("recordings", *POLICIES, "network on features", "best classical",
                             "triplets"), {
        f"alphagrad{kind}_{stem}": loss_weighting(name, triplets=triplets)
        for kind, triplets in (("_one_negative", "one negative"), ("", "published"))
        for stem, name in SETTINGS.items()}),
    "loss_weighting_more": Table(("recordings", *POLICIES[:2], *POLICIES[-2:]), {
        f"more/alphagrad_{stem}": loss_weighting(name, ("FBMSNet",))
        for stem, name in (SETTINGS | {"imagery_within_subject": "within subject"}).items()}),
    "loss_weighting_published": Table(("recordings", *POLICIES), {
        f"published/alphagrad_{stem}": loss_weighting(name, ("MIN2Net",))
        for stem, name in SETTINGS.items()}),
    "sparse_multitask": Table(("method", "imagery, 40 %", "imagery, 80 %", "execution, 40 %",
                               "execution, 80 %"), {"sparse_multitask": sparse}),
    "mental_imagery": Table(("subject", "algorithm", *IMAGERY),
                            {"hjb_mental_imagery_table_III": mental_imagery}, n_keys=2),
    "new_people_online": Table(
        ("pipeline", "transductive", "online", "transductive, first", "online, first",
         "transductive, later", "online, later", "p"), {"new_people_online": plain}),
    "new_people_transfer": Table(
        ("decoder", "transfer", "accuracy", "sd", "to recentered", "p"),
        {"new_people_transfer": plain}, n_keys=2),
    "new_people_transfer_labels": Table(
        ("decoder", "method", "labelled rows", "accuracy", "sd", "to no labels", "p"),
        {"new_people_transfer_labels": plain_but("labelled rows")}, n_keys=2),
    "mental_imagery_sessions": Table(
        ("subject", "decoder", "left out", "left out, half", "session 4", "session 4, half"),
        {"mental_imagery_sessions": plain_but("subject")}, n_keys=2),
    "new_people_curves": Table(
        ("network", "people", "kept epoch", "training", "held out", "test", "last training",
         "last held out", "last test", "best"),
        {"new_people_curves": plain_but("people", "kept epoch")}, n_keys=2),
    "mental_imagery_gains": Table(
        ("mode", "algorithm", "against", *(f"{where}: {what}" for where in
         ("the paper", "its protocol", "honest, 0.5 s") for what in ("gain", "p"))),
        {"hjb_mental_imagery_t_tests": gains}, n_keys=3),
    "convergence": Table(
        ("problem", "algorithm", "claimed", "eta_0", "0.1", "0.01", "0.001", "1e-4", "1e-5",
         "slope"), {"hjb_convergence": rates}, n_keys=2),
    "eye_state": Table(("algorithm", "epochs", "seconds", "train %", "test %", "precision",
                        "recall", "auc"), {"hjb_eye_state": as_printed}),
    "eye_state_claims": Table(("claim", "paper", "here"),
                              {"hjb_eye_state_claims": as_printed}),
    "tabular_errors": Table(
        ("set", "rows", "constant", "RMSprop", "BP", "EVDHJB", "AD", "Adam", "HJB", "HJB+AD"),
        {"hjb_tabular_errors": as_printed}),
    "tabular_claims": Table(("claim", "paper's table", "here"),
                            {"hjb_tabular_claims": as_printed}),
    "hjb_under_adam": Table(
        ("set", "HJB with Adam", "Adam", "HJB-AD", "HJB", "HJB with Adam, 0.01", "Adam, 0.01",
         "HJB, 0.01"), {"hjb_inner": under_adam, "hjb_inner_log_loss": log_losses}),
    "defaults": Table(("set", "skbci, default", "skbci, Adam", "scikit-learn", "skorch"),
                      {"defaults": plain}),
}
