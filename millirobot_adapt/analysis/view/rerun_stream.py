"""Turn the contract's messages into what Rerun shows; the same for a bag and for a robot that walks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import rerun as rr
from matplotlib.colors import to_rgb

from millirobot_adapt.analysis.figure_style import BLUE, GREEN, GREY, INK, LIGHT, ORANGE
from millirobot_adapt.analysis.shown_units import shown_by_name
from millirobot_adapt.contract.messages import joint_values, quaternion, reference_path, vector
from millirobot_adapt.contract.states import values_of
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import (
    BRIDGE_STATE,
    CANDIDATES,
    CONTROLLER_STATE,
    FAULT,
    FENCE,
    LEGS,
    MOCAP_POSE,
    ODOMETRY,
    REFERENCE,
    SENT,
    SETPOINT,
    TICK,
    TRUE_POSE,
    Topic,
)
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.sim.leg_names import ROWS, SIDES
from millirobot_adapt.sim.robot_shapes import leg_strip, shape_of

SHOWN: tuple[Topic, ...] = (
    REFERENCE, MOCAP_POSE, TRUE_POSE, ODOMETRY, TICK, SETPOINT, SENT, LEGS, BRIDGE_STATE, CONTROLLER_STATE, FAULT,
    CANDIDATES, FENCE,
)  # fmt: skip
"""Topics that are looked at, live and in a bag; candidates and fence only in one that was asked to hold them."""
TIMELINE = 'time'
FLAT = 0.002
"""Height of lines over the floor [m]."""
WANTED = 0.012
"""Radius of the line of the path wanted, which lies below the floor so that no other line disappears in it [m]."""
TRAIL_STEP = 5
"""The line of the way walked is sent again after this many poses; sending it every tick would be much data."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Return a colour of the figure style, such as #0072B2, as Rerun takes it."""
    red, green, blue = to_rgb(colour)
    return round(255 * red), round(255 * green), round(255 * blue)


class RerunStream:
    """Takes messages in the order in which they came and hands them to Rerun."""

    def __init__(self, recording: rr.RecordingStream, robot: RobotConfig | None = None) -> None:
        """Write the things that do not move; the robot is VelociRoACH where none is named."""
        robot = robot or RobotConfig()
        self._layout, self._shape = robot.layout, shape_of(robot)
        self._to = recording
        self._walked: list[FloatArray] = []
        self._said: dict[str, str] = {}
        self._readers: Mapping[str, Callable[[Any, float], None]] = {
            REFERENCE.name: self._on_reference,
            MOCAP_POSE.name: self._on_mocap,
            TRUE_POSE.name: self._on_true_pose,
            ODOMETRY.name: self._on_odometry,
            TICK.name: self._on_tick,
            SETPOINT.name: lambda message, _: self._rates('wanted', message),
            SENT.name: lambda message, _: self._rates('sent', message),
            LEGS.name: lambda message, _: self._rates('measured', message),
            BRIDGE_STATE.name: self._on_bridge,
            CONTROLLER_STATE.name: lambda message, _: self._say('controller', message.message),
            FAULT.name: lambda message, _: self._say('fault', message.message or message.name, rr.TextLogLevel.WARN),
            CANDIDATES.name: lambda message, _: self._strips('world/candidates', message.markers),
            FENCE.name: lambda message, _: self._strips('world/fence', message.markers),
        }
        half = np.array(self._shape.half)
        self._to.log('world', rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        self._to.log(
            'world/robot/body', rr.Boxes3D(half_sizes=[half], colors=[rgb(INK)], fill_mode='solid'), static=True
        )
        self._to.log(
            'world/robot/front', rr.Points3D([[half[0], 0, half[2]]], colors=[rgb(GREEN)], radii=half[2]), static=True
        )
        self._style()

    def _style(self) -> None:
        """Name and colour the curves: blue after adapting, orange before, as on every page."""
        curves = {
            'errors/next_step/before': ORANGE, 'errors/next_step/after': BLUE,
            'errors/horizon/before': ORANGE, 'errors/horizon/after': BLUE,
            'errors/off_path': BLUE, 'tick/ready': BLUE, 'tick/state': GREY, 'link/lost': INK,
            'link/round_trip/median': BLUE, 'link/round_trip/p99': ORANGE,
            **{
                f'actions/{name}/{kind}': colour
                for name in shown_by_name(self._layout)
                for kind, colour in (('wanted', LIGHT), ('sent', INK), ('measured', BLUE))
            },
        }  # fmt: skip
        for path, colour in curves.items():
            name = path.rpartition('/')[2].replace('_', ' ')
            self._to.log(path, rr.SeriesLines(colors=[rgb(colour)], names=[name]), static=True)

    def take(self, topic: str, message: Any, received: float) -> None:
        """Show one message.

        Args:
            topic: Its name in the contract.
            message: rclpy's or rosbags'.
            received: When it came [s since the epoch].

        Raises:
            ValueError, IndexError, UserError: its content makes no sense; nothing is shown.
        """
        reader = self._readers.get(topic)
        if reader is not None:
            self.at(received)
            reader(message, received)

    def at(self, time: float) -> None:
        """Set the time of what follows [s since the epoch]."""
        self._to.set_time(TIMELINE, timestamp=time)

    def line(self, path: str, points: FloatArray, colour: str, radius: float = 0.002, height: float = FLAT) -> None:
        """Draw a line at a height through points, shape (N, 2) [m; world]; what is not finite is left out."""
        known = points[np.isfinite(points).all(axis=1)]
        strip = np.column_stack([known, np.full(len(known), height)])
        self._to.log(path, rr.LineStrips3D([strip], colors=[rgb(colour)], radii=radius))

    def scalar(self, path: str, value: float) -> None:
        """Add a value to a curve; one that is not finite is left out."""
        if np.isfinite(value):
            self._to.log(path, rr.Scalars(value))

    def _on_reference(self, message: Any, _: float) -> None:
        self.line('world/wanted', np.asarray(reference_path(message, 'reference').outline), LIGHT, WANTED, -WANTED)

    def _on_mocap(self, message: Any, _: float) -> None:
        self._to.log('world/mocap', rr.Points3D([vector(message.pose.position)], colors=[rgb(GREY)], radii=0.003))

    def _on_true_pose(self, message: Any, _: float) -> None:
        self._to.log('world/true_pose', rr.Points3D([vector(message.pose.position)], colors=[rgb(GREEN)], radii=0.003))

    def _on_odometry(self, message: Any, _: float) -> None:
        pose = message.pose.pose
        place = vector(pose.position)
        turn = rr.Quaternion(xyzw=quaternion(pose.orientation))
        self._to.log('world/robot', rr.Transform3D(translation=place, quaternion=turn))
        self._walked.append(place[:2])
        if len(self._walked) % TRAIL_STEP == 0:
            self.line('world/walked', np.array(self._walked), INK, 0.004)

    def _on_tick(self, message: Any, _: float) -> None:
        tick = decode_tick(np.asarray(message.data, dtype=float))
        self.line('world/plan', tick.plan_states[:, :2], GREEN, 0.004)
        self.scalar('errors/next_step/before', tick.pre_error)
        self.scalar('errors/next_step/after', tick.post_error)
        self.scalar('errors/off_path', 100 * abs(tick.cross_track))
        self.scalar('tick/state', tick.wait_ms)
        self.scalar('tick/ready', tick.wait_ms + tick.work_ms)
        if self._shape.body is not None and len(tick.state) == self._layout.nx and np.isfinite(tick.state).all():
            self._legs(tick)

    def _legs(self, tick: TickRecord) -> None:
        """Draw the six legs at the angles of the tick's state."""
        cosines, sines = tick.state[self._layout.phase][0::2], tick.state[self._layout.phase][1::2]
        phases = dict(zip(SIDES, np.arctan2(sines, cosines), strict=True))
        strips = [leg_strip(self._shape, row, side, phases[side]) for side in SIDES for row in ROWS]
        self._to.log('world/robot/legs', rr.LineStrips3D(strips, colors=[rgb(ORANGE)], radii=0.002))

    def _rates(self, kind: str, message: Any) -> None:
        """Add what actions and joints are told and do."""
        shown = shown_by_name(self._layout)
        names = [name for name in message.name if name in shown]
        for name, value in zip(names, joint_values(message, names), strict=True):
            self.scalar(f'actions/{name}/{kind}', float(value) / shown[name][1])

    def _on_bridge(self, message: Any, _: float) -> None:
        values = values_of(message)
        for key, path in (('rtt_p50_ms', 'round_trip/median'), ('rtt_p99_ms', 'round_trip/p99'), ('lost', 'lost')):
            try:
                self.scalar(f'link/{path}', float(values.get(key, 'nan')))
            except ValueError:
                continue
        self._say('bridge', message.message)

    def _say(self, who: str, text: str, level: rr.TextLogLevel = rr.TextLogLevel.INFO) -> None:
        """Write a node's state when it changes."""
        if text and self._said.get(who) != text:
            self._said[who] = text
            self._to.log('events', rr.TextLog(f'{who}: {text}', level=level))

    def _strips(self, path: str, markers: Any) -> None:
        """Draw the lines of markers in their own colours."""
        strips = [[vector(point) for point in marker.points] for marker in markers]
        colours = [[marker.color.r, marker.color.g, marker.color.b, marker.color.a] for marker in markers]
        shown = np.clip(255 * np.array(colours).reshape(-1, 4), 0, 255).astype(np.uint8)
        self._to.log(path, rr.LineStrips3D(strips, colors=shown, radii=0.0015))
