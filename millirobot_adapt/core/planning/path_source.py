"""Where the path of a run comes from: a shape, a file, or what was last published."""

from __future__ import annotations

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.path_facts import clearance
from millirobot_adapt.core.planning.paths import ENDLESS, ReferencePath, make_path
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.core.safety.polygon import Polygon

TOPIC = 'topic'
"""The value of the parameter `path` by which paths are published instead of named."""


class PathSource:
    """Lay a path for every run.

    Raises:
        UserError: there is no such shape, and the file cannot be read.
    """

    def __init__(self, path: str, anchor: str, fence: Polygon | None = None) -> None:
        """Read the path.

        Args:
            path: A shape, a file, or `TOPIC`.
            anchor: Where a shape or a file is laid: from where the robot stands, or in `world`.
            fence: What no path may leave; None: any path is laid.
        """
        self._fence = fence
        self._anchored = anchor == 'robot' and path != TOPIC
        self._path = None if path == TOPIC else make_path(path)

    def offer(self, path: ReferencePath) -> None:
        """Take a path in `world`, for the runs that start from now on."""
        self._path = path

    def lay(self, state: FloatArray) -> ReferencePath:
        """Return the path of a run that starts in `state`, shape (nx,).

        Raises:
            UserError: none has been published yet, or the path leaves the fence.
        """
        if self._path is None:
            raise UserError('no path yet; publish one on controller/path (nav_msgs/Path in `world`)')
        path = self._path
        if self._anchored:
            view = StateView(state)
            path = path.placed(float(view.position[0]), float(view.position[1]), float(view.yaw))
        if self._fence is not None:
            refuse_outside(path, self._fence)
        return path


def refuse_outside(path: ReferencePath, fence: Polygon) -> None:
    """Refuse a path that leaves the fence; the endless shapes end where the gate stops the robot.

    Raises:
        UserError: it does.
    """
    if path.name in ENDLESS:
        return
    worst = clearance(path, fence)
    if worst.value < 0:
        x, y = worst.point
        raise UserError(
            f'{path.name}: leaves the fence after {worst.arc_length:.2f} m, at ({x:.2f}, {y:.2f}), by up to '
            f'{-worst.value:.2f} m; move or shorten it (millirobot path show), or widen objective.fence_corners'
        )
