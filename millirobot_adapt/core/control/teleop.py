"""Drive by joystick: what sticks and buttons make of the actions, and when they may.

The robot moves only while the dead-man button is held, and the press must be a new one: a button that was down when the
node started or when messages stopped counts only after it has been up. The emergency stop counts in every message in
which it can be read, whatever else is wrong with that. Pure: it knows the time only from its arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.control.steering import Steering
from millirobot_adapt.core.niceness import NICENESS
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray


class TeleopConfig(Config):
    """Parameters of the executable `teleop`; the numbers are those of sensor_msgs/Joy, from 0."""

    robot: str = param('velociroach', 'Robot: a name in params/robots or the path of a YAML file.')
    speed_axis: int = param(1, 'Axis for the speed, 1 is forward.', low=0, high=31)
    turn_axis: int = param(0, 'Axis for turning, 1 is left.', low=0, high=31)
    dead_man: int = param(4, 'Button that must be held for the robot to move.', low=0, high=31)
    emergency_stop: int = param(1, 'Button that disarms the bridge.', low=0, high=31)
    dead_zone: float = param(0.1, 'Sticks that are out less are taken for centred.', low=0.0, high=0.9)
    stale_after: float = param(
        0.2, 'A joystick that is silent for longer is taken for released.', unit='s', low=0.05, high=1.0
    )
    niceness: int = NICENESS


@dataclass(frozen=True)
class Sticks:
    """What one message says."""

    speed: float
    """-1..1, 1 is full speed forward."""
    turn: float
    """-1..1, 1 is left."""
    held: bool


def read_sticks(config: TeleopConfig, axes: Sequence[float], buttons: Sequence[int]) -> Sticks:
    """Read a message's axes and the dead-man button.

    Raises:
        ValueError: the joystick has fewer axes or buttons than the parameters name; an axis is not finite.
    """
    if len(axes) <= max(config.speed_axis, config.turn_axis):
        raise ValueError(f'the joystick has {len(axes)} axes; set speed_axis and turn_axis')
    if len(buttons) <= max(config.dead_man, config.emergency_stop):
        raise ValueError(f'the joystick has {len(buttons)} buttons; set dead_man and emergency_stop')
    speed, turn = (_clear_of(config.dead_zone, axes[axis]) for axis in (config.speed_axis, config.turn_axis))
    return Sticks(speed, turn, bool(buttons[config.dead_man]))


def stop_pressed(config: TeleopConfig, buttons: Sequence[int]) -> bool:
    """Tell whether a message holds a pressed emergency stop."""
    return len(buttons) > config.emergency_stop and bool(buttons[config.emergency_stop])


def _clear_of(dead_zone: float, value: float) -> float:
    """Take out the dead zone, so that what remains begins at zero and still reaches 1."""
    if not np.isfinite(value):
        raise ValueError('an axis is not finite')
    beyond = max(0.0, min(1.0, abs(value)) - dead_zone) / (1.0 - dead_zone)
    return float(np.copysign(beyond, value)) if beyond else 0.0


class Teleop:
    """Decide when to send a setpoint, and which."""

    def __init__(self, config: TeleopConfig, robot: RobotConfig) -> None:
        self._config = config
        self._steering, self._neutral, self._period = Steering(robot.layout), robot.layout.neutral, robot.dt
        self._sticks: Sticks | None = None
        self._heard = -np.inf
        self._fresh_press = False
        self._speaking = False
        self._spoken = -np.inf
        self._stop_held = False
        self._stop_asked = False
        self.status = 'waiting: no joystick has been heard'
        """What it does, for people."""
        self.waiting = True
        """Something is missing, as `status` says."""

    def on_joy(self, axes: Sequence[float], buttons: Sequence[int], now: float) -> None:
        """Take a message at steady time `now` [s].

        Raises:
            ValueError: what `read_sticks` raises; the sticks then count as released, the emergency stop counts.
        """
        if now - self._heard > self._config.stale_after:
            self._fresh_press = False  # also where a backlog comes after a silence
        self._sticks = None
        held_before, self._stop_held = self._stop_held, stop_pressed(self._config, buttons)
        if self._stop_held:
            self._stop_asked, self._fresh_press = self._stop_asked or not held_before, False
        self._sticks = read_sticks(self._config, axes, buttons)
        self._heard = now
        self._fresh_press = not self._stop_held and (self._fresh_press or not self._sticks.held)

    def take_stop(self) -> bool:
        """Tell whether the emergency stop has been pressed since the last call."""
        asked, self._stop_asked = self._stop_asked, False
        return asked

    def setpoint(self, now: float) -> FloatArray | None:
        """Return what to publish at steady time `now` [s], shape (nu,); None for nothing.

        While the button is held that is a setpoint each control period, and one that stands as soon as it no longer is.
        """
        sticks, missing, doing = self._listen(now)
        self.waiting, self.status = bool(missing), f'waiting: {missing}' if missing else doing
        if sticks is None:
            was_speaking, self._speaking = self._speaking, False
            return self._neutral.copy() if was_speaking else None
        if self._speaking and now - self._spoken < 0.9 * self._period:
            return None
        self._speaking, self._spoken = True, now
        return self._steering.by_stick(sticks.speed, sticks.turn)

    def _listen(self, now: float) -> tuple[Sticks | None, str, str]:
        """Return the sticks while they may drive, else None; what is missing, and what it does."""
        sticks = self._sticks
        if sticks is None or now - self._heard > self._config.stale_after:
            self._fresh_press = False
            never = 'no joystick has been heard' if self._heard == -np.inf else 'the joystick is silent'
            return None, never, ''
        if not sticks.held:
            return None, '', 'released'
        if not self._fresh_press:
            return None, 'let the dead-man button go and press it again', ''
        return sticks, '', 'driving'
