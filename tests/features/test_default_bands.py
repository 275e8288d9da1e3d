"""The nine default bands are those of filter-bank CSP: 4 to 40 Hz in steps of 4 Hz."""

from __future__ import annotations

import numpy as np

from skbci.features import FilterBank


def test_nine_bands_from_4_to_40_hz():
    X = np.random.default_rng(0).normal(size=(2, 2, 256))
    bands = FilterBank(sfreq=128).fit(X).bands_
    expected = [(low, low + 4) for low in range(4, 40, 4)]
    np.testing.assert_array_equal(np.asarray(bands, dtype=float), expected)
