"""One builder, two libraries: rclpy and rosbags must make the same message of the same values."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from rclpy.serialization import deserialize_message, serialize_message

from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.recording import stored_messages as bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.ros import conversions as live

STAMP = 1.7e9 + 0.123456
ESTIMATE = Estimate(
    STAMP, np.array([1.0, 2.0, 0.03]), np.array([0.0, 0.0, 0.6, 0.8]), np.array([0.3, 0.1, 0.0]),
    np.array([0.0, 0.1, 0.5]), np.diag(np.arange(6.0)), np.eye(6), 0.01,
)  # fmt: skip
SAMPLE = Telemetry(
    STAMP, np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([0.1, 0.2, 0.3]), np.array([0.0, 0.1, 9.8]),
    np.array([0.5, 0.6]), 3.9,
)  # fmt: skip


def built(module, path):
    """Every message that the contract knows how to build."""
    names = ('legs', 'imu', 'battery', 'back_emf')
    return dict(zip(names, module.telemetry_messages(SAMPLE), strict=True)) | {
        'pose': module.pose_stamped(STAMP, [1, 2, 3], [0.0, 0.0, 0.0, 1.0]),
        'joints': module.joint_state(STAMP, [1.0, 2.0], effort=np.array([3.0, 4.0])),
        'array': module.labelled_array(np.arange(5), 'numbers'),
        'empty': module.labelled_array([], 'nothing'),
        'odometry': module.odometry(ESTIMATE),
        'path': path(STAMP, np.array([[0.0, 1.0], [2.0, 3.0]])),
        'status': module.status('bridge', 'armed', {'armed': True, 'sent': 5}, level=2),
    }


LIVE, BAG = built(live, live.path_message), built(bag, bag.path)


@pytest.mark.parametrize('name', LIVE)
def test_both_libraries_make_the_same_message(name):
    message, store = BAG[name], typestore()
    kind = message.__msgtype__
    # rclpy pads its bytes as it likes; so it reads those of rosbags, and the values are compared (as text: NaN is NaN).
    read = deserialize_message(bytes(store.serialize_cdr(message, kind)), type(LIVE[name]))
    assert repr(read) == repr(deserialize_message(serialize_message(LIVE[name]), type(LIVE[name])))


def test_what_the_battery_does_not_measure_is_not_a_number():
    assert np.isnan(LIVE['battery'].current)
    assert LIVE['battery'].voltage == pytest.approx(3.9)


def test_a_level_may_be_rclpys_octet():
    assert bag.status('bridge', 'armed', {}, level=b'\x01').level == 1
    assert live.status('bridge', 'armed', {}, level=b'\x01').level == b'\x01'
