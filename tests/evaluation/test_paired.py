from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skbci.evaluation._paired import (
    cohen_dz,
    differences,
    holm,
    rank_biserial,
    t_interval,
    wilcoxon_p,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_equals_the_closed_test_of_bonferroni_hypotheses(p_values):
    """A hypothesis falls if Bonferroni rejects every set of hypotheses that it belongs to."""
    p = np.array(p_values)
    expected = [
        max(
            min(1.0, len(members) * p[list(members)].min())
            for size in range(1, len(p) + 1)
            for members in itertools.combinations(range(len(p)), size)
            if i in members
        )
        for i in range(len(p))
    ]
    np.testing.assert_allclose(holm(p), expected, rtol=1e-12)


def test_holm_on_the_textbook_example_and_with_unknown_values():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert len(holm([])) == 0


def test_t_test_equals_scipys():
    random = np.random.RandomState(0)
    a, b = random.rand(2, 15)
    ours = t_interval(differences(a, b))
    theirs = stats.ttest_rel(a, b)
    interval = theirs.confidence_interval(0.95)
    np.testing.assert_allclose(ours, [theirs.pvalue, interval.low, interval.high])


def test_overlapping_training_sets_widen_the_interval_as_nadeau_and_bengio_say():
    d = np.random.RandomState(1).randn(10)
    p0, low0, high0 = t_interval(d)
    p1, low1, high1 = t_interval(d, test_share=1 / 9)
    assert p1 > p0
    widening = math.sqrt((1 / 10 + 1 / 9) / (1 / 10))
    np.testing.assert_allclose((high1 - low1) / (high0 - low0), widening)


def test_wilcoxon_p_by_listing_all_signs():
    d = np.array([0.05, -0.01, 0.02, 0.08, 0.03, -0.04])
    ranks = stats.rankdata(np.abs(d))
    observed = abs(np.sum(np.sign(d) * ranks))
    signs = np.array(list(itertools.product([-1, 1], repeat=len(d))))
    assert wilcoxon_p(d) == pytest.approx(np.mean(np.abs(signs @ ranks) >= observed))


def test_effect_sizes_by_hand():
    d = np.array([0.1, 0.2, -0.1, 0.0])
    assert cohen_dz(d) == pytest.approx(np.mean(d) / np.std(d, ddof=1))
    # ranks of 0.1, 0.2, 0.1: 1.5, 3, 1.5
    assert rank_biserial(d) == pytest.approx((1.5 + 3 - 1.5) / 6)
    assert rank_biserial(np.array([0.3, 0.1])) == 1.0
    assert rank_biserial(-np.array([0.3, 0.1])) == -1.0


def test_swapping_the_sides_turns_the_signs_and_keeps_the_p_values():
    a, b = np.random.RandomState(2).rand(2, 12)
    one, other = differences(a, b), differences(b, a)
    assert wilcoxon_p(one) == wilcoxon_p(other)
    assert t_interval(one)[0] == t_interval(other)[0]
    assert cohen_dz(one) == -cohen_dz(other)
    assert rank_biserial(one) == -rank_biserial(other)


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_identical_scores_are_no_evidence_and_no_warning(n):
    scores = np.random.RandomState(3).rand(n)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        d = differences(scores, scores)
        p, low, high = t_interval(d)
        assert wilcoxon_p(d) == 1.0
        assert rank_biserial(d) == 0.0
        if n > 1:
            assert (p, low, high) == (1.0, 0.0, 0.0)
            assert cohen_dz(d) == 0.0
        else:
            assert math.isnan(p)
            assert math.isnan(cohen_dz(d))


def test_rounding_does_not_break_ties():
    d = differences([0.65, 0.6, 0.75], [0.6, 0.55, 0.7])
    assert len(set(d)) == 1
    assert t_interval(d)[0] == 0.0
    assert cohen_dz(d) == math.inf


def test_unknown_scores_are_left_out_in_pairs():
    d = differences([0.5, np.nan, 0.7], [0.4, 0.5, np.nan])
    np.testing.assert_allclose(d, [0.1])
    assert math.isnan(wilcoxon_p(differences([np.nan], [0.5])))
    assert math.isnan(rank_biserial(differences([np.nan], [0.5])))
