"""Find the mocks that run on this machine, and let a fault of one begin from another program."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from millirobot_adapt.core.errors import UserError

PROC = Path('/proc')
GRAPH = (
    'ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_LOCALHOST_ONLY', 'ROS_STATIC_PEERS', 'RMW_IMPLEMENTATION',
    'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE', 'CYCLONEDDS_URI', 'ZENOH_SESSION_CONFIG_URI',
    'ZENOH_CONFIG_OVERRIDE',
)  # fmt: skip
"""Environment variables that decide which ROS graph a process lives in."""


@dataclass(frozen=True)
class RunningMock:
    """A process with the node mock_robot."""

    process: int
    environment: dict[str, str]
    """Those variables of `GRAPH` that it has."""

    @property
    def domain(self) -> int:
        """Its ROS domain."""
        return int(self.environment.get('ROS_DOMAIN_ID') or 0)


def running_mocks() -> list[RunningMock]:
    """Return the mocks of this user on this machine."""
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / 'cmdline').read_bytes().split(b'\0')[:5]
            if b'mock_robot' not in words and not any(word.endswith(b'/mock_robot') for word in words):
                continue
            pairs = (pair.partition('=') for pair in (entry / 'environ').read_bytes().decode().split('\0'))
        except OSError:  # it has ended, or belongs to somebody else
            continue
        found.append(RunningMock(int(entry.name), {name: value for name, _, value in pairs if name in GRAPH}))
    return found


def choose_mock(domain: int | None) -> RunningMock:
    """Return the mock in a ROS domain; None: the only one.

    Raises:
        UserError: there is none, or several and no domain was given.
    """
    mocks = running_mocks()
    domains = sorted({mock.domain for mock in mocks})
    if not mocks:
        raise UserError('no mock runs on this machine; start one with millirobot demo or the launch file simulation')
    if domain is None and len(domains) > 1:
        raise UserError(f'several mocks run, in the ROS domains {", ".join(map(str, domains))}; choose with --domain')
    chosen = [mock for mock in mocks if domain is None or mock.domain == domain]
    if not chosen:
        raise UserError(f'no mock runs in ROS domain {domain}; there is one in {", ".join(map(str, domains))}')
    return chosen[0]


def inject_into(mock: RunningMock, namespace: str, name: str, value: str | None, duration: float) -> tuple[bool, str]:
    """Join the mock's ROS graph and let a fault begin; return whether it has, and what the mock says."""
    for variable in GRAPH:
        os.environ.pop(variable, None)
    os.environ.update(mock.environment)
    from millirobot_adapt.ros.inject import inject_once

    return inject_once(namespace, name, value, duration)
