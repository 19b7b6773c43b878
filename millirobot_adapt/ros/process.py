"""Run one node as a process: clear errors, clean end on SIGINT and SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from millirobot_adapt.core.errors import DeviceError, UserError
from millirobot_adapt.core.niceness import take_niceness
from millirobot_adapt.ros.claim import Claim, claim, holder
from millirobot_adapt.ros.parameter_files import explain, read_files

NODE_OPTIONS: dict[str, Any] = {
    'allow_undeclared_parameters': True,
    'automatically_declare_parameters_from_overrides': True,
}
"""What `parameters.load` needs."""
SIGNAL_LATENCY = 0.1
"""A signal is noticed within this time [s], even when no message comes."""
DELIVERY = 0.3
"""Longest wait for others to take what a node published as it ended [s]."""
ONE_WISH = 1.0
"""Signals within this time of the first count as the same request: Ctrl-C reaches a process once from the terminal
and once from `ros2 launch` [s]."""


class NodeExit:
    """Note the first SIGINT or SIGTERM; one that comes clearly later interrupts whatever is going on."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._since: float | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    @property
    def asked(self) -> bool:
        """A signal has come."""
        return self._since is not None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._since is None:
            self._since = self._steady()
        elif self._steady() > self._since + ONE_WISH:
            raise KeyboardInterrupt


def run(make: Callable[[], Node], steady: Callable[[], float] = time.monotonic) -> int:
    """Spin the node that `make` returns until a signal ends it; its `close()`, if any, runs last; return the exit code.

    A managed node also ends when a transition has failed for good (its `failure` is raised here), or by its shutdown.

    A node with a parameter `niceness` has the process ask for it (`take_niceness`), once it is made.

    A node with a `turn()` sets its own pace: it is called again and again, and callbacks run now and then between: one
    at least every `callback_period` seconds where the node has such a number, 0: after every turn.

    rclpy's own signal handlers would invalidate the context at once; ours leave it valid, so that `close()` can still
    publish and stop the robot.

    Exit codes: 0 ended by SIGINT or SIGTERM, 1 a device failed, 2 bad input, 130 interrupted while it was ending (one
    line on standard error each). `steady` is the clock that tells a second wish to end from the first [s].
    """
    ending = NodeExit(steady)
    try:
        _join()
        _live(make, ending)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except DeviceError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('error: interrupted before everything was closed', file=sys.stderr)
        return 130
    finally:
        rclpy.try_shutdown()
    return 0


def _join() -> None:
    """Initialise ROS with the command line; what ROS refuses becomes one line."""
    read_files(sys.argv)
    # A caller that has given up and gone needs no answer; rclpy would print a warning with a line of its own source.
    warnings.filterwarnings('ignore', 'failed to send response', RuntimeWarning)
    try:
        rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # rclpy's RCLError, which has no public name
        raise UserError(explain(str(error))) from None


def _live(make: Callable[[], Node], ending: NodeExit) -> None:
    """Make the node, spin it until somebody requests the end, close it whatever happens."""
    node: Node | None = None
    held: Claim | None = None
    try:
        node = make()
        held = _claim(node)
        if node.has_parameter('niceness'):
            take_niceness(node.get_parameter('niceness').value)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        turn = getattr(node, 'turn', None)
        period = getattr(node, 'callback_period', SIGNAL_LATENCY)
        while not ending.asked and not _ended(node):
            if turn is None:
                executor.spin_once(timeout_sec=SIGNAL_LATENCY)
            else:
                _turn_for(turn, period)
                executor.spin_once(timeout_sec=0.0)
    except KeyboardInterrupt:
        pass
    finally:
        if node is not None:
            close = getattr(node, 'close', None)
            if close is not None:
                close()
            _deliver(node)
            node.destroy_node()
        if held is not None:
            held.release()


def _deliver(node: Node) -> None:
    """Wait a moment until what the node published last, such as why it ends, has reached the recorder."""
    end = time.monotonic() + DELIVERY
    for publisher in node.publishers:
        with contextlib.suppress(RuntimeError):  # a middleware that cannot tell
            publisher.wait_for_all_acked(Duration(seconds=max(0.0, end - time.monotonic())))


def _claim(node: Node) -> Claim:
    """Claim the node's name on this machine.

    Raises:
        UserError: another living process has it: two of a kind would send at once.
    """
    name = node.get_fully_qualified_name()
    held = claim(name)
    if held is None:
        raise UserError(f'{name} runs already on this machine{holder(name)}; end it, or start this one in a namespace')
    return held


def _ended(node: Node) -> bool:
    """Tell whether a managed node has been shut down.

    Raises:
        Exception: what one of its transitions failed with.
    """
    failure = getattr(node, 'failure', None)
    if failure is not None:
        raise failure
    return getattr(node, 'lifecycle', '') == 'finalized'


def _turn_for(turn: Callable[[], None], seconds: float) -> None:
    """Call `turn` until this much time has passed [s], at least once."""
    end = time.monotonic() + seconds
    turn()
    while time.monotonic() < end:
        turn()
