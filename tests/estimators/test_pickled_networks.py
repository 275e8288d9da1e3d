"""What a fitted network's pickle holds, and what it does not."""

from __future__ import annotations

import pickle
import pickletools

import numpy as np
import pytest

from skbci.estimators import MIN2NetClassifier, MLPClassifier


@pytest.fixture
def epochs():
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 3, 200)), np.tile(["left", "right"], 60)


def test_a_pickle_does_not_grow_with_the_rows(epochs):
    X, y = epochs
    sizes = [
        len(pickle.dumps(MIN2NetClassifier(max_epochs=1, random_state=0).fit(X[:n], y[:n])))
        for n in (20, 120)
    ]
    assert sizes[1] < 1.05 * sizes[0]


def test_no_data_frame_is_pickled(epochs):
    X, y = epochs
    clf = MLPClassifier((3,), max_epochs=2, random_state=0).fit(X[:, 0], y)
    table = clf.history_
    data = pickle.dumps(clf)
    names = [arg for _, arg, _ in pickletools.genops(data) if isinstance(arg, str)]
    assert not [name for name in names if name.startswith("pandas")]
    assert pickle.loads(data).history_.equals(table)
