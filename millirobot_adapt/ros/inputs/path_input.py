"""Listen for paths to follow, where they are published instead of named."""

from __future__ import annotations

from nav_msgs.msg import Path
from rclpy.node import Node

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.messages import published_path
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.path_source import PathSource
from millirobot_adapt.ros.conversions import qos


class PathInput:
    """Offer each good path to `source`, for the runs that start from then on, and say so; refuse the others."""

    def __init__(self, node: Node, source: PathSource) -> None:
        self._source = source
        self._log = node.get_logger()
        self.newest = 'none yet'
        """The newest path as text."""
        node.create_subscription(Path, topics.PATH.name, self._on_path, qos(topics.PATH))

    def _on_path(self, message: Path) -> None:
        try:
            path = published_path(message)
        except UserError as error:
            self._log.error(f'path refused: {error}')
            return
        self._source.offer(path)
        self.newest = f'{len(path.waypoints)} waypoints, {path.length:.2f} m'
        self._log.info(f'path taken: {self.newest}; the next run to start follows it')
