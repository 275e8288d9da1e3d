"""An epoch of MIN2NetClassifier and FBMSNetClassifier against the straightforward torch loop.

Run ``python benchmarks/networks.py``: rows of 22 channels and 400 samples (for FBMSNet in nine
bands), mini-batches of 100, float32, one thread. The torch loop is that of a tutorial around the
same network from torch's own layers: a DataLoader, losses weighed by one, Adam, and the max-norm
projection. The estimators' times hold all that ``fit`` does for one epoch, building and
standardizing included; no rows are held out. An epoch's time is proportional to the
rows; ``--rows 2700`` is the size of a data set.
"""

from __future__ import annotations

import argparse
import warnings
from functools import partial

from _timing import header, interleave, ratio, row, single_thread

single_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402
from weighting import PlainFBMSNet, PlainMIN2Net  # noqa: E402

from skbci.estimators import FBMSNetClassifier, MIN2NetClassifier  # noqa: E402
from skbci.losses import CenterLoss, ReconstructionLoss, SemiHardTripletLoss  # noqa: E402

CHANNELS, TIMES, CLASSES, BATCH = 22, 400, 2, 100


def plain_epoch(make, losses, X, y):
    """One epoch of the loop that everybody writes."""
    torch.manual_seed(0)
    net = make()
    heads = [loss() for loss in losses]
    parameters = [p for part in (net, *heads) for p in part.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    axes = (0, X.ndim - 1)
    X = (X - X.mean(axes, keepdims=True)) / X.std(axes, keepdims=True)
    rows = TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    for features, labels in DataLoader(rows, batch_size=BATCH, shuffle=True):
        optimizer.zero_grad()
        logits, *others = net(features)
        total = nn.functional.cross_entropy(logits, labels)
        for loss, output, target in zip(heads, others, (labels, features)):
            total = total + loss(output, target)
        total.backward()
        optimizer.step()
        net.apply_max_norm()


def estimator_epoch(cls, X, y, **params):
    cls(max_epochs=1, early_stopping=False, random_state=0, **params).fit(X, y)


def rows_of(shape, n_rows):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_rows, *shape), dtype=np.float32), np.arange(n_rows) % CLASSES


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows and repeats")
    parser.add_argument("--rows", type=int, default=None, help="rows (default 300; quick: 100)")
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    n_rows = args.rows or (100 if args.quick else 300)
    repeats = 1 if args.quick else 3

    kinds = {
        "MIN2Net": (
            MIN2NetClassifier, {}, (CHANNELS, TIMES),
            lambda: PlainMIN2Net(CHANNELS, TIMES, CLASSES),
            [SemiHardTripletLoss, ReconstructionLoss],
        ),
        "FBMSNet": (
            FBMSNetClassifier, {}, (9, CHANNELS, TIMES),
            lambda: PlainFBMSNet(CHANNELS, TIMES, CLASSES, False),
            [lambda: CenterLoss(CLASSES, 1152)],
        ),
        "FBMSNet, shared layer": (
            FBMSNetClassifier, {"shared_layer": True}, (9, CHANNELS, TIMES),
            lambda: PlainFBMSNet(CHANNELS, TIMES, CLASSES, True),
            [lambda: CenterLoss(CLASSES, 1152)],
        ),
    }
    print(f"One epoch of {n_rows} rows, mini-batches of {BATCH}, one thread\n")
    print(header("network", "torch loop", "estimator", "times as fast", "with AlphaGrad"))
    for name, (cls, params, shape, make, losses) in kinds.items():
        X, y = rows_of(shape, n_rows)
        times = interleave(
            {
                "torch": partial(plain_epoch, make, losses, X, y),
                "skbci": partial(estimator_epoch, cls, X, y, **params),
                "alphagrad": partial(
                    estimator_epoch, cls, X, y, loss_weighting="alphagrad", **params
                ),
            },
            repeats=repeats,
        )
        as_fast = f"{ratio(times['torch'], times['skbci']):.2f}"
        print(row(name, times["torch"], times["skbci"], as_fast, times["alphagrad"]), flush=True)


if __name__ == "__main__":
    main()
