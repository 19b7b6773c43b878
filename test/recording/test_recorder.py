"""The recorder as a process: what is published reliably is in the bag, and a signal closes it."""

import json
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from rosbags.rosbag2 import Reader

from millirobot_adapt import __version__
from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.contract.topics import DIAGNOSTICS, LEGS, TOPICS, VIEW_TOPICS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.provenance import read_provenance
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore

pytestmark = pytest.mark.system
COUNT = 50

HEAD = """
import sys, time
import rclpy
from rclpy.duration import Duration
from sensor_msgs.msg import JointState
from millirobot_adapt.contract.topics import LEGS
from millirobot_adapt.ros.conversions import joint_state, qos

rclpy.init()
node = rclpy.create_node('publisher', namespace='robot1')
publisher = node.create_publisher(JointState, LEGS.name, qos(LEGS, depth=100))
deadline = time.monotonic() + 20.0
while publisher.get_subscription_count() == 0:
    if time.monotonic() > deadline:
        sys.exit('nobody subscribed')
    time.sleep(0.05)
"""

PUBLISHER = f"""{HEAD}for i in range({COUNT}):
    publisher.publish(joint_state(1000.0 + i, [i, -i]))
sys.exit(0 if publisher.wait_for_all_acked(Duration(seconds=10)) else 'not acknowledged')
"""

BURST = 5000
FLOOD = f"""{HEAD}publisher.publish(joint_state(1000.0, [0.0, 0.0]))
print('first', flush=True)
sys.stdin.readline()
for i in range(1, {BURST} + 1):
    publisher.publish(joint_state(1000.0 + i, [i, -i]))
print('burst', flush=True)
sys.stdin.readline()
"""

EVERYTHING = """
import json, sys, time
import rclpy
from millirobot_adapt.contract.topics import RUN, TOPICS, VIEW_TOPICS
from millirobot_adapt.ros.conversions import message_class, qos

TOPICS = (*TOPICS, *VIEW_TOPICS) if json.loads(sys.stdin.readline()) else TOPICS
rclpy.init()
node = rclpy.create_node('publisher', namespace='robot1')
publishers = {t.name: node.create_publisher(message_class(t), t.name, qos(t)) for t in TOPICS if t is not RUN}
deadline = time.monotonic() + 20.0
while not all(publisher.get_subscription_count() for publisher in publishers.values()):
    if time.monotonic() > deadline:
        sys.exit('nobody subscribed')
    time.sleep(0.05)
offered = {}
for topic in TOPICS:
    name = node.resolve_topic_name(topic.name)
    (info, *_) = [i for i in node.get_publishers_info_by_topic(name) if i.node_name != 'recorder' or topic is RUN]
    profile = info.qos_profile
    offered[name] = [profile.reliability.name, profile.durability.name]
for _ in range(20):  # best effort: the recorder may learn of us later than we of it
    for publisher in publishers.values():
        publisher.publish(publisher.msg_type())
    time.sleep(0.1)
print(json.dumps(offered))
"""

BRING_UP = """
from millirobot_adapt.ros.bring_up import BringUpError
from millirobot_adapt.ros.operator import Operator

operator = Operator()
try:
    operator.bring_up(['/robot1/recorder'], patience=20.0)
except BringUpError as error:
    print(error)
operator.close()
"""

NO_BAG = Path('""')
"""An empty string on the command line: the recorder ends at once."""


@pytest.fixture
def environment():
    domain = reserve_domain()
    yield local_environment(domain.number)
    domain.release()


def start_recorder(environment: dict[str, str], bag: Path, *settings: str) -> subprocess.Popen[str]:
    code = 'import sys; from millirobot_adapt.nodes.recorder import main; sys.exit(main())'
    command = [sys.executable, '-c', code, '--ros-args', '-r', '__ns:=/robot1', '-p', f'bag:={bag}']
    command += [part for setting in settings for part in ('-p', setting)]
    recorder = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    if bag != NO_BAG:
        publish(environment, BRING_UP)
    return recorder


def publish(environment: dict[str, str], what: str = PUBLISHER, told: str = '') -> str:
    command = [sys.executable, '-c', what]
    done = subprocess.run(command, env=environment, timeout=60, input=told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def recorders_word(bag: Path) -> list[str]:
    arrays = [message for _, message, _ in open_bag(bag, lambda line: None).messages([DIAGNOSTICS])]
    return [status.message for array in arrays for status in array.status if status.name == 'robot1/recorder']


def velocities(bag: Path) -> list[float]:
    try:
        return [message.velocity[0] for _, message, _ in open_bag(bag, lambda line: None).messages([LEGS])]
    except UserError:
        return []  # nothing has been flushed yet


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
        assert set(counts) <= {'/diagnostics', '/parameter_events'}, 'what every node publishes by itself'
    assert read_provenance(open_bag(tmp_path / 'bag')).version == __version__
    assert velocities(tmp_path / 'bag') == [float(i) for i in range(COUNT)]


@pytest.mark.parametrize('bag', ['', 'taken'])
def test_a_bag_that_cannot_be_made_is_one_line_and_exit_code_2(tmp_path, environment, bag):
    (tmp_path / 'taken').mkdir()
    recorder = start_recorder(environment, tmp_path / bag if bag else NO_BAG)
    _, errors = recorder.communicate(timeout=30)
    assert recorder.returncode == 2
    assert len([line for line in errors.splitlines() if line.startswith('error: ')]) == 1
    assert 'Traceback' not in errors


@pytest.mark.parametrize('views', [False, True])
def test_every_topic_of_the_contract_is_recorded_with_the_qos_that_its_publisher_offers(tmp_path, environment, views):
    recorder = start_recorder(environment, tmp_path / 'bag', f'views:={json.dumps(views)}')
    try:
        offered = json.loads(publish(environment, EVERYTHING, json.dumps(views)))
        recorder.send_signal(signal.SIGTERM)
        assert recorder.wait(20) == 0
    finally:
        recorder.kill()
        recorder.communicate()
    assert set(offered) == set(full_names((*TOPICS, *VIEW_TOPICS) if views else TOPICS, 'robot1'))
    assert set(open_bag(tmp_path / 'bag').topic_names()) >= set(offered)
    with Reader(tmp_path / 'bag') as reader:
        for connection in reader.connections:
            (profile,) = connection.ext.offered_qos_profiles
            assert [profile.reliability.name, profile.durability.name] == offered[connection.topic], connection.topic
            assert connection.msgcount >= 1, connection.topic
            assert views or not connection.topic.startswith('/robot1/view/')
            assert connection.digest == typestore().hash_rihs01(connection.msgtype)


def test_messages_that_an_overfull_queue_lost_are_counted_and_told(tmp_path, environment):
    recorder = start_recorder(environment, tmp_path / 'bag', 'flush_period:=0.1')
    command = [sys.executable, '-c', FLOOD]
    flood = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert flood.stdout.readline() == 'first\n'
        wait_until(lambda: velocities(tmp_path / 'bag') == [0.0])
        recorder.send_signal(signal.SIGSTOP)  # the disk hangs
        flood.stdin.write('\n')
        flood.stdin.flush()
        assert flood.stdout.readline() == 'burst\n'
        recorder.send_signal(signal.SIGCONT)
        wait_until(lambda: velocities(tmp_path / 'bag')[-1] == BURST)
        wait_until(lambda: any('never came' in text for text in recorders_word(tmp_path / 'bag')))
        recorder.send_signal(signal.SIGTERM)
        assert recorder.wait(20) == 0
    finally:
        for process in (recorder, flood):
            process.kill()
            process.communicate()
    bag = open_bag(tmp_path / 'bag')
    recorded = len(list(bag.messages([LEGS])))
    assert 0 < bag.losses.lost['/robot1/legs'] == BURST + 1 - recorded


def test_a_recorder_told_to_go_on_without_a_disk_says_so_once_and_fails_at_the_end(tmp_path, environment):
    recorder = start_recorder(environment, tmp_path / 'bag', 'on_error:=continue', 'flush_period:=0.1')
    try:
        publish(environment)
        wait_until(lambda: len(velocities(tmp_path / 'bag')) == COUNT)
        (file,) = (tmp_path / 'bag').glob('*.mcap')
        resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (file.stat().st_size,) * 2)
        publish(environment)
        assert recorder.poll() is None
        recorder.send_signal(signal.SIGTERM)
        _, errors = recorder.communicate(timeout=20)
    finally:
        recorder.kill()
    assert recorder.returncode == 1
    assert len([line for line in errors.splitlines() if line.startswith('error: ')]) == 1
    assert len([line for line in errors.splitlines() if '[ERROR]' in line]) == 1
    assert 'Traceback' not in errors
    assert velocities(tmp_path / 'bag') == [float(i) for i in range(COUNT)]
