"""Which middleware carries ROS's messages, and what the one that is chosen needs to work.

ROS reads the choice from RMW_IMPLEMENTATION. Fast DDS is what the tests run on; Cyclone DDS and Zenoh are passed on.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from millirobot_adapt.core.errors import UserError, did_you_mean

VARIABLE = 'RMW_IMPLEMENTATION'
"""Environment variable that chooses."""
FAST_DDS, CYCLONE_DDS, ZENOH = 'rmw_fastrtps_cpp', 'rmw_cyclonedds_cpp', 'rmw_zenoh_cpp'
KNOWN = (FAST_DDS, CYCLONE_DDS, ZENOH)
INDEX = Path('share', 'ament_index', 'resource_index', 'rmw_typesupport')
"""Below each prefix: one file for each middleware that is installed there."""
ROUTER = ('localhost', 7447)
"""Where Zenoh's nodes look for their router unless their session configuration says otherwise."""


def installed_middleware(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names of the middleware that this ROS has, sourced or from wheels; empty where that is not known."""
    prefixes = [*environment.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    found = {
        file.name
        for prefix in prefixes
        if prefix and Path(prefix, INDEX).is_dir()
        for file in Path(prefix, INDEX).iterdir()
    }
    return sorted(found - {'rmw_implementation'})


def refuse_absent(name: str, source: str, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a middleware that is not installed; ROS itself would end each process with a traceback.

    Args:
        name: Such as rmw_zenoh_cpp; empty for ROS's own choice.
        source: Who asks for it, for the error.
        environment: Where ROS is looked for.

    Raises:
        UserError: it is not installed; the message says what is.
    """
    have = installed_middleware(environment)
    if not name or not have or name in have:
        return
    if name not in KNOWN:
        raise UserError(
            f'{source}{name}: no middleware of that name{did_you_mean(name, have)}; choose {", ".join(have)}'
        )
    package = f'ros-{environment.get("ROS_DISTRO") or "$ROS_DISTRO"}-{name.replace("_", "-")}'
    raise UserError(
        f'{source}{name}: is not installed (this ROS has {", ".join(have)}); apt install {package}, and source ROS'
    )


def choose_middleware(name: str) -> None:
    """Let this process, before it joins a ROS graph, and its children use a middleware; empty: as the environment says.

    Raises:
        UserError: it is not installed.
    """
    refuse_absent(name, 'rmw:=')
    if name:
        os.environ[VARIABLE] = name
    refuse_absent(os.environ.get(VARIABLE, ''), f'{VARIABLE}=')


def what_is_missing(name: str, environment: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """Return what an installed middleware lacks to work, and the fix; None where nothing is known to be missing."""
    if name == CYCLONE_DDS:
        return _missing_file('CYCLONEDDS_URI', environment)
    if name != ZENOH:
        return None
    if environment.get('ZENOH_SESSION_CONFIG_URI'):
        return _missing_file('ZENOH_SESSION_CONFIG_URI', environment)
    try:
        socket.create_connection(ROUTER, timeout=1.0).close()
    except OSError:
        where = f'tcp/{ROUTER[0]}:{ROUTER[1]}'
        return f'no Zenoh router answers on {where}: nodes do not find each other', 'ros2 run rmw_zenoh_cpp rmw_zenohd'
    return None


def _missing_file(variable: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Look whether the file that a variable names is there; Cyclone DDS also takes the XML itself."""
    text = environment.get(variable, '')
    path = Path(text.removeprefix('file://')).expanduser()
    if not text or text.lstrip().startswith('<') or path.is_file():
        return None
    return f'{variable} names {path}, which is no file', f'correct {variable}, or unset it'
