"""Record every topic of the contract into a bag, as the bytes that came over the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from std_msgs.msg import String

from millirobot_adapt.contract.topics import RUN, TOPICS, VIEW_TOPICS, Topic
from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.errors import DeviceError, UserError
from millirobot_adapt.recording.installation import describe_run
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.sequence_gaps import SequenceGaps
from millirobot_adapt.recording.writer import BagWriter
from millirobot_adapt.ros.conversions import message_class, qos, status
from millirobot_adapt.ros.managed import ManagedNode
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import run
from millirobot_adapt.ros.ros_version import ros_version

QUEUE_DEPTH = 1000
"""Messages kept per topic while the disk is slow: ten seconds of motion capture."""


class RecorderConfig(Config):
    """Where to record to, and how much a killed process may lose."""

    bag: str = param('', 'Bag folder to make; it must not exist yet.')
    run_file: str = param('', 'YAML file that says what runs, kept in the bag; empty: versions and machine alone.')
    views: bool = param(False, 'Record view/candidates and view/fence too; the controller then publishes candidates.')
    flush_period: float = param(1.0, 'What is newer than this may be lost if the process is killed.', unit='s', low=0.1)
    split_size: float = param(
        50.0, 'Size of a file after which the bag goes on in another; 0: never.', unit='MB', low=0.0
    )
    on_error: str = param(
        'stop', 'When the disk fails: stop ends the recorder, and the run with it; continue goes on unrecorded.',
        choices=('stop', 'continue'),
    )  # fmt: skip


class Recorder(ManagedNode):
    """Subscribe to everything and write it down, with the middleware's times of sending and of receipt.

    Inactive, it has the bag open and hears nothing.
    """

    def __init__(self) -> None:
        super().__init__('recorder')
        self._config = load(self, RecorderConfig)
        if not self._config.bag:
            raise UserError('recorder: the parameter bag is empty; give the bag folder to make')
        self._disk_failure: DeviceError | None = None
        self._losses = SequenceGaps()

    def configure(self) -> None:
        """Open the bag and say in it what runs."""
        config = self._config
        # The bag holds the contract's names even where a topic is remapped, so that replay finds it.
        topics = (*TOPICS, *VIEW_TOPICS) if config.views else TOPICS
        self._topics = full_names(topics, self.get_namespace())
        what_runs = describe_run(config.run_file, ros_version())
        self._writer = BagWriter(Path(config.bag), self._topics, round(config.split_size * 1e6))
        self._tell_what_runs(next(name for name, topic in self._topics.items() if topic is RUN), what_runs)
        self.create_timer(config.flush_period, self._flush, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def activate(self) -> None:
        """Subscribe: from here on everything is recorded."""
        for name, topic in self._topics.items():
            if topic is not RUN:
                callback: Any = self._callback(name)  # rclpy's hints know no raw callback that takes the message info
                self.create_subscription(message_class(topic), topic.name, callback, _queue(topic), raw=True)

    def cleanup(self) -> None:
        """Finish the bag.

        Raises:
            DeviceError: the disk failed, now or while recording.
        """
        self._writer.close()
        if self._disk_failure is not None:
            raise self._disk_failure

    def _tell_what_runs(self, name: str, text: str) -> None:
        """Write what runs into the bag itself, and publish it for whoever else records or watches."""
        message = String(data=text)
        self._writer.write(name, serialize_message(message), time.time_ns())
        self._run = self.create_publisher(String, RUN.name, qos(RUN))
        self._run.publish(message)

    def _callback(self, name: str) -> Callable[[bytes, dict[str, int]], None]:
        write = self._writer.write

        def record(data: bytes, info: dict[str, int]) -> None:
            sequence = info['publication_sequence_number'] or 0  # None where the middleware does not number
            self._losses.saw(name, sequence)
            self._keep(write, name, data, info['received_timestamp'], info['source_timestamp'], sequence)

        return record

    def _flush(self) -> None:
        self._keep(self._writer.flush)

    def _keep(self, write: Callable[..., None], *what: Any) -> None:
        """Write unless the disk has failed before; when it fails, end or tell once, as the operator chose."""
        if self._disk_failure is not None:
            return
        try:
            write(*what)
        except DeviceError as error:
            if self._config.on_error == 'stop':
                raise
            self._disk_failure = error
            self.get_logger().error(str(error))

    def examine(self) -> DiagnosticStatus:
        """Say how much has been written, and what was lost."""
        lost = self._losses.lost
        values = {
            'bag': self._writer.folder,
            'messages': self._writer.count,
            **{f'lost {k}': v for k, v in lost.items()},
        }
        if self._disk_failure is not None:
            return status('recorder', f'not recording: {self._disk_failure}', values, DiagnosticStatus.ERROR)
        if lost:
            return status('recorder', f'recording: {lost.total()} messages never came', values, DiagnosticStatus.WARN)
        return status('recorder', 'recording', values)


def _queue(topic: Topic) -> QoSProfile:
    """Ask for no more than the contract promises, with a queue that outlasts a slow disk."""
    profile = qos(topic)
    profile.depth = QUEUE_DEPTH
    return profile


def main() -> int:
    """Run the recorder until a signal ends it."""
    return run(Recorder)
