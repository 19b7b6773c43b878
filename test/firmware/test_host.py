"""The firmware as a host program on a pseudo-terminal: what the bridge's own tools find at its end."""

import json
import signal
import subprocess
import time

import pytest
from build import made, needs_compiler

from millirobot_adapt.app.main import main

pytestmark = [needs_compiler, pytest.mark.system]


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    return made('host', tmp_path_factory.mktemp('firmware')) / 'robot'


@pytest.fixture
def robot(program, tmp_path):
    """Start the program with options; returns the link to its terminal."""
    started = []

    def start(*options):
        link = tmp_path / 'radio'
        started.append(subprocess.Popen([program, link, *options]))
        deadline = time.monotonic() + 30.0
        while not link.is_symlink():
            assert time.monotonic() < deadline
            assert started[0].poll() is None
            time.sleep(0.01)
        return str(link)

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not (tmp_path / 'radio').is_symlink()


@pytest.mark.parametrize('side', ['left', 'right'])
def test_the_reference_firmware_passes_link_test_and_stops_by_itself(robot, side, capsys):
    code = main(['link-test', robot(), '--seconds', '0.3', '--jog', side, '--yes', '--json'])
    found = json.loads(capsys.readouterr().out)
    assert (found['problems'], code) == ([], 0)
    assert found['who_am_i'] == 'millirobot_adapt reference firmware 1'
    assert found['jog']['rate_rev_s'] == pytest.approx(1.8, abs=0.2)
    assert found['timeout']['passed']
    assert 0.25 < found['timeout']['travel_rev'] < 1.0


def test_a_robot_of_another_address_hears_nothing(robot, capsys):
    assert main(['link-test', robot('--address', '2'), '--seconds', '0', '--json']) == 1
    assert 'radio does not acknowledge' in json.loads(capsys.readouterr().out)['problems'][0]


def test_the_other_api_mode_is_found_out(robot, capsys):
    assert main(['link-test', robot('--escaped'), '--seconds', '0', '--json']) == 1
    assert 'radio.escaped to true' in ' '.join(json.loads(capsys.readouterr().out)['problems'])


@pytest.mark.parametrize('arguments', [[], ['--address', '65535', 'x'], ['a', 'b'], ['x', '--unknown']])
def test_a_mistake_is_one_line(program, arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith('usage: robot LINK')
