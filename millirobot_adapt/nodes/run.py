"""Run one node as a process: clear errors, clean end on SIGINT and SIGTERM."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from millirobot_adapt.core.errors import UserError

NODE_OPTIONS: dict[str, Any] = {
    'allow_undeclared_parameters': True,
    'automatically_declare_parameters_from_overrides': True,
}
"""What `parameters.load` needs."""


def run(make: Callable[[], Node]) -> int:
    """Spin the node that `make` returns until a signal ends it; its `close()`, if any, runs last; return the exit code.

    Exit codes: 0 ended by SIGINT or SIGTERM, 2 bad input (one line on standard error).
    """
    rclpy.init(args=sys.argv)
    node: Node | None = None
    try:
        node = make()
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    finally:
        if node is not None:
            close = getattr(node, 'close', None)
            if close is not None:
                close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
