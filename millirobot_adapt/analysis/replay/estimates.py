"""Estimate again, from the arrival records of a live run, what its estimator answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.comparison import ReplayComparison
from millirobot_adapt.contract.arrival_record import VERSION, ArrivalRecord, feed
from millirobot_adapt.contract.messages import microseconds
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording import stored_messages


@dataclass(frozen=True)
class Answer:
    """What an estimator answered to one telemetry reply."""

    stamp: float
    """Of the reply [s]."""
    odometry: Any
    """The message, None where there was no estimate."""
    state: FloatArray | None
    """The state, shape (nx,); None where there was no estimate."""
    sample: StateSample
    """What was published on `state`."""
    certain: bool
    """Everything that reached the estimator before is known."""
    comparable: bool = True
    """The record is of today's layout: the estimator that wrote it judged poses as today's does."""


def answers(arrivals: list[ArrivalRecord], make_estimator: Callable[[], Estimator]) -> Iterator[Answer]:
    """Yield the answer to each reply in the records, in their order.

    A record numbered 0 begins with a new estimator; one that comes again (a bag keeps the last ones again where it is
    split) is passed over; after a missing one nothing is certain until an estimator starts again.
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
        found, sample = feed(estimator, record)
        if sample is None:
            continue
        odometry = None if found is None else stored_messages.odometry(found)
        state = None if found is None else sample.state
        yield Answer(sample.stamp, odometry, state, sample, certain, record.version == VERSION)


def check_states(recorded: dict[int, StateSample], again: list[Answer], comparison: ReplayComparison) -> None:
    """Compare every state that was published, and its quality, with the one that comes out again."""
    waiting = dict(recorded)
    for answer in again:
        sample = waiting.pop(microseconds(answer.stamp), None)
        if not answer.certain:
            comparison.leave_out('states', 'arrival records before them are missing', int(sample is not None))
        elif sample is None:
            comparison.leave_out('states', 'not in the bag', int(answer.comparable))
        else:
            comparison.compared['states'] += 1
            found = answer.sample
            for name, old, new in (
                ('state', sample.state, found.state),
                ('index', sample.index, found.index),
                ('quality', _quality(sample), _quality(found)),
            ):
                if not comparison.check('state', answer.stamp, name, old, new, 'state'):
                    break
    comparison.leave_out('states', 'their arrival records are not in the bag', len(waiting))


def _quality(sample: StateSample) -> FloatArray:
    quality = sample.quality
    return np.array(
        [quality.pose_age, quality.position_sd, quality.heading_sd, quality.coasting, quality.fault], dtype=float
    )


def check_odometries(
    recorded: dict[int, Any], again: list[Answer], comparison: ReplayComparison, version: str = ''
) -> None:
    """Compare every odometry that was published with the one that comes out again.

    Those of older records are left out, as the estimator has changed since; `version` recorded them.
    """
    older = f'the estimator has changed since; millirobot_adapt {version}, which recorded them, can check them'
    waiting = dict(recorded)
    for answer in again:
        message = waiting.pop(microseconds(answer.stamp), None)
        if not answer.comparable:
            comparison.leave_out('odometries', older, int(message is not None))
        elif not answer.certain:
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
