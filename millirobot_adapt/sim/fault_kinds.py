"""Name every fault that can be injected into a running mock, with the value that it takes.

A fault is `component.kind`. Components: mocap, radio, bus, port, robot, clock, process. The keys of a condition
(`missing_legs`, `slope`, ...) can be injected under their own names. A name that stands in no list here is refused.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from millirobot_adapt.core.errors import UserError, not_one_of
from millirobot_adapt.sim.leg_names import LEGS, SIDES

WHICH_SIDE = (*SIDES, 'both')
PROCESSES = ('bridge', 'estimator', 'controller', 'recorder', 'manager', 'collector', 'teleop')
"""Nodes whose process can be made to fail."""


@dataclass(frozen=True)
class FaultKind:
    """One fault and the value that it takes: a number in a range, one of some texts, or nothing."""

    text: str
    """Description of what happens."""
    default: Any = True
    """Value where none is given; True: the fault takes no value; None: a value has to be given."""
    unit: str = ''
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    """The texts that it takes; empty: a number."""
    lasts: bool = True
    """False: it happens at once, and has no duration."""

    def read(self, value: Any, name: str) -> Any:
        """Return the value to use where `value` was given; None and True mean the default.

        Raises:
            UserError: no such word, no number, out of range, a value where none is taken.
        """
        if value is None or value is True:
            if self.default is None:
                raise UserError(f'{name} needs a value: {self.values}')
            return self.default
        if self.default is True:
            raise UserError(f'{name} takes no value, not {value!r}')
        if self.choices:
            if value not in self.choices:
                raise UserError(f'{name} = {not_one_of(value, self.choices)}')
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UserError(f'{name} = {value!r} must be a number: {self.values}')
        if not self.low <= value <= self.high:
            raise UserError(f'{name} = {value:g} is out of range: {self.values}')
        return float(value)

    @property
    def values(self) -> str:
        """Say which values it takes."""
        if self.default is True:
            return 'none'
        if self.choices:
            return ', '.join(self.choices)
        unit = f' {self.unit}' if self.unit else ''
        return f'{self.low:g} to {self.high:g}{unit}'


def _share(text: str, default: float | None = None) -> FaultKind:
    return FaultKind(text, default, low=0.0, high=1.0)


def _seconds(text: str, high: float, default: float | None = None, low: float = 0.0, lasts: bool = True) -> FaultKind:
    return FaultKind(text, default, 's', low, high, lasts=lasts)


FAULT_KINDS: dict[str, FaultKind] = {
    'mocap.stop': FaultKind('the driver of motion capture is silent'),
    'mocap.freeze': FaultKind('the last pose is repeated under fresh stamps'),
    'mocap.hold': FaultKind('the last message is repeated, its stamp included'),
    'mocap.zeros': FaultKind('the position is zero, the orientation is identity, stamps are fresh'),
    'mocap.nan': FaultKind('position and orientation are NaN'),
    'mocap.zero_quaternion': FaultKind('the quaternion is zero'),
    'mocap.stray_stamp': _seconds('one frame is stamped this far ahead (or behind)', 1e6, 5.0, -1e6, lasts=False),
    'mocap.two_bodies': FaultKind('every other frame shows a second body, this far to the left', 0.5, 'm', -10.0, 10.0),
    'mocap.other_body': FaultKind('all frames show another body, this far to the left', 0.5, 'm', -10.0, 10.0),
    'mocap.strays': _share('a share of the frames shows stray points up to 1 m away', 0.2),
    'mocap.swap': FaultKind('markers are taken for each other: the attitude turns about z', 2.0944, 'rad', -6.3, 6.3),
    'mocap.sign_flips': _share('a share of the quaternions is negated, which is the same attitude', 0.5),
    'mocap.twice': FaultKind('every frame comes twice'),
    'mocap.late_frames': _share('a share of the frames is overtaken: it comes 25 ms late', 0.1),
    'mocap.bursts': _seconds('frames come in bursts of this period, stamped on arrival', 1.0, 0.05, 0.005),
    'mocap.latency': _seconds('every frame comes this much later', 2.0, 0.1),
    'mocap.rate': FaultKind('frames per second', None, 'Hz', 1.0, 1000.0),
    'mocap.creep': FaultKind('the position creeps along x', 0.02, 'm/s', -10.0, 10.0),
    'mocap.frame_id': FaultKind('the frame_id is `map` instead of `world`'),
    'mocap.y_up': FaultKind('axes as many drivers stream them: y points up'),
    'mocap.mirrored': FaultKind('y is mirrored: left-handed axes'),
    'radio.loss': _share('share of packets that are lost, each way', 0.3),
    'radio.reply_loss': _share('share of packets from the robot that are lost', 1.0),
    'radio.delay': _seconds('delay of every packet', 2.0, 0.05),
    'radio.jitter': _seconds('longest further delay of a packet', 2.0, 0.04),
    'radio.duplication': _share('share of packets that come twice', 0.2),
    'radio.reordering': _share('share of packets that the next one overtakes', 0.2),
    'radio.stale': _share('share of replies that come once more, up to 2 s later', 0.2),
    'radio.corruption': _share('share of bytes on the serial line that change', 1e-3),
    'radio.truncation': _share('share of frames on the serial line that lose their end', 0.1),
    'bus.loss': _share('share of the answers of servos that are lost', 0.3),
    'bus.corruption': _share('share of the answers of servos in which a byte changes', 0.1),
    'port.vanish': FaultKind('the serial port is gone, as if the dongle were pulled'),
    'robot.reset': FaultKind('the robot restarts, as after a brown-out', lasts=False),
    'robot.upright': FaultKind('a robot that has tipped over is put back on its feet', lasts=False),
    'robot.encoders': FaultKind('the encoders of a side stand still while its legs turn', 'both', choices=WHICH_SIDE),
    'robot.servo': FaultKind('the servo of a leg is dead', 'middle_left', choices=LEGS),
    'robot.leg_stuck': FaultKind('the legs of a side do not turn', 'left', choices=WHICH_SIDE),
    'robot.battery': FaultKind('voltage of the battery without load', 3.2, 'V', 0.0, 5.0),
    'clock.mocap': _seconds('the clock of motion capture steps', 1e6, None, -1e6),
    'clock.robot': _seconds("the robot's clock steps", 1e3, None, 0.0, lasts=False),
    'clock.host': _seconds("the control computer's clock steps", 1e6, None, -1e6),
    'process.kill': FaultKind('SIGKILL: the process is gone at once', choices=PROCESSES, default=None, lasts=False),
    'process.end': FaultKind('SIGTERM: the process is asked to end', choices=PROCESSES, default=None, lasts=False),
    'process.hang': FaultKind('SIGSTOP: the process hangs', choices=PROCESSES, default=None),
    'process.worker': FaultKind(
        'an exception ends the worker threads of the process', choices=PROCESSES, default=None, lasts=False
    ),
    'clear': FaultKind('ends every fault that lasts and was injected', lasts=False),
}
"""Every fault of link, motion capture, clock, robot and process, by name."""


def is_fault(name: str) -> bool:
    """Tell whether a key names a fault of this list, or looks as if it should."""
    return '.' in name or name in FAULT_KINDS


def fault_kind(name: str, others: Sequence[str] = ()) -> FaultKind:
    """Return the kind of this name; `others` are further names to suggest.

    Raises:
        UserError: no such fault; the nearest one is named.
    """
    if name in FAULT_KINDS:
        return FAULT_KINDS[name]
    near = difflib.get_close_matches(name, [*FAULT_KINDS, *others], n=1, cutoff=0.6)
    hint = f'; did you mean {near[0]!r}?' if near else ''
    raise UserError(f'unknown fault {name!r}{hint} (millirobot inject --list names all)')


def check_duration(name: str, duration: Any) -> float:
    """Return how long a fault is to last [s]; 0: until it is ended.

    Raises:
        UserError: no number, out of range, or a duration for what happens at once.
    """
    if isinstance(duration, bool) or not isinstance(duration, int | float) or not 0.0 <= duration <= 3600.0:
        raise UserError(f'duration = {duration!r} must be a number: 0 to 3600 s')
    kind = FAULT_KINDS.get(name)
    if duration and kind is not None and not kind.lasts:
        raise UserError(f'{name} happens at once and has no duration')
    return float(duration)
