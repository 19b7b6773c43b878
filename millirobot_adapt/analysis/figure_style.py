"""The look that all figures share: sizes, colours that colour-blind people can distinguish, inline SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from millirobot_adapt.core.files import whole_file
from millirobot_adapt.core.robot.state import FloatArray

# Okabe and Ito's colours, which people with any colour vision can distinguish, and greys.
BLUE, ORANGE, GREEN = '#0072B2', '#D55E00', '#009E73'
INK, GREY, LIGHT, FAINT = '#1f2933', '#5b6670', '#c9d0d6', '#eceff2'
STOP = '#8f2d00'
PALETTE = (ORANGE, BLUE, GREEN, '#CC79A7', '#56B4E9', '#E69F00', '#7A5195', '#8C6D31')
"""Colours of methods or variants, the baseline's first: Okabe and Ito's, and two more. A ninth begins again."""
DASHED = (0, (3, 2))

WIDTH = 5.6
"""Width of a figure [inch]: its 9-point text stays readable on a phone and is not loud on a desk."""

HEIGHT = 2.9
"""Height of a figure over time [inch]."""

HERO = 1.4 * WIDTH
"""Width of a figure that has a row of the page to itself [inch]."""

DOTS: Any = {'markersize': 3.5, 'markeredgewidth': 0}
"""How a figure over time draws single values."""

MEDIAN_TICKS = 15
"""Width of running medians [ticks]."""

_STYLE: Any = {
    'font.size': 9.0,
    'axes.prop_cycle': cycler(color=PALETTE),
    'axes.edgecolor': LIGHT,
    'axes.labelcolor': GREY,
    'axes.titlecolor': INK,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.grid.axis': 'y',
    'axes.axisbelow': True,
    'grid.color': FAINT,
    'grid.linewidth': 0.8,
    'xtick.color': LIGHT,
    'ytick.color': LIGHT,
    'xtick.labelcolor': GREY,
    'ytick.labelcolor': GREY,
    'lines.solid_capstyle': 'round',
    'svg.fonttype': 'none',
    'svg.hashsalt': 'millirobot',
}


@dataclass(frozen=True)
class Drawing:
    """A figure and what it says, in one sentence with its numbers."""

    figure: Figure
    says: str


@contextmanager
def styled() -> Iterator[None]:
    """Apply the look to figures made inside."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(height: float, rows: int = 1, width_ratios: tuple[float, ...] = (1.0,)) -> tuple[Figure, list[Axes]]:
    """Make a figure `height` inches tall with axes in `rows` rows and columns of the given ratios, row by row."""
    figure = Figure(figsize=(WIDTH, height), layout='constrained')
    grid = figure.subplots(
        rows, len(width_ratios), squeeze=False, sharex='col', gridspec_kw={'width_ratios': width_ratios}
    )
    return figure, list(grid.ravel())


def save_png(figure: Figure, path: Path, dpi: int = 150) -> None:
    """Save a figure as PNG, without the version of the library: equal figures give equal files.

    Raises:
        OSError: the file cannot be written.
    """
    FigureCanvasAgg(figure)
    with whole_file(path) as file:
        figure.savefig(file, format=path.suffix[1:] or 'png', dpi=dpi, metadata={'Software': None})


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """Return a figure as an SVG element to stand inside HTML.

    Args:
        figure: The figure.
        name: Keeps its ids apart from other figures'.
        alt: What it shows, for those who do not see it.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', transparent=True, metadata={'Date': None, 'Creator': None, 'Format': None})
    root = ElementTree.fromstring(buffer.getvalue())
    for metadata in root.findall(f'{_SVG}metadata'):
        root.remove(metadata)
    root.attrib = {'class': 'figure', 'viewBox': root.attrib['viewBox'], 'role': 'img', 'aria-label': alt}
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.attrib = {_local(key): _named(_local(key), value, name) for key, value in element.attrib.items()}
    return ElementTree.tostring(root, encoding='unicode')


_SVG, _XLINK = '{http://www.w3.org/2000/svg}', '{http://www.w3.org/1999/xlink}'


def _local(key: str) -> str:
    """Return an attribute's name without its namespace: HTML has none."""
    return key.removeprefix(_XLINK)


def _named(key: str, value: str, name: str) -> str:
    """Put the figure's name before an id, and before references to ids of the same figure."""
    if key == 'id':
        return f'{name}-{value}'
    if key == 'href' and value.startswith('#'):
        return f'#{name}-{value[1:]}'
    return value.replace('url(#', f'url(#{name}-')


def running_median(values: FloatArray, width: int) -> FloatArray:
    """Return the median of the last `width` values, NaN left out, at each place; NaN where there is none."""
    medians = np.full(len(values), np.nan)
    for i in range(len(values)):
        window = values[max(0, i - width + 1) : i + 1]
        window = window[np.isfinite(window)]
        if len(window):
            medians[i] = np.median(window)
    return medians


def worst(times: FloatArray, values: FloatArray, count: int = 1200) -> tuple[FloatArray, FloatArray]:
    """Return at most about `count` of the values, the largest of each stretch of neighbours, and their times."""
    stretch = -(-len(values) // count)
    starts = range(0, len(values), max(stretch, 1))
    chosen = [start + int(np.argmax(values[start : start + stretch])) for start in starts]
    return times[chosen], values[chosen]


def finish_time_axis(
    axes: Axes,
    span: tuple[float, float],
    marks: Sequence[tuple[float, str, bool]],
    last: bool = True,
    label: bool = True,
) -> None:
    """Give a plot its time axis [s] and the marks of events; `last` is the lowest panel, which names the axis."""
    axes.set_xlim(*span)
    mark_events(axes, marks, label)
    if last:
        axes.set_xlabel('time since the first tick [s]')


def mark_events(axes: Axes, events: Sequence[tuple[float, str, bool]], label: bool = True) -> None:
    """Mark when faults began (dashed) and the robot was stopped (solid); the axis must have its limits already.

    Args:
        axes: A plot over time.
        events: Time [s], name, and whether it is a stop.
        label: Write the names above.
    """
    for time, name, stop in events:
        axes.axvline(time, color=STOP if stop else INK, linewidth=1.0, linestyle='-' if stop else DASHED, zorder=1.5)
        if label:
            late = time > np.mean(axes.get_xlim())
            axes.annotate(
                name, (time, 1.0), xycoords=('data', 'axes fraction'), xytext=(3 if late else -3, 3),
                textcoords='offset points', ha='right' if late else 'left', va='bottom', color=STOP if stop else INK,
                fontsize=8.5,
            )  # fmt: skip


def label_line(axes: Axes, times: FloatArray, values: FloatArray, text: str, color: str, dy: float = 0.0) -> None:
    """Write a line's name right of its last finite value."""
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite):
        last = finite[-1]
        axes.annotate(
            text, (times[last], values[last]), xytext=(5, dy), textcoords='offset points', color=color, va='center',
            annotation_clip=False,
        )  # fmt: skip
