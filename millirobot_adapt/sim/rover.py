"""A skid-steered rover: four wheels that slip when it turns, its motors, and what it carries; nominal sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.floor import Floor

TIMESTEP = 0.002
"""Physics step [s]."""
WHEELS = ('front_left', 'rear_left', 'front_right', 'rear_right')
"""Names of the wheels, in the order of every array of them."""
SETTLING_STEPS = 250
"""Physics steps in which a new rover comes to rest."""


@dataclass(frozen=True)
class Chassis:
    """Sizes [m], masses [kg] and motors of a small four-wheeled rover; nominal."""

    mass: float = 2.2
    length: float = 0.26
    width: float = 0.18
    height: float = 0.07
    wheel_mass: float = 0.12
    wheel_radius: float = 0.06
    wheel_width: float = 0.03
    wheel_base: float = 0.18
    track: float = 0.22
    turning_track: float = 0.66
    """Track with which the rover's own motor controller turns a yaw rate into wheel speeds: skidding wheels turn the
    body less than wheels that roll."""
    motor_lag: float = 0.08
    """Time constant of a wheel's speed [s]."""
    torque: float = 0.8
    """Strongest torque of a wheel [N m]."""
    speed_gain: float = 0.6
    """Torque for each rad/s that a wheel is slower than asked [N m s/rad]."""


class Rover:
    """Drive on a plane that may be inclined, by a forward speed and a yaw rate; see `Hexapod` for the floor."""

    def __init__(self, condition: Condition) -> None:
        self._chassis = Chassis()
        self.model = mujoco.MjModel.from_xml_string(_xml(self._chassis))
        self.data = mujoco.MjData(self.model)
        self._wheels = [int(self.model.geom(name).id) for name in WHEELS]
        self._trunk = int(self.model.body('body').id)
        self._speeds = np.zeros(len(WHEELS))
        self._share = np.ones(len(WHEELS))
        self.command = (0.0, 0.0)
        """Forward speed [m/s] and yaw rate [rad/s] that it is told."""
        self._slope = condition.slope
        self._floor = Floor(condition.slope, self.model.opt.gravity)
        self.take_over(condition)
        yaw = condition.start_yaw
        self.data.qpos[:2] = condition.start_x, condition.start_y
        self.data.qpos[3:7] = math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)
        for _ in range(SETTLING_STEPS):
            self.step()
        self.data.time = 0.0

    def take_over(self, condition: Condition) -> None:
        """Become what a condition says: floor, slope, wheels, payload."""
        self._share = np.array(condition.wheel_gain)
        self.model.geom_friction[self._wheels, 0] = condition.floor.friction
        self._friction = self.model.geom_friction[self._wheels, 0].copy()
        self.model.body_mass[self._trunk] = self._chassis.mass + condition.payload.mass
        if condition.slope != self._slope:
            self._slope = condition.slope
            self._floor.incline(condition.slope, self.data.qpos[:3])

    def step(self) -> None:
        """Advance by one physics step."""
        forward, turn = self.command
        side = 0.5 * self._chassis.turning_track * turn
        asked = np.array([forward - side, forward - side, forward + side, forward + side]) / self._chassis.wheel_radius
        self._speeds += (self._share * asked - self._speeds) * (TIMESTEP / self._chassis.motor_lag)
        self.data.ctrl[:] = self._speeds
        mujoco.mj_step(self.model, self.data)

    def pose(self) -> tuple[FloatArray, FloatArray]:
        """Return position [m; world], shape (3,), and orientation xyzw in the world, shape (4,)."""
        return self._floor.pose(self.data.qpos)

    def push(self, lateral: float, yaw: float) -> None:
        """Hold a force to the rover's left [N] and a torque about its z axis [N m] until the next call."""
        w, z = self.data.qpos[3], self.data.qpos[6]
        heading = 2.0 * math.atan2(z, w)
        self.data.qfrc_applied[:2] = -lateral * math.sin(heading), lateral * math.cos(heading)
        self.data.qfrc_applied[5] = yaw

    def tilt_gravity(self, about_x: float, about_y: float) -> None:
        """Tilt gravity by small angles [rad] besides the slope."""
        self._floor.tilt(about_x, about_y)

    def update(self, seconds: float) -> None:
        """Let a floor that tips tip on for this long."""
        self._floor.tip(seconds)

    def shift_grip(self, share: float) -> None:
        """Shift grip to the left (share > 0) or the right wheels, by -1..1 of its normal value."""
        sides = np.array([1.0, 1.0, -1.0, -1.0])
        self.model.geom_friction[self._wheels, 0] = self._friction * (1.0 + share * sides)


def _xml(chassis: Chassis) -> str:
    wheels = ''.join(_wheel(chassis, name) for name in WHEELS)
    motors = ''.join(
        f'<velocity joint="{name}" kv="{chassis.speed_gain}" forcerange="-{chassis.torque} {chassis.torque}"/>'
        for name in WHEELS
    )
    hull = f'{chassis.length / 2} {chassis.width / 2} {chassis.height / 2}'
    return f"""
<mujoco model="rover">
  <option timestep="{TIMESTEP}" integrator="implicitfast" iterations="20" cone="elliptic"/>
  <default>
    <geom contype="0" conaffinity="0" density="0" priority="1"/>
    <default class="wheel">
      <geom type="sphere" size="{chassis.wheel_radius}" contype="1"
        friction="0.8 0.005 0.0001" solref="0.008 1"/>
    </default>
  </default>
  <worldbody>
    <geom name="ground" type="plane" size="0 0 1" conaffinity="1" priority="0"/>
    <body name="body" pos="0 0 {chassis.wheel_radius}">
      <freejoint name="body"/>
      <inertial pos="0 0 0" mass="{chassis.mass}" diaginertia="{_inertia(chassis)}"/>
      <geom name="hull" type="box" size="{hull}" pos="0 0 0.02"/>
      {wheels}
    </body>
  </worldbody>
  <actuator>{motors}</actuator>
</mujoco>"""


def _wheel(chassis: Chassis, name: str) -> str:
    """Write one wheel; its hinge turns about +y, so a positive speed drives forward."""
    x = (0.5 if name.startswith('front') else -0.5) * chassis.wheel_base
    y = (0.5 if name.endswith('left') else -0.5) * chassis.track
    spin = chassis.wheel_mass * chassis.wheel_radius**2 / 2
    return f"""
      <body name="wheel_{name}" pos="{x} {y} 0">
        <joint name="{name}" axis="0 1 0" armature="0.0005" damping="0.002"/>
        <inertial pos="0 0 0" mass="{chassis.wheel_mass}" diaginertia="{spin / 2} {spin} {spin / 2}"/>
        <geom name="{name}" class="wheel"/>
      </body>"""


def _inertia(chassis: Chassis) -> str:
    """Return the principal moments of a uniform box [kg m^2]."""
    x, y, z = chassis.length**2, chassis.width**2, chassis.height**2
    return ' '.join(str(chassis.mass / 12 * moment) for moment in (y + z, x + z, x + y))
