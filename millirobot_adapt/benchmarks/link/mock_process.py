"""Serve the mock robot's radio on a pseudo-terminal from a process of its own, without ROS."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.realtime import RealtimeRobot
from millirobot_adapt.sim.world import World

START_TIMEOUT = 30.0
"""Longest wait for the port [s]."""
END_TIMEOUT = 5.0
"""Longest wait for the end of the process [s]."""


class MockProcess:
    """A mock robot on level carpet behind a serial port; its Python does not slow down ours. A context manager.

    A process and not a thread: two Python threads share one interpreter lock, which would show in every round trip.
    """

    def __init__(self, port: Path, robot: RobotConfig, wire_time: bool = True, seed: int = 0) -> None:
        """Prepare a mock whose port will be the link `port`."""
        context = multiprocessing.get_context('spawn')
        self._port = port
        self._end = context.Event()
        self._process = context.Process(target=_serve, args=(port, robot, wire_time, seed, self._end), daemon=True)

    def __enter__(self) -> MockProcess:
        self._process.start()
        deadline = time.monotonic() + START_TIMEOUT
        while not self._port.exists():
            if not self._process.is_alive() or time.monotonic() > deadline:
                raise RuntimeError('the mock robot did not make its port')
            time.sleep(0.01)
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._process.join(END_TIMEOUT)
        self._process.kill()


def _serve(port: Path, robot: RobotConfig, wire_time: bool, seed: int, end: Event) -> None:
    radio = Radio(robot.imageproc.radio, RadioFaults(), wire_time, generator(seed, 1))
    pty = PtyPort(port)
    mock = RealtimeRobot(World(robot, Condition(), seed), radio, pty)
    try:
        while not end.is_set():
            mock.turn()
    except KeyboardInterrupt:
        pass  # Ctrl-C reaches every process of the terminal; whoever started us says so
    finally:
        pty.close()
