"""The mock in real time with everything that can fail: robot, radio, port, clocks, the processes beside it."""

from __future__ import annotations

from pathlib import Path

from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.sim.conditions import Condition, Fault
from millirobot_adapt.sim.firmware_microcontroller import microcontroller_of
from millirobot_adapt.sim.link_faults import BusTarget, PortTarget, RadioTarget
from millirobot_adapt.sim.process_faults import ProcessFaults
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.realtime import RealtimeRobot
from millirobot_adapt.sim.robot_faults import ClockFaults, host_step
from millirobot_adapt.sim.servo_line import ServoLine
from millirobot_adapt.sim.servo_rig import ServoBoard
from millirobot_adapt.sim.world import World

RADIO_KEY = 100
"""Key of the radio's random generator; the world has its own."""


class Mock(RealtimeRobot):
    """A `RealtimeRobot` on a pseudo-terminal whose faults can be injected."""

    def __init__(self, world: World, line: Radio | ServoLine, port: PtyPort) -> None:
        """Add the faults that only a mock in real time has.

        Raises:
            UserError: the condition's schedule holds a fault that nobody implements.
        """
        super().__init__(world, line, port)
        self._pty = port
        injector = world.injector
        if isinstance(line, Radio):
            injector.add('radio', RadioTarget(line))
        else:
            injector.add('bus', BusTarget(line))
        injector.add('port', PortTarget(port))
        injector.add('process', ProcessFaults())
        injector.add('clock', ClockFaults(world.electronics, world.mocap, host_step(self.time)))
        injector.check('in the mock')

    @property
    def motors(self) -> tuple[float, FloatArray]:
        """Since when the motors are driven, or are not [s, world], and what they are commanded [rad/s], shape (2,)."""
        return self.world.electronics.command_since, self.world.electronics.commanded

    def close(self) -> None:
        """End the faults that last, remove the port, end the firmware."""
        self.world.inject(Fault('clear', True))
        self._pty.close()
        self.world.electronics.close()


def make_mock(
    robot: RobotConfig, condition: Condition, seed: int, port: Path, *, firmware: str, wire_time: bool
) -> Mock:
    """Make the mock of a robot with legs, and open its port.

    Raises:
        UserError: the condition is not of such a robot, or holds a fault that nobody implements; the firmware cannot
            run here; the port cannot be made.
    """
    world = World(robot, condition, seed, microcontroller_of(firmware))
    return Mock(world, _line_of(world, robot, wire_time, seed), PtyPort(port))


def _line_of(world: World, robot: RobotConfig, wire_time: bool, seed: int) -> Radio | ServoLine:
    """Return what carries bytes between the host and this world; `wire_time` False makes it instant."""
    board = world.electronics
    if isinstance(board, ServoBoard):
        if not wire_time:
            board.line.make_instant()
        return board.line
    return Radio(robot.imageproc.radio, RadioFaults(), wire_time, generator(seed, RADIO_KEY))
