"""The environment of a run's processes; where they must meet no others, a ROS domain of their own on this machine."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from millirobot_adapt.contract.fault_hooks import VARIABLE as HOOKS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import share_dir

DOMAINS = range(1, 97)
"""Domains whose ports stay below the range from which Linux hands out ports (DDS: 7400 + 250 * domain + ...)."""


def _port(domain: int, offset: int) -> int:
    return 7400 + 250 * domain + offset


_FIRST_PARTICIPANT = 10
_UNUSED = 249
"""DDS uses the offsets 0 and 1 (multicast) and 10 + 2 * participant; nobody has 119 participants on one machine."""


@dataclass
class Domain:
    """A ROS domain that no other run on this machine uses, held until `release`."""

    number: int
    _reservation: socket.socket

    def release(self) -> None:
        """Release the domain."""
        self._reservation.close()


def reserve_domain(domains: range = DOMAINS) -> Domain:
    """Find a domain without participants on this machine and hold it (the system frees it if the process dies).

    Raises:
        UserError: every domain is in use.
    """
    for number in random.sample(domains, len(domains)):
        reservation = _bind('127.0.0.1', _port(number, _UNUSED))
        if reservation is None:
            continue
        probe = _bind('', _port(number, _FIRST_PARTICIPANT))
        if probe is not None:
            probe.close()
            return Domain(number, reservation)
        reservation.close()
    raise UserError(f'ROS domains: all of {domains[0]}..{domains[-1]} are in use on this machine; end other runs')


def _bind(host: str, port: int) -> socket.socket | None:
    """Bind a UDP port, or return None where somebody has it."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        return None
    return made


def check_log_folder(environment: Mapping[str, str]) -> None:
    """Make sure that ROS can make the folder of its logs, without which no node starts.

    Raises:
        UserError: it cannot.
    """
    places = (('ROS_LOG_DIR', ''), ('ROS_HOME', 'log'), ('HOME', '.ros/log'))
    folder = next((Path(environment[name], below) for name, below in places if environment.get(name)), None)
    if folder is None:
        raise UserError('HOME is not set; set HOME or ROS_LOG_DIR to a folder that can be written')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise UserError(f'{folder}: ROS cannot write its logs; set HOME or ROS_LOG_DIR to a folder that can be written')


def process_environment(mock_hooks: Path | None = None) -> dict[str, str]:
    """Return the environment of the processes of a run: this one's, with changes.

    `mock_hooks` is the file by which a mock can step their clock and end their workers (`contract/fault_hooks.py`).
    """
    changes = {
        # Messages reach the log files at once; a file in the working folder never hides a library.
        'PYTHONUNBUFFERED': '1',
        'PYTHONSAFEPATH': '1',
        # The arrays outside the networks are small: more threads would only wake up to wait.
        'OMP_NUM_THREADS': '1',
        'OPENBLAS_NUM_THREADS': '1',
    }
    if mock_hooks is not None:
        changes[HOOKS] = str(mock_hooks.resolve())
    return {**os.environ, **changes}


def local_environment(domain: int, mock_hooks: Path | None = None) -> dict[str, str]:
    """Return the environment of the processes of a run that must not meet other robots; see `process_environment`."""
    profile = str(share_dir() / 'params' / 'fastdds.xml')
    return {
        **process_environment(mock_hooks),
        'ROS_DOMAIN_ID': str(domain),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'FASTRTPS_DEFAULT_PROFILES_FILE': profile,  # Fast DDS 2 (Jazzy)
        'FASTDDS_DEFAULT_PROFILES_FILE': profile,  # Fast DDS 3 (Kilted)
    }


@contextmanager
def run_environment(own_domain: bool, mock_hooks: Path | None = None) -> Iterator[dict[str, str]]:
    """Yield the environment of the processes of a run.

    Args:
        own_domain: The run is alone in a ROS domain, which is held until the end; this process enters it as well, since
            the operator lives in it. Else the domain is the user's, in which the real robot's motion capture speaks.
        mock_hooks: See `process_environment`.

    Raises:
        UserError: every domain is in use.
    """
    if not own_domain:
        yield process_environment(mock_hooks)
        return
    domain = reserve_domain()
    try:
        environment = local_environment(domain.number, mock_hooks)
        os.environ.update(environment)
        yield environment
    finally:
        domain.release()
