"""Memory that a filter bank takes besides its input and its output (Linux)."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from skbci.features import FilterBank

STATUS = Path("/proc/self/status")
SHAPE = 22, 1000  # channels and samples of an epoch
ROW_BYTES = 4 * SHAPE[0] * SHAPE[1]
BANDS = ((8, 13), (13, 30))


def status() -> dict[str, int]:
    """Memory of this process in bytes, by the names of ``/proc/self/status``."""
    fields = (line.split() for line in STATUS.read_text().splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): int(kilobytes) * 1024 for name, kilobytes, _ in fields}


def write_epochs(path: Path, n_rows: int) -> None:
    """Write float32 noise of 10 microvolts, never more than 100 MB of it in memory."""
    rng = np.random.default_rng(0)
    shape = (n_rows, *SHAPE)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for at in range(0, n_rows, 1000):
            rows = (min(1000, n_rows - at), *SHAPE)
            (rng.standard_normal(rows, dtype=np.float32) * np.float32(1e-5)).tofile(file)


class Peak:
    """Largest anonymous memory (``RssAnon``) inside a with block, looked at every millisecond.

    A mapped file's pages are not counted: they are the system's cache and it takes them back.
    """

    def __enter__(self) -> Peak:
        self.before = self.bytes = status()["RssAnon"]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.001):
            self.bytes = max(self.bytes, status()["RssAnon"])


def filter_mapped(path: str, n_bands: int, output: str) -> dict[str, float]:
    """Filter the epochs of a file that is mapped, not read; give sizes in MB, and seconds."""
    bank = FilterBank(BANDS[:n_bands], sfreq=250.0, output=output)
    bank.fit_transform(np.zeros((2, *SHAPE), np.float32) + np.arange(SHAPE[1], dtype=np.float32))
    epochs = np.load(path, mmap_mode="r")
    resident = status()["VmRSS"]
    start = time.perf_counter()
    with Peak() as peak:
        filtered = bank.fit_transform(epochs)
    seconds = time.perf_counter() - start
    highest = status()["VmHWM"] - resident
    sizes = {
        "input (MB)": epochs.nbytes,
        "output (MB)": filtered.nbytes,
        "extra (MB)": peak.bytes - peak.before - filtered.nbytes,
        "extra by VmHWM (MB)": highest - filtered.nbytes - epochs.nbytes,
    }
    return {**{name: size / 1e6 for name, size in sizes.items()}, "seconds": seconds}
