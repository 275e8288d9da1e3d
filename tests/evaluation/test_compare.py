from __future__ import annotations

import dataclasses
import warnings

import mne
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from skbci import EEGArray
from skbci.evaluation import Comparison, compare, leakage_report
from skbci.model_selection import LeaveSubjectsOut, WithinSubject

SUBJECT = np.repeat(["S1", "S2", "S10", "S3", "S4", "S5"], 20)
Y = np.random.RandomState(0).randint(0, 2, 120)
DATA = np.random.RandomState(1).standard_normal((120, 4)) + 0.5 * Y[:, None]
X = EEGArray(DATA, {"subject": SUBJECT})
PIPELINES = {
    "LR": LogisticRegression(),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "1-NN": KNeighborsClassifier(1),
}
TIMES = ["fit_s", "predict_s"]


def _scores(result: Comparison) -> list[pd.DataFrame]:
    return [result.summary.drop(columns=TIMES), result.folds.drop(columns=TIMES),
            result.subjects, result.tests]


@pytest.fixture(scope="module")
def result() -> Comparison:
    return compare(PIPELINES, X, Y, cv=WithinSubject(4), baseline="LR", progress=False)


def test_fold_scores_are_those_of_cross_val_score(result):
    for name, estimator in PIPELINES.items():
        expected = cross_val_score(estimator, DATA, Y, cv=WithinSubject(4), groups=SUBJECT)
        folds = result.folds.query("pipeline == @name")
        assert np.array_equal(folds["score"], expected)
        assert folds["fold"].tolist() == list(range(24))
        assert (folds["n_train"] + folds["n_test"] == 20).all()
        means = expected.reshape(6, 4).mean(axis=1)  # folds of S1, S2, S3, S4, S5, S10
        np.testing.assert_allclose(result.subjects[name], means)
        assert result.summary.loc[name, "mean"] == pytest.approx(means.mean())
        assert result.summary.loc[name, "sd"] == pytest.approx(means.std(ddof=1))
    assert result.subjects.index.tolist() == ["S1", "S2", "S3", "S4", "S5", "S10"]
    assert (result.summary[TIMES] > 0).all(axis=None)
    assert (result.unit, result.metric) == ("subject", "accuracy")


def test_subjects_of_a_mixed_fold_are_scored_one_by_one():
    cv = LeaveSubjectsOut(2)
    result = compare({"LR": LogisticRegression()}, X, Y, cv=cv, progress=False)
    assert result.summary.loc["LR", "folds"] == 2
    for train, test in cv.split(X, Y):
        fitted = LogisticRegression().fit(DATA[train], Y[train])
        for subject in np.unique(SUBJECT[test]):
            rows = np.flatnonzero(subject == SUBJECT)
            assert result.subjects.loc[subject, "LR"] == fitted.score(DATA[rows], Y[rows])


def test_folds_are_rows_by_number_from_either_end_or_by_mask():
    first, last = np.arange(60), np.arange(60, 120)
    ways = [(first, last), (first, last - 120), (np.arange(120) < 60, np.arange(120) >= 60)]
    expected = cross_val_score(PIPELINES["LR"], DATA, Y, cv=[(first, last)] * 3)
    result = compare({"LR": PIPELINES["LR"]}, DATA, Y, cv=ways, progress=False)
    assert np.array_equal(result.folds["score"], expected)


def test_folds_that_test_what_they_train_on_are_said():
    folds = [(np.arange(60), np.arange(60, 120)), (np.arange(80), np.arange(-60, 0))]
    words = r"compare: 1 of 2 folds test rows that they train on \(fold 1: 20 of 60 rows\)"
    with pytest.warns(UserWarning, match=words):
        compare({"LR": PIPELINES["LR"]}, DATA, Y, cv=folds, progress=False)
    assert leakage_report(folds[1:], DATA).folds["in_training"].tolist() == [20 / 60]


@pytest.mark.parametrize("train", [np.ones(3, bool), [0, 120], [-121, 0], [0.0, 1.0]])
def test_folds_of_rows_that_are_not_there_are_refused(train):
    words = "the training rows of fold 0 of cv must be whole numbers below 120, or a mask"
    with pytest.raises(ValueError, match=words):
        compare({"LR": PIPELINES["LR"]}, DATA, Y, cv=[(train, [5, 6])], progress=False)


def test_order_of_the_pipelines_changes_no_number(result):
    turned = dict(reversed(PIPELINES.items()))
    other = compare(turned, X, Y, cv=WithinSubject(4), baseline="LR", progress=False)
    assert list(other.summary.index) == list(turned)
    for ours, theirs in zip(_scores(result), _scores(other)):
        if "pipeline" in ours:
            by = ["pipeline", "fold"]
            ours, theirs = ours.sort_values(by), theirs.sort_values(by)
            assert_frame_equal(ours.reset_index(drop=True), theirs.reset_index(drop=True))
        else:
            assert_frame_equal(ours, theirs.reindex_like(ours))


def test_two_processes_give_what_one_gives(result):
    other = compare(PIPELINES, X, Y, cv=WithinSubject(4), baseline="LR", progress=False, n_jobs=2)
    for ours, theirs in zip(_scores(result), _scores(other)):
        assert_frame_equal(ours, theirs)


def test_a_random_splitter_deals_the_same_folds_to_everybody():
    same = {"a": KNeighborsClassifier(1), "b": KNeighborsClassifier(1)}
    cv = LeaveSubjectsOut(4, 2, random_state=np.random.RandomState(0))
    result = compare(same, X, Y, cv=cv, baseline="a", progress=False)
    wide = result.folds.pivot(index="fold", columns="pipeline", values="score")
    assert (wide["a"] == wide["b"]).all()


def test_identical_pipelines_differ_by_nothing_and_nobody_warns():
    same = {"a": LogisticRegression(), "b": LogisticRegression(), "c": LogisticRegression()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = compare(same, X, Y, cv=WithinSubject(2), baseline="b", progress=False)
        text = str(result)
    assert list(result.tests.index) == ["a", "c"]
    assert (result.tests[["difference", "ci_low", "ci_high", "d_z", "rank_biserial"]] == 0).all(
        axis=None)
    assert (result.tests.filter(like="p_") == 1).all(axis=None)
    assert "+0.000 [+0.000, +0.000]" in text


def test_tests_are_over_subjects_or_else_over_folds(result):
    from scipy import stats

    line = result.tests.loc["1-NN"]
    paired = stats.ttest_rel(result.subjects["1-NN"], result.subjects["LR"])
    assert line["n"] == 6
    assert line["p_t"] == pytest.approx(paired.pvalue)
    over_folds = compare(PIPELINES, DATA, Y, cv=KFold(4), baseline="LR", progress=False)
    assert over_folds.unit == "fold"
    assert len(over_folds.subjects) == 0
    wide = over_folds.unit_scores()
    assert wide.shape == (4, 3)
    d = wide["1-NN"] - wide["LR"]
    t = d.mean() / np.sqrt(d.var(ddof=1) * (1 / 4 + 30 / 90))
    assert over_folds.tests.loc["1-NN", "p_t"] == pytest.approx(2 * stats.t.sf(abs(t), 3))


def test_both_tests_are_corrected_for_the_number_of_pipelines(result):
    for test in ("p_wilcoxon", "p_t"):
        small, large = np.sort(result.tests[test])
        expected = [min(2 * small, 1), min(max(2 * small, large), 1)]  # Holm, two hypotheses
        np.testing.assert_allclose(np.sort(result.tests[f"{test}_holm"]), expected)
        assert expected[0] > small


def test_groups_speak_for_subjects_where_the_table_is_silent():
    result = compare({"LR": LogisticRegression()}, DATA, Y, cv=LeaveSubjectsOut(3),
                     groups=SUBJECT, progress=False)
    assert result.unit == result.subjects.index.name == "group"
    assert len(result.subjects) == 6
    alone = compare({"LR": LogisticRegression()}, X, Y, cv=3, by=None, progress=False)
    assert alone.unit == "fold"


@pytest.mark.parametrize("kind", ["datetime64[D]", "datetime64[ns]", "timedelta64[ns]"])
@pytest.mark.parametrize("given", ["groups", "table"])
def test_dates_are_units_of_a_comparison_as_any_labels(kind, given, tmp_path):
    day = pd.factorize(SUBJECT)[0]
    dates = day.astype("timedelta64[D]").astype(kind) if kind[0] == "t" else (
        np.datetime64("2020-01-01") + day).astype(kind)
    how = {"cv": KFold(3, shuffle=True, random_state=0), "baseline": "LR", "progress": False}
    numbers = compare(PIPELINES, DATA, Y, groups=day, **how)
    rows, groups = (DATA, dates) if given == "groups" else (EEGArray(DATA, {"day": dates}), None)
    for _ in range(2):  # done, and read from the folder
        result = compare(PIPELINES, rows, Y, groups=groups, by="day", cache=tmp_path, **how)
        assert (result.unit, numbers.unit) == ("group" if given == "groups" else "day", "group")
        assert np.array_equal(result.subjects, numbers.subjects)
        assert result.subjects.index[0] in (pd.Timestamp("2020-01-01"), pd.Timedelta(0))


def test_several_metrics_the_first_is_the_score(result):
    several = compare(PIPELINES, X, Y, cv=WithinSubject(4), baseline="LR", progress=False,
                      scoring=["accuracy", "roc_auc", "f1"])
    assert_frame_equal(several.subjects, result.subjects)
    assert_frame_equal(several.tests, result.tests)
    assert {"roc_auc", "f1"} < set(several.folds)
    expected = cross_val_score(PIPELINES["LR"], X, Y, cv=WithinSubject(4), scoring="f1")
    assert several.summary.loc["LR", "f1"] == pytest.approx(expected.mean())
    assert "roc_auc" in several.to_markdown()
    named = compare(PIPELINES, X, Y, cv=3, by=None, progress=False,
                    scoring={"AUC": "roc_auc", "acc": make_scorer(accuracy_score)})
    assert named.metric == "AUC"
    assert "acc" in named.summary


def test_a_callable_metric_and_the_estimators_own():
    def hits(estimator, rows, targets):
        return float(np.sum(estimator.predict(rows) == targets))

    own = compare({"LR": LogisticRegression()}, X, Y, cv=3, scoring=hits, progress=False)
    assert own.metric == "hits"
    assert own.folds["score"].sum() == own.folds["score"].astype(int).sum() > 60
    ridge = compare({"ridge": Ridge()}, X, Y * 1.0, cv=3, scoring=None, progress=False)
    assert np.array_equal(ridge.folds["score"], cross_val_score(Ridge(), X, Y * 1.0, cv=3))


@pytest.mark.parametrize(
    ("scoring", "chance"), [("roc_auc", 0.5), ("balanced_accuracy", 0.5)]
)
def test_chance_is_what_knowing_only_the_labels_gives(scoring, chance):
    result = compare({"LR": LogisticRegression()}, DATA, Y, scoring=scoring, progress=False)
    assert result.chance == pytest.approx(chance)


def test_chance_of_accuracy_is_the_larger_class():
    y = np.array([0] * 90 + [1] * 30)
    assert compare({"LR": LogisticRegression()}, DATA, y, progress=False).chance == 0.75


def test_chance_of_balanced_classes_is_half_whatever_the_folds():
    # One row left out of six: the other class is always the more frequent one in training.
    rows, targets = DATA[:6], np.tile(["left", "right"], 3)
    result = compare({"LR": LogisticRegression()}, rows, targets, cv=LeaveOneOut(),
                     progress=False)
    assert result.chance == 0.5


def test_inner_grid_search_sees_subjects_and_epochs_go_straight_in():
    info = mne.create_info(4, 100.0, "eeg")
    events = np.column_stack([np.arange(120) * 10, np.zeros(120, int), Y + 1])
    data = np.random.RandomState(0).standard_normal((120, 4, 6)) * 1e-6 + 1e-6 * DATA[:, :, None]
    epochs = mne.EpochsArray(data, info, events, metadata=pd.DataFrame({"subject": SUBJECT}),
                             verbose="error")
    flat = FunctionTransformer(_rms)
    search = GridSearchCV(make_pipeline(flat, LogisticRegression()),
                          {"logisticregression__C": [0.1, 10]}, cv=LeaveSubjectsOut(2))
    result = compare({"search": search}, epochs, Y, cv=LeaveSubjectsOut(3), progress=False)
    assert result.unit == "subject"
    assert result.summary.loc["search", "mean"] > 0.6


def _rms(rows):
    return np.asarray(rows).mean(axis=-1) * 1e6


def test_groups_and_weights_travel_by_metadata_routing():
    weight = np.where(Y == 1, 1.0, 0.0) + 1e-9  # all weight on one class
    weighted = LogisticRegression()
    with config_context(enable_metadata_routing=True):
        weighted.set_fit_request(sample_weight=True)
        plain = LogisticRegression().set_fit_request(sample_weight=False)
        scorer = get_scorer("accuracy").set_score_request(sample_weight=False)
        search = GridSearchCV(plain, {"C": [0.1, 10]}, cv=LeaveSubjectsOut(2), scoring=scorer)
        result = compare({"weighted": weighted, "plain": plain, "search": search}, DATA, Y,
                         cv=LeaveSubjectsOut(3), groups=SUBJECT, scoring=scorer,
                         params={"sample_weight": weight}, progress=False)
        share = np.mean([Y[t].mean() for _, t in LeaveSubjectsOut(3).split(X)])
        assert result.folds.query("pipeline == 'weighted'")["score"].mean() == pytest.approx(share)
        assert result.summary.loc["plain", "mean"] > share
        with pytest.raises(TypeError, match=r"nothing requests params \['colour'\]"):
            compare({"plain": plain}, DATA, Y, params={"colour": weight}, progress=False)
        with pytest.raises(Exception, match=r"sample_weight.* not explicitly set"):
            compare({"unset": LogisticRegression()}, DATA, Y, params={"sample_weight": weight},
                    scoring=scorer, progress=False)
    with config_context(enable_metadata_routing=False):
        result = compare({"weighted": LogisticRegression()}, X, Y, cv=LeaveSubjectsOut(3),
                         params={"sample_weight": weight}, progress=False)
        assert result.folds["score"].mean() == pytest.approx(share)


def test_weighted_scorer_by_metadata_routing_is_weighted_for_subjects_too():
    weight = np.random.RandomState(0).rand(120)
    with config_context(enable_metadata_routing=True):
        scorer = get_scorer("accuracy").set_score_request(sample_weight="w")
        plain = LogisticRegression()
        result = compare({"plain": plain}, DATA, Y, cv=LeaveSubjectsOut(2), groups=SUBJECT,
                         scoring=scorer, params={"w": weight}, progress=False)
    train, test = next(LeaveSubjectsOut(2).split(X))
    fitted = LogisticRegression().fit(DATA[train], Y[train])
    for subject in np.unique(SUBJECT[test]):
        rows = subject == SUBJECT
        assert result.subjects.loc[subject, "plain"] == pytest.approx(
            fitted.score(DATA[rows], Y[rows], weight[rows]))


def test_failed_fits_get_the_error_score_and_leave_the_pairs():
    class Moody(DummyClassifier):
        def fit(self, X, y, sample_weight=None):
            if len(y) == 90:
                raise ValueError("not today")
            return super().fit(X, y)

    folds = [(np.arange(90), np.arange(90, 120)), (np.arange(30, 110), np.arange(30)),
             (np.arange(40), np.arange(60, 120))]
    pair = {"moody": Moody(), "LR": LogisticRegression()}
    with pytest.warns(Warning, match="not today"):
        result = compare(pair, DATA, Y, cv=folds, baseline="LR", error_score=np.nan,
                         progress=False)
    assert result.folds["score"].isna().sum() == 1
    assert result.tests.loc["moody", "n"] == 2
    assert result.summary["n"].to_dict() == {"moody": 2, "LR": 3}
    assert "over 2 to 3 folds" in str(result)
    with pytest.raises(ValueError, match="not today"):
        compare(pair, DATA, Y, cv=folds, progress=False)


def test_progress_bar_ticks_for_each_fit(capsys):
    compare(PIPELINES, X, Y, cv=4)
    assert "12/12" in capsys.readouterr().err
    compare(PIPELINES, X, Y, cv=4, progress=False)
    assert capsys.readouterr().err == ""


def test_table_as_markdown_html_and_text(result):
    text = result.to_markdown(digits=2)
    lines = text.splitlines()
    assert lines[0].startswith("| pipeline")
    assert [line.count("|") for line in lines[:5]] == [9] * 5
    assert len({len(line) for line in lines[:5]}) == 1
    mean, sd = result.summary.loc["LR", ["mean", "sd"]]
    assert f"{mean:.2f} ± {sd:.2f}" in lines[2]
    assert "baseline" in lines[2]
    assert "over 6 subjects, 24 folds" in text
    assert str(result) == result.to_markdown()
    assert result._repr_html_().count("<tr>") == 4
    named = dataclasses.replace(
        result, summary=result.summary.rename(index={"LR": "<a|b>"}), baseline=None)
    assert "&lt;a|b&gt;" in named._repr_html_()
    assert "<a\\|b>" in named.to_markdown()


def test_a_metric_undefined_for_a_subject_in_one_fold_keeps_that_subjects_other_folds():
    y = np.tile([0, 1], 60)
    thirds = np.arange(120) % 3
    y[(SUBJECT == "S1") & (thirds == 0)] = 1  # one class only: no AUC
    folds = [(np.flatnonzero(thirds != k), np.flatnonzero(thirds == k)) for k in range(3)]
    with pytest.warns(Warning, match="Only one class"):
        result = compare({"LR": LogisticRegression()}, X, y, cv=folds, scoring="roc_auc",
                         progress=False)
    assert result.subjects.notna().all(axis=None)


def test_result_is_frozen(result):
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.metric = "other"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"pipelines": {}}, ValueError, "pipelines is empty"),
        ({"pipelines": [LogisticRegression()]}, TypeError, "must be a dict of names"),
        ({"pipelines": {1: LogisticRegression()}}, TypeError, "name 1 must be a string"),
        ({"pipelines": {"a": LogisticRegression}}, TypeError, "'a' is .* not an estimator"),
        ({"pipelines": {"a": "csp"}}, TypeError, "'a' is 'csp', not an estimator"),
        ({"baseline": "csp"}, ValueError, "baseline='csp' is not among .*'LR'"),
        ({"y": np.zeros(120)}, ValueError, "y has one class only"),
        ({"y": Y[:-1]}, ValueError, "inconsistent numbers of samples"),
        ({"cv": []}, ValueError, "gives no folds"),
        ({"cv": [(np.arange(100), [])]}, ValueError, "fold 0 has 100 training and 0 test rows"),
        ({"groups": SUBJECT[:-1], "cv": LeaveSubjectsOut(2)}, ValueError, "groups has shape"),
        ({"scoring": []}, ValueError, "scoring is empty"),
        ({"scoring": {"a": "accuracy", "fit_s": "f1"}}, ValueError, "are columns of the result"),
        ({"scoring": "acuracy"}, ValueError, "acuracy"),
        ({"error_score": "rais"}, TypeError, "error_score='rais' must be 'raise', or a number"),
        ({"error_score": True}, TypeError, "error_score=True must be 'raise', or a number"),
    ],
)
def test_bad_input_is_named(change, error, message):
    given = {"pipelines": PIPELINES, "X": X, "y": Y, "progress": False, **change}
    with pytest.raises(error, match=message):
        compare(given.pop("pipelines"), given.pop("X"), given.pop("y"), **given)
