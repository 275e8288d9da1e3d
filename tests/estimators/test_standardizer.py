"""Networks' input: scaled to mean 0 and deviation 1, whatever its offset."""

from __future__ import annotations

import numpy as np
import pytest

from skbci.estimators._neural.standardizer import Standardizer


@pytest.mark.parametrize("shape", [(50, 3), (50, 3, 20)])
@pytest.mark.parametrize("offset", [0.0, 5.0, 1e6])
def test_moments_are_numpys(shape, offset):
    data = np.random.default_rng(0).standard_normal(shape) + offset
    data[0] += 3.0  # the first row is not like the others
    found = Standardizer().fit(data)
    columns = np.moveaxis(data, 1, 0).reshape(3, -1)
    np.testing.assert_allclose(found.mean, columns.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.scale, columns.std(axis=1), rtol=1e-9)
    scaled = np.moveaxis(found.transform(data, np.float64), 1, 0).reshape(3, -1)
    np.testing.assert_allclose(scaled.mean(axis=1), 0, atol=1e-8)
    np.testing.assert_allclose(scaled.std(axis=1), 1, rtol=1e-9)


def test_a_weight_of_three_is_a_row_three_times():
    data = np.random.default_rng(1).standard_normal((6, 2, 8)) + 2.0
    weight = np.array([1, 3, 0, 1, 2, 1])
    found, repeated = Standardizer().fit(data, weight), data[np.repeat(np.arange(6), weight)]
    np.testing.assert_allclose(found.mean, repeated.mean(axis=(0, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.scale, repeated.std(axis=(0, 2)), rtol=1e-9)
