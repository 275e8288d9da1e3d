"""Speed, accuracy and memory of the features against scipy and MNE, on one thread.

Run ``python benchmarks/features.py`` (some minutes; it writes 2 GB to the folder for temporary
files and deletes them) or with ``--quick``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from _report import Table, main
from _timing import Timing, interleave, single_thread

single_thread()

import mne  # noqa: E402
import numpy as np  # noqa: E402
import scipy.signal  # noqa: E402

from skbci.features import FilterBank, WelchPSD  # noqa: E402

SFREQ = 250.0
IN_TURN = "Largest errors are fractions of the largest value."
Work = Mapping[str, Callable[[np.ndarray], Any]]


def largest_error(found: np.ndarray, wanted: np.ndarray) -> str:
    """Largest difference as a fraction of the largest value."""
    return f"{np.abs(found - wanted).max() / np.abs(wanted).max():.1e}"


def compare(title: str, X: np.ndarray, work: Work, repeats: int, note: str = "") -> Table:
    """Time methods on the same rows, and compare what they give with the first one's."""
    reference = next(iter(work))
    single = X.astype(np.float32)
    inputs = {name: single if "X float32" in name else X for name in work}
    few = slice(0, max(1, len(X) // 10))
    wanted = np.asarray(work[reference](X[few]))
    errors = {name: largest_error(np.asarray(call(inputs[name][few])), wanted)
              for name, call in work.items() if name != reference}
    times = interleave(
        {name: partial(call, inputs[name]) for name, call in work.items()}, repeats=repeats
    )
    return Table(title, times, reference, columns={"largest error": errors},
                 note=f"{note} {IN_TURN}".strip())


def by_scipy(x: np.ndarray) -> np.ndarray:
    return scipy.signal.welch(x, SFREQ, nperseg=250)[1].reshape(len(x), -1)


def by_mne(x: np.ndarray) -> np.ndarray:
    psd, _ = mne.time_frequency.psd_array_welch(
        x, SFREQ, n_fft=250, n_per_seg=250, n_overlap=125, window="hann", verbose="error"
    )
    return psd.reshape(len(x), -1)


def by_skbci(x: np.ndarray, dtype: str = "float32") -> np.ndarray:
    return WelchPSD(sfreq=SFREQ, n_per_seg=250, dtype=dtype).fit(x[:2]).transform(x)


SCIPY, OURS = "`scipy.signal.welch`, float64", "`WelchPSD`, X float64"
WELCH: Work = {
    SCIPY: by_scipy,
    OURS: by_skbci,
    "`WelchPSD`, X float32": by_skbci,
    '`WelchPSD(dtype="float64")`': partial(by_skbci, dtype="float64"),
    "`mne.time_frequency.psd_array_welch`": by_mne,
}


def signals(n_rows: int, n_times: int, n_channels: int = 22) -> np.ndarray:
    """White noise of 10 microvolts, in volts."""
    return np.random.default_rng(0).standard_normal((n_rows, n_channels, n_times)) * 1e-5


def welch(n_rows: int, repeats: int) -> Iterator[Table]:
    """Welch densities: 1-s segments, half overlap.

    scipy and MNE ask for several times the input's memory. How long the system takes to provide it
    depends on what ran before, so three situations are timed.
    """
    X = signals(n_rows, 500)
    title = f"Welch density, {n_rows:,} x 22 x 500 at 250 Hz, 1-s segments, half overlap"
    # MNE left out, every call finds the memory that the call before it gave back.
    alone = {name: call for name, call in WELCH.items() if call is not by_mne}
    for work, situation in ((WELCH, "all methods in turn"), (alone, "without MNE, memory reused")):
        table = compare(f"{title}: {situation}", X, work, repeats)
        yield table.faster(OURS, 12.0, work=f"{OURS}, {situation}")
    situation = "first call of a new process"
    times = first_calls(n_rows, min(repeats, 5))
    table = Table(f"{title}: {situation}", times, SCIPY,
                  note="Each call is the first large one of a process of its own.")
    yield table.faster(OURS, 12.0, work=f"{OURS}, {situation}")


def first_calls(n_rows: int, repeats: int) -> dict[str, Timing]:
    """Time single calls, each in a process of its own, in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in WELCH}
    for _ in range(repeats):
        for name, values in seconds.items():
            values.append(elsewhere("first_call", name, n_rows))
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def elsewhere(function: str, *args: Any) -> Any:
    """Call a function of this file in a new process."""
    code = (
        "import json, sys; import features; "
        f"print(json.dumps(features.{function}(*json.loads(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(args)], cwd=Path(__file__).parent,
        stdout=subprocess.PIPE, text=True, check=True,
    )
    return json.loads(done.stdout)


def first_call(name: str, n_rows: int) -> float:
    """Seconds of one call, after a small one that loads code and tables."""
    X = signals(n_rows, 500)
    if "X float32" in name:
        X = X.astype(np.float32)
    WELCH[name](X[:2])
    start = time.perf_counter()
    WELCH[name](X)
    return time.perf_counter() - start


def by_sosfiltfilt(bank: FilterBank, x: np.ndarray) -> np.ndarray:
    """Filter the usual way, with a fitted bank's filters and padding."""
    # Into one array, as the others give it; stacking afterwards would double the memory.
    out = np.empty((len(x), len(bank.sos_), *x.shape[1:]))
    for b, sos in enumerate(bank.sos_):
        out[:, b] = scipy.signal.sosfiltfilt(sos, x, padlen=bank.padlen_)
    return out


def filter_bank(n_rows: int, padlen: int | None, repeats: int) -> Table:
    """Nine bands, zero phase, the same padding on both sides."""
    X = signals(n_rows, 1000)
    bank = FilterBank(sfreq=SFREQ, padlen=padlen).fit(X[:2])
    exact = FilterBank(sfreq=SFREQ, padlen=padlen, dtype="float64").fit(X[:2])
    work = {
        "`scipy.signal.sosfiltfilt` per band, float64": partial(by_sosfiltfilt, bank),
        "`FilterBank`, X float64": bank.transform,
        "`FilterBank`, X float32": bank.transform,
        '`FilterBank(dtype="float64")`': exact.transform,
    }
    title = f"Filter bank, 9 bands, {n_rows:,} x 22 x 1000 at 250 Hz, padlen={bank.padlen_}"
    table = compare(title, X, work, repeats)
    ours = "`FilterBank`, X float64"
    return table.faster(ours, 6.0, work=f"{ours}, padlen={bank.padlen_} on both sides")


def memory(n_rows: int) -> Table:
    """What a filter bank needs besides its memory-mapped input and its output."""
    megabytes = n_rows * 22 * 1000 * 4 / 1e6
    ways: dict[str, tuple[int, str]] = {
        'one band, output="bands"': (1, "bands"),
        'one band, output="channels"': (1, "channels"),
        'two bands, output="channels"': (2, "channels"),
    }
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "epochs.npy"
        write_epochs(path, n_rows)
        for name, (n_bands, output) in ways.items():
            found[name] = elsewhere("filter_mapped", str(path), n_bands, output)
    columns = {key: {name: values[key] for name, values in found.items()}
               for key in next(iter(found.values()))}
    columns["seconds"] = {name: values.pop("seconds") for name, values in found.items()}
    title = f"Memory of `FilterBank().fit_transform` on {megabytes / 1000:.2g} GB of epochs"
    table = Table(title, columns={k: v for k, v in columns.items() if k != "seconds"} | {
        "seconds": columns["seconds"]}, note=MEMORY_NOTE)
    for name, values in found.items():
        table.at_most(1000, values[EXTRA], "MB", work=f"{title}, {name}: extra memory")
    return table


if __name__ == "__main__":
    main(tables, __doc__)
