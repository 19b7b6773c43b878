"""The MuJoCo model of the hexapod, built in code.

Either the three legs of a side turn together (front and rear are tied to the middle leg, half a turn apart from it), or
every leg has a motor of its own. A leg is a short arc of small spheres around its hip, so it touches the ground for a
part of each turn, as a C-leg does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco

from millirobot_adapt.sim.leg_names import LEGS, ROWS, SIDES
from millirobot_adapt.sim.terrain import Terrain

TIMESTEP = 0.001
"""Physics step, and the period of the firmware's PID [s]."""


@dataclass(frozen=True)
class Body:
    """Sizes [m], masses [kg], drags; chosen so that the mock walks about as the real robot does (sim/measure.py)."""

    mass: float = 0.035
    length: float = 0.10
    width: float = 0.04
    height: float = 0.012
    track: float = 0.062
    """Distance between the left and right feet."""
    hip_spacing: float = 0.034
    """Distance between neighbouring hips of a side."""
    leg_length: float = 0.0145
    """Hip to the middle of the foot spheres."""
    foot_radius: float = 0.002
    arc: float = 0.5
    """Half of the angle that a foot spans around its hip [rad]."""
    leg_mass: float = 0.0004
    skid_radius: float = 0.003
    """Of the four smooth corners on which the belly slides."""
    skid_friction: float = 0.3
    rotor_inertia: float = 1.3e-5
    """Inertia of a motor, seen at the legs [kg m^2]."""
    roll_drag: float = 3e-4
    """Resistance of the air, the ground and the legs to rolling [N m s/rad]."""
    pitch_drag: float = 2e-5
    """The same to pitching [N m s/rad]."""
    drag_scale: float = 1.0
    """How much more a floor resists this robot's sliding than `Terrain` says, which is for VelociRoACH."""
    yaw_drag_scale: float = 1.0
    """The same for turning."""
    spheres: int = 3
    """Of a foot."""
    tied: bool = True
    """The legs of a side turn together, the middle one up at 0; else each has a motor, and all point down at 0."""
    gear_friction: float = 0.0
    """Coulomb friction of each motor's gear, where every leg has one [N m]."""


def build_model(body: Body, motor_damping: float) -> mujoco.MjModel:
    """Compile the model; `motor_damping` is the brake of a motor by its own back-EMF [N m s/rad]."""
    return mujoco.MjModel.from_xml_string(_xml(body, motor_damping))


def lay_floor(model: mujoco.MjModel, body: Body, terrain: Terrain) -> None:
    """Make the floor such a terrain, all but the grip of the feet, which their wear decides, too."""
    model.geom_solref[1:, 0] = terrain.contact_time  # of all but the floor itself; feet and skids have priority
    # The first six degrees of freedom are those of the body: x y z [world] and rotation [body].
    forward, yaw = terrain.forward_drag * body.drag_scale, terrain.yaw_drag * body.yaw_drag_scale
    model.dof_damping[:6] = (forward, forward, 0.0, body.roll_drag, body.pitch_drag, yaw)


def _xml(body: Body, motor_damping: float) -> str:
    legs = ''.join(_leg(body, row, side, motor_damping) for side in SIDES for row in ROWS)
    ties = ''.join(
        f'<joint joint1="{row}_{side}" joint2="middle_{side}" solref="0.003 1"/>'
        for side in SIDES
        for row in ('front', 'rear')
        if body.tied
    )
    motors = [f'<motor name="{side}" joint="middle_{side}"/>' for side in SIDES]
    if not body.tied:
        motors = [f'<motor name="{leg}" joint="{leg}"/>' for leg in LEGS]
    belly = body.skid_radius - body.height / 2
    skids = ''.join(
        f'<geom class="skid" pos="{0.45 * x * body.length} {0.5 * y * body.width} {belly}"/>'
        for x in (1, -1)
        for y in (1, -1)
    )
    hull = f'{body.length / 2} {body.width / 2} {body.height / 2}'
    return f"""
<mujoco model="hexapod">
  <option timestep="{TIMESTEP}" integrator="implicitfast" iterations="10"/>
  <default>
    <geom contype="0" conaffinity="0" density="0" priority="1"/>
    <default class="foot">
      <geom type="sphere" size="{body.foot_radius}" contype="1"/>
    </default>
    <default class="skid">
      <geom type="sphere" size="{body.skid_radius}" contype="1" friction="{body.skid_friction}"/>
    </default>
  </default>
  <worldbody>
    <geom name="ground" type="plane" size="0 0 1" conaffinity="1" priority="0"/>
    <body name="body" pos="0 0 {body.leg_length + body.foot_radius}">
      <freejoint name="body"/>
      <inertial pos="0 0 0" mass="{body.mass}" diaginertia="{_inertia(body)}"/>
      <geom name="hull" type="box" size="{hull}"/>
      <site name="imu"/>
      {skids}{legs}
    </body>
  </worldbody>
  <equality>{ties}</equality>
  <actuator>
    {''.join(motors)}
  </actuator>
  <sensor><accelerometer site="imu"/></sensor>
</mujoco>"""


def _leg(body: Body, row: str, side: str, motor_damping: float) -> str:
    """Write one leg; its hinge turns about +y, so a positive angle walks forward; see `Body.tied`."""
    x = {'front': 1, 'middle': 0, 'rear': -1}[row] * body.hip_spacing
    y = (1 if side == 'left' else -1) * body.track / 2
    down = math.pi if row == 'middle' and body.tied else 0.0
    angles = [down + body.arc * (2 * i / (body.spheres - 1) - 1) for i in range(body.spheres)]
    feet = ''.join(
        f'<geom class="foot" pos="{-body.leg_length * math.sin(a)} 0 {-body.leg_length * math.cos(a)}"/>'
        for a in angles
    )
    motor = ''
    if row == 'middle' or not body.tied:
        friction = f' frictionloss="{body.gear_friction}"' if body.gear_friction else ''
        motor = f'armature="{body.rotor_inertia}" damping="{motor_damping}"{friction}'
    inertia = body.leg_mass * body.leg_length**2 / 3
    return f"""
      <body name="{row}_{side}" pos="{x} {y} 0">
        <joint name="{row}_{side}" axis="0 1 0" {motor}/>
        <inertial pos="0 0 0" mass="{body.leg_mass}" diaginertia="{inertia} {inertia} {inertia}"/>
        {feet}
      </body>"""


def _inertia(body: Body) -> str:
    """Return the principal moments of a uniform box [kg m^2]."""
    x, y, z = body.length**2, body.width**2, body.height**2
    return ' '.join(str(body.mass / 12 * moment) for moment in (y + z, x + z, x + y))
