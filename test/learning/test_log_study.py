"""Studies of logs, on toy robots whose heading is measured wrong on one of the floors."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip('torch')

from millirobot_adapt.core.dynamics.method_interface import Adaptation
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.learning.log_errors import ConstantVelocity, log_errors
from millirobot_adapt.learning.log_figure import draw_errors
from millirobot_adapt.learning.log_rollouts import Log, check_apart, hold_out, join_logs
from millirobot_adapt.learning.log_shifts import side_gain, yaw_offset
from millirobot_adapt.learning.log_study import (
    AS_RECORDED,
    OWN,
    SEEN,
    STILL,
    LogStudyConfig,
    LogTrainConfig,
    Result,
    leave_one_out,
    run_study,
)
from millirobot_adapt.learning.log_summary import log_table, summarise_logs, write_rollouts

pytestmark = pytest.mark.train


@pytest.fixture
def make_log(toy_rollouts):
    def make(name, count=12, length=40, sessions=4, **options):
        rollouts = toy_rollouts(count, length, **options)
        rollouts.metadata['logs'] = {name: 'digest'}
        return Log(name, rollouts, tuple(f'{name}_{number * sessions // count}' for number in range(count)))

    return make


class Follower:
    """Predicts what a fixed path says; counts how often it was asked to adapt."""

    def __init__(self, path, carries):
        self.path, self.carries, self.window_length, self.prior = path, carries, 1, self
        self.adapted = self.resets = 0

    def reset(self):
        self.resets += 1

    def adapt(self, window):
        self.adapted += 1
        return Adaptation(self, 0.0, 0.0, 0.0, 0.0)

    def rollout(self, state, actions):
        start = np.flatnonzero((self.path[:, :2] == state[:2]).all(axis=1))[0]
        return self.path[start : start + len(actions) + 1, None]


def test_sessions_are_never_divided(make_log):
    log = make_log('grass', count=20, sessions=5)
    learned, aside = hold_out(log, 0.3, np.random.default_rng(0))
    assert set(learned.sessions).isdisjoint(aside.sessions)
    assert len(learned) + len(aside) == 20
    assert len(aside) == 8, 'whole sessions of four, until three tenths are reached'


def test_a_log_of_one_session_cannot_be_divided(make_log):
    with pytest.raises(UserError, match='only one session'):
        hold_out(make_log('grass', sessions=1), 0.2, np.random.default_rng(0))


def test_what_is_learned_from_is_not_tested_on(make_log):
    log = make_log('grass')
    with pytest.raises(UserError, match='session grass_0 is in grass, too'):
        check_apart([log], [log.part(np.array([0]))])
    with pytest.raises(UserError, match='grass_0'):
        join_logs([log, log])


def test_joined_logs_keep_their_rollouts(make_log):
    short, long = make_log('sand', length=30), make_log('grass', length=40)
    both = join_logs([short, long])
    assert both.rollouts.valid.shape == (24, 40)
    assert not both.rollouts.valid[:12, 30:].any()
    np.testing.assert_array_equal(both.rollouts.states[:12, :31], short.rollouts.states)
    np.testing.assert_array_equal(both.rollouts.states[12:], long.rollouts.states)
    assert both.rollouts.metadata['logs'] == {'sand': 'digest', 'grass': 'digest'}


def test_a_yaw_offset_turns_headings_to_both_sides_and_nothing_else(make_log):
    before = make_log('grass').rollouts
    after = yaw_offset(0.3)(before)
    turned = np.angle(np.exp(1j * (StateView(after.states).yaw - StateView(before.states).yaw)))
    np.testing.assert_allclose(turned[0::2], 0.3, atol=1e-6)
    np.testing.assert_allclose(turned[1::2], -0.3, atol=1e-6)
    np.testing.assert_array_equal(
        np.delete(after.states, (10, 11), axis=-1), np.delete(before.states, (10, 11), axis=-1)
    )
    np.testing.assert_array_equal(after.actions, before.actions)


def test_a_gain_weakens_one_side_and_then_the_other(make_log):
    before = make_log('grass').rollouts
    after = side_gain(0.5)(before)
    np.testing.assert_allclose(after.actions[0::2], before.actions[0::2] * [2.0, 1.0])
    np.testing.assert_allclose(after.actions[1::2], before.actions[1::2] * [1.0, 2.0])
    np.testing.assert_array_equal(after.states, before.states)


def circle(count, radius=0.5, rate=0.8, dt=0.1):
    """States of a robot that walks round a circle."""
    states = np.zeros((count, 24))
    yaw = rate * dt * np.arange(count)
    states[:, 0], states[:, 1] = radius * np.sin(yaw), -radius * np.cos(yaw)
    states[:, 3], states[:, 4] = radius * rate * np.cos(yaw), radius * rate * np.sin(yaw)
    states[:, 10], states[:, 11], states[:, 14] = np.cos(yaw), np.sin(yaw), rate
    return states


def test_constant_velocity_goes_round_a_circle():
    states = circle(21)
    predicted = ConstantVelocity(0.1).rollout(states[0], np.zeros((20, 1, 2)))[:, 0]
    np.testing.assert_allclose(predicted[:, 10:12], states[:, 10:12], atol=1e-12)
    assert np.abs(predicted[:, :2] - states[:, :2]).max() < 0.001, 'chords for arcs of 0.08 rad'


@pytest.mark.parametrize('carries', [False, True])
def test_errors_are_zero_for_who_knows_the_way_and_gaps_are_not_crossed(make_log, carries):
    rollouts = make_log('grass', count=1, sessions=1).rollouts
    path = circle(41).astype(np.float32)
    rollouts = dataclasses.replace(rollouts, states=path[None], valid=np.arange(40)[None] != 25)
    method = Follower(path.astype(float), carries)
    errors = log_errors(method, rollouts, window=10, horizons=(5, 10, 20), every=1)
    # A window is full at state 10; H = 5 ends before the gap from starts 10..20, and after it from 26..35.
    assert errors.predictions == 11 + 10
    np.testing.assert_allclose(errors.position[:, 0, :2], 0.0, atol=1e-6)
    assert np.isnan(errors.position[:, 0, 2]).all(), 'twenty steps fit on neither side of the gap'
    assert (method.resets, method.adapted) == (1, 41 if carries else 21)


def test_errors_are_measured_in_place_and_heading(make_log):
    rollouts = make_log('grass', count=1, sessions=1).rollouts
    path = circle(41)
    rollouts = dataclasses.replace(rollouts, states=path[None].astype(np.float32), valid=np.ones((1, 40), bool))
    mirrored = path.copy()
    mirrored[:, 11] *= -1  # from straight ahead it turns the other way

    class Askew(Follower):
        def rollout(self, state, actions):
            start = np.argmin(np.abs(self.path[:, :2] - state[:2]).sum(axis=1))
            moved = mirrored[: len(actions) + 1].copy()
            moved[:, :2] = path[start : start + len(actions) + 1, :2] + [[0.03, 0.04]]
            return moved[:, None]

    errors = log_errors(Askew(path, False), rollouts, window=1, horizons=(5,), every=40)
    assert errors.predictions == 0, 'state 0 has no window, state 40 nothing after it'
    errors = log_errors(Askew(path, False), rollouts, window=1, horizons=(5,), every=20)
    assert errors.predictions == 1
    np.testing.assert_allclose(errors.position, 0.05, atol=1e-6)
    predicted, actual = -0.08 * 5, 0.08 * 25
    np.testing.assert_allclose(errors.heading, abs(np.angle(np.exp(1j * (predicted - actual)))), atol=1e-6)


def test_predictions_that_are_no_numbers_are_infinitely_wrong_and_stay_in_the_table(make_log):
    log = make_log('grass', count=4, sessions=1)

    class Lost:
        def rollout(self, state, actions):
            return np.full((len(actions) + 1, 1, 24), np.nan)

    class Diverging(ConstantVelocity):
        adaptations = 0

        def adapt(self, window):
            self.adaptations += 1
            model = Lost() if self.adaptations == 3 else self
            return dataclasses.replace(super().adapt(window), model=model)

    errors = log_errors(Diverging(0.1), log.rollouts, window=10, horizons=(5,), every=3)
    assert np.isfinite(errors.position[0]).all()
    assert np.isinf(errors.position[1, :, 0]).tolist() == [True, False, False, False]
    other = log_errors(ConstantVelocity(0.1), log.rollouts, window=10, horizons=(5,), every=3)
    results = [Result('grass', AS_RECORDED, name, 0, found) for name, found in (('mb', other), ('grbal', errors))]
    rows = summarise_logs(results, (5,))
    lost = one(rows, method='grbal')
    assert lost['rollouts'] == 4
    assert np.isinf([lost['position_after'], lost['ratio'], lost['ratio_interval'][1]]).all()
    assert np.isfinite(one(rows, method='mb')['ratio_interval']).all()
    assert '-> inf' in log_table(rows)


QUICK = LogStudyConfig(methods=(), horizons=(2,), every=6, train=LogTrainConfig(hidden=(8,), window=12, steps=2))


def test_a_test_log_too_short_for_a_model_of_its_own_is_named_and_predicted_all_the_same(make_log, caplog):
    short = make_log('grass', count=4, length=15, sessions=2)  # T1 + T2 is 17
    results, _ = run_study([make_log('sand')], [short], QUICK, RobotConfig())
    assert {result.method for result in results if result.test == 'grass'} == {STILL, 'mb'}
    assert OWN in caplog.text
    assert 'grass: the data hold' in caplog.text


@pytest.mark.parametrize('study_of', [
    lambda log, out: run_study([log], [], QUICK, RobotConfig(), out), lambda log, out: leave_one_out([log], QUICK, out),
])  # fmt: skip
def test_logs_too_short_to_learn_from_are_named_before_anything_is_trained(make_log, tmp_path, study_of):
    with pytest.raises(UserError, match='grass: the data hold'):
        study_of(make_log('grass', length=15), tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


SMALL = LogStudyConfig(
    methods=('grbal', 'rls'), horizons=(5, 10), every=6, yaw=40.0,
    train=LogTrainConfig(hidden=(16,), window=12, steps=100),
)  # fmt: skip


@pytest.fixture(scope='module')
def study(toy_rollouts, tmp_path_factory):
    def log(name, seed):
        rollouts = toy_rollouts(16, 40, seed=seed)
        rollouts.metadata['logs'] = {name: 'digest'}
        return Log(name, rollouts, tuple(f'{name}_{number // 4}' for number in range(16)))

    out = tmp_path_factory.mktemp('study')
    results, logs = run_study([log('sand', 1), log('clay', 2)], [log('grass', 3)], SMALL, RobotConfig(), out)
    return results, logs, summarise_logs(results, SMALL.horizons), out


def one(rows, **wanted):
    return next(row for row in rows if wanted.items() <= row.items())


def test_every_method_predicts_every_log_under_every_shift(study):
    results, _, _, out = study
    cells = {(result.test, result.shift, result.method) for result in results}
    shifts = (AS_RECORDED, 'yaw offset 40 deg', "one side's gain 0.7")
    methods = (STILL, 'mb', 'grbal', 'rls')
    expected = {(test, shift, method) for test in (SEEN, 'grass') for shift in shifts for method in methods}
    assert cells == expected | {('grass', AS_RECORDED, OWN)}
    assert (out / 'grbal_0' / 'bundle' / 'model.yaml').is_file()


def test_adapting_mends_a_wrong_heading(study):
    _, _, rows, _ = study
    shifted = one(rows, test='grass', shift='yaw offset 40 deg', method='grbal', horizon=5)
    assert shifted['position_after'] < 0.9 * shifted['position_before']
    assert shifted['ratio_interval'][0] <= shifted['ratio'] <= shifted['ratio_interval'][1] < 1.0
    mb = one(rows, test='grass', shift='yaw offset 40 deg', method='mb', horizon=5)
    assert mb['position_after'] == mb['position_before']
    assert mb['ratio'] == 1.0


def test_the_table_the_csv_and_the_figure_hold_what_was_found(study, tmp_path):
    results, logs, rows, _ = study
    text = log_table(rows)
    row = one(rows, test='grass', shift=AS_RECORDED, method='rls', horizon=10)
    assert f'{1e3 * row["position_after"]:.1f}' in text
    assert '**grass, as recorded** (16 rollouts)' in text
    write_rollouts(tmp_path / 'rollouts.csv', results, logs, SMALL.horizons)
    lines = (tmp_path / 'rollouts.csv').read_text().splitlines()
    assert len(lines) == 1 + sum(2 * len(logs[result.test]) for result in results)
    draw_errors(tmp_path / 'errors.png', rows, 5)
    assert (tmp_path / 'errors.png').read_bytes().startswith(b'\x89PNG')
