"""Where the path of a run comes from: a shape, a file, or what was last published."""

from __future__ import annotations

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.robot.state import FloatArray, StateView

TOPIC = 'topic'
"""The value of the parameter `path` by which paths are published instead of named."""


class PathSource:
    """Lay a path for every run.

    Raises:
        UserError: there is no such shape, and the file cannot be read.
    """

    def __init__(self, path: str, anchor: str) -> None:
        """Read the path; `anchor` says where a shape or a file is laid: from where the robot stands, or in `world`."""
        self._anchored = anchor == 'robot' and path != TOPIC
        self._path = None if path == TOPIC else make_path(path)

    def offer(self, path: ReferencePath) -> None:
        """Take a path in `world`, for the runs that start from now on."""
        self._path = path

    def lay(self, state: FloatArray) -> ReferencePath:
        """Return the path of a run that starts in `state`, shape (nx,).

        Raises:
            UserError: none has been published yet.
        """
        if self._path is None:
            raise UserError('no path yet; publish one on controller/path (nav_msgs/Path in `world`)')
        if not self._anchored:
            return self._path
        view = StateView(state)
        return self._path.placed(float(view.position[0]), float(view.position[1]), float(view.yaw))
