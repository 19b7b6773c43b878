"""Read from a bag how the marker body moved and what was sent, day by day: what a pose calibration needs."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.run_data import OTHER_CLOCK
from millirobot_adapt.contract.messages import joint_values, pose_sample, seconds
from millirobot_adapt.contract.topics import MOCAP_POSE, SENT
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.pose_calibration import Recording
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.recording.reader import Bag
from millirobot_adapt.recording.run_setup import recorded_robot

NIGHT = 8 * 3600.0
"""After a longer pause the marker body may have been mounted again [s]."""


def read_walks(bag: Bag) -> dict[str, Recording]:
    """Return the walks of a bag by the time of their beginning (UTC); poses that are not finite are left out.

    Raises:
        UserError: nothing is readable, or there are no poses or no setpoints.
    """
    poses: list[list[float]] = []
    sent: list[list[float]] = []
    ages: list[float] = []
    layout = recorded_robot(bag).layout
    messages = bag.messages((MOCAP_POSE, SENT))
    for topic, message, received in tqdm(messages, desc=f'reading {bag.path.name}', disable=None, leave=False):
        try:
            if topic == SENT.name:
                sent.append([seconds(message.header.stamp), *joint_values(message, layout.action_names)])
            else:
                sample = pose_sample(message)
                poses.append([sample.stamp, *sample.position, *sample.quaternion])
                ages.append(received - sample.stamp)
        except (ValueError, IndexError):
            bag.broken[topic] += 1
    found = [topic for topic, rows in ((MOCAP_POSE, poses), (SENT, sent)) if rows]
    bag.need([topic.name for topic in found], (MOCAP_POSE, SENT))
    if abs(np.median(ages)) > OTHER_CLOCK:
        raise UserError(
            f'{bag.path}: the stamps of {MOCAP_POSE.name} are {np.median(ages):.1f} s behind the clock of the bag; '
            'record again with motion capture and this computer on one clock'
        )
    return _by_day(_usable(np.array(poses)), _in_order(np.array(sent)), layout, bag)


def _usable(poses: FloatArray) -> FloatArray:
    finite = poses[np.isfinite(poses).all(axis=1)]
    turned = np.linalg.norm(finite[:, 4:], axis=1) > 1e-3
    return _in_order(finite[turned])


def _in_order(rows: FloatArray) -> FloatArray:
    """Sort rows by their stamp, the first column; of equal stamps the first counts."""
    return np.asarray(rows[np.unique(rows[:, 0], return_index=True)[1]])


def _by_day(poses: FloatArray, sent: FloatArray, layout: StateLayout, bag: Bag) -> dict[str, Recording]:
    if not len(poses):
        raise UserError(f'{bag.path}: no pose of {MOCAP_POSE.name} is usable; look at what motion capture sends')
    nights = poses[1:, 0][np.diff(poses[:, 0]) > NIGHT]
    walks = {}
    for begin, end in zip([-np.inf, *nights], [*nights, np.inf], strict=True):
        day = poses[(poses[:, 0] >= begin) & (poses[:, 0] < end)]
        said = sent[(sent[:, 0] >= begin) & (sent[:, 0] < end)]
        name = datetime.fromtimestamp(day[0, 0], timezone.utc).strftime('%Y-%m-%d %H:%M')
        walks[name] = Recording(day[:, 0], day[:, 1:4], day[:, 4:8], said[:, 0], said[:, 1:], layout)
    return walks
