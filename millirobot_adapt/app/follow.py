"""Follow a robot or a demo that walks, in Rerun."""

from __future__ import annotations

import os
import time
from pathlib import Path

from millirobot_adapt.analysis.view.blueprint import blueprint
from millirobot_adapt.analysis.view.recorded import open_recording
from millirobot_adapt.analysis.view.rerun_stream import SHOWN, RerunStream
from millirobot_adapt.bringup.environment import local_environment
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import load_robot

SILENCE = 20.0
"""Nothing heard for this long at the beginning: nobody is there [s]."""


def follow(domain: int | None, namespace: str, save: Path | None, seconds: float | None, robot: str) -> int:
    """Show what is published until Ctrl-C; returns how many messages were shown.

    It is a process of its own at low priority that only listens, so that it takes no time from the controller.

    Args:
        domain: ROS domain of a demo on this machine; None: as the environment says.
        namespace: Of the robot.
        robot: The robot's name or file.
        save: `.rrd` file to write; None opens a window.
        seconds: Follow this long [s]; None: to Ctrl-C.

    Raises:
        UserError: nothing is published there, or the file cannot be written.
    """
    if domain is not None:
        os.environ.update(local_environment(domain))
    os.nice(10)
    from millirobot_adapt.ros.spectator import Spectator

    described = load_robot(robot)
    recording = open_recording(save, blueprint(described.layout))
    stream, count = RerunStream(recording, described), 0
    spectator = Spectator(SHOWN, namespace)
    begin = time.monotonic()
    try:
        while seconds is None or time.monotonic() - begin < seconds:
            for topic, message, received in spectator.hear(0.1):
                try:
                    stream.take(topic, message, received)
                except (ValueError, IndexError, UserError):
                    continue
                count += 1
            if not count and time.monotonic() - begin > SILENCE:
                where = os.environ.get('ROS_DOMAIN_ID', '0')
                raise UserError(
                    f'nothing is published in ROS domain {where} under /{namespace}; '
                    'give the domain that the demo prints: --domain N'
                )
    except KeyboardInterrupt:
        pass
    finally:
        spectator.close()
        recording.flush()
    return count
