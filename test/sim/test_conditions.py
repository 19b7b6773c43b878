import dataclasses
import textwrap

import numpy as np
import pytest

from firmware_bridge import packets
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot import load_robot
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.sim.conditions import Condition, Fault, load_condition, sample_training_condition
from millirobot_adapt.sim.world import World

ROBOT = load_robot('velociroach')


def shipped() -> list[str]:
    return sorted(path.stem for path in (share_dir() / 'params/conditions').glob('*.yaml'))


def write(folder, text: str) -> str:
    path = folder / 'given.yaml'
    path.write_text(textwrap.dedent(text))
    return str(path)


@pytest.mark.parametrize('name', shipped())
def test_every_shipped_condition_loads_under_its_name(name):
    assert load_condition(name).name == name


def test_the_leg_loss_condition_takes_the_left_middle_leg_after_20_seconds():
    assert load_condition('leg_loss').faults == (Fault(kind='missing_leg', leg='middle_left', time=20.0),)


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('terain: carpet', "unknown parameter 'terain'; did you mean 'terrain'"),
        ('terrain: lava', 'terrain'),
        ('wear: [0.1, 0.2]', 'wear has 2 numbers; give 6'),
        ('wear: [0, 0, 0, 0, 0, 2]', 'above its highest value'),
        ('mocap: {position: -1.0}', 'below its lowest value'),
        ('faults: middle_left', 'faults must be a list'),
        ('faults: [middle_left]', r'faults\[0\] must be a group'),
        ('faults: [{leg: middle_left, tim: 1.0}]', "unknown parameter 'tim'"),
        ('faults: [{leg: tail}]', 'leg'),
    ],
)
def test_a_mistake_in_a_condition_is_named(tmp_path, text, complaint):
    with pytest.raises(UserError, match=complaint):
        load_condition(write(tmp_path, text))


def test_an_unknown_condition_lists_those_that_are_shipped():
    with pytest.raises(UserError, match='leg_loss'):
        load_condition('no_such_condition')


def test_training_conditions_differ_and_are_reproducible():
    one, other = (sample_training_condition(np.random.default_rng(seed)) for seed in (1, 2))
    assert one == sample_training_condition(np.random.default_rng(1))
    assert one != other
    assert len(set(one.wear)) == 6


def final_pose(condition: Condition) -> np.ndarray:
    world = World(ROBOT, condition, seed=3)
    world.microcontroller.obey(packets.StartMotors())
    world.microcontroller.obey(packets.PidGains(ROBOT.pid_gains[:5], ROBOT.pid_gains[5:]))
    world.microcontroller.obey(packets.SetVelocity((300, 300)))
    world.advance(1.0)
    return np.concatenate(world.hexapod.pose())


@pytest.mark.parametrize(
    ('base', 'change'),
    [
        ({}, {'slope': 0.2}),
        ({'slope': 0.2}, {'slope_direction': 1.0}),
        ({}, {'wear': (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)}),
        ({}, {'motor_gain': (0.7, 1.0)}),
        ({}, {'payload': 0.01}),
        ({}, {'start_y': 0.1}),
        ({}, {'start_yaw': 0.3}),
        ({}, {'tilt_drift': 0.1}),
        ({'tilt_drift': 0.1}, {'drift_period': 5.0}),
        ({'tilt_drift': 0.1}, {'drift_phase': 1.0}),
        ({}, {'grip_drift': 0.5}),
        ({}, {'step_noise': 1.0}),
        ({}, {'faults': (Fault(time=0.2),)}),
        ({'faults': (Fault(time=0.2),)}, {'faults': (Fault(leg='rear_right', time=0.2),)}),
    ],
)
def test_every_parameter_of_a_condition_changes_the_walk(base, change):
    condition = Condition(**base)
    assert np.abs(final_pose(dataclasses.replace(condition, **change)) - final_pose(condition)).max() > 1e-4


def test_an_uphill_floor_lifts_the_robot_as_it_climbs():
    x, _, z = final_pose(Condition(slope=0.2))[:3]
    assert x > 0.05
    assert z > x * np.tan(0.2)
