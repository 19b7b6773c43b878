"""The axes that the `plot()` methods draw on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@contextmanager
def axes_for(ax: Any, **labels: Any) -> Iterator[Axes]:
    """Yield the axes given, or those of a new figure that have these labels, in the package's style.

    Args:
        ax: matplotlib axes to draw on; None: a new figure.
        labels: For `Axes.set`, for a new figure.
    """
    import matplotlib.pyplot as plt

    from millirobot_adapt.analysis.figure_style import WIDTH, styled

    with styled():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, 0.75 * WIDTH), layout='constrained')
            ax.set(**labels)
        yield ax


@contextmanager
def map_for(ax: Any) -> Iterator[Axes]:
    """Yield axes that show x and y [m; world] in one scale; see `axes_for`."""
    with axes_for(ax, xlabel='x [m]', ylabel='y [m]', aspect='equal') as axes:
        yield axes
