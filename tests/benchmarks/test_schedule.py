"""The simulated schedule of a comparison."""

from __future__ import annotations

import _schedule
import pytest
from _schedule import IMAGERY_SETS, Study, simulate, study, together


def test_equal_tasks_fill_the_workers():
    one = Study("a", 0, 0, [3600.0] * 8)
    for n_workers, hours in ((1, 8), (2, 4), (3, 3), (8, 1), (16, 1)):
        found = simulate([one], n_workers)
        assert found["hours"] == pytest.approx(hours, rel=1e-5)
        assert found["busy"] == pytest.approx(8 / (hours * n_workers), rel=1e-5)
        assert together([one], n_workers) == pytest.approx(hours)


def test_the_longest_fit_is_the_least_there_is():
    one = Study("a", 0, 0, [7200.0] + [60.0] * 10)
    assert together([one], 100) == 2
    two = [one, Study("b", 0, 0, [7200.0])]
    assert simulate(two, 100)["hours"] == pytest.approx(4, rel=1e-4)  # one after another
    assert together(two, 100) == 2


def test_data_go_to_all_workers_in_rounds():
    one = Study("a", 1000, int(1.25e6), [0.0])  # a second of the network card
    assert simulate([one], 1)["hours"] * 3600 == pytest.approx(1)
    assert simulate([one], 7)["hours"] * 3600 == pytest.approx(3)


def test_costs_grow_with_rows_and_samples():
    costs = {"p": (1.0, 0.01)}
    small = study("s", 10, _schedule.CHANNELS, 20, _schedule.SECONDS, costs)
    assert small.tasks == [1.0 + 0.01 * 180] * 10  # nine tenths of two hundred rows
    assert small.row_bytes == 22 * 512 * 8
    wide = study("w", 10, 2 * _schedule.CHANNELS, 20, _schedule.SECONDS, costs)
    assert wide.tasks == [1.0 + 0.02 * 180] * 10
    assert len(IMAGERY_SETS.strip().splitlines()) == 63
