"""What carries actions to a robot, as its YAML describes it: one class a kind, chosen by `driver: {kind: ...}`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.core.errors import PlacedError
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig

_TOPIC = re.compile(r'(~?/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)
"""A topic's name in ROS 2, relative, absolute or private."""


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


class ImageprocConfig(Config):
    """An ImageProc board behind a pair of XBees: two motors, each turning the legs of its side."""

    kind: Literal['imageproc'] = param('imageproc', 'What carries actions to the robot.', choices=('imageproc',))
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
    radio: RadioConfig = section(RadioConfig, 'Radio.')
    scales: ScalesConfig = section(ScalesConfig, 'Telemetry scales.')


class TwistConfig(Config):
    """A robot that takes a velocity command under ROS 2 and reports nothing of itself."""

    kind: Literal['twist'] = param('twist', 'What carries actions to the robot.', choices=('twist',))
    topic: str = param('cmd_vel', 'Topic of the velocity command.')
    stamped: bool = param(True, 'geometry_msgs/TwistStamped; false: Twist.')
    frame: str = param('base_link', 'Frame of the stamped command: that of the body.')
    timeout: float = param(
        0.0, 'The robot itself stops after this long without a command; 0: not known.', unit='s', low=0.0, high=10.0
    )
    timeout_verified: bool = param(False, 'This robot has been seen to stop so.')

    def __post_init__(self) -> None:
        if not _TOPIC.fullmatch(self.topic) or '__' in self.topic:
            raise PlacedError(
                f'topic = {self.topic!r} is no name of a topic: write letters, digits and single _, parted by /, '
                'no part beginning with a digit',
                'topic',
            )
        if self.stamped and not self.frame:
            raise PlacedError('frame is empty; name the frame of the body, such as base_link', 'frame')


DriverConfig = Annotated[ImageprocConfig | DynamixelConfig | TwistConfig, Field(discriminator='kind')]
"""What `driver` may be; a further driver adds its class here."""
