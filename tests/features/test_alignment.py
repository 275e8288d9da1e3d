"""EuclideanAlignment and RiemannianRecentering: what is aligned, by what, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyriemann.classification import MDM
from pyriemann.estimation import Covariances
from pyriemann.geometry.distance import distance_riemann
from pyriemann.geometry.mean import mean_riemann
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skbci import EEGArray
from skbci.baselines import riemann_mdm
from skbci.datasets import load_recording, make_motor_imagery
from skbci.features import (
    Crop,
    EuclideanAlignment,
    FilterBank,
    RankReducer,
    RiemannianRecentering,
)
from skbci.model_selection import LeaveSubjectsOut

BOTH = [EuclideanAlignment, RiemannianRecentering]
N, C, T = 12, 5, 160


def make(subjects=("a", "b", "c"), sessions=(1, 2), n=N // 2, reference=False, seed=0):
    """Rows of their own covariance each, every subject's channels mixed in another way."""
    rng = np.random.default_rng(seed)
    parts, table = [], {"subject": [], "session": []}
    for subject in subjects:
        for session in sessions:
            mixing = rng.standard_normal((C, C)) * 1e-5
            rows = rng.standard_normal((n, C, T)) * rng.uniform(0.5, 2, (n, C, 1))
            parts.append(mixing @ rows)
            table["subject"] += [subject] * n
            table["session"] += [session] * n
    X = np.concatenate(parts)
    if reference:
        X -= X.mean(axis=1, keepdims=True)
    return EEGArray(X, table, sfreq=80, ch_names=["F3", "F4", "C3", "C4", "Pz"])


def covariances(rows):
    rows = np.asarray(rows, dtype=float)
    rows = rows - rows.mean(axis=-1, keepdims=True)
    return rows @ rows.transpose(0, 2, 1) / rows.shape[-1]


@pytest.fixture(params=BOTH, ids=lambda c: c.__name__)
def align(request):
    return request.param


# -- what alignment is ----------------------------------------------------------------------


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize(("by", "columns"), [
    ("subject", ["subject"]), ("session", ["subject", "session"]),
])
def test_the_mean_covariance_of_every_group_becomes_the_identity(align, reference, by, columns):
    X = make(reference=reference)
    out = align(by, estimator="scm").fit_transform(X)
    rank = C - reference
    for rows in out.metadata.groupby(columns).indices.values():
        cov = covariances(out[rows])
        values, vectors = np.linalg.eigh(cov.mean(axis=0))
        basis = vectors[:, C - rank:]
        np.testing.assert_allclose(values[: C - rank], 0, atol=1e-12)
        mean = basis.T @ cov @ basis
        mean = mean.mean(axis=0) if align is EuclideanAlignment else mean_riemann(mean)
        np.testing.assert_allclose(mean, np.eye(rank), atol=1e-5)


def test_equals_the_equations():
    X = make(subjects=("a",), sessions=(1,))
    cov = covariances(X)
    for step, mean in (
        (EuclideanAlignment(), cov.mean(axis=0)),
        (RiemannianRecentering(estimator="scm"), mean_riemann(cov * 1e10) / 1e10),
        (EuclideanAlignment(estimator="oas"), Covariances("oas").transform(X).mean(axis=0)),
    ):
        values, vectors = np.linalg.eigh(mean)
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        np.testing.assert_allclose(step.fit_transform(X), root @ np.asarray(X), atol=1e-6)
        np.testing.assert_allclose(step.references_[("a",)], mean, rtol=1e-5, atol=1e-16)


@given(seed=st.integers(0, 2**20))
@settings(max_examples=10)
def test_any_mixture_of_a_subjects_channels_gives_the_same_distances(seed):
    rng = np.random.default_rng(seed)
    X = make(sessions=(1,), n=6)
    mixing = rng.standard_normal((3, C, C)) + 3 * np.eye(C)
    mixed = EEGArray(np.repeat(mixing, 6, axis=0) @ np.asarray(X), X.metadata)
    for align in BOTH:
        step = align(estimator="scm", tol=1e-12)
        one, other = (covariances(step.fit_transform(x)) for x in (X, mixed))
        for group in range(3):
            rows = slice(6 * group, 6 * group + 6)
            # Up to a rotation: distances within a subject are what they were.
            np.testing.assert_allclose(
                [distance_riemann(one[rows][0], c) for c in one[rows]],
                [distance_riemann(other[rows][0], c) for c in other[rows]], atol=1e-4,
            )
        np.testing.assert_allclose(
            np.linalg.eigvalsh(one), np.linalg.eigvalsh(other), rtol=1e-4
        )


def test_volts_and_microvolts_give_the_same(align):
    X = make(reference=True)
    step = align().fit(X)
    micro = align().fit(X * 1e6)
    np.testing.assert_allclose(step.transform(X), micro.transform(X * 1e6), rtol=1e-6, atol=1e-8)
    few = X[[0, 6, 12]]
    np.testing.assert_allclose(step.transform(few), micro.transform(few * 1e6), rtol=1e-6,
                               atol=1e-8)


def test_average_reference_and_doubled_channels_stay_finite(align):
    X = make(reference=True)
    doubled = np.concatenate([np.asarray(X), np.asarray(X)[:, :2]], axis=1)
    out = align().fit_transform(EEGArray(doubled.astype(np.float32), X.metadata))
    assert out.dtype == np.float32
    assert np.isfinite(np.asarray(out)).all()
    values = np.linalg.eigvalsh(covariances(out[:N]).mean(axis=0))
    assert (values < 1e-3).sum() == 3  # the reference's direction and the two copies
    assert values[3:].min() > 0.3


def test_a_subject_may_have_fewer_dimensions_than_another(align):
    X = make(sessions=(1,), n=8)
    data = np.asarray(X).copy()
    data[:8, 4] = data[:8, :4].mean(axis=1)  # an interpolated channel of the first subject
    out = np.asarray(align().fit_transform(EEGArray(data, X.metadata)))
    assert np.linalg.matrix_rank(out[0], tol=1e-6) == 4
    assert np.linalg.matrix_rank(out[8], tol=1e-6) == 5


def test_bands_are_aligned_one_by_one(align):
    X = make()
    data = np.asarray(X)
    bands = np.stack([data, 3e3 * data[..., ::-1] + 1e-6, data[:, ::-1]], axis=1)
    bands = EEGArray(bands, X.metadata, sfreq=80)
    step = align().fit(bands)
    out = np.asarray(step.transform(bands))
    assert step.references_[("a",)].shape == (3, C, C)
    for band in range(3):
        alone = align().fit_transform(EEGArray(np.asarray(bands)[:, band], X.metadata))
        np.testing.assert_allclose(out[:, band], alone, atol=1e-8)
    few = np.asarray(step.transform(bands[[0, 1]]))
    assert few.shape == (2, 3, C, T)


def test_one_channel_is_scaled_to_unit_power(align):
    X = np.random.default_rng(0).standard_normal((9, 50)) * 7
    out = align(estimator="scm").fit_transform(X)
    power = out.var(axis=1)
    mean = power.mean() if align is EuclideanAlignment else np.exp(np.log(power).mean())
    assert mean == pytest.approx(1)


# -- whose rows matter ----------------------------------------------------------------------


@given(order=st.permutations(range(36)))
@settings(max_examples=10)
def test_the_order_of_rows_does_not_matter(order):
    X = make()
    for align in BOTH:
        step = align().fit(X)
        np.testing.assert_allclose(
            step.transform(X[order]), np.asarray(step.transform(X))[order], atol=1e-8
        )


def test_groups_do_not_influence_each_other(align):
    X = make()
    step = align("session").fit(X)
    before = np.asarray(step.transform(X))
    changed = X.copy()
    own = ((X.metadata["subject"] == "b") & (X.metadata["session"] == 2)).to_numpy()
    changed[own] = np.random.default_rng(1).standard_normal((own.sum(), C, T))
    after = np.asarray(step.transform(changed))
    np.testing.assert_array_equal(after[~own], before[~own])
    assert not np.allclose(after[own], before[own])
    np.testing.assert_array_equal(np.asarray(step.transform(X[own])), before[own])


def test_labels_do_not_matter(align):
    X = make()
    y = np.arange(len(X)) % 2
    np.testing.assert_array_equal(
        np.asarray(align().fit_transform(X, y)), np.asarray(align().fit_transform(X, 1 - y))
    )


def test_new_subjects_are_aligned_by_their_own_rows(align):
    step = align().fit(make(("a", "b")))
    other = make(("z",), seed=5)
    np.testing.assert_array_equal(
        np.asarray(step.transform(other)), np.asarray(align().fit_transform(other))
    )


def test_fit_transform_is_fit_then_transform(align):
    X = make()
    few = X[[0, 1, 12, 13, 14]]
    for rows in (X, few):
        np.testing.assert_array_equal(
            np.asarray(align().fit_transform(rows)), np.asarray(align().fit(rows).transform(rows))
        )


def test_session_means_a_session_of_a_subject(align):
    X = make()
    step = align("session").fit(X)
    assert set(step.references_) == {(s, k) for s in "abc" for k in (1, 2)}
    assert set(align("subject").fit(X).references_) == {("a",), ("b",), ("c",)}
    assert set(align(["session"]).fit(X).references_) == set(step.references_)
    table = X.metadata.assign(site=np.repeat(["x", "y"], 18))
    by_site = align("site").fit(EEGArray(np.asarray(X), table))
    assert set(by_site.references_) == {("x",), ("y",)}
    both = align(["site", "subject"]).fit(EEGArray(np.asarray(X), table))
    assert set(both.references_) == {("a", "x"), ("b", "x"), ("b", "y"), ("c", "y")}


def test_plain_arrays_are_one_group(align):
    X = make()
    bare = align().fit_transform(np.asarray(X))
    assert not isinstance(bare, EEGArray)
    one = align().fit_transform(EEGArray(np.asarray(X), {"subject": ["s"] * len(X)}))
    np.testing.assert_array_equal(bare, np.asarray(one))


def test_the_table_goes_on(align):
    X = make()
    out = align().fit_transform(X)
    assert isinstance(out, EEGArray)
    assert out.metadata.equals(X.metadata)
    assert (out.sfreq, out.ch_names) == (X.sfreq, X.ch_names)


# -- few rows -------------------------------------------------------------------------------


def test_a_fitted_subject_can_send_one_row_at_a_time(align):
    X = make()
    step = align().fit(X)
    whole = np.asarray(step.transform(X))
    for row in (0, 13, 35):
        single = np.asarray(step.transform(X[[row]]))[0]
        np.testing.assert_allclose(single, whole[row], atol=1e-8)


def test_the_first_rows_of_a_new_subject_lean_on_the_training_subjects():
    X = make(("a", "b"))
    new = make(("z",), seed=9)
    step = EuclideanAlignment(min_rows=6).fit(X)
    prior = np.mean(list(step.references_.values()), axis=0)
    own = covariances(new)
    for n in (1, 3, 6, 12):
        share = min(1, n / 6)
        values, vectors = np.linalg.eigh((1 - share) * prior + share * own[:n].mean(axis=0))
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        np.testing.assert_allclose(
            step.transform(new[:n]), root @ np.asarray(new[:n]), rtol=1e-6, atol=1e-8
        )


def test_a_new_session_leans_on_its_subject_first(align):
    X = make()
    step = align("session").fit(X)
    new = EEGArray(np.asarray(X[:1]), {"subject": ["b"], "session": [3]})
    others = clone(step).fit(X[(X.metadata["subject"] == "b").to_numpy()])
    np.testing.assert_array_equal(
        np.asarray(step.transform(new)), np.asarray(others.transform(new))
    )
    stranger = EEGArray(np.asarray(X[:1]), {"subject": ["z"], "session": [3]})
    assert not np.allclose(step.transform(stranger), step.transform(new))


def test_one_row_keeps_what_tells_it_from_others(align):
    """Whitened by itself alone, every row's covariance would be the identity."""
    step = align().fit(make(("a", "b")))
    cov = covariances(step.transform(make(("z",), seed=3)[[0]]))[0]
    assert np.abs(cov - np.eye(C)).max() > 0.1


def test_rows_without_signal_do_not_count():
    X = make(("a",))
    data = np.asarray(X).copy()
    data[3] = 0
    out = RiemannianRecentering().fit_transform(data)
    others = np.delete(data, 3, axis=0)
    np.testing.assert_allclose(
        np.delete(out, 3, axis=0), RiemannianRecentering().fit_transform(others), atol=1e-8
    )
    assert not out[3].any()
    aligned = EuclideanAlignment().fit(X).transform(X.with_data(np.zeros((len(X), C, T))))
    np.testing.assert_array_equal(aligned, 0)


# -- in a pipeline --------------------------------------------------------------------------


def test_recentered_subjects_can_be_decoded_by_others():
    """Electrodes that pick up more in one subject than in another: without alignment a guess."""
    rng = np.random.default_rng(0)
    subject, y = np.repeat(np.arange(6), 20), np.tile([0, 1], 60)
    sources = rng.standard_normal((120, 3, 200))
    sources[y == 1, 0] *= 2.0
    gains = np.exp(rng.normal(0, 1, (6, 3, 1)))
    X = EEGArray(gains[subject] * sources * 1e-5, {"subject": subject})
    cv = LeaveSubjectsOut(3)
    scores = {
        name: cross_val_score(make_pipeline(step, Covariances("oas"), MDM()), X, y, cv=cv).mean()
        for name, step in (("none", "passthrough"), ("EA", EuclideanAlignment()),
                           ("RR", RiemannianRecentering()))
    }
    assert scores["EA"] > scores["none"] + 0.1
    assert scores["RR"] > scores["none"] + 0.1
    assert min(scores["EA"], scores["RR"]) > 0.85


def test_cross_validation_does_not_depend_on_the_order_within_folds(align):
    data = make_motor_imagery(2, 1, 20, random_state=0)
    pipe = make_pipeline(FilterBank(((8, 30),), output="channels"), Crop(0.5, 3.5), align(),
                         RankReducer(), Covariances("oas"), MDM())
    rng = np.random.default_rng(0)
    folds = list(KFold(2, shuffle=True, random_state=0).split(data.X))
    mixed = [(rng.permutation(train), rng.permutation(test)) for train, test in folds]
    np.testing.assert_array_equal(
        cross_val_score(pipe, data.X, data.y, cv=folds),
        cross_val_score(pipe, data.X, data.y, cv=mixed),
    )


# -- bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize(("params", "error", "message"), [
    ({"by": 3}, TypeError, "by=3 must be a column's name or a list of names"),
    ({"by": []}, ValueError, r"by=\[\] must name at least one column"),
    ({"by": ["run", "run"]}, ValueError, "none twice"),
    ({"by": "sesion"}, ValueError, r"does not have: \['sesion'\]; it has \['subject', 'session'"),
    ({"estimator": "mean"}, ValueError, "estimator='mean' is not one of 'scm', 'oas', 'lwf'"),
    ({"min_rows": 0}, ValueError, "min_rows=0 must be at least 1"),
    ({"min_rows": 2.5}, TypeError, "min_rows=2.5 must be an integer"),
    ({"tol": 1.0}, ValueError, "tol=1.0 must be at least 0 and below 1"),
    ({"tol": "small"}, TypeError, "tol='small' must be a number"),
])
def test_bad_parameters_are_named(align, params, error, message):
    with pytest.raises(error, match=f"{align.__name__}: .*{message}"):
        align(**params).fit(make())


def test_missing_labels_are_named(align):
    X = make()
    table = X.metadata.assign(subject=[None, *X.metadata["subject"][1:]])
    with pytest.raises(ValueError, match="column 'subject' has missing entries"):
        align().fit(EEGArray(np.asarray(X), table))


def test_too_short_rows_are_named():
    with pytest.raises(ValueError, match="singular covariance .* estimator='oas' or 'lwf'"):
        RiemannianRecentering(estimator="scm").fit(make()[..., :4])
    assert np.isfinite(RiemannianRecentering().fit_transform(np.asarray(make())[..., :4])).all()


def test_other_channels_are_named(align):
    step = align().fit(make())
    with pytest.raises(ValueError, match="X has 4 channels .* fitted with 5 channels"):
        step.transform(np.zeros((3, 4, T)))


# -- recordings -----------------------------------------------------------------------------


@pytest.mark.real_data
def test_sessions_of_graz_2b(data_folder):
    """Sessions 1-3 -> 4-5 of two subjects whose sessions differ."""
    plain, recentered = [], []
    for subject in ("B01", "B05"):
        data = load_recording(data_folder / "bci4_2b" / f"{subject}.npz")
        early = (data.metadata["session"] <= 3).to_numpy()
        for scores, alignment in ((plain, None), (recentered, RiemannianRecentering("session"))):
            pipe = riemann_mdm(alignment=alignment).fit(data.X[early], data.y[early])
            scores.append(pipe.score(data.X[~early], data.y[~early]))
    assert np.mean(recentered) > np.mean(plain) + 0.05


@pytest.mark.real_data
def test_new_subjects_of_imagined_fists(data_folder):
    """Trained on 30 subjects, tested on ten others: alignment is worth several points."""
    data = load_recording(data_folder / "eegmmidb", pattern="mi_fists_*.npz",
                          subjects=range(1, 41))
    X = make_pipeline(FilterBank(((8, 30),), output="channels"), Crop(0.5, 3.5)).fit_transform(
        data.X
    )
    train = (data.metadata["subject"] <= 30).to_numpy()
    scores = {}
    for name, step in (("none", "passthrough"), ("EA", EuclideanAlignment())):
        pipe = make_pipeline(step, RankReducer(), Covariances("oas"), MDM())
        scores[name] = pipe.fit(X[train], data.y[train]).score(X[~train], data.y[~train])
    assert scores["EA"] > scores["none"] + 0.03
