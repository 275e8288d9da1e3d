from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci.datasets import make_gabor_2d, make_modulo2, make_parity


@given(st.integers(1, 9))
@settings(deadline=None, max_examples=9)
def test_one_flipped_bit_flips_the_parity(n_bits):
    data = make_parity(n_bits)
    X = np.asarray(data.X).astype(int)
    assert X.shape == (2**n_bits, n_bits)
    assert len(np.unique(X, axis=0)) == 2**n_bits
    label = dict(zip(map(tuple, X), data.y.tolist()))
    for word, odd in label.items():
        for bit in range(n_bits):
            other = list(word)
            other[bit] = 1 - other[bit]
            assert label[tuple(other)] == 1 - odd
    assert label[(0,) * n_bits] == 0


@given(st.integers(2, 5), st.integers(1, 4))
@settings(deadline=None, max_examples=20)
def test_modulo2_is_the_sum_of_the_digits(n_values, n_features):
    data = make_modulo2(n_values, n_features)
    X = np.asarray(data.X)
    assert len(np.unique(X, axis=0)) == len(X) == n_values**n_features
    assert X.min() == 0
    assert X.max() == n_values - 1
    np.testing.assert_array_equal(data.y, X.sum(axis=1) % 2)


def test_sizes_are_the_papers_and_parity_is_modulo2_of_bits():
    assert make_parity().X.shape == (256, 8)
    assert make_modulo2().X.shape == (9, 2)
    assert make_gabor_2d().X.shape == (100, 2)
    np.testing.assert_array_equal(make_parity(4).y, make_modulo2(2, 4).y)


def test_gabor_is_an_even_carrier_under_its_envelope():
    sigma = 0.4
    data = make_gabor_2d(500, sigma=sigma, frequency=2.0, low=-1, high=1, random_state=0)
    X = np.asarray(data.X)
    envelope = np.exp(-(X**2).sum(axis=1) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    assert (np.abs(data.y) <= envelope * (1 + 1e-12)).all()
    ratio = data.y / envelope
    crest = np.abs(X.sum(axis=1) * 2 - np.round(X.sum(axis=1) * 2)) < 0.01
    assert crest.any()
    assert (ratio[crest] > 0.99).all()
    assert data.y.max() <= 1 / (2 * np.pi * sigma**2)
    assert X.min() >= -1
    assert X.max() < 1


def test_without_a_carrier_the_gabor_is_a_density():
    data = make_gabor_2d(200_000, sigma=0.5, frequency=0.0, low=-3, high=3, random_state=1)
    assert data.y.mean() * 36 == pytest.approx(1.0, rel=0.02)


def test_seed_and_noise():
    a, b, c = (make_gabor_2d(50, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.X, b.X)
    assert not np.array_equal(a.X, c.X)
    noisy = make_gabor_2d(20_000, noise=0.1, random_state=3)
    clean = make_gabor_2d(20_000, random_state=3)
    np.testing.assert_array_equal(noisy.X, clean.X)
    assert (noisy.y - clean.y).std() == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: make_parity(0), r"n_bits=0 must be at least 1"),
    (lambda: make_parity(21), r"n_bits=21 makes 2\*\*21 rows; at most 1048576"),
    (lambda: make_modulo2(1), r"n_values=1 must be at least 2"),
    (lambda: make_modulo2(10, 7), r"10\*\*7 rows"),
    (lambda: make_gabor_2d(0), r"n_samples=0"),
    (lambda: make_gabor_2d(sigma=0), r"sigma=0 must be above 0"),
    (lambda: make_gabor_2d(noise=-1), r"noise=-1"),
    (lambda: make_gabor_2d(low=1, high=1), r"high=1 must be above low=1"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_types_are_named():
    with pytest.raises(TypeError, match=r"n_bits=2\.5 must be an integer"):
        make_parity(2.5)
    with pytest.raises(TypeError, match=r"frequency='1' must be a number"):
        make_gabor_2d(frequency="1")
