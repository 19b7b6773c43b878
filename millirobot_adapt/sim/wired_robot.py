"""The six-servo mock at the far end of its serial line: bytes in, physics up to a time, bytes out."""

from __future__ import annotations

from firmware_bridge.clock import ManualClock
from millirobot_adapt.sim.servo_rig import ServoBoard
from millirobot_adapt.sim.world import World

SHORTEST_STEP = 1e-6
"""Time moves at least this far while an answer is waited for [s]; rounding could otherwise make it stand still."""


class WiredRobot:
    """Couple a world to the line of its servos; all times are the world's [s]."""

    def __init__(self, world: World, board: ServoBoard) -> None:
        self._world = world
        self._board = board

    def advance(self, now: float) -> bytes:
        """Let the robot live until `now`; return what the host may read then and has not read before."""
        while (arrived := self._board.line.arrived(now)) is not None:
            arrival, packet = arrived
            self._world.advance(arrival)
            self._board.obey(packet, arrival)
        self._world.advance(now)
        return self._board.line.read(now)


class LinePort:
    """The host's end of the servos' line in simulated time; see `firmware_bridge.transports.Transport`.

    Reading moves the clock, and the world with it.
    """

    def __init__(self, world: World, clock: ManualClock) -> None:
        """Connect to a world whose time is that of `clock`."""
        board = world.electronics
        assert isinstance(board, ServoBoard)
        self._world = world
        self._line = board.line
        self._robot = WiredRobot(world, board)
        self._clock = clock

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, moving the clock at most `timeout` [s]."""
        deadline = self._clock.steady() + max(0.0, timeout)
        while not (data := self._robot.advance(self._clock.steady())) and self._clock.steady() < deadline:
            due = self._line.next_due()
            until = deadline if due is None else min(due, deadline)
            self._clock.sleep(max(until - self._clock.steady(), SHORTEST_STEP))
        return data

    def write(self, data: bytes) -> None:
        """Put bytes on the line."""
        self._world.advance(self._clock.steady())
        self._line.write(data, self._clock.steady())

    def fileno(self) -> None:
        """Return None: there is no descriptor."""

    def close(self) -> None:
        """Do nothing: the line stays where it is."""
