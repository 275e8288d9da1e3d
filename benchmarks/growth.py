"""How cost grows: with rows, with channels, with the size of a stack.

Run ``python benchmarks/growth.py --output FOLDER`` (some minutes) for tables and pictures, or with
``--quick``. At each size all methods run in turn, on one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from _report import Picture, Table, main
from _timing import Timing, interleave, ratio, single_thread

single_thread()

import numpy as np  # noqa: E402
from features import by_scipy, by_skbci, by_sosfiltfilt, signals  # noqa: E402
from fits import SKLEARN, SKORCH, data, skbci_fit, skbci_net, sklearn_fit, skorch_fit  # noqa: E402
from networks import LOOP, min2net  # noqa: E402
from networks import SKORCH as SKORCH_NET  # noqa: E402
from sklearn.model_selection import GridSearchCV, ShuffleSplit  # noqa: E402

from skbci.features import FilterBank  # noqa: E402
from skbci.model_selection import StackedGridSearchCV  # noqa: E402

Make = Callable[[int], Mapping[str, Callable[[], Any]]]


def grow(
    title: str, sizes: Sequence[int], make: Make, *, unit: str, axis: str, time: str, file: str,
    repeats: int, note: str = "", each: bool = False,
) -> Table:
    """Time methods at growing sizes.

    Parameters
    ----------
    title : str
    sizes : sequence of int
    make : callable
        Give the work of one size, by method; the first method is the one to compare with.
    unit : str
        What a size counts, as one.
    axis, time : str
        The picture's labels.
    file : str
        The picture's name.
    repeats : int
    note : str
    each : bool
        Whether the picture shows the time of one unit instead of all.
    """
    times: dict[str, Timing] = {}
    compared: dict[str, float] = {}
    shares: dict[str, float] = {}
    lines: dict[str, dict[float, str]] = {}
    for size in sizes:
        found = interleave(make(size), repeats=repeats)
        for method, timing in found.items():
            row = f"{method}, {size:,} {unit}{'s' * (size > 1)}"
            lines.setdefault(method, {})[size] = row
            times[row] = timing
            compared[row] = ratio(next(iter(found.values())), timing)
            shares[row] = timing.median / size * 1e3
    share = f"ms a {unit}"
    return Table(
        title, times, note=note,
        columns={share: shares, f"times as fast as {next(iter(lines))}": compared},
        picture=Picture(file, axis, time, lines, share if each else None),
    )


def fits(sizes: Sequence[int], repeats: int) -> Table:
    epochs = 2
    ways = {SKORCH: skorch_fit, SKLEARN: sklearn_fit,
            "skbci `MLPClassifier`, Adam": skbci_fit("adam"),
            "skbci `MLPClassifier`, HJB-AD": skbci_fit("hjb-ad")}

    def make(n_rows: int) -> dict[str, Callable[[], Any]]:
        X, y = data(n_rows)
        return {name: partial(fit, X, y, epochs) for name, fit in ways.items()}

    return grow(
        f"A fit of 90-50-30-10-2 against rows ({epochs} epochs, batch 128)", sizes, make,
        unit="row", axis="rows", time="time of a fit (s)", file="fit_rows.png", repeats=repeats,
        note="Dropout as in the benchmark of fits.",
    )


def welch(
    sizes: Sequence[int], shape: Callable[[int], tuple[int, int]], unit: str, repeats: int
) -> Table:
    """``shape`` gives rows and channels of a size."""

    def make(size: int) -> dict[str, Callable[[], Any]]:
        n_rows, n_channels = shape(size)
        X = signals(n_rows, 500, n_channels)
        return {"`scipy.signal.welch`": partial(by_scipy, X), "`WelchPSD`": partial(by_skbci, X)}

    return grow(f"Welch density against {unit}s ({fixed(shape, unit)}, 500 samples)", sizes, make,
                unit=unit, axis=f"{unit}s", time="time (s)", file=f"welch_{unit}s.png",
                repeats=repeats)


def filter_bank(
    sizes: Sequence[int], shape: Callable[[int], tuple[int, int]], unit: str, repeats: int
) -> Table:
    """``shape`` gives rows and channels of a size."""

    def make(size: int) -> dict[str, Callable[[], Any]]:
        n_rows, n_channels = shape(size)
        X = signals(n_rows, 1000, n_channels)
        bank = FilterBank(sfreq=250.0).fit(X[:1])
        return {"`sosfiltfilt` per band": partial(by_sosfiltfilt, bank, X),
                "`FilterBank`": partial(bank.transform, X)}

    title = f"Nine bands filtered against {unit}s ({fixed(shape, unit)}, 1,000 samples)"
    return grow(title, sizes, make, unit=unit, axis=f"{unit}s", time="time (s)",
                file=f"filter_bank_{unit}s.png", repeats=repeats)


def fixed(shape: Callable[[int], tuple[int, int]], unit: str) -> str:
    """Say what does not grow."""
    n_rows, n_channels = shape(1)
    return f"{n_rows:,} rows" if unit == "channel" else f"{n_channels} channels"


def stacks(sizes: Sequence[int], repeats: int) -> Table:
    """A search of one split, in this process."""
    n_rows, epochs = 1_000, 5
    X, y = data(n_rows)
    net = skbci_net(epochs=epochs, optimizer="adam")
    split = ShuffleSplit(1, test_size=0.25, random_state=0)

    def make(n_networks: int) -> dict[str, Callable[[], Any]]:
        grid = {"lr": list(np.geomspace(0.001, 0.1, n_networks))}
        return {
            f"`{search.__name__}`": partial(search(net, grid, cv=split, refit=False).fit, X, y)
            for search in (GridSearchCV, StackedGridSearchCV)
        }

    return grow(
        f"A search against the number of networks (90-50-30-10-2, {n_rows:,} rows, "
        f"{epochs} epochs)", sizes, make,
        unit="network", axis="networks in the stack", time="time of a network (ms)",
        file="stack_size.png", repeats=repeats, each=True,
        note="Candidates of one split, one process of one thread, dropout 0.2.",
    )


def epochs(sizes: Sequence[int], n_rows: int, repeats: int) -> Table:
    def make(n_channels: int) -> dict[str, Callable[[], Any]]:
        ways = min2net(n_channels).ways(n_rows)
        return {name: ways[name] for name in (SKORCH_NET, LOOP, "`MIN2NetClassifier`")}

    return grow(
        f"An epoch of MIN2Net against channels ({n_rows} rows, 400 samples, batch 100)", sizes,
        make, unit="channel", axis="channels", time="time of an epoch (s)",
        file="min2net_channels.png", repeats=repeats,
    )


def tables(quick: bool) -> Iterator[Table]:
    repeats = 1 if quick else 5
    yield fits([300, 1_000] if quick else [1_000, 3_000, 10_000, 30_000, 100_000], repeats)
    channels = [8, 16] if quick else [8, 16, 32, 64, 128, 256]
    for features, n_rows, few_rows, sizes in (
        (welch, 200, [20, 40], [100, 300, 1_000, 3_000]),
        (filter_bank, 20, [2, 4], [10, 30, 100, 300]),
    ):
        yield features(channels, lambda size, n=n_rows: (n, size), "channel", repeats)
        yield features(few_rows if quick else sizes, lambda size: (size, 22), "row", repeats)
    yield stacks([1, 4] if quick else [1, 2, 4, 8, 16, 32, 64, 128, 256], repeats)
    yield epochs([8, 16] if quick else [8, 16, 32, 64], 20 if quick else 100, repeats)


if __name__ == "__main__":
    main(tables, __doc__)
