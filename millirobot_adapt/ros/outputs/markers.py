"""Draw on the floor for RViz and Foxglove: the planner's candidates, and the fence."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Duration
from rclpy.node import Node
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from millirobot_adapt.contract.topics import FENCE, WORLD_FRAME
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.core.safety.geofence import Fence
from millirobot_adapt.ros.conversions import point, qos, time_message

SHOWN = 25
"""Candidates shown of each plan: enough to see what the planner tries; 6 ms to draw, after the plan is out."""
LIFETIME = 0.3
"""Candidates older than this vanish: the planner rests [s]."""
HEIGHT = 0.02
"""Height of lines above the floor, so that a grid does not hide them [m]."""
# The report's colours: blue is cheap, orange dear; the fence is its colour of stops.
CHEAP_TO_DEAR = np.array([[0.0, 0.447, 0.698], [0.788, 0.816, 0.839], [0.835, 0.369, 0.0]])
STOP = (0.561, 0.176, 0.0, 1.0)


def candidate_markers(stamp: float, paths: FloatArray, costs: FloatArray) -> MarkerArray:
    """Draw some of the candidates, coloured by the rank of their cost; those of infinite cost are left out.

    Args:
        stamp: When they were planned [s].
        paths: Predicted positions [m; world], shape (H + 1, K, 2).
        costs: Shape (K,).
    """
    finite = np.flatnonzero(np.isfinite(costs))
    finite = finite[np.argsort(costs[finite])]
    chosen = finite[np.linspace(0, len(finite) - 1, min(SHOWN, len(finite))).round().astype(int)]
    ranks = np.linspace(0.0, 1.0, len(chosen))
    message = MarkerArray()
    # The cheapest comes last, so that it lies on top.
    for number, (candidate, rank) in reversed(list(enumerate(zip(chosen, ranks, strict=True)))):
        rgb = [float(np.interp(rank, [0.0, 0.5, 1.0], channel)) for channel in CHEAP_TO_DEAR.T]
        marker = _line(stamp, 'candidates', paths[:, candidate], (*rgb, 0.8), width=0.004)
        marker.id = number
        marker.lifetime = Duration(nanosec=round(LIFETIME * 1e9))
        message.markers.append(marker)
    return message


def show_fence(node: Node, fence: Fence) -> None:
    """Publish the fence once, for all who come."""
    outline = np.concatenate([fence.corners, fence.corners[:1]])
    publisher = node.create_publisher(MarkerArray, FENCE.name, qos(FENCE))
    publisher.publish(MarkerArray(markers=[_line(0.0, 'fence', outline, STOP, width=0.01)]))


def _line(stamp: float, namespace: str, points: FloatArray, rgba: tuple[float, ...], width: float) -> Marker:
    """Build a line on the floor through points, shape (N, 2) [m; world]; stamp 0 means it holds at any time."""
    marker = Marker(ns=namespace, type=Marker.LINE_STRIP, action=Marker.ADD)
    marker.header.frame_id = WORLD_FRAME
    marker.header.stamp = time_message(stamp)
    marker.pose.orientation.w = 1.0
    marker.scale.x = width
    red, green, blue, alpha = rgba
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=alpha)
    marker.points = [point([x, y, HEIGHT]) for x, y in points]
    return marker
