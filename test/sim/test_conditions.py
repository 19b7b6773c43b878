import dataclasses
import textwrap

import numpy as np
import pytest

from firmware_bridge import packets
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.sim.conditions import (
    Condition,
    Fault,
    Payload,
    Slope,
    in_training,
    load_condition,
    sample_training_condition,
)
from millirobot_adapt.sim.terrain import TERRAINS, Terrain
from millirobot_adapt.sim.world import World

ROBOT = load_robot('velociroach')
LEG_LOSS = Fault('missing_legs', ('middle_left',), 0.2)


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
    assert load_condition('leg_loss').faults == (Fault('missing_legs', ('middle_left',), 20.0),)


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('terain: carpet', "unknown parameter 'terain'; did you mean 'terrain'"),
        ('terrain: lava', "'lava' is not one of carpet, styrofoam, turf; or write a group of numbers"),
        ('terrain: {fricton: 0.4}', "terrain: unknown parameter 'fricton'; did you mean 'friction'"),
        ('terrain: {friction: -1.0}', 'below its lowest value'),
        ('terrain: null', 'terrain has no value'),
        ('slope: {angel: 0.2}', "slope: unknown parameter 'angel'; did you mean 'angle'"),
        ('slope: 0.2', 'slope must be a group of parameters'),
        ('payload: {mass: 200.0}', 'above its highest value'),
        ('missing_legs: [tail]', "missing_legs = 'tail' is not one of front_left"),
        ('missing_legs: middle_left', 'missing_legs must be a list'),
        ('wear: [0.1, 0.2]', 'wear has 2 values instead of 6'),
        ('wear: [0, 0, 0, 0, 0, 2]', 'above its highest value'),
        ('mocap: {position: -1.0}', 'below its lowest value'),
        ('faults: middle_left', 'faults must be a list'),
        ('faults: [middle_left]', r'faults\[0\] must be a group'),
        ('faults: [{missing_legs: [middle_left], tim: 1.0}]', "unknown parameter 'tim'; did you mean 'time'"),
        ('faults: [{missing_legs: [tail], time: 1.0}]', r"faults\[0\]: missing_legs = 'tail' is not one of"),
        (
            'faults: [{wear: [0, 0, 0, 0, 0, 1]}, {terrain: {grip: 1.0}}]',
            r"faults\[1\]: terrain: unknown parameter 'grip'",
        ),
        ('faults: [{time: 1.0}]', 'does not say what begins then'),
        ('faults: [{start_y: 0.1, time: 1.0}]', "unknown parameter 'start_y'"),
        ('faults: [{wear: [0, 0, 0, 0, 0, 1], time: -1.0}]', 'below its lowest value'),
    ],
)
def test_a_mistake_in_a_condition_is_named(tmp_path, text, complaint):
    with pytest.raises(UserError, match=complaint):
        load_condition(write(tmp_path, text))


def test_an_unknown_condition_lists_those_that_are_shipped():
    with pytest.raises(UserError, match='leg_loss'):
        load_condition('no_such_condition')


def test_faults_can_begin_earlier_or_later_and_keep_their_distance():
    condition = Condition(faults=(Fault('missing_legs', ('middle_left',), 20.0), Fault('slope', Slope(), 26.0)))
    assert [fault.time for fault in condition.with_faults_from(5.0).faults] == [5.0, 11.0]
    assert [fault.what for fault in condition.with_faults_from(5.0).faults] == ['missing_legs', 'slope']
    assert Condition().with_faults_from(5.0) == Condition()


def test_training_conditions_differ_and_are_reproducible():
    one, other = (sample_training_condition(np.random.default_rng(seed)) for seed in (1, 2))
    assert one == sample_training_condition(np.random.default_rng(1))
    assert one != other
    assert len(set(one.wear)) == 6


def final_pose(condition: Condition) -> np.ndarray:
    world = World(ROBOT, condition, seed=3)
    world.microcontroller.obey(packets.StartMotors())
    world.microcontroller.obey(packets.PidGains(ROBOT.imageproc.pid_gains[:5], ROBOT.imageproc.pid_gains[5:]))
    world.microcontroller.obey(packets.SetVelocity((300, 300)))
    world.advance(1.0)
    return np.concatenate(world.hexapod.pose())


@pytest.mark.parametrize(
    ('base', 'change'),
    [
        ({}, {'slope': Slope(0.2)}),
        ({'slope': Slope(0.2)}, {'slope': Slope(0.2, 1.0)}),
        ({}, {'terrain': 'turf'}),
        ({}, {'terrain': Terrain(friction=0.4)}),
        ({}, {'missing_legs': ('middle_left',)}),
        ({}, {'wear': (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)}),
        ({}, {'motor_gain': (0.7, 1.0)}),
        ({}, {'payload': Payload(0.01)}),
        ({'payload': Payload(0.03)}, {'payload': Payload(0.03, rope=0.1)}),
        ({'payload': Payload(0.03, rope=0.1)}, {'payload': Payload(0.03, rope=0.02)}),
        ({'payload': Payload(0.03, rope=0.1)}, {'payload': Payload(0.03, rope=0.1, offset=0.02)}),
        ({'payload': Payload(0.03, rope=0.1)}, {'payload': Payload(0.03, rope=0.1, friction=0.6)}),
        ({}, {'start_x': 0.1}),
        ({}, {'start_y': 0.1}),
        ({}, {'start_yaw': 0.3}),
        ({}, {'tilt_drift': 0.1}),
        ({'tilt_drift': 0.1}, {'drift_period': 5.0}),
        ({'tilt_drift': 0.1}, {'drift_phase': 1.0}),
        ({}, {'grip_drift': 0.5}),
        ({}, {'step_noise': 1.0}),
        ({}, {'faults': (LEG_LOSS,)}),
        ({'faults': (LEG_LOSS,)}, {'faults': (dataclasses.replace(LEG_LOSS, value=('rear_right',)),)}),
        ({'faults': (LEG_LOSS,)}, {'faults': (dataclasses.replace(LEG_LOSS, time=0.4),)}),
    ],
)
def test_every_parameter_of_a_condition_changes_the_walk(base, change):
    condition = Condition(**base)
    assert np.abs(final_pose(dataclasses.replace(condition, **change)) - final_pose(condition)).max() > 1e-4


def test_an_uphill_floor_lifts_the_robot_as_it_climbs():
    x, _, z = final_pose(Condition(slope=Slope(0.2)))[:3]
    assert x > 0.05
    assert z > x * np.tan(0.2)


def test_a_file_may_give_everything_and_several_things_at_once(tmp_path):
    condition = load_condition(
        write(
            tmp_path,
            """
            terrain: {friction: 0.4, yaw_push: 0}
            slope: {angle: 0.2, direction: 1.5}
            missing_legs: [front_left, rear_right]
            payload: {mass: 0.03, rope: 0.1}
            faults:
              - {terrain: turf, motor_gain: [0.5, 1], time: 3}
              - {missing_legs: [middle_left]}
            """,
        )
    )
    assert condition.floor == dataclasses.replace(TERRAINS['carpet'], friction=0.4, yaw_push=0.0)
    assert condition.slope == Slope(0.2, 1.5)
    assert condition.payload == Payload(0.03, rope=0.1)
    assert condition.faults == (
        Fault('terrain', 'turf', 3.0),
        Fault('motor_gain', (0.5, 1.0), 3.0),
        Fault('missing_legs', ('middle_left',), 0.0),
    )
    for fault in condition.faults:
        condition = condition.after(fault)
    assert condition.missing_legs == ('front_left', 'rear_right', 'middle_left')
    assert condition.floor == TERRAINS['turf']
    assert condition.motor_gain == (0.5, 1.0)


@pytest.mark.parametrize(
    ('fault', 'name', 'text'),
    [
        (LEG_LOSS, 'missing_leg middle_left', 'middle_left leg lost'),
        (Fault('robot.servo', 'rear_left'), 'robot.servo rear_left', 'rear_left servo dead'),
        (Fault('terrain', 'turf'), 'terrain turf', 'terrain turf begins'),
        (Fault('terrain', Terrain()), 'terrain', 'terrain begins'),
        (Fault('slope', Slope(0.2094)), 'slope 12 deg', 'slope 12 deg begins'),
        (Fault('payload', Payload(0.03)), 'payload 30 g', 'payload 30 g begins'),
        (Fault('payload', Payload(0.03, rope=0.1)), 'payload 30 g on a rope', 'payload 30 g on a rope begins'),
        (Fault('wear', (1.0,) * 6), 'wear', 'wear begins'),
    ],
)
def test_a_fault_has_a_name_and_a_sentence(fault, name, text):
    assert (fault.name, fault.text) == (name, text)


def test_what_training_draws_counts_as_seen_and_what_the_unseen_conditions_do_not():
    assert all(in_training(sample_training_condition(np.random.default_rng(seed))) for seed in range(20))
    assert all(in_training(load_condition(name)) for name in ('flat', 'carpet', 'styrofoam', 'turf'))
    unseen = ('missing_middle_leg', 'slope_12_styrofoam', 'pose_offset', 'payload_30g', 'leg_loss', 'leg_loss_worn')
    assert not any(in_training(load_condition(name)) for name in unseen)
