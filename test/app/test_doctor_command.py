"""`millirobot doctor` through the real command: a fresh machine, and broken ones."""

import json
import os
import subprocess
import sys

import pytest

from millirobot_adapt.app.doctor.examine import CHECKS

pytestmark = pytest.mark.system
NO_PORT = ('--port', '/dev/no_such_port')


def doctor(*arguments, folder, **environment):
    """Run the command where nothing is heard from others; return its exit code and what it printed."""
    given = {**os.environ, 'ROS_DOMAIN_ID': '77', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', **environment}
    ended = subprocess.run(
        [sys.executable, '-m', 'millirobot_adapt.app.main', 'doctor', *arguments],
        capture_output=True, text=True, timeout=120, check=False, cwd=folder, env=given,
    )  # fmt: skip
    assert 'Traceback' not in ended.stderr
    return ended


def findings(ended):
    """The level and the text of each check's worst finding."""
    worst = {}
    for row in json.loads(ended.stdout)['findings']:
        rank = ('ok', 'warn', 'fail').index(row['level'])
        if row['check'] not in worst or rank > worst[row['check']][0]:
            worst[row['check']] = (rank, row['level'], f'{row["what"]} -> {row["fix"]}')
        assert row['fix'] or row['level'] == 'ok', row
    return {check: (level, text) for check, (_, level, text) in worst.items()}


def test_a_fresh_machine_is_fit_for_the_mock(tmp_path):
    ended = doctor('--json', *NO_PORT, folder=tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert json.loads(ended.stdout)['passed'] is True
    found = findings(ended)
    assert set(found) == set(CHECKS)
    for check in ('software', 'middleware', 'other nodes', 'parameters', 'engine'):
        assert found[check][0] == 'ok', found[check]
    for check in ('port', 'mocap', 'robot', 'model'):
        assert found[check][0] == 'warn', found[check]
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_robot_model_and_middleware_says_all_of_it(tmp_path):
    ended = doctor(
        '--robot',
        '--json',
        '--model',
        'no_such_model',
        *NO_PORT,
        folder=tmp_path,
        RMW_IMPLEMENTATION='rmw_nobodys',
    )
    assert ended.returncode == 1
    found = findings(ended)
    assert set(found) >= set(CHECKS) - {'other nodes'}
    assert {check for check, (level, _) in found.items() if level == 'fail'} == {'middleware', 'mocap', 'port', 'model'}
    assert 'rmw_nobodys' in found['middleware'][1]
    assert '/dev/no_such_port' in found['port'][1]
    assert 'no_such_model' in found['model'][1]
    assert 'velociroach_rebal' in found['model'][1]


def test_for_people_each_finding_is_a_line_with_its_mend_below(tmp_path):
    ended = doctor('--robot', *NO_PORT, folder=tmp_path, RMW_IMPLEMENTATION='rmw_nobodys')
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith('fail port'))
    assert lines[place + 1].strip().startswith('-> plug in')
    assert lines[-1].endswith(' fail')
    assert not lines[-1].endswith(' 0 fail')


@pytest.mark.parametrize('arguments', [('--params', 'nowhere.yaml'), ('--prot', '/dev/ttyUSB0')])
def test_a_command_line_that_makes_no_sense_is_exit_code_2(tmp_path, arguments):
    ended = doctor(*arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ''
    assert arguments[0] in ended.stderr.splitlines()[-1]
