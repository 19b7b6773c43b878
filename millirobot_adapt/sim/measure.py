"""Measure how the mock walks, by the same figures that are known of the real robot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_bridge import packets
from firmware_bridge.telemetry import setpoint_to_counts
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.randomness import generator
from millirobot_adapt.core.robot import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.state import FloatArray
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.world import World

BANDS = ((2.0, 3.0), (4.0, 5.0), (6.0, 7.0), (8.0, 9.0))
"""Mean leg rates for which the forward speed is known [rev/s]."""
YAW_PERIODS = 10
"""Control periods over which a yaw rate is averaged (1 s)."""


@dataclass(frozen=True)
class Record:
    """A true run, sampled at the end of every control period."""

    command: FloatArray
    """Leg rates commanded [rev/s], shape (N, 2)."""
    rate: FloatArray
    """Leg rates, mean over the period [rev/s], shape (N, 2)."""
    velocity: FloatArray
    """Forward and leftward [m/s], mean over the period, shape (N, 2)."""
    height: FloatArray
    """[m], shape (N,)."""
    rpy: FloatArray
    """Roll, pitch, unwrapped yaw [rad], shape (N, 3)."""


@dataclass(frozen=True)
class Calibration:
    """The figures of the calibration table."""

    forward: tuple[float, ...]
    """Forward speed in each of BANDS [m/s]; nan where the run never was there."""
    yaw_gain: float
    """k of: yaw rate over 1 s = k (right - left leg rate) + b [rad/s per rev/s]."""
    yaw_bias: float
    """b [rad/s]."""
    yaw_residual: float
    """Standard deviation of what the two do not explain [rad/s]."""
    yaw_residual_tick: float
    """The same over one control period [rad/s]."""
    rate_ratio: float
    """Mean leg rate / mean command."""
    rate_fit: tuple[float, ...]
    """Leg rate = a command[t] + b command[t-1] + c [rev/s]."""
    lateral: float
    """Standard deviation of the lateral velocity [m/s]."""
    roll_pitch: tuple[float, float]
    """Standard deviations [rad]."""
    height: float
    """Standard deviation [m]."""


def record(robot: RobotConfig, condition: Condition, commands: FloatArray, seed: int) -> Record:
    """Drive the mock with leg rates [rev/s], shape (N, 2), one a control period, and sample the truth."""
    world = World(robot, condition, seed)
    world.microcontroller.obey(packets.StartMotors())
    world.microcontroller.obey(packets.PidGains(robot.pid_gains[:5], robot.pid_gains[5:]))  # type: ignore[arg-type]
    poses, angles = [world.hexapod.pose()], [world.hexapod.leg_angle()]
    for tick, command in enumerate(commands):
        counts = setpoint_to_counts(robot, command * RADIANS_PER_REVOLUTION)
        world.microcontroller.obey(packets.SetVelocity(counts))
        world.advance((tick + 1) * robot.dt)
        poses.append(world.hexapod.pose())
        angles.append(world.hexapod.leg_angle())
    positions = np.array([position for position, _ in poses])
    rpy = roll_pitch_yaw(np.array([quaternion for _, quaternion in poses]))
    rpy[:, 2] = np.unwrap(rpy[:, 2])
    velocity = np.diff(positions[:, :2], axis=0) / robot.dt
    heading = (rpy[1:, 2] + rpy[:-1, 2]) / 2
    forward = velocity[:, 0] * np.cos(heading) + velocity[:, 1] * np.sin(heading)
    leftward = velocity[:, 1] * np.cos(heading) - velocity[:, 0] * np.sin(heading)
    return Record(
        command=commands,
        rate=np.diff(angles, axis=0) / robot.dt / RADIANS_PER_REVOLUTION,
        velocity=np.column_stack([forward, leftward]),
        height=positions[1:, 2],
        rpy=rpy[1:],
    )


def calibration(robot: RobotConfig, run: Record) -> Calibration:
    """Compute the figures of a run of at least a few seconds."""
    mean_rate = run.rate.mean(axis=1)
    bands = [(mean_rate >= low) & (mean_rate < high) for low, high in BANDS]
    gain, bias, residual = _yaw_fit(run, YAW_PERIODS, robot.dt)
    now, before = run.command[1:].ravel(), run.command[:-1].ravel()
    fit = np.linalg.lstsq(np.column_stack([now, before, np.ones_like(now)]), run.rate[1:].ravel(), rcond=None)[0]
    return Calibration(
        forward=tuple(float(run.velocity[band, 0].mean()) if band.any() else float('nan') for band in bands),
        yaw_gain=gain,
        yaw_bias=bias,
        yaw_residual=residual,
        yaw_residual_tick=_yaw_fit(run, 1, robot.dt)[2],
        rate_ratio=float(run.rate.mean() / run.command.mean()),
        rate_fit=tuple(float(number) for number in fit),
        lateral=float(run.velocity[:, 1].std()),
        roll_pitch=(float(run.rpy[:, 0].std()), float(run.rpy[:, 1].std())),
        height=float(run.height.std()),
    )


def _yaw_fit(run: Record, periods: int, dt: float) -> tuple[float, float, float]:
    """Fit yaw rate over `periods` control periods = k (right - left leg rate) + b; return k, b, residual sd."""
    count = len(run.rate) // periods
    difference = (run.rate[:, 1] - run.rate[:, 0])[: count * periods].reshape(count, periods).mean(axis=1)[1:]
    yaw_rate = np.diff(run.rpy[periods - 1 : count * periods : periods, 2]) / (periods * dt)
    gain, bias = np.polyfit(difference, yaw_rate, 1)
    return float(gain), float(bias), float(np.std(yaw_rate - gain * difference - bias))


def random_commands(robot: RobotConfig, seconds: float, hold: int, seed: int) -> FloatArray:
    """Draw leg rates [rev/s] evenly over the robot's range, each held for `hold` control periods, shape (N, 2)."""
    count = round(seconds / robot.dt / hold)
    drawn = generator(seed).uniform(robot.speed_low, robot.speed_high, (count, 2))
    return np.repeat(drawn, hold, axis=0)
