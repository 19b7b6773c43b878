"""Publish actions as velocity commands, and start the process that publishes zero when this one cannot."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from rclpy.node import Node

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import TwistConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.ros.conversions import time_message

LEAVE_TIME = 1.0
"""A guardian that has not left within this time is killed [s]."""


def twist_outlet(node: Node, robot: RobotConfig, name: str, silence: float) -> TwistOutlet | None:
    """Return what velocity commands of a robot go out through; None for a robot on a port.

    Args:
        node: The bridge.
        robot: The robot.
        name: Its name or file, for the guardian.
        silence: The guardian acts when the bridge is silent for longer [s].
    """
    return (
        TwistOutlet(node, robot.driver, robot.layout, name, silence) if isinstance(robot.driver, TwistConfig) else None
    )


class TwistOutlet:
    """Publish actions on the topic that the robot's file names, watched by a guardian."""

    def __init__(self, node: Node, driver: TwistConfig, layout: StateLayout, robot: str, silence: float) -> None:
        self._driver, self._names = driver, layout.action_names
        self._guardian = (robot, silence, node.get_namespace())
        self._publisher = node.create_publisher(TwistStamped if driver.stamped else Twist, driver.topic, 1)

    def send(self, action: FloatArray) -> None:
        """Publish an action, shape (nu,)."""
        values = dict(zip(self._names, map(float, action), strict=True))
        self._publisher.publish(twist_message(self._driver, values))

    def start_guardian(self) -> TwistGuardian:
        """Start the process that commands standstill when the bridge is gone or hangs.

        Raises:
            OSError: it cannot be started.
        """
        return TwistGuardian(*self._guardian)


def twist_message(driver: TwistConfig, values: dict[str, float]) -> Any:
    """Return the message of a command: forward, lateral [m/s] and turn [rad/s]; what is not given is 0."""
    twist = Twist()
    twist.linear.x, twist.linear.y = values.get('forward', 0.0), values.get('lateral', 0.0)
    twist.angular.z = values.get('turn', 0.0)
    if not driver.stamped:
        return twist
    message = TwistStamped(twist=twist)
    message.header.stamp, message.header.frame_id = time_message(time.time()), driver.frame
    return message


class TwistGuardian:
    """A process that commands zero when heartbeats stop or the bridge ends while the robot may move; see `Guardian`."""

    def __init__(self, robot: str, silence: float, namespace: str) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        rules = ['-r', f'__ns:={namespace}'] if namespace.strip('/') else []
        self._process = subprocess.Popen(
            [
                sys.executable, '-m', 'millirobot_adapt.nodes.twist_guardian', robot, str(silence),
                '--ros-args', '--disable-external-lib-logs', *rules,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._heard, self._said = self._process.stdin, self._process.stdout
        os.set_blocking(self._said.fileno(), False)
        os.set_blocking(self._heard.fileno(), False)
        self._ready = self._acted = False

    @property
    def ready(self) -> bool:
        """Whether it has begun to listen for heartbeats: it needs seconds to start on a busy machine."""
        self._listen()
        return self._ready

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def beat(self, motors_on: bool) -> None:
        """Tell it that the bridge's thread is alive, and whether the robot may move."""
        with contextlib.suppress(OSError):  # a pipe that is full or broken is `trouble`, not an end
            self._heard.write(b'1' if motors_on else b'0')

    def trouble(self) -> str | None:
        """Return what has happened to it, or that it has acted; None when all is well."""
        if not self.alive:
            return f'the guardian of the velocity command has ended (exit code {self._process.returncode})'
        self._listen()
        acted, self._acted = self._acted, False
        return 'the guardian has stopped the robot: the bridge was silent for too long' if acted else None

    def _listen(self) -> None:
        said = self._said.read() or b''
        self._ready |= b'r' in said
        self._acted |= b'x' in said

    def close(self) -> None:
        """End it; it commands nothing more."""
        with contextlib.suppress(OSError):
            self._heard.write(b'q')
            self._heard.close()
        try:
            self._process.wait(LEAVE_TIME)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()
