"""Which Python runs what: launch files run on that of `ros2`, our programs on one that has their dependencies."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from millirobot_adapt.app.doctor.finding import Finding, fail, ok, warn
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.bringup.interpreter import PATIENCE, VARIABLE, built_from, candidates, examine, find_interpreter
from millirobot_adapt.bringup.parameter_sources import stale_files
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import PACKAGE, share_dir

NEEDED_BY_LAUNCH = ('launch', 'launch_ros', 'ros2launch', PACKAGE)
"""What the interpreter of `ros2` must import for `ros2 launch millirobot_adapt ...`."""


def check_interpreters(_: Subject) -> Iterator[Finding]:
    """Find which Python runs nodes and commands, and which the launch files."""
    yield _programs()
    yield from _launch_files(shutil.which('ros2'))


def _programs() -> Finding:
    try:
        path = find_interpreter()
    except UserError as error:
        return fail(f'no Python runs our programs: {error}', '`make env` in the checkout')
    others = [found for found in map(examine, candidates()) if not found.complete and not os.environ.get(VARIABLE)]
    passed_over = ''.join(f'; not {found}' for found in others)
    return ok(f'our programs run on {path}{passed_over}')


def _launch_files(ros2: str | None) -> Iterator[Finding]:
    """Look at the way to `ros2 launch`; `ros2` is the path of that program."""
    if ros2 is None:
        yield ok('no `ros2` on the path: no launch files; `millirobot demo` and `millirobot collect --live` need none')
        return
    python = first_line_interpreter(Path(ros2))
    if python is None:
        yield warn(f'{ros2} names no interpreter in its first line', 'source the setup.bash of your ROS 2')
        return
    missing = cannot_import(python, NEEDED_BY_LAUNCH)
    build = 'colcon build --packages-select millirobot_adapt, then source install/setup.bash'
    if missing == [PACKAGE] or (not missing and installed_share() is None):
        yield warn(f'launch files run on {python}, which does not know {PACKAGE} yet', build)
    elif missing:
        yield warn(
            f'launch files run on {python}, which cannot import {", ".join(missing)}',
            'source the setup.bash of your ROS 2 (apt: ros-$ROS_DISTRO-ros2launch)',
        )
    else:
        yield ok(f'launch files run on {python}')
    yield from _stale()


def _stale() -> Iterator[Finding]:
    """Find parameter files that were edited here while a launch reads installed copies."""
    share = installed_share()
    if share is None:
        return
    checkout = built_from() or share_dir()
    for line in stale_files(share / 'params', checkout):
        yield warn(line.rpartition('; ')[0], line.rpartition('; ')[2])


def installed_share() -> Path | None:
    """Return share/millirobot_adapt of what `ros2 launch` finds, None if it finds nothing."""
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        marker = Path(prefix, 'share', 'ament_index', 'resource_index', 'packages', PACKAGE)
        if prefix and marker.exists():
            return Path(prefix, 'share', PACKAGE)
    return None


def first_line_interpreter(program: Path) -> str | None:
    """Return the interpreter that the first line of a program names, None if it names none."""
    with program.open('rb') as file:
        line = file.readline(4096).decode(errors='replace').strip()
    words = line.removeprefix('#!').split() if line.startswith('#!') else []
    if len(words) > 1 and Path(words[0]).name == 'env':
        return shutil.which(words[-1])
    return words[0] if words else None


def cannot_import(python: str, modules: tuple[str, ...]) -> list[str]:
    """Return those modules that an interpreter does not find."""
    source = (
        'import sys; from importlib.util import find_spec; '
        'print(*[name for name in sys.argv[1:] if find_spec(name) is None], "end")'
    )
    try:
        answer = subprocess.run(
            [python, '-c', source, *modules], capture_output=True, text=True, timeout=PATIENCE, check=False,
            cwd='/', stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return list(modules)
    return answer.stdout.split()[:-1] if answer.returncode == 0 else list(modules)
