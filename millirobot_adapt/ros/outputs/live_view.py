"""Show people what the controller does while the robot walks: plan, errors and times, candidates of the plan."""

from __future__ import annotations

import numpy as np
from nav_msgs.msg import Path
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray
from visualization_msgs.msg import MarkerArray

from millirobot_adapt.contract.adaptation_codec import LABEL, encode_adaptation
from millirobot_adapt.contract.topics import ADAPTATION, CANDIDATES, PLAN
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.ros.conversions import labelled_array, path_message, qos
from millirobot_adapt.ros.outputs.markers import candidate_markers


class LiveView:
    """Publish plan, errors and times of every tick, and candidates while somebody subscribes to them."""

    def __init__(self, node: Node, loop: ControlLoop) -> None:
        self._plan = node.create_publisher(Path, PLAN.name, qos(PLAN))
        self._adaptation = node.create_publisher(Float64MultiArray, ADAPTATION.name, qos(ADAPTATION))
        self._candidates = node.create_publisher(MarkerArray, CANDIDATES.name, qos(CANDIDATES))
        self._watched = False
        self._seen: list[tuple[FloatArray, FloatArray]] = []
        loop.watch(self._look)

    def _look(self, states: NDArray[np.floating], costs: FloatArray) -> None:
        """Keep where candidates lead, states (H + 1, K, nx); a single one is the planner's check of its mean."""
        if self._watched and len(costs) > 1:
            self._seen.append((states[:, :, :2].astype(float), costs))

    def show(self, record: TickRecord) -> None:
        """Publish what a tick did and planned."""
        self._adaptation.publish(labelled_array(encode_adaptation(record), LABEL))
        if not np.isfinite(record.plan_states).all():
            return
        view = StateView(record.plan_states)
        self._plan.publish(path_message(record.stamp, view.position[:, :2], view.yaw))
        if self._seen:
            paths = np.concatenate([paths for paths, _ in self._seen], axis=1)
            costs = np.concatenate([costs for _, costs in self._seen])
            self._candidates.publish(candidate_markers(record.stamp, paths, costs))
        self._seen = []
        self._watched = self._candidates.get_subscription_count() > 0
