"""A differential-drive robot with the real robot's figures: a rollout for planner tests without a network."""

import numpy as np
from robots import NX

from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.optimize import unlimited
from millirobot_adapt.core.planning.planner_interface import Plan
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.repeatability import generator

DT = 0.1
LEG_RATES = np.array([0.0, 2.5, 4.5, 6.5, 8.5])  # Hz
SPEEDS = np.array([0.0, 0.17, 0.25, 0.32, 0.38])  # m/s on carpet
YAW_GAIN = 0.205  # rad/s per Hz of difference


def start(x=0.0, y=0.0, yaw=0.0):
    state = np.zeros(NX)
    state[:2] = x, y
    state[[6, 8]] = 1.0
    state[10:12] = np.cos(yaw), np.sin(yaw)
    return state


def rollout(state, actions, yaw_bias=0.0, yaw_noise=0.0):
    """Roll actions (H, K, 2) [rad/s] from one state; bias [rad/s] and noise (H, K) [rad/s] act on the yaw rate."""
    horizon, candidates, _ = actions.shape
    states = np.repeat(np.repeat(state[None, None], candidates, axis=1), horizon + 1, axis=0)
    yaw = np.full(candidates, np.arctan2(state[11], state[10]))
    legs = np.repeat(state[None, 19:21], candidates, axis=0)
    noise = np.broadcast_to(yaw_noise, (horizon, candidates))
    for h in range(horizon):
        legs = 0.75 * actions[h] + 0.2 * legs
        rates = legs / (2 * np.pi)
        speed = np.interp(rates.mean(axis=1), LEG_RATES, SPEEDS)
        turn = YAW_GAIN * (rates[:, 1] - rates[:, 0]) + yaw_bias + noise[h]
        middle = yaw + 0.5 * DT * turn
        yaw = yaw + DT * turn
        states[h + 1, :, 0] = states[h, :, 0] + DT * speed * np.cos(middle)
        states[h + 1, :, 1] = states[h, :, 1] + DT * speed * np.sin(middle)
        states[h + 1, :, 10], states[h + 1, :, 11] = np.cos(yaw), np.sin(yaw)
        states[h + 1, :, 19:21] = legs
    return states


def walk(planner, path, ticks, seed=0, objective=None, yaw_noise=0.5, yaw_bias=0.25):
    """Walk along `path` in closed loop, one tick of delay; the robot has a yaw noise and bias its model lacks."""
    objective = objective or ObjectiveConfig()
    tracker, state, rng = PathTracker(path), start(), generator(seed, 99)
    executing, previous, tracked = np.zeros(2), None, []
    for tick in range(ticks):
        step = tracker.update(state)
        tracked.append(step)
        plan: Plan = planner.plan(
            lambda actions, state=state: rollout(state, actions),
            TrackingObjective(objective, path, step.position, DT),
            executing,
            previous,
            lambda batch, tick=tick: generator(seed, tick, batch),
            unlimited,
        )
        state = rollout(state, executing.reshape(1, 1, 2), yaw_bias, yaw_noise * rng.normal(size=(1, 1)))[1, 0]
        previous, executing = plan, plan.actions[1]
    return tracked
