"""What the player takes from a bag: the messages of motion capture, robot and controller, in the order of recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.topics import Topic
from millirobot_adapt.recording.reader import Bag
from millirobot_adapt.recording.records import Raw

PARTS = (topics.LEGS, topics.IMU, topics.BATTERY, topics.BACK_EMF)
"""The parts of a reply; the player assembles a reply from them where a bag has no topic `reply`."""
INPUTS = (topics.MOCAP_POSE, topics.REPLY, *PARTS)
"""What the estimator works on; its own topics are not played, because a running estimator publishes them."""
VIEWS = (
    topics.SETPOINT, topics.SENT, topics.DECISION, topics.PLAN, topics.REFERENCE, topics.BRIDGE_STATE,
    topics.CONTROLLER_STATE, topics.TRUE_POSE, topics.TRUE_LEGS, topics.MOTORS, topics.FAULT,
)  # fmt: skip
"""What there is to look at."""


def holds_replies(bag: Bag) -> bool:
    """Return whether the topic `reply` was recorded."""
    replies = {name for name, own in bag.topic_names().items() if own == topics.REPLY.name}
    return any(raw.channel.topic in replies for raw in bag.raw_messages())


def messages_to_play(bag: Bag, wanted: Mapping[str, Topic], start: float) -> Iterator[tuple[Topic, Raw]]:
    """Yield the messages of the wanted topics (name -> topic) from `start` [s] after the first message of the bag."""
    names = bag.topic_names()
    first: int | None = None
    for raw in bag.raw_messages():
        first = raw.received if first is None else first
        topic = wanted.get(names.get(raw.channel.topic, ''))
        if topic is not None and raw.channel.type == topic.type and raw.received >= first + 1e9 * start:
            yield topic, raw
