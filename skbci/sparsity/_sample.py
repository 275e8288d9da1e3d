"""A sample of the training data that does not depend on the order of its rows."""

from __future__ import annotations

import hashlib
import numbers

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_count, refusal
from skbci._typing import Seed


def stratified_sample(
    X: ArrayLike, y: ArrayLike, n_rows: int | None = None, random_state: Seed = 0
) -> np.ndarray:
    """Choose rows of each class in proportion, by what they hold and not by where they stand.

    Parameters
    ----------
    X : array-like, shape (n, ...)
        Rows of any shape.
    y : array-like, shape (n,)
        Classes.
    n_rows : int, optional
        How many to choose; by default, or if there are not more, all.
    random_state : int, RandomState or Generator, default=0
        Another one chooses other rows.

    Returns
    -------
    ndarray of int
        Indices. The rows that they name, and their order, are the same whichever order the data
        come in.

    Raises
    ------
    ValueError
        If X and y differ in length, are empty, or there are more classes than ``n_rows``.

    Notes
    -----
    Rows are ordered by a keyed hash of their bytes and their class, and the first ones of each
    class are taken: its share of ``n_rows`` rounded down, then one more for those with the largest
    remainders, and one at least. The same data in another unit or precision have other bytes; in
    place of ``X`` the estimators give the rows' places in an order that does not change with them.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 1, 1])
    >>> rows, back = stratified_sample(X, y, 3), stratified_sample(X[::-1], y[::-1], 3)
    >>> y[rows].tolist(), bool((X[rows] == X[::-1][back]).all())
    ([0, 1, 1], True)
    """
    data, labels = np.asarray(X), np.asarray(y)
    for name, given, array in (("X", X, data), ("y", y, labels)):
        if array.ndim == 0:
            raise TypeError(refusal(given, name, "stratified_sample", "must hold a row each"))
    if len(data) != len(labels) or not len(data):
        raise ValueError(
            f"X has {len(data)} rows and y {len(labels)}; both need the same number, one or more."
        )
    key = _key(random_state)
    classes, codes = np.unique(labels, return_inverse=True)
    keys = np.array([_digest(row, int(code), key) for row, code in zip(data, codes)])
    total = len(data) if n_rows is None else min(check_count(n_rows, "n_rows"), len(data))
    if total < len(classes):
        raise ValueError(
            f"n_rows={n_rows} is too few for a row of each of the {len(classes)} classes."
        )
    order = np.lexsort((keys, codes))
    counts = np.bincount(codes)
    chosen, start = [], 0
    for count, share in zip(counts, _apportion(counts, total)):
        chosen.append(order[start : start + share])
        start += count
    return np.concatenate(chosen)


def _apportion(counts: np.ndarray, total: int) -> np.ndarray:
    """Divide ``total`` in proportion to counts, one at least for each and none more than it has.

    Examples
    --------
    >>> _apportion(np.array([97, 2, 1]), 10).tolist()
    [8, 1, 1]
    """
    exact = counts * (total / counts.sum())
    shares = np.clip(exact.astype(int), 1, counts)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        open_ = shares < counts if step > 0 else shares > 1
        want = np.where(open_, step * (exact - shares), -np.inf)
        shares[int(want.argmax())] += step
    return shares


def _digest(row: np.ndarray, code: int, key: bytes) -> bytes:
    seen = hashlib.blake2b(key=key, digest_size=16)
    seen.update(code.to_bytes(8, "little"))
    seen.update(np.ascontiguousarray(row).tobytes())
    return seen.digest()


def _key(random_state: Seed) -> bytes:
    if isinstance(random_state, np.random.Generator):
        return random_state.bytes(8)
    if isinstance(random_state, np.random.RandomState):
        return random_state.bytes(8)
    if isinstance(random_state, numbers.Integral) and 0 <= int(random_state) < 2**64:
        return int(random_state).to_bytes(8, "little")
    allowed = "must be a non-negative integer, a numpy RandomState or a numpy Generator"
    raise ValueError(refusal(random_state, "random_state", "stratified_sample", allowed))
