"""Speed and accuracy of the features against scipy and MNE, on one thread.

Run ``python benchmarks/features.py`` (some minutes) or with ``--quick``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from _timing import Timing, header, interleave, ratio, row, single_thread

single_thread()

import mne  # noqa: E402
import numpy as np  # noqa: E402
import scipy.signal  # noqa: E402

from skbci.features import FilterBank, WelchPSD  # noqa: E402

SFREQ = 250.0


def largest_error(found: np.ndarray, wanted: np.ndarray) -> str:
    """Largest difference as a fraction of the largest value."""
    return f"{np.abs(found - wanted).max() / np.abs(wanted).max():.1e}"


def report(
    title: str,
    X: np.ndarray,
    work: dict[str, Callable[[np.ndarray], Any]],
    reference: str,
    repeats: int,
) -> None:
    """Print one table: the reference, then everything else against it."""
    single = X.astype(np.float32)
    inputs = {name: single if "X float32" in name else X for name in work}
    few = slice(0, max(1, len(X) // 10))
    wanted = np.asarray(work[reference](X[few]))
    errors = {n: largest_error(np.asarray(call(inputs[n][few])), wanted)
              for n, call in work.items()}
    times = interleave(
        {name: partial(call, inputs[name]) for name, call in work.items()}, repeats=repeats
    )
    print(f"\n{title}\n")
    print(header("method", "median (best to worst)", "times as fast", "largest error"))
    for name, timing in times.items():
        faster = f"{ratio(times[reference], timing):.2f}"
        print(row(name, timing, faster, "-" if name == reference else errors[name]), flush=True)


def by_scipy(x: np.ndarray) -> np.ndarray:
    return scipy.signal.welch(x, SFREQ, nperseg=250)[1].reshape(len(x), -1)


def by_mne(x: np.ndarray) -> np.ndarray:
    psd, _ = mne.time_frequency.psd_array_welch(
        x, SFREQ, n_fft=250, n_per_seg=250, n_overlap=125, window="hann", verbose="error"
    )
    return psd.reshape(len(x), -1)


def by_skbci(x: np.ndarray, dtype: str = "float32") -> np.ndarray:
    return WelchPSD(sfreq=SFREQ, n_per_seg=250, dtype=dtype).fit(x[:2]).transform(x)


WELCH = {
    "`scipy.signal.welch`, float64": by_scipy,
    "`WelchPSD`, X float64": by_skbci,
    "`WelchPSD`, X float32": by_skbci,
    '`WelchPSD(dtype="float64")`': partial(by_skbci, dtype="float64"),
    "`mne.time_frequency.psd_array_welch`": by_mne,
}


def signals(n_rows: int, n_times: int) -> np.ndarray:
    """White noise of 10 microvolts, in volts."""
    return np.random.default_rng(0).standard_normal((n_rows, 22, n_times)) * 1e-5


def welch(n_rows: int, repeats: int) -> None:
    """Welch densities: 1-s segments, half overlap.

    scipy and MNE ask for several times the input's memory. How long the system takes to provide it
    depends on what ran before, so three situations are timed.
    """
    X = signals(n_rows, 500)
    title = f"Welch density, {n_rows:,} x 22 x 500 at 250 Hz, 1-s segments, half overlap"
    reference = next(iter(WELCH))
    report(f"{title}: all methods in turn", X, dict(WELCH), reference, repeats)
    # MNE left out, every call finds the memory that the call before it gave back.
    alone = {name: call for name, call in WELCH.items() if call is not by_mne}
    report(f"{title}: without MNE, memory reused", X, alone, reference, repeats)
    report_first_calls(f"{title}: first call of a new process", n_rows, min(repeats, 5))


def report_first_calls(title: str, n_rows: int, repeats: int) -> None:
    """Time single calls, each in a process of its own, in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in WELCH}
    for _ in range(repeats):
        for name, values in seconds.items():
            command = [sys.executable, __file__, "--first-call", name, "--rows", str(n_rows)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            values.append(float(done.stdout))
    times = {name: Timing(tuple(values)) for name, values in seconds.items()}
    reference = next(iter(times))
    print(f"\n{title}\n")
    print(header("method", "median (best to worst)", "times as fast"))
    for name, timing in times.items():
        print(row(name, timing, f"{ratio(times[reference], timing):.2f}"), flush=True)


def first_call(name: str, n_rows: int) -> float:
    """Seconds of one call, after a small one that loads code and tables."""
    X = signals(n_rows, 500)
    if "X float32" in name:
        X = X.astype(np.float32)
    WELCH[name](X[:2])
    start = time.perf_counter()
    WELCH[name](X)
    return time.perf_counter() - start


def filter_bank(n_rows: int, padlen: int | None, repeats: int) -> None:
    """Nine bands, zero phase, the same padding on both sides."""
    X = signals(n_rows, 1000)
    bank = FilterBank(sfreq=SFREQ, padlen=padlen).fit(X[:2])
    exact = FilterBank(sfreq=SFREQ, padlen=padlen, dtype="float64").fit(X[:2])

    def by_sosfiltfilt(x: np.ndarray) -> np.ndarray:
        # Into one array, as the others give it; stacking afterwards would double the memory.
        out = np.empty((len(x), len(bank.sos_), *x.shape[1:]))
        for b, sos in enumerate(bank.sos_):
            out[:, b] = scipy.signal.sosfiltfilt(sos, x, padlen=bank.padlen_)
        return out

    work = {
        "`scipy.signal.sosfiltfilt` per band, float64": by_sosfiltfilt,
        "`FilterBank`, X float64": bank.transform,
        "`FilterBank`, X float32": bank.transform,
        '`FilterBank(dtype="float64")`': exact.transform,
    }
    title = f"Filter bank, 9 bands, {n_rows:,} x 22 x 1000 at 250 Hz, padlen={bank.padlen_}"
    report(title, X, work, next(iter(work)), repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, few repeats")
    parser.add_argument("--first-call", choices=WELCH, help="print one method's seconds, and end")
    parser.add_argument("--rows", type=int, default=2000, help="rows of the first call")
    args = parser.parse_args()
    if args.first_call:
        print(first_call(args.first_call, args.rows))
        return
    quick = args.quick
    print(
        "One thread. Methods run in turn; ratios are of medians; errors are fractions of "
        f"the largest value. NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"MNE {mne.__version__}."
    )
    welch(200 if quick else 2000, 3 if quick else 9)
    for padlen in (750, None):
        filter_bank(29 if quick else 288, padlen, 3 if quick else 5)


if __name__ == "__main__":
    main()
