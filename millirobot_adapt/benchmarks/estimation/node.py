"""Measure what the estimator's process costs while the real processes talk to the mock over DDS and a pty."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from millirobot_adapt.benchmarks.link.live_robot import LiveRobot
from millirobot_adapt.benchmarks.process_cost import cpu_seconds
from millirobot_adapt.bringup.processes import ESTIMATOR
from millirobot_adapt.contract.states import LinkState

BEFORE = 2.0
"""Time between the link's start and the measurement, so that no start-up is in it [s]."""


@dataclass(frozen=True)
class NodeLoad:
    """What the process costs at 100 poses and 10 telemetry replies a second."""

    seconds: float
    cpu_percent: float
    """Of one core [%]."""


def measure_node(robot: str, seconds: float) -> NodeLoad:
    """Read the processor time of the estimator over this long [s] from /proc; the robot stands, which costs the same.

    Raises:
        BenchFailedError: the link did not come up.
    """
    with TemporaryDirectory(prefix='millirobot_') as folder, LiveRobot(Path(folder), robot) as live:
        live.wait_for(lambda: live.witness.link is LinkState.UP, 'the link')
        live.witness.spin(BEFORE)
        start, before = time.monotonic(), cpu_seconds(live.pid(ESTIMATOR))
        live.witness.spin(seconds)
        elapsed = time.monotonic() - start
        return NodeLoad(elapsed, 100.0 * (cpu_seconds(live.pid(ESTIMATOR)) - before) / elapsed)
