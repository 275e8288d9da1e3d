"""A fit of the network 90-50-30-10-2 against skorch, scikit-learn and a plain torch loop.

Run ``python benchmarks/fits.py``: 10,000 rows, 20 epochs, mini-batches of 128, float32, one
thread. Dropout is 0.2 after each hidden layer except in scikit-learn, which has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from _report import Table, main
from _timing import interleave, single_thread

single_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.neural_network import MLPClassifier as SklearnMLP  # noqa: E402
from skorch import NeuralNetClassifier  # noqa: E402

from skbci.estimators import MLPClassifier  # noqa: E402
from skbci.nets import MLP  # noqa: E402

SIZES, DROPOUT, EPOCHS, BATCH = (50, 30, 10), 0.2, 20, 128
SKORCH, SKLEARN = "skorch `NeuralNetClassifier`, Adam", "scikit-learn `MLPClassifier`, Adam"
Fit = Callable[..., Any]


def data(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that a network can learn but not a line."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 90)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)
    return X, y


def skorch_net(dropout: float = DROPOUT, epochs: int = EPOCHS, **settings: Any) -> Any:
    return NeuralNetClassifier(
        MLP, module__n_features=90, module__n_outputs=2, module__hidden_layer_sizes=SIZES,
        module__dropout=dropout, criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam, max_epochs=epochs, batch_size=BATCH, train_split=None,
        verbose=0, iterator_train__shuffle=True, **settings,
    )


def skorch_fit(X: np.ndarray, y: np.ndarray, epochs: int = EPOCHS) -> Any:
    return skorch_net(epochs=epochs, lr=0.01).fit(X, y)


def sklearn_fit(X: np.ndarray, y: np.ndarray, epochs: int = EPOCHS) -> Any:
    return SklearnMLP(
        SIZES, learning_rate_init=0.01, max_iter=epochs, batch_size=BATCH,
        n_iter_no_change=epochs, random_state=0,
    ).fit(X, y)


def plain_torch_fit(X: np.ndarray, y: np.ndarray) -> None:
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


def skbci_net(dropout: float = DROPOUT, epochs: int = EPOCHS, **settings: Any) -> MLPClassifier:
    return MLPClassifier(
        SIZES, dropout=dropout, max_epochs=epochs, batch_size=BATCH, random_state=0, **settings
    )


def skbci_fit(optimizer: str) -> Fit:
    def fit(X: np.ndarray, y: np.ndarray, epochs: int = EPOCHS) -> MLPClassifier:
        return skbci_net(epochs=epochs, optimizer=optimizer, lr=0.01).fit(X, y)

    return fit


def tables(quick: bool) -> Iterator[Table]:
    X, y = data(1_000 if quick else 10_000)
    ours = {f"`MLPClassifier`, {name}": skbci_fit(key)
            for name, key in {"Adam": "adam", "HJB": "hjb", "HJB-AD": "hjb-ad"}.items()}
    fits: dict[str, Fit] = {
        SKORCH: skorch_fit, "plain torch loop, Adam": plain_torch_fit, SKLEARN: sklearn_fit, **ours
    }
    fitted: dict[str, Any] = {}

    def keep(name: str, fit: Fit) -> Callable[[], None]:
        return lambda: fitted.__setitem__(name, fit(X, y))

    work = {name: keep(name, fit) for name, fit in fits.items()}
    times = interleave(work, repeats=1 if quick else 7)
    accuracy = {name: float(net.score(X, y)) for name, net in fitted.items() if net is not None}
    table = Table(
        f"Fit of 90-50-30-10-2, {len(X):,} rows, {EPOCHS} epochs, batch {BATCH}",
        times, SKORCH, columns={"accuracy on these rows": accuracy},
        note=f"Dropout {DROPOUT} after each hidden layer, except in scikit-learn, which has none.",
    )
    for peer, factor in ((SKORCH, 5.0), (SKLEARN, 1.2)):
        for name in ours:
            table.faster(name, factor, peer=peer, work=f"fit of {name}")
    yield table


if __name__ == "__main__":
    main(tables, __doc__)
