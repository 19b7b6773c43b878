"""The robot's battery, as a part of its own on /diagnostics."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus

from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.nodes.conversions import status


def battery_status(counts: int | None, robot: RobotConfig) -> DiagnosticStatus:
    """Say how the battery is by its newest reading [counts]; None: there is none yet."""
    if counts is None:
        return status('battery', 'no reading yet', {}, DiagnosticStatus.STALE)
    low = robot.scales.battery_low_counts
    level = DiagnosticStatus.ERROR if counts < low else DiagnosticStatus.OK
    volts = counts * robot.scales.battery
    return status('battery', f'{volts:.2f} V', {'reading [counts]': counts, 'low [counts]': low}, level)
