"""What robots look like in pictures: a C-legged hexapod with two motors or six servos, and a rover with four wheels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firmware_bridge.dynamixel.leg_clock import OFFSETS
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.hexapod_model import Body
from millirobot_adapt.sim.leg_names import ROWS, SIDES
from millirobot_adapt.sim.rover import WHEELS, Chassis
from millirobot_adapt.sim.servo_hexapod import BODY as SERVO_BODY

LEG_SEGMENTS = 6
"""Capsules that a C-shaped leg is drawn with."""
DRAWN_LENGTH = 0.1
"""Length of the body for which chips, motors and markers are given in metres below [m]."""


@dataclass(frozen=True)
class RobotShape:
    """One robot as geoms that collide with nothing."""

    parts: str
    """MJCF of what is inside its body."""
    half: tuple[float, float, float]
    """Half of its length, width and height [m]."""
    standing: float
    """Height of the body over the floor [m]."""
    hinges: Mapping[str, tuple[int, float]]
    """Name of each hinge -> number of the phase that turns it, and what its angle is ahead of that phase [rad]."""
    body: Body | None = None
    """Sizes of its legs; None: it has none."""


def shape_of(robot: RobotConfig) -> RobotShape:
    """Return what a robot looks like, by the kind of its driver."""
    return SHAPES[robot.driver.kind]()


def hexapod_shape() -> RobotShape:
    """Return VelociRoACH: the legs of a side turn together."""
    return _legged(Body(), np.zeros((len(SIDES), len(ROWS))))


def servo_hexapod_shape() -> RobotShape:
    """Return the six-servo hexapod: its legs follow the phase of their side at the offsets of the gait."""
    return _legged(SERVO_BODY, OFFSETS)


def rover_shape() -> RobotShape:
    """Return the rover; nothing says how far its wheels have turned, so they show no spokes."""
    chassis = Chassis()
    x, y, z = chassis.length / 2, chassis.width / 2, chassis.height / 2
    wheels = ''
    for name in WHEELS:
        place = (
            (0.5 if name.startswith('front') else -0.5) * chassis.wheel_base,
            (0.5 if name.endswith('left') else -0.5) * chassis.track,
        )
        for radius, half, material in (
            (chassis.wheel_radius, chassis.wheel_width / 2, 'shell'),
            (0.45 * chassis.wheel_radius, chassis.wheel_width / 2 + 0.002, 'leg'),
        ):
            wheels += (
                f'<geom type="cylinder" size="{radius} {half}" pos="{place[0]} {place[1]} 0" zaxis="0 1 0" '
                f'material="{material}"/>'
            )
    deck = f'<geom type="box" size="{0.9 * x} {0.85 * y} 0.002" pos="0 0 {0.02 + z + 0.006}" material="board"/>'
    front = f'<geom type="sphere" size="0.012" pos="{x} 0 0.03" material="cell"/>'
    hull = f'<geom type="box" size="{x} {y} {z}" pos="0 0 0.02" material="metal"/>'
    markers = ''.join(
        f'<geom type="sphere" size="0.007" pos="{mx * x} {my * y} {0.02 + z + 0.016}" material="marker"/>'
        for mx, my in ((0.8, 0.6), (0.8, -0.6), (-0.8, 0.6), (-0.4, -0.7))
    )
    return RobotShape(hull + deck + front + wheels + markers, (x, y, z), chassis.wheel_radius, {})


SHAPES: Mapping[str, Callable[[], RobotShape]] = {
    'imageproc': hexapod_shape, 'dynamixel': servo_hexapod_shape, 'twist': rover_shape,
}  # fmt: skip
"""By the kind of the driver."""


def leg_strip(shape: RobotShape, row: str, side: str, phase: float) -> np.ndarray:
    """Return the points of a C-shaped leg from hip to foot in the body's frame [m], shape (7, 3).

    `phase` is that of its side [rad].
    """
    body = shape.body
    assert body is not None
    x, y = _hip(body, row, side)
    arc = _arc(body, row, phase + shape.hinges[f'{row}_{side}'][1])
    return np.column_stack([x + arc[:, 0], np.full(len(arc), y), arc[:, 1]])


def _legged(body: Body, offsets: np.ndarray) -> RobotShape:
    hinges = {
        f'{row}_{side}': (place, float(offsets[place, number]))
        for place, side in enumerate(SIDES)
        for number, row in enumerate(ROWS)
    }
    legs = ''.join(_leg(body, row, side) for side in SIDES for row in ROWS)
    half = (body.length / 2, body.width / 2, body.height / 2)
    return RobotShape(_trunk(body) + legs, half, body.leg_length + body.foot_radius, hinges, body)


def _trunk(body: Body) -> str:
    """Write shell, board, battery, two motors and the markers of motion capture."""
    s = body.length / DRAWN_LENGTH
    x, y, z = body.length / 2, body.width / 2, body.height / 2
    motors = ''.join(
        f'<geom type="cylinder" size="{0.005 * s} {0.009 * s}" pos="{0.18 * body.length * way} 0 {z + 0.003 * s}" '
        'zaxis="0 1 0" material="metal"/>'
        for way in (1, -1)
    )
    markers = ''.join(
        f'<geom type="sphere" size="{0.0035 * s}" pos="{mx * body.length} {my * body.width} {z + 0.016 * s}" '
        'material="marker"/>'
        for mx, my in ((0.38, 0.3), (0.38, -0.3), (-0.38, 0.3), (-0.2, -0.4))
    )
    return f"""
      <geom type="box" size="{x} {0.8 * y} {0.7 * z}" material="shell"/>
      <geom type="capsule" fromto="{x} {-0.6 * y} 0 {x} {0.6 * y} 0" size="{0.7 * z}" material="shell"/>
      <geom type="capsule" fromto="{-x} {-0.6 * y} 0 {-x} {0.6 * y} 0" size="{0.7 * z}" material="shell"/>
      <geom type="box" size="{0.34 * body.length} {0.85 * y} {0.0008 * s}" pos="0 0 {z + 0.009 * s}" material="board"/>
      <geom type="box" size="{0.008 * s} {0.008 * s} {0.0012 * s}" pos="{0.012 * s} 0 {z + 0.0105 * s}"
        material="chip"/>
      <geom type="box" size="{0.006 * s} {0.004 * s} {0.001 * s}" pos="{-0.014 * s} {0.006 * s} {z + 0.0103 * s}"
        material="chip"/>
      <geom type="box" size="{0.012 * s} {0.007 * s} {0.004 * s}" pos="{-0.024 * s} {-0.004 * s} {z + 0.0135 * s}"
        material="cell"/>
      {motors}{markers}"""


def _hip(body: Body, row: str, side: str) -> tuple[float, float]:
    """Return x and y of a hip [m]."""
    x = {'front': 1, 'middle': 0, 'rear': -1}[row] * body.hip_spacing
    return x, (1 if side == 'left' else -1) * body.track / 2


def _arc(body: Body, row: str, angle: float) -> np.ndarray:
    """Return x and z of a C-shaped leg from hip to foot [m], shape (7, 2), at its angle [rad]."""
    down = angle + (math.pi if row == 'middle' and body.tied else 0.0)
    foot = np.array([-math.sin(down), -math.cos(down)]) * body.leg_length
    bulge = np.array([-foot[1], foot[0]])  # to the front where the foot points down
    turns = np.linspace(0.0, math.pi, LEG_SEGMENTS + 1)[:, None]
    return foot / 2 * (1 - np.cos(turns)) + bulge / 2 * np.sin(turns)


def _leg(body: Body, row: str, side: str) -> str:
    """Write a C-shaped leg; its hinge and its foot lie where those of `hexapod_model` do."""
    s = body.leg_length / Body().leg_length
    x, y = _hip(body, row, side)
    parts = ''.join(
        f'<geom type="capsule" size="{0.0022 * s}" fromto="{a[0]} 0 {a[1]} {b[0]} 0 {b[1]}" material="leg"/>'
        for a, b in pairwise(_arc(body, row, 0.0))
    )
    inward = -math.copysign(0.25 * body.track, y)
    hip = f'<geom type="capsule" size="{0.0018 * s}" fromto="0 0 0 0 {inward} 0" material="metal"/>'
    return f"""
      <body name="{row}_{side}" pos="{x} {y} 0">
        <joint name="{row}_{side}" axis="0 1 0"/>
        {hip}{parts}
      </body>"""
