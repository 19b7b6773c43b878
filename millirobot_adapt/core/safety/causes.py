"""Why the robot stands: the causes of a stop and of a hold, as values that programs compare. Texts are for people."""

from __future__ import annotations

from enum import Enum


class StopCause(Enum):
    """Who or what disarmed the robot, or ended a run."""

    NONE = 'none'
    """Nothing has, yet."""
    OPERATOR = 'operator'
    """A person asked for it: a service call, the emergency stop of the joystick."""
    MANAGER = 'manager'
    """The manager asked for it, because a node has died or hangs."""
    SHUTDOWN = 'shutdown'
    """The node was deactivated, or its process ends."""
    SAFETY = 'safety'
    """A limit of the gate: fence, tilt, battery, a pose or state that is too old."""
    LINK = 'link'
    """The link was lost or is not up; the serial guardian has acted."""
    BRIDGE = 'bridge'
    """Of a run: the bridge is not armed any more, and knows the cause itself."""
    FAULT = 'fault'
    """The node's own failure: missed deadlines, a dead thread, a model that predicts nothing finite."""

    @property
    def by_itself(self) -> bool:
        """Whether the system decided it: nobody asked for it, and it does not repeat another stop."""
        return self in (StopCause.MANAGER, StopCause.SAFETY, StopCause.LINK, StopCause.FAULT)


class HoldCause(Enum):
    """Why an armed robot stands for the moment."""

    NONE = 'none'
    """It does not: the setpoint passes."""
    SETPOINT = 'setpoint'
    """No setpoint, an old one, or one that is no pair of finite numbers."""
    TELEMETRY = 'telemetry'
    """The robot's replies are missing."""
    POSE = 'pose'
    """The last accepted pose is too old."""
    STATE = 'state'
    """No new state comes from the estimator."""
    UNCERTAIN = 'uncertain'
    """The estimate's standard deviation is too large."""
    LEGS = 'legs'
    """A leg does not follow its setpoint."""
