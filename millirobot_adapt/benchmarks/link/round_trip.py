"""How long one exchange with the robot takes: the link and the mock, over a real pseudo-terminal, in real time."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import SystemClock
from firmware_bridge.link import Link
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.benchmarks.link.mock_process import MockProcess
from millirobot_adapt.core.robot.description import RobotConfig


@dataclass(frozen=True)
class RoundTrip:
    """Round trips of one kind of line, in the order of the table."""

    wire_time: bool
    """The line takes the time of its bytes at the radio's baud rate, the air its own."""
    sent: int
    replies: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


def measure_round_trip(robot: RobotConfig, exchanges: int, wire_time: bool) -> RoundTrip:
    """Exchange zero setpoints with a mock in a process of its own, as fast as its answers allow.

    Args:
        robot: Robot whose protocol is spoken.
        exchanges: How many.
        wire_time: Bytes take the time of a serial line at the radio's baud rate.

    Raises:
        LinkLost: the mock does not answer.
    """
    config = LinkConfig(zero_hold_off=0.05)
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder) / 'radio'
        with MockProcess(port, robot, wire_time):
            link = Link(lambda: SerialPort(str(port), robot.imageproc.radio.baud), robot, config, SystemClock())
            link.start()
            trips = [link.exchange(np.zeros(2)).round_trip for _ in range(exchanges)]
            link.stop()
            link.close()
    answered = 1e3 * np.array([trip for trip in trips if trip is not None])
    p50, p99 = np.percentile(answered, (50, 99))
    return RoundTrip(wire_time, exchanges, len(answered), float(p50), float(p99), float(answered.max()))
