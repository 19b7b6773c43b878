"""Settings of the driver `dynamixel`: six servos on one bus, one a leg."""

from __future__ import annotations

import math
from typing import Literal

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.errors import PlacedError

LEGS_A_SIDE = 3
BAUD_RATES = (9600, 57600, 115200, 1_000_000, 2_000_000, 3_000_000, 4_000_000)
"""What an XL330 can be set to [bit/s]."""


class DynamixelConfig(Config):
    """Six Dynamixel servos on one bus; legs of a side in the order front, middle, rear."""

    kind: Literal['dynamixel'] = param('dynamixel', 'What carries actions to the robot.', choices=('dynamixel',))
    baud: int = param(1_000_000, 'Speed of the bus; every servo must be set to it.', unit='bit/s', low=9600)
    model: str = param('xl330-m077', 'Model of all servos.', choices=('xl330-m077', 'xl330-m288'))
    left: tuple[int, ...] = param((1, 2, 3), 'Ids of the left servos: front, middle, rear.', low=0, high=252, length=3)
    right: tuple[int, ...] = param((4, 5, 6), 'Ids of the right servos.', low=0, high=252, length=3)
    reversed_side: str = param(
        'right', 'Side whose servos turn the other way round, as they are mounted mirrored (drive mode, bit 0).',
        choices=('left', 'right'),
    )  # fmt: skip
    home: tuple[int, ...] = param(
        (0, 0, 0, 0, 0, 0), 'Present position of each servo, left then right, while its leg points straight down.',
        unit='1/4096 rev', low=0, high=4095, length=6,
    )  # fmt: skip
    rate: float = param(
        100.0, 'Cycles of the leg clock: read all servos, command all.', unit='Hz', low=50.0, high=100.0
    )
    gain: float = param(8.0, 'Velocity by which a leg makes up its phase error.', unit='1/s', low=0.0, high=20.0)
    correction: float = param(3.0, 'Largest such velocity.', unit='rad/s', low=0.0, high=20.0)
    sweep: float = param(
        math.pi, 'Buehler clock: angle through which a leg turns slowly, centred on straight down.', unit='rad',
        low=0.1, high=6.2,
    )  # fmt: skip
    duty: float = param(
        0.5, 'Buehler clock: share of a stride that this takes; 0.5 with a sweep of pi is a uniform rotation.',
        low=0.1, high=0.9,
    )  # fmt: skip
    buehler_below: float = param(
        1.0, 'Stride rate above which legs turn uniformly, whatever sweep and duty say.', unit='rev/s',
        low=0.0, high=10.0,
    )  # fmt: skip
    watchdog: int = param(
        200, "Bus watchdog of the servos: they stop after this long without any packet; in steps of 20.", unit='ms',
        low=20, high=2540,
    )  # fmt: skip
    watchdog_verified: bool = param(False, 'These servos have been seen to stop when the bus falls silent.')
    latency: float = param(
        0.004, 'Longest wait for an answer beyond the time that its bytes take: USB, adapter, scheduler.', unit='s',
        low=0.001, high=0.02,
    )  # fmt: skip
    least_a_side: int = param(
        2, 'Servos that must answer on each side; with fewer the robot does not start, or stops.', low=1, high=3
    )

    def __post_init__(self) -> None:
        if self.baud not in BAUD_RATES:
            raise PlacedError(f'baud = {self.baud}: an XL330 knows {", ".join(map(str, BAUD_RATES))}', 'baud')
        for number, servo in enumerate(self.servos):
            if servo in self.servos[:number]:
                side, place = ('left', number) if number < LEGS_A_SIDE else ('right', number - LEGS_A_SIDE)
                raise PlacedError(f'servo id {servo} is given twice; each servo needs an id of its own', side, place)
        if self.watchdog % 20:
            raise PlacedError(f'watchdog = {self.watchdog} ms is no multiple of 20 ms', 'watchdog')

    @property
    def servos(self) -> tuple[int, ...]:
        """Ids of all servos: left front, middle, rear, right front, middle, rear."""
        return (*self.left, *self.right)
