"""A search over 12 candidates on 4 folds: one stack of networks against one fit after the other.

Run ``python benchmarks/search.py``: 2,000 rows, the network 90-50-30-10-2 with dropout 0.2 after
each hidden layer, 20 epochs, mini-batches of 128, float32, no refit. All searches use two
processes of one thread each.
"""

from __future__ import annotations

import argparse

from _timing import interleave, single_thread, table

single_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from fits import BATCH, EPOCHS, SIZES, data  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from skorch import NeuralNetClassifier  # noqa: E402

from skbci.estimators import MLPClassifier  # noqa: E402
from skbci.model_selection import StackedGridSearchCV  # noqa: E402
from skbci.nets import MLP  # noqa: E402

LRS = list(np.geomspace(0.001, 0.1, 12))
LR_BY_RULE = {"optimizer": ["hjb", "hjb-ad", "adam"], "lr": [0.003, 0.01, 0.03, 0.1]}


def skorch_net(dropout):
    return NeuralNetClassifier(
        MLP, module__n_features=90, module__n_outputs=2, module__hidden_layer_sizes=SIZES,
        module__dropout=dropout, criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam, max_epochs=EPOCHS, batch_size=BATCH, train_split=None,
        verbose=0, iterator_train__shuffle=True,
    )


def skbci_net(dropout, **settings):
    return MLPClassifier(
        SIZES, dropout=dropout, max_epochs=EPOCHS, batch_size=BATCH, random_state=0, **settings
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.2)
    args = parser.parse_args(argv)
    X, y = data(2_000)
    how = {"cv": 4, "refit": False, "n_jobs": args.jobs}
    ours, adam = skbci_net(args.dropout), skbci_net(args.dropout, optimizer="adam")
    searches = {
        "`GridSearchCV` over skorch, Adam": GridSearchCV(
            skorch_net(args.dropout), {"lr": LRS}, **how
        ),
        "`GridSearchCV` over skbci, Adam": GridSearchCV(adam, {"lr": LRS}, **how),
        "`StackedGridSearchCV`, Adam": StackedGridSearchCV(adam, {"lr": LRS}, **how),
        "`GridSearchCV` over skbci, HJB, HJB-AD and Adam": GridSearchCV(ours, LR_BY_RULE, **how),
        "`StackedGridSearchCV`, HJB, HJB-AD and Adam": StackedGridSearchCV(
            ours, LR_BY_RULE, **how
        ),
        "`StackedGridSearchCV`, Adam, every fit with its own masks and shuffling":
            StackedGridSearchCV(clone(adam).set_params(random_state=None), {"lr": LRS}, **how),
    }
    work = {name: (lambda s=search: s.fit(X, y)) for name, search in searches.items()}
    times = interleave(work, repeats=3 if args.quick else 5)
    print(
        f"12 candidates x 4 folds of 90-50-30-10-2, {len(X):,} rows, {EPOCHS} epochs, batch "
        f"{BATCH}, dropout {args.dropout}, {args.jobs} processes of one thread\n"
    )
    print(table(times, next(iter(searches))))
    names = list(searches)
    for plain, stacked in ((names[1], names[2]), (names[3], names[4])):
        a, b = searches[plain].cv_results_, searches[stacked].cv_results_
        gap = np.abs(a["mean_test_score"] - b["mean_test_score"]).max()
        faster = times[plain].median / times[stacked].median
        print(f"\n{stacked}: {faster:.2f} times {plain}; largest difference of a score: {gap:.1g}")


if __name__ == "__main__":
    main()
