"""An episode on a differential-drive robot: the loop's timing, the table, the sums."""

import math

import numpy as np
import pytest
from differential_drive import rollout, start
from robots import LAYOUT

from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.dynamics.method_interface import Adaptation
from millirobot_adapt.core.planning.objective import ObjectiveConfig
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.tracking import Ending
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.experiments.episode import COLUMNS, summarise_episode
from millirobot_adapt.experiments.look_ahead import LookAhead
from millirobot_adapt.experiments.runner import walk
from millirobot_adapt.sim.lockstep import Observation

DT = 0.1


class PerfectModel:
    def rollout(self, state, actions):
        return rollout(state, actions)


class BrokenModel:
    def rollout(self, state, actions):
        return np.full((len(actions) + 1, actions.shape[1], len(state)), np.nan)


class NoAdaptation:
    window_length = 4

    def __init__(self, model):
        self.prior = model
        self.windows = []

    def reset(self):
        self.windows.clear()

    def adapt(self, window):
        self.windows.append(window)
        return Adaptation(self.prior, 0.0, 0.0, 0.0, 0.0)


class DrivenRobot:
    """Steps a differential drive whose estimate is off by `offset` [m] in y; breaks at time `breaks` [s]."""

    def __init__(self, offset=0.0, breaks=math.inf):
        self.offset, self.breaks, self.sent = offset, breaks, []

    def reset(self):
        self.state = start()
        return self._observe(np.zeros(2))

    def step(self, setpoint):
        self.sent.append(setpoint)
        self.state = rollout(self.state, setpoint.reshape(1, 1, 2))[1, 0]
        return self._observe(setpoint)

    def _observe(self, sent):
        estimated = self.state.copy()
        estimated[1] += self.offset
        yaw = np.arctan2(self.state[11], self.state[10])
        now = len(self.sent) * DT
        faults = ('missing_leg',) if now >= self.breaks else ()
        return Observation(5.0 + now, estimated, sent, self.state[:3], np.array([0.0, 0.0, yaw]), faults)


def run(robot, path, ticks, model=None, ending=None):
    method = NoAdaptation(model or PerfectModel())
    planner = make_planner(PlannerConfig(samples=60, batch=60), RobotConfig())
    loop = ControlLoop(
        method, planner, ObjectiveConfig(), lambda p, a, s: float(np.abs(p - a).max()), DT, seed=3, layout=LAYOUT
    )
    return *walk(robot, loop, path, ticks, ending=ending), method


def test_an_episode_follows_the_path_and_fills_every_column():
    robot = DrivenRobot()
    table, ended, _, _ = run(robot, make_path('figure8'), 60)
    assert ended == 'time'
    assert set(table) == {*COLUMNS, 'action_0', 'action_1'}
    assert {len(column) for column in table.values()} == {60}
    np.testing.assert_allclose(table['time'], np.arange(60) * DT, atol=1e-9)
    assert np.abs(table['cross_track']).max() < 0.03
    assert table['progress'][-1] > 1.2


def test_the_action_planned_in_a_tick_is_executed_in_the_next_and_the_model_is_told_so():
    robot = DrivenRobot()
    table, _, _, method = run(robot, make_path('figure8'), 10)
    np.testing.assert_array_equal(np.column_stack((table['action_0'], table['action_1']))[:9], robot.sent[:9])
    assert (robot.sent[0] == 0).all()
    # With the right pairing of states and actions a perfect model predicts each step exactly.
    assert np.isnan(table['pre_error'][0])
    assert np.nanmax(table['pre_error']) < 1e-9
    assert method.windows[-1].mask.tolist() == [1, 1, 1, 1]
    np.testing.assert_array_equal(method.windows[-1].actions[-1], robot.sent[8])


def test_costs_are_those_of_the_true_pose():
    table, *_ = run(DrivenRobot(offset=0.1), make_path('straight'), 60)
    # The robot believes itself 0.1 m further left, so it really walks 0.1 m to the right of the path.
    assert table['cross_track'][-20:].mean() == pytest.approx(-0.1, abs=0.02)
    assert table['estimated_y'][-20:].mean() == pytest.approx(0.0, abs=0.02)


def test_an_episode_ends_with_its_path_or_without_a_plan():
    short = ReferencePath(np.array([[0.0, 0.0], [0.5, 0.0]]))
    table, ended, reason, _ = run(DrivenRobot(), short, 100)
    assert reason == ''
    assert ended == 'finished'
    assert len(table['time']) < 40
    table, ended, _, _ = run(DrivenRobot(), short, 100, model=BrokenModel())
    assert ended == 'stopped'
    assert len(table['time']) == 1


class HeldRobot(DrivenRobot):
    """A robot that does not move from its place."""

    def step(self, setpoint):
        self.sent.append(setpoint)
        return self._observe(setpoint)


def test_an_episode_that_is_given_up_says_why():
    table, ended, reason, _ = run(HeldRobot(), make_path('straight'), 100, ending=Ending(patience=20))
    assert ended == 'failed'
    assert reason.startswith('no progress along the path any more: 0.00 of 20.00 m done')
    assert len(table['time']) == 21


def test_sums_leave_out_the_first_tick_and_split_at_the_fault():
    table = {name: np.zeros(5) for name in COLUMNS}
    table['step_cost'] = np.array([100.0, 1.0, 2.0, 3.0, 5.0])
    table['cross_track'] = np.array([9.0, 0.3, -0.3, 0.4, -0.4])
    table['progress'] = np.array([0.0, 0.1, 0.2, 0.4, 0.7])
    table['pre_error'] = np.array([np.nan, np.nan, 1.0, 2.0, 3.0])
    whole = summarise_episode(table, DT)
    assert whole.cost == pytest.approx(11 / 4)
    assert whole.cross_track_rms_m == pytest.approx(math.sqrt(0.125))
    assert whole.progress_m == pytest.approx(0.7)
    assert whole.seconds == pytest.approx(0.4)
    assert whole.pre_error == pytest.approx(2.0)
    assert summarise_episode(table, DT, after_fault=True) is None
    table['faults'] = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    after = summarise_episode(table, DT, after_fault=True)
    assert (after.cost, after.progress_m) == (pytest.approx(4.0), pytest.approx(0.5))


def test_a_fault_shows_in_the_table():
    table, *_ = run(DrivenRobot(breaks=0.55), make_path('straight'), 10)
    assert table['faults'].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_the_table_tells_how_far_off_the_prediction_of_the_whole_horizon_was():
    table, *_ = run(DrivenRobot(), make_path('figure8'), 30)
    horizon = PlannerConfig().horizon
    assert np.isnan(table['ahead_before'][:horizon]).all()
    assert np.nanmax(table['ahead_before'][horizon:]) < 1e-9
    np.testing.assert_array_equal(table['ahead_before'], table['ahead_after'])


def test_an_adapted_model_is_judged_by_what_it_knew_then():
    class Stretched:
        def __init__(self, factor):
            self.factor = factor

        def rollout(self, state, actions):
            return rollout(state, self.factor * actions)

    look_ahead, state, errors = LookAhead(5), start(), []
    actions = np.random.default_rng(0).uniform(20.0, 40.0, (12, 2))
    for tick in range(12):
        errors.append(look_ahead.judge(state, actions[tick - 1], Stretched(1.1), Stretched(1.0 if tick < 4 else 1.1)))
        state = rollout(state, actions[tick].reshape(1, 1, 2))[1, 0]
    before, after = np.array(errors).T
    assert np.isnan(before[:5]).all()
    assert (before[5:] > 0.005).all()
    assert (after[5:9] < 1e-9).all()
    np.testing.assert_array_equal(after[9:], before[9:])
