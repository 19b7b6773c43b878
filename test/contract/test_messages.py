from types import SimpleNamespace as Message

import numpy as np
import pytest
from robots import LAYOUT

from millirobot_adapt.contract.messages import StateGatherer, TelemetryGatherer, joint_values
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import StateView

STAMP = 1.7e9 + 0.123456


def header(stamp=STAMP):
    return Message(stamp=Message(sec=int(stamp), nanosec=round(stamp % 1 * 1e6) * 1000))


def xyz(x, y, z):
    return Message(x=x, y=y, z=z)


def telemetry_messages(stamp=STAMP):
    return {
        'legs': Message(header=header(stamp), name=['right', 'left'], position=[2.0, 1.0], velocity=[20.0, 10.0]),
        'imu/data_raw': Message(
            header=header(stamp), angular_velocity=xyz(0.1, 0.2, 0.3), linear_acceleration=xyz(0.0, 0.0, 9.8)
        ),
        'battery': Message(header=header(stamp), voltage=3.9),
        'back_emf': Message(data=[stamp, 0.5, 0.6]),
    }


def odometry(stamp=STAMP):
    """Yaw of 90 degrees, walking forward at 0.3 m/s in the body frame."""
    half = np.sqrt(0.5)
    pose = Message(position=xyz(1.0, 2.0, 0.03), orientation=Message(x=0.0, y=0.0, z=half, w=half))
    twist = Message(linear=xyz(0.3, 0.0, 0.0), angular=xyz(0.0, 0.0, 0.5))
    return Message(
        header=header(stamp),
        pose=Message(pose=pose, covariance=np.zeros(36)),
        twist=Message(twist=twist, covariance=np.zeros(36)),
    )


def test_a_reply_is_complete_when_its_four_messages_have_come_in_any_order():
    gatherer = TelemetryGatherer()
    parts = list(telemetry_messages().items())
    for name, message in parts[::-1][:3]:
        assert gatherer.add(name, message) is None
    reply = gatherer.add(*parts[0])
    assert reply is not None
    assert reply.stamp == pytest.approx(STAMP, abs=1e-6)
    np.testing.assert_array_equal(reply.joint_velocity, [10.0, 20.0])  # by name, not by place
    np.testing.assert_array_equal(reply.joint_angle, [1.0, 2.0])


def test_messages_of_different_replies_are_not_mixed():
    gatherer = TelemetryGatherer()
    first, second = telemetry_messages(), telemetry_messages(STAMP + 0.1)
    gatherer.add('legs', first['legs'])
    for name in ('imu/data_raw', 'battery', 'back_emf'):
        assert gatherer.add(name, second[name]) is None
    assert gatherer.add('legs', second['legs']) is not None


def test_replies_that_never_complete_are_forgotten():
    gatherer = TelemetryGatherer()
    for tick in range(1000):
        gatherer.add('legs', telemetry_messages(STAMP + 0.1 * tick)['legs'])
    assert 0 < len(gatherer) <= TelemetryGatherer.KEPT


def test_a_state_needs_odometry_of_the_same_stamp_and_turns_its_velocity_to_the_world():
    gatherer = StateGatherer(RobotConfig())
    assert gatherer.add('odometry', odometry(STAMP - 0.1)) is None
    for name, message in telemetry_messages().items():
        assert gatherer.add(name, message) is None
    found = gatherer.add('odometry', odometry())
    assert found is not None
    view = StateView(found[1])
    np.testing.assert_allclose(view.velocity, [0.0, 0.3, 0.0], atol=1e-12)
    np.testing.assert_allclose(view.yaw, np.pi / 2)
    np.testing.assert_array_equal(found[1][LAYOUT.joint_velocity], [10.0, 20.0])


def test_a_joint_state_with_a_missing_value_is_refused():
    with pytest.raises(ValueError, match='2 names but 1 values'):
        joint_values(Message(name=['left', 'right'], velocity=[1.0]), ('left', 'right'))
