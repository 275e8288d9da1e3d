"""What a comparison costs on a cluster: measured unit costs, and a schedule simulated from them.

``python benchmarks/cluster.py`` measures the seconds of a fit by pipeline and number of rows, the
bytes of a row, and how fast an array goes from process to process; then it simulates all pipelines
on all of MOABB's imagery sets, and on ten thousand subjects, and prints the tables of
``docs/guide/distributed.rst``. It needs no cluster, and a minute.
"""

from __future__ import annotations

import multiprocessing
import time
import warnings
from typing import Any

from _timing import single_thread

single_thread()

import numpy as np  # noqa: E402
from _schedule import (  # noqa: E402
    CHANNELS,
    IMAGERY_SETS,
    SECONDS,
    SFREQ,
    Study,
    simulate,
    study,
    together,
)

from skbci.baselines import (  # noqa: E402
    csp_lda,
    fbcsp,
    riemann_mdm,
    slow_potentials_lr,
    tangent_space_lr,
)
from skbci.datasets import make_motor_imagery  # noqa: E402
from skbci.estimators import FBMSNetClassifier, MIN2NetClassifier  # noqa: E402

EPOCHS = 100  # of a network; measured with fewer
NETWORKS = {"MIN2Net", "FBMSNet"}
MEMORY = 8e9  # bytes that a worker has for the data


def pipelines(max_epochs: int) -> dict[str, Any]:
    """Return what is compared."""
    return {
        "CSP + LDA": csp_lda(), "FBCSP": fbcsp(), "tangent space": tangent_space_lr(),
        "MDM": riemann_mdm(), "slow potentials": slow_potentials_lr(),
        "MIN2Net": MIN2NetClassifier(max_epochs=max_epochs, random_state=0),
        "FBMSNet": FBMSNetClassifier(max_epochs=max_epochs, random_state=0),
    }


def measure_fits() -> dict[str, tuple[float, float]]:
    """Processor seconds that a fit takes whatever its rows, and seconds a row, by two sizes."""
    sizes = (60, 180)
    data = make_motor_imagery(
        n_subjects=1, n_sessions=1, n_trials=sizes[1], duration=SECONDS, sfreq=SFREQ,
        random_state=0,
    )
    costs = {}
    for name, pipe in pipelines(1).items():
        pipe.fit(data.X[:40], data.y[:40])
        seconds = []
        for n in sizes:
            start = time.process_time()
            pipe.fit(data.X[:n], data.y[:n])
            seconds.append(time.process_time() - start)
        slope = max((seconds[1] - seconds[0]) / (sizes[1] - sizes[0]), 1e-6)
        fixed = max(seconds[0] - slope * sizes[0], 0.0)
        costs[name] = (fixed, slope * (EPOCHS if name in NETWORKS else 1))
    return costs


def measure_shipping() -> float:
    """Bytes a second that an array goes from process to process, through a pipe."""
    data = np.random.default_rng(0).standard_normal((64, 1024, 128))
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_echo, args=(there,))
    child.start()
    here.send(data[:1])
    here.recv()
    start = time.perf_counter()
    here.send(data)
    here.recv()
    seconds = time.perf_counter() - start
    here.send(None)
    child.join()
    return data.nbytes / seconds


def _echo(pipe: Any) -> None:
    while (data := pipe.recv()) is not None:
        pipe.send(len(data))


def report(what: str, studies: list[Study]) -> None:
    """Print what a study costs, and how long it takes with so many workers."""
    largest = max(studies, key=lambda one: one.bytes)
    hours = sum(sum(one.tasks) for one in studies) / 3600
    longest = max(max(one.tasks) for one in studies) / 3600
    beyond = sum(one.bytes > MEMORY for one in studies)
    print(f"{what}: {sum(len(one.tasks) for one in studies)} fits of "
          f"{sum(one.rows for one in studies):,} rows, {hours:,.0f} processor hours, the longest "
          f"fit {longest:.1f} h;\nlargest set {largest.name}, {largest.bytes / 1e9:.0f} GB; "
          f"{beyond} set(s) beyond {MEMORY / 1e9:g} GB")
    print("workers      hours   busy  sending   hours in one queue")
    for n in (1, 8, 64, 512):
        found = simulate(studies, n)
        print(f"{n:7d} {found['hours']:10.1f} {found['busy']:6.0%} {found['sending']:8.2%} "
              f"{together(studies, n):20.1f}")
    print()


def main() -> None:
    """Measure, simulate and print."""
    warnings.simplefilter("ignore")
    costs = measure_fits()
    print("pipeline           a fit (s)   a row (ms)")
    for name, (fixed, slope) in costs.items():
        print(f"{name:18} {fixed:9.3f} {1e3 * slope:12.3f}")
    print(f"\na row of {CHANNELS} channels, {SECONDS} s, {SFREQ} Hz: "
          f"{CHANNELS * SECONDS * SFREQ * 8 / 1e3:.0f} kB")
    print(f"from process to process: {measure_shipping() / 1e9:.2f} GB/s\n")
    quick = {name: cost for name, cost in costs.items() if name not in NETWORKS}
    lines = [line.split() for line in IMAGERY_SETS.strip().splitlines()]
    for title, known in (("all pipelines", costs), ("without networks", quick)):
        sets = [study(n, int(s), int(c), int(t), float(d), known) for n, s, c, t, d in lines]
        report(f"MOABB's imagery sets, {title}", sets)
        one = study("10,000 subjects", 10_000, CHANNELS, 200, SECONDS, known)
        report(f"ten thousand subjects, {title}", [one])


if __name__ == "__main__":
    main()
