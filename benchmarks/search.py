"""A search over 12 candidates on 4 folds: one stack of networks against one fit after the other.

Run ``python benchmarks/search.py``: 2,000 rows, the network 90-50-30-10-2 with dropout 0.2 after
each hidden layer, 20 epochs, mini-batches of 128, float32, no refit. All searches use two
processes of one thread each. ``--jobs`` and ``--dropout`` change that.
"""

from __future__ import annotations

from collections.abc import Iterator

from _report import Table, main
from _timing import interleave, single_thread

single_thread()

import numpy as np  # noqa: E402
from fits import BATCH, DROPOUT, EPOCHS, data, skbci_net, skorch_net  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402

from skbci.model_selection import StackedGridSearchCV  # noqa: E402

RULES, N_RATES = ["hjb", "hjb-ad", "adam"], 4


def tables(quick: bool, jobs: int = 2, dropout: float = DROPOUT) -> Iterator[Table]:
    epochs, n_rates = (2, 1) if quick else (EPOCHS, N_RATES)
    X, y = data(500 if quick else 2_000)
    n_candidates = len(RULES) * n_rates
    rates = {"lr": list(np.geomspace(0.001, 0.1, n_candidates))}
    by_rule = {"optimizer": RULES, "lr": list(np.geomspace(0.003, 0.1, n_rates))}
    how = {"cv": 4, "refit": False, "n_jobs": jobs}
    skorch, ours = skorch_net(dropout, epochs), skbci_net(dropout, epochs)
    adam = clone(ours).set_params(optimizer="adam")
    searches = {
        "`GridSearchCV` over skorch, Adam": GridSearchCV(skorch, rates, **how),
        "`GridSearchCV` over `MLPClassifier`, Adam": GridSearchCV(adam, rates, **how),
        "`StackedGridSearchCV`, Adam": StackedGridSearchCV(adam, rates, **how),
        "`GridSearchCV` over `MLPClassifier`, HJB, HJB-AD and Adam": GridSearchCV(
            ours, by_rule, **how
        ),
        "`StackedGridSearchCV`, HJB, HJB-AD and Adam": StackedGridSearchCV(ours, by_rule, **how),
        "`StackedGridSearchCV`, Adam, every fit with its own masks and shuffling":
            StackedGridSearchCV(clone(adam).set_params(random_state=None), rates, **how),
    }
    work = {name: (lambda s=search: s.fit(X, y)) for name, search in searches.items()}
    times = interleave(work, repeats=1 if quick else 5)
    names = list(searches)
    pairs = {names[2]: names[1], names[4]: names[3]}
    gaps = {}
    for stacked, plain in pairs.items():
        a, b = searches[plain].cv_results_, searches[stacked].cv_results_
        gaps[stacked] = float(np.abs(a["mean_test_score"] - b["mean_test_score"]).max())
    table = Table(
        f"{n_candidates} candidates x 4 folds of 90-50-30-10-2, {len(X):,} rows, {epochs} epochs, "
        f"batch {BATCH}, dropout {dropout:g}",
        times, names[0],
        note=f"{jobs} {'process' if jobs == 1 else 'processes'} of one thread each, no refit. "
        "Differences are those of the mean scores from the same search fit by fit.",
        columns={"largest difference": gaps},
    )
    fits = f"{n_candidates} x 4 fits"
    table.faster(names[2], 8.0, work=f"{fits}: {names[2]}")
    for stacked, plain in pairs.items():
        table.faster(stacked, 1.3, peer=plain, work=f"{fits}: {stacked}")
    yield table


if __name__ == "__main__":
    main(tables, __doc__, options={"jobs": int, "dropout": float})
