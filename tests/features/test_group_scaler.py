"""GroupScaler: z-scores within each group, by whose rows, and by what of rows it has not seen."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from pyriemann.geometry.tangentspace import tangent_space
from pyriemann.transfer import TLScale, encode_domains
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import skbci
from skbci import EEGArray
from skbci.features import BandEnergy, GroupScaler, LogCovariance, RiemannianRecentering
from skbci.stream import OnlineDecoder


def rows(subjects=("a", "b", "c"), sessions=(1, 2), n=12, seed=0):
    rng = np.random.default_rng(seed)
    parts, table = [], {"subject": [], "session": []}
    for subject in subjects:
        for session in sessions:
            parts.append(rng.normal(rng.normal(0, 9, 4), rng.uniform(0.1, 8, 4), (n, 4)))
            table["subject"] += [subject] * n
            table["session"] += [session] * n
    return EEGArray(np.concatenate(parts), table)


def of(X, **labels):
    keep = np.ones(len(X), dtype=bool)
    for column, value in labels.items():
        keep &= (X.metadata[column] == value).to_numpy()
    return np.asarray(X)[keep]


@pytest.mark.parametrize(("by", "groups"), [
    ("subject", [{"subject": s} for s in "abc"]),
    ("session", [{"subject": s, "session": k} for s in "abc" for k in (1, 2)]),
])
def test_each_group_gets_what_a_standard_scaler_of_its_own_gives(by, groups):
    X = rows()
    out = GroupScaler(by).fit_transform(X)
    for group in groups:
        own = of(X, **group)
        np.testing.assert_allclose(
            of(out, **group), StandardScaler().fit_transform(own), atol=1e-12)
    np.testing.assert_array_equal(np.asarray(GroupScaler(by).fit(X).transform(X)), np.asarray(out))


@pytest.mark.parametrize(("mean", "std"), [(True, False), (False, True), (False, False)])
def test_mean_and_deviation_can_be_left_alone(mean, std):
    X = rows(("a",))
    wanted = StandardScaler(with_mean=mean, with_std=std).fit_transform(np.asarray(X))
    found = GroupScaler(with_mean=mean, with_std=std).fit_transform(X)
    np.testing.assert_allclose(np.asarray(found), wanted, atol=1e-12)


def test_one_deviation_for_all_values_is_the_scaling_of_procrustes_analysis():
    rng = np.random.default_rng(0)
    mixing = np.eye(3) + 0.3 * rng.normal(size=(40, 3, 3))
    X = EEGArray(mixing @ rng.normal(size=(40, 3, 80)), {"subject": np.repeat([1, 2], 20)})
    centered = RiemannianRecentering(estimator="scm").fit_transform(X)
    found = GroupScaler(with_mean=False, joint=True).fit_transform(
        LogCovariance("scm").fit_transform(centered))
    matrices = np.stack([np.cov(x, ddof=0) for x in np.asarray(centered)])
    _, y = encode_domains(matrices, np.tile([0, 1], 20), np.repeat([1, 2], 20))
    scaled = TLScale("2", centered_data=True).fit_transform(matrices, y)
    wanted = tangent_space(scaled, np.eye(3)) * np.sqrt(6)  # six values of a joint norm of one
    np.testing.assert_allclose(np.asarray(found), wanted, atol=1e-5)


def test_new_groups_go_by_their_own_rows_whatever_was_fitted():
    new = rows(("z",), seed=5)
    out = GroupScaler().fit(rows()).transform(new)
    np.testing.assert_allclose(
        np.asarray(out), StandardScaler().fit_transform(np.asarray(new)), atol=1e-12)


def test_neither_order_nor_other_groups_matter():
    X = rows()
    step = GroupScaler().fit(X)
    whole = np.asarray(step.transform(X))
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_allclose(np.asarray(step.transform(X[order])), whole[order], atol=1e-12)
    alone = (X.metadata["subject"] == "b").to_numpy()
    np.testing.assert_array_equal(np.asarray(step.transform(X[alone])), whole[alone])


def test_few_rows_of_a_fitted_group_go_by_what_is_known_of_it():
    X = rows()
    whole = np.asarray(GroupScaler().fit_transform(X))
    step = GroupScaler().fit(X)
    for row in (0, 30, 71):
        np.testing.assert_allclose(np.asarray(step.transform(X[[row]]))[0], whole[row], atol=1e-12)


def test_few_rows_of_a_new_group_are_mixed_with_its_relatives():
    X, new = rows(("a", "b")), rows(("z",), seed=9)
    step = GroupScaler(min_rows=6).fit(X)
    own = [of(X, subject=s) for s in "ab"]
    mean, var = np.mean([r.mean(0) for r in own], 0), np.mean([r.var(0) for r in own], 0)
    for n in (1, 3, 6):
        some, share = np.asarray(new)[:n], n / 6
        center = (1 - share) * mean + share * some.mean(0)
        spread = np.sqrt((1 - share) * var + share * some.var(0))
        np.testing.assert_allclose(np.asarray(step.transform(new[:n])), (some - center) / spread)
    sessions = GroupScaler("session").fit(X)
    own = [of(X, subject="b", session=k) for k in (1, 2)]
    later = EEGArray(np.asarray(new)[:1], {"subject": ["b"], "session": [3]})
    center = 0.9 * np.mean([r.mean(0) for r in own], 0) + 0.1 * np.asarray(new)[0]
    spread = np.sqrt(0.9 * np.mean([r.var(0) for r in own], 0))
    np.testing.assert_allclose(
        np.asarray(sessions.transform(later)), (np.asarray(later) - center) / spread)


def test_rows_that_arrive_in_parts_are_known_as_if_they_had_come_together():
    X = rows()
    step = GroupScaler().fit(X[:30])
    for start in range(30, len(X), 7):
        step.partial_fit(X[start : start + 7])
    together = GroupScaler().fit(X)
    for key in together.means_:
        np.testing.assert_allclose(step.means_[key], together.means_[key])
        np.testing.assert_allclose(step.vars_[key], together.vars_[key])
        assert step.weights_[key] == together.weights_[key] == 24
    first = GroupScaler().partial_fit(X)
    assert first.means_.keys() == together.means_.keys()


def test_a_new_group_becomes_known_row_by_row():
    X, new = rows(("a", "b")), rows(("z",), seed=9)
    step = GroupScaler().fit(X)
    before = np.asarray(step.transform(new[:1]))
    for row in range(len(new)):
        step.partial_fit(new[[row]])
    np.testing.assert_allclose(np.asarray(step.transform(new[:1])),
                               StandardScaler().fit_transform(np.asarray(new))[:1], atol=1e-9)
    assert np.abs(before - np.asarray(step.transform(new[:1]))).max() > 0.1


def test_a_weight_of_two_is_two_rows_and_of_zero_none():
    X = rows(("a", "b"))
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    step = GroupScaler().fit(X, sample_weight=weight)
    repeated = GroupScaler().fit(X[np.repeat(np.arange(len(X)), weight)])
    for key in step.means_:
        np.testing.assert_allclose(step.means_[key], repeated.means_[key])
        np.testing.assert_allclose(step.vars_[key], repeated.vars_[key])
    out = np.asarray(GroupScaler().fit_transform(X, sample_weight=weight))
    np.testing.assert_allclose(
        out[:24], (np.asarray(X)[:24] - step.means_["a",]) / np.sqrt(step.vars_["a",]))
    with pytest.raises(ValueError, match=r"sample_weight is zero for all 24 rows .*\('b',\)"):
        GroupScaler().fit(X, sample_weight=np.arange(48) < 24)


def test_an_absurd_row_moves_no_other():
    X = rows(("a", "b"))
    rest = np.delete(np.asarray(X)[:24], 5, axis=0)
    X[5, 2] = 1e9
    with pytest.warns(UserWarning, match=r"GroupScaler: 1 of 48 rows .*row 5 \(too large in feat"):
        step = GroupScaler().fit(X)
    np.testing.assert_allclose(step.means_["a",], rest.mean(axis=0))
    with pytest.warns(UserWarning, match="row 5"):
        out = np.asarray(step.transform(X))
    np.testing.assert_allclose(
        np.delete(out[:24], 5, axis=0), StandardScaler().fit_transform(rest), atol=1e-12)
    with pytest.warns(UserWarning, match="row 0"):
        step.partial_fit(X[5:6])
    assert step.weights_["a",] == 23


def test_groups_of_other_units_are_not_absurd():
    X = rows(("a", "b"))
    X[24:] *= 1e6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = np.asarray(GroupScaler().fit(X[:24]).transform(X))
    np.testing.assert_allclose(out[24:].std(axis=0), 1)


@pytest.mark.parametrize("value", [0.1, 3.0])
def test_what_does_not_vary_is_only_centered(value):
    X = rows(("a",))
    X[:, 1] = value
    out = np.asarray(GroupScaler().fit_transform(X))
    np.testing.assert_allclose(out[:, 1], 0, atol=1e-12)


def test_signals_and_bands_value_by_value():
    X = np.random.default_rng(0).normal(3, 2, (20, 2, 3, 8))
    flat = StandardScaler().fit_transform(X.reshape(20, -1)).reshape(X.shape)
    np.testing.assert_allclose(GroupScaler().fit_transform(X), flat, atol=1e-12)
    single = GroupScaler().fit_transform(X.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, flat, atol=1e-5)


def test_it_pickles_names_columns_and_leaves_the_input_alone():
    X = rows()
    before = np.asarray(X).copy()
    step = GroupScaler().fit(X)
    out = np.asarray(step.transform(X))
    np.testing.assert_array_equal(np.asarray(X), before)
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(step)).transform(X)), out)
    assert step.get_feature_names_out(list("wxyz")).tolist() == list("wxyz")
    assert step.transform(X).metadata.equals(X.metadata)


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"by": 3}, TypeError, "by=3 must be a column's name"),
    ({"by": "sesion"}, ValueError, r"does not have: \['sesion'\]"),
    ({"with_mean": 2}, TypeError, "with_mean=2"),
    ({"joint": 1}, TypeError, "joint=1"),
    ({"with_std": "no"}, TypeError, "with_std='no'"),
    ({"min_rows": 0}, ValueError, "min_rows=0 must be at least 1"),
])
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        GroupScaler(**params).fit(rows())


def test_bad_rows_are_named():
    X = rows()
    step = GroupScaler().fit(X)
    with pytest.raises(ValueError, match="column 'subject' has missing entries"):
        step.transform(EEGArray(np.asarray(X), X.metadata.assign(subject=None)))
    with pytest.raises(ValueError, match="3 features"):
        step.transform(X[:, :3])
    X[0, 0] = np.nan
    for call in (GroupScaler().fit, step.transform, step.partial_fit):
        with pytest.raises(ValueError, match="NaN"):
            call(X)


def test_a_stream_goes_by_what_is_known_of_its_subject():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2, 64)) * np.repeat([1.0, 7.0], 30)[:, None, None]
    y = np.tile([0, 1], 30)
    X[y == 1, 0] *= 2
    X = EEGArray(X, {"subject": np.repeat([1, 2], 30)}, sfreq=64, ch_names=["C3", "C4"])
    pipe = skbci.make_pipeline(
        BandEnergy(log=True), GroupScaler(), LogisticRegression()).fit(X, y)
    signal = rng.normal(size=(2, 64 * 5)) * 7
    decoder = OnlineDecoder(pipe, 1.0, 0.5, metadata={"subject": 2})
    found = decoder.update(signal)[1]
    windows = np.stack([signal[:, 32 * k : 32 * k + 64] for k in range(9)])
    alone = [pipe.predict_proba(EEGArray(w[None], {"subject": [2]}, sfreq=64,
                                         ch_names=["C3", "C4"])) for w in windows]
    np.testing.assert_allclose(found, np.concatenate(alone), atol=1e-6)
    assert "by the fitted group" in decoder.steps.values()
    with pytest.raises(ValueError, match=r"'groupscaler' .*cannot run causally"):
        OnlineDecoder(pipe, 1.0, 0.5, metadata={"subject": 3})
