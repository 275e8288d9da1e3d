"""CausalCentering: no look ahead, no influence between sessions, the same in chunks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import (
    check_pipeline_consistency,
    check_transformer_data_not_an_array,
    check_transformer_general,
)

from skbci import EEGArray
from skbci.features import CausalCentering

SETTINGS = [
    {},
    {"scale": True},
    {"forgetting": 0.9},
    {"prior_rows": 5},
    {"forgetting": 0.8, "prior_rows": 3.5, "scale": True},
]


def make(n=40, n_features=3, sessions=(1, 2), subjects=(1,), offset=10.0, seed=0):
    rng = np.random.default_rng(seed)
    parts, table = [], {"subject": [], "session": [], "onset": []}
    for subject in subjects:
        for session in sessions:
            parts.append(rng.normal(size=(n, n_features)) + offset * rng.normal(size=n_features))
            table["subject"] += [subject] * n
            table["session"] += [session] * n
            table["onset"] += list(np.arange(n) / 4)
    return EEGArray(np.concatenate(parts), table)


def reference(rows, forgetting=1.0, prior_rows=0.0, mean=0.0, var=0.0, scale=False):
    """The class's equation, term by term."""
    out = []
    for t in range(len(rows)):
        w = forgetting ** (t - np.arange(t + 1.0))
        n0 = prior_rows * forgetting ** (t + 1)
        total = n0 + w.sum()
        m = (n0 * mean + w @ rows[: t + 1]) / total
        second = (n0 * (var + mean**2) + w @ rows[: t + 1] ** 2) / total
        spread = np.sqrt(np.maximum(second - m**2, 0)) if scale else 1.0
        apart = rows[t] - m
        out.append(np.where(spread > 1e-6, apart / np.where(spread > 1e-6, spread, 1), 0))
    return np.array(out)


@pytest.mark.parametrize("params", SETTINGS)
def test_equals_the_equation(params):
    X = make(sessions=(1, 2, 3))
    step = CausalCentering(**params).fit(X)
    out = np.asarray(step.transform(X))
    for session in (1, 2, 3):
        rows = (X.metadata["session"] == session).to_numpy()
        wanted = reference(np.asarray(X)[rows], mean=step.mean_, var=step.var_, **params)
        np.testing.assert_allclose(out[rows], wanted, atol=1e-9)


@pytest.mark.parametrize("params", SETTINGS)
@given(cut=st.integers(1, 39))
@settings(max_examples=15, deadline=None)
def test_later_rows_never_matter(params, cut):
    X = make(sessions=(1,))
    step = CausalCentering(**params).fit(make(seed=1))
    changed = X.copy()
    changed[cut:] = 1e3
    np.testing.assert_array_equal(
        np.asarray(step.transform(X))[:cut], np.asarray(step.transform(changed))[:cut]
    )
    np.testing.assert_array_equal(
        np.asarray(step.transform(X))[:cut], np.asarray(step.transform(X[:cut]))
    )


@pytest.mark.parametrize("params", SETTINGS)
def test_sessions_and_subjects_do_not_influence_each_other(params):
    X = make(subjects=("a", "b"), sessions=(1, 2))
    step = CausalCentering(**params).fit(X)
    whole = np.asarray(step.transform(X))
    for subject in ("a", "b"):
        for session in (1, 2):
            rows = ((X.metadata["subject"] == subject)
                    & (X.metadata["session"] == session)).to_numpy().nonzero()[0]
            np.testing.assert_array_equal(whole[rows], np.asarray(step.transform(X[rows])))


def test_sessions_may_be_interleaved():
    X = make(sessions=(1, 2))
    mixed = np.arange(80).reshape(2, 40).T.ravel()
    step = CausalCentering().fit(X)
    np.testing.assert_array_equal(
        np.asarray(step.transform(X[mixed])), np.asarray(step.transform(X))[mixed]
    )


@pytest.mark.parametrize("params", [p for p in SETTINGS if "prior_rows" not in p])
def test_an_offset_of_the_session_has_no_influence(params):
    X = make(sessions=(1, 2))
    shifted = X + np.where(X.metadata["session"].to_numpy() == 1, 5.0, -1e4)[:, None]
    step = CausalCentering(**params).fit(X)
    np.testing.assert_allclose(step.transform(shifted), step.transform(X), atol=1e-6)


def test_a_prior_is_forgotten():
    rows = np.full((4000, 2), 7.0)
    for params in ({"prior_rows": 5}, {"prior_rows": 50, "forgetting": 0.99}):
        step = CausalCentering(**params).fit(np.zeros((10, 2)))
        out = step.transform(rows)
        assert np.abs(out[0]).min() > 5
        assert np.abs(out[-1]).max() < 0.02


def test_without_a_prior_the_training_data_do_not_matter():
    X = make(seed=2)
    one, other = (CausalCentering(scale=True).fit(make(seed=s, offset=s)) for s in (0, 50))
    np.testing.assert_array_equal(one.transform(X), other.transform(X))


def test_forgetting_with_an_equal_prior_is_the_exponential_mean():
    X, n = make(sessions=(1,)), 12
    step = CausalCentering(forgetting=1 - 1 / n, prior_rows=n).fit(make(seed=3))
    mean, wanted = step.mean_, []
    for row in np.asarray(X):
        mean = mean + (row - mean) / n
        wanted.append(row - mean)
    np.testing.assert_allclose(step.transform(X), wanted, atol=1e-9)


def test_the_prior_is_how_sessions_begin():
    X = make(sessions=(1, 2))
    data = np.asarray(X)
    step = CausalCentering(prior_rows=8).fit(X)
    np.testing.assert_allclose(step.mean_, (data[:8].mean(0) + data[40:48].mean(0)) / 2)
    np.testing.assert_allclose(step.var_, (data[:8].var(0) + data[40:48].var(0)) / 2)


@pytest.mark.parametrize("params", SETTINGS)
@given(cuts=st.lists(st.integers(0, 40), max_size=6))
@settings(max_examples=15, deadline=None)
def test_chunks_give_the_same(params, cuts):
    X = make(sessions=(1,))
    step = CausalCentering(**params).fit(make(seed=1))
    stream = step.start()
    parts = [stream.update(part) for part in np.split(np.asarray(X), sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(parts), np.asarray(step.transform(X)))
    assert stream.n_rows_ == len(X)
    if not step.scale:
        np.testing.assert_allclose(np.asarray(X)[-1] - stream.mean_, np.concatenate(parts)[-1])


def test_levels():
    X = make(subjects=(1, 2), sessions=(1, 2), n=10)
    data = np.asarray(X)
    first = {"subject": [0, 20], "session": [0, 10, 20, 30], "run": [0, 10, 20, 30]}
    for by, starts in first.items():
        out = np.asarray(CausalCentering(by=by).fit_transform(_one_run(X)))
        assert np.flatnonzero((out == 0).all(axis=1)).tolist() == starts
    whole = np.asarray(CausalCentering().fit_transform(data))
    np.testing.assert_allclose(whole, reference(data), atol=1e-9)


def _one_run(X):
    """Sessions as parts of one run, so that a subject's onsets go on."""
    table = X.metadata.copy()
    table["onset"] = np.arange(len(X), dtype=float)
    return EEGArray(np.asarray(X), table)


def test_runs_of_a_session_share_the_mean_and_may_start_their_clocks_anew():
    X = make(sessions=(1,))
    table = X.metadata.assign(run=np.repeat([1, 2], 20), onset=np.tile(np.arange(20.0), 2))
    runs = EEGArray(np.asarray(X), table)
    np.testing.assert_array_equal(
        np.asarray(CausalCentering().fit_transform(runs)),
        np.asarray(CausalCentering().fit_transform(X)),
    )


def test_rows_keep_their_table_and_type():
    X = make().astype(np.float32)
    out = CausalCentering().fit_transform(X)
    assert isinstance(out, EEGArray)
    assert out.dtype == np.float32
    assert out.metadata.equals(X.metadata)


def test_signals_are_centred_entry_by_entry():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 3, 5))
    out = CausalCentering(forgetting=0.9).fit_transform(X)
    flat = CausalCentering(forgetting=0.9).fit_transform(X.reshape(12, 15))
    np.testing.assert_allclose(out.reshape(12, 15), flat)


def test_equal_rows_give_zeros_with_scale():
    X = np.full((30, 2), 0.1) * [1e-6, 1e6]
    assert not CausalCentering(scale=True).fit_transform(X).any()


@pytest.mark.parametrize("check", [
    check_pipeline_consistency, check_transformer_data_not_an_array, check_transformer_general,
], ids=lambda c: c.__name__)
def test_common_checks_that_the_tag_leaves_out(check):
    """The tag non_deterministic is about rows in another order only."""

    class Tagged(CausalCentering):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.non_deterministic = False
            return tags

    check("CausalCentering", Tagged())


# -- bad input ------------------------------------------------------------------------------


def test_onsets_that_run_backwards_are_named():
    X = make(sessions=(1,))
    with pytest.raises(ValueError, match=r"session 1 row 11 \(onset 2\.5 s\) comes after row 10"):
        CausalCentering().fit(X[[*range(10), 11, 10, *range(12, 40)]])


def test_two_runs_without_a_label_are_not_mixed_up():
    X = make(sessions=(1, 2))
    table = X.metadata.assign(session=1)
    with pytest.raises(ValueError, match="their own label in the metadata column 'run'"):
        CausalCentering().fit_transform(EEGArray(np.asarray(X), table))


def test_a_run_must_not_come_back():
    X = make(sessions=(1,))
    table = X.metadata.assign(run=np.repeat([1, 2, 1, 2], 10))
    with pytest.raises(ValueError, match="goes on at row 20"):
        CausalCentering().fit(EEGArray(np.asarray(X), table))


def test_missing_onsets_are_named():
    X = make(sessions=(1,))
    table = X.metadata.assign(onset=np.nan)
    with pytest.raises(ValueError, match="'onset' has missing"):
        CausalCentering().fit(EEGArray(np.asarray(X), table))


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"forgetting": 0.0}, ValueError, "forgetting=0.0 must be above 0 and at most 1"),
    ({"forgetting": 1.1}, ValueError, "forgetting=1.1"),
    ({"forgetting": "slow"}, TypeError, "forgetting='slow' must be a number"),
    ({"prior_rows": -1}, ValueError, "prior_rows=-1 must be at least 0"),
    ({"prior_rows": np.inf}, ValueError, "prior_rows=inf"),
    ({"by": "block"}, ValueError, "by='block' is not one of 'subject', 'session', 'run'"),
    ({"scale": "yes"}, TypeError, "scale='yes' must be True or False"),
])
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        CausalCentering(**params).fit(np.zeros((5, 2)))


def test_a_stream_refuses_rows_of_another_shape():
    stream = CausalCentering().fit(np.zeros((5, 2))).start()
    with pytest.raises(ValueError, match=r"rows of shape \(2,\) are needed"):
        stream.update(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="no rows yet"):
        _ = stream.mean_


# -- rows that are no drift ------------------------------------------------------------------


def drifting(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3)) + np.array([5.0, -20.0, 0.0]) + np.arange(n)[:, None] / 20


@pytest.mark.parametrize("size", [1e5, 1e9, 1e300, -1e12])
@pytest.mark.parametrize("settings", [
    {}, {"forgetting": 0.9}, {"prior_rows": 5.0}, {"scale": True},
], ids=str)
def test_a_huge_row_does_not_move_the_rest_of_the_session(size, settings):
    X = drifting()
    step = CausalCentering(**settings).fit(X)
    new = drifting(seed=1)
    wanted = step.transform(np.delete(new, 12, axis=0))
    new[12, 1] = size
    with pytest.warns(UserWarning, match=r"1 of 60 rows .* row 12 \(too large in feature 1\)"):
        found = step.transform(new)
    assert (found[12] == 0).all()
    np.testing.assert_allclose(np.delete(found, 12, axis=0), wanted, rtol=1e-9, atol=1e-12)
    stream = step.start()
    with pytest.warns(UserWarning, match="too large in feature 1"):
        chunks = [stream.update(new[a : a + 7]) for a in range(0, 60, 7)]
    np.testing.assert_allclose(np.concatenate(chunks), found, rtol=1e-9, atol=1e-12)


def test_a_huge_row_does_not_move_the_prior():
    X = drifting()
    wanted = CausalCentering().fit(np.delete(X, 12, axis=0))
    X[12] = 1e12
    with pytest.warns(UserWarning, match="row 12"):
        found = CausalCentering().fit(X)
    np.testing.assert_allclose(found.mean_, wanted.mean_)
    np.testing.assert_allclose(found.var_, wanted.var_)


def test_a_lasting_shift_is_believed_after_ten_rows():
    step = CausalCentering().fit(drifting())
    new = drifting(seed=1)
    new[20:] += 1e6
    with pytest.warns(UserWarning, match="9 of 60 rows"):
        found = step.transform(new)
    assert (found[20:30] == 0).all()  # the tenth begins the mean anew
    np.testing.assert_allclose(found[29:], step.transform(new[29:]), atol=1e-9)


def test_a_session_may_begin_with_a_huge_row():
    step = CausalCentering().fit(drifting())
    new = drifting(seed=1)
    new[0] = 1e15
    with pytest.warns(UserWarning, match="9 of 60 rows"):
        found = step.transform(new)
    np.testing.assert_allclose(found[10:], step.transform(new[10:]), atol=1e-9)


def test_an_offset_of_a_session_is_no_fault():
    step = CausalCentering().fit(drifting())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shifted = step.transform(drifting(seed=1) + 1e6)
    np.testing.assert_allclose(shifted, step.transform(drifting(seed=1)), atol=1e-8)
