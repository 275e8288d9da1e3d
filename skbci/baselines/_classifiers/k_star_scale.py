"""K*'s scale: how fast a training row's weight falls off with its distance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["AttributeScale", "inverse_scale"]

_STEPS = 60
_ACCURACY = 1e-10  # of the logarithm of the effective number
# Terms of the series within a cell, and the largest argument that they are used for: what is left
# out is 0.25^9 / 9!, 1e-11.
_ORDER, _REACH = 8, 0.25
_LONGEST = 64  # distinct values in a cell
_CHUNK = 1 << 16  # numbers at once: what the processor's cache holds
_TABLE = 64  # places at which the scale is known from the start


class AttributeScale:
    r"""The scales of many test values against one attribute's training values.

    The sum of :math:`\exp(-|a - b| / x_0)` over the training values b of a narrow cell is that at
    its middle times a short series in the cell's moments, unless a lies within. With cells much
    narrower than the scale there are far fewer of them than training rows. Where they are not
    narrow enough, or the training rows few, `inverse_scale` goes over the rows themselves.

    Parameters
    ----------
    values : ndarray, shape (n_train,)
        The attribute's training values.
    blend : float
        Above 0 and up to 1.
    """

    def __init__(self, values: np.ndarray, blend: float) -> None:
        self.values, self.blend = values, blend
        self._distinct, counts = np.unique(values, return_counts=True)
        self._counts = counts.astype(float)
        # Where the values lie densest, the scale is a quarter of the interval that holds their
        # effective number; cells are a little narrower than that asks for.
        ordered = np.sort(values)
        share = max(1, round(blend * len(values)))
        densest = np.min(ordered[share:] - ordered[:-share], initial=np.inf)
        self.n_cells = 0
        if 0 < densest < np.inf:
            self._make_cells(0.8 * _REACH * densest / 4)

    def _make_cells(self, width: float) -> None:
        at = np.floor((self._distinct - self._distinct[0]) / width)
        first = np.r_[True, np.diff(at) > 0]
        begin = np.flatnonzero(first)[np.cumsum(first) - 1]
        first |= (np.arange(len(at)) - begin) % _LONGEST == 0
        self._starts = np.flatnonzero(first)
        if 3 * len(self._starts) > len(self.values):
            return
        self.n_cells = len(self._starts)
        ends = np.r_[self._starts[1:], len(at)] - 1
        self._middle = (self._distinct[self._starts] + self._distinct[ends]) / 2
        self._longest = int((ends - self._starts).max()) + 1
        self._stop = ends + 1
        apart = self._distinct - np.repeat(self._middle, ends - self._starts + 1)
        self._half = np.abs(apart).max()
        moments, term = [], self._counts.copy()
        for k in range(_ORDER + 1):
            moments.append(np.add.reduceat(term, self._starts))
            term = term * apart / (k + 1)
        self._moments = np.array(moments)  # divided by k!
        self._table = np.empty((2, 0))
        places = np.unique(np.quantile(self._distinct, np.linspace(0, 1, _TABLE)))
        found, good = self._by_cells(places)
        self._table = np.array([places[good], np.log(found[good])])

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each test value's distance from the nearest training value, and its 1 / x_0."""
        known, nearest = self._distinct, self._nearest(rows)
        if not self.n_cells:
            return nearest, self._from_rows(rows, nearest)
        # A value far away, as seen from which others coincide, is left to the rows themselves.
        near = (rows >= 2 * known[0] - known[-1]) & (rows <= 2 * known[-1] - known[0])
        inverse = np.zeros(len(rows))
        good = np.zeros(len(rows), bool)
        inverse[near], good[near] = self._by_cells(rows[near])
        inverse[~good] = self._from_rows(rows[~good], nearest[~good])
        return nearest, inverse

    def _nearest(self, rows: np.ndarray) -> np.ndarray:
        known, n = self._distinct, len(self._distinct)
        right = np.searchsorted(known, rows).clip(0, n - 1)
        left = (right - 1).clip(0)
        return np.minimum(np.abs(rows - known[left]), np.abs(rows - known[right]))

    def _from_rows(self, rows: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        size = max(1, _CHUNK // len(self.values))
        inverse = np.empty(len(rows))
        for i in range(0, len(rows), size):
            some = slice(i, i + size)
            distance = np.abs(rows[some, None] - self.values)
            distance -= nearest[some, None]
            inverse[some] = inverse_scale(distance, self.blend)
        return inverse

    def _by_cells(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size = max(1, _CHUNK // self.n_cells)
        inverse, good = np.zeros(len(rows)), np.zeros(len(rows), bool)
        for i in range(0, len(rows), size):
            some = slice(i, i + size)
            inverse[some], good[some] = self._from_cells(rows[some], self._nearest(rows[some]))
        return inverse, good

    def _from_cells(
        self, rows: np.ndarray, nearest: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return 1 / x_0, and whether the cells are narrow enough for it."""
        known = self._distinct
        own = (np.searchsorted(known[self._starts], rows, side="right") - 1).clip(0)
        # The cell in which a value lies, distinct value by distinct value.
        inside = self._starts[own][:, None] + np.arange(self._longest)
        weight = np.where(inside < self._stop[own][:, None],
                          self._counts[inside.clip(max=len(known) - 1)], 0.0)
        close = np.abs(rows[:, None] - known[inside.clip(max=len(known) - 1)])
        n_nearest = ((close == nearest[:, None]) * weight).sum(axis=1)
        offset = self._middle - rows[:, None]
        for step in (-1, 1):  # the nearest may lie in the cell beside it
            beside = own + step
            there = (beside >= 0) & (beside < self.n_cells)
            beside = beside.clip(0, self.n_cells - 1)
            edge = (self._stop[beside] - 1) if step < 0 else self._starts[beside]
            same = np.abs(rows - known[edge]) == nearest
            n_nearest += there * same * self._counts[edge]
        close = np.where(weight > 0, close - nearest[:, None], 0.0)
        away = np.abs(offset) - nearest[:, None]
        side = np.sign(offset)
        moments = np.where(np.arange(_ORDER + 1)[:, None] % 2, -1.0, 1.0) * self._moments
        outside = np.ones(offset.shape)
        np.put_along_axis(outside, own[:, None], 0.0, axis=1)

        def sums(rate: np.ndarray, fall: np.ndarray, near_fall: np.ndarray) -> tuple:
            at = side * rate[:, None]
            series = np.broadcast_to(moments[-1], offset.shape).copy()
            for moment in moments[-2::-1]:
                series *= at
                series += moment
            series *= fall
            series *= outside
            near = near_fall * weight
            total = series.sum(axis=1) + near.sum(axis=1)
            moment = np.einsum("ij,ij->i", series, away) + np.einsum("ij,ij->i", near, close)
            return total, moment

        def log_effective(log_rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            rate = np.exp(log_rate)
            fall, near_fall = np.exp(-away * rate[:, None]), np.exp(-close * rate[:, None])
            first, moment = sums(rate, fall, near_fall)
            second, moment_2 = sums(2 * rate, fall * fall, near_fall * near_fall)
            value = 2 * np.log(first) - np.log(second)
            return value, 2 * rate * (moment_2 / second - moment / first)

        n_train = len(self.values)
        goal = np.log(n_nearest + self.blend * (n_train - n_nearest))
        mean = np.einsum("ij,j->i", np.abs(offset), self._moments[0]) / n_train
        low = -np.log(mean) - 30
        high = np.full(len(rows), np.log(_REACH / (2 * self._half)) if self._half > 0 else 50.0)
        guess = -np.log(mean)
        if self._table.size:
            guess = np.interp(rows, *self._table)
        guess = np.minimum(guess, high - 1e-9)
        found, good = _solve(log_effective, goal, low, high, guess)
        return np.exp(found), good


def inverse_scale(distance: np.ndarray, blend: float) -> np.ndarray:
    r"""Solve for :math:`1/x_0` in each row of distances, the smallest of which is 0.

    Parameters
    ----------
    distance : ndarray, shape (n_rows, n_train)
    blend : float
        Above 0 and up to 1.

    Returns
    -------
    ndarray, shape (n_rows,)
    """
    n_rows, n_train = distance.shape
    nearest = np.count_nonzero(distance == 0, axis=1)
    target = np.log(nearest + blend * (n_train - nearest))
    unit = distance.mean(axis=1)
    # All training rows equally far, or all to be heard equally: no scale, the same weight for all.
    open_ = np.flatnonzero((unit > 0) & (blend < 1))
    inverse = np.zeros(n_rows)
    if not len(open_):
        return inverse
    scaled = distance[open_] / unit[open_, None]
    # Between these the effective number goes from all rows to the nearest ones alone.
    low = np.full(len(open_), -30.0)
    high = np.log(800 / np.where(scaled > 0, scaled, np.inf).min(axis=1))
    guess, _ = _solve(lambda log_rate: _log_effective(scaled, np.exp(log_rate)), target[open_],
                      low, high, np.zeros(len(open_)))
    inverse[open_] = np.exp(guess) / unit[open_]
    return inverse


def _solve(
    function: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    goal: np.ndarray, low: np.ndarray, high: np.ndarray, guess: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Find where a falling function, given with its slope, reaches its goal, row by row.

    Newton's method finds the root, and bisection takes over wherever it leaves the bracket. A row
    that has arrived stays, whatever others need. Gives the roots and whether they were reached.
    """
    done, reached = np.zeros((2, len(goal)), bool)
    for _ in range(_STEPS):
        value, slope = function(guess)
        excess = value - goal
        low, high = np.where(excess > 0, guess, low), np.where(excess <= 0, guess, high)
        reached |= ~done & (np.abs(excess) < _ACCURACY)
        done |= reached | (high - low < 1e-12)
        if done.all():
            break
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            step = guess - excess / slope
        inside = (step > low) & (step < high)
        guess = np.where(done, guess, np.where(inside, step, (low + high) / 2))
    return guess, reached


def _log_effective(distance: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log of the effective number at a rate a row, and its derivative by the rate's logarithm."""
    p = np.exp(-distance * rate[:, None])
    first, second = p.sum(axis=1), np.einsum("ij,ij->i", p, p)
    moment = np.einsum("ij,ij->i", p, distance) / first
    p *= p
    moment_2 = np.einsum("ij,ij->i", p, distance) / second
    return 2 * np.log(first) - np.log(second), 2 * rate * (moment_2 - moment)
