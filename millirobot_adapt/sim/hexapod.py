"""The hexapod's body: physics, motors and battery, one millisecond at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditions import Condition, Payload
from millirobot_adapt.sim.floor import Floor
from millirobot_adapt.sim.hexapod_model import Body, build_model, lay_floor
from millirobot_adapt.sim.leg_names import LEGS, ROWS, SIDES
from millirobot_adapt.sim.load import PulledLoad

SETTLING_STEPS = 300
"""Physics steps in which a new robot comes to rest on its feet."""
WORN_GRIP = 0.6
"""Share of its grip that a foot has lost when it is wholly worn."""
WORN_LENGTH = 0.15
"""Share of its length that a leg has lost when its foot is wholly worn."""

BLOCKING_DAMPING = 1.0
"""Holds blocked legs [N m s/rad]: the strongest motor turns them at 0.01 rad/s."""
LYING = 0.5
"""A robot whose z axis leans further than this cosine lies on its side."""
STUMP = 0.4
"""Share of its length that is left of a lost leg. With none at all the robot cannot be steered against its drift."""


@dataclass(frozen=True)
class Electrics:
    """Motors with their gears, seen at the legs, and the battery; nominal, as the robot's are not published."""

    motor_constant: float = 0.0132
    """Torque per current [N m/A], equal to back-EMF per leg velocity [V s/rad]."""
    resistance: float = 5.0
    """Of one motor [Ohm]."""
    battery: float = 4.02
    """Open-circuit voltage [V]."""
    battery_resistance: float = 0.35
    """Inner resistance, by which the voltage sags under load [Ohm]."""


class Hexapod:
    """Walk on a plane that may be inclined; pairs are ordered left, right, legs as in `model.LEGS`.

    The floor is always MuJoCo's plane z = 0. A slope turns gravity instead, and poses are turned into the world.
    Friction, sizes and masses are set in MuJoCo's model, from the condition that holds.
    """

    def __init__(self, condition: Condition, rng: np.random.Generator) -> None:
        self._electrics = Electrics()
        self._body = self._make_body()
        self._motor_damping = self._brake()
        self.model = build_model(self._body, self._motor_damping)
        self.data = mujoco.MjData(self.model)
        self._feet = {leg: self._feet_of(leg) for leg in LEGS}
        self._new_feet = self.model.geom_pos.copy()
        self._trunk = int(self.model.body('body').id)
        self._middle = [self.model.joint(f'middle_{side}') for side in SIDES]
        self._angle_at = [int(joint.qposadr[0]) for joint in self._middle]
        self._velocity_at = [int(joint.dofadr[0]) for joint in self._middle]
        # Bound once: looking a field of MjData up costs as much as reading it.
        self._position, self._velocity, self._control = self.data.qpos, self.data.qvel, self.data.ctrl
        self.battery = self._electrics.battery
        """Voltage at the battery now [V]."""
        self.duty = (0.0, 0.0)
        """What drives the motors now, -1..1."""
        self.open_circuit = self._electrics.battery
        """Voltage of the battery without load [V]."""
        self._floor = Floor(condition.slope, self.model.opt.gravity)
        self._slope = condition.slope
        self._payload = Payload()
        self._load: PulledLoad | None = None
        self._knot = np.zeros(3)
        self.take_over(condition)
        self._place(condition, rng)

    def _make_body(self) -> Body:
        return Body()

    def _brake(self) -> float:
        """Return the brake of a motor by its own back-EMF [N m s/rad]."""
        return self._electrics.motor_constant**2 / self._electrics.resistance

    def take_over(self, condition: Condition) -> None:
        """Become what a condition says: floor, slope, legs, motors, payload."""
        constant, resistance = self._electrics.motor_constant, self._electrics.resistance
        self._torque_per_volt = [gain * constant / resistance for gain in condition.motor_gain]
        lay_floor(self.model, self._body, condition.floor)
        for leg, wear in zip(LEGS, condition.wear, strict=True):
            feet = self._feet[leg]
            length = 1.0 - WORN_LENGTH * wear
            self.model.geom_friction[feet, 0] = condition.floor.friction * (1.0 - WORN_GRIP * wear)
            self.model.geom_pos[feet] = self._new_feet[feet] * length * (STUMP if leg in condition.missing_legs else 1)
        self._foot_friction = self.model.geom_friction[:, 0].copy()
        self._take_load(condition.payload)
        if condition.slope != self._slope:
            self._slope = condition.slope
            self._floor.incline(condition.slope, self._position[:3])

    def block_legs(self, left: bool, right: bool) -> None:
        """Hold the legs of a side, as a stone between them does, or release them."""
        for at, blocked in zip(self._velocity_at, (left, right), strict=True):
            self.model.dof_damping[at] = BLOCKING_DAMPING if blocked else self._motor_damping

    def put_upright(self) -> None:
        """Put a robot that lies on its side or its back on its feet, where it is; one that stands is left alone."""
        w, x, y, z = (self._position.item(i) for i in range(3, 7))
        if 1.0 - 2.0 * (x * x + y * y) > LYING:
            return
        yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
        self._position[2] = self.model.qpos0[2]
        self._position[3:7] = math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)
        self._velocity[:6] = 0.0

    def recharge(self) -> None:
        """Put a full battery in."""
        self.open_circuit = self._electrics.battery

    def step(self, *drives: float) -> None:
        """Advance by one millisecond with the left and right motor driven at duty -1..1 of the battery's voltage."""
        left, right = drives
        constant, resistance = self._electrics.motor_constant, self._electrics.resistance
        current = 0.0
        for side, duty in ((0, left), (1, right)):
            volts = duty * self.battery
            # The model's joint damping is the back-EMF's part of the torque.
            self._control[side] = self._torque_per_volt[side] * volts
            current += abs(duty * (volts - constant * self._velocity.item(self._velocity_at[side])) / resistance)
        self.battery = self.open_circuit - self._electrics.battery_resistance * current
        self.duty = (left, right)
        mujoco.mj_step(self.model, self.data)

    def leg_angle(self) -> tuple[float, float]:
        """Return the angles of the two sides [rad], unwrapped, positive walking forward."""
        return self._position.item(self._angle_at[0]), self._position.item(self._angle_at[1])

    def leg_velocity(self) -> tuple[float, float]:
        """Return the velocities of the two sides [rad/s]."""
        return self._velocity.item(self._velocity_at[0]), self._velocity.item(self._velocity_at[1])

    def back_emf(self) -> FloatArray:
        """Return the back-EMF of the two motors [V], shape (2,)."""
        return self._electrics.motor_constant * np.array(self.leg_velocity())

    def pose(self) -> tuple[FloatArray, FloatArray]:
        """Return position [m; world], shape (3,), and orientation xyzw in the world, shape (4,)."""
        return self._floor.pose(self._position)

    def angular_velocity(self) -> FloatArray:
        """Return the angular velocity [rad/s; body], shape (3,)."""
        velocity = np.array(self._velocity[3:6])
        if self._floor.tips:
            w, x, y, z = self._position[3:7]
            turned = self._floor.rotation * Rotation.from_quat([x, y, z, w])
            velocity += turned.inv().apply(self._floor.rate())
        return velocity

    def acceleration(self) -> FloatArray:
        """Return what an accelerometer reads [m/s^2; body], shape (3,)."""
        return np.array(self.data.sensordata[:3])

    def push(self, forward: float, lateral: float, yaw: float) -> None:
        """Hold forces forward and to the robot's left [N] and a torque about its z axis [N m] until the next call."""
        w, z = self._position.item(3), self._position.item(6)
        heading = 2.0 * math.atan2(z, w)
        cos, sin = math.cos(heading), math.sin(heading)
        self.data.qfrc_applied[:2] = (forward * cos - lateral * sin, forward * sin + lateral * cos)
        self.data.qfrc_applied[5] = yaw

    def tilt_gravity(self, about_x: float, about_y: float) -> None:
        """Tilt gravity by small angles [rad] besides the slope: floor that lies unevenly, too little to be seen."""
        self._floor.tilt(about_x, about_y)

    def update(self, seconds: float) -> None:
        """Let what is around the robot move on for this long: a floor that tips, a load on its rope."""
        self._floor.tip(seconds)
        if self._load:
            rope = self.data.xmat[self._trunk].reshape(3, 3) @ self._knot
            w, z = self._position.item(3), self._position.item(6)
            x, y, _ = self._position[:3] + rope
            force = np.array([*self._load.pull(x, y, 2.0 * math.atan2(z, w), seconds), 0.0])
            self.data.xfrc_applied[self._trunk] = [*force, *np.cross(rope, force)]

    def shift_grip(self, share: float) -> None:
        """Shift grip to the left (share > 0) or the right side, by -1..1 of its normal value."""
        for leg, feet in self._feet.items():
            factor = 1.0 + share if leg.endswith('left') else 1.0 - share
            self.model.geom_friction[feet, 0] = factor * self._foot_friction[feet]

    def _feet_of(self, leg: str) -> list[int]:
        body = self.model.body(leg).id
        return [geom for geom in range(self.model.ngeom) if self.model.geom_bodyid[geom] == body]

    def _take_load(self, payload: Payload) -> None:
        """Carry the payload on the back, or take its rope."""
        if payload == self._payload:
            return
        self._payload = payload
        pulled = payload.rope > 0.0
        self.model.body_mass[self._trunk] = self._body.mass + (0.0 if pulled else payload.mass)
        self.data.xfrc_applied[self._trunk] = 0.0
        self._load = PulledLoad(payload) if pulled else None
        self._knot = np.array([-self._body.length / 2, payload.offset, 0.0])

    def _place(self, condition: Condition, rng: np.random.Generator) -> None:
        """Put the robot down at the start pose, its legs anywhere, and let it settle."""
        self._position[:2] = condition.start_x, condition.start_y
        self._position[3:7] = math.cos(condition.start_yaw / 2), 0.0, 0.0, math.sin(condition.start_yaw / 2)
        for side, angle in zip(SIDES, rng.uniform(-math.pi, math.pi, 2), strict=True):
            for row in ROWS:
                self._position[self.model.joint(f'{row}_{side}').qposadr[0]] = angle
        for _ in range(SETTLING_STEPS):
            self.step(*[0.0] * self.model.nu)
        self.data.time = 0.0
