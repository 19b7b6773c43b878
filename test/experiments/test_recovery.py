"""Recovery from a fault in mid-run: times that are known, walks that never come back, what has no fault."""

from dataclasses import replace

import numpy as np
import pytest

from millirobot_adapt.analysis.figure_style import styled
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.experiments.episode import COLUMNS, Episode
from millirobot_adapt.experiments.experiment import Experiment, parse_condition, parse_method
from millirobot_adapt.experiments.grid import episodes_of
from millirobot_adapt.experiments.recovery import NOTE, QUANTITIES, recoveries, recovery_table
from millirobot_adapt.experiments.recovery_figure import recovery_curves
from millirobot_adapt.experiments.results import Results
from millirobot_adapt.experiments.results_table import as_text

DT, FAULT, WALKS = 0.1, 6.0, 12


def walks(error, method='grbal', fault=FAULT, ended='time', seconds=18.0, noise=0.0):
    """Walks whose every error is 1 before the fault and `error` of the time since; it comes a tick later in each."""
    experiment = Experiment((parse_condition('leg_loss'),), methods=(parse_method(method),), seeds=WALKS)
    for spec in episodes_of(experiment, 'controller.yaml'):
        time = DT * np.arange(round(seconds / DT))
        begun = fault + DT * spec.seed
        table = {name: np.zeros(len(time)) for name in COLUMNS} | {'time': time}
        table['faults'] = (time > begun - 1e-9).astype(float)
        level = np.where(table['faults'] > 0, error(time - begun), 1.0)
        for name in QUANTITIES:
            table[name] = level * np.exp(noise * generator(spec.seed).normal(size=len(time)))
        yield Episode(spec, make_path(spec.shape), table, ended)


def found(episodes, method='grbal', quantity='post_error'):
    (one,) = [each for each in recoveries(list(episodes), [method]) if each.quantity == quantity]
    return one


def test_an_error_that_decays_is_back_when_it_is_within_a_fifth_of_its_level():
    one = found(walks(lambda since: 1.0 + 3.0 * np.exp(-since)))
    assert one.after == pytest.approx(1.0, abs=0.01)
    assert one.seconds == pytest.approx(np.log(3.0 / 0.2), abs=0.15)
    assert one.peak == pytest.approx(3.7, abs=0.2)
    assert (one.not_back, one.walks) == (0, WALKS)
    assert one.interval == pytest.approx((one.seconds, one.seconds))


def test_an_error_that_rises_later_is_timed_from_the_fault_too():
    """As errors H steps ahead, which cannot know of the fault before the horizon has passed."""
    one = found(walks(lambda since: np.where((since > 0.5) & (since < 2.0), 4.0, 1.0)), quantity='ahead_after')
    assert one.seconds == pytest.approx(2.0, abs=0.3)


def test_as_before_is_when_it_stays_within_a_fifth_of_the_level_before():
    decays = found(walks(lambda since: 0.4 + 3.6 * np.exp(-since)))
    assert decays.as_before == pytest.approx(np.log(3.6 / 0.8), abs=0.15)
    assert decays.seconds > decays.as_before, 'its own level is lower than before'
    assert decays.as_before_interval == pytest.approx((decays.as_before, decays.as_before))
    twice = found(walks(lambda since: np.where((since > 3.0) & (since < 4.0), 4.0, 1.0)))
    assert twice.as_before == pytest.approx(4.0, abs=0.3)
    assert found(walks(lambda since: 1.1 + 0.0 * since)).as_before == 0.0
    stays = found(walks(lambda since: 2.0 + 0.0 * since))
    assert (stays.seconds, stays.as_before, stays.as_before_interval) == (0.0, None, (5.0, 5.0))


def test_an_error_that_stays_high_is_at_its_level_at_once_and_not_back():
    one = found(walks(lambda since: 2.0 + 0.0 * since))
    assert one.seconds == 0.0
    assert (one.before, one.after) == (pytest.approx(1.0), pytest.approx(2.0))
    assert one.not_back == WALKS


def test_an_error_that_comes_back_too_late_never_does():
    one = found(walks(lambda since: np.where(since < 7.0, 4.0, 1.0)))
    assert one.seconds == 0.0 or one.seconds is None
    slow = found(walks(lambda since: np.where(since < 6.0, 6.0 - 0.5 * since, 1.0)))
    assert slow.seconds is None
    assert slow.interval == (5.0, 5.0)


def test_walks_that_were_given_up_are_not_back():
    given_up = list(walks(lambda since: 1.0 + 0.0 * since, ended='failed', seconds=13.0))
    one = found([*given_up[:4], *list(walks(lambda since: 1.0 + 0.0 * since))[4:]])
    assert one.not_back == 4


def test_noise_widens_the_interval_about_the_time():
    one = found(walks(lambda since: 1.0 + 3.0 * np.exp(-since), noise=0.4))
    assert one.interval[0] < one.interval[1]
    assert one.interval[0] <= one.seconds <= one.interval[1]
    assert one.seconds == pytest.approx(np.log(3.0 / 0.2), abs=0.6)


@pytest.mark.parametrize('fault', [0.5, 100.0])
def test_without_a_fault_in_mid_run_there_is_nothing_to_recover_from(fault):
    assert recoveries(list(walks(lambda since: 1.0 + 0.0 * since, fault=fault)), ['grbal']) == []


def test_a_walk_without_a_model_has_costs_alone():
    unknown = dict.fromkeys(('post_error', 'ahead_after'), np.full(180, np.nan))
    episodes = [
        replace(episode, table=episode.table | unknown)
        for episode in walks(lambda since: 1.0 + np.exp(-since), method='follower')
    ]
    assert [each.quantity for each in recoveries(episodes, ['follower'])] == ['step_cost']


def test_table_figure_and_text_say_what_was_found():
    decaying = list(walks(lambda since: 1.0 + 3.0 * np.exp(-since)))
    recovered = recoveries(decaying, ['grbal'])
    table = recovery_table(recovered)
    assert len(table.rows) == len(QUANTITIES)
    assert table.rows[0][:3] == ['leg_loss', 'next step', 'grbal']
    assert table.rows[0][-1] == f'0 of {WALKS}'
    assert 'Recovery from a fault in mid-run' in as_text([], 'grbal', [(table, NOTE)])
    with styled():
        drawing = recovery_curves(Results(decaying, [], ['grbal'], {}, recovered))
        assert drawing is not None
        assert recovery_curves(Results([], [], ['grbal'], {})) is None
    lines = [axes.lines[0] for axes in drawing.figure.axes]
    assert len(lines) == len(QUANTITIES)
    assert np.nanmax(lines[0].get_ydata()) == pytest.approx(recovered[0].peak)
