"""The installed executables: each runs in a Python that has what it needs.

`colcon build` writes the system's Python into their first line (see bringup/interpreter.py). So they import nothing of
ours but this file and that one, until they run in the right interpreter.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from millirobot_adapt.bringup.interpreter import examine_this, find_interpreter
from millirobot_adapt.bringup.interrupts import blocked, die_at_once
from millirobot_adapt.bringup.run_node import BAD_INPUT, run_program
from millirobot_adapt.core.errors import UserError


def _go_on_in_the_right_interpreter() -> None:
    """Return if this interpreter is right; else start the same program again in one that is.

    Raises:
        UserError: there is none.
    """
    if os.environ.get('MILLIROBOT_PYTHON', '') in ('', sys.executable) and examine_this().complete:
        return
    path = find_interpreter()
    if str(path) != sys.executable:
        with blocked():  # a signal that comes while the other one starts is not lost
            os.execv(path, [str(path), *sys.argv])


def _run(module: str) -> int:
    """Run `main` of a module, as a program that follows the rules of `interrupts.py`."""
    die_at_once()
    try:
        _go_on_in_the_right_interpreter()
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return BAD_INPUT
    return run_program(module)


def _node(name: str) -> Callable[[], int]:
    return lambda: _run(f'millirobot_adapt.nodes.{name}')


bridge = _node('bridge')
estimator = _node('estimator')
controller = _node('controller')
collector = _node('collector')
recorder = _node('recorder')
mock_robot = _node('mock_robot')
manager = _node('manager')
player = _node('player')
teleop = _node('teleop')


def millirobot() -> int:
    """Run the command `millirobot`."""
    if sys.argv[1:2] == ['demo']:  # it draws nothing; see `app/launched.py`
        os.environ.setdefault('MUJOCO_GL', 'disabled')
    return _run('millirobot_adapt.app.main')
