"""Record every topic of the contract into a bag, as the bytes that came over the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from millirobot_adapt.bags.writer import BagWriter, full_names
from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.topics import Topic
from millirobot_adapt.nodes.parameters import load
from millirobot_adapt.nodes.run import NODE_OPTIONS, run

QUEUE_DEPTH = 1000
"""Messages kept per topic while the disk is slow: ten seconds of motion capture."""


@dataclass(frozen=True)
class RecorderConfig(Config):
    """Where to record to, and how much a killed process may lose."""

    bag: str = param('', 'Bag folder to make; it must not exist yet.')
    flush_period: float = param(1.0, 'What is newer than this may be lost if the process is killed.', unit='s', low=0.1)


class Recorder(Node):
    """Subscribe to everything and write it down, with the middleware's time of receipt."""

    def __init__(self) -> None:
        """Open the bag and subscribe."""
        super().__init__('recorder', **NODE_OPTIONS)
        config = load(self, RecorderConfig)
        if not config.bag:
            raise UserError('recorder: the parameter bag is empty; give the bag folder to make')
        # The bag holds the contract's names even where a topic is remapped, so that replay finds it.
        topics = full_names(namespace=self.get_namespace())
        self._writer = BagWriter(Path(config.bag), topics)
        for name, topic in topics.items():
            callback: Any = self._callback(name)  # rclpy's hints know no raw callback that takes the message info
            self.create_subscription(_message_class(topic), topic.name, callback, _qos(topic), raw=True)
        self.create_timer(config.flush_period, self._writer.flush, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Finish the bag."""
        self._writer.close()

    def _callback(self, name: str) -> Callable[[bytes, dict[str, int]], None]:
        write = self._writer.write

        def record(data: bytes, info: dict[str, int]) -> None:
            write(name, data, info['received_timestamp'])

        return record


def _message_class(topic: Topic) -> Any:
    package, _, name = topic.type.split('/')
    return getattr(import_module(f'{package}.msg'), name)


def _qos(topic: Topic) -> QoSProfile:
    """Ask for no more than the contract promises: a reliable subscription would not hear a best-effort publisher."""
    reliable = topic.reliable or topic.latched
    return QoSProfile(
        depth=QUEUE_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE,
    )


def main() -> int:
    """Run the recorder until a signal ends it."""
    return run(Recorder)
