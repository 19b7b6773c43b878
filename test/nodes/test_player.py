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
from millirobot_adapt.recording.records import typestore  # noqa: E402
from millirobot_adapt.recording.stamp_clocks import set_stamp, stamp_of  # noqa: E402
from millirobot_adapt.recording.writer import BagWriter  # noqa: E402
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


class Published(list):
    """A publisher whose messages stay here."""

    publish = list.append


class HeardPlayer(Player):
    """A player that publishes into lists, `played`, and whose clock `now` [s] only the test moves."""

    def __init__(self):
        self.played, self.now = {}, 0.0
        super().__init__(clock=lambda: self.now)

    def create_publisher(self, kind, name, *options, **more):
        """Keep what is published by the player itself; its health goes out as ever."""
        if name not in {topic.name for topic in (*INPUTS, *VIEWS)}:
            return super().create_publisher(kind, name, *options, **more)
        return self.played.setdefault(name, Published())

    def play_all(self):
        """Let the time come at which all of the bag is due; return what was published."""
        self.trigger_configure()
        self.trigger_activate()
        self.now += 1e6
        self.play_due()
        return self.played


@pytest.fixture
def make_player(monkeypatch):
    """Make a player that publishes into lists."""
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    made = []

    def make(bag=BAG, **parameters):
        settings = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
        rclpy.try_shutdown()
        rclpy.init(args=['--ros-args', '-p', f'bag:={bag}', *settings])
        made.append(HeardPlayer())
        return made[-1]

    yield make
    for node in made:
        node.close()
        node.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture
def player(make_player):
    """A player of the fixture bag."""
    return make_player()


def test_a_bag_is_played_whole_and_in_the_present(player):
    before = time.time()
    played = player.play_all()
    assert player.lifecycle == 'finalized'
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


def test_only_what_is_due_is_played(player):
    player.trigger_configure()
    player.trigger_activate()
    counts = []
    for player.now in (0.0, 1.0, 2.0):
        player.play_due()
        counts.append(len(player.played['mocap/pose']))
    assert counts[0] <= 1
    assert 50 < counts[1] < counts[2] - 50
    assert player.lifecycle == 'active'


def test_damaged_messages_are_left_out_counted_and_end_nothing(player, monkeypatch):
    from millirobot_adapt.nodes import player as module

    plain, poses = module.deserialize_message, []

    def damaged(data, kind):
        if kind is PoseStamped:
            poses.append(kind)
            data = data[:10] if len(poses) == 3 else data
        return plain(data, kind)

    monkeypatch.setattr(module, 'deserialize_message', damaged)
    played = player.play_all()
    assert player.lifecycle == 'finalized'
    recorded = sum(1 for name, _, _ in open_bag(BAG).messages([topics.MOCAP_POSE, topics.TRUE_POSE]))
    assert len(played['mocap/pose']) + len(played['mock/pose']) == recorded - 1
    assert {pair.key: pair.value for pair in player.examine().values}['damaged'] == '1'


def edited(raw, change):
    """Give a pose of motion capture another stamp [s]."""
    if raw.channel.topic != '/mocap/pose':
        return raw
    message = typestore().deserialize_cdr(raw.data, raw.channel.type)
    stamp = change(stamp_of(message, topics.MOCAP_POSE.name) * 1e-9)
    set_stamp(message, topics.MOCAP_POSE.name, round(stamp * 1e6) * 1000)
    return raw._replace(data=bytes(typestore().serialize_cdr(message, raw.channel.type)))


def write_walk(folder, change, length=6.0):
    """The first seconds of the fixture bag; `change(raw, after)` with the time since its first message [s]."""
    with BagWriter(folder, {}) as writer:
        start = None
        for raw in open_bag(BAG).raw_messages():
            start = start or raw.received
            after = (raw.received - start) * 1e-9
            if after < length:
                writer.write_raw(change(raw, after))
    return folder


def pose_stamps(played):
    return [seconds(message.header.stamp) for message in played['mocap/pose']]


def test_start_counts_from_the_beginning_of_the_bag_whatever_is_played(make_player, tmp_path):
    """The bag begins with two seconds of topics that are not played."""

    def begin_with_others(raw, after):
        return raw if after > 2.0 else raw._replace(channel=raw.channel._replace(topic=f'/others{raw.channel.topic}'))

    bag = write_walk(tmp_path / 'bag', begin_with_others)
    played = make_player(bag, start=3.0, robot_namespace='""').play_all()
    first = next(open_bag(bag).raw_messages()).received
    expected = [r for r in open_bag(bag).raw_messages() if r.channel.topic == '/mocap/pose']
    late = [r for r in expected if r.received >= first + 3_000_000_000]
    assert len(played['mocap/pose']) == len(late)
    assert 100 < len(late) < len(expected)


def test_long_pauses_are_skipped_on_request_and_stamps_go_on(make_player, tmp_path):
    def pause(raw, after):
        if after < 3.0:
            return raw
        return edited(raw, lambda stamp: stamp + 3600.0)._replace(received=raw.received + 3600 * 10**9)

    bag = write_walk(tmp_path / 'bag', pause)
    whole = pose_stamps(make_player(bag).play_all())
    assert np.diff(whole).max() > 3599.0
    skipped = pose_stamps(make_player(bag, longest_pause=2.0).play_all())
    assert len(skipped) == len(whole)
    assert np.diff(skipped).max() < 2.5


@pytest.mark.parametrize('offset', [7200.0, -1.7e9])
def test_poses_of_another_hosts_clock_are_played_in_the_present(make_player, tmp_path, offset):
    bag = write_walk(tmp_path / 'bag', lambda raw, _: edited(raw, lambda stamp: stamp + offset))
    played = make_player(bag).play_all()
    assert len(played['mocap/pose']) > 100
    assert abs(pose_stamps(played)[0] - time.time()) < 20.0
