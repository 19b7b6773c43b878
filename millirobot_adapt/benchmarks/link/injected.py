"""Faults that a mock can inject into a live run, one row each: how fast the motors are commanded to stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from millirobot_adapt.benchmarks.link.live_robot import LiveRobot
from millirobot_adapt.benchmarks.link.process_trials import recover, watch
from millirobot_adapt.benchmarks.link.rows import LONGEST_STOP_MS, FaultRow
from millirobot_adapt.bringup.processes import CONTROLLER, ESTIMATOR, NodeProcess
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import ImageprocConfig
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig

POSE_STOP_MS = 350.0
"""Motors have to be commanded zero within this time of the last accepted pose [ms]."""
LEGS_STOP_MS = 1500.0
"""Legs that do not follow are given a second; then they are held [ms]."""


@dataclass(frozen=True)
class InjectedFault:
    """A fault that has to stop the robot, and how fast."""

    fault: str
    value: str | None = None
    """In YAML; None: the default."""
    bound_ms: float = POSE_STOP_MS
    from_pose: bool = True
    """The time runs from the last accepted pose, which the state says, and not from the injection."""
    from_reply: bool = False
    """The time runs from the last reply where one came after the request: the mock gets to it up to 0.1 s later."""
    restart: NodeProcess | None = None
    """The process that has to be started again afterwards."""
    applies: Callable[[RobotConfig], bool] = lambda robot: True
    """Whether this can happen to a robot, and whether it reports enough of itself for anybody to notice."""
    goes_on: bool = False
    """The robot is held, not stopped: it walks on when the fault ends."""

    @property
    def name(self) -> str:
        """What the row is called."""
        return self.fault if self.value is None else f'{self.fault} {self.value}'


def _has_legs(robot: RobotConfig) -> bool:
    return bool(robot.joints)


def _has_encoders(robot: RobotConfig) -> bool:
    return isinstance(robot.driver, ImageprocConfig)


def _has_servos(robot: RobotConfig) -> bool:
    return isinstance(robot.driver, DynamixelConfig)


INJECTED = (
    InjectedFault('mocap.stop'),
    InjectedFault('mocap.hold'),
    InjectedFault('mocap.freeze', applies=lambda robot: bool(robot.joints) or robot.gyro),
    InjectedFault('mocap.zeros'),
    InjectedFault('mocap.nan'),
    InjectedFault('mocap.zero_quaternion'),
    InjectedFault('mocap.other_body', '0.5'),
    InjectedFault('mocap.frame_id'),
    InjectedFault('clock.mocap', '5.0'),
    InjectedFault('clock.mocap', '-5.0'),
    InjectedFault('process.kill', 'estimator', restart=ESTIMATOR),
    InjectedFault('process.worker', 'controller', LONGEST_STOP_MS, from_pose=False, restart=CONTROLLER),
    InjectedFault('process.hang', 'controller', LONGEST_STOP_MS, from_pose=False, goes_on=True),
    InjectedFault('robot.leg_stuck', 'both', LEGS_STOP_MS, from_pose=False, applies=_has_legs),
    InjectedFault('robot.encoders', 'both', LEGS_STOP_MS, from_pose=False, applies=_has_encoders),
    InjectedFault('robot.reset', None, LONGEST_STOP_MS, from_pose=False, applies=_has_servos),
    InjectedFault('bus.loss', '1.0', LONGEST_STOP_MS, from_pose=False, from_reply=True, applies=_has_servos),
    InjectedFault('bus.corruption', '1.0', LONGEST_STOP_MS, from_pose=False, from_reply=True, applies=_has_servos),
)


def measure_injected(robot: LiveRobot, case: InjectedFault) -> FaultRow:
    """Inject one fault into a walk, see when the robot stands, end the fault, and arm again."""
    cause = robot.inject(case.fault, case.value)
    witness = robot.witness

    def begun() -> float:
        if case.from_pose:
            return witness.last_pose(witness.changed_at)
        return max(cause, witness.last_reply) if case.from_reply else cause

    row = watch(robot, cause, begun)
    robot.inject('clear')
    ended = robot.now()
    if case.restart is not None:
        robot.start(case.restart)
        robot.bring_up(case.restart)
    return replace(recover(robot, row, ended, case.goes_on), bound_ms=case.bound_ms)
