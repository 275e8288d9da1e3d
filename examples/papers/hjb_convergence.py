"""
Table I of the HJB paper: iterations to an accuracy
===================================================

How many iterations gradient descent, Newton's method, stochastic gradient descent and HJB with the
learning rates of its two theorems take to an accuracy, on a convex and a strongly convex problem,
beside the rates that Table I and the theorems claim::

    python examples/papers/hjb_convergence.py

No data are needed. A run that was killed continues from what it finished. The whole study takes
about five minutes on two cores, ``--quick`` less than one.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from _study import Study, add_arguments, write_table
from scipy.optimize import minimize
from torch import nn

from skbci.optim import HJB

#: Accuracies: (P(w) - P*) / (P(w_1) - P*).
LEVELS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
N_ROWS, N_FEATURES, BATCH = 256, 8, 16
#: eta_0 tried: the length of HJB's first step (a constant step: 100 times it), and SGD's in 1 / L.
STEPS = (0.1, 0.3, 1.0, 3.0, 10.0)
PROBLEMS = {
    "convex": "logistic regression, one of its directions without any data",
    "strongly convex": "least squares with a ridge of 1",
}
#: Algorithms, the paper's claim, rows a step sees, and whether the averaged iterate counts.
ALGORITHMS = {
    "BG": ("log 1/e", "all", False),
    "2GD": ("log log 1/e", "all", False),
    "SGD": ("1/e", "some", True),
    "B-HJB, constant step": ("", "all", False),
    "B-HJB, theorem 1": ("1/e", "all", True),
    "B-HJB, theorem 1, last iterate": ("", "all", False),
    "B-HJB, theorem 2": ("exp(e / 2G)", "all", True),
    "O-HJB, theorem 1": ("1/e", "some", True),
    "O-HJB, theorem 2": ("exp(e / 2G)", "some", True),
}
CLAIMED = {  # for the picture
    "log log 1/e": lambda e: np.log(np.maximum(np.log(1 / e), 1.001)),
    "log 1/e": lambda e: np.log(1 / e), "1/e": lambda e: 1 / e, "1/e^2": lambda e: e**-2.0,
}

PROTOCOL = f"""\
Problems of {N_ROWS} rows and {N_FEATURES} weights, loss P summed over the rows:
{"; ".join(f"*{name}*: {what}" for name, what in PROBLEMS.items())}.
Accuracy e = (P(w) - P*) / (P(w_1) - P*), of the whole data, P* by scipy (1e-12). A figure is the
first iteration, of some 200 on a log scale, from which on e stays below the level; '-': not in
{{n}} iterations. eta_0: of {STEPS} the one with the smallest e in the end.
BG: gradient descent with the step 1 / L, L the Lipschitz constant of the gradient. 2GD: Newton's
method, halving the step while P rises. SGD: batches of {BATCH} rows drawn anew each time, step
eta_0 / (L sqrt k), averaged iterate (30). B-HJB and O-HJB: `HJB` on all rows and on such batches,
with a constant step, with the learning rates (29) of theorem 1 or (43) of theorem 2, and
(but for 'last iterate' and the constant step) the averaged iterate (30).
Under (29) and (43) the loss cancels: the k-th step has the length eta_0 / sqrt(r k), or eta_0 K
(K + 1) / (2 k). eta_0 is given here by the length of the first step: of theorem 2 in multiples of
2 / (K (K + 1)), so that K cancels, too; of the constant step in hundredths.
Medians over {{seeds}} seeds of the batches. *slope*: of log(iterations) over log(1/e), by least
squares over the levels that were reached; a
rate of 1/e has the slope 1, one of 1/e^2 the slope 2, and a logarithm one that falls to 0."""


class Problem:
    """A loss of weights, as a sum over rows, with its minimum."""

    def __init__(self, name: str) -> None:
        random = np.random.RandomState(0)
        X = random.standard_normal((N_ROWS, N_FEATURES)) * np.logspace(0, -0.7, N_FEATURES)
        truth = random.standard_normal(N_FEATURES)
        noise = random.standard_normal(N_ROWS)
        self.logistic = name == "convex"
        self.ridge = 0.0 if self.logistic else 1.0
        if self.logistic:
            X[:, -1] = 0
            y = np.where(X @ truth + noise > 0, 1.0, -1.0)
        else:
            y = X @ truth + noise
        self.X, self.y = torch.tensor(X), torch.tensor(y)
        bound = 0.25 if self.logistic else 1.0
        self.L = bound * float(np.linalg.eigvalsh(X.T @ X)[-1]) + self.ridge
        self.start = torch.full((N_FEATURES,), 2.0, dtype=torch.float64)
        best = minimize(
            lambda w: float(self.loss(torch.tensor(w))), np.zeros(N_FEATURES),
            jac=lambda w: self.gradient(torch.tensor(w)).numpy(), method="BFGS",
            options={"gtol": 1e-9, "maxiter": 10_000},
        )
        self.best = float(best.fun)
        self.worst = float(self.loss(self.start))

    def loss(self, w: torch.Tensor, rows: Any = slice(None)) -> torch.Tensor:
        """Loss of some rows, with their share of the ridge."""
        X, y = self.X[rows], self.y[rows]
        penalty = self.ridge / 2 * w.square().sum() * (len(y) / N_ROWS)
        if self.logistic:
            return nn.functional.softplus(-y * (X @ w)).sum() + penalty
        return (X @ w - y).square().sum() / 2 + penalty

    def gradient(self, w: torch.Tensor, rows: Any = slice(None)) -> torch.Tensor:
        """Gradient of the same."""
        X, y = self.X[rows], self.y[rows]
        slope = -y * torch.sigmoid(-y * (X @ w)) if self.logistic else X @ w - y
        return X.T @ slope + self.ridge * w * (len(y) / N_ROWS)

    def hessian(self, w: torch.Tensor) -> torch.Tensor:
        """Second derivatives of the whole loss."""
        weight = torch.ones(N_ROWS, dtype=w.dtype)
        if self.logistic:
            p = torch.sigmoid(self.X @ w)
            weight = p * (1 - p)
        return self.X.T @ (weight[:, None] * self.X) + self.ridge * torch.eye(N_FEATURES)

    def accuracy(self, w: torch.Tensor) -> float:
        """How much of the way to the minimum is left."""
        return max(float(self.loss(w)) - self.best, 0.0) / (self.worst - self.best)


problem_of = cache(Problem)


def checkpoints(n: int) -> list[int]:
    """Numbers of the iterations to look at."""
    return sorted({*map(int, np.logspace(0, math.log10(n), 200).round()), n})


def descend(problem: str, algorithm: str, eta: float, seed: int, n: int) -> dict[str, Any]:
    """Run an algorithm for n iterations; give the accuracies at the checkpoints."""
    task = problem_of(problem)
    _, rows, averaged = ALGORITHMS[algorithm]
    random = np.random.RandomState(seed)
    w = nn.Parameter(task.start.clone())
    look, found = set(checkpoints(n)), []
    batch: Any = slice(None)
    mean = torch.zeros_like(w.data)
    optimizer = _hjb(w, algorithm, eta, n) if "HJB" in algorithm else None

    def closure() -> torch.Tensor:
        w.grad = task.gradient(w.data, batch)
        return task.loss(w.data, batch)

    for k in range(1, n + 1):
        if rows == "some":
            batch = random.randint(N_ROWS, size=BATCH)
        if optimizer is not None:
            optimizer.step(closure)
        elif algorithm == "2GD":
            w.data = _newton(task, w.data)
        else:
            share = BATCH / N_ROWS if rows == "some" else 1.0
            length = eta / (task.L * share * (math.sqrt(k) if rows == "some" else 1.0))
            w.data = w.data - length * task.gradient(w.data, batch)
        if optimizer is None:
            mean += 2 / (k + 1) * (w.data - mean)
        if k not in look:
            continue
        if optimizer is not None:
            optimizer.eval()
            found.append(task.accuracy(w.data))
            optimizer.train()
        else:
            found.append(task.accuracy(mean if averaged else w.data))
    return {"accuracies": " ".join(f"{value:.5g}" for value in found), "last": found[-1]}


def _hjb(w: nn.Parameter, algorithm: str, eta: float, n: int) -> HJB:
    """HJB with r = 1, where eta is the length of a scheduled first step."""
    settings: dict[str, Any] = {"r": 1.0, "eps": 0.0, "averaging": ALGORITHMS[algorithm][2]}
    if "theorem 1" in algorithm:
        return HJB([w], lr=eta, lr_schedule="theorem-1", **settings)
    if "theorem 2" in algorithm:
        return HJB([w], lr=eta * 2 / (n * (n + 1)), lr_schedule="theorem-2", n_steps=n, **settings)
    return HJB([w], lr=eta * 0.01, **settings)


def _newton(task: Problem, w: torch.Tensor) -> torch.Tensor:
    step = torch.linalg.lstsq(task.hessian(w), task.gradient(w), driver="gelsd").solution
    share, before = 1.0, float(task.loss(w))
    while float(task.loss(w - share * step)) > before and share > 1e-6:
        share /= 2
    return w - share * step


def iterations_to(accuracies: str, n: int) -> list[float]:
    """The first checkpoint from which on the accuracy stays below each level; NaN if none."""
    values = np.array(accuracies.split(), dtype=float)
    at = np.array(checkpoints(n), dtype=float)
    out = []
    for level in LEVELS:
        above = np.flatnonzero(values > level)
        first = 0 if not len(above) else above[-1] + 1
        out.append(at[first] if first < len(at) else np.nan)
    return out


def slope(iterations: np.ndarray) -> float:
    """Power of 1/e that the iterations grow with; NaN with fewer than three levels."""
    reached = np.isfinite(iterations)
    if reached.sum() < 3:
        return np.nan
    return float(np.polyfit(-np.log(np.array(LEVELS)[reached]), np.log(iterations[reached]), 1)[0])


def choose(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs with each algorithm's best eta_0."""
    last = frame.groupby(["problem", "algorithm", "eta"])["last"].median()
    best = last.groupby(["problem", "algorithm"]).idxmin()
    kept = [key in set(best) for key in zip(frame["problem"], frame["algorithm"], frame["eta"])]
    return frame[kept]


def make_table(chosen: pd.DataFrame, n: int) -> pd.DataFrame:
    """Iterations to each accuracy, medians over the seeds."""
    lines = []
    for problem in PROBLEMS:
        for algorithm, (claim, _, _) in ALGORITHMS.items():
            runs = chosen[(chosen["problem"] == problem) & (chosen["algorithm"] == algorithm)]
            each = np.array([iterations_to(text, n) for text in runs["accuracies"]])
            middle = np.median(np.nan_to_num(each, nan=np.inf), axis=0)
            middle[np.isinf(middle)] = np.nan
            lines.append({
                "problem": problem, "algorithm": algorithm, "claimed": claim,
                "eta_0": f"{runs['eta'].iloc[0]:g}",
                **{f"{level:g}": "-" if np.isnan(k) else f"{k:.0f}"
                   for level, k in zip(LEVELS, middle)},
                "slope": slope(middle),
            })
    return pd.DataFrame(lines)


def draw(chosen: pd.DataFrame, n: int, path: Path) -> None:
    """Iterations over 1/e, both problems, beside lines of the claimed rates."""
    import matplotlib.pyplot as plt

    levels = np.logspace(-0.5, -5.5, 60)
    at = np.array(checkpoints(n), dtype=float)
    colors = plt.get_cmap("tab10").colors
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True, layout="constrained")
    for ax, problem in zip(axes, PROBLEMS):
        for number, algorithm in enumerate(ALGORITHMS):
            runs = chosen[(chosen["problem"] == problem) & (chosen["algorithm"] == algorithm)]
            curves = []
            for text in runs["accuracies"]:
                values = np.array(text.split(), dtype=float)
                worst = np.maximum.accumulate(values[::-1])[::-1]  # from there on
                first = np.array([np.argmax(worst <= e) if worst[-1] <= e else -1 for e in levels])
                curves.append(np.where(first < 0, np.inf, at[first]))
            middle = np.median(curves, axis=0)
            shown = np.isfinite(middle)
            ax.plot(1 / levels[shown], middle[shown], color=colors[number],
                    linestyle="--" if "O-HJB" in algorithm or algorithm == "SGD" else "-",
                    linewidth=1.6, label=algorithm)
        for label, rate in CLAIMED.items():
            value = rate(levels)
            ax.plot(1 / levels, value / value[0] * 2, color="0.75", linewidth=1, zorder=0)
            visible = np.flatnonzero(value / value[0] * 2 < n)[-1]
            ax.annotate(label, (1 / levels[visible], value[visible] / value[0] * 2), color="0.45",
                        fontsize="small", ha="right", va="bottom")
        ax.set(xscale="log", yscale="log", ylim=(0.8, n * 1.3), title=problem,
               xlabel="1 / e, with e the share of the loss that is left")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    axes[0].set_ylabel("iterations")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False,
                  fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)
    print(f"Picture: {path.resolve()}\n")


def main(argv: list[str] | None = None) -> pd.DataFrame:
    """Run the study; give its table."""
    matplotlib.use("Agg")
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    add_arguments(parser)
    parser.add_argument("--iterations", type=int, help="of each run (default 10000; quick 300)")
    args = parser.parse_args(argv)
    start = time.perf_counter()
    n, seeds = args.iterations or (300 if args.quick else 10_000), 1 if args.quick else 3
    tasks = [
        {"problem": problem, "algorithm": algorithm, "eta": eta, "seed": seed, "n": n}
        for problem in PROBLEMS
        for algorithm, (_, rows, _) in ALGORITHMS.items()
        for eta in ((1.0,) if algorithm in ("BG", "2GD") else STEPS)
        for seed in range(seeds if rows == "some" else 1)
    ]
    name = f"hjb_convergence{'_quick' if args.quick else ''}"
    if args.iterations:  # studies of other lengths do not share a file
        name += f"_{n}"
    frame = Study(args.output, f"{name}_runs", args.fresh).run(tasks, descend, args.n_jobs)
    chosen = choose(frame)
    table = make_table(chosen, n)
    print(write_table(table, args.output / name, "Table I: iterations to an accuracy",
                      PROTOCOL.replace("{n}", f"{n:,}").replace("{seeds}", str(seeds)), digits=2))
    draw(chosen, n, args.output / f"{name}.png")
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    return table


if __name__ == "__main__":
    main()
