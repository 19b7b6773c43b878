"""Faults of the robot itself and of the clocks of the mock (`FAULT_KINDS`: `robot.*`, `clock.*`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from millirobot_adapt.contract.fault_hooks import clock_file
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.sim.hexapod import Hexapod
from millirobot_adapt.sim.leg_names import LEGS
from millirobot_adapt.sim.microcontroller import Microcontroller
from millirobot_adapt.sim.mocap_driver import MocapDriver
from millirobot_adapt.sim.servo_rig import ServoBoard
from millirobot_adapt.sim.timekeeper import Timekeeper


class RobotFaults:
    """What happens to microcontroller, legs and battery; see `Target`."""

    def __init__(self, microcontroller: Microcontroller | ServoBoard, hexapod: Hexapod) -> None:
        self._microcontroller = microcontroller
        self._hexapod = hexapod

    def begin(self, kind: str, value: Any) -> None:
        """Let a fault begin.

        Raises:
            UserError: it cannot happen to this robot.
        """
        board, servos = self._microcontroller, isinstance(self._microcontroller, ServoBoard)
        if kind == 'servo' and not servos:
            raise UserError('robot.servo cannot happen to this robot: its legs have no servos of their own')
        if kind == 'encoders' and servos:
            raise UserError('robot.encoders cannot happen to this robot; robot.servo kills the servo of a leg')
        sides = (value in ('left', 'both'), value in ('right', 'both'))
        match kind:
            case 'reset':
                self._microcontroller.power_up()
            case 'upright':
                self._hexapod.put_upright()
            case 'servo' if isinstance(board, ServoBoard):
                board.servos[LEGS.index(value)].dead = True
            case 'encoders':
                self._microcontroller.stuck_encoders = sides
            case 'leg_stuck':
                self._hexapod.block_legs(*sides)
            case 'battery':
                self._hexapod.open_circuit = value

    def end(self, kind: str) -> None:
        """End a fault that lasts."""
        match kind:
            case 'servo':
                assert isinstance(self._microcontroller, ServoBoard)
                self._microcontroller.revive()
            case 'encoders':
                self._microcontroller.stuck_encoders = (False, False)
            case 'leg_stuck':
                self._hexapod.block_legs(left=False, right=False)
            case 'battery':
                self._hexapod.recharge()


def host_step(keeper: Timekeeper) -> Callable[[float], None] | None:
    """Return what sets the host's clock ahead for every process of a run; None where nothing can."""
    file = clock_file()
    if file is None:
        return None

    def step(ahead: float) -> None:
        keeper.host_step += ahead - file.ahead
        file.ahead = ahead

    return step


class ClockFaults:
    """Steps of the clocks of motion capture, of the robot and, where `step_host` can do it, of the host."""

    def __init__(
        self,
        microcontroller: Microcontroller | ServoBoard | None,
        mocap: MocapDriver,
        step_host: Callable[[float], None] | None = None,
    ) -> None:
        """Take the clocks.

        Args:
            microcontroller: The robot's clock; None: it reports none.
            mocap: The clock of motion capture.
            step_host: Sets how far the host's clock is ahead of the true time [s]; None: nothing can.
        """
        self._microcontroller = microcontroller
        self._mocap = mocap
        self._step_host = step_host

    def begin(self, kind: str, value: Any) -> None:
        """Let a clock step; see `Target`."""
        match kind:
            case 'mocap':
                self._mocap.clock_step = value
            case 'robot' if self._microcontroller is not None:
                self._microcontroller.clock_step += value
            case 'robot':
                raise UserError('clock.robot cannot happen to this robot: it reports no time of its own')
            case 'host' if self._step_host is not None:
                self._step_host(value)
            case 'host':
                raise UserError(
                    'clock.host cannot happen here: nothing can set the clock of these processes '
                    '(millirobot demo and millirobot bench link start them so that it can)'
                )

    def end(self, kind: str) -> None:
        """Let a clock step back."""
        match kind:
            case 'mocap':
                self._mocap.clock_step = 0.0
            case 'host' if self._step_host is not None:
                self._step_host(0.0)
