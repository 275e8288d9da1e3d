"""What imports cost: each in a fresh process, in turn.

Run ``python benchmarks/imports.py``. Times are processor time of the whole process, which a busy
machine changes little; the interpreter's own start, some hundredths of a second, is part of it.
Files have been read once before (the operating system keeps them in memory); a first import after
a reboot waits for the disk too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from _report import Table, main
from _timing import Timing

STATEMENTS = {
    "`import sklearn.pipeline`": "import sklearn.pipeline",
    "`import torch`": "import torch",
    "`import sklearn.pipeline, torch`": "import sklearn.pipeline, torch",
    "`import skbci`": "import skbci",
    "`import skbci.features`": "import skbci.features",
    "`import skbci.estimators`": "import skbci.estimators",
    "`from skbci.estimators import MLPClassifier`": "from skbci.estimators import MLPClassifier",
    "`import skbci.stream`": "import skbci.stream",
}
FEATURES, ESTIMATORS, NETWORK = (list(STATEMENTS)[at] for at in (4, 5, 6))
TORCH, BOTH = (list(STATEMENTS)[at] for at in (1, 2))


def processor_seconds(statement: str) -> float:
    """Run a statement in a fresh process and return the processor time that it took."""
    process = subprocess.Popen([sys.executable, "-c", statement])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{statement!r} failed.")
    return usage.ru_utime + usage.ru_stime


def tables(quick: bool) -> Iterator[Table]:
    """Processor time of imports, and how much they take above those that they need."""
    seconds: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for turn in range(2 if quick else 8):
        for name, statement in STATEMENTS.items():
            taken = processor_seconds(statement)
            if turn:
                seconds[name].append(taken)
    times = {name: Timing(tuple(values)) for name, values in seconds.items()}
    own = {name: timing.median for name, timing in times.items()}
    table = Table(
        "Imports in fresh processes", times, timed="processor time of one process",
        columns={
            "above torch (s)": {name: own[name] - own[TORCH] for name in list(own)[3:]},
            "above torch and scikit-learn (s)": {
                name: own[name] - own[BOTH] for name in list(own)[3:]
            },
        },
    )
    table.at_most(2.5, own[FEATURES], "s", work=FEATURES)
    table.at_most(1.0, own[ESTIMATORS] - own[TORCH], "s", work=ESTIMATORS, peer=TORCH)
    table.at_most(1.0, own[NETWORK] - own[BOTH], "s", work=NETWORK, peer=BOTH)
    yield table


if __name__ == "__main__":
    main(tables, __doc__)
