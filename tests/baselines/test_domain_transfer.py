"""DomainTransfer: which domains pyRiemann's methods are told, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest
from pyriemann.classification import MDM
from pyriemann.transfer import MDWM, TLRotate, encode_domains
from sklearn.base import clone

import skbci
from skbci import EEGArray
from skbci.baselines import DomainTransfer


def matrices(subjects=("a", "b", "c"), n=12, seed=0):
    """Covariances of two classes, each subject's turned in another way."""
    rng = np.random.default_rng(seed)
    parts, table, y = [], [], []
    for subject in subjects:
        turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        for k in range(n):
            power = np.diag([4.0, 1.0, 1.0] if k % 2 else [1.0, 4.0, 1.0])
            x = turned @ np.sqrt(power) @ rng.normal(size=(3, 60))
            parts.append(x @ x.T / 60)
            table.append(subject)
            y.append("right" if k % 2 else "left")
    return EEGArray(np.stack(parts), {"subject": table}), np.array(y)


def encoded(X, y):
    return encode_domains(np.asarray(X), y, X.metadata["subject"].to_numpy())[1]


@pytest.mark.parametrize("target", ["b", None])
def test_means_are_weighted_as_pyriemann_weights_them(target):
    X, y = matrices()
    clf = DomainTransfer(MDWM(0.7, None), target=target).fit(X, y)
    wanted = MDWM(0.7, target or "c").fit(np.asarray(X), encoded(X, y))
    np.testing.assert_allclose(clf.step_.covmeans_, wanted.covmeans_)
    np.testing.assert_array_equal(clf.predict(X), wanted.predict(np.asarray(X)))
    np.testing.assert_allclose(clf.predict_proba(X), wanted.predict_proba(np.asarray(X)))
    assert clf.target_ == (target or "c",)


def test_others_are_turned_to_the_target_and_the_target_is_left():
    X, y = matrices()
    step = DomainTransfer(TLRotate(None, metric="riemann"), target="a")
    out = step.fit_transform(X, y)
    wanted = TLRotate("a", metric="riemann").fit_transform(np.asarray(X).copy(), encoded(X, y))
    np.testing.assert_allclose(np.asarray(out), wanted)
    assert out.metadata.equals(X.metadata)
    np.testing.assert_array_equal(np.asarray(out)[:12], np.asarray(X)[:12])
    np.testing.assert_array_equal(np.asarray(step.transform(X)), np.asarray(X))
    pipe = skbci.make_pipeline(clone(step), MDM()).fit(X, y)
    assert pipe.score(X[:12], y[:12]) > 0.9


def test_labels_of_any_kind():
    X, _ = matrices()
    y = np.tile([11, 2], 18)
    clf = DomainTransfer(MDWM(0.5, None)).fit(X, y)
    assert clf.classes_.tolist() == [2, 11]
    assert clf.score(X[24:], y[24:]) > 0.9


def test_a_score_is_of_as_many_labels_as_rows():
    X, y = matrices()
    clf = DomainTransfer(MDWM(0.5, None)).fit(X, y)
    y = np.where(np.arange(36) % 3, y, y[::-1])  # some wrong
    weight = np.arange(36.0)
    right = clf.predict(X) == y
    assert 0 < right.mean() < 1
    assert clf.score(X, y.tolist()) == right.mean()
    assert clf.score(X, y, sample_weight=weight) == pytest.approx(weight @ right / weight.sum())
    assert clf.score(X, y[:, None]) == right.mean()
    for wrong in (y[:1], y[:35], "left"):
        with pytest.raises((ValueError, TypeError)):
            clf.score(X, wrong)


def test_rows_without_a_table_have_nobody_to_learn_from():
    X, y = matrices(("a",))
    with pytest.warns(UserWarning, match="no table .* nothing is transferred"):
        clf = DomainTransfer(MDWM(0.5, None)).fit(np.asarray(X), y)
    alone = MDM().fit(np.asarray(X), y)
    np.testing.assert_allclose(clf.step_.covmeans_, alone.covmeans_, rtol=1e-6)


@pytest.mark.parametrize(("params", "subjects", "error", "message"), [
    ({}, ("a",), ValueError, r"all 12 training rows are of one domain, \('a',\) .*nobody to tran"),
    ({"target": "z"}, ("a", "b"), ValueError, r"target='z' is not one of \('a',\), \('b',\)"),
    ({"by": "sesion"}, ("a", "b"), ValueError, r"does not have: \['sesion'\]"),
    ({"step": MDM()}, ("a", "b"), TypeError, "has no parameter target_domain"),
])
def test_what_cannot_be_is_named(params, subjects, error, message):
    X, y = matrices(subjects)
    with pytest.raises(error, match=message):
        DomainTransfer(**{"step": MDWM(0.5, None), **params}).fit(X, y)


def test_a_class_that_the_target_does_not_have_is_named():
    X, y = matrices(("a", "b"))
    keep = (X.metadata["subject"] == "a").to_numpy() | (y == "left")
    with pytest.raises(ValueError, match=r"no training row of the target \('b',\) .*'right'"):
        DomainTransfer(MDWM(0.5, None)).fit(X[keep], y[keep])
