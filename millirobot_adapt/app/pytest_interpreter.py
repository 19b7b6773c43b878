"""A pytest plugin: run the tests on a Python that has what they need, whatever Python pytest was started on.

`colcon test` starts pytest on the system's Python. pyproject.toml names this plugin, which pytest loads before it has
touched the terminal: it starts the same pytest again on the interpreter that `bringup/interpreter.py` finds.
"""

from __future__ import annotations

import os
import sys

from millirobot_adapt.bringup.interpreter import examine_this, find_interpreter
from millirobot_adapt.core.errors import UserError


def go_on_in_the_right_interpreter() -> None:
    """Return if this interpreter is right, else start pytest again on one that is."""
    if examine_this().complete:
        return
    try:
        path = str(find_interpreter())
    except UserError as error:
        sys.exit(f'error: {error}')
    os.execv(path, [path, '-m', 'pytest', *sys.argv[1:]])


go_on_in_the_right_interpreter()
