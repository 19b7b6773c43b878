"""A toy robot: a differential drive whose turning bias, speed gain and error of heading are hidden and constant."""

import numpy as np
import pytest
from robots import assemble_state

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.rollout_file import CollectedRollouts, mark_valid

DT = 0.1


def toy_rollout(rng, length, bias, gain, skew, noise=0.02):
    robot = RobotConfig()
    actions = np.repeat(rng.uniform(robot.action_low, robot.action_high, (length // 4 + 1, 2)), 4, axis=0)[:length]
    x = y = yaw = 0.0
    legs, states = np.zeros(2), []
    for action in [np.zeros(2), *actions]:
        legs = 0.3 * legs + 0.7 * action
        forward, lateral = 0.008 * gain * legs.mean(), rng.normal(scale=noise)
        rate = bias + 0.03 * (legs[1] - legs[0]) + rng.normal(scale=noise)
        if states:
            x += DT * (forward * np.cos(yaw) - lateral * np.sin(yaw))
            y += DT * (forward * np.sin(yaw) + lateral * np.cos(yaw))
            yaw += DT * rate
        turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
        velocity = np.append(turn @ [forward, lateral], 0.0)
        angles, gyro = np.array([0.0, 0.0, yaw + skew]), np.array([0.0, 0.0, rate])
        states.append(
            assemble_state(np.array([x, y, 0.02]), velocity, angles, gyro, np.zeros(2), legs, np.zeros(2), 3.9)
        )
    return np.array(states, dtype=np.float32), actions.astype(np.float32)


@pytest.fixture(scope='session')
def toy_rollouts():
    """Make `count` rollouts of `length` transitions; `skew` [rad] is how wrong the heading is measured."""

    def make(count=30, length=60, skew=0.0, seed=0):
        rng = np.random.default_rng(seed)
        made = [toy_rollout(rng, length, rng.normal(scale=0.2), 1 + rng.normal(scale=0.1), skew) for _ in range(count)]
        states, actions = (np.array(arrays) for arrays in zip(*made, strict=True))
        stamps = np.tile(DT * np.arange(length + 1.0), (count, 1))
        metadata = {'origin': 'toy', 'robot': 'velociroach', 'dt': DT}
        return CollectedRollouts(states, actions, stamps, mark_valid(states, stamps, DT), metadata)

    return make
