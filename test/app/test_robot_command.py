"""`millirobot robot`: a file to begin with, and what follows from it."""

import numpy as np
import pytest

from millirobot_adapt.app import main as cli
from millirobot_adapt.app.commands.robot import TEMPLATES
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.layout import X, Y
from millirobot_adapt.learning.action_gains import measure_gains
from millirobot_adapt.learning.rollout_file import LAYOUT, CollectedRollouts


@pytest.mark.parametrize('driver', TEMPLATES)
def test_a_new_file_loads_and_has_a_comment_on_what_matters(tmp_path, capsys, driver):
    file = tmp_path / 'mine.yaml'
    assert cli.main(['robot', 'new', 'lab_car', '--driver', driver, '--out', str(file)]) == 0
    robot = load_robot(str(file))
    assert (robot.name, robot.driver.kind) == ('lab_car', driver)
    assert file.read_text().count('#') > 10
    assert cli.main(['robot', 'show', str(file)]) == 0
    said = capsys.readouterr().out
    assert f'lab_car: driver {driver}, every 0.1 s' in said
    assert all(f'action {name}: ' in said for name in robot.layout.action_names)


@pytest.mark.parametrize('name', ['Lab', '2car', 'lab-car', 'lab car', ''])
def test_a_name_that_is_no_file_name_is_refused(tmp_path, capsys, name):
    assert cli.main(['robot', 'new', name, '--out', str(tmp_path / 'mine.yaml')]) == 2
    assert 'small letters' in capsys.readouterr().err
    assert not (tmp_path / 'mine.yaml').exists()


def test_nothing_is_overwritten(tmp_path, capsys):
    file = tmp_path / 'mine.yaml'
    file.write_text('mine')
    assert cli.main(['robot', 'new', 'mine', '--out', str(file)]) == 2
    assert 'exists already' in capsys.readouterr().err
    assert file.read_text() == 'mine'


def test_a_bad_file_is_one_line_with_its_place(tmp_path, capsys):
    file = tmp_path / 'mine.yaml'
    file.write_text('name: mine\ndriver: {kind: twist}\nactions:\n  - {name: turn, unit: rad/s, neutral: 3.0}\n')
    assert cli.main(['robot', 'show', str(file)]) == 2
    assert capsys.readouterr().err.count('\n') == 1


@pytest.mark.parametrize('command', ['robot show', 'path show left --robot', 'collect --minutes 1 --out data --robot'])
def test_an_empty_file_is_no_robot(tmp_path, monkeypatch, capsys, command):
    """It does not become a VelociRoACH without a word."""
    file = tmp_path / 'mine.yaml'
    file.write_text('# nothing yet\n')
    monkeypatch.chdir(tmp_path)
    assert cli.main([*command.split(), str(file)]) == 2
    said = capsys.readouterr()
    assert said.err.count('\n') == 1
    assert f'{file}: name, driver and actions are missing' in said.err
    assert 'millirobot robot new NAME --driver KIND' in said.err
    assert said.out == ''


SPEED, TURN, VEER = (0.08, 0.12), (-0.6, 0.9), 0.05
"""Of the made-up robot: for each rev/s [m/s], [rad/s]; and the yaw rate with which it veers [rad/s]."""


def walked(robot, count=12, length=60, seed=0):
    """Rollouts of a robot whose sides drive and turn it exactly so; the legs follow to 90 %."""
    rng, layout = np.random.default_rng(seed), robot.layout
    actions = np.repeat(rng.uniform(layout.action_low, layout.action_high, (count, length // 10, 2)), 10, axis=1)
    rates = actions / (2 * np.pi)
    turn, speed = rates @ TURN + VEER, rates @ SPEED
    yaw = np.concatenate([np.zeros((count, 1)), np.cumsum(robot.dt * turn, axis=1)], axis=1)
    x, y = (
        np.concatenate([np.zeros((count, 1)), np.cumsum(robot.dt * speed * wave(yaw[:, :-1]), axis=1)], axis=1)
        for wave in (np.cos, np.sin)
    )
    states = np.zeros((count, length + 1, layout.nx))
    for row in range(count):
        for tick in range(length + 1):
            rpy, legs = np.array([0.0, 0.0, yaw[row, tick]]), 0.9 * actions[row, max(0, tick - 1)]
            zeros = np.zeros(3)
            states[row, tick] = layout.assemble(zeros, zeros, rpy, zeros, np.zeros(2), legs, np.zeros(2), 5.0)
    states[..., X], states[..., Y] = x, y
    stamps = np.tile(robot.dt * np.arange(length + 1), (count, 1))
    metadata = {'robot': robot.name, 'dt': robot.dt, 'origin': 'toy', LAYOUT: layout.record()}
    return CollectedRollouts(
        states.astype(np.float32), actions.astype(np.float32), stamps, np.ones((count, length), bool), metadata
    )


def test_the_gains_of_the_actions_are_found_on_data():
    found = measure_gains(walked(load_robot('xl330_hexapod')), load_robot('xl330_hexapod'))
    assert [action.speed for action in found.actions] == pytest.approx(SPEED, abs=1e-3)
    assert [action.turn for action in found.actions] == pytest.approx(TURN, abs=5e-3)
    assert [action.followed for action in found.actions] == pytest.approx((0.9, 0.9), abs=0.02)
    assert found.speed_residual < 0.01


def test_the_gains_are_printed_beside_those_of_the_file_and_other_data_are_refused(tmp_path, capsys):
    walked(load_robot('xl330_hexapod')).save(tmp_path / 'data.npz')
    assert cli.main(['robot', 'gains', 'xl330_hexapod', '--data', str(tmp_path / 'data.npz')]) == 0
    said = capsys.readouterr().out
    assert 'left [rev/s]: speed_gain 0.08 in the file, 0.08 measured' in said
    assert 'followed to 90 %' in said
    assert cli.main(['robot', 'gains', 'rover', '--data', str(tmp_path / 'data.npz')]) == 2
    assert 'name the robot that they were collected with' in capsys.readouterr().err
    walked(load_robot('xl330_hexapod'), count=1).save(tmp_path / 'few.npz')
    assert cli.main(['robot', 'gains', 'xl330_hexapod', '--data', str(tmp_path / 'few.npz')]) == 2
    assert 'at least 20 are needed' in capsys.readouterr().err
