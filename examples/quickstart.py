"""
Quickstart: networks trained with HJB beside CSP and Riemannian pipelines
=========================================================================

One table, the same folds for every pipeline, the network's optimizer chosen by ``GridSearchCV``
inside each training set. Without arguments it runs on simulated EEG::

    python examples/quickstart.py

With ``--data`` it runs on recordings: a folder of epochs (imagined left and right fist, within
each subject), or one of the mental-imagery features of BCI Competition III (trained on earlier
sessions, tested on the last one)::

    python examples/quickstart.py --data path/to/eegmmidb
    python examples/quickstart.py --data path/to/bci3_V_idiap
"""

from __future__ import annotations

import argparse
import sys
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

from skbci.baselines import csp_lda, fbcsp, riemann_mdm, tangent_space_lr
from skbci.datasets import load_recording, make_motor_imagery
from skbci.display import ComparisonDisplay
from skbci.estimators import MLPClassifier
from skbci.evaluation import compare, leakage_report
from skbci.features import BandEnergy, Crop
from skbci.model_selection import PurgedKFold, SessionSplit, WithinSubject

# The optimizer is a hyperparameter like any other; each comes with a step that suits it.
OPTIMIZERS = [
    {"mlp__optimizer": ["hjb"], "mlp__lr": [0.1]},
    {"mlp__optimizer": ["hjb-ad"], "mlp__lr": [0.01]},
    {"mlp__optimizer": ["adam"], "mlp__lr": [0.003]},
]


def imagery_pipelines() -> dict:
    """Classical pipelines, and a network on band energies, for epochs of motor imagery."""
    window = {"tmin": 0.5, "tmax": 3.5}
    mlp = MLPClassifier((50, 30), dropout=0.2, max_epochs=60, batch_size=16, random_state=0)
    on_energies = Pipeline([
        ("crop", Crop(**window)),
        ("energies", BandEnergy(((8, 13), (13, 18), (18, 24), (24, 30)), n_subbands=1, log=True)),
        ("pca", PCA(0.95, random_state=0)),
        ("mlp", mlp),
    ])
    on_csp = Pipeline([*csp_lda(n_components=6, **window).steps[:-1], ("mlp", mlp)])
    return {
        "CSP + LDA": csp_lda(n_components=6, **window),
        "FBCSP": fbcsp(**window),
        "tangent space + LR": tangent_space_lr(**window),
        "MDM": riemann_mdm(**window),
        "band energies + PCA + MLP": GridSearchCV(on_energies, OPTIMIZERS, cv=3),
        "CSP + MLP": GridSearchCV(on_csp, OPTIMIZERS, cv=3),
    }


def run_imagery(bunch, n_jobs: int, output: Path) -> None:
    """Compare the pipelines within each subject, five folds each."""
    subjects = bunch.metadata["subject"].nunique()
    print(f"{len(bunch.y)} epochs of {subjects} subjects, {bunch.X!r}\n")
    result = compare(
        imagery_pipelines(), bunch.X, bunch.y, cv=WithinSubject(5), baseline="CSP + LDA",
        n_jobs=n_jobs,
    )
    print(f"\nAccuracy within subjects, 5 folds each, mean over {subjects} subjects:\n")
    finish(result, output / "quickstart_imagery.png")


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
    table = pd.DataFrame({name: result.subjects.mean() for name, result in results.items()})
    print(table.round(3).to_string(), "\n")
    finish(next(iter(results.values())), output / "quickstart_sessions.png")


def finish(result, path: Path) -> None:
    """Print the table and the tests, save the picture."""
    print(result)
    display = ComparisonDisplay.from_comparison(result)
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
    return bunch


def main(argv: list[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--data", type=Path, help="folder of recordings; default: simulated EEG")
    parser.add_argument(
        "--subjects", type=int, help="subjects to simulate (default 6) or to load (default 20)"
    )
    parser.add_argument("--n-jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="for the picture")
    args = parser.parse_args(argv)
    start = time.perf_counter()
    if args.data is None:
        bunch = make_motor_imagery(
            n_subjects=args.subjects or 6, n_sessions=1, n_trials=80, snr=0.4, random_state=0
        )
    else:
        bunch = load(args.data, args.subjects or 20)
    run = run_imagery if bunch.X.ndim == 3 else run_sessions
    run(bunch, args.n_jobs, args.output)
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
