"""MOABB's evaluations, with its made-up data set."""

from __future__ import annotations

import os
import warnings

import mne
import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV

from skbci.baselines import (
    csp_lda,
    erp_lda,
    erp_xdawn_riemann,
    eye_state_ensemble,
    eye_state_pipeline,
    fbcsp,
    riemann_mdm,
    slow_potentials_lr,
    ssvep_cca,
    tangent_space_lr,
)
from skbci.estimators import MIN2NetClassifier
from skbci.features import EuclideanAlignment
from skbci.model_selection import LeaveSubjectsOut, SessionSplit

pytestmark = pytest.mark.extras

PIPELINES = {
    "csp": csp_lda(2, sfreq=128),
    "fbcsp": fbcsp(2, n_features=4, sfreq=128),
    "tangent": tangent_space_lr(sfreq=128),
    "mdm": riemann_mdm(sfreq=128),
    "aligned": riemann_mdm(sfreq=128, alignment="euclidean"),
    "slow": slow_potentials_lr(sfreq=128, alignment=None),
    "erp": erp_lda(sfreq=128),
    "xdawn": erp_xdawn_riemann(2, sfreq=128),
    "cca": ssvep_cca([10.0, 12.0], sfreq=128),
    "eyes": eye_state_pipeline(sfreq=128, max_epochs=2, random_state=0),
    "eyes, two": eye_state_ensemble("Ens3", sfreq=128, max_epochs=2, random_state=0),
    "network": MIN2NetClassifier(max_epochs=1, random_state=0),
}


@pytest.fixture(scope="module", autouse=True)
def moabb(tmp_path_factory):
    """MOABB, quiet, with a folder of its own."""
    folder = str(tmp_path_factory.mktemp("mne"))
    before = {name: os.environ.get(name) for name in ("MNE_DATA", "_MNE_FEW_FILES")}
    os.environ["MNE_DATA"] = folder
    level = mne.set_log_level("ERROR", return_old_level=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import moabb

        moabb.set_log_level("error")
        yield moabb
    mne.set_log_level(level)
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def evaluate(moabb, tmp_path_factory):
    """Run pipelines through one of MOABB's evaluations."""
    from moabb import evaluations
    from moabb.datasets.fake import FakeDataset
    from moabb.paradigms import LeftRightImagery

    def run(kind, pipelines, n_subjects=2, paradigm=None, param_grid=None, **settings):
        source = FakeDataset(
            ["left_hand", "right_hand"], n_sessions=2, n_subjects=n_subjects, n_runs=1, seed=0,
            duration=80, n_events=20)
        found = getattr(evaluations, kind)(
            paradigm=paradigm or LeftRightImagery(), datasets=[source], overwrite=True,
            hdf5_path=str(tmp_path_factory.mktemp("results")), **settings)
        state = np.random.get_state()  # the made-up data are drawn from the global one
        try:
            return found.process(pipelines, param_grid=param_grid)
        finally:
            np.random.set_state(state)

    return run


@pytest.mark.parametrize("kind", [
    "WithinSessionEvaluation", "CrossSessionEvaluation", "CrossSubjectEvaluation",
])
def test_every_baseline_and_a_network_run_unchanged(kind, evaluate):
    more = {"n_splits": 2} if kind == "WithinSessionEvaluation" else {}
    results = evaluate(kind, PIPELINES, **more)
    counts = results.groupby("pipeline").size()
    assert counts.to_dict() == dict.fromkeys(PIPELINES, 4)  # two sessions of two subjects
    assert results["score"].between(0, 1).all()


def test_epochs_know_their_rate_and_their_people(evaluate):
    kept = {"csp": csp_lda(2), "aligned": riemann_mdm(alignment="riemannian")}
    results = evaluate("CrossSubjectEvaluation", kept, return_epochs=True)
    assert len(results) == 8
    assert results["score"].between(0, 1).all()


def test_bands_of_a_filter_bank_paradigm(moabb, evaluate):
    from moabb.paradigms import FilterBankLeftRightImagery

    paradigm = FilterBankLeftRightImagery(filters=[[8, 12], [12, 16], [16, 20]])
    with pytest.raises(ValueError, match=r"np\.moveaxis\(X, -1, 1\)"):
        evaluate("CrossSubjectEvaluation", {"csp": bands_csp()}, paradigm=paradigm)
    moved = bands_csp(moved=True)
    assert len(evaluate("CrossSubjectEvaluation", {"csp": moved}, paradigm=paradigm)) == 4


def bands_csp(moved=False):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.preprocessing import FunctionTransformer

    from skbci import make_pipeline
    from skbci.baselines import BandCSP

    steps = [BandCSP(2), LinearDiscriminantAnalysis()]
    axes = {"source": -1, "destination": 1}
    return make_pipeline(*([FunctionTransformer(np.moveaxis, kw_args=axes)] * moved), *steps)


@pytest.mark.parametrize(("kind", "cv_class", "cv_kwargs"), [
    ("CrossSubjectEvaluation", LeaveSubjectsOut, {"n_splits": 3}),
    ("CrossSubjectEvaluation", LeaveSubjectsOut,
     {"n_splits": 2, "test_subjects": 1, "random_state": 0}),
    ("CrossSessionEvaluation", SessionSplit, {}),
])
def test_splitters_as_cv_class(kind, cv_class, cv_kwargs, evaluate):
    results = evaluate(kind, {"csp": csp_lda(2, sfreq=128)}, n_subjects=3, cv_class=cv_class,
                       cv_kwargs=cv_kwargs)
    if kind == "CrossSessionEvaluation":
        assert results["session"].nunique() == 1  # the later one is tested
        assert set(results["subject"].astype(int)) == {1, 2, 3}
    else:
        assert results["subject"].nunique() == cv_kwargs["n_splits"]


def test_transfer_feeds_the_alignment(evaluate):
    """Subjects and target rows arrive, though the arrays are plain."""
    seen = []

    class Spy(EuclideanAlignment):
        def fit_transform(self, X, y=None, subjects=None, X_target_unlabeled=None):
            out = super().fit_transform(X, y, subjects, X_target_unlabeled)
            seen.append((sorted(self.references_), list(self.target_references_)))
            return out

    pipe = riemann_mdm(sfreq=128, alignment=Spy())
    results = evaluate("CrossSubjectEvaluation", {"mdm": pipe}, n_subjects=3,
                       cs_mode="train_and_target_unlabeled_20p")
    assert seen == [([(2,), (3,)], [()]), ([(1,), (3,)], [()]), ([(1,), (2,)], [()])]
    assert len(results) == 6
    seen.clear()
    evaluate("CrossSubjectEvaluation", {"mdm": pipe}, n_subjects=3)
    assert seen == [([(2,), (3,)], []), ([(1,), (3,)], []), ([(1,), (2,)], [])]


def test_leave_subjects_out_inside_a_search_on_plain_arrays(evaluate):
    with config_context(enable_metadata_routing=True):
        cv = LeaveSubjectsOut(2).set_split_request(groups="subjects")
    search = GridSearchCV(riemann_mdm(sfreq=128), {"cov__estimator": ["oas", "lwf"]}, cv=cv)
    results = evaluate("CrossSubjectEvaluation", {"search": search}, n_subjects=3)
    assert len(results) == 6


def test_searches_over_alignments(evaluate):
    grid = {"mdm": {"align": ["passthrough", EuclideanAlignment()]}}
    results = evaluate("CrossSessionEvaluation", {"mdm": riemann_mdm(sfreq=128)}, param_grid=grid)
    assert len(results) == 4


def test_meta_analysis_is_that_of_moabb():
    from moabb.analysis.meta_analysis import (
        compute_dataset_statistics,
        find_significant_differences,
    )

    from skbci.evaluation import meta_analysis
    from tests.evaluation.test_meta_analysis import make_table

    table = make_table((5, 9, 24, 31))
    own = meta_analysis(table, "A")
    theirs = compute_dataset_statistics(table)
    p, smd = find_significant_differences(theirs)
    for name in ("B", "C"):
        np.testing.assert_allclose(own.combined.loc[name, "smd"], smd.loc[name, "A"])
        np.testing.assert_allclose(own.combined.loc[name, "p"], p.loc[name, "A"])
        pairs = theirs[(theirs["pipe1"] == name) & (theirs["pipe2"] == "A")].set_index("dataset")
        lines = own.datasets[own.datasets["pipeline"] == name].set_index("dataset")
        np.testing.assert_allclose(lines["smd"], pairs.loc[lines.index, "smd"])
        np.testing.assert_allclose(lines["p"], pairs.loc[lines.index, "p"])


def test_tables_go_there_and_back(evaluate):
    from moabb.analysis.chance_level import chance_by_chance
    from moabb.analysis.meta_analysis import compute_dataset_statistics

    from skbci.evaluation import Comparison, meta_analysis

    pipelines = {"csp": csp_lda(2, sfreq=128), "mdm": riemann_mdm(sfreq=128)}
    results = evaluate("CrossSessionEvaluation", pipelines, n_subjects=3)
    result = Comparison.from_moabb(results, "csp")
    (levels,) = chance_by_chance(results).values()
    assert result.chance == levels["theoretical"]
    assert result.chance_bound == levels["adjusted"][0.05]
    means = results.groupby(["subject", "pipeline"])["score"].mean().unstack()
    np.testing.assert_allclose(result.subjects, means[result.subjects.columns])
    other = result.to_moabb("another")
    both = meta_analysis({"one": result, "two": Comparison.from_moabb(other)}, "csp")
    assert both.combined.loc["mdm", "n_datasets"] == 2
    statistics = compute_dataset_statistics(other)  # MOABB takes the table
    np.testing.assert_allclose(
        statistics.query("pipe1 == 'mdm' and pipe2 == 'csp'")["smd"], both.datasets["smd"][:1],
        atol=1e-9)
