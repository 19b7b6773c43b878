"""`millirobot link-test` through the real command, against the mock on a pty."""

import io
import json
import os
import signal

import pytest

from millirobot_adapt.benchmarks.mock_process import MockProcess
from millirobot_adapt.cli.main import main
from millirobot_adapt.core.robot import RobotConfig


@pytest.fixture(autouse=True)
def _signals():
    """The command takes signals for itself; give them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def port(tmp_path):
    port = tmp_path / 'radio'
    with MockProcess(port, RobotConfig(), wire_time=False):
        yield str(port)


@pytest.mark.system
def test_a_sound_robot_passes_every_check_and_may_be_marked_as_verified(port, capsys):
    assert main(['link-test', port, '--seconds', '0.3', '--jog', 'left', '--yes', '--json']) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['passed']
    assert 'mock' in found['who_am_i']
    assert found['gains_echoed']
    assert (found['round_trips']['sent'], found['round_trips']['replies']) == (200, 200)
    assert sum(found['round_trips']['histogram_ms'].values()) == 200
    assert found['live_samples'] >= 1
    assert found['jog']['rate_rev_s'] == pytest.approx(2.0, rel=0.3)
    assert abs(found['jog']['other_rev_s']) < 0.2
    assert found['timeout']['standing']
    assert 0.2 < found['timeout']['travel_rev'] < 1.9


@pytest.mark.system
def test_the_table_says_what_to_write_and_without_a_jog_nothing_turns(port, capsys):
    assert main(['link-test', port, '--seconds', '0']) == 0
    text = capsys.readouterr().out
    assert '200 of 200 answered' in text
    assert 'timeout' not in text


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
