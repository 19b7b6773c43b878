"""Ask ROS from a process of its own: a middleware that cannot be loaded ends the process that tries."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from millirobot_adapt.contract.topics import MOCAP_POSE

LISTENING = 2.0
"""How long motion capture is listened to [s]."""
PATIENCE = 30.0
"""A middleware that needs longer to start is taken for stuck [s]."""


@dataclass(frozen=True)
class Probe:
    """What came of it."""

    error: str = ''
    """Why ROS did not start; empty when it did."""
    answer: dict[str, Any] = field(default_factory=dict)
    """What `millirobot_adapt.nodes.graph_probe` found."""


def probe(
    topic: str,
    program: tuple[str, ...] = ('-m', 'millirobot_adapt.nodes.graph_probe'),
    command: str = '',
    kind: str = MOCAP_POSE.type,
) -> Probe:
    """Start ROS in a child, listen to poses for `LISTENING` seconds, and return what it found.

    Args:
        topic: Where poses are published.
        program: What is started.
        command: Topic of a velocity command, whose listeners are looked for; '': none.
        kind: Type of the poses.
    """
    try:
        ended = subprocess.run(
            [sys.executable, *program, kind, topic, str(LISTENING), *([command] if command else [])],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Probe(error=f'did not start within {PATIENCE:g} s')
    if ended.returncode == 0:
        return Probe(answer=json.loads(ended.stdout.splitlines()[-1]))
    return Probe(error=_reason(ended.stderr) or f'ended with exit code {ended.returncode}')


def _reason(stderr: str) -> str:
    """Return the last line without ROS's time stamps, exception names and source lines."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    bare = re.sub(r'(, at /\S+:\d+)+$', '', lines[-1] if lines else '')
    return re.sub(r'^(\[[^]]*\]:? *)+|^[\w.]*(Error|Exception): ', '', bare)
