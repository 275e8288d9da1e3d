"""A fit of the network 90-50-30-10-2 against skorch, scikit-learn and a plain torch loop.

Run ``python benchmarks/fits.py``: 10,000 rows, 20 epochs, mini-batches of 128, float32, one
thread. Dropout is 0.2 after each hidden layer except in scikit-learn, which has none.
"""

from __future__ import annotations

import argparse
import warnings

from _timing import interleave, single_thread, table

single_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.neural_network import MLPClassifier as SklearnMLP  # noqa: E402
from skorch import NeuralNetClassifier  # noqa: E402

from skbci.estimators import MLPClassifier  # noqa: E402
from skbci.nets import MLP  # noqa: E402

SIZES, DROPOUT, EPOCHS, BATCH = (50, 30, 10), 0.2, 20, 128


def data(n_rows):
    """Two classes that a network can learn but not a line."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 90)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)
    return X, y


def skorch_fit(X, y):
    return NeuralNetClassifier(
        MLP, module__n_features=90, module__n_outputs=2, module__hidden_layer_sizes=SIZES,
        module__dropout=DROPOUT, criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam, lr=0.01, max_epochs=EPOCHS, batch_size=BATCH,
        train_split=None, verbose=0, iterator_train__shuffle=True,
    ).fit(X, y)


def sklearn_fit(X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it has not converged yet
        return SklearnMLP(
            SIZES, learning_rate_init=0.01, max_iter=EPOCHS, batch_size=BATCH,
            n_iter_no_change=EPOCHS, random_state=0,
        ).fit(X, y)


def plain_torch_fit(X, y):
    """The loop of a tutorial: a DataLoader, autograd, Adam."""
    torch.manual_seed(0)
    net = MLP(90, 2, SIZES, dropout=DROPOUT)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    rows = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(rows, batch_size=BATCH, shuffle=True)
    for _ in range(EPOCHS):
        for features, labels in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(features), labels).backward()
            optimizer.step()
    return net


def skbci_fit(optimizer, lr):
    def fit(X, y):
        return MLPClassifier(
            SIZES, dropout=DROPOUT, optimizer=optimizer, lr=lr, max_epochs=EPOCHS,
            batch_size=BATCH, random_state=0,
        ).fit(X, y)

    return fit


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows and repeats")
    args = parser.parse_args(argv)
    X, y = data(2_000 if args.quick else 10_000)
    fits = {
        "skorch `NeuralNetClassifier`, Adam": skorch_fit,
        "plain torch loop, Adam": plain_torch_fit,
        "scikit-learn `MLPClassifier`, Adam, no dropout": sklearn_fit,
        "skbci `MLPClassifier`, Adam": skbci_fit("adam", 0.01),
        "skbci `MLPClassifier`, HJB": skbci_fit("hjb", 0.01),
        "skbci `MLPClassifier`, HJB-AD": skbci_fit("hjb-ad", 0.01),
    }
    work = {name: (lambda fit=fit: fit(X, y)) for name, fit in fits.items()}
    times = interleave(work, repeats=3 if args.quick else 7)
    print(f"Fit of 90-50-30-10-2, {len(X):,} rows, {EPOCHS} epochs, batch {BATCH}, one thread\n")
    print(table(times, next(iter(fits))))
    print("\nAccuracy on the training rows: " + ", ".join(
        f"{name} {fit(X, y).score(X, y):.3f}" for name, fit in fits.items() if "torch" not in name
    ))


if __name__ == "__main__":
    main()
