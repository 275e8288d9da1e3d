"""
Quickstart: networks trained with HJB beside CSP and Riemannian pipelines
=========================================================================

One table, the same folds for every pipeline, tested on people of whom nothing was trained on. The
optimizer of a network is chosen by a grid search inside each training set. Below the table stands
what else than the rhythms could have told the labels. Without arguments it runs on simulated EEG::

    python examples/quickstart.py

With ``--data`` it runs on recordings: a folder of epochs (imagined left and right fist), or one of
the mental-imagery features of BCI Competition III (trained on earlier sessions, tested on the last
one)::

    python examples/quickstart.py --data path/to/eegmmidb
    python examples/quickstart.py --data path/to/bci3_V_idiap

An epoch has thousands of samples, and there are hundreds of epochs: the networks see covariances
in the tangent space, or several views of an epoch, not its samples. Every person is aligned by
their own unlabelled epochs. Dropout, epochs and steps were chosen on other simulated people (seeds
1 to 3 of the simulator), nothing on rows that are tested.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skbci.baselines import csp_lda, riemann_mdm, tangent_space_lr
from skbci.datasets import load_recording, make_motor_imagery
from skbci.display import ComparisonDisplay
from skbci.estimators import (
    AugmentedClassifier,
    DecoderPipeline,
    MLPClassifier,
    MultiViewClassifier,
)
from skbci.evaluation import compare, confound_report, leakage_report
from skbci.features import Crop
from skbci.model_selection import (
    LeaveSubjectsOut,
    PurgedKFold,
    SessionSplit,
    StackedGridSearchCV,
)

WINDOW = {"tmin": 0.5, "tmax": 3.5}
# The optimizer is a hyperparameter like any other; each comes with a step that suits it.
EPOCH_OPTIMIZERS = [
    {"mlp__optimizer": ["hjb"], "mlp__lr": [0.3]},
    {"mlp__optimizer": ["hjb-adam", "adam"], "mlp__lr": [0.003]},
]
OPTIMIZERS = [
    {"mlp__optimizer": ["hjb"], "mlp__lr": [0.1]},
    {"mlp__optimizer": ["hjb-ad"], "mlp__lr": [0.01]},
    {"mlp__optimizer": ["adam"], "mlp__lr": [0.003]},
]


def features_of(pipeline) -> Pipeline:
    """All steps but the classifier."""
    return make_pipeline(*(step for _, step in pipeline.steps[:-1]))


def imagery_pipelines() -> dict:
    """Classical pipelines, and networks on what suits epochs of motor imagery."""
    csp = csp_lda(n_components=6, **WINDOW, alignment="euclidean")
    tangent = tangent_space_lr(**WINDOW, alignment="riemannian")
    network = MLPClassifier((100,), dropout=0.8, optimizer="hjb", lr=0.3, max_epochs=20,
                            batch_size=32, random_state=0)
    network = DecoderPipeline([*tangent.steps[:-1], ("mlp", network)])
    views = MultiViewClassifier(
        [("tangent", features_of(tangent)), ("csp", features_of(csp))],
        view_dropout={"tangent": 0.8, "csp": 0.3}, dropout=0.5, optimizer="hjb", lr=0.3,
        max_epochs=20, batch_size=32, augmentation="mirror", average_mirrored=True, random_state=0,
    )
    return {
        "CSP + LDA": csp,
        "MDM": riemann_mdm(**WINDOW, alignment="riemannian"),
        "tangent space + LR": tangent,
        "tangent space + LR, mirrored": AugmentedClassifier(tangent, "mirror", random_state=0),
        "tangent space + network, searched": StackedGridSearchCV(
            network, EPOCH_OPTIMIZERS, cv=LeaveSubjectsOut(2)),
        "views in a network (HJB), mirrored": views,
    }


def run_imagery(bunch, n_jobs: int, output: Path) -> None:
    """Compare the pipelines on new people; say what else could tell the labels."""
    subjects = bunch.metadata["subject"].nunique()
    print(f"{len(bunch.y)} epochs of {subjects} subjects, {bunch.X!r}\n")
    cv = LeaveSubjectsOut(min(4, subjects))
    result = compare(imagery_pipelines(), bunch.X, bunch.y, cv=cv, baseline="CSP + LDA",
                     n_jobs=n_jobs)
    leakage = leakage_report(cv, bunch.X, y=bunch.y)
    window = Crop(**WINDOW).fit_transform(bunch.X)
    confounds = confound_report(window, bunch.y, cv=cv, n_jobs=n_jobs)
    print(f"\nAccuracy on new people, {cv.n_splits} folds of {subjects} subjects:\n")
    verdict = f"Leakage: {leakage.verdict}\nConfounds: {confounds.verdict}"
    finish(result, output / "quickstart_imagery.png", verdict)


def run_sessions(bunch, n_jobs: int, output: Path) -> None:
    """Train on a subject's earlier sessions, test on session 4; show what shuffling leaks."""
    log = FunctionTransformer(np.log, feature_names_out="one-to-one")
    # Rows are 62.5 ms apart and each was computed from one second of signal.
    inner = PurgedKFold(3, window=1.0)
    network = Pipeline([
        ("log", log),
        ("pca", PCA(0.95, random_state=0)),
        ("mlp", MLPClassifier((50, 30), dropout=(0.2, 0.0), max_epochs=20, random_state=0)),
    ])
    pipelines = {
        "log PSD + LDA": make_pipeline(
            log, LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        ),
        "log PSD + 3-NN": make_pipeline(log, StandardScaler(), KNeighborsClassifier(3)),
        "log PSD + PCA + MLP": GridSearchCV(network, OPTIMIZERS, cv=inner),
    }
    splits = {
        "earlier sessions -> session 4": SessionSplit(test_sessions=[4]),
        "shuffled rows (leaks)": StratifiedKFold(5, shuffle=True, random_state=0),
    }
    results = {}
    for name, cv in splits.items():
        print(f"{name}\n{leakage_report(cv, bunch.X, y=bunch.y, window=1.0)}\n")
        results[name] = compare(
            pipelines, bunch.X, bunch.y, cv=cv, baseline="log PSD + LDA", n_jobs=n_jobs
        )
        print()
    print("Accuracy a row (1 s of signal), mean over subjects:\n")
    means = {name: result.subjects.mean() for name, result in results.items()}
    table = pd.DataFrame(means).round(3)
    print(table.to_string(), "\n")
    output.mkdir(parents=True, exist_ok=True)
    table.rename_axis("pipeline").to_csv(output / "quickstart_sessions.csv")
    finish(next(iter(results.values())), output / "quickstart_sessions.png")


def finish(result, path: Path, verdict: str = "") -> None:
    """Print the table, the tests and the verdict, save the picture."""
    print(result, f"\n{verdict}" if verdict else "")
    display = ComparisonDisplay.from_comparison(result)
    if verdict:
        lines = [textwrap.fill(line, 100) for line in verdict.splitlines()]
        display.figure_.text(0.0, -0.02, "\n".join(lines), va="top", fontsize="small",
                             transform=display.figure_.transFigure)
    path.parent.mkdir(parents=True, exist_ok=True)
    display.figure_.savefig(path, dpi=120, bbox_inches="tight")
    print(f"\nPicture: {path.resolve()}")


def load(folder: Path, n_subjects: int):
    """Load the first subjects of a folder of recordings."""
    imagery = any(folder.glob("mi_*.npz"))
    bunch = load_recording(folder, pattern="mi_*.npz" if imagery else "*.npz")
    first = np.unique(bunch.metadata["subject"])[:n_subjects]
    kept = np.flatnonzero(bunch.metadata["subject"].isin(first))
    bunch.X, bunch.y = bunch.X[kept], bunch.y[kept]
    bunch.metadata = bunch.X.metadata
    # The names say what a mirror exchanges.
    sides = {1: "left_hand", 2: "right_hand"} if imagery else {}
    bunch.y = np.array([sides.get(label, label) for label in bunch.y.tolist()])
    return bunch


def main(argv: list[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--data", type=Path, help="folder of recordings; default: simulated EEG")
    parser.add_argument(
        "--subjects", type=int, help="subjects to simulate (default 8) or to load (default 20)"
    )
    parser.add_argument("--trials", type=int, default=40, help="of a simulated subject (40)")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="for the picture")
    args = parser.parse_args(argv)
    start = time.perf_counter()
    if args.data is None:
        bunch = make_motor_imagery(
            n_subjects=args.subjects or 8, n_sessions=1, n_trials=args.trials, snr=0.6,
            random_state=0,
        )
    else:
        bunch = load(args.data, args.subjects or 20)
    run = run_imagery if bunch.X.ndim == 3 else run_sessions
    run(bunch, args.n_jobs, args.output)
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
