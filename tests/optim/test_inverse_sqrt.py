"""The inverse square root of a Gram matrix, applied to a vector."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skbci.optim import NonFiniteLossError
from skbci.optim._jacobian.inverse_sqrt import _by_eigenvectors, _nodes, apply_inverse_sqrt

ROUTES = {"quadrature": apply_inverse_sqrt, "eigenvectors": _by_eigenvectors}


def basis(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))
    return q, torch.randn(n, dtype=torch.float64, generator=generator)


def matrix(q, s):
    K = (q * s) @ q.T
    return ((K + K.T) / 2).contiguous()


@pytest.fixture(params=sorted(ROUTES))
def route(request):
    """Both ways to compute it, on the CPU; the second is what other devices take."""
    return ROUTES[request.param]


@pytest.mark.parametrize("digits", range(9))
def test_equals_the_eigendecomposition_whatever_the_condition(digits, route):
    q, b = basis(60)
    s = torch.logspace(0, -digits, 60, dtype=torch.float64) * 37.0
    expected = q @ (s**-0.5 * (q.T @ b))
    found = route(matrix(q, s), b)
    assert (found - expected).norm() < 1e-12 * max(10.0**digits, 1e2) * expected.norm()


@pytest.mark.parametrize("digits", range(5))
def test_single_precision(digits, route):
    q, b = basis(60)
    s = torch.logspace(0, -digits, 60, dtype=torch.float64) * 37.0
    expected = q @ (s**-0.5 * (q.T @ b))
    found = route(matrix(q, s).float(), b.float())
    assert found.dtype == torch.float32
    assert (found - expected).norm() < 2e-6 * max(10.0**digits, 1e1) * expected.norm()


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 30), rank=st.integers(0, 30), digits=st.floats(0, 4),
    scale=st.floats(-6, 6), seed=st.integers(0, 99),
)
def test_null_directions_are_left_out(n, rank, digits, scale, seed):
    """J'x is that of the pseudo-inverse for J of any rank, none included."""
    rank = min(n, rank)
    q, b = basis(n, seed)
    s = torch.zeros(n, dtype=torch.float64)
    s[:rank] = torch.logspace(0, -digits, rank, dtype=torch.float64) * 10.0**scale
    J = q * s.sqrt()
    expected = torch.zeros(n, dtype=torch.float64)
    expected[:rank] = (q.T @ b)[:rank]
    for compute in ROUTES.values():
        found = compute((J @ J.T).contiguous(), b)
        assert torch.isfinite(found).all()
        np.testing.assert_allclose(J.T @ found, expected, atol=1e-6 * float(b.norm()))


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e12])
def test_scales_with_the_inverse_root_of_the_matrix_and_with_the_vector(factor, route):
    q, b = basis(20)
    K = matrix(q, torch.linspace(1, 50, 20, dtype=torch.float64))
    reference = route(K, b)
    torch.testing.assert_close(route(factor * K, b), reference * factor**-0.5, rtol=1e-9, atol=0)
    torch.testing.assert_close(route(K, factor * b), reference * factor, rtol=1e-9, atol=0)


def test_eigenvectors_are_divided_by_the_root_of_their_eigenvalue(route):
    q, _ = basis(12)
    s = torch.arange(1, 13, dtype=torch.float64)
    for k in range(12):
        found = route(matrix(q, s), q[:, k].contiguous())
        torch.testing.assert_close(found, q[:, k] / s[k].sqrt())


def test_zero_matrix_and_zero_vector_give_zero(route):
    q, b = basis(7)
    K = matrix(q, torch.ones(7, dtype=torch.float64))
    assert route(torch.zeros(7, 7, dtype=torch.float64), b).abs().max() == 0
    assert route(K, torch.zeros(7, dtype=torch.float64)).abs().max() == 0


@pytest.mark.parametrize("negative", [1e-15, 1e-12, 1e-9])
def test_rounding_that_makes_an_eigenvalue_negative_does_no_harm(negative, route):
    q, b = basis(30)
    s = torch.linspace(1, 2, 30, dtype=torch.float64)
    s[-1] = -negative
    found = route(matrix(q, s), b)
    assert torch.isfinite(found).all()
    expected = q[:, :-1] @ (s[:-1] ** -0.5 * (q[:, :-1].T @ b))
    kept = q[:, :-1].T @ found
    torch.testing.assert_close(kept, q[:, :-1].T @ expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("low", [0.5, 1e-3, 1e-7, 1e-13])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-14])
def test_quadrature_meets_its_tolerance_over_the_whole_interval(low, tolerance):
    shifts, weights = _nodes(low, tolerance)
    s = np.geomspace(low, 1 + low, 500)
    found = (np.array(weights)[:, None] / (s + shifts)).sum(0)
    np.testing.assert_allclose(found, s**-0.5, rtol=10 * tolerance)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_matrices_that_are_no_gram_matrices_are_refused(value):
    _, b = basis(6)
    K = value * torch.eye(6, dtype=torch.float64)
    with pytest.raises(NonFiniteLossError, match="overflows|is not positive"):
        apply_inverse_sqrt(K, b)


def test_matrix_is_left_as_it_was():
    q, b = basis(9)
    K = matrix(q, torch.linspace(1, 2, 9, dtype=torch.float64))
    before = K.clone(), b.clone()
    apply_inverse_sqrt(K, b)
    assert torch.equal(K, before[0])
    assert torch.equal(b, before[1])
