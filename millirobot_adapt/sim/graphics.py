"""Find a way to draw without a screen before MuJoCo is imported: it chooses its graphics library then, for good."""

from __future__ import annotations

import os
import subprocess
import sys

from millirobot_adapt.core.errors import UserError

VARIABLE = 'MUJOCO_GL'
BACKENDS = ('egl', 'osmesa')
"""Without a screen; the first one that works is taken."""
_PROBE = 'import mujoco; context = mujoco.GLContext(16, 16); context.make_current(); context.free()'
PROBE_TIMEOUT = 120.0
"""Longest wait for the answer of a backend [s]."""


def choose_backend() -> str:
    """Set `MUJOCO_GL` for this process and return it; a value that is there already is kept.

    Raises:
        UserError: neither EGL nor OSMesa works, or the one that was named does not.
    """
    named = os.environ.get(VARIABLE)
    for backend in (named,) if named else BACKENDS:
        if _works(backend):
            os.environ[VARIABLE] = backend
            return backend
    tried = f'{VARIABLE}={named} does not work' if named else 'neither EGL nor OSMesa works'
    raise UserError(
        f'no graphics: {tried} here; install one (apt install libegl1 libgl1-mesa-dri, or libosmesa6), '
        f'or unset {VARIABLE}'
    )


def _works(backend: str) -> bool:
    """Try a backend in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, '-c', _PROBE],
            env=os.environ | {VARIABLE: backend}, capture_output=True, timeout=PROBE_TIMEOUT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
