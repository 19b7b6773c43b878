"""Find the ROS distribution and its middleware; without a sourced one, from the installed wheels."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

from rclpy.utilities import get_rmw_implementation_identifier


def ros_version() -> dict[str, str]:
    """Return the ROS distribution (`distro`) and its middleware (`rmw`)."""
    distro = os.environ.get('ROS_DISTRO', '')
    for name in ('jazzy', 'kilted') if not distro else ():
        try:
            version(f'ros-{name}-rclpy')
            distro = name
        except PackageNotFoundError:
            continue
    return {'distro': distro or 'unknown', 'rmw': get_rmw_implementation_identifier()}
