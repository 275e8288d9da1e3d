"""Whatever is asked of an array, its rows' table says what the data says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skbci import EEGArray

N_ROWS = 4


def numbered(shape):
    """An array filled with its own row numbers, under a table that has them."""
    data = np.arange(shape[0], dtype=float).reshape(-1, *[1] * (len(shape) - 1))
    names = [f"C{i}" for i in range(shape[-2])] if len(shape) > 2 else None
    return EEGArray(np.broadcast_to(data, shape).copy(), {"row": np.arange(shape[0])}, sfreq=100,
                    ch_names=names)


def index_parts(length):
    at = st.integers(-length, length - 1)
    return st.one_of(
        at,
        st.slices(length),
        st.lists(at, max_size=4),
        st.lists(at, min_size=2, max_size=2).map(np.array),
        st.lists(st.lists(at, min_size=2, max_size=2), min_size=1, max_size=2).map(np.array),
        st.lists(st.booleans(), min_size=length, max_size=length).map(np.array),
        st.just(slice(None)),
    )


@st.composite
def shapes_and_keys(draw):
    shape = (N_ROWS, *draw(st.lists(st.integers(1, 3), max_size=4)))
    used = draw(st.integers(0, len(shape)))
    key, axis = [], 0
    while axis < used:
        if used - axis > 1 and draw(st.integers(0, 7)) == 0:  # one mask over two axes
            mask = st.lists(st.booleans(), min_size=shape[axis] * shape[axis + 1],
                            max_size=shape[axis] * shape[axis + 1])
            key.append(np.array(draw(mask)).reshape(shape[axis], shape[axis + 1]))
            axis += 2
        else:
            key.append(draw(index_parts(shape[axis])))
            axis += 1
    if draw(st.booleans()):
        ahead = len(shape) == used
        key.insert(len(key) if not ahead else draw(st.integers(0, len(key))), Ellipsis)
    for _ in range(draw(st.integers(0, 2))):
        key.insert(draw(st.integers(0, len(key))), None)
    return shape, tuple(key)


@given(shapes_and_keys())
def test_any_index_keeps_the_table_in_step_or_drops_it(drawn):
    shape, key = drawn
    X = numbered(shape)
    try:
        right = np.asarray(X)[key]
    except IndexError:
        with pytest.raises(IndexError):
            X[key]
        return
    taken = X[key]
    assert np.array_equal(np.asarray(taken), right)
    if isinstance(taken, EEGArray) and taken.has_metadata:
        assert len(taken.metadata) == len(taken)
        said = taken.metadata["row"].to_numpy().reshape(-1, *[1] * (taken.ndim - 1))
        assert (np.asarray(taken) == said).all()
        if taken.ndim > 2 and taken.ch_names is not None:
            assert len(taken.ch_names) == taken.shape[-2]


@pytest.mark.parametrize("first", [0, [0, 1], np.ones((2, 2), dtype=bool)])
def test_an_ellipsis_without_an_axis_parts_index_arrays(first):
    masks = isinstance(first, np.ndarray)
    X = numbered((N_ROWS, 2, 2, 2, 2) if masks else (N_ROWS, 2, 2))
    taken = X[:, first, ..., first if masks else [0, 1]]
    assert np.asarray(taken)[0].tolist() == [0.0, 1.0, 2.0, 3.0]  # the rows are the second axis
    assert not isinstance(taken, EEGArray) or not taken.has_metadata


def test_an_ellipsis_without_an_axis_is_no_harm_elsewhere():
    X = numbered((N_ROWS, 2, 2))
    assert X[[2, 1], ..., :, :].metadata["row"].tolist() == [2, 1]
    assert X[:, 0, ..., 1:].metadata["row"].tolist() == [0, 1, 2, 3]
    assert X[:, ..., [0, 1], 0].metadata["row"].tolist() == [0, 1, 2, 3]


@given(shapes_and_keys().filter(lambda drawn: len(drawn[0]) > 2))
def test_any_index_keeps_channel_names_in_step_or_drops_them(drawn):
    shape, key = drawn
    number = np.arange(shape[-2], dtype=float)[:, None]
    X = EEGArray(np.broadcast_to(number, shape).copy(), {"row": np.arange(N_ROWS)},
                 ch_names=[str(i) for i in range(shape[-2])])
    try:
        taken = X[key]
    except IndexError:
        return
    if isinstance(taken, EEGArray) and taken.ndim > 2 and taken.ch_names is not None:
        said = np.array(taken.ch_names, dtype=float)[:, None]
        assert (np.asarray(taken) == said).all()


@pytest.mark.parametrize(
    "key",
    [
        slice(1, 3), slice(None, None, -1), [2, 0], np.array([True, False, True, True]),
        (Ellipsis, 0), (slice(None), slice(None), 1), (slice(None), 0, slice(None), 0),
        ([1, 3], slice(None), 0), (slice(None), None), (slice(None), [0, 1]),
        (slice(None), slice(None), [0, 1], 0), (Ellipsis, np.arange(2)),
    ],
)
def test_rows_keep_their_table(key):
    taken = numbered((N_ROWS, 2, 3, 5))[key]
    said = taken.metadata["row"].tolist()
    assert said == np.asarray(taken).reshape(len(taken), -1)[:, 0].tolist()


@pytest.mark.parametrize(
    "key",
    [0, (slice(None), [0, 1], slice(None), 2), None, (None, [0]), (0, [0, 1]),
     (slice(None), [0], slice(None), [0])],
)
def test_what_is_no_row_has_no_table(key):
    taken = numbered((N_ROWS, 2, 3, 5))[key]
    assert not isinstance(taken, EEGArray)


def test_names_and_clock_of_a_filter_bank():
    X = numbered((N_ROWS, 2, 3, 8))
    assert X[:, 0].ch_names == ["C0", "C1", "C2"]
    assert X[:, :, [2, 0]].ch_names == ["C2", "C0"]
    assert X[:, :, 1].ch_names is None
    assert X[..., 0].ch_names is None
    assert X[..., 0].sfreq is None
    assert X[..., 4::2].sfreq == 50
    assert X[..., 4::2].tmin == pytest.approx(0.04)
    assert X[..., ::-1].sfreq is None
    assert X[:, 0, 1, 2:].tmin == pytest.approx(0.02)
    assert X[:, 0, 1][:, 2::2].sfreq == 50


def test_errors_are_numpys():
    X = numbered((N_ROWS, 3))
    for key in (9, (0, 0, 0), "a", [True, False]):
        with pytest.raises(IndexError):
            X[key]
    with pytest.raises(IndexError, match="not an integer|only integers"):
        X[1.5]
