"""Views of bands and windows: mirror images, the choice inside training rows, both decoders."""

from __future__ import annotations

import _multi_band as study
import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge

from skbci.augmentation import Mirror
from skbci.datasets import make_motor_imagery


@pytest.fixture(scope="module")
def recording():
    data = make_motor_imagery(4, 1, 12, snr=3.0, sfreq=100, random_state=0)
    return data.X.astype(np.float32), np.asarray(data.y)


@pytest.fixture(scope="module")
def views(recording):
    return study.views_of(recording[0], slow=True)


@pytest.mark.slow
def test_a_mirrored_recording_has_the_mirrored_views(recording, views):
    again = study.views_of(Mirror().exchange(recording[0]), slow=True)
    for name, view in views.mirrored.items():
        np.testing.assert_allclose(view, again.own[name], atol=2e-3 * np.abs(view).max())


@pytest.mark.slow
def test_no_persons_views_depend_on_others(recording, views):
    X = recording[0]
    one = (X.metadata["subject"] == 2).to_numpy()
    alone = study.views_of(X[one], slow=True)
    for name, view in alone.own.items():
        np.testing.assert_allclose(view, views.own[name][one], atol=1e-3)


def test_the_linear_decoder_is_a_ridge_on_odd_parts_of_what_was_chosen(recording, views):
    y = recording[1]
    train = views.subject < 4
    model = study.OnViews("linear").fit(views[train], y[train])
    assert set(model.penalties_) == {next(iter(model.penalties_)), "slow"}
    parts = []
    for name, penalty in model.penalties_.items():
        odd = (study._values(name, views.own) - study._values(name, views.mirrored)) / 2
        parts.append(odd / np.sqrt(np.square(odd[train]).sum(axis=1).mean() * penalty))
    Z = np.hstack(parts)
    sign = np.where(y == model.classes_[1], 1.0, -1.0)
    wanted = KernelRidge(alpha=1.0).fit(Z[train], sign[train]).predict(Z)
    np.testing.assert_allclose(model.decision_function(views), wanted, atol=2e-3)


def test_the_choice_does_not_see_other_rows(recording, views):
    y = recording[1]
    sign = np.where(y == np.unique(y)[1], 1.0, -1.0)
    train = views.subject < 4
    fresh = study.Views(views.own, views.mirrored, views.subject, views.once)
    spoiled = {name: np.where(train[:, None, None], view, 1e3) for name, view in views.own.items()}
    other = study.Views(spoiled, views.mirrored, views.subject, views.once)
    assert study.choose(fresh[train], sign[train]) == study.choose(other[train], sign[train])


@pytest.mark.slow
def test_the_network_is_odd_and_learns(recording, views):
    y = recording[1]
    train = views.subject < 4
    model = study.OnViews("network", n_networks=1).fit(views[train], y[train])
    turned = study.Views(views.mirrored, views.own, views.subject, views.once)
    np.testing.assert_allclose(
        model.decision_function(turned), -model.decision_function(views), atol=1e-6)
    assert np.mean(model.predict(views[train]) == y[train]) > 0.8
    assert all(0 < rate < 1 for rate in model.network_.view_dropout.values())


@pytest.mark.slow
def test_networks_of_views_and_signal_decide_together(recording, views):
    y = recording[1]
    train = views.subject < 4
    model = study.OnViews("networks", n_networks=1).fit(views[train], y[train])
    turned = study.Views(views.mirrored, views.own, views.subject, views.once)
    decided = model.decision_function(views)
    np.testing.assert_allclose(model.decision_function(turned), -decided, atol=1e-5)
    members = model.members(views)
    assert set(members) == {"views", "signal"}
    np.testing.assert_allclose(decided, members["views"] + members["signal"] / 2)
    assert np.mean(model.predict(views[train]) == y[train]) > 0.8
    alone = study.OnViews("odd").fit(views[train], y[train])
    assert set(alone.members(views)) == {"views"}
    np.testing.assert_allclose(alone.decision_function(views), members["views"])


def test_what_is_odd_is_taken_once(views):
    for name in (next(iter(study.TANGENTS)), "slow"):
        half, odd = study._half(name, views), study._odd(name, views)
        # The other half is the same with its sign changed; the midline has nothing odd.
        np.testing.assert_allclose(np.square(odd).sum(axis=1), 2 * np.square(half).sum(axis=1),
                                   rtol=1e-4)
