"""Say what software runs on what machine: what the figures of a run depend on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from millirobot_adapt import __version__
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.core.yaml_file import read_yaml


def installation(ros: Mapping[str, str]) -> dict[str, Any]:
    """Return the versions of the software and the machine; `ros` holds `distro` and `rmw`."""
    return {
        'version': {'package': __version__, 'git': git_state(share_dir())},
        'ros': dict(ros),
        'host': host(),
    }


def describe_run(file: str, ros: Mapping[str, str]) -> str:
    """Return the YAML text that says what runs: that of `file`, or, where it is '', the installation alone.

    Raises:
        UserError: the file cannot be read, or is no YAML.
    """
    if not file:
        return str(yaml.safe_dump(installation(ros), sort_keys=False))
    read_yaml(Path(file))
    return Path(file).read_text(encoding='utf-8')


def git_state(folder: Path) -> str:
    """Return the commit of a checkout, with `-dirty` where files differ from it; '' without checkout or git."""
    if not (folder / '.git').exists():
        return ''
    try:
        answer = subprocess.run(
            ['git', '-C', str(folder), 'describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'],
            capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return answer.stdout.strip()


def host() -> dict[str, Any]:
    """Return what the figures of this run depend on: processor, cores we may use, Python, system."""
    return {
        'cpu': _cpu_model(),
        'cores': len(os.sched_getaffinity(0)),
        'python': platform.python_version(),
        'system': platform.platform(),
    }


def _cpu_model() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.machine())
