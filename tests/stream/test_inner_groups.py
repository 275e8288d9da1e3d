"""Steps that go by a person's rows, inside of ensembles and other estimators, in a stream."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import StackingClassifier
from sklearn.model_selection import StratifiedKFold

import skbci
from skbci import EEGArray
from skbci.estimators import (
    AdaptiveBatchNorm,
    AugmentedClassifier,
    CrossValEnsemble,
    MIN2NetClassifier,
    MultiViewClassifier,
)
from skbci.features import EuclideanAlignment, GroupScaler, WelchPSD
from skbci.stream import OnlineDecoder

RANDOM = np.random.default_rng(0)
Y = np.tile(["left", "right"], 30)
ROWS = EEGArray(RANDOM.normal(size=(60, 3, 64)) * 1e-5, {"subject": np.repeat([1, 2, 3], 20)},
                sfreq=64.0, ch_names=["C3", "Cz", "C4"])
STREAM = RANDOM.normal(size=(3, 200)) * 1e-5


def scaled():
    return skbci.make_pipeline(
        WelchPSD(n_per_seg=32, log=True), GroupScaler(), LinearDiscriminantAnalysis())


def aligned_views():
    view = skbci.make_pipeline(EuclideanAlignment(), WelchPSD(n_per_seg=32, log=True))
    return MultiViewClassifier([("power", view)], max_epochs=1, random_state=0)


@pytest.mark.parametrize("make", [
    lambda: CrossValEnsemble(scaled(), StratifiedKFold(3, shuffle=True, random_state=0)),
    lambda: AugmentedClassifier(scaled(), None),
    aligned_views, lambda: StackingClassifier([("scaled", scaled())], cv=2),
], ids=["ensemble", "augmented", "views", "stacking"])
def test_a_stranger_is_refused_and_a_known_person_decoded_by_what_is_known(make):
    clf = make().fit(ROWS, Y)
    for unknown in ({"subject": 4}, None):
        with pytest.raises(ValueError, match="cannot run causally: .* not among those of"):
            OnlineDecoder(clf, 1.0, 0.5, metadata=unknown, sfreq=64.0).update(STREAM)
    _, found = OnlineDecoder(clf, 1.0, 0.5, metadata={"subject": 2}, sfreq=64.0).update(STREAM)
    windows = np.stack([STREAM[:, start : start + 64] for start in range(0, 137, 32)])
    own = EEGArray(windows, {"subject": [2] * 5}, sfreq=64.0, ch_names=ROWS.ch_names)
    wanted = np.concatenate([clf.predict_proba(own[[row]]) for row in range(5)])
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("wrap", [lambda clf: clf, lambda clf: AugmentedClassifier(clf, None)])
def test_a_network_that_adapts_to_all_rows_of_a_call_is_refused(wrap):
    clf = wrap(AdaptiveBatchNorm(MIN2NetClassifier(max_epochs=1, random_state=0))).fit(ROWS, Y)
    with pytest.raises(ValueError, match="AdaptiveBatchNorm goes by all rows .* its estimator_"):
        OnlineDecoder(clf, 1.0, 0.5, metadata={"subject": 2}, sfreq=64.0).update(STREAM)
    inner = clf.estimator_
    network = getattr(inner, "estimator_", inner)
    assert len(OnlineDecoder(network, 1.0, 0.5).update(STREAM)[1]) == 5
