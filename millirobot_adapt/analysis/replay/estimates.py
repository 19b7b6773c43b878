"""Estimate again, from the arrival records of a live run, what its estimator answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.comparison import ReplayComparison
from millirobot_adapt.contract.arrival_record import ArrivalRecord, feed
from millirobot_adapt.contract.messages import estimate as read_estimate
from millirobot_adapt.contract.messages import microseconds
from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.interface import Estimator
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording import messages


@dataclass(frozen=True)
class Answer:
    """What an estimator answered to one telemetry reply."""

    stamp: float
    """Of the reply [s]."""
    odometry: Any
    """The message, None where there was no estimate."""
    state: FloatArray | None
    """The state that the controller makes of odometry and reply, shape (nx,)."""
    certain: bool
    """Everything that reached the estimator before is known."""


def answers(arrivals: list[ArrivalRecord], make_estimator: Callable[[], Estimator]) -> Iterator[Answer]:
    """Yield the answer to each reply in the records, in their order.

    A record numbered 0 begins with a new estimator; one that comes again (a bag keeps the last ones again where it is
    split) is passed over; after a missing one nothing is certain until an estimator begins anew.
    """
    estimator, expected, certain = make_estimator(), 0, True
    known: set[bytes] = set()
    for record in arrivals:
        data = record.encode().tobytes()
        if data in known:
            continue
        known.add(data)
        if record.number == 0:
            estimator, certain = make_estimator(), True
        elif record.number != expected:
            certain = False
        expected = record.number + 1
        found = feed(estimator, record)
        if record.telemetry is None:
            continue
        odometry = None if found is None else messages.odometry(found)
        # The controller knows the estimate as it came over the wire: its twist turned into the body and back.
        state = None if odometry is None else state_of(read_estimate(odometry), record.telemetry)
        yield Answer(record.telemetry.stamp, odometry, state, certain)


def check_odometries(recorded: dict[int, Any], again: list[Answer], comparison: ReplayComparison) -> None:
    """Compare every odometry that was published with the one that comes out again."""
    waiting = dict(recorded)
    for answer in again:
        message = waiting.pop(microseconds(answer.stamp), None)
        if not answer.certain:
            comparison.leave_out('odometries', 'arrival records before them are missing', int(message is not None))
        elif message is None:
            comparison.leave_out('odometries', 'not in the bag', int(answer.odometry is not None))
        else:
            comparison.compared['odometries'] += 1
            _check(message, answer, comparison)
    comparison.leave_out('odometries', 'their arrival records are not in the bag', len(waiting))


def _check(message: Any, answer: Answer, comparison: ReplayComparison) -> None:
    what = 'odometry'
    if answer.odometry is None:
        comparison.check(what, answer.stamp, 'odometry was published (1: yes)', 1.0, 0.0, 'odometry')
        return
    for name, old, new in zip(_FIELDS, _numbers(message), _numbers(answer.odometry), strict=True):
        if not comparison.check(what, answer.stamp, name, old, new, 'odometry'):
            return


_FIELDS = ('position [m]', 'quaternion', 'pose covariance', 'linear velocity [m/s]', 'angular velocity [rad/s]',
           'twist covariance')  # fmt: skip


def _numbers(message: Any) -> list[FloatArray]:
    pose, twist = message.pose.pose, message.twist.twist
    position, quaternion = pose.position, pose.orientation
    return [
        np.array([position.x, position.y, position.z]),
        np.array([quaternion.x, quaternion.y, quaternion.z, quaternion.w]),
        np.array(message.pose.covariance),
        np.array([twist.linear.x, twist.linear.y, twist.linear.z]),
        np.array([twist.angular.x, twist.angular.y, twist.angular.z]),
        np.array(message.twist.covariance),
    ]
