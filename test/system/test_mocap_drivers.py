"""The estimator hears the motion capture drivers of ROS 2 by a remap, reliable ones and best-effort ones."""

import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from harness import PATIENCE
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.bringup.processes import ESTIMATOR
from millirobot_adapt.contract.reply_codec import encode_reply
from millirobot_adapt.contract.topics import DIAGNOSTICS, ODOMETRY, REPLY
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.ros.bring_up import BringUp
from millirobot_adapt.ros.conversions import labelled_array, pose_stamped, qos
from millirobot_adapt.ros.lifecycle_client import LifecycleClient

pytestmark = pytest.mark.system

DRIVERS = {
    # vrpn_mocap publishes with the sensor-data profile, mocap_optitrack reliably with a depth of 1000.
    '/vrpn_mocap/robot/pose': qos_profile_sensor_data,
    '/Robot_1/pose': QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE),
}


class Lab:
    """A driver of motion capture and a bridge, played by the test."""

    def __init__(self, node, topic, profile):
        self._pose = node.create_publisher(PoseStamped, topic, profile)
        self._reply = node.create_publisher(Float64MultiArray, REPLY.name, qos(REPLY))
        self.odometry, self.said = [], []
        node.create_subscription(Odometry, ODOMETRY.name, self.odometry.append, qos(ODOMETRY))
        node.create_subscription(DiagnosticArray, DIAGNOSTICS.name, self._hear, qos(DIAGNOSTICS))
        self._spun = 0

    def _hear(self, message):
        self.said += [status.message for status in message.status if status.name == 'estimator']

    def publish(self):
        """Publish a pose, and a reply every few poses."""
        now = time.time()
        self._spun += 1
        self._pose.publish(pose_stamped(now, np.array([1e-4 * self._spun, 0.0, 0.05]), np.array([0.0, 0.0, 0.0, 1.0])))
        if self._spun % 3 == 0:
            none = np.zeros(2)
            reply = Telemetry(now, none, none, np.zeros(3), np.zeros(3), none, 4.0)
            self._reply.publish(labelled_array(encode_reply(reply), 'reply'))


def start(group, node, topic, **parameters):
    """Start the estimator, remapped; returns what brings it up when it is advanced."""
    command = [*ESTIMATOR.command(ESTIMATOR.parameter_file), '-r', f'mocap/pose:={topic}']
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    group.supervisor.start(ESTIMATOR.name, command)
    return BringUp({ESTIMATOR.name: LifecycleClient(node, ESTIMATOR.name)}, PATIENCE, print, time.monotonic)


@pytest.mark.parametrize('topic', DRIVERS)
def test_a_remap_is_all_that_a_driver_needs(group, listener, topic):
    lab = Lab(listener.node, topic, DRIVERS[topic])
    bring_up = start(group, listener.node, topic, lowest_pose_rate=2.0)

    def odometry():
        lab.publish()
        bring_up.advance()
        return len(lab.odometry) >= 3

    listener.wait_for(odometry, 'odometry comes')
    assert lab.odometry[-1].child_frame_id == 'base_link'


def test_a_driver_whose_quality_of_service_does_not_match_is_named_with_the_fix(group, listener):
    topic = '/vrpn_mocap/robot/pose'
    lab = Lab(listener.node, topic, qos_profile_sensor_data)
    bring_up = start(group, listener.node, topic, mocap_reliability='reliable')

    def told():
        lab.publish()
        bring_up.advance()
        return 'RELIABILITY' in group.log(ESTIMATOR) and any('best effort' in text for text in lab.said)

    listener.wait_for(told, 'the mismatch is told')
    log = group.log(ESTIMATOR)
    assert topic in log
    assert 'mocap_reliability: best_effort' in log
    assert log.count('another quality of service') == 1
    assert lab.odometry == []


def test_another_type_on_the_topic_is_named(group, listener):
    topic = '/poses'
    listener.node.create_publisher(Odometry, topic, 10)
    lab = Lab(listener.node, '/elsewhere', qos_profile_sensor_data)
    bring_up = start(group, listener.node, topic)

    def told():
        bring_up.advance()
        return any('nav_msgs/msg/Odometry' in text for text in lab.said)

    listener.wait_for(told, 'the type is told')


def test_odometry_takes_the_place_of_motion_capture_and_is_passed_on_as_such(group, listener):
    lab = Lab(listener.node, '/unheard', qos_profile_sensor_data)
    source = listener.node.create_publisher(Odometry, '/robot/odom', 10)
    copies = []
    listener.node.create_subscription(PoseStamped, 'mocap/pose', copies.append, qos_profile_sensor_data)
    command = [*ESTIMATOR.command(ESTIMATOR.parameter_file)]
    for setting in ('pose_source:=odometry', 'odometry_topic:=/robot/odom', 'lowest_pose_rate:=2.0'):
        command += ['-p', setting]
    group.supervisor.start(ESTIMATOR.name, command)
    bring_up = BringUp(
        {ESTIMATOR.name: LifecycleClient(listener.node, ESTIMATOR.name)}, PATIENCE, print, time.monotonic
    )
    frame = 'odom'

    def odometry():
        message = Odometry()
        pose = pose_stamped(time.time(), np.array([0.5, -0.2, 0.05]), np.array([0.0, 0.0, 0.0, 1.0]))
        message.header, message.pose.pose = pose.header, pose.pose
        message.header.frame_id = frame
        source.publish(message)
        lab.publish()
        bring_up.advance()
        return len(lab.odometry) >= 3

    listener.wait_for(odometry, 'odometry comes')
    assert lab.odometry[-1].pose.pose.position.x == pytest.approx(0.5, abs=0.01)
    assert copies[-1].header.frame_id == 'world'
    frame = 'map'
    listener.wait_for(lambda: odometry() and any('frame' in text for text in lab.said), 'another frame is refused')
