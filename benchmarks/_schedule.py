"""A schedule of a comparison's fits, simulated."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

# Name, subjects, channels, trials a subject, seconds a trial (at most ten): MOABB 1.7's own
# summary; trials are classes x trials a class x sessions, and 300 where it says none.
IMAGERY_SETS = """
AlexMI                    8   16    60 3
BNCI2003_004              5  118   168 3.5
BNCI2014_001              9   22  1152 4
BNCI2014_002             14   15   160 5
BNCI2014_004              9    3  3600 4.5
BNCI2015_001             12   13  1200 5
BNCI2015_004              9   30   800 7
Cho2017                  52   64   200 3
Kaneshiro2015            10  124  5184 0.496
Lee2019_MI               54   62   400 4
GrosseWentrup2009        10  128   300 7
Schirrmeister2017        14  128   480 4
Ofner2017                15   61   420 3
PhysionetMI             109   64    92 3
Shin2017A                29   30   180 10
Shin2017B                29   30   180 10
Weibo2014                10   60   560 4
Zhou2016                  4   14  1440 5
Stieger2021              62   64 19800 3
Liu2024                  50   29    40 4
Beetl2021_A               4   63   896 4
Beetl2021_B               2   32   640 4
Dreyer2023A              60   27    40 5
Dreyer2023B              21   27    40 5
Dreyer2023C               6   27    40 5
Dreyer2023               87   27    40 5
BNCI2020_001             15   64   720 5
BNCI2022_001             13   67   300 10
BNCI2024_001             20   64   300 3
BNCI2025_001             20   64   300 4
BNCI2025_002             20   64   300 8
BNCI2019_001             10   64   300 3
Tavakolan2017            12   32   240 3
Zhang2017                12   17   300 4
Kaya2018                  7   19   720 1
Kumar2024                18   22   300 5
Rozado2015               30   32    50 6
Brandl2020               16   63    72 4.5
Ma2020                   25   62  9000 4
Wairagkar2018            14   19   120 6
Zhou2020                 20   26  1680 5
Wu2020                    6  132   300 4
Jeong2020                25   60  1650 4
Yang2025                 62   59   900 7.5
Forenzo2023              25   64   300 10
TrianaGuzman2024         32   17   300 10
Chang2025                28   59   480 6
GuttmannFlury2025_ME     31   62   120 7.5
GuttmannFlury2025_MI     31   62   120 7.5
HefmiIch2025             37   32    90 10
Yi2025                   18   62   320 4
Gao2026                  22   32   800 4
Zuo2025                  30   30   500 4
Liu2025                  27   64   240 5
AguileraRodriguez2025    15   24   120 4
Nguyen2017_V              8   64   300 5
Nguyen2017_S              6   64   300 5
Nguyen2017_L              6   64   200 5
Nguyen2017_SL             6   64   200 5
Pressel2016              15    6   550 4
Nieto2022                10  128  1692 2.5
BCIComp2020UpperLimb     15   60   450 4
Wang2026                 39   62   300 5
"""
SFREQ, FOLDS = 128, 10
CHANNELS, SECONDS = 22, 4  # of the rows that fits are measured with
# Of the simulated cluster: tasks that a scheduler hands out, bytes that a network card sends.
TASKS_PER_S, NETWORK_BYTES_PER_S = 1000.0, 1.25e9


@dataclass
class Study:
    """One data set: all pipelines on all folds."""

    name: str
    rows: int
    row_bytes: int
    tasks: list[float]

    @property
    def bytes(self) -> int:
        return self.rows * self.row_bytes


def study(
    name: str, subjects: int, channels: int, trials: int, seconds: float,
    costs: dict[str, tuple[float, float]],
) -> Study:
    """Fits of one set, tested on people left out; a fit's time is in proportion to the samples."""
    n_times = int(seconds * SFREQ)
    size = channels * n_times / (CHANNELS * SECONDS * SFREQ)
    rows = subjects * trials
    folds = min(FOLDS, subjects)
    train = rows * (folds - 1) // folds
    tasks = [fixed + slope * train * size for fixed, slope in costs.values() for _ in range(folds)]
    return Study(name, rows, channels * n_times * 8, tasks)


def simulate(studies: list[Study], n_workers: int) -> dict[str, float]:
    """Seconds of a schedule: sets one after another, tasks to whoever is free, longest first."""
    total = work = sending = 0.0
    for one in studies:
        # From the scheduler to one worker, and on from worker to worker: log2 rounds.
        send = one.bytes / NETWORK_BYTES_PER_S * math.ceil(math.log2(n_workers + 1))
        free = [0.0] * n_workers
        for number, seconds in enumerate(sorted(one.tasks, reverse=True)):
            given = max(heapq.heappop(free), number / TASKS_PER_S)
            heapq.heappush(free, given + seconds)
        total += send + max(free)
        sending += send
        work += sum(one.tasks)
    return {"hours": total / 3600, "busy": work / (n_workers * total), "sending": sending / total}


def together(studies: list[Study], n_workers: int) -> float:
    """Hours where all sets' tasks are in one queue, as several comparisons at once are."""
    free = [0.0] * n_workers
    for seconds in sorted((t for one in studies for t in one.tasks), reverse=True):
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free) / 3600
