"""Make a tick repeat bit for bit: random numbers from (seed, tick, batch), and the fingerprint of everything else.

Where two fingerprints are equal, a tick replays bit for bit.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping

import numpy as np
import onnxruntime

from millirobot_adapt.core.config import Config, flatten
from millirobot_adapt.core.dynamics.cpu import cpu_flags


def generator(seed: int, *keys: int) -> np.random.Generator:
    """Return the generator of (seed, keys), e.g. (seed, tick, batch); equal keys give equal numbers everywhere."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *keys])))


DECISIONS = 3
"""Version of this package's own arithmetic. Raise it with every change to adaptation, planner, objective or path
following after which the same record gives another plan: `replay --check` then names the version to check with."""

VECTOR_UNITS = ('sse', 'ssse', 'avx', 'fma', 'f16c', 'amx', 'asimd', 'sve', 'neon')
"""CPU flags that begin so choose between kernels that round differently."""


def fingerprint(engine: Config, device: Mapping[str, str] | None = None) -> str:
    """Return the fingerprint of this process, `key=value` joined by '; '.

    Args:
        engine: How the network is evaluated, all its parameters count.
        device: What else counts where it is evaluated on a device (`dynamics/provider.py`).
    """
    parts = {
        'decisions': str(DECISIONS),
        'onnxruntime': onnxruntime.__version__,
        'numpy': np.__version__,
        'python': platform.python_version(),
        'libc': ' '.join(platform.libc_ver()).strip() or platform.system(),
        **{name: str(value) for name, value in flatten(engine).items()},
        **(device or {}),
        'cpu': ' '.join(_vector_units()),
    }
    return '; '.join(f'{key}={value}' for key, value in parts.items())


def decided_by(recorded: str) -> int:
    """Return the version of the decisions that a recorded fingerprint names; this one where it is empty."""
    return int(_parts(recorded).get('decisions', 1)) if recorded else DECISIONS


def differences(one: str, other: str) -> list[str]:
    """Return the keys in which two fingerprints differ."""
    first, second = _parts(one), _parts(other)
    return [key for key in {**first, **second} if first.get(key) != second.get(key)]


def _parts(text: str) -> dict[str, str]:
    pairs = (part.partition('=') for part in text.split('; '))
    return {key: value for key, _, value in pairs}


def _vector_units() -> list[str]:
    """Return the machine and the CPU flags that matter."""
    return [platform.machine(), *sorted(flag for flag in cpu_flags() if flag.startswith(VECTOR_UNITS))]
