"""ChannelScaling: each channel of each subject gets unit variance, and nothing else happens."""

from __future__ import annotations

import numpy as np
import pytest

from skbci import EEGArray
from skbci.features import ChannelScaling


def two_subjects(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((16, 3, 200)) * rng.uniform(1, 50, (2, 3)).repeat(8, axis=0)[..., None]
    return EEGArray(X * 1e-6, {"subject": np.repeat([1, 2], 8)})


def test_each_channel_is_divided_by_its_subjects_deviation():
    X = two_subjects()
    out = np.asarray(ChannelScaling().fit_transform(X))
    for rows in (slice(0, 8), slice(8, 16)):
        data = np.asarray(X)[rows]
        np.testing.assert_allclose(
            out[rows], data / np.sqrt(data.var(axis=-1).mean(axis=0))[:, None], rtol=1e-10)


def test_signs_units_and_other_subjects_do_not_matter():
    X = two_subjects()
    out = np.asarray(ChannelScaling().fit_transform(X))
    np.testing.assert_allclose(np.asarray(ChannelScaling().fit_transform(X * 1e6)), out)
    np.testing.assert_allclose(np.asarray(ChannelScaling().fit_transform(X * -1)), -out)
    alone = ChannelScaling().fit(X[:8]).transform(X[8:])
    np.testing.assert_allclose(np.asarray(alone), out[8:])


def test_bands_are_scaled_one_by_one():
    X = two_subjects()
    bands = EEGArray(np.stack([np.asarray(X), 7 * np.asarray(X)], axis=1), X.metadata)
    out = np.asarray(ChannelScaling().fit_transform(bands))
    np.testing.assert_allclose(out[:, 0], out[:, 1], rtol=1e-9)


def test_no_channel_gets_into_another():
    X = two_subjects()
    reference = ChannelScaling().fit(X).references_[(1,)]
    assert (reference[~np.eye(3, dtype=bool)] == 0).all()


@pytest.mark.parametrize(("setting", "match"), [({"by": "age"}, "age"), ({"tol": -1}, "tol=-1"),
                                                ({"min_rows": 0}, "min_rows=0")])
def test_bad_settings(setting, match):
    with pytest.raises((ValueError, TypeError), match=match):
        ChannelScaling(**setting).fit(two_subjects())
