"""The action of a Gram matrix's inverse square root on one vector."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

import numpy as np
import torch
from scipy.linalg import lapack
from scipy.special import ellipj, ellipkm1
from threadpoolctl import ThreadpoolController
from torch import Tensor

from skbci.optim._errors import NonFiniteLossError

# The binomial series of (1 - q)^(-1/2), and a last term that makes the sum zero at q = 1.
_SERIES = (1.0, 1 / 2, 3 / 8, 5 / 16, -35 / 16)


def apply_inverse_sqrt(K: Tensor, b: Tensor) -> Tensor:
    r"""Compute :math:`K^{-1/2} b`, with the directions that K sends to zero left out.

    Parameters
    ----------
    K : Tensor, shape (n, n)
        Symmetric and positive semi-definite up to rounding. Only the lower half is read on the
        CPU.
    b : Tensor, shape (n,)

    Returns
    -------
    Tensor, shape (n,)

    Raises
    ------
    NonFiniteLossError
        If the matrix is not finite, or far from positive semi-definite.

    Notes
    -----
    Eigenvalues are known to within rounding errors, which lie below the floor
    :math:`f = 4 \sqrt{n}\, \varepsilon \lVert K \rVert`. With :math:`q = f / (s + f)` an
    eigenvalue :math:`s` acts as

    .. math:: (s + f)^{-1/2}
              (1 + \tfrac12 q + \tfrac38 q^2 + \tfrac5{16} q^3 - \tfrac{35}{16} q^4),

    which is :math:`s^{-1/2} (1 + O(q^4))` above the floor, by the binomial series of
    :math:`(1 - q)^{-1/2}`, and goes smoothly to zero below it: the pseudo-inverse's square root
    as far as it can be known.

    On the CPU the matrix is brought to tridiagonal form, which takes about a fifth of the time of
    an eigendecomposition. There the inverse square root is a contour integral, evaluated by the
    quadrature of [1]_ (section 4): a dozen shifted tridiagonal systems in single precision, about
    sixty in double precision, each as cheap as a few vector operations. Elsewhere the matrix is
    decomposed.

    References
    ----------
    .. [1] N. Hale, N. J. Higham, L. N. Trefethen (2008). Computing A^alpha, log(A), and related
       matrix functions by contour integrals. SIAM Journal on Numerical Analysis 46(5).
       doi:10.1137/070700607
    """
    if K.device.type == "cpu" and len(b) > 1:
        with same_threads():
            return torch.from_numpy(_by_quadrature(K.numpy(), b.numpy()))
    return _by_eigenvectors(K, b)


def relative_floor(n: int, eps: float) -> float:
    """Eigenvalues below this share of the largest one are lost in rounding errors."""
    return 4 * math.sqrt(n) * eps


def same_threads() -> AbstractContextManager[object]:
    """Make scipy's BLAS use as many threads as torch does.

    The bits of a result depend on the number, and joblib gives its workers fewer.
    """
    wanted = torch.get_num_threads()
    libraries = _blas()
    if all(library.num_threads == wanted for library in libraries.lib_controllers):
        return nullcontext()
    return libraries.limit(limits=wanted)


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


def _by_eigenvectors(K: Tensor, b: Tensor) -> Tensor:
    s, U = torch.linalg.eigh(K)
    top = s[-1]
    if not top > 0:
        return torch.zeros_like(b)
    floor = relative_floor(len(b), torch.finfo(K.dtype).eps) * top
    shifted = s.clamp(min=0) + floor
    q = floor / shifted
    response = torch.full_like(s, _SERIES[-1])
    for coefficient in reversed(_SERIES[:-1]):
        response = response * q + coefficient
    return U @ (response * shifted**-0.5 * (U.mT @ b))


def _by_quadrature(K: np.ndarray, b: np.ndarray) -> np.ndarray:
    n = len(b)
    single = K.dtype == np.float32
    diagonal, beside, reflectors, tau = _tridiagonalize(K, b, single)
    beta, beside = beside[0], beside[1:]
    solve = lapack.sptsv if single else lapack.dptsv
    bound = _gershgorin(diagonal, beside)
    if not math.isfinite(bound):
        raise NonFiniteLossError("The Gram matrix of the Jacobian overflows.")
    if bound == 0 or beta == 0:
        return np.zeros_like(b)
    # Scaled to a spectrum within [0, 1], and to a right-hand side of length 1.
    diagonal, beside = diagonal / bound, beside / bound
    right = np.zeros((n, 1), K.dtype)
    right[0] = 1
    eps = float(np.finfo(K.dtype).eps)
    floor = relative_floor(n, eps)
    y = None
    while y is None:
        if floor > 1:
            raise NonFiniteLossError("The Gram matrix of the Jacobian is not positive.")
        y = _quadrature(solve, diagonal, beside, right, floor, eps)
        floor *= 10  # rounding made an eigenvalue more negative than the floor is high
    y *= beta / math.sqrt(bound)
    rotate = lapack.sormqr if single else lapack.dormqr
    # The least workspace: reflector by reflector, ten times faster on a single column.
    out, _, info = rotate("L", "N", reflectors, tau, y, 1)
    assert info == 0
    return out[:, 0]


def _tridiagonalize(
    K: np.ndarray, b: np.ndarray, single: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Reduce K to Q T Q' where Q's first column is along b.

    Give T's diagonal; b's length (signed) followed by T's subdiagonal; and Q as reflectors.
    LAPACK takes the first column of the matrix bordered by b to a multiple of the first unit
    vector, which is what Q' has to do with b.
    """
    n = len(b)
    bordered = np.empty((n + 1, n + 1), K.dtype, order="F")
    bordered[0, 0] = 0
    bordered[1:, 0] = b
    bordered[1:, 1:] = K.T  # symmetric; this way both are read along memory
    reduce = lapack.ssytrd if single else lapack.dsytrd
    packed, diagonal, beside, tau, info = reduce(
        bordered, lower=1, lwork=16 * (n + 1), overwrite_a=1
    )
    assert info == 0
    return diagonal[1:], beside, np.asfortranarray(packed[1:, :-1]), tau


def _gershgorin(diagonal: np.ndarray, beside: np.ndarray) -> float:
    """Bound the eigenvalues of a symmetric tridiagonal matrix."""
    return float(np.abs(diagonal).max() + 2 * np.abs(beside).max(initial=0))


def _quadrature(
    solve: Callable[..., tuple[np.ndarray, ...]],
    diagonal: np.ndarray,
    beside: np.ndarray,
    right: np.ndarray,
    floor: float,
    eps: float,
) -> np.ndarray | None:
    """Act on a vector in [0, 1]; give None if the shifted matrix is not positive definite."""
    shifts, weights = _nodes(floor, eps)
    total = np.zeros_like(right)
    shifted = diagonal + diagonal.dtype.type(floor)
    for row, weight in zip(shifted + shifts.astype(shifted.dtype), weights):
        _, _, x, info = solve(row, beside, right)
        if info:
            return None
        x *= weight
        total += x
    y = _SERIES[-1] * total
    for coefficient in reversed(_SERIES[:-1]):
        _, _, y, info = solve(shifted, beside, y)
        if info:
            return None
        y *= floor
        y += coefficient * total
    return y


@lru_cache(maxsize=64)
def _nodes(low: float, tolerance: float) -> tuple[np.ndarray, list[float]]:
    r"""Return shifts (a column) and weights of the quadrature for s in [low, 1 + low].

    It is :math:`s^{-1/2} \approx \sum_j w_j / (s + t_j)`. With the elliptic functions of modulus
    :math:`k'`, :math:`k^2` = low / (1 + low), and :math:`u_j` spread evenly over (0, K'),
    :math:`t_j` = low (sn / cn)^2 and :math:`w_j \propto` dn / cn^2.
    """
    parameter = 1 - low / (1 + low)
    k2 = 1 - parameter  # as rounded: the elliptic functions must agree on it
    # The error falls as exp(-2 pi^2 n / (log(1 / k2) + 3)).
    n = math.ceil((math.log(1 / k2) + 3) * math.log(1 / tolerance) / (2 * math.pi**2)) + 1
    quarter = float(ellipkm1(k2))
    u = (np.arange(n) + 0.5) * quarter / n
    # The upper half by reflection at K' / 2: there cn loses its digits.
    near = u <= quarter / 2
    sn, cn, dn, _ = ellipj(np.where(near, u, quarter - u), parameter)
    root = math.sqrt(k2)
    shifts = low * np.where(near, sn / cn, cn / (root * sn)) ** 2
    weights = np.where(near, dn / cn**2, dn / (root * sn**2))
    weights *= 2 * quarter * math.sqrt(low) / (math.pi * n)
    return shifts[:, np.newaxis], weights.tolist()
