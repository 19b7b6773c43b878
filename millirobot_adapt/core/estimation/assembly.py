"""Put the estimate and the telemetry of one instant together into the robot's state."""

from __future__ import annotations

from millirobot_adapt.core.estimation.interface import Estimate
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray, assemble_state


def state_of(estimate: Estimate, telemetry: Telemetry) -> FloatArray:
    """Return the state, shape (24,): pose and velocity from the estimate, gyro, legs and voltages from telemetry."""
    return assemble_state(
        position=estimate.position,
        velocity=estimate.velocity,
        roll_pitch_yaw=roll_pitch_yaw(estimate.quaternion),
        angular_velocity=telemetry.angular_velocity,
        leg_phase=telemetry.leg_angle,
        leg_velocity=telemetry.leg_velocity,
        back_emf=telemetry.back_emf,
        battery=telemetry.battery,
    )
