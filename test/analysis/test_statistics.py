import numpy as np
import pytest

from millirobot_adapt.analysis.statistics import compare


def test_a_paired_comparison_sees_through_the_spread_of_seeds():
    baseline = np.array([1.0, 3.0, 5.0, 7.0, 9.0])
    result = compare(baseline - 0.5, baseline)
    assert result.difference == pytest.approx(-0.5)
    assert result.difference_interval == (pytest.approx(-0.5), pytest.approx(-0.5))
    assert result.ratio == pytest.approx(0.9)
    assert result.ratio_interval[0] < 0.9 < result.ratio_interval[1] < 1.0
    assert (result.wins, result.pairs) == (5, 5)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        baseline = rng.normal(5.0, 1.0, 20)
        low, high = compare(baseline + rng.normal(0.3, 0.5, 20), baseline).difference_interval
        covered += low <= 0.3 <= high
    assert 85 <= covered <= 99


def test_equal_input_gives_equal_intervals():
    values = np.array([1.0, 2.0, 4.0])
    assert compare(values, values[::-1]) == compare(values, values[::-1])


def test_a_single_seed_has_an_interval_of_no_width():
    result = compare(np.array([2.0]), np.array([4.0]))
    assert result.ratio_interval == (0.5, 0.5)
