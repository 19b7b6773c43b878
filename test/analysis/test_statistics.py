"""Intervals: which method at which number of pairs, and how often they cover the truth."""

import numpy as np
import pytest
from scipy import stats

from millirobot_adapt.analysis.statistics import FEW, compare, contrast_interval, mean_interval, standings

TRIALS = 1000


def test_a_paired_comparison_sees_through_the_spread_of_seeds():
    baseline = np.array([1.0, 3.0, 5.0, 7.0, 9.0])
    result = compare(baseline - 0.5, baseline)
    assert result.difference == pytest.approx(-0.5)
    assert result.difference_interval == (pytest.approx(-0.5), pytest.approx(-0.5))
    assert result.ratio == pytest.approx((0.5 * 2.5 / 3 * 4.5 / 5 * 6.5 / 7 * 8.5 / 9) ** 0.2)
    assert (result.wins, result.pairs) == (5, 5)


def test_few_pairs_have_a_t_interval_on_the_logarithms_of_their_ratios():
    method, baseline = np.array([1.0, 1.1, 0.7, 0.9]), np.array([1.2, 1.9, 1.0, 1.0])
    expected = np.exp(stats.ttest_1samp(np.log(method / baseline), 0.0).confidence_interval(0.95))
    assert compare(method, baseline).ratio_interval == pytest.approx(expected)


def test_from_ten_pairs_on_the_interval_follows_the_skew_of_the_values():
    values = np.random.default_rng(0).exponential(1.0, 40)
    low, high = mean_interval(values)
    assert high - values.mean() > 1.15 * (values.mean() - low)


@pytest.mark.parametrize(
    'pairs', [4, 5, pytest.param(6, marks=pytest.mark.long), 10, pytest.param(20, marks=pytest.mark.long)]
)
@pytest.mark.parametrize('what', ['difference', 'ratio'])
def test_the_interval_covers_the_truth_as_often_as_it_says(pairs, what):
    """Walks whose costs differ between seeds by 30 % and between methods by another 10 %, skewed as costs are."""
    rng = np.random.default_rng(pairs)
    covered = 0
    for _ in range(TRIALS if pairs < FEW else TRIALS // 2):
        baseline = 2.0 * np.exp(rng.normal(0.0, 0.3, pairs))
        method = 0.8 * baseline * np.exp(rng.normal(0.0, 0.1, pairs))
        truth = {'difference': (0.8 * np.exp(0.005) - 1) * 2.0 * np.exp(0.045), 'ratio': 0.8}[what]
        low, high = getattr(compare(method, baseline), f'{what}_interval')
        covered += low <= truth <= high
    share = covered / (TRIALS if pairs < FEW else TRIALS // 2)
    assert 0.92 <= share <= 0.985


def test_the_interval_over_training_seeds_covers_the_truth():
    """Three training seeds of the method, two of the baseline, eight walks of each: two sources of spread."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(TRIALS):
        walks = rng.normal(0.0, 0.3, (1, 1, 8))
        logs = {
            name: level + walks + rng.normal(0.0, 0.1, (trainings, 1, 1)) + rng.normal(0.0, 0.05, (trainings, 1, 8))
            for name, level, trainings in (('grbal', -0.5, 3), ('mb', 0.0, 2))
        }
        low, high = contrast_interval(logs, {'grbal': 1.0, 'mb': -1.0})
        covered += low <= -0.5 <= high
    assert covered / TRIALS >= 0.92


def test_equal_input_gives_equal_intervals():
    values = np.arange(1.0, 13.0) ** 2
    assert compare(values, values[::-1]) == compare(values, values[::-1])


def test_equal_values_have_an_interval_of_no_width_at_any_number_of_pairs():
    for pairs in (4, 12):
        assert mean_interval(np.full(pairs, 0.3)) == pytest.approx((0.3, 0.3))


def test_a_single_pair_has_no_interval():
    result = compare(np.array([2.0]), np.array([4.0]))
    assert (result.ratio, result.ratio_interval, result.difference_interval) == (0.5, None, None)
    (standing,) = standings({'mb': np.ones((1, 2, 1))}, 'mb', 'oracle').values()
    assert (standing.cost, standing.cost_interval, standing.ratio_interval) == (1.0, None, None)


def test_a_ratio_of_values_that_are_not_positive_is_not_a_number():
    result = compare(np.array([-1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    assert np.isnan(result.ratio)
    assert result.ratio_interval is None
    assert result.difference_interval is not None
