"""Join the ROS graph for a moment: what ROS is this, who is there, how does motion capture come; prints JSON.

A program and not a function, since a middleware that cannot be loaded ends the process: `python -m
millirobot_adapt.nodes.graph_probe TYPE TOPIC SECONDS [COMMAND]`. TYPE is that of the poses, COMMAND the topic of a
velocity command.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node

from millirobot_adapt.contract.messages import seconds
from millirobot_adapt.contract.topics import MOCAP_POSE, ODOMETRY
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.inputs.source_watch import SourceWatch
from millirobot_adapt.ros.ros_version import ros_version

NAME = 'millirobot_doctor'


def probe_graph(kind: str, topic: str, duration: float, command: str = '') -> dict[str, Any]:
    """Listen to a topic of PoseStamped or Odometry for `duration` [s]; return what was heard, and who is there.

    `command` names a topic whose listeners are looked for.
    """
    rclpy.init()
    node = Node(NAME)
    arrivals: list[float] = []
    ages: list[float] = []

    def on_pose(message: PoseStamped | Odometry) -> None:
        arrivals.append(time.monotonic())
        ages.append(time.time() - seconds(message.header.stamp))

    watch = SourceWatch(node, topic, kind, qos(MOCAP_POSE), 'see docs/bring-up.md')
    node.create_subscription(
        Odometry if kind == ODOMETRY.type else PoseStamped,
        topic,
        on_pose,
        qos(MOCAP_POSE),
        event_callbacks=watch.events(),
    )
    end = time.monotonic() + duration
    while (left := end - time.monotonic()) > 0:
        rclpy.spin_once(node, timeout_sec=left)
    found = {
        **ros_version(),
        'nodes': sorted({name for name in node.get_node_names() if name != NAME}),
        'poses': len(arrivals),
        'silence': watch.reason() if not arrivals else '',
    }
    if command:
        found['listeners'] = sorted(info.topic_type for info in node.get_subscriptions_info_by_topic(command))
    if len(arrivals) > 1:
        gaps = np.diff(arrivals)
        found |= {'rate': 1.0 / float(gaps.mean()), 'gap': float(gaps.max()), 'age': float(np.median(ages))}
    node.destroy_node()
    rclpy.try_shutdown()
    return found


if __name__ == '__main__':
    print(json.dumps(probe_graph(sys.argv[1], sys.argv[2], float(sys.argv[3]), *sys.argv[4:])))
