"""The six-servo hexapod's body: the physics of `Hexapod` with a servo at every leg.

Sizes and masses are nominal: six XL330 of 18 g and 20 x 34 x 26 mm (e-Manual), a frame, a small computer, a battery.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.hexapod import BLOCKING_DAMPING, Hexapod
from millirobot_adapt.sim.hexapod_model import Body
from millirobot_adapt.sim.leg_names import LEGS, ROWS, SIDES
from millirobot_adapt.sim.servo import ServoMotor
from millirobot_adapt.sim.servo_rig import GEAR_FRICTION, LEG_INERTIA

BODY = Body(
    mass=0.26,
    length=0.18,
    width=0.07,
    height=0.03,
    track=0.13,
    hip_spacing=0.065,
    leg_length=0.033,
    foot_radius=0.004,
    arc=1.1,
    leg_mass=0.004,
    skid_radius=0.005,
    rotor_inertia=LEG_INERTIA,
    roll_drag=2e-3,
    pitch_drag=1e-3,
    drag_scale=4.0,
    yaw_drag_scale=15.0,
    spheres=7,
    tied=False,
    gear_friction=GEAR_FRICTION,
)
"""Nominal."""
FORCE_SCALE, TORQUE_SCALE = 5.5, 15.0
"""How much stronger the pushes of the ground are than on VelociRoACH: as the masses, and as masses times lengths."""
SUPPLY = 5.0
"""Voltage of the supply without load [V]."""
SUPPLY_RESISTANCE = 0.05
"""Of supply and cables [Ohm]."""
_SIGNS = np.repeat((1.0, -1.0), len(ROWS))
"""The servos of the right side are mounted mirrored: forward is clockwise there."""


class ServoHexapod(Hexapod):
    """Six legs, each turned by a servo; arrays of six are in the order of `LEGS`, which is that of the servos."""

    def __init__(self, condition: Condition, rng: np.random.Generator, motor: ServoMotor | None = None) -> None:
        self._servo_motor = motor or ServoMotor()
        self._gain = np.ones(len(LEGS))
        super().__init__(condition, rng)
        self.recharge()
        self.battery = SUPPLY

    def _make_body(self) -> Body:
        return BODY

    def _brake(self) -> float:
        return self._servo_motor.damping

    def take_over(self, condition: Condition) -> None:
        """Become what a condition says; `motor_gain` is that of the three servos of a side."""
        super().take_over(condition)
        joints = [self.model.joint(leg) for leg in LEGS]
        self._angles_at = [int(joint.qposadr[0]) for joint in joints]
        self._velocities_at = [int(joint.dofadr[0]) for joint in joints]
        self._gain = np.repeat(condition.motor_gain, len(ROWS)) * _SIGNS

    def block_legs(self, left: bool, right: bool) -> None:
        """Hold the legs of a side, or release them."""
        for at, blocked in zip(self._velocities_at, np.repeat((left, right), len(ROWS)), strict=True):
            self.model.dof_damping[at] = BLOCKING_DAMPING if blocked else self._motor_damping

    def recharge(self) -> None:
        """Put the supply right."""
        self.open_circuit = SUPPLY

    def step(self, *drives: float) -> None:
        """Advance by one millisecond with these torques at the six shafts [N m], positive counter-clockwise."""
        self._control[:] = self._gain * drives
        legs, stall = len(ROWS), self._servo_motor.stall_torque  # plain sums: numpy would take longer than MuJoCo
        self.duty = sum(drives[:legs]) / (legs * stall), -sum(drives[legs:]) / (legs * stall)
        current = sum(map(abs, drives)) * self._servo_motor.stall_current / stall
        self.battery = max(0.0, self.open_circuit - SUPPLY_RESISTANCE * current)
        mujoco.mj_step(self.model, self.data)

    def supply(self) -> float:
        """Return the voltage at the servos [V]."""
        return self.battery

    def shaft_angle(self) -> Sequence[float]:
        """Return the angle of each shaft [rad], positive counter-clockwise seen from the horn."""
        return (_SIGNS * self._position[self._angles_at]).tolist()

    def shaft_velocity(self) -> Sequence[float]:
        """Return the velocity of each shaft [rad/s]."""
        return (_SIGNS * self._velocity[self._velocities_at]).tolist()

    def leg_angles(self) -> np.ndarray:
        """Return the angle of each leg [rad], positive walking forward, shape (2, 3)."""
        return np.array(self._position[self._angles_at]).reshape(len(SIDES), len(ROWS))

    def leg_angle(self) -> tuple[float, float]:
        """Return the mean of the three legs of each side [rad]."""
        left, right = self.leg_angles().mean(axis=1).tolist()
        return left, right

    def leg_velocity(self) -> tuple[float, float]:
        """Return the mean velocity of the three legs of each side [rad/s]."""
        left, right = self._velocity[self._velocities_at].reshape(len(SIDES), len(ROWS)).mean(axis=1).tolist()
        return left, right

    def push(self, forward: float, lateral: float, yaw: float) -> None:
        """Hold forces and a torque, given as they are on VelociRoACH; see `Hexapod.push`."""
        super().push(FORCE_SCALE * forward, FORCE_SCALE * lateral, TORQUE_SCALE * yaw)
