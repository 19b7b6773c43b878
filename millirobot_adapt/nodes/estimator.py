"""Estimate pose and twist at the time of each telemetry reply, from motion capture."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.contract.arrival_record import ArrivalLog, ArrivalRecord
from millirobot_adapt.contract.reply_codec import decode_reply
from millirobot_adapt.contract.state_codec import encode_state
from millirobot_adapt.contract.topics import ARRIVALS, ODOMETRY, REPLY, STATE
from millirobot_adapt.core.estimation.assembly import answer
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.estimation.quality import PoseFault
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.ros.conversions import labelled_array, odometry, qos, status
from millirobot_adapt.ros.inputs.mocap_input import MocapInput, now
from millirobot_adapt.ros.managed import ManagedNode, NotYetError
from millirobot_adapt.ros.outputs.estimate import TransformPublisher, details
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import run

SILENCE = 1.0
"""A robot that has not answered for this long is silent [s]."""
WARNING_PERIOD = 10.0
"""Least time between two warnings about the same thing [s]."""


class EstimatorNode(ManagedNode):
    """Publish `state` and `odometry` for the stamp of every reply; a pose that is not there yet is not waited for.

    Inactive, it listens and says what it hears.
    """

    def __init__(self) -> None:
        super().__init__('estimator')
        self._config = load(self, EstimatorNodeConfig)
        self._robot = load_robot(self._config.robot)

    def configure(self) -> None:
        """Subscribe to motion capture and telemetry."""
        self._estimator = make_estimator(self._config, self._robot)
        self._arrivals = ArrivalLog()
        self._newest_reply = -math.inf  # arrival, steady clock
        self._poses = self._replies = self._published = self._malformed = 0
        self._odometry = self.create_publisher(Odometry, ODOMETRY.name, qos(ODOMETRY))
        self._state = self.create_publisher(Float64MultiArray, STATE.name, qos(STATE))
        self._transform = TransformPublisher(self)
        self._record = self.create_publisher(Float64MultiArray, ARRIVALS.name, qos(ARRIVALS))
        self._mocap = MocapInput(self, self._config, self._on_pose)
        self.create_subscription(Float64MultiArray, REPLY.name, self.on_reply, qos(REPLY))

    def activate(self) -> None:
        """Begin to estimate, once motion capture comes as it should and the robot answers."""
        objection = self._mocap.objection() or self._silence()
        if objection:
            raise NotYetError(objection)

    def _on_pose(self, sample: PoseSample) -> None:
        self._poses += 1
        if self.lifecycle == 'active':
            self._estimator.on_pose(sample)
            self._publish_record(self._arrivals.pose(sample))

    def on_reply(self, message: Float64MultiArray) -> None:
        """Take a reply, and publish the state at its stamp."""
        try:
            sample = replace(decode_reply(message.data), arrival=now())
        except ValueError as error:
            self._malformed += 1
            self.get_logger().warning(f'{REPLY.name} left out: {error}', throttle_duration_sec=WARNING_PERIOD)
            return
        self._replies += 1
        self._newest_reply = time.monotonic()
        if self.lifecycle != 'active':
            return
        estimate, state = answer(self._estimator, sample)
        self._state.publish(labelled_array(encode_state(state), f'state, see {encode_state.__module__}'))
        if estimate is not None:
            self._published += 1
            pose = odometry(estimate)
            self._odometry.publish(pose)
            self._transform.publish(pose)
        self._publish_record(self._arrivals.reply(sample))

    def _publish_record(self, record: ArrivalRecord | None) -> None:
        if record is not None:
            self._record.publish(labelled_array(record.encode(), f'arrivals, see {ArrivalRecord.__module__}'))

    def examine(self) -> DiagnosticStatus:
        """Say how the last second was (and begin the next), and why there is no odometry if there is none."""
        health = self._estimator.health()
        rates = {
            'poses [Hz]': self._poses,
            'telemetry [Hz]': self._replies,
            'odometry [Hz]': self._published,
            'pose age [s]': self._mocap.age,
            'telemetry malformed': self._malformed,
        }
        warnings = health.warnings() if self.lifecycle == 'active' else []
        for warning in warnings:
            self.get_logger().warning(warning, throttle_duration_sec=WARNING_PERIOD)
        coasting = 'coasting on the legs' if health.coasting else ''
        trouble = self._trouble(health.fault) or '; '.join(warnings) or coasting
        level = DiagnosticStatus.WARN if trouble else DiagnosticStatus.OK
        self._poses = self._replies = self._published = 0
        return status(
            'estimator', trouble or ('coasting' if health.coasting else 'estimating'), rates | details(health), level
        )

    def parts(self) -> list[DiagnosticStatus]:
        """Say how motion capture comes."""
        fault = self._estimator.health().fault if self.lifecycle == 'active' else PoseFault.NONE
        objection = self._mocap.objection() or (fault.words if fault is not PoseFault.NONE else '')
        level = DiagnosticStatus.ERROR if objection else DiagnosticStatus.OK
        values = {'rate [Hz]': self._mocap.rate, 'age [s]': self._mocap.age, 'fault': fault.name.lower()}
        return [status('mocap', objection or 'poses come', values, level)]

    def _trouble(self, fault: PoseFault) -> str:
        """Return why the last second brought no odometry, or nothing."""
        if self._published:
            return ''
        if not self._poses:
            return f'no odometry: {self._mocap.objection() or "no pose came"}'
        if not self._replies:
            return f'no odometry: {self._silence() or "no telemetry came"}'
        if self.lifecycle != 'active':
            return self._mocap.objection()
        return f'no odometry: {fault.words} ({fault.fix})'

    def _silence(self) -> str:
        """Say that the robot is silent, if it is."""
        silent = time.monotonic() > self._newest_reply + SILENCE
        return f'no telemetry arrives on {self.resolve_topic_name(REPLY.name)}' if silent else ''


def main() -> int:
    """Run the estimator until a signal ends it."""
    return run(EstimatorNode)
