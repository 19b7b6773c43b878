"""What the player takes from a bag: the messages of motion capture, robot and controller, in the order of recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.topics import Topic
from millirobot_adapt.recording.reader import Bag
from millirobot_adapt.recording.stamp_clocks import Found, StampClocks

PARTS = (topics.LEGS, topics.IMU, topics.BATTERY, topics.BACK_EMF)
"""The parts of a reply; the player assembles a reply from them where a bag has no topic `reply`."""
INPUTS = (topics.MOCAP_POSE, topics.REPLY, *PARTS)
"""What the estimator works on; its own topics are not played, because a running estimator publishes them."""
VIEWS = (
    topics.SETPOINT, topics.SENT, topics.DECISION, topics.PLAN, topics.REFERENCE, topics.BRIDGE_STATE,
    topics.CONTROLLER_STATE, topics.TRUE_POSE, topics.TRUE_LEGS, topics.MOTORS, topics.FAULT,
)  # fmt: skip
"""What there is to look at."""


class Playback:
    """Read the messages to play in the order of receipt, with stamps by the recorder's clock."""

    def __init__(
        self, bag: Bag, wanted: Mapping[str, Topic], start: float, decode: Callable[[bytes, Topic], Any]
    ) -> None:
        """Look through the bag.

        Args:
            bag: The bag.
            wanted: Topics to play, by name.
            start: Where to begin, after the first message of the bag [s].
            decode: Makes a message of its bytes; it may raise anything where they are damaged.

        Raises:
            UserError: nothing in the bag is readable, or the robot is not clear.
        """
        self._bag, self._wanted, self._start, self._decode = bag, wanted, start, decode
        self._names = bag.topic_names()
        replies = {name for name, own in self._names.items() if own == topics.REPLY.name}
        self.replies_recorded = any(raw.channel.topic in replies for raw in bag.raw_messages())
        """The topic `reply` was recorded; else a reply is put together of its parts."""
        self.damaged: Counter[str] = Counter()
        """Messages left out, by topic; whoever plays adds those whose content makes no sense."""

    def messages(self, warn: Callable[[str], object]) -> Iterator[tuple[Topic, Any, int]]:
        """Yield topic, message and time of receipt [ns since the epoch]; `warn` takes a line for each other clock."""
        clocks = StampClocks(move=True)
        for name, message, received in clocks.bring(self._decoded()):
            yield self._wanted[name], message, received
        for line in clocks.lines():
            warn(f'{self._bag.path}: {line}')

    def _decoded(self) -> Iterator[Found]:
        """Yield the messages to play as they are, and count those that are damaged."""
        first: int | None = None
        for raw in self._bag.raw_messages():
            first = raw.received if first is None else first
            topic = self._wanted.get(self._names.get(raw.channel.topic, ''))
            if topic is None or raw.channel.ros_type != topic.type or raw.received < first + 1e9 * self._start:
                continue
            try:
                message = self._decode(raw.data, topic)
            except Exception:  # rclpy raises whatever damaged bytes lead it to
                self.damaged[topic.name] += 1
                continue
            yield Found(topic.name, message, raw.received)
