"""The doctor beside processes that run: it hears motion capture, sees other nodes, and finds the port in use."""

import json

import pytest
from harness import MILLIROBOT, run

from millirobot_adapt.bringup.processes import BRIDGE

pytestmark = pytest.mark.system


def test_what_runs_already_is_found(group):
    port = group.start_mock()
    group.start(BRIDGE, port=port)
    group.bring_up(BRIDGE)
    ended = run([*MILLIROBOT, 'doctor', '--robot', '--json', '--port', str(port)], group.environment)
    found = {row['check']: row for row in json.loads(ended.stdout)['findings']}
    assert 'Hz on mocap/pose' in found['mocap']['what'], 'on a busy machine it may be slow, but it is heard'
    assert found['mocap']['level'] != 'fail'
    assert found['other nodes']['level'] == 'warn'
    assert 'bridge' in found['other nodes']['what']
    assert found['port']['level'] == 'fail'
    assert 'in use' in found['port']['what']
    assert ended.returncode == 1
