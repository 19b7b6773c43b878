"""Every fault that is named can be injected, does what it says, and ends; what nobody implements is refused."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from firmware_bridge import packets
from millirobot_adapt.app.commands.inject import fault_table
from millirobot_adapt.contract import fault_hooks
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim import process_faults
from millirobot_adapt.sim.conditions import Condition, Fault, make_condition, make_fault
from millirobot_adapt.sim.fault_kinds import FAULT_KINDS, PROCESSES
from millirobot_adapt.sim.lockstep import LockstepRobot
from millirobot_adapt.sim.mock import Mock
from millirobot_adapt.sim.process_faults import ProcessFaults
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.world import World

ROBOT = load_robot('velociroach')


class Bench:
    """A mock whose world is advanced by hand."""

    def __init__(self, folder, **condition):
        self.world = World(ROBOT, Condition(step_noise=0.0, **condition), seed=0)
        self.radio = Radio(ROBOT.imageproc.radio, RadioFaults(), True, np.random.default_rng(0))
        self.port = PtyPort(folder / 'radio')
        self.mock = Mock(self.world, self.radio, self.port)

    def inject(self, name, value=None, duration=0.0):
        self.mock.world.inject(make_fault(name, value, duration))

    def walk(self, counts=300):
        for packet in (
            packets.PidGains(ROBOT.imageproc.pid_gains[:5], ROBOT.imageproc.pid_gains[5:]),
            packets.StartMotors(),
            packets.SetVelocity((counts, counts)),
        ):
            self.world.microcontroller.obey(packet)

    def live(self, seconds):
        """Advance in steps of a millisecond; return (time of arrival, pose) of all poses."""
        poses = []
        for _ in range(round(1000 * seconds)):
            self.world.advance(self.world.time + 0.001)
            poses += [(self.world.time, pose) for pose in self.world.mocap.due(self.world.time)]
        return poses

    def telemetry(self):
        return self.world.microcontroller.telemetry((0, 0))


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv(fault_hooks.VARIABLE, str(tmp_path / 'hooks'))
    made = Bench(tmp_path)
    made.live(0.3)
    yield made
    made.mock.close()


def stamps(poses):
    return np.array([pose.stamp for _, pose in poses])


def positions(poses):
    return np.array([pose.position for _, pose in poses])


def ages(poses):
    return np.array([arrival - pose.stamp for arrival, pose in poses])


def still(bench):
    return bench.world.hexapod.pose()[0] + [0.0, 0.0, 0.0]


def test_a_silent_driver_sends_nothing(bench):
    bench.inject('mocap.stop')
    assert len(bench.live(0.5)) == 0


def test_a_frozen_pose_comes_under_fresh_stamps(bench):
    bench.walk()
    bench.live(0.2)
    bench.inject('mocap.freeze')
    poses = bench.live(0.4)
    assert np.ptp(positions(poses), axis=0).max() == 0.0
    assert np.ptp(stamps(poses)) > 0.35


def test_a_held_message_keeps_its_stamp(bench):
    bench.inject('mocap.hold')
    poses = bench.live(0.2)
    assert len(poses) > 10
    assert np.ptp(stamps(poses)) == 0.0


def test_zeros_nan_and_a_quaternion_of_zeros(bench):
    bench.inject('mocap.zeros')
    assert not positions(bench.live(0.1)).any()
    bench.inject('clear')
    bench.inject('mocap.nan')
    _, pose = bench.live(0.1)[-1]
    assert np.isnan(pose.position).all()
    assert np.isnan(pose.quaternion).all()
    bench.inject('clear')
    bench.inject('mocap.zero_quaternion')
    _, pose = bench.live(0.1)[-1]
    assert not pose.quaternion.any()
    assert np.isfinite(pose.position).all()


@pytest.mark.parametrize('ahead', [5.0, -2.0])
def test_one_frame_has_a_stray_stamp(bench, ahead):
    bench.inject('mocap.stray_stamp', ahead)
    off = np.abs(ages(bench.live(0.2)) + ahead) < 0.05
    assert off.sum() == 1


def test_two_bodies_take_turns_and_another_body_stays(bench):
    bench.inject('mocap.two_bodies', 0.5)
    distance = np.linalg.norm(positions(bench.live(0.2)) - positions(bench.live(0.001 * 20))[0], axis=1)
    assert {round(float(d), 1) for d in distance} == {0.0, 0.5}
    bench.inject('clear')
    here = positions(bench.live(0.05))[-1]
    bench.inject('mocap.other_body', -0.4)
    there = positions(bench.live(0.1))
    assert np.linalg.norm(there - here, axis=1) == pytest.approx(0.4, abs=0.01)


def test_a_share_of_the_frames_is_stray(bench):
    here = positions(bench.live(0.05))[-1]
    bench.inject('mocap.strays', 0.3)
    far = np.linalg.norm(positions(bench.live(2.0)) - here, axis=1) > 0.09
    assert 0.2 < far.mean() < 0.4


def test_swapped_markers_turn_the_attitude_and_negated_quaternions_do_not(bench):
    before = roll_pitch_yaw(bench.live(0.05)[-1][1].quaternion)[2]
    bench.inject('mocap.swap', 1.0)
    assert roll_pitch_yaw(bench.live(0.05)[-1][1].quaternion)[2] - before == pytest.approx(1.0, abs=0.02)
    bench.inject('clear')
    bench.inject('mocap.sign_flips', 1.0)
    flipped = bench.live(0.05)[-1][1].quaternion
    assert roll_pitch_yaw(flipped)[2] == pytest.approx(before, abs=0.02)
    assert flipped[3] < 0 < bench.world.hexapod.pose()[1][3]


def test_frames_come_twice(bench):
    plain = len(bench.live(0.3))
    bench.inject('mocap.twice')
    assert len(bench.live(0.3)) == pytest.approx(2 * plain, abs=2)


def test_late_frames_are_overtaken(bench):
    bench.inject('mocap.late_frames', 0.3)
    assert (np.diff(stamps(bench.live(1.0))) < 0).any()


def test_bursts_come_together_and_are_stamped_on_arrival(bench):
    bench.inject('mocap.bursts', 0.05)
    poses = bench.live(0.5)
    assert len(poses) >= 45
    assert len(np.unique(stamps(poses))) == pytest.approx(10, abs=1)
    assert ages(poses) == pytest.approx(0.0, abs=0.002)


def test_latency_and_rate(bench):
    bench.inject('mocap.latency', 0.15)
    bench.live(0.3)
    assert np.median(ages(bench.live(0.3))) == pytest.approx(0.15, abs=0.003)
    bench.inject('clear')
    for rate in (30.0, 240.0, 1000.0):
        bench.inject('mocap.rate', rate)
        bench.live(0.2)
        assert len(bench.live(1.0)) == pytest.approx(rate, rel=0.05)
    bench.inject('clear')
    bench.live(0.1)
    assert len(bench.live(0.5)) == pytest.approx(50, abs=2)


def test_a_creeping_position(bench):
    before = positions(bench.live(0.05))[-1]
    bench.inject('mocap.creep', 0.1)
    after = positions(bench.live(1.0))[-1]
    assert after[0] - before[0] == pytest.approx(0.1, abs=0.005)


def test_other_frames_and_axes(bench):
    plain = bench.live(0.05)[-1][1]
    bench.inject('mocap.frame_id')
    assert bench.world.mocap.frame_id == 'map'
    bench.inject('clear')
    assert bench.world.mocap.frame_id is None
    bench.inject('mocap.y_up')
    assert bench.live(0.05)[-1][1].position[1] == pytest.approx(plain.position[2], abs=0.002)
    bench.inject('clear')
    bench.world.begin('slope', make_fault('slope', {'angle': 0.0}).value)
    bench.inject('mocap.mirrored')
    mirrored = bench.live(0.05)[-1][1]
    assert mirrored.position[1] == pytest.approx(-plain.position[1], abs=0.002)
    assert roll_pitch_yaw(mirrored.quaternion)[2] == pytest.approx(-roll_pitch_yaw(plain.quaternion)[2], abs=0.02)


@pytest.mark.parametrize('name', [name for name in FAULT_KINDS if name.startswith('radio.')])
def test_every_fault_of_the_radio(bench, name):
    field = name.partition('.')[2]
    bench.inject(name, None, 0.1)
    assert getattr(bench.radio.faults, field) == FAULT_KINDS[name].default
    bench.live(0.2)
    assert bench.radio.faults == RadioFaults()


def test_faults_of_the_radio_add_up_and_end_one_by_one(bench):
    bench.inject('radio.loss', 0.1, 0.1)
    bench.inject('radio.delay', 0.2, 0.3)
    assert bench.radio.faults == RadioFaults(loss=0.1, delay=0.2)
    bench.live(0.2)
    assert bench.radio.faults == RadioFaults(delay=0.2)


def test_the_port_vanishes_and_comes_back(bench):
    bench.inject('port.vanish', duration=0.1)
    assert not bench.port.present
    bench.live(0.2)
    assert bench.port.present


def test_the_robot_restarts(bench):
    bench.walk()
    bench.live(0.2)
    bench.inject('robot.reset')
    assert bench.world.microcontroller.command == (0, 0)
    assert bench.telemetry().index == 1


@pytest.mark.parametrize('roll', [1.6, 3.1])
def test_a_robot_that_has_tipped_over_is_put_on_its_feet_where_it_lies(bench, roll):
    hexapod = bench.world.hexapod
    before = hexapod.pose()[0]
    lying = Rotation.from_euler('z', 0.7) * Rotation.from_euler('x', roll)
    hexapod.data.qpos[2:7] = [0.03, *np.roll(lying.as_quat(), 1)]
    bench.inject('robot.upright')
    bench.live(0.5)
    position, orientation = hexapod.pose()
    assert position == pytest.approx(before, abs=0.005)
    assert roll_pitch_yaw(orientation) == pytest.approx((0.0, 0.0, 0.7), abs=0.2)


def test_a_robot_on_its_feet_is_left_alone(bench):
    before = bench.world.hexapod.data.qpos.copy()
    bench.inject('robot.upright')
    np.testing.assert_array_equal(bench.world.hexapod.data.qpos, before)


def test_an_encoder_stands_still_and_goes_on_within_a_turn(bench):
    bench.walk()
    bench.live(0.3)
    bench.inject('robot.encoders', 'left')
    before = bench.telemetry().position
    bench.live(0.3)
    during = bench.telemetry().position
    assert during[0] == before[0]
    assert during[1] > before[1]
    assert bench.world.hexapod.leg_velocity()[0] > 20.0, 'the legs turn on'
    bench.inject('clear')
    bench.live(0.002)
    assert abs(bench.telemetry().position[0] - during[0]) <= ROBOT.imageproc.scales.encoder_counts / 2 + 2000


def test_blocked_legs_do_not_turn_until_they_are_let_go(bench):
    bench.walk()
    bench.live(0.3)
    bench.inject('robot.leg_stuck', 'right', 0.5)
    bench.live(0.3)
    assert abs(bench.world.hexapod.leg_velocity()[1]) < 0.1
    assert bench.world.hexapod.leg_velocity()[0] > 10.0
    bench.live(1.7)  # the firmware's PID has wound up and takes a second to unwind
    assert bench.world.hexapod.leg_velocity()[1] > 10.0


def test_a_weak_battery(bench):
    bench.inject('robot.battery', 3.0)
    bench.live(0.01)
    assert bench.world.hexapod.battery == pytest.approx(3.0, abs=0.01)
    bench.inject('clear')
    bench.live(0.01)
    assert bench.world.hexapod.battery > 3.9


def test_clocks_step(bench):
    age = np.median(ages(bench.live(0.2)))
    bench.inject('clock.mocap', 0.3)
    assert np.median(ages(bench.live(0.2))) == pytest.approx(age - 0.3, abs=0.005)
    before = bench.telemetry().timestamp
    bench.inject('clock.robot', 2.0)
    assert (bench.telemetry().timestamp - before) * ROBOT.imageproc.scales.clock == pytest.approx(2.0, abs=0.01)
    now = bench.mock.time.host_time(0.0)
    bench.inject('clock.host', -5.0, 0.1)
    assert bench.mock.time.host_time(0.0) == pytest.approx(now - 5.0)
    assert fault_hooks.clock_file().ahead == -5.0
    bench.live(0.2)
    assert bench.mock.time.host_time(0.0) == pytest.approx(now)
    assert fault_hooks.clock_file().ahead == 0.0


def test_the_host_clock_cannot_step_where_nothing_can_set_it(tmp_path, monkeypatch):
    monkeypatch.delenv(fault_hooks.VARIABLE, raising=False)
    bench = Bench(tmp_path)
    with pytest.raises(UserError, match=r'clock\.host cannot happen here'):
        bench.inject('clock.host', 1.0)
    bench.mock.close()


HOOKED = (
    'import threading, time\n'
    'from millirobot_adapt.contract.fault_hooks import install_hooks\n'
    'install_hooks()\n'
    'def work():\n'
    '    while True: time.sleep(0.01)\n'
    'worker = threading.Thread(target=work, daemon=True); worker.start()\n'
    'print("ready", flush=True)\n'
    'while worker.is_alive(): time.sleep(0.01)\n'
    'print("worker ended", time.time(), flush=True)\n'
)


@pytest.fixture
def controller(tmp_path, monkeypatch):
    """A process that looks like the controller of this run: this process stands in for the parent of both."""
    monkeypatch.setattr(process_faults.os, 'getppid', os.getpid)
    monkeypatch.setenv(fault_hooks.VARIABLE, str(tmp_path / 'hooks'))
    script = tmp_path / 'controller'
    script.write_text(HOOKED)
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'ready\n'
    yield process
    process.kill()
    process.communicate()


def test_a_process_is_killed(controller):
    ProcessFaults().begin('kill', 'controller')
    assert controller.wait(10) == -signal.SIGKILL


def test_a_process_is_asked_to_end(controller):
    ProcessFaults().begin('end', 'controller')
    assert controller.wait(10) == -signal.SIGTERM


def test_a_process_hangs_and_goes_on(controller):
    def state():
        return process_faults.PROC.joinpath(str(controller.pid), 'stat').read_text().rpartition(')')[2].split()[0]

    def wait_for(states):
        deadline = time.monotonic() + 10
        while state() not in states:
            assert time.monotonic() < deadline

    faults = ProcessFaults()
    faults.begin('hang', 'controller')
    wait_for('T')
    faults.end('hang')
    wait_for('SR')


def test_a_worker_ends_by_an_exception_and_the_clock_of_its_process_steps(controller, tmp_path):
    fault_hooks.ClockFile(tmp_path / 'hooks').ahead = 1000.0
    ProcessFaults().begin('worker', 'controller')
    out, errors = controller.communicate(timeout=10)
    assert 'InjectedError' in errors
    assert float(out.split()[-1]) - time.time() == pytest.approx(1000.0, abs=10.0)


def test_a_process_that_this_run_does_not_have_is_refused(controller):
    with pytest.raises(UserError, match='this run has no process recorder'):
        ProcessFaults().begin('kill', 'recorder')
    assert controller.poll() is None


def test_nothing_outside_the_run_is_touched(controller, monkeypatch):
    monkeypatch.setattr(process_faults.os, 'getppid', lambda: 1)
    with pytest.raises(UserError, match='no process controller'):
        ProcessFaults().begin('kill', 'controller')
    monkeypatch.setattr(process_faults.os, 'getppid', lambda: os.getpid() + 100_000)
    with pytest.raises(UserError, match='no process controller'):
        ProcessFaults().begin('kill', 'controller')
    assert controller.poll() is None


def test_a_schedule_begins_and_ends_at_its_times_after_the_first_motion(tmp_path):
    entries = [
        {'radio.loss': 0.5, 'time': 0.1, 'duration': 0.1},
        {'mocap.freeze': True, 'time': 0.2},
        {'motor_gain': [0.5, 1.0], 'time': 0.1, 'duration': 0.2},
    ]
    condition = make_condition({'faults': entries}, 'test', 'test.yaml')
    bench = Bench(tmp_path, faults=condition.faults)
    bench.live(0.3)
    assert bench.world.faults == []
    bench.walk()
    seen = []
    for _ in range(5):
        bench.live(0.1)
        seen.append((bench.radio.faults.loss, 'mocap.freeze' in bench.world.injector.active))
    assert seen == [(0.0, False), (0.5, False), (0.0, True), (0.0, True), (0.0, True)]
    assert [fault.name for _, fault in bench.world.faults] == ['radio.loss 0.5', 'motor_gain', 'mocap.freeze']
    assert bench.world.faults[0][1].text == 'radio.loss 0.5 begins for 0.1 s'
    bench.mock.close()


def test_a_key_of_the_condition_is_what_it_was_when_its_time_is_over(bench):
    before = bench.world.hexapod.model.geom_friction.copy()
    bench.inject('terrain', 'turf', 0.1)
    bench.live(0.05)
    assert (bench.world.hexapod.model.geom_friction != before).any()
    bench.live(0.1)
    assert (bench.world.hexapod.model.geom_friction == before).all()


@pytest.mark.parametrize(
    ('entry', 'complaint'),
    [
        ({'mocap.freze': True}, "unknown fault 'mocap.freze'; did you mean 'mocap.freeze'"),
        ({'zigbee.loss': 0.1}, r"unknown fault 'zigbee.loss'"),
        ({'radio.loss': 1.5}, r'radio\.loss = 1\.5 is out of range: 0 to 1'),
        ({'radio.loss': 'much'}, 'must be a number: 0 to 1'),
        ({'mocap.freeze': 2.0}, r'mocap\.freeze takes no value'),
        ({'mocap.rate': None}, r'mocap\.rate needs a value: 1 to 1000 Hz'),
        ({'robot.leg_stuck': 'middle'}, 'is not one of left, right, both'),
        ({'process.kill': 'mock_robot'}, 'is not one of bridge'),
        ({'robot.reset': True, 'duration': 2.0}, 'happens at once and has no duration'),
        ({'mocap.stop': True, 'duration': -1.0}, 'duration'),
        ({'mocap.stop': False}, 'takes no value'),
        ({'clock.mocap': float('nan')}, 'must be a number'),
    ],
)
def test_what_is_wrong_in_a_schedule_is_refused(entry, complaint):
    with pytest.raises(UserError, match=complaint):
        make_condition({'faults': [entry]}, 'test', 'test.yaml')


@pytest.mark.parametrize(('name', 'near'), [('missing_leg', 'missing_legs'), ('wearr', 'wear'), ('qqqqq', None)])
def test_an_unknown_name_is_refused_and_a_near_one_suggested(name, near):
    with pytest.raises(UserError, match='unknown fault') as refused:
        make_fault(name, True)
    assert ('did you mean' in str(refused.value)) == (near is not None)
    assert near is None or repr(near) in str(refused.value)


@pytest.mark.parametrize('name', ['radio.loss', 'port.vanish', 'process.kill'])
def test_lock_step_refuses_what_it_has_not(name):
    fault = Fault(name, FAULT_KINDS[name].default)
    with pytest.raises(UserError, match=rf'{name} cannot happen in lock-step \(condition odd\): it needs the running'):
        LockstepRobot(ROBOT, Condition(name='odd', faults=(fault,)), make_estimator(EstimatorConfig(), ROBOT), 0)


def test_a_fault_without_a_target_is_refused_and_not_ignored():
    world = World(ROBOT, Condition(), 0)
    with pytest.raises(UserError, match=r'radio\.loss cannot happen here'):
        world.injector.inject(make_fault('radio.loss', 0.1), 0.0)
    assert world.faults == []


def test_every_kind_has_a_target_and_a_default_in_its_range(bench):
    for name, kind in FAULT_KINDS.items():
        if name in ('clear', 'robot.servo') or name.startswith(('process.', 'bus.')):
            continue  # a robot with servos: test_servo_hexapod.py
        value = kind.low if kind.default is None else kind.default
        bench.inject(name, value if value is not True else None)
        bench.live(0.02)
        bench.inject('clear')
        assert bench.world.injector.active == ()
    assert bench.radio.faults == RadioFaults()
    assert bench.port.present


def test_processes_are_those_that_can_be_started():
    from millirobot_adapt.bringup.processes import NODES

    assert set(PROCESSES) <= {node.name for node in NODES}


def test_without_a_fault_the_driver_changes_nothing(bench):
    poses = bench.live(1.0)
    assert len(poses) == pytest.approx(100, abs=1)
    assert (ages(poses) >= -1e-9).all()
    assert np.quantile(ages(poses), 0.9) < 0.003


def test_the_page_shows_the_list_of_faults():
    page = (Path(__file__).parents[2] / 'docs' / 'mock.md').read_text(encoding='utf-8')
    shown = re.search(r'<!-- faults:.*?-->\n```\n(.*?)\n```', page, re.DOTALL)
    assert shown is not None
    assert shown[1] == fault_table(), 'paste the output of millirobot inject --list'
