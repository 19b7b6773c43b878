"""Turn the lab's logs into bags with the topics and stamps of a live run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.contract.topics import BACK_EMF, BATTERY, IMU, LEGS, MOCAP_POSE, ROLLOUT, SENT, SETPOINT
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording.lab.lab_log import MODES, OPEN_LOOP, LabRollout, read_lab_log, telemetry_of
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.stored_messages import joint_state, pose_stamped, status, telemetry_messages
from millirobot_adapt.recording.writer import BagWriter

TOPICS = (ROLLOUT, MOCAP_POSE, SETPOINT, SENT, LEGS, IMU, BATTERY, BACK_EMF)
_TELEMETRY = (LEGS, IMU, BATTERY, BACK_EMF)
REQUEST_TIME = 0.003
"""Time of a setpoint on the wire (18 bytes at 57600 baud), after which the robot samples its reply [s]."""
_RANK = {topic.name: rank for rank, topic in enumerate(TOPICS)}

Entry = tuple[float, str, Any]
"""Receive time [s], topic name, message."""


@dataclass(frozen=True)
class ImportReport:
    """What became of a log."""

    rollouts: int
    """Rollouts written."""
    skipped: int
    """Rollouts left out: open-loop PWM, which has no leg velocity setpoint."""
    stale: int
    """Records that only repeated the telemetry before them; they have no reply in the bag, as in a live run."""
    messages: int
    """Messages written."""
    minutes: float
    """Time that the written rollouts span, pauses between them left out [min]."""


def import_log(log: Path, bag: Path, robot: RobotConfig, progress: bool = True) -> ImportReport:
    """Write a log's rollouts, each begun by a message on `rollout`, into a new bag.

    Args:
        log: The npz file.
        bag: Bag folder to make.
        robot: Gives the scales of encoder, gyro, back-EMF and battery.
        progress: Show a progress bar on standard error.

    Raises:
        UserError: the log is missing or malformed, or holds nothing to import; the bag exists already.
    """
    rollouts = read_lab_log(log)
    wanted = [rollout for rollout in rollouts if rollout.mode != OPEN_LOOP]
    if not wanted:
        raise UserError(f'{log}: holds no rollout with leg velocity setpoints ({len(rollouts)} in open-loop PWM)')
    blind = [rollout.number for rollout in wanted if not rollout.records['mocap_valid'].any()]
    if blind:
        named = ', '.join(map(str, blind))
        print(f'warning: {log}: {len(blind)} rollouts have no motion capture ({named})', file=sys.stderr)
    messages = stale = 0
    with BagWriter(bag, full_names(TOPICS)) as writer:
        for rollout in tqdm(wanted, desc=log.stem, unit='rollout', disable=not progress):
            entries = sorted(_entries(rollout, robot), key=lambda entry: (entry[0], _RANK[entry[1]]))
            for received, topic, message in entries:
                writer.write_message(f'/{topic}', message, received)
            messages += len(entries)
            stale += len(rollout.stamps) - sum(topic == LEGS.name for _, topic, _ in entries)
    seconds = sum(float(rollout.stamps[-1] - rollout.stamps[0]) for rollout in wanted)
    return ImportReport(len(wanted), len(rollouts) - len(wanted), stale, messages, seconds / 60)


def _entries(rollout: LabRollout, robot: RobotConfig) -> Iterator[Entry]:
    """Yield all messages of one rollout, not yet in order."""
    records, stamps = rollout.records, rollout.stamps
    sent_stamps = _sent_stamps(stamps)
    values = {'rollout': rollout.number, 'mode': MODES[rollout.mode], 'session': rollout.session}
    begin = min(sent_stamps[0], stamps[0])
    yield begin, ROLLOUT.name, status('rollout', f'{rollout.session} {rollout.number}', values)
    for i, reply in enumerate(telemetry_of(rollout, robot)):
        if records['mocap_valid'][i]:
            exposed = float(records['t_mocap'][i])
            # The host held this pose when the reply came, whatever the clocks say: it was received before.
            received = max(begin, min(exposed, stamps[i]))
            yield received, MOCAP_POSE.name, pose_stamped(exposed, records['pos'][i], records['quat'][i])
        wanted = records['cmd'][i] / robot.counts_per_ms
        really = np.rint(records['cmd'][i]) / robot.counts_per_ms
        yield sent_stamps[i], SETPOINT.name, joint_state(sent_stamps[i], wanted)
        yield sent_stamps[i], SENT.name, joint_state(sent_stamps[i], really)
        if reply is not None:
            parts = telemetry_messages(reply)
            parts[1].linear_acceleration_covariance = np.array([-1.0, *np.zeros(8)])  # sensor_msgs/Imu: not known
            for topic, message in zip(_TELEMETRY, parts, strict=True):
                yield reply.stamp, topic.name, message


def _sent_stamps(stamps: FloatArray) -> list[float]:
    """Return when the setpoints were sent: shortly before the reply to each, as in a live run, but after the last."""
    earliest = np.concatenate([[-np.inf], (stamps[:-1] + stamps[1:]) / 2])
    return [float(stamp) for stamp in np.maximum(stamps - REQUEST_TIME, earliest)]
