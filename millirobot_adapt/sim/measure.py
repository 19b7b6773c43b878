"""Measure how the mock walks, by the same figures that are known of the real robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_bridge import packets
from firmware_bridge.telemetry import setpoint_to_counts
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.world import World

BANDS = ((2, 3), (4, 5), (6, 7), (8, 9))
"""Mean leg rates for which the forward speed is known [rev/s]."""
YAW_PERIODS = 10
"""Control periods over which a yaw rate is averaged (1 s)."""
JUMP = 0.15
"""A pose this far from those before and after it has jumped [m]."""
OVERTURNED = 1.2
"""A robot that rolls this far has fallen over, and is not getting up [rad]."""


@dataclass(frozen=True)
class Record:
    """A run, sampled at the end of every control period: the truth, telemetry, the newest pose of motion capture."""

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
    encoders: FloatArray
    """[counts], shape (N, 2)."""
    back_emf: FloatArray
    """[counts], shape (N, 2)."""
    battery: FloatArray
    """[counts], shape (N,)."""
    pose_age: FloatArray
    """Age of the newest pose [s], shape (N,)."""
    pose_repeated: FloatArray
    """1 for each frame of motion capture that repeats the one before, else 0."""
    pose_jumped: FloatArray
    """1 for each frame of motion capture that is further than JUMP from both of its neighbours, else 0."""


def record(robot: RobotConfig, condition: Condition, commands: FloatArray, seed: int) -> Record:
    """Drive the mock with leg rates [rev/s], shape (N, 2), one a control period, and sample it.

    A robot that falls over ends the run, as it would in the lab; the record is then shorter than the commands.
    """
    world = World(robot, condition, seed)
    for packet in packets.start_sequence(robot.imageproc.pid_gains):
        world.microcontroller.obey(packet)
    truth, angles, told = [world.hexapod.pose()], [world.hexapod.leg_angle()], []
    frames: list[PoseSample] = []
    newest = []
    for tick, command in enumerate(commands):
        counts = setpoint_to_counts(robot, command * RADIANS_PER_REVOLUTION)
        world.microcontroller.obey(packets.SetVelocity(counts))
        now = (tick + 1) * robot.dt
        world.advance(now)
        truth.append(world.hexapod.pose())
        angles.append(world.hexapod.leg_angle())
        told.append(world.microcontroller.telemetry(counts))
        frames += world.mocap.due(now)
        newest.append(frames[-1])
        if abs(roll_pitch_yaw(truth[-1][1])[0]) > OVERTURNED:
            break
    commands = commands[: len(told)]
    positions = np.array([position for position, _ in truth])
    rpy = roll_pitch_yaw(np.array([quaternion for _, quaternion in truth]))
    rpy[:, 2] = np.unwrap(rpy[:, 2])
    velocity = np.diff(positions[:, :2], axis=0) / robot.dt
    heading = (rpy[1:, 2] + rpy[:-1, 2]) / 2
    forward = velocity[:, 0] * np.cos(heading) + velocity[:, 1] * np.sin(heading)
    leftward = velocity[:, 1] * np.cos(heading) - velocity[:, 0] * np.sin(heading)
    far = np.linalg.norm(np.diff([pose.position for pose in frames], axis=0), axis=1) > JUMP
    return Record(
        command=commands,
        rate=np.diff(angles, axis=0) / robot.dt / RADIANS_PER_REVOLUTION,
        velocity=np.column_stack([forward, leftward]),
        height=positions[1:, 2],
        rpy=rpy[1:],
        encoders=np.array([reply.position for reply in told], dtype=float),
        back_emf=np.array([reply.back_emf for reply in told], dtype=float),
        battery=np.array([reply.battery for reply in told], dtype=float),
        pose_age=np.arange(1, len(commands) + 1) * robot.dt - np.array([pose.stamp for pose in newest]),
        pose_repeated=(np.diff([pose.stamp for pose in frames]) == 0.0).astype(float),
        pose_jumped=(far[1:] & far[:-1]).astype(float),
    )


def figures(robot: RobotConfig, runs: Sequence[Record]) -> dict[str, float]:
    """Compute the figures of the calibration table from all runs together, each of at least a few seconds.

    Yaw rate = yaw_gain (right - left leg rate) + yaw_bias; leg rate = rate_now command[t] + rate_before command[t-1]
    + rate_offset. A figure is nan where the runs hold nothing of the kind.
    """
    return {**_speeds(runs), **_turning(robot, runs), **_legs(runs), **_attitude(runs), **_sensors(robot, runs)}


def _speeds(runs: Sequence[Record]) -> dict[str, float]:
    rate = np.concatenate([run.rate.mean(axis=1) for run in runs])
    forward = np.concatenate([run.velocity[:, 0] for run in runs])
    bands = [forward[(rate >= low) & (rate < high)] for low, high in BANDS]
    found = {
        f'forward_{low}_{high}': float(band.mean()) if len(band) else float('nan')
        for (low, high), band in zip(BANDS, bands, strict=True)
    }
    deviations = np.concatenate([band - band.mean() for band in bands if len(band)])
    return found | {'forward_sd': float(deviations.std())}


def _turning(robot: RobotConfig, runs: Sequence[Record]) -> dict[str, float]:
    gain, bias, residual = _yaw_fit(runs, YAW_PERIODS, robot.dt)
    return {
        'yaw_gain': gain,
        'yaw_bias': bias,
        'yaw_residual_1s': residual,
        'yaw_residual_tick': _yaw_fit(runs, 1, robot.dt)[2],
    }


def _legs(runs: Sequence[Record]) -> dict[str, float]:
    now, before, rate = (
        np.concatenate([part.ravel() for part in parts])
        for parts in zip(*((run.command[1:], run.command[:-1], run.rate[1:]) for run in runs), strict=True)
    )
    inputs = np.column_stack([now, before, np.ones_like(now)])
    fit = np.linalg.lstsq(inputs, rate, rcond=None)[0]
    ratios = [run.rate.mean() / run.command.mean() for run in runs]
    return {
        'rate_ratio': float(np.mean(ratios)),
        'rate_now': float(fit[0]),
        'rate_before': float(fit[1]),
        'rate_offset': float(fit[2]),
        'rate_residual': float(np.std(rate - inputs @ fit)),
    }


def _attitude(runs: Sequence[Record]) -> dict[str, float]:
    def spread(parts: Sequence[FloatArray]) -> float:
        """Return the standard deviation within the runs."""
        return float(np.sqrt(np.mean([part.var() for part in parts])))

    return {
        'lateral_sd': spread([run.velocity[:, 1] for run in runs]),
        'roll_sd': spread([run.rpy[:, 0] for run in runs]),
        'pitch_sd': spread([run.rpy[:, 1] for run in runs]),
        'height_sd': 1e3 * spread([run.height for run in runs]),
    }


def _sensors(robot: RobotConfig, runs: Sequence[Record]) -> dict[str, float]:
    rate = np.concatenate([run.rate for run in runs]).ravel()
    back_emf = np.concatenate([run.back_emf * robot.imageproc.scales.back_emf_signs for run in runs]).ravel()
    slope, offset = np.polyfit(rate, back_emf, 1)
    battery = np.concatenate([run.battery for run in runs])
    frozen = [(np.diff(run.encoders, axis=0) == 0.0).all(axis=1) for run in runs]
    return {
        'back_emf_slope': float(slope),
        'back_emf_noise': float(np.std(back_emf - slope * rate - offset)),
        'battery_mean': float(battery.mean()),
        'battery_sd': float(battery.std()),
        'encoders_frozen': float(np.concatenate(frozen).mean()),
        'mocap_age': 1e3 * float(np.mean([run.pose_age.mean() for run in runs])),
        'mocap_repeated': float(np.concatenate([run.pose_repeated for run in runs]).mean()),
        'mocap_jumps': float(np.concatenate([run.pose_jumped for run in runs]).mean()),
    }


def _yaw_fit(runs: Sequence[Record], periods: int, dt: float) -> tuple[float, float, float]:
    """Fit yaw rate over `periods` control periods = k (right - left leg rate) + b; return k, b, residual sd."""
    differences, yaw_rates = [], []
    for run in runs:
        count = len(run.rate) // periods
        difference = (run.rate[:, 1] - run.rate[:, 0])[: count * periods].reshape(count, periods).mean(axis=1)
        differences.append(difference[1:])
        yaw_rates.append(np.diff(run.rpy[periods - 1 : count * periods : periods, 2]) / (periods * dt))
    difference, yaw_rate = np.concatenate(differences), np.concatenate(yaw_rates)
    gain, bias = np.polyfit(difference, yaw_rate, 1)
    return float(gain), float(bias), float(np.std(yaw_rate - gain * difference - bias))


def random_commands(
    robot: RobotConfig, seconds: float, hold: int, seed: int, span: tuple[float, float] | None = None
) -> FloatArray:
    """Draw leg rates [rev/s], each held for `hold` control periods, shape (N, 2); evenly, by default over the range."""
    low, high = span or (robot.actions[0].low, robot.actions[0].high)
    count = round(seconds / robot.dt / hold)
    return np.repeat(generator(seed).uniform(low, high, (count, 2)), hold, axis=0)
