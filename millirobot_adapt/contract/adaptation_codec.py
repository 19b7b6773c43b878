"""Lay out what plots show of a tick as a few named numbers: the data of the topic `adaptation`.

The topic `tick` holds these numbers too, among hundreds at places that depend on the sizes of model and plan. Here each
has a fixed place, which a message path of Foxglove or PlotJuggler can name: `/adaptation.data[1]`.
"""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.robot.state import FloatArray

FIELDS = (
    ('stamp', 's'), ('pre_error', ''), ('post_error', ''), ('inner_step', ''), ('wait_ms', 'ms'), ('adapt_ms', 'ms'),
    ('plan_ms', 'ms'), ('work_ms', 'ms'), ('period_ms', 'ms'), ('misses', ''),
)  # fmt: skip
"""Fields of `TickRecord` in the order of the data, with their units."""
LABEL = ', '.join(f'{name} [{unit}]' if unit else name for name, unit in FIELDS)
"""Label of the message: what the numbers are."""


def encode_adaptation(record: TickRecord) -> FloatArray:
    """Return the numbers of `FIELDS`, shape (10,); NaN where the tick has none."""
    return np.array([getattr(record, name) for name, _ in FIELDS], dtype=float)
