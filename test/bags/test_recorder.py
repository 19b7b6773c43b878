"""The recorder as a process: what is published reliably is in the bag, and a signal closes it."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from rosbags.rosbag2 import Reader

from millirobot_adapt import __version__
from millirobot_adapt.bags.provenance import read_provenance
from millirobot_adapt.bags.reader import open_bag
from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.core.topics import LEGS

pytestmark = pytest.mark.system
COUNT = 50

PUBLISHER = f"""
import sys, time
import rclpy
from rclpy.duration import Duration
from sensor_msgs.msg import JointState
from millirobot_adapt.core.topics import LEGS
from millirobot_adapt.nodes.conversions import joint_state, qos

rclpy.init()
node = rclpy.create_node('publisher', namespace='robot1')
publisher = node.create_publisher(JointState, LEGS.name, qos(LEGS, depth=100))
deadline = time.monotonic() + 20.0
while publisher.get_subscription_count() == 0:
    if time.monotonic() > deadline:
        sys.exit('nobody subscribed')
    time.sleep(0.05)
for i in range({COUNT}):
    publisher.publish(joint_state(1000.0 + i, [i, -i]))
sys.exit(0 if publisher.wait_for_all_acked(Duration(seconds=10)) else 'not acknowledged')
"""


@pytest.fixture
def environment():
    domain = reserve_domain()
    yield local_environment(domain.number)
    domain.release()


def start_recorder(environment: dict[str, str], bag: Path) -> subprocess.Popen[str]:
    code = 'import sys; from millirobot_adapt.nodes.recorder import main; sys.exit(main())'
    command = [sys.executable, '-c', code, '--ros-args', '-r', '__ns:=/robot1', '-p', f'bag:={bag}']
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def publish(environment: dict[str, str]) -> None:
    command = [sys.executable, '-c', PUBLISHER]
    done = subprocess.run(command, env=environment, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_a_complete_bag(tmp_path, environment, number):
    recorder = start_recorder(environment, tmp_path / 'bag')
    try:
        publish(environment)
        recorder.send_signal(number)
        assert recorder.wait(20) == 0
    finally:
        recorder.kill()
        recorder.communicate()
    with Reader(tmp_path / 'bag') as reader:
        counts = Counter(c.topic for c, _, _ in reader.messages())
        assert counts.pop('/robot1/legs') == COUNT
        assert counts.pop('/robot1/run') == 1
        assert set(counts) <= {'/diagnostics'}
    bag = open_bag(tmp_path / 'bag')
    assert read_provenance(bag).version == __version__
    velocities = [message.velocity[0] for _, message, _ in bag.messages([LEGS])]
    assert velocities == [float(i) for i in range(COUNT)]


@pytest.mark.parametrize('bag', ['', 'taken'])
def test_a_bag_that_cannot_be_made_is_one_line_and_exit_code_2(tmp_path, environment, bag):
    (tmp_path / 'taken').mkdir()
    recorder = start_recorder(environment, tmp_path / bag if bag else Path('""'))
    _, errors = recorder.communicate(timeout=30)
    assert recorder.returncode == 2
    assert len([line for line in errors.splitlines() if line.startswith('error: ')]) == 1
    assert 'Traceback' not in errors
