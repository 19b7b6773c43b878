"""`millirobot link-test` through the real command, against the mock on a pty."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from robots import imageproc

from millirobot_adapt.app.main import main
from millirobot_adapt.benchmarks.link.mock_process import MockProcess
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import RadioConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.wireless_robot import WirelessRobot
from millirobot_adapt.sim.world import World


@pytest.fixture
def port(tmp_path):
    port = tmp_path / 'radio'
    with MockProcess(port, RobotConfig(), wire_time=False):
        yield str(port)


@pytest.mark.system
def test_a_sound_robot_passes_every_check_and_may_be_marked_as_verified(port, capsys):
    for _ in range(3):  # a machine that stalls the mock makes its clock look wrong
        code = main(['link-test', port, '--seconds', '0.3', '--jog', 'left', '--yes', '--json'])
        found = json.loads(capsys.readouterr().out)
        if code == 0:
            break
    assert code == 0, found['problems']
    assert found['passed']
    assert 'mock' in found['who_am_i']
    assert found['gains_echoed']
    trips = found['round_trips']
    # A busy machine stalls the mock's clock: some replies come out of time then, and are refused.
    assert (trips['sent'], trips['lost'], trips['replies'] + trips['refused']) == (200, 0, 200)
    assert sum(trips['histogram_ms'].values()) == trips['replies']
    assert found['live_samples'] >= 1
    assert found['jog']['rate_rev_s'] == pytest.approx(2.0, rel=0.3)
    assert abs(found['jog']['other_rev_s']) < 0.2
    assert found['timeout']['passed']
    assert 0.2 < found['timeout']['travel_rev'] < 1.9


@pytest.mark.system
def test_the_table_says_what_to_write_and_without_a_jog_nothing_turns(port, capsys):
    assert main(['link-test', port, '--seconds', '0']) == 0
    text = capsys.readouterr().out
    assert 'of 200 answered, 0.0 % lost' in text
    assert 'timeout' not in text


@pytest.mark.system
def test_a_fault_of_the_link_is_a_line_with_its_remedy_and_nothing_turns(tmp_path, capsys):
    other = imageproc(index_before_timestamp=False)
    with MockProcess(tmp_path / 'radio', other, wire_time=False):
        assert main(['link-test', str(tmp_path / 'radio'), '--seconds', '0', '--jog', 'left', '--yes']) == 1
    text = capsys.readouterr().out
    assert 'jog           not done, nothing was turned' in text
    (problem,) = [line for line in text.splitlines() if line.startswith('PROBLEM')]
    assert 'set index_before_timestamp to false' in problem


@pytest.mark.system
def test_a_robot_of_another_address_is_no_answer(tmp_path, capsys):
    other = imageproc(radio=RadioConfig(address=2))
    with MockProcess(tmp_path / 'radio', other, wire_time=False):
        assert main(['link-test', str(tmp_path / 'radio'), '--seconds', '0', '--json']) == 1
    found = json.loads(capsys.readouterr().out)
    assert found['problems'] == [
        "the robot's radio does not acknowledge: switch it on, look at radio.address, CH and ID of the XBees"
    ]
    assert (found['who_am_i'], found['gains_echoed'], found['passed']) == (None, False, False)


class Jogging:
    """The real command with a leg turning, and the radio's end of the port: every packet that reaches it."""

    def __init__(self, folder):
        self.port = PtyPort(folder / 'radio')
        self.world = World(RobotConfig(), Condition(), 0)
        self.robot = WirelessRobot(
            self.world, Radio(RobotConfig().imageproc.radio, RadioFaults(), False, generator(0, 1))
        )
        self.start = time.monotonic()
        self.command = subprocess.Popen(
            [sys.executable, '-m', 'millirobot_adapt.app.main', 'link-test', str(self.port.path), '--seconds', '0',
             '--jog', 'left', '--yes'],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.until(lambda: any(self.world.microcontroller.command), 'a leg turns')

    def until(self, condition, what):
        deadline = time.monotonic() + 60.0
        while not condition():
            assert time.monotonic() < deadline, what
            data = self.port.read(0.005)
            now = time.monotonic() - self.start
            if data:
                self.robot.radio.write(data, now)
            out = self.robot.advance(now)
            if out:
                self.port.write(out)

    @property
    def stands(self):
        return self.world.microcontroller.command == (0, 0)

    def close(self):
        self.command.kill()
        self.command.communicate()
        self.port.close()


@pytest.fixture
def jogging(tmp_path):
    jogging = Jogging(tmp_path)
    yield jogging
    jogging.close()


@pytest.mark.system
def test_killed_outright_in_a_jog_the_guardian_stops_the_leg(jogging):
    jogging.command.kill()
    killed = jogging.world.time
    jogging.until(lambda: jogging.stands, 'the leg stands')
    jogging.command.wait()
    assert jogging.world.time - killed < 5.0, 'a busy machine may need some time'


@pytest.mark.system
def test_a_second_ctrl_c_does_not_cut_the_stop_short(jogging):
    answer, jogging.port.write = jogging.port.write, lambda data: None  # so that the stop takes its time
    for _ in range(2):
        jogging.command.send_signal(signal.SIGINT)
        jogging.until(lambda: jogging.stands, 'the leg stands')
    jogging.port.write = answer
    jogging.until(lambda: jogging.command.poll() is not None, 'the command ends')
    assert jogging.command.returncode == 130
    assert jogging.world.microcontroller.command == (0, 0)


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (['/nowhere'], 'port /nowhere: no such port'),
        ([os.devnull], 'cannot be opened as a serial port'),
        (['/nowhere', '--jog', 'left'], 'put the robot on a stand and add --yes'),
    ],
)
def test_a_mistake_is_one_line(arguments, says, capsys, monkeypatch):
    monkeypatch.setattr('sys.stdin', io.StringIO())
    assert main(['link-test', *arguments]) == 2
    complaint = capsys.readouterr().err
    assert says in complaint
    assert complaint.count('\n') == 1
