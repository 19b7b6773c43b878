"""Do errors predict errors: correlations that are known, walks that are too short, models that predict nothing."""

from dataclasses import replace

import numpy as np
import pytest

from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.experiments.episode import COLUMNS, Episode
from millirobot_adapt.experiments.experiment import Experiment, parse_condition, parse_method
from millirobot_adapt.experiments.foresight import TICKS, foresight_table, foresights
from millirobot_adapt.experiments.grid import episodes_of

LENGTH = 150


def walks(ahead_of, method='grbal', seeds=4, length=LENGTH):
    """Walks whose one-step errors are a random walk's magnitude, and whose errors ahead follow from what is known."""
    experiment = Experiment((parse_condition('carpet'),), methods=(parse_method(method),), seeds=seeds)
    for spec in episodes_of(experiment, 'controller.yaml'):
        rng, horizon = generator(spec.seed, 3), spec.controller.planner.horizon
        error = np.exp(np.cumsum(0.2 * rng.normal(size=length)))
        known = np.array([error[max(0, k - TICKS + 1) : k + 1].mean() for k in range(length)])
        ahead = np.full(length, np.nan)
        ahead[horizon:] = ahead_of(known, spec.seed, rng)[: length - horizon]
        table = {name: np.zeros(length) for name in COLUMNS} | {'post_error': error, 'ahead_after': ahead}
        yield Episode(spec, make_path(spec.shape), table, 'time')


def one(episodes, method='grbal'):
    (found,) = foresights(list(episodes), [method])
    return found


def test_an_error_that_follows_from_what_is_known_is_foretold_whatever_the_curve():
    found = one(walks(lambda known, seed, rng: known**3))
    assert (found.within, found.over_all) == (pytest.approx(1.0), pytest.approx(1.0))
    assert found.within_interval == pytest.approx((1.0, 1.0))
    assert found.walks == 4


def test_the_error_is_that_of_the_prediction_made_then_and_not_of_the_one_judged_then():
    """Shifted by the horizon, the same curves are another order."""
    shifted = [
        replace(episode, table=episode.table | {'ahead_after': np.roll(episode.table['ahead_after'], -12)})
        for episode in walks(lambda known, seed, rng: known)
    ]
    assert one(shifted).within < 0.95


def test_noise_is_not_foretold():
    found = one(walks(lambda known, seed, rng: rng.uniform(size=LENGTH), seeds=12))
    assert abs(found.within) < 0.2
    assert found.within_interval[0] < 0.0 < found.within_interval[1]


def test_levels_of_walks_count_over_all_walks_alone():
    found = one(walks(lambda known, seed, rng: known * 0.0 + rng.uniform(size=LENGTH) + 10.0 * known[-1]))
    assert abs(found.within) < 0.4
    assert abs(found.over_all) > abs(found.within)


def test_walks_too_short_and_walks_without_a_model_have_none():
    assert foresights(list(walks(lambda known, seed, rng: known, length=TICKS + 15)), ['grbal']) == []
    unknown = dict.fromkeys(('post_error', 'ahead_after'), np.full(LENGTH, np.nan))
    blind = [replace(each, table=each.table | unknown) for each in walks(lambda known, seed, rng: known, 'follower')]
    assert foresights(blind, ['follower']) == []
    still = one(walks(lambda known, seed, rng: np.ones(LENGTH)))
    assert np.isnan(still.within)
    assert still.within_interval is None


def test_a_row_for_each_method():
    episodes = [*walks(lambda known, seed, rng: known), *walks(lambda known, seed, rng: -known, 'mb')]
    table = foresight_table(foresights(episodes, ['mb', 'grbal', 'follower']))
    assert [row[0] for row in table.rows] == ['mb', 'grbal']
    assert table.rows[0][2].startswith('-1.00')
    assert table.rows[1][1:] == ['4', '1.00 [1.00, 1.00]', '1.00']
