"""One place where random generators come from, so that a tick replays from its record."""

from __future__ import annotations

import numpy as np


def generator(seed: int, *keys: int) -> np.random.Generator:
    """Return the generator of (seed, keys), e.g. (seed, tick, chunk); equal keys give equal numbers everywhere."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *keys])))
