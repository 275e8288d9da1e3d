"""A stacked search and FBMSNet on a GPU, against the same on one thread of the CPU.

Run ``python benchmarks/gpu.py``. Without a GPU there is nothing to compare, and it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from _timing import interleave, single_thread

single_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _report import Table, main  # noqa: E402
from fits import SIZES, data  # noqa: E402

from skbci.estimators import FBMSNetClassifier, MLPClassifier  # noqa: E402
from skbci.model_selection import StackedGridSearchCV  # noqa: E402


def search(X: np.ndarray, y: np.ndarray, n_networks: int, device: str) -> None:
    net = MLPClassifier(SIZES, dropout=0.2, optimizer="adam", max_epochs=20, batch_size=128,
                        random_state=0, device=device)
    rates = list(np.geomspace(1e-4, 0.1, n_networks // 4))
    StackedGridSearchCV(net, {"lr": rates}, cv=4, refit=False).fit(X, y)


def fbmsnet(X: np.ndarray, y: np.ndarray, epochs: int, device: str) -> None:
    FBMSNetClassifier(max_epochs=epochs, batch_size=100, early_stopping=False, random_state=0,
                      device=device).fit(X, y)


def compare(work: Callable[..., Any], repeats: int) -> dict[str, Any]:
    """Time both; the GPU's queue is empty at the end, as weights have come back by then."""
    def on(device: str) -> None:
        work(device=device)
        if device == "cuda":
            torch.cuda.synchronize()

    return interleave({"CPU, one thread": partial(on, "cpu"), "GPU": partial(on, "cuda")},
                      repeats=repeats)


def tables(quick: bool) -> Iterator[Table]:
    if not torch.cuda.is_available():
        yield Table("GPU", columns={"": {"no GPU in this machine: nothing to compare": ""}})
        return
    name = torch.cuda.get_device_name()
    repeats = 1 if quick else 3
    n_networks = 16 if quick else 512
    X, y = data(500 if quick else 2_000)
    yield Table(
        f"Stacked search of {n_networks} networks 90-50-30-10-2, {len(X):,} rows, 20 epochs",
        compare(partial(search, X, y, n_networks), repeats), "CPU, one thread", note=f"{name}.",
    ).faster("GPU", 10.0, work=f"`StackedGridSearchCV`, {n_networks} networks, on a GPU")
    n_rows, epochs = (100, 1) if quick else (1_000, 3)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n_rows, 9, 22, 400), dtype=np.float32)
    yield Table(
        f"`FBMSNetClassifier`, {n_rows:,} x 9 x 22 x 400, {epochs} epochs",
        compare(partial(fbmsnet, rows, np.arange(n_rows) % 2, epochs), repeats),
        "CPU, one thread", note=f"{name}.",
    )


if __name__ == "__main__":
    main(tables, __doc__)
