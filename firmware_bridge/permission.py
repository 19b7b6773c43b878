"""Who may drive a real robot, and what the operator should know before he arms one."""

from __future__ import annotations

from collections.abc import Mapping

from millirobot_adapt.core.robot.description import RobotConfig

MODEL_ORIGIN = 'model origin'
"""Key in the controller's state: where the data of its model came from."""
REAL = 'real'


def objection_to_model(controller: Mapping[str, str]) -> str | None:
    """Return why the controller whose state has these values may not drive a real robot, None if it may."""
    origin = controller.get(MODEL_ORIGIN, REAL)
    if origin == REAL:
        return None
    return (
        f"the controller's model {controller.get('model', '')} was trained on data of origin {origin!r}; "
        'train one on data of this robot, or set allow_mock_model'
    )


def warning_before_arming(robot: RobotConfig) -> str | None:
    """Return what does not protect this robot, None if everything does."""
    if robot.timeout and robot.timeout_verified:
        return None
    return (
        'pulling the dongle is not covered: this robot has not been seen to stop by itself '
        '(millirobot link-test PORT --jog SIDE checks it)'
    )
