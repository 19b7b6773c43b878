"""The lab's real logs, motion capture at 10 Hz: no hold but where a hand, a jump or a frozen tracker is to be seen."""

from pathlib import Path

import numpy as np
import pytest

from millirobot_adapt.benchmarks.estimation.logs import odd_poses
from millirobot_adapt.core.estimation.assembly import answer
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.recording.lab.lab_log import read_lab_log, telemetry_of

LOGS = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'velociroach_logs'
HOLD = 0.3
"""The gate holds when the last accepted pose is older [s]."""
SETTLED = 1.2
"""At 10 Hz the first poses are trusted after this [s]."""
HANDLED = 0.1
"""A body that moves further from one pose to the next is moved by a hand, or its pose jumps [m]."""
AFTER = 2.0
"""So long after an event the robot may be held [s]."""


def holds(rollout, robot):
    """Return the ticks that the gate would hold without a cause that the log itself shows."""
    records, estimator = rollout.records, make_estimator(EstimatorConfig(), robot)
    steps = np.linalg.norm(np.diff(records['pos'].astype(float), axis=0, prepend=records['pos'][:1]), axis=1)
    odd, new = odd_poses(rollout) | (steps > HANDLED), np.any(np.diff(records['pos'], axis=0) != 0, axis=1)
    newest = event = -np.inf
    found = []
    for i, reply in enumerate(telemetry_of(rollout, robot)):
        if records['mocap_valid'][i] and (i == 0 or records['t_mocap'][i] != records['t_mocap'][i - 1]):
            stamp = float(records['t_mocap'][i])
            estimator.on_pose(PoseSample(stamp, records['pos'][i].astype(float), records['quat'][i].astype(float)))
            newest = stamp if i == 0 or new[i - 1] else newest
        event = rollout.stamps[i] if odd[i] or rollout.stamps[i] - newest > 0.25 else event
        if reply is None:
            continue
        _, state = answer(estimator, reply)
        settled = reply.stamp >= rollout.stamps[0] + SETTLED
        if settled and state.quality.pose_age > HOLD and reply.stamp - event > AFTER:
            found.append((rollout.session, rollout.number, i, state.quality.fault.words))
    return found


@pytest.mark.long
@pytest.mark.skipif(not LOGS.is_dir(), reason="the lab's logs are not part of the repository")
@pytest.mark.parametrize('log', ['carpet', 'styrofoam', 'turf'])
def test_no_false_hold_on_the_real_robot(log):
    robot = load_robot('velociroach')
    assert [each for rollout in read_lab_log(LOGS / f'{log}.npz') for each in holds(rollout, robot)] == []
