"""Estimate again, from the arrival records of a live run, what its estimator answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.comparison import ReplayComparison
from millirobot_adapt.contract.arrival_record import VERSION, ArrivalRecord, feed
from millirobot_adapt.contract.messages import microseconds
from millirobot_adapt.core.estimation.estimator_interface import Estimate, Estimator
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


class Answering:
    """Give records to an estimator, one after the other, and take its answers.

    A record numbered 0 begins with a new estimator; one that comes again (a bag keeps the last ones again where it is
    split) is passed over; after a missing one nothing is certain until an estimator starts again.
    """

    def __init__(self, make_estimator: Callable[[], Estimator], repeats: bool = True) -> None:
        """Begin with a new estimator; `repeats`: a record may come again."""
        self._repeats = repeats
        self._make_estimator = make_estimator
        self._estimator, self._expected, self._certain = make_estimator(), 0, True
        self._known: set[int] = set()
        """Hashes of the records so far: hours of bag hold too many records to keep."""

    def take(self, record: ArrivalRecord) -> tuple[Estimate | None, StateSample] | None:
        """Take a record; returns what the estimator answers to its reply, None where there is none to answer."""
        if self._repeats:
            known = hash(record.encode().tobytes())
            if known in self._known:
                return None
            self._known.add(known)
        if record.number == 0:
            self._estimator, self._certain = self._make_estimator(), True
        elif record.number != self._expected:
            self._certain = False
        self._expected = record.number + 1
        found, sample = feed(self._estimator, record)
        return None if sample is None else (found, sample)

    @property
    def certain(self) -> bool:
        """Everything that reached the estimator before the newest answer is known."""
        return self._certain


def answers(arrivals: Iterable[ArrivalRecord], make_estimator: Callable[[], Estimator]) -> Iterator[Answer]:
    """Yield the answer to each reply in the records, in their order, with the odometry that is published of it."""
    answering = Answering(make_estimator)
    for record in arrivals:
        answer = answering.take(record)
        if answer is not None:
            found, sample = answer
            odometry = None if found is None else stored_messages.odometry(found)
            state = None if found is None else sample.state
            yield Answer(sample.stamp, odometry, state, sample, answering.certain, record.version == VERSION)


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
