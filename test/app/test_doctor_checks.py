"""Each check by itself, on things that are broken on purpose."""

import os
import shutil
import subprocess
import sys
import tty

import numpy as np
import pytest
import yaml

from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.app.doctor import hardware, interpreters, machine, model_checks, ros
from millirobot_adapt.app.doctor.examine import CHECKS, examine
from millirobot_adapt.app.doctor.finding import Level, ok
from millirobot_adapt.app.doctor.probe import Probe, probe
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.contract.topics import why_no_topic
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import share_dir

WHEEL = '/venv/lib/python3.12/site-packages/rclpy/__init__.py'
APT = '/opt/ros/jazzy/lib/python3.12/site-packages/rclpy/__init__.py'
SOURCED = {'ROS_DISTRO': 'jazzy', 'AMENT_PREFIX_PATH': '/opt/ros/jazzy'}
HEARD = {'rmw': 'rmw_fastrtps_cpp', 'nodes': [], 'poses': 200, 'silence': '', 'rate': 100.0, 'gap': 0.012, 'age': 0.004}


class Heard(Subject):
    """A subject whose ROS says what the test wants."""

    def __init__(self, error='', robot_expected=False, robot=None, **heard):
        super().__init__(robot_expected=robot_expected, robot=robot)
        self.probe = Probe(error, {**HEARD, **heard})


def levels(findings):
    return [finding.level.value for finding in findings]


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on():
    def broken(_):
        yield ok('so far')
        raise ZeroDivisionError('by\nzero')

    def mistaken(_):
        raise UserError('x.yaml: is not good; make it better')

    found = list(examine(Subject(), {'one': broken, 'two': mistaken, 'three': lambda _: [ok('fine')]}))
    assert [(name, finding.level.value) for name, finding in found] == [
        ('one', 'ok'), ('one', 'fail'), ('two', 'fail'), ('three', 'ok'),
    ]  # fmt: skip
    assert found[1][1].what == 'the check itself broke: ZeroDivisionError: by zero'
    assert (found[2][1].what, found[2][1].fix) == ('x.yaml: is not good', 'make it better')


@pytest.mark.parametrize(
    ('rclpy', 'wheels', 'environment', 'level', 'says'),
    [
        (WHEEL, ['ros-jazzy-rclpy'], {}, 'ok', 'jazzy, from wheels'),
        (APT, [], SOURCED, 'ok', 'jazzy, sourced'),
        (None, [], {}, 'fail', 'no rclpy'),
        (WHEEL, ['ros-jazzy-rclpy'], SOURCED, 'fail', 'do not mix'),
        (APT, ['ros-jazzy-rclpy'], SOURCED, 'fail', 'do not mix'),
        (WHEEL, ['ros-kilted-rclpy'], {}, 'warn', 'kilted, from wheels'),
        (APT, [], {}, 'warn', 'neither a wheel nor'),
    ],
)
def test_where_rclpy_comes_from(rclpy, wheels, environment, level, says):
    found = ros.origin(rclpy, wheels, environment)
    assert found.level.value == level
    assert says in found.what
    assert bool(found.fix) == (level != 'ok')


@pytest.mark.parametrize(
    ('domain', 'reach', 'expected'),
    [
        ('', '', ['ok']),
        ('42', 'SUBNET', ['ok']),
        ('150', 'LOCALHOST', ['warn', 'ok']),
        ('300', '', ['fail']),
        ('lab', '', ['fail']),
        ('1', 'OFF', ['warn']),
    ],
)
def test_the_domain(monkeypatch, domain, reach, expected):
    monkeypatch.setenv('ROS_DOMAIN_ID', domain)
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', reach)
    assert levels(ros.check_domain(Subject())) == expected


@pytest.mark.parametrize(
    ('heard', 'expected'),
    [
        ({}, ['ok']),
        ({'rate': 30.0}, ['warn']),
        ({'gap': 0.4}, ['warn']),
        ({'age': 2.5}, ['ok', 'warn']),
        ({'age': -0.3}, ['ok', 'warn']),
        ({'poses': 0, 'silence': 'nobody publishes /mocap/pose'}, ['warn']),
        ({'poses': 0, 'silence': 'nobody publishes /mocap/pose', 'robot_expected': True}, ['fail']),
        ({'error': 'no', 'robot_expected': True}, ['fail']),
    ],
)
def test_motion_capture(heard, expected):
    assert levels(ros.check_mocap(Heard(**heard))) == expected


def test_another_controller_in_the_domain_is_seen():
    assert levels(ros.check_graph(Heard(nodes=['rviz2']))) == ['ok']
    (found,) = ros.check_graph(Heard(nodes=['controller', 'rviz2']))
    assert found.level is Level.WARN
    assert 'controller' in found.what


def test_odometry_in_the_place_of_motion_capture_is_listened_to(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        'millirobot_adapt.app.doctor.subject.probe',
        lambda topic, command, kind: asked.append((topic, command, kind)) or Probe(answer=HEARD),
    )
    (tmp_path / 'estimator.yaml').write_text(
        'estimator:\n  ros__parameters:\n    pose_source: odometry\n    odometry_topic: /amcl/odom\n'
    )
    (found,) = ros.check_mocap(Subject(params=tmp_path, robot='rover'))
    assert found.what.startswith('100 Hz on /amcl/odom')
    assert asked == [('/amcl/odom', 'cmd_vel', 'nav_msgs/msg/Odometry')]


def test_what_a_broken_middleware_says_is_kept_to_the_point():
    line = '[ERROR] [1.2] [rcl]: Expected that but found this, at /a/b.c:15, at /c.c:1'
    program = f'import sys; sys.stderr.write({line!r}); sys.exit(102)'
    assert probe('mocap/pose', ('-c', program)).error == 'Expected that but found this'
    assert probe('mocap/pose', ('-c', 'import nothing_of_that_name')).error == "No module named 'nothing_of_that_name'"
    assert probe('mocap/pose', ('-c', 'raise SystemExit(3)')).error == 'ended with exit code 3'


def test_the_middleware_that_was_asked_for_is_named(monkeypatch):
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_of_nobody')
    (found,) = ros.check_middleware(Heard(error='no'))
    assert found.level is Level.FAIL
    assert 'rmw_of_nobody' in found.fix


def test_an_absent_port_is_a_warning_and_where_a_robot_is_expected_a_failure():
    assert levels(hardware.check_port(Subject(port='/dev/nowhere'))) == ['warn']
    (found,) = hardware.check_port(Subject(port='/dev/nowhere', robot_expected=True))
    assert found.level is Level.FAIL
    assert '/dev/nowhere' in found.what
    assert found.fix


def test_a_port_that_can_be_opened_and_one_that_is_in_use_and_one_that_is_none():
    far, near = os.openpty()
    tty.setraw(near)
    try:
        port = os.ttyname(near)
        assert levels(hardware.check_port(Subject(port=port))) == ['ok']
        holder = SerialPort(port, 57600)
        (found,) = hardware.check_port(Subject(port=port))
        holder.close()
        assert found.level is Level.FAIL
        assert 'in use' in found.what
    finally:
        os.close(far)
        os.close(near)
    assert levels(hardware.check_port(Subject(port=os.devnull))) == ['fail']


@pytest.mark.parametrize(
    ('heard', 'level', 'says'),
    [
        ({'listeners': ['geometry_msgs/msg/TwistStamped']}, 'ok', '1 nodes hear the velocity command'),
        ({'listeners': ['geometry_msgs/msg/Twist']}, 'warn', 'heard as geometry_msgs/msg/Twist'),
        ({'listeners': []}, 'warn', 'nobody hears'),
        ({'listeners': [], 'robot_expected': True}, 'fail', 'nobody hears'),
        ({'error': 'no', 'robot_expected': True}, 'fail', 'ROS does not start'),
    ],
)
def test_a_robot_without_a_port_needs_a_listener_of_its_command(heard, level, says):
    (found,) = hardware.check_port(Heard(robot='rover', **heard))
    assert found.level.value == level
    assert says in found.what


def test_the_port_of_a_bus_is_opened_at_the_speed_of_the_bus(monkeypatch):
    far, near = os.openpty()
    tty.setraw(near)
    speeds = []
    monkeypatch.setattr(hardware, 'SerialPort', lambda port, baud: speeds.append(baud) or SerialPort(port, baud))
    try:
        assert levels(hardware.check_port(Subject(robot='xl330_hexapod', port=os.ttyname(near)))) == ['ok']
    finally:
        os.close(far)
        os.close(near)
    assert speeds == [1_000_000]
    (found,) = hardware.check_port(Subject(robot='xl330_hexapod', port='/dev/nowhere'))
    assert found.fix == 'plug in the USB adapter of the bus'


@pytest.mark.parametrize(
    ('robot', 'unnoticed', 'field'),
    [
        ('velociroach', [], 'timeout_verified'),
        ('xl330_hexapod', [], 'watchdog_verified'),
        ('rover', ['an old pose', 'does not turn', 'an empty battery'], 'timeout_verified'),
    ],
)
def test_a_robot_that_reports_little_is_told_what_nobody_notices(robot, unnoticed, field):
    described, silence, *blind = model_checks.check_robot(Subject(robot=robot))
    assert described.what.startswith(robot)
    assert field in silence.fix
    assert len(blind) == bool(unnoticed)
    assert all(text in blind[0].what for text in unnoticed)


def test_another_robot_brings_its_model_and_the_candidates_that_fit_its_period(monkeypatch):
    works = iter([0.04, 0.02])
    monkeypatch.setattr(model_checks, '_work', lambda assembly: next(works))
    subject = Subject(robot='rover')
    assert (subject.model, subject.controller.robot) == ('rover_grbal', 'rover')
    found = list(model_checks.check_model(subject))
    assert 'rover_grbal fits rover' in found[0].what
    assert found[2].what.endswith('planner.samples is 400, up to about 700 fit')


def test_candidates_that_fit_are_told_where_a_tick_takes_too_long(monkeypatch):
    works = iter([0.2, 0.08])  # 400 candidates, then 100: 0.04 s beside them, 0.4 ms each
    monkeypatch.setattr(model_checks, '_work', lambda assembly: next(works))
    found = list(model_checks.check_model(Subject()))
    assert levels(found) == ['ok', 'warn', 'warn']
    assert 'set planner.samples to 0' not in found[2].fix
    assert 'lower planner.horizon' in found[2].fix
    works = iter([0.07, 0.04])  # 0.03 s beside them, 0.1 ms each: 300 fit into 0.06 s
    found = list(model_checks.check_model(Subject()))
    assert 'set planner.samples to 300' in found[2].fix


def test_the_disk(tmp_path, monkeypatch):
    there, not_yet = Subject(runs=tmp_path), Subject(runs=tmp_path / 'not' / 'yet')
    monkeypatch.setattr(machine, 'SLOW_DISK', 0.0)
    monkeypatch.setattr(machine, 'LITTLE_SPACE', 0.0)
    monkeypatch.setattr(machine, 'NO_SPACE', 0.0)
    assert levels(machine.check_disk(there)) == levels(machine.check_disk(not_yet)) == ['ok']
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(machine, 'LITTLE_SPACE', 1e30)
    assert levels(machine.check_disk(there)) == ['warn']
    monkeypatch.setattr(machine, 'NO_SPACE', 1e30)
    assert levels(machine.check_disk(there)) == ['fail']
    assert levels(machine.check_disk(Subject(runs=machine.Path('/proc/runs')))) == ['fail']


def test_whether_the_nodes_may_go_first(monkeypatch):
    asked = []
    monkeypatch.setattr(machine.os, 'getpriority', lambda which, who: 3)
    monkeypatch.setattr(machine.os, 'setpriority', lambda which, who, value: asked.append(value))
    assert levels(machine.check_priority(Subject())) == ['ok']
    assert asked == [-10, 3]

    def forbid(which, who, value):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(machine.os, 'setpriority', forbid)
    (found,) = machine.check_priority(Subject())
    assert found.level.value == 'warn'
    assert '- nice -10' in found.fix
    assert 'limits.conf' in found.fix


def test_a_timer_that_is_late_is_a_warning(monkeypatch):
    monkeypatch.setattr(machine, 'beats', lambda count, period: np.arange(count) * period)
    assert levels(machine.check_timer(Subject()))[0] == 'ok'
    monkeypatch.setattr(machine, 'beats', lambda count, period: np.arange(count) * (period + 0.02))
    assert levels(machine.check_timer(Subject()))[0] == 'warn'


def test_a_clock_that_was_never_set_is_a_failure(monkeypatch):
    monkeypatch.setattr(machine.time, 'time', lambda: 12.0)
    assert levels(machine.check_clock(Subject())) == ['fail']


@pytest.mark.parametrize(('said', 'level'), [('yes', 'ok'), ('no', 'warn'), ('', 'ok')])
def test_whether_the_clock_is_synchronised(monkeypatch, said, level):
    monkeypatch.setattr(machine, '_ntp', lambda: said)
    assert levels(machine.check_clock(Subject())) == [level]


def test_bad_parameters_are_named_and_do_not_keep_the_other_checks_from_working(tmp_path):
    (tmp_path / 'controller.yaml').write_text('controller:\n  ros__parameters:\n    planner.sampels: 3\n')
    (tmp_path / 'bridge.yaml').write_text('bridge:\n  ros__parameters:\n    port: /dev/mine\n')
    subject = Subject(params=tmp_path)
    (found,) = model_checks.check_parameters(subject)
    assert found.level is Level.FAIL
    assert 'controller.yaml' in found.what
    assert 'samples' in found.fix
    assert subject.port == '/dev/mine'
    assert subject.model == 'velociroach_rebal'


def test_one_file_may_hold_all_nodes(tmp_path):
    nodes = {name: {'ros__parameters': {'robot': 'velociroach'}} for name in ('bridge', 'estimator')}
    file = tmp_path / 'nodes.yaml'
    file.write_text(yaml.safe_dump(nodes))
    assert levels(model_checks.check_parameters(Subject(params=file))) == ['ok']
    file.write_text('nobody: {}')
    assert levels(
        finding for _, finding in examine(Subject(params=file), {'parameters': model_checks.check_parameters})
    ) == ['fail']
    with pytest.raises(UserError, match='no such file or folder'):
        Subject(params=tmp_path / 'nowhere')


@pytest.mark.parametrize(
    ('engine', 'dot_products', 'level'),
    [
        ('{}', True, 'ok'),
        ('{name: int8}', True, 'ok'),
        ('{name: int8}', False, 'warn'),
        ('{provider: cuda}', True, 'fail'),
    ],
)
def test_the_engine(tmp_path, monkeypatch, engine, dot_products, level):
    monkeypatch.setattr(model_checks, 'has_int8_dot_products', lambda: dot_products)
    monkeypatch.setitem(sys.modules, 'millirobot_adapt.device.device_provider', None)  # no GPU, no library of one
    (tmp_path / 'controller.yaml').write_text(f'controller:\n  ros__parameters:\n    engine: {engine}\n')
    (found,) = model_checks.check_engine(Subject(params=tmp_path))
    assert found.level.value == level
    assert 'onnxruntime' in found.what
    assert 'PyTorch' in found.what


def test_more_threads_than_cores_is_a_warning(tmp_path):
    (tmp_path / 'controller.yaml').write_text('controller:\n  ros__parameters:\n    engine.threads: 64\n')
    (found,) = machine.check_processor(Subject(params=tmp_path))
    assert (found.level is Level.WARN) == (machine.host()['cores'] < 64)


def test_a_shipped_model_is_whole_and_known_to_be_of_the_mock():
    found = list(model_checks.check_model(Subject()))
    assert levels(found)[:2] == ['ok', 'warn']
    assert "'mock'" in found[1].what
    assert 'ms of 100 ms' in found[2].what


def test_a_model_that_was_edited_is_a_failure(tmp_path):
    bundle = tmp_path / 'mine'
    shutil.copytree(share_dir() / 'models' / 'velociroach_mb', bundle)
    with (bundle / 'theta.npz').open('ab') as file:
        file.write(b'x')
    ((_, found),) = examine(Subject(model=str(bundle)), {'model': CHECKS['model']})
    assert found.level is Level.FAIL
    assert 'SHA-256' in found.what


def test_a_robot_that_has_been_seen_to_stop_is_no_warning(tmp_path):
    assert levels(model_checks.check_robot(Subject())) == ['ok', 'warn']
    (tmp_path / 'mine.yaml').write_text('name: mine\ntimeout_verified: true\n')
    (tmp_path / 'bridge.yaml').write_text(f'bridge:\n  ros__parameters:\n    robot: {tmp_path / "mine.yaml"}\n')
    assert levels(model_checks.check_robot(Subject(params=tmp_path))) == ['ok']


def test_the_parameters_are_read_without_ros():
    """A middleware that does not load must not end the doctor."""
    program = (
        'import sys\n'
        'from millirobot_adapt.app.doctor.examine import CHECKS\n'
        'from millirobot_adapt.app.doctor.subject import Subject\n'
        'list(CHECKS["parameters"](Subject()))\n'
        'sys.exit("rclpy" in sys.modules)\n'
    )
    assert subprocess.run([sys.executable, '-c', program], check=False).returncode == 0


@pytest.fixture
def ros2(tmp_path):
    """A program `ros2` on an interpreter of ours."""
    path = tmp_path / 'ros2'
    path.write_text(f'#!{sys.executable}\n')
    path.chmod(0o755)
    return path


def test_which_python_runs_the_launch_files(monkeypatch, tmp_path, ros2):
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'install'))
    found = list(interpreters.check_interpreters(Subject()))
    assert found[0].what.startswith(f'our programs run on {sys.executable}')
    assert found[1].level.value == 'warn'
    assert sys.executable in found[1].what
    ros2.unlink()
    assert levels(interpreters.check_interpreters(Subject())) == ['ok', 'ok']


@pytest.mark.parametrize(
    ('line', 'found'), [('#!/opt/python3', '/opt/python3'), ('#!/usr/bin/env sh', 'sh'), ('hello', None)]
)
def test_the_interpreter_in_a_first_line(tmp_path, line, found):
    (tmp_path / 'program').write_text(f'{line}\nmore\n')
    assert str(interpreters.first_line_interpreter(tmp_path / 'program')).endswith(str(found))


def test_what_an_interpreter_cannot_import_is_found():
    assert interpreters.cannot_import(sys.executable, ('json', 'nobodys_module')) == ['nobodys_module']
    assert interpreters.cannot_import('/nowhere/python', ('json',)) == ['json']


def test_an_installed_copy_that_differs_is_found(monkeypatch, tmp_path):
    share = tmp_path / 'share'
    (share / 'ament_index' / 'resource_index' / 'packages').mkdir(parents=True)
    (share / 'ament_index' / 'resource_index' / 'packages' / 'millirobot_adapt').write_text('')
    shutil.copytree(share_dir() / 'params', share / 'millirobot_adapt' / 'params')
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    assert interpreters.installed_share() == share / 'millirobot_adapt'
    bridge = share / 'millirobot_adapt' / 'params' / 'bridge.yaml'
    bridge.write_text(bridge.read_text() + '\n')
    (tmp_path / 'ros2').write_text(f'#!{sys.executable}\n')
    (tmp_path / 'ros2').chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    told = [finding.what for finding in interpreters.check_interpreters(Subject()) if finding.level is Level.WARN]
    assert any('bridge.yaml differs from its installed copy' in what for what in told)


def test_a_name_that_is_no_topic_is_named_and_the_other_checks_go_on(monkeypatch):
    asked = []
    monkeypatch.setattr(
        'millirobot_adapt.app.doctor.subject.probe',
        lambda topic, command, kind: asked.append((topic, command, kind)) or Probe(),
    )
    subject = Subject(mocap_topic='/vrpn_mocap/robot-1/pose')
    (found,) = ros.check_mocap(subject)
    assert found.level is Level.FAIL
    assert "'-' at place 18" in found.what
    assert subject.probe.error == ''
    assert asked == [('mocap/pose', '', 'geometry_msgs/msg/PoseStamped')], 'ROS is asked all the same'


@pytest.mark.parametrize('name', ['mocap/pose', '/vrpn/robot_1/pose', '~/pose', 'a'])
def test_what_ros_takes_for_a_topic(name):
    assert why_no_topic(name) == ''


@pytest.mark.parametrize('name', ['', 'a b', 'a//b', '1a', 'a/1b', 'a/', 'caf\u00e9'])
def test_what_ros_does_not_take_for_a_topic(name):
    assert why_no_topic(name)
