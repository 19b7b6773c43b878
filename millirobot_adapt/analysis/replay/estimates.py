"""Estimate again, from the arrival records of a live run, what its estimator answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.comparison import ReplayComparison
from millirobot_adapt.analysis.replay.row_store import RowsByStamp
from millirobot_adapt.contract.arrival_record import VERSION, ArrivalRecord, feed
from millirobot_adapt.contract.messages import microseconds, seconds
from millirobot_adapt.contract.topics import ARRIVALS
from millirobot_adapt.core.estimation.estimator_interface import Estimate, Estimator
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording import stored_messages

MOST_KNOWN = 100 * ARRIVALS.history
"""Records that are remembered to know one that comes again; a split repeats those that the topic keeps."""


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
        self._known: dict[int, None] = {}
        """Hashes of the newest records, in their order: hours of bag hold too many records to keep."""

    def take(self, record: ArrivalRecord) -> tuple[Estimate | None, StateSample] | None:
        """Take a record; returns what the estimator answers to its reply, None where there is none to answer."""
        if self._repeats:
            known = hash(record.encode().tobytes())
            if known in self._known:
                return None
            self._known[known] = None
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
        if record.number == 0:
            self._estimator, self._certain = self._make_estimator(), True
        elif record.number != self._expected:
            self._certain = False
        self._expected = record.number + 1
        found, sample = feed(self._estimator, record)
        return None if sample is None else (found, sample)

    def answer(self, record: ArrivalRecord) -> Answer | None:
        """Take a record; returns the answer to its reply with the odometry that is published of it, None for none."""
        taken = self.take(record)
        if taken is None:
            return None
        found, sample = taken
        odometry = None if found is None else stored_messages.odometry(found)
        state = None if found is None else sample.state
        return Answer(sample.stamp, odometry, state, sample, self._certain, record.version >= VERSION)


def answers(arrivals: Iterable[ArrivalRecord], make_estimator: Callable[[], Estimator]) -> Iterator[Answer]:
    """Yield the answer to each reply in the records, in their order."""
    answering = Answering(make_estimator)
    for record in arrivals:
        answer = answering.answer(record)
        if answer is not None:
            yield answer


class EstimateChecker:
    """Compare every state and odometry that was published with the one that comes out again, as both pass by."""

    def __init__(self, comparison: ReplayComparison, version: str = '') -> None:
        """Begin; `version` of the package recorded what is compared."""
        self.states = RowsByStamp()
        """States that came out again, certain ones of records of today's layout, shape (nx,) each."""
        self._comparison = comparison
        self._older = (
            f'the estimator has changed since; millirobot_adapt {version}, which recorded them, can check them'
        )
        self._odometries = _Pairs(self._compare_odometry)
        self._samples = _Pairs(self._compare_state)

    def answer(self, answer: Answer) -> None:
        """Take what comes out again."""
        stamp = microseconds(answer.stamp)
        if answer.certain and answer.comparable and answer.state is not None:
            self.states.add(stamp, answer.state)
        self._odometries.answer(stamp, answer)
        self._samples.answer(stamp, answer)

    def odometry(self, message: Any) -> None:
        """Take a nav_msgs/Odometry that was published."""
        self._odometries.recorded(microseconds(seconds(message.header.stamp)), message)

    def state(self, sample: StateSample) -> None:
        """Take what was published on `state`."""
        self._samples.recorded(microseconds(sample.stamp), sample)

    def finish(self) -> None:
        """Count what has no counterpart."""
        for things, pairs in (('odometries', self._odometries), ('states', self._samples)):
            self._comparison.leave_out(things, 'their arrival records are not in the bag', pairs.finish())

    def _compare_state(self, sample: StateSample | None, answer: Answer) -> None:
        comparison = self._comparison
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

    def _compare_odometry(self, message: Any, answer: Answer) -> None:
        """Compare an odometry; those of older records are left out, as the estimator has changed since."""
        comparison = self._comparison
        if not answer.comparable:
            comparison.leave_out('odometries', self._older, int(message is not None))
        elif not answer.certain:
            comparison.leave_out('odometries', 'arrival records before them are missing', int(message is not None))
        elif message is None:
            comparison.leave_out('odometries', 'not in the bag', int(answer.odometry is not None))
        else:
            comparison.compared['odometries'] += 1
            _check(message, answer, comparison)


MOST_WAITING = 1000
"""Answers that wait for what was published, or the other way round; the oldest is then taken for one without."""


class _Pairs:
    """Bring what was published and what comes out again together, whichever passes by first."""

    def __init__(self, compare: Callable[[Any, Answer], None]) -> None:
        """Call `compare` with each pair; what was published is None where it is not in the bag."""
        self._compare = compare
        self._published: dict[int, Any] = {}
        self._answers: dict[int, list[Answer]] = {}
        self._lonely = 0

    def recorded(self, stamp: int, published: Any) -> None:
        """Take what was published at a stamp [us]."""
        waiting = self._answers.pop(stamp, None)
        if waiting is None:
            self._published[stamp] = published
            if len(self._published) > MOST_WAITING:
                del self._published[next(iter(self._published))]
                self._lonely += 1
            return
        for number, answer in enumerate(waiting):
            self._compare(published if number == 0 else None, answer)

    def answer(self, stamp: int, answer: Answer) -> None:
        """Take what comes out again at a stamp [us]."""
        if stamp in self._published:
            self._compare(self._published.pop(stamp), answer)
            return
        self._answers.setdefault(stamp, []).append(answer)
        if len(self._answers) > MOST_WAITING:
            self._give_up(next(iter(self._answers)))

    def finish(self) -> int:
        """Compare what is left with nothing; returns how much was published for which nothing came out."""
        for stamp in list(self._answers):
            self._give_up(stamp)
        return self._lonely + len(self._published)

    def _give_up(self, stamp: int) -> None:
        for answer in self._answers.pop(stamp):
            self._compare(None, answer)


def _quality(sample: StateSample) -> FloatArray:
    quality = sample.quality
    return np.array(
        [quality.pose_age, quality.position_sd, quality.heading_sd, quality.coasting, quality.fault], dtype=float
    )


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
