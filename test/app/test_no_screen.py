"""A program that a terminal starts and that draws nothing starts no child to look for a screen."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import subprocess
import sys


def refuse(*args, **more):
    sys.exit('a child was started')


subprocess.Popen.__init__ = refuse
{start}
import millirobot_adapt.sim.world
assert 'mujoco' in sys.modules
"""
STARTS = {
    'a launch': "from millirobot_adapt.app import launched; sys.argv = ['launched', 'no_such_launch']; launched.main()",
    'the demo': 'from millirobot_adapt.app import entry; entry.run_program = lambda module: 0; '
    "sys.argv = ['millirobot', 'demo']; entry.millirobot()",
}


@pytest.mark.parametrize('start', STARTS)
def test_importing_the_simulator_starts_no_child(start):
    environment = {name: value for name, value in os.environ.items() if name != 'MUJOCO_GL'}
    program = PROGRAM.format(start=STARTS[start])
    done = subprocess.run(
        [sys.executable, '-c', program], env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
