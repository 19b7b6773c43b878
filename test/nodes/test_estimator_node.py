"""The estimator's node: when it publishes, and what it says when it cannot."""

import sys
import time
import types

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from rclpy.lifecycle import TransitionCallbackReturn  # noqa: E402

from millirobot_adapt.contract.arrival_record import ArrivalRecord  # noqa: E402
from millirobot_adapt.contract.reply_codec import encode_reply  # noqa: E402
from millirobot_adapt.contract.state_codec import decode_state  # noqa: E402
from millirobot_adapt.contract.topics import ARRIVALS, MOCAP_POSE, ODOMETRY, STATE  # noqa: E402
from millirobot_adapt.core.estimation.estimator_interface import Estimate  # noqa: E402
from millirobot_adapt.core.estimation.health import EstimatorHealth  # noqa: E402
from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.core.robot.samples import Arrival, PoseSample, Telemetry  # noqa: E402
from millirobot_adapt.nodes.estimator import EstimatorNode  # noqa: E402
from millirobot_adapt.ros.conversions import labelled_array, pose_stamped  # noqa: E402
from millirobot_adapt.ros.managed import NotYetError  # noqa: E402

FAILURE, SUCCESS = TransitionCallbackReturn.FAILURE, TransitionCallbackReturn.SUCCESS


class Published:
    """Stand in for a publisher."""

    def __init__(self):
        self.messages = []

    def publish(self, message):
        self.messages.append(message)


class Clock:
    """Both clocks of the host, as they are when a sample arrives."""

    time = 1000.0
    set_by = 0.0

    def __call__(self):
        return Arrival(self.time + self.set_by, self.time)


CLOCK = Clock()


class WiredNode(EstimatorNode):
    """The node with its topics in the test's hand: what it publishes, and what hears."""

    def __init__(self):
        self.out, self.hears = {}, {}
        super().__init__()

    def create_publisher(self, kind, name, *arguments, **options):
        if name not in TOPICS:
            return super().create_publisher(kind, name, *arguments, **options)
        return self.out.setdefault(name, Published())

    def create_subscription(self, kind, name, callback, *arguments, **options):
        self.hears[name] = callback
        return super().create_subscription(kind, name, callback, *arguments, **options)

    def sent(self, topic):
        """Return what the node has published on a topic."""
        return self.out[topic.name].messages

    def pose(self, message):
        """Let a message of motion capture arrive."""
        self.hears[MOCAP_POSE.name](message)


TOPICS = (ODOMETRY.name, STATE.name, ARRIVALS.name, '/tf')


@pytest.fixture
def make_node(monkeypatch):
    CLOCK.time, CLOCK.set_by = 1000.0, 0.0
    for module in ('ros.inputs.mocap_input', 'nodes.estimator'):
        monkeypatch.setattr(f'millirobot_adapt.{module}.now', CLOCK)
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    context = rclpy.Context()
    rclpy.init(context=context)
    monkeypatch.setattr('rclpy.node.get_default_context', lambda: context)
    made = []

    def make():
        node = WiredNode()
        made.append(node)
        node.trigger_configure()
        node.lifecycle = 'active'
        return node

    yield make
    for node in made:
        node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def node(make_node):
    return make_node()


def see(node, stamp, x):
    CLOCK.time = stamp
    sample = PoseSample(stamp, np.array([x, 0.0, 0.05]), np.array([0.0, 0.0, 0.0, 1.0]))
    node.pose(pose_stamped(sample.stamp, sample.position, sample.quaternion))


def reply(node, stamp, index=0):
    none = np.zeros(2)
    CLOCK.time = stamp
    sample = Telemetry(stamp, none, none, np.zeros(3), np.zeros(3), none, 4.0, index)
    node.on_reply(labelled_array(encode_reply(sample), 'reply'))


def said(node):
    status = node.examine()
    return status.message, {pair.key: pair.value for pair in status.values}


def test_each_reply_gives_one_odometry_of_its_stamp(node):
    for i in range(50):
        see(node, 1000.0 + 0.01 * i, 0.003 * i)
        if i % 10 == 9:
            reply(node, 1000.005 + 0.01 * i)
    found = node.sent(ODOMETRY)
    assert [message.header.stamp.nanosec for message in found] == [95_000_000 + 100_000_000 * k for k in range(5)]
    assert (found[-1].header.frame_id, found[-1].child_frame_id) == ('world', 'base_link')
    assert found[-1].pose.pose.position.x == pytest.approx(0.1485, abs=1e-3)
    assert found[-1].twist.twist.linear.x == pytest.approx(0.3, abs=0.02)
    assert found[-1].pose.covariance[0] > 0
    text, values = said(node)
    assert text == 'estimating'
    assert (values['poses accepted'], values['odometry [Hz]']) == ('49', '5')


def test_each_reply_gives_one_state_of_its_index_with_the_quality_of_its_pose(node):
    reply(node, 1000.0, index=6)
    for i in range(50):
        see(node, 1000.01 + 0.01 * i, 0.003 * i)
        if i % 10 == 9:
            reply(node, 1000.015 + 0.01 * i, index=7 + i // 10)
    states = [decode_state(message.data) for message in node.sent(STATE)]
    assert [state.index for state in states] == [6, 7, 8, 9, 10, 11]
    assert [state.quality.fault for state in states[1:3]] == [PoseFault.UNCERTAIN] * 2
    assert states[-1].quality.fault is PoseFault.NONE
    assert states[0].quality.pose_age == np.inf
    assert states[0].quality.fault is PoseFault.NO_POSE
    assert np.isnan(states[0].state[:12]).all()
    assert np.isfinite(states[0].state[12:]).all()
    assert states[-1].quality.pose_age == pytest.approx(0.005, abs=1e-6)
    assert 0.0 < states[-1].quality.position_sd < 0.01
    assert states[-1].state[0] == pytest.approx(node.sent(ODOMETRY)[-1].pose.pose.position.x)


def test_without_poses_there_is_no_odometry_and_diagnostics_say_why(node):
    reply(node, 1000.0)
    assert node.sent(ODOMETRY) == []
    assert said(node)[0].startswith('no odometry: nobody publishes /mocap/pose (remap')


def test_without_telemetry_diagnostics_say_so(node):
    see(node, 1000.0, 0.0)
    assert said(node)[0] == 'no odometry: no telemetry arrives on /reply'


def test_useless_poses_are_named(node):
    for _ in range(3):
        see(node, 1000.0, float('nan'))
    reply(node, 1000.0)
    text, values = said(node)
    assert text.startswith('no odometry: poses are not finite')
    assert values['poses invalid'] == '3'


def test_each_reply_leaves_a_record_of_what_came_before_it(node):
    for i in range(20):
        see(node, 1000.0 + 0.01 * i, 0.003 * i)
        if i % 10 == 9:
            reply(node, 1000.005 + 0.01 * i)
    records = [ArrivalRecord.decode(np.array(message.data)) for message in node.sent(ARRIVALS)]
    assert [record.number for record in records] == [0, 1]
    assert [pose.stamp for pose in records[1].poses] == pytest.approx([1000.0 + 0.01 * i for i in range(10, 20)])
    assert records[1].telemetry.stamp == pytest.approx(1000.195)


def test_malformed_telemetry_is_counted_and_ends_nothing(node):
    see(node, 1000.0, 0.0)
    good = encode_reply(Telemetry(1000.05, np.zeros(2), np.zeros(2), np.zeros(3), np.zeros(3), np.zeros(2), 4.0))
    for data in (good[:-1], [], np.full(len(good), np.nan)):
        node.on_reply(labelled_array(data, 'reply'))
    assert said(node)[1]['telemetry malformed'] == '3'
    reply(node, 1000.08)
    assert len(node.sent(ODOMETRY)) == 1


class Estimator:
    """Stand in for an estimator that has found a clock offset."""

    robot = RobotConfig()
    HEALTH = EstimatorHealth(counts={'accepted': 7}, innovation=1.25, clock_offset=0.05, clock_correlation=0.9)

    def on_telemetry(self, sample):
        pass

    def estimate(self, stamp):
        return Estimate(
            stamp, np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3), np.eye(6), np.eye(6), 0.0
        )

    def quality(self):
        return StateQuality(0.0, 0.001, 0.01, coasting=False)

    def health(self):
        return self.HEALTH


def test_diagnostics_warn_about_clocks_that_differ(make_node, monkeypatch):
    monkeypatch.setattr('millirobot_adapt.nodes.estimator.make_estimator', lambda *_: Estimator())
    node = make_node()
    reply(node, 1000.0)
    text, values = said(node)
    assert '+50 ms' in text
    assert values['clock offset of motion capture [ms]'] == '+50.0'
    assert (values['innovation [sd]'], values['poses accepted']) == ('1.25', '7')
    assert values['gyro bias [rad/s]'] == 'not known'


def test_the_transform_goes_out_where_tf2_is_installed(make_node, monkeypatch):
    class TransformMessage:
        def __init__(self, transforms):
            self.transforms = transforms

    package = types.ModuleType('tf2_msgs')
    package.msg = types.ModuleType('tf2_msgs.msg')
    package.msg.TFMessage = TransformMessage
    monkeypatch.setitem(sys.modules, 'tf2_msgs', package)
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', package.msg)
    node = make_node()
    see(node, 1000.0, 0.3)
    reply(node, 1000.0)
    (message,) = node.out['/tf'].messages
    (sent,) = message.transforms
    assert (sent.header.frame_id, sent.child_frame_id) == ('world', 'base_link')
    assert sent.header.stamp == node.sent(ODOMETRY)[0].header.stamp
    assert sent.transform.translation.x == pytest.approx(0.3, abs=1e-3)
    assert sent.transform.rotation.w == pytest.approx(1.0, abs=1e-3)


def test_motion_capture_is_a_part_of_its_own(node):
    (mocap,) = node.parts()
    assert (mocap.level, mocap.name) == (DiagnosticStatus.ERROR, 'mocap')
    assert mocap.message.startswith('nobody publishes /mocap/pose')
    for i in range(30):
        see(node, time.time() + 0.001 * i, 0.0)
    node.lifecycle = 'inactive'
    (mocap,) = node.parts()
    assert (mocap.level, mocap.message, mocap.values[0].value) == (DiagnosticStatus.OK, 'poses come', '30')


def hear(node, stamp, x, frame='world', quaternion=(0.0, 0.0, 0.0, 1.0)):
    CLOCK.time = stamp
    message = pose_stamped(stamp + CLOCK.set_by, np.array([x, 0.0, 0.05]), np.array(quaternion))
    message.header.frame_id = frame
    node.pose(message)


def walk(node, begin, seconds, frame='world'):
    """Walk along x past a motion capture; return the states."""
    for i in range(round(seconds * 100)):
        now = begin + 0.01 * i
        hear(node, now, 0.3 * (now - 1000.0), frame)
        if i % 10 == 9:
            CLOCK.time = now + 0.008
            none = np.zeros(2)
            stamp = now + 0.002 + CLOCK.set_by
            sample = Telemetry(stamp, none, np.full(2, 30.0), np.zeros(3), np.zeros(3), none, 4.0, i)
            node.on_reply(labelled_array(encode_reply(sample), 'reply'))
    return [decode_state(message.data) for message in node.sent(STATE)]


def test_poses_in_another_frame_are_refused_and_named(node):
    states = walk(node, 1000.0, 1.0, frame='camera_optical_frame')
    assert all(state.quality.fault is PoseFault.FRAME for state in states)
    assert all(np.isinf(state.quality.pose_age) for state in states)
    text, values = said(node)
    assert 'another frame than world' in text
    assert values['poses foreign'] == '100'


@pytest.mark.parametrize('step', [-3600.0, -5.0, -0.3, 0.02, 0.3, 5.0, 1e6])
def test_when_the_clock_of_the_host_is_set_no_state_is_lost(node, step):
    walk(node, 1000.0, 2.0)
    CLOCK.set_by = step
    walk(node, 1002.0, 1.0)
    states = [decode_state(message.data) for message in node.sent(STATE)][-10:]
    assert [state.quality.fault for state in states] == [PoseFault.NONE] * 10
    assert max(state.quality.pose_age for state in states) < 0.02
    np.testing.assert_allclose([state.state[0] for state in states], 0.6 + 0.03 * np.arange(1, 11) - 0.0024, atol=2e-3)
    assert states[0].stamp == pytest.approx(1002.092 + step)


def test_a_message_in_flight_while_the_clock_is_set_is_no_harm(node):
    walk(node, 1000.0, 2.0)
    late = pose_stamped(1002.0, np.array([0.6, 0.0, 0.05]), np.array([0.0, 0.0, 0.0, 1.0]))
    CLOCK.set_by, CLOCK.time = 5.0, 1002.004
    node.pose(late)
    none = np.zeros(2)
    sample = Telemetry(1002.002, none, np.full(2, 30.0), np.zeros(3), np.zeros(3), none, 4.0, 1)
    node.on_reply(labelled_array(encode_reply(sample), 'reply'))
    states = walk(node, 1002.01, 1.0)
    assert [state.quality.fault for state in states[-11:]] == [PoseFault.NONE] * 11


def test_it_becomes_active_when_motion_capture_is_healthy_and_the_robot_answers(node):
    assert node.trigger_activate() == FAILURE
    for _ in range(30):
        see(node, time.time(), 0.0)
    with pytest.raises(NotYetError, match='no telemetry arrives on /reply'):
        node.activate()
    reply(node, time.time())
    assert node.trigger_activate() == SUCCESS


def test_inactive_it_listens_and_estimates_nothing(node):
    node.lifecycle = 'inactive'
    for i in range(30):
        see(node, time.time(), 0.0)
        if i % 10 == 9:
            reply(node, time.time())
    assert node.sent(ODOMETRY) == node.sent(ARRIVALS) == []
    text, values = said(node)
    assert (text, values['poses [Hz]'], values['telemetry [Hz]']) == ('estimating', '30', '3')
