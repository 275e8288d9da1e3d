"""numpy's functions on an EEGArray: rows and table stay in step, whatever is done to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skbci import EEGArray

N, C, T = 6, 3, 4
WHO = np.array([11, 7, 5, 3, 2, 1])


def rows(shape=(N, C, T)):
    """Every number of a row is the row's subject."""
    data = np.broadcast_to(WHO.reshape(-1, *[1] * (len(shape) - 1)), shape).astype(float)
    names = ["C3", "Cz", "C4"] if len(shape) == 3 else None
    return EEGArray(data.copy(), {"subject": WHO}, sfreq=4, ch_names=names)


CHOICES = {
    "take": (lambda a: np.take(a, [4, 0, 0], axis=0), [2, 11, 11]),
    "take from the end": (lambda a: np.take(a, [1], axis=-a.ndim), [7]),
    "take, the method": (lambda a: a.take([4, 1], axis=0), [2, 7]),
    "compress": (lambda a: np.compress([True, False, True], a, axis=0), [11, 5]),
    "delete": (lambda a: np.delete(a, [0, 1], axis=0), [5, 3, 2, 1]),
    "repeat": (lambda a: np.repeat(a[:2], 2, axis=0), [11, 11, 7, 7]),
    "flip": (lambda a: np.flip(a, axis=0), [1, 2, 3, 5, 7, 11]),
    "roll": (lambda a: np.roll(a, 1, axis=0), [1, 11, 7, 5, 3, 2]),
    "split": (lambda a: np.split(a, [4])[1], [2, 1]),
    "array_split": (lambda a: np.array_split(a, 4)[0], [11, 7]),
    "vstack": (lambda a: np.vstack([a[3:], a[:1]]), [3, 2, 1, 11]),
    "append": (lambda a: np.append(a[3:], a[:1], axis=0), [3, 2, 1, 11]),
    "concatenate": (lambda a: np.concatenate([a[3:], a[:1]], axis=-a.ndim), [3, 2, 1, 11]),
}


@pytest.mark.parametrize("shape", [(N, C, T), (N, T), (N, 2, C, T)])
@pytest.mark.parametrize("name", CHOICES)
def test_chosen_rows_bring_their_table_along(name, shape):
    choose, subjects = CHOICES[name]
    out = choose(rows(shape))
    assert out.metadata["subject"].tolist() == subjects
    np.testing.assert_array_equal(np.asarray(out).reshape(len(subjects), -1)[:, 0], subjects)


OTHER_THINGS = {
    "other axis": lambda a: np.take(a, [0], axis=1),
    "no axis": lambda a: np.take(a, [0, 1]),
    "flip all": np.flip,
    "table of rows": lambda a: np.take(a, [[0, 1], [2, 3]], axis=0),
    "channels": lambda a: np.concatenate([a, a], axis=1),
    "rolled flat": lambda a: np.roll(a, 1),
}


@pytest.mark.parametrize("name", OTHER_THINGS)
def test_what_takes_no_rows_is_bare_and_as_numpy_has_it(name):
    out = OTHER_THINGS[name](rows())
    assert not getattr(out, "has_metadata", False)
    np.testing.assert_array_equal(out, OTHER_THINGS[name](np.asarray(rows())))


def test_a_matrix_product_mixes_rows_and_has_no_table():
    turn = np.eye(N)[::-1]
    out = turn @ rows((N, T))
    assert not getattr(out, "has_metadata", False)
    assert out[:, 0].tolist() == WHO[::-1].tolist()
    assert not getattr(np.eye(C) @ rows(), "has_metadata", False)


def test_arrays_whose_tables_contradict_give_a_bare_one():
    X = rows()
    assert not getattr(X + X[::-1], "has_metadata", False)
    assert (X + X.copy()).metadata["subject"].tolist() == WHO.tolist()
    # One row for all of them has no say.
    assert (X - X[:1]).metadata["subject"].tolist() == WHO.tolist()


@pytest.mark.parametrize("move", [
    lambda X: np.add(X[::-1], 0, out=X),
    lambda X: np.take(X, np.arange(N)[::-1], axis=0, out=X),
    lambda X: X.take(np.arange(N)[::-1], axis=0, out=X),
    lambda X: np.concatenate([X[3:], X[:3]], out=X),
    lambda X: X.__iadd__(X[::-1]),
])  # fmt: skip
def test_rows_are_not_written_under_other_rows_table(move):
    X = rows()
    with pytest.raises(ValueError, match="rows"):
        move(X)
    np.testing.assert_array_equal(np.asarray(X)[:, 0, 0], WHO)


def test_a_mesh_of_rows_and_channels():
    X = EEGArray(
        np.arange(N * C * T, dtype=float).reshape(N, C, T), {"subject": WHO}, sfreq=4,
        ch_names=["C3", "Cz", "C4"],
    )
    for take in (([4, 1], [2, 0]), ([3], [2]), ([3], [0, 2]), ([0, 5], [1])):
        out = X[np.ix_(*take)]
        np.testing.assert_array_equal(out, np.asarray(X)[take[0]][:, take[1]])
        assert out.metadata["subject"].tolist() == WHO[take[0]].tolist()
        assert out.ch_names == [X.ch_names[channel] for channel in take[1]]
        assert out.sfreq == 4
    assert not isinstance(X[[4, 1], [2, 0]], EEGArray)  # pairs of a row and a channel


def test_a_table_that_was_sorted_in_place_is_noticed():
    X = rows()
    table = X.metadata
    table.index = np.arange(N)[::-1]
    with pytest.raises(ValueError, match="another order"):
        X.metadata  # noqa: B018


def test_a_copy_has_a_table_of_its_own():
    X = rows()
    for other in (X.astype(np.float32), X.copy(), X + 0, X[:]):
        table = other.metadata
        table["subject"] = 0
        assert other.metadata["subject"].tolist() == [0] * N
    assert X.metadata["subject"].tolist() == WHO.tolist()


def test_columns_are_taken_row_by_row():
    turned = pd.Series([1, 2, 3], index=[2, 1, 0])
    X = EEGArray(np.zeros((3, 1)), {"a": turned, "b": pd.Series([4, 5, 6]), "subject": "S1"})
    assert X.metadata.to_dict("list") == {"a": [1, 2, 3], "b": [4, 5, 6], "subject": ["S1"] * 3}
    with pytest.raises(ValueError, match="several columns of the name 'subject'"):
        EEGArray(np.zeros((1, 1)), pd.DataFrame([[1, 2]], columns=["subject", "subject"]))
