"""The robot as data: limits, timing, and what its electronics report, read from params/robots/<name>.yaml."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from millirobot_adapt.core.config import Config, build, param, section
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.core.share import find
from millirobot_adapt.core.yaml_file import read_yaml

RADIANS_PER_REVOLUTION = 2 * np.pi


class RadioConfig(Config):
    """How the host reaches the robot."""

    baud: int = param(57600, 'Serial speed of the XBee.', unit='bit/s', low=1200, high=1_000_000)
    address: int = param(0x0001, "The robot's 16-bit 802.15.4 address.", low=0, high=0xFFFE)
    escaped: bool = param(False, 'XBee API mode 2 (escaped) instead of mode 1.')
    air_time: float = param(
        0.002, 'From one XBee to the other: channel access and a short packet at 250 kbit/s, nominal.', unit='s',
        low=0.0, high=0.1,
    )  # fmt: skip


class ScalesConfig(Config):
    """Raw telemetry to SI; battery and back-EMF scales are nominal (the firmware's are not published)."""

    encoder_counts: int = param(65536, 'Encoder counts per leg revolution.', unit='counts/rev', low=1)
    clock: float = param(1e-6, 'Timestamp, nominal (u32: wraps in 71 min).', unit='s per count', low=1e-9)
    gyro: float = param(1.0658e-3, 'Gyro.', unit='rad/s per count', low=1e-9)
    accelerometer: float = param(2.3942e-3, 'Accelerometer (+-8 g over 16 bits).', unit='m/s^2 per count', low=1e-9)
    back_emf: float = param(0.0064, 'Back-EMF converter, nominal.', unit='V per count', low=1e-9)
    back_emf_signs: tuple[float, ...] = param(
        (1.0, -1.0), 'Sign of the raw back-EMF when walking forward, left, right.', length=2
    )
    battery: float = param(0.0045, 'Battery converter, nominal.', unit='V per count', low=1e-9)
    battery_low_counts: int = param(780, 'Below this raw battery reading the robot is stopped.', unit='counts', low=0)


class SensorNoiseConfig(Config):
    """White noise of the telemetry, standard deviations; the covariance of the state rests on them."""

    leg_angle: float = param(1.1e-4, 'Leg angle: 14 bits a turn, rounded.', unit='rad', low=0.0, high=1.0)
    gyro: float = param(0.01, 'Gyro, each axis.', unit='rad/s', low=0.0, high=10.0)
    back_emf: float = param(0.64, "Back-EMF: about 100 counts on the lab's logs.", unit='V', low=0.0, high=10.0)
    battery: float = param(0.11, "Battery: 24 counts on the lab's logs.", unit='V', low=0.0, high=10.0)


class RobotConfig(Config):
    """The robot as its YAML describes it."""

    name: str = param('velociroach', 'Name of the robot; a model bundle names the robot it was trained for.')
    dt: float = param(0.1, 'Control period.', unit='s', low=0.01, high=1.0)
    speed_low: float = param(2.0, 'Slowest usable leg rate.', unit='rev/s', low=0.0, high=20.0)
    speed_high: float = param(9.0, 'Fastest usable leg rate.', unit='rev/s', low=0.1, high=20.0)
    pid_gains: tuple[int, ...] = param(
        (1800, 200, 100, 0, 0, 1800, 200, 100, 0, 0), 'Kp Ki Kd Kaw Kff, left then right, in firmware units.', length=10
    )
    timeout: int = param(
        250, "The robot's own watchdog (SET_TIMEOUT): it should stop after this long without a command; 0: not set.",
        unit='ms', low=0, high=32767,
    )  # fmt: skip
    timeout_verified: bool = param(
        False, 'This robot has been seen to honour the timeout (`millirobot link-test PORT --jog SIDE`).'
    )
    index_before_timestamp: bool = param(True, 'Order of the first two telemetry fields (two hosts differ).')
    marker_offset: tuple[float, ...] = param(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        'Marker body in the robot body: x y z [m], roll pitch yaw [rad].',
        unit='m, rad',
        length=6,
    )
    radio: RadioConfig = section(RadioConfig, 'Radio.')
    scales: ScalesConfig = section(ScalesConfig, 'Telemetry scales.')
    sensor_noise: SensorNoiseConfig = section(SensorNoiseConfig, 'Noise of the telemetry.')

    @property
    def action_low(self) -> FloatArray:
        """Lowest leg velocity setpoint [rad/s], shape (2,)."""
        return np.full(2, self.speed_low * RADIANS_PER_REVOLUTION)

    @property
    def action_high(self) -> FloatArray:
        """Highest leg velocity setpoint [rad/s], shape (2,)."""
        return np.full(2, self.speed_high * RADIANS_PER_REVOLUTION)

    @property
    def counts_per_ms(self) -> float:
        """Firmware velocity units per rad/s: 65.536 counts/ms is one revolution per second."""
        return self.scales.encoder_counts / RADIANS_PER_REVOLUTION / 1000.0


def load_robot(name: str) -> RobotConfig:
    """Load a robot by its shipped name or by the path of a YAML file.

    Raises:
        UserError: no such robot, an unknown key, a wrong type, a value out of range.
    """
    path: Path = find('params/robots', name, '.yaml')
    return build(RobotConfig, read_yaml(path), str(path))
