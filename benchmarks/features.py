"""Speed, accuracy and memory of the features against scipy and MNE, on one thread.

Run ``python benchmarks/features.py`` (some minutes; it writes 2 GB to the folder for temporary
files and deletes them) or with ``--quick``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from _report import Table, main
from _timing import Timing, in_new_process, interleave, single_thread

single_thread()

import mne  # noqa: E402
import numpy as np  # noqa: E402
import scipy.signal  # noqa: E402
from _memory import ROW_BYTES, STATUS, write_epochs  # noqa: E402

from skbci.features import FilterBank, WelchPSD  # noqa: E402

SFREQ = 250.0
IN_TURN = "Largest errors are fractions of the largest value."
MEMORY_NOTE = (
    "One call of `fit_transform` in a process of its own, on a float32 file opened with "
    "`np.load(mmap_mode=\"r\")`. Extra is the largest anonymous resident memory during the call "
    "(RssAnon, looked at every millisecond), less that before the call and less the output; pages "
    "of the mapped file are not in it. By VmHWM: the largest resident memory of the process, less "
    "that before the call, the output and the whole input; where the system keeps only part of "
    "the file resident, this is too low. One or two bands: the output of all nine would be nine "
    "times the input."
)
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


def by_skbci(x: np.ndarray) -> np.ndarray:
    return WelchPSD(sfreq=SFREQ, n_per_seg=250).fit(x[:2]).transform(x)


# Each precision with scipy in the same one: what is asked of WelchPSD, and its peer.
PRECISIONS = {"float64": 5.0, "float32": 8.0}
MNE = "`mne.time_frequency.psd_array_welch`"


def welch_work(precision: str, with_mne: bool = False) -> Work:
    """The methods on X of one precision; scipy's is the first."""
    work: dict[str, Callable[[np.ndarray], Any]] = {
        f"`scipy.signal.welch`, X {precision}": by_scipy,
        f"`WelchPSD`, X {precision}": by_skbci,
    }
    if with_mne:
        work[MNE] = by_mne
    return work


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
    for precision, asked in PRECISIONS.items():
        ours = f"`WelchPSD`, X {precision}"
        # MNE left out, every call finds the memory that the call before it gave back.
        for situation, mne_too in (("memory reused", False), ("beside MNE", True)):
            if mne_too and precision == "float32":
                continue  # MNE computes in double precision
            work = welch_work(precision, mne_too)
            table = compare(f"{title}, {precision}: {situation}", X, work, repeats)
            yield table.faster(ours, asked, work=f"{ours}, {situation}")
        situation = "first call of a new process"
        names = list(welch_work(precision))
        times = first_calls(names, n_rows, min(repeats, 5))
        table = Table(f"{title}, {precision}: {situation}", times, names[0],
                      note="Each call is the first large one of a process of its own.")
        yield table.faster(ours, asked, work=f"{ours}, {situation}")


def first_calls(names: Sequence[str], n_rows: int, repeats: int) -> dict[str, Timing]:
    """Time single calls, each in a process of its own, in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        for name, values in seconds.items():
            values.append(in_new_process("features.first_call", name, n_rows))
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def first_call(name: str, n_rows: int) -> float:
    """Seconds of one call, after a small one that loads code and tables."""
    X = signals(n_rows, 500)
    if "X float32" in name:
        X = X.astype(np.float32)
    call = by_scipy if "scipy" in name else by_skbci
    call(X[:2])
    start = time.perf_counter()
    call(X)
    return time.perf_counter() - start


def by_sosfiltfilt(bank: FilterBank, x: np.ndarray) -> np.ndarray:
    """Filter the usual way, with a fitted bank's filters and padding."""
    # Into one array, as the others give it; stacking afterwards would double the memory.
    out = np.empty((len(x), len(bank.sos_), *x.shape[1:]), x.dtype)
    for b, sos in enumerate(bank.sos_):
        out[:, b] = scipy.signal.sosfiltfilt(sos, x, padlen=bank.padlen_)
    return out


def filter_bank(n_rows: int, padlen: int | None, precision: str, repeats: int) -> Table:
    """Nine bands, zero phase, the same padding on both sides, both in the same precision."""
    X = signals(n_rows, 1000)
    bank = FilterBank(sfreq=SFREQ, padlen=padlen).fit(X[:2])
    ours = f"`FilterBank`, X {precision}"
    work = {
        f"`scipy.signal.sosfiltfilt` per band, X {precision}": partial(by_sosfiltfilt, bank),
        ours: bank.transform,
    }
    title = (
        f"Filter bank, 9 bands, {n_rows:,} x 22 x 1000 at 250 Hz, padlen={bank.padlen_}, "
        f"{precision}"
    )
    table = compare(title, X, work, repeats)
    asked = {"float64": 2.0, "float32": 6.0}[precision]
    return table.faster(ours, asked, work=f"{ours}, padlen={bank.padlen_} on both sides")


def memory(n_rows: int, settings: Sequence[tuple[int, str]]) -> Table:
    """What a filter bank needs besides its memory-mapped input and its output."""
    ways = {f'{n} band{"s" * (n > 1)}, `output="{output}"`': (n, output)
            for n, output in settings}
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "epochs.npy"
        write_epochs(path, n_rows)
        for name, (n_bands, output) in ways.items():
            found[name] = in_new_process("_memory.filter_mapped", str(path), n_bands, output)
    title = f"`FilterBank` of {n_rows * ROW_BYTES / 1e9:.2g} GB of memory-mapped epochs"
    table = Table(
        title, {name: Timing((values.pop("seconds"),)) for name, values in found.items()},
        columns={key: {name: values[key] for name, values in found.items()}
                 for key in next(iter(found.values()))},
        note=MEMORY_NOTE,
    )
    for name, values in found.items():
        table.at_most(1000, values["extra (MB)"], "MB", work=f"{title}, {name}: extra memory")
    return table


def tables(quick: bool) -> Iterator[Table]:
    yield from welch(200 if quick else 2000, 1 if quick else 9)
    for padlen in (750, None):
        for precision in PRECISIONS:
            yield filter_bank(29 if quick else 288, padlen, precision, 1 if quick else 5)
    if STATUS.exists():  # nothing but Linux tells a process so much of its memory
        settings = (1, "bands"), (1, "channels"), (2, "channels")
        n_rows = 500 if quick else 2_000_000_000 // ROW_BYTES + 1
        yield memory(n_rows, settings[:1] if quick else settings)


if __name__ == "__main__":
    main(tables, __doc__)
