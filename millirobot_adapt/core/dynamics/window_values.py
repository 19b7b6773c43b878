"""Hand a window to a graph that adapts."""

from __future__ import annotations

from onnxruntime import OrtValue

from millirobot_adapt.core.dynamics.engine import to_engine
from millirobot_adapt.core.dynamics.interface import Window

WINDOW_INPUTS = ('states', 'actions', 'next_states', 'mask')
"""What such a graph calls the parts of a window; they are the names of `Window`'s fields, too."""


def window_values(window: Window) -> dict[str, OrtValue]:
    """Return the parts of the window by the names of the graph's inputs."""
    return {name: to_engine(getattr(window, name)) for name in WINDOW_INPUTS}
