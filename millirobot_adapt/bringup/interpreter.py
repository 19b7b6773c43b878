"""Find the Python that has what our programs need, whatever Python asks.

`ros2` and `colcon` run on the interpreter that their own first line names, the system's, whatever environment is
activated. That one has ROS and rarely our dependencies. So nothing of ours relies on the interpreter that happens to
run: launch files and executables import the standard library and ROS's launch alone, look here for an interpreter that
has everything, and go on in that one. A first line written at build time would do the same until `.venv` moves, and
then fail with "bad interpreter"; this says what is missing where.

This module runs on the system's Python: it imports the standard library alone.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millirobot_adapt.core.errors import UserError

VARIABLE = 'MILLIROBOT_PYTHON'
"""Environment variable that names the interpreter to use."""
BUILT_FROM = 'built_from.txt'
"""File beside the package, written by `colcon build`: the checkout that it was built from."""
PATIENCE = 30.0
"""An interpreter that does not answer within this time counts as broken [s]."""


def _probe() -> dict[str, Any]:
    """Find what this interpreter lacks; its source also runs on other interpreters, so it imports for itself."""
    import os
    import re
    from importlib import metadata, util

    sourced = [prefix for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if prefix]
    wanted, missing = [], []
    try:
        for line in metadata.requires('millirobot_adapt') or ():
            if 'extra' not in line:
                wanted.append(re.split(r'[^\w.-]', line)[0])
    except metadata.PackageNotFoundError:
        missing.append('millirobot_adapt')
    known, wheels = set(), False
    for each in metadata.distributions():
        name = re.sub(r'[-_.]+', '-', each.name or '').lower()
        known.add(name)
        inside = any(str(each.locate_file('')).startswith(f'{prefix}/') for prefix in sourced)
        wheels = wheels or (re.fullmatch(r'ros-\w+-rclpy', name) is not None and not inside)
    for name in wanted:  # a module of that name serves as well: onnxruntime may come from onnxruntime-gpu
        if re.sub(r'[-_.]+', '-', name).lower() not in known and util.find_spec(name.replace('-', '_')) is None:
            missing.append(name)
    if util.find_spec('rclpy') is None:
        missing.append('rclpy')
    return {'missing': missing, 'wheels': wheels}


@dataclass(frozen=True)
class Interpreter:
    """One Python, and why it cannot run our programs."""

    path: Path
    missing: tuple[str, ...] = ()
    """Distributions and modules that it lacks."""
    trouble: str = ''
    """Any other reason."""

    @property
    def complete(self) -> bool:
        """Our programs run on it."""
        return not self.missing and not self.trouble

    def __str__(self) -> str:
        if self.trouble:
            return f'{self.path}: {self.trouble}'
        return f'{self.path}' + (f': has no {", ".join(self.missing)}' if self.missing else '')


def built_from() -> Path | None:
    """Return the checkout that this installed package was built from; None for the checkout itself, or if unknown."""
    note = Path(__file__).resolve().parents[1] / BUILT_FROM
    try:
        checkout = Path(note.read_text(encoding='utf-8').strip())
    except OSError:
        return None
    return checkout if (checkout / 'package.xml').is_file() else None


def candidates() -> Iterator[Path]:
    """Return the interpreters to try, in this order: ours, that of the active environment, that of the checkout."""
    checkout = built_from() or Path(__file__).resolve().parents[2]
    environments = [os.environ.get('VIRTUAL_ENV', ''), str(checkout / '.venv')]
    paths = [Path(sys.executable), *(Path(place, 'bin', 'python') for place in environments if place)]
    return (path for number, path in enumerate(paths) if path.exists() and path not in paths[:number])


def find_interpreter() -> Path:
    """Return the interpreter for our programs.

    Raises:
        UserError: none has everything; the message names each with what it lacks.
    """
    wanted = os.environ.get(VARIABLE, '')
    if wanted:
        found = examine(Path(wanted).expanduser())
        if not found.complete:
            raise UserError(f'{VARIABLE} names {found}; install it there, or unset {VARIABLE}')
        return found.path
    tried = []
    for path in candidates():
        found = examine(path)
        if found.complete:
            return path
        tried.append(str(found))
    raise UserError(f'no Python has everything: {"; ".join(tried)}. Run `make env` in the checkout, then build again')


def examine_this() -> Interpreter:
    """Find what this interpreter lacks."""
    return examine(Path(sys.executable))


@functools.cache
def examine(path: Path) -> Interpreter:
    """Find what an interpreter lacks: this one by looking, another one by asking it."""
    if path == Path(sys.executable):
        return _judge(path, _probe())
    source = f'from typing import Any\n{inspect.getsource(_probe)}\nimport json\nprint(json.dumps(_probe()))'
    try:
        answer = subprocess.run(
            [str(path), '-c', source], capture_output=True, text=True, timeout=PATIENCE, check=False,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is for the program that asks
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return Interpreter(path, trouble=f'does not run ({error})')
    if answer.returncode != 0:
        lines = answer.stderr.strip().splitlines()
        return Interpreter(path, trouble=f'does not run ({lines[-1] if lines else f"exit code {answer.returncode}"})')
    return _judge(path, json.loads(answer.stdout.splitlines()[-1]))


def _judge(path: Path, found: Mapping[str, Any]) -> Interpreter:
    sourced = os.environ.get('ROS_DISTRO', '')
    if found['wheels'] and sourced and os.environ.get('AMENT_PREFIX_PATH'):
        return Interpreter(path, trouble=f'has ROS from wheels, which do not mix with the sourced ROS 2 {sourced}')
    return Interpreter(path, tuple(found['missing']))
