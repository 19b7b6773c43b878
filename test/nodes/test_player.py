"""The player: what it moves to the present, and a recorded run that the estimator works on again."""

import time
from pathlib import Path

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from geometry_msgs.msg import PoseStamped  # noqa: E402
from nav_msgs.msg import Path as PathMessage  # noqa: E402

from millirobot_adapt.contract import topics  # noqa: E402
from millirobot_adapt.contract.messages import TelemetryGatherer, seconds  # noqa: E402
from millirobot_adapt.contract.reply_codec import decode_reply, encode_reply  # noqa: E402
from millirobot_adapt.core.robot.samples import Telemetry  # noqa: E402
from millirobot_adapt.nodes.player import Player, move  # noqa: E402
from millirobot_adapt.recording.playback import INPUTS, VIEWS  # noqa: E402
from millirobot_adapt.recording.reader import open_bag  # noqa: E402
from millirobot_adapt.ros.conversions import labelled_array, message_class, telemetry_messages, time_message  # noqa: E402

BAG = Path(__file__).resolve().parents[1] / 'data' / 'bags' / 'good'
HOUR = 3_600_000_000
"""In microseconds."""


def test_what_belonged_together_still_does():
    sample = Telemetry(1.7e9 + 0.123457, *(np.ones(n) for n in (2, 2, 3, 3, 2)), 3.7)
    gatherer = TelemetryGatherer()
    parts = zip((topics.LEGS, topics.IMU, topics.BATTERY, topics.BACK_EMF), telemetry_messages(sample), strict=True)
    found = [gatherer.add(topic.name, move(topic, message, HOUR)) for topic, message in parts]
    assert found[:3] == [None, None, None]
    assert found[3].stamp == pytest.approx(sample.stamp + 3600.0, abs=2e-6)


def test_the_whole_reply_moves_with_its_parts():
    sample = Telemetry(1.7e9 + 0.123457, *(np.ones(n) for n in (2, 2, 3, 3, 2)), 3.7, index=5)
    moved = decode_reply(move(topics.REPLY, labelled_array(encode_reply(sample), 'reply'), HOUR).data)
    assert moved.stamp == pytest.approx(sample.stamp + 3600.0, abs=2e-6)
    assert moved.index == 5


def test_every_stamp_of_a_path_moves():
    path = PathMessage(poses=[PoseStamped(), PoseStamped()])
    for stamped in (path, *path.poses):
        stamped.header.stamp = time_message(100.0)
    move(topics.PLAN, path, HOUR)
    assert [seconds(stamped.header.stamp) for stamped in (path, *path.poses)] == [3700.0] * 3


def test_messages_without_a_stamp_stay_as_they_are():
    message = message_class(topics.BRIDGE_STATE)(message='armed')
    assert move(topics.BRIDGE_STATE, message, HOUR).message == 'armed'


@pytest.fixture
def player(monkeypatch):
    """A player of the fixture bag that publishes into lists."""
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    rclpy.init(args=['--ros-args', '-p', f'bag:={BAG}'])
    node = Player()
    yield node
    node.close()
    node.destroy_node()
    rclpy.try_shutdown()


class Published(list):
    """A publisher whose messages stay here."""

    publish = list.append


def test_a_bag_is_played_whole_and_in_the_present(player):
    player.trigger_configure()
    player._publishers_of = {topic.name: Published() for topic in (*INPUTS, *VIEWS)}
    before = time.time()
    player.trigger_activate()
    player._began = -1e12  # all of it is due
    player._play()
    assert player.lifecycle == 'finalized'
    played = player._publishers_of
    recorded = {topic.name: 0 for topic in (*INPUTS, *VIEWS)}
    for name, _, _ in open_bag(BAG).messages((*INPUTS, *VIEWS)):
        recorded[name] += 1
    recorded['reply'] = min(recorded[name] for name in ('legs', 'imu/data_raw', 'battery', 'back_emf'))
    assert {name: len(messages) for name, messages in played.items()} == recorded
    stamp = seconds(played['legs'][0].header.stamp)
    assert decode_reply(played['reply'][0].data).stamp == pytest.approx(stamp, abs=2e-6)
    assert recorded['legs'] > 50
    first = seconds(played['mocap/pose'][0].header.stamp)
    assert before - 5.0 < first < time.time() + 5.0
    assert 'odometry' not in played


def play(player):
    player.trigger_configure()
    player._publishers_of = {topic.name: Published() for topic in (*INPUTS, *VIEWS)}
    player.trigger_activate()
    player._began = -1e12  # all of it is due
    player._play()
    return player._publishers_of


def test_damaged_messages_are_left_out_counted_and_end_nothing(player, monkeypatch):
    from millirobot_adapt.nodes import player as module

    plain, poses = module.deserialize_message, []

    def damaged(data, kind):
        if kind is PoseStamped:
            poses.append(kind)
            data = data[:10] if len(poses) == 3 else data
        return plain(data, kind)

    monkeypatch.setattr(module, 'deserialize_message', damaged)
    played = play(player)
    assert player.lifecycle == 'finalized'
    recorded = sum(1 for name, _, _ in open_bag(BAG).messages([topics.MOCAP_POSE, topics.TRUE_POSE]))
    assert len(played['mocap/pose']) + len(played['mock/pose']) == recorded - 1
    assert {pair.key: pair.value for pair in player.examine().values}['damaged'] == '1'
