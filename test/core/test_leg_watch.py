"""Legs that do not follow, in the logs of the real robot: found where they stand still, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
from robots import LAYOUT

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.safety.gate import GateConfig
from millirobot_adapt.core.safety.inputs import LegReading
from millirobot_adapt.core.safety.leg_watch import LegWatch
from millirobot_adapt.recording.lab.lab_log import OPEN_LOOP, read_lab_log, telemetry_of

LOGS = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'velociroach_logs'
ROBOT, LIMITS = RobotConfig(), GateConfig()
STANDING_STILL = {('styrofoam', 182), ('turf', 179)}
"""Rollouts of the logs in which a leg really stands still though it is told to turn."""


def readings(rollout):
    """What the legs did between two replies, as the bridge lays it out."""
    commands, told, last = rollout.records['cmd'] / ROBOT.counts_per_ms, None, 0.0
    for command, reply in zip(commands, telemetry_of(rollout, ROBOT), strict=True):
        if reply is None:
            told = None if told is None else np.minimum(told, command)
            continue
        if told is not None:
            yield LegReading(told, reply.joint_velocity, reply.stamp - last)
        told, last = command, reply.stamp


@pytest.mark.skipif(not LOGS.is_dir(), reason='the logs of the real robot are not here')
@pytest.mark.parametrize('terrain', ['carpet', 'styrofoam', 'turf'])
def test_an_hour_of_the_real_robot_has_no_false_hold(terrain):
    found = set()
    for rollout in read_lab_log(LOGS / f'{terrain}.npz'):
        watch = LegWatch(LAYOUT)
        for reading in () if rollout.mode == OPEN_LOOP else readings(rollout):
            watch.add(reading, LIMITS.leg_share, LIMITS.leg_hold)
        if watch.fault:
            found.add((terrain, rollout.number))
    assert found == {(name, number) for name, number in STANDING_STILL if name == terrain}


def test_restarting_forgets_what_was_seen():
    watch = LegWatch(LAYOUT)
    for _ in range(8):
        watch.add(LegReading(np.array([30.0, 30.0]), np.zeros(2), 0.1), 0.2, 1.0)
    watch.restart()
    for _ in range(8):
        watch.add(LegReading(np.array([30.0, 30.0]), np.zeros(2), 0.1), 0.2, 1.0)
    assert watch.fault == ''
