"""Write ``docs/tables``, and the README's table, from what the studies have printed.

``python docs/make_tables.py FOLDER`` looks for the studies' CSV and Markdown files in FOLDER, the
``--output`` of the scripts in ``examples/papers`` (or a folder of several of them). A row that a
study has printed replaces the row of the same name, cells that it has not printed and other rows
stay as they are. ``sources.csv`` says of each row which file it comes from: a row without one was
copied by hand, from a run whose files are not kept, and the next run of its study replaces it.
Fits of more splits and seeds (``alphagrad.py --networks FBMSNet --splits 3 --seeds 3``) go to a
folder ``more``, those of MIN2Net alone with the published triplets (``--networks MIN2Net``) to a
folder ``published``. ``--busy`` keeps the seconds of earlier runs, for studies that have run on a
machine with other work to do.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from _study_tables import OWN, POLICIES, SECONDS, read_study

HERE = Path(__file__).resolve().parent
TABLES, README = HERE / "tables", HERE.parent / "README.md"
APART = ("more", "published")  # folders of runs that have tables of their own
SOURCES = ("table", "row", "study")
TYPED = ""
_NETS = ("MIN2Net", "FBMSNet")

# -- from the site's tables to others -------------------------------------------------------

#: Pipelines of new people: what the README calls each, and where it is in skbci.
PEOPLE = {
    "CSP + LDA": ("CSP + LDA", "`csp_lda`"),
    "MDM": ("MDM", "`riemann_mdm`"),
    "tangent spaces + LR": ("tangent spaces + LR", "`tangent_space_lr`"),
    "slow potentials + LR": ("slow potentials + LR", "`slow_potentials_lr`"),
    "slow potentials and tangent spaces": (
        "slow potentials and tangent spaces", "`slow_potentials_lr` and `tangent_space_lr`"),
    "slow potentials and tangent spaces, mirrored": (
        "the same, mirrored training rows", "`AugmentedClassifier`"),
    "tangent spaces + network (HJB)": ("tangent spaces + network (HJB)", "`MLPClassifier`"),
    "MIN2Net: AlphaGrad": ("MIN2Net, AlphaGrad", "`MIN2NetClassifier`"),
    "MIN2Net: AlphaGrad, led (ours)": (
        "MIN2Net, AlphaGrad led by the classification (ours)", "`MIN2NetClassifier`"),
    "FBMSNet: fixed, 1 each": ("FBMSNet, fixed weights", "`FBMSNetClassifier`"),
    "FBMSNet: AlphaGrad, led (ours)": (
        "FBMSNet, AlphaGrad led by the classification (ours)", "`FBMSNetClassifier`"),
    "views in a network (ours), mirrored": (
        "views in a network (ours), mirrored", "`MultiViewClassifier`"),
    "bands and windows, chosen (ours), mirrored": (
        "bands and windows, scaled by person, mirrored: ridge",
        "`GroupScaler` and `LogCovariance`"),
    "bands and windows in a network (ours), mirrored": (
        "the same in a network (ours)", "`MultiViewClassifier`"),
    "what is odd in bands and windows, in a network (ours), mirrored": (
        "what is odd in them, in a network (ours)", "`MultiViewClassifier`"),
    "bands and windows, and the signal, in networks (ours), mirrored": (
        "the same, and a network of the signal (ours)", "`MultiViewClassifier`"),
}
#: What the README leaves to the site, so that its table has twelve lines.
NOT_IN_README = (
    "MIN2Net: AlphaGrad, led (ours)", "FBMSNet: fixed, 1 each", "FBMSNet: AlphaGrad, led (ours)",
    "views in a network (ours), mirrored",
)
ACROSS = ("pipeline", "in skbci", "whole signal", "rhythms only", "training (whole signal)")


def across_subjects(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Both signals side by side, the best first."""
    whole = tables["new_people_whole"].set_index("pipeline")
    rhythms = tables["new_people_rhythms"].set_index("pipeline")["accuracy"]
    rows = [
        (name, home, whole.loc[name, "accuracy"], rhythms.get(name, ""),
         whole.loc[name, "training"])
        for name, (_, home) in PEOPLE.items() if name in whole.index
    ]
    table = pd.DataFrame(rows, columns=ACROSS)
    return table.sort_values("whole signal", key=lambda text: -pd.to_numeric(text), kind="stable")


#: Rows of the loss weightings: recordings, channels and split.
RECORDINGS = {
    "across subjects, raw": ("eegmmidb, imagined fists", "22", "50 people train and 10 test"),
    "across subjects, aligned": ("the same aligned", "22", "50 people train and 10 test"),
    "2b, later sessions, raw": ("2b, imagined hands", "3", "sessions 1 to 3 -> 4 and 5"),
    "2b, later sessions, aligned": ("the same aligned", "3", "sessions 1 to 3 -> 4 and 5"),
    "SSVEP": ("SSVEP, windows of 2 s", "", "one session -> the other"),
    "ERP": ("ERP", "", "contiguous folds within a subject"),
}


def paradigms(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The best weighting of each network, a network on features, the best classical pipeline."""
    found = tables["loss_weighting"].set_index("recordings")
    rows = []
    for name, where in RECORDINGS.items():
        cells = [cell.split(" / ") for cell in found.loc[name, list(POLICIES)]]
        best = [max(pair[net] for pair in cells) for net in range(len(_NETS))]
        rows.append((*where, *best, *found.loc[name, ["network on features", "best classical"]]))
    return pd.DataFrame(rows, columns=(
        "data", "channels", "split", *(f"{net} (best weighting)" for net in _NETS),
        "network on features", "best classical"))


DERIVED = {"across_subjects": across_subjects, "paradigms": paradigms}


def readme_table(tables: Mapping[str, pd.DataFrame]) -> str:
    """The README's table of decoders of new people."""
    whole = tables["new_people_whole"].set_index("pipeline")
    rhythms = tables["new_people_rhythms"].set_index("pipeline")["accuracy"]
    lines = ["| decoder | kind | whole signal | rhythms |", "| --- | --- | ---: | ---: |"]
    for name, (shown, _) in PEOPLE.items():
        if name in NOT_IN_README:
            continue
        cells = (shown, whole.loc[name, "kind"], whole.loc[name, "accuracy"],
                 rhythms.get(name, ""))
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


def with_readme_table(text: str, table: str) -> str:
    """Put the table in the place of the one that begins with the same line."""
    head = table.splitlines()[0]
    before, _, after = text.partition(head)
    return before + table + after[after.index("\n\n") + 1 :]


# -- files ----------------------------------------------------------------------------------


def read_table(name: str, folder: Path = TABLES) -> pd.DataFrame:
    """A table of the site, all of it text."""
    path = folder / f"{name}.csv"
    if not path.exists():
        return pd.DataFrame(columns=list(OWN[name].columns), dtype=str)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    # A column that is new to the site is empty until its study has run.
    columns = list(OWN[name].columns if name in OWN else table)
    return table.reindex(columns=columns, fill_value="")


def row_names(name: str, table: pd.DataFrame) -> list[str]:
    """How ``sources.csv`` calls the rows of a table."""
    keys = table.iloc[:, : OWN[name].n_keys]
    return [", ".join(key) for key in keys.itertuples(index=False)]


def merged(name: str, old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The table with the new rows' cells in the place of the old ones."""
    columns = list(OWN[name].columns)
    new = new.reindex(columns=columns).astype(object).fillna("").astype(str)
    new = new.replace(r"(?<!\S)-(?!\S)", "\N{EN DASH}", regex=True)  # "-" is a list to Sphinx
    rows = dict(zip(row_names(name, old), old.to_dict("records")))
    for key, row in zip(row_names(name, new), new.to_dict("records")):
        rows[key] = rows.get(key, dict.fromkeys(columns, "")) | {
            column: cell for column, cell in row.items() if cell}
    return pd.DataFrame(list(rows.values()), columns=columns)


def newest(folder: Path, stem: str) -> Path | None:
    """The study's latest file; of two in one folder the CSV file, which is not rounded."""
    found = [path for kind in ("csv", "md") for path in folder.rglob(f"{stem}.{kind}")
             if path.parent.name not in APART or stem.startswith(f"{path.parent.name}/")]
    beside = [path for path in found if path.suffix == ".csv"
              or path.with_suffix(".csv") not in found]
    return max(beside, key=lambda path: path.stat().st_mtime, default=None)


def update(folder: Path, tables_folder: Path = TABLES, *, busy: bool = False) -> list[str]:
    """Write all tables anew with what is in a folder; give the files that were found.

    Seconds of a busy machine are not taken.
    """
    path = tables_folder / "sources.csv"
    known = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else (
        pd.DataFrame(columns=list(SOURCES)))
    sources = {(row.table, row.row): row.study for row in known.itertuples()}
    tables, used, lines = {}, [], []
    for name, table in OWN.items():
        tables[name] = read_table(name, tables_folder)
        for stem, make in table.studies.items():
            study = newest(folder, stem)
            if study is not None:
                new = make(read_study(study), tables[name])
                if busy:
                    new = new.drop(columns=list(SECONDS), errors="ignore")
                sources |= {(name, row): study.name for row in row_names(name, new)}
                tables[name] = merged(name, tables[name], new)
                used.append(study.name)
        lines += [(name, row, sources.get((name, row), TYPED))
                  for row in row_names(name, tables[name])]
    tables |= {name: make(tables) for name, make in DERIVED.items()}
    for name, frame in tables.items():
        if len(frame):
            frame.to_csv(tables_folder / f"{name}.csv", index=False, lineterminator="\n")
    pd.DataFrame(lines, columns=list(SOURCES)).to_csv(path, index=False, lineterminator="\n")
    if tables_folder == TABLES:
        text = README.read_text(encoding="utf-8")
        README.write_text(with_readme_table(text, readme_table(tables)), encoding="utf-8")
    return used


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("folder", type=Path, help="outputs of the studies")
    parser.add_argument("--busy", action="store_true", help="keep the seconds of earlier runs")
    args = parser.parse_args()
    for file in update(args.folder, busy=args.busy):
        print(file)
