"""The player: publish again what motion capture, robot and controller sent in a recorded run, as if it were now."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.serialization import deserialize_message

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.messages import TelemetryGatherer, seconds
from millirobot_adapt.contract.reply_codec import STAMP_PLACE, encode_reply
from millirobot_adapt.contract.topics import Topic
from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.playback import INPUTS, PARTS, VIEWS, Playback
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.ros.conversions import labelled_array, message_class, qos, status, time_message
from millirobot_adapt.ros.managed import ManagedNode
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import run

PERIOD = 0.005
"""Time between two checks whether a message is due [s]."""


class PlayerConfig(Config):
    """Parameters of the executable `player`."""

    bag: str = param('', 'Bag or run folder to play.')
    robot_namespace: str = param('', 'The robot to play, where the bag holds several; empty: the only one.')
    start: float = param(0.0, 'Where to begin, after the first message of the bag.', unit='s', low=0.0)
    longest_pause: float = param(0.0, 'Longer pauses of the bag are skipped; 0: none is.', unit='s', low=0.0)


class Player(ManagedNode):
    """Publish the messages of a bag at their pace, their stamps moved to the present; end with the bag."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the parameters; `clock` is a steady clock [s]."""
        super().__init__('player')
        self._steady = clock
        self._config = load(self, PlayerConfig)
        if not self._config.bag:
            raise UserError('player: the parameter bag is empty; give the bag or the run folder to play')

    def configure(self) -> None:
        """Open the bag."""
        wanted = {topic.name: topic for topic in (*INPUTS, *VIEWS)}
        self._publishers_of = {
            name: self.create_publisher(message_class(topic), name, qos(topic)) for name, topic in wanted.items()
        }
        self._played = 0
        self._gatherer = TelemetryGatherer()
        bag = open_bag(Path(self._config.bag), self.get_logger().warning, self._config.robot_namespace or None)
        self._playback = Playback(bag, wanted, self._config.start, _decode)
        self._messages = self._playback.messages(self.get_logger().warning)
        self._next = next(self._messages, None)
        if self._next is None:
            raise UserError(f'{self._config.bag}: holds nothing to play; is `start` beyond its end?')

    def activate(self) -> None:
        """Begin to play."""
        assert self._next is not None
        self._last = self._next[2]
        self._moved = time.time_ns() // 1000 - self._last // 1000  # whole microseconds, as stamps are
        self._began = self._steady() - 1e-9 * self._last
        self.create_timer(PERIOD, self.play_due, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def play_due(self) -> None:
        """Publish what is due; end with the bag."""
        now = self._steady() - self._began
        while self._next is not None and 1e-9 * self._next[2] <= now:
            topic, message, received = self._next
            try:
                self._publish(topic, move(topic, message, self._moved))
                self._played += 1
            except Exception:  # the codecs raise whatever damaged numbers lead them to
                self._playback.damaged[topic.name] += 1
            self._last = received
            self._next = next(self._messages, None)
            self._skip_pause()
        if self._next is None:
            self.get_logger().info(f'the bag is over: {self._played} messages')
            if self._playback.damaged:
                damaged = ', '.join(f'{count} of {name}' for name, count in self._playback.damaged.items())
                self.get_logger().warning(f'{self._config.bag}: damaged messages left out: {damaged}')
            self.lifecycle = 'finalized'

    def _skip_pause(self) -> None:
        """Go on at once where the bag pauses for longer than is wanted; stamps move with it."""
        longest = self._config.longest_pause
        if not longest or self._next is None:
            return
        pause = self._next[2] - self._last
        if pause > 1e9 * longest:
            skipped = pause // 1000 * 1000
            self._began -= 1e-9 * skipped
            self._moved -= skipped // 1000
            self.get_logger().info(f'skipped a pause of {1e-9 * pause:.1f} s')

    def _publish(self, topic: Topic, message: Any) -> None:
        self._publishers_of[topic.name].publish(message)
        if topic in PARTS and not self._playback.replies_recorded:
            reply = self._gatherer.add(topic.name, message)
            if reply is not None:
                again = labelled_array(encode_reply(reply), f'reply, see {encode_reply.__module__}')
                self._publishers_of[topics.REPLY.name].publish(again)

    def examine(self) -> DiagnosticStatus:
        """Say how far it is."""
        return status(
            'player',
            f'playing {self._config.bag}',
            {'messages': self._played, 'damaged': self._playback.damaged.total()},
        )


def _decode(data: bytes, topic: Topic) -> Any:
    return deserialize_message(data, message_class(topic))


def move(topic: Topic, message: Any, microseconds: int) -> Any:
    """Move every stamp in a message by whole microseconds, so that what belonged together still does; returns it."""
    place = {topics.BACK_EMF: 0, topics.REPLY: STAMP_PLACE}.get(topic)
    if place is not None:
        message.data[place] = (round(message.data[place] * 1e6) + microseconds) * 1e-6
    for stamped in (message, *getattr(message, 'poses', ())):
        if hasattr(stamped, 'header'):
            stamped.header.stamp = time_message(seconds(stamped.header.stamp) + 1e-6 * microseconds)
    return message


def main() -> int:
    """Run the executable `player`."""
    return run(Player)


if __name__ == '__main__':
    raise SystemExit(main())
