"""The guardian of a robot that takes velocity commands: the bridge starts it, and it outlives the bridge.

It hears heartbeats on its standard input: `1` the robot may move, `0` it stands, `q` all is well and the bridge ends.
On its standard output it says `r` when it is ready, and `x` when it has acted. When the beats stop while the robot may
move, because the bridge hangs or is gone, it commands zero until they come again, or for a second after the bridge
has ended.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

import rclpy
from geometry_msgs.msg import Twist, TwistStamped

from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.drivers import TwistConfig
from millirobot_adapt.ros.outputs.twist_publisher import twist_message

REPEAT = 0.02
"""Time between two commands of zero [s]."""
LAST_WORDS = 1.0
"""For how long it commands zero after the bridge's end [s]."""


def main(arguments: list[str]) -> int:
    """Run it: arguments are the robot's file or name, the longest silence [s], and those of ROS."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends with the bridge, and not before
    driver = load_robot(arguments[0]).driver
    assert isinstance(driver, TwistConfig)
    silence = float(arguments[1])
    rclpy.init(args=arguments, signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
    node = rclpy.create_node('twist_guardian')
    publisher = node.create_publisher(TwistStamped if driver.stamped else Twist, driver.topic, 1)
    os.write(sys.stdout.fileno(), b'r')
    moving, acted = False, False
    heard = time.monotonic()
    while True:
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], REPEAT if acted else silence / 4)
        if ready:
            beats = os.read(sys.stdin.fileno(), 4096)
            if not beats or b'q' in beats:
                break
            moving, acted, heard = beats.endswith(b'1'), False, time.monotonic()
        elif moving and time.monotonic() > heard + silence:
            publisher.publish(twist_message(driver, {}))
            if not acted:
                acted = True
                os.write(sys.stdout.fileno(), b'x')
    end = time.monotonic() + (LAST_WORDS if moving and not beats else 0.0)
    while time.monotonic() < end:
        publisher.publish(twist_message(driver, {}))
        time.sleep(REPEAT)
    node.destroy_node()
    rclpy.shutdown()
    return 0


if __name__ == '__main__':
    raise SystemExit(main(sys.argv[1:]))
