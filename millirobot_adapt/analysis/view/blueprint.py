"""How the viewer opens: the floor and the robot to the left, plots over time to the right."""

from __future__ import annotations

import numpy as np
import rerun.blueprint as rrb
from rerun.blueprint.archetypes import PlotBackground

from millirobot_adapt.analysis.figure_style import LIGHT
from millirobot_adapt.analysis.shown_units import shown_by_name
from millirobot_adapt.analysis.view.rerun_stream import rgb
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

WORLD, LOG = '/world', '/events'
ARENA = np.array([[-1.4, -1.2], [2.5, 1.8]])
"""What is looked at where no path is known yet: opposite corners x, y [m]."""
REPLIES = (('round_trip', 'Round trip [ms]'), ('lost', 'Replies lost'))
"""Plots of a robot that answers."""
PAPER = (246, 247, 248)
"""Ground of floor and plots: the colours of the lines are chosen for a light one."""


def blueprint(robot: StateLayout, corners: FloatArray = ARENA) -> rrb.Blueprint:
    """Return the blueprint, with a plot for each action and joint of the robot.

    Args:
        robot: Names its actions and joints.
        corners: Opposite corners of what the viewer looks at first, x, y [m], shape (2, 2).
    """
    floor = rrb.Spatial3DView(
        origin=WORLD,
        name='Floor, paths, robot',
        background=PAPER,
        line_grid=rrb.LineGrid3D(spacing=0.2, color=(*rgb(LIGHT), 90)),
        eye_controls=_eye(corners),
    )
    plots = rrb.Tabs(
        rrb.Vertical(
            _plot('/errors/next_step', 'Error of the next step [normalised]'),
            _plot('/errors/horizon', 'Position error at the horizon [cm]'),
            _plot('/errors/off_path', 'Distance to the path [cm]'),
            name='Errors',
        ),
        rrb.Vertical(
            *(_plot(f'/actions/{name}', f'{name} [{unit}]') for name, (unit, _) in shown_by_name(robot).items()),
            name='Actions',
        ),
        rrb.Vertical(
            _plot('/tick', 'Plan ready, since the tick began [ms]'),
            *(_plot(f'/link/{name}', title) for name, title in (REPLIES if robot.reports else ())),
            name='Clock and link' if robot.reports else 'Clock',
        ),
    )
    side = rrb.Vertical(plots, rrb.TextLogView(origin=LOG, name='Events'), row_shares=[4, 1])
    return rrb.Blueprint(
        rrb.Horizontal(floor, side, column_shares=[3, 2]),
        rrb.BlueprintPanel(state='collapsed'),
        rrb.SelectionPanel(state='collapsed'),
        rrb.TimePanel(state='collapsed', timeline='time', play_state='following'),
    )


def _eye(corners: FloatArray) -> rrb.EyeControls3D:
    """Look from the south and above, so that x is to the right, far enough away to see both corners."""
    middle, size = np.mean(corners, axis=0), float(np.max(np.ptp(corners, axis=0)))
    away = max(0.5, size)
    return rrb.EyeControls3D(
        position=(middle[0], middle[1] - 0.6 * away, 0.68 * away),
        look_target=(middle[0], middle[1], 0.0),
        eye_up=(0.0, 0.0, 1.0),
    )


def _plot(origin: str, name: str) -> rrb.TimeSeriesView:
    return rrb.TimeSeriesView(
        origin=origin,
        name=name,
        background=PlotBackground(color=PAPER, show_grid=False),
        plot_legend=rrb.Corner2D.RightTop,
    )
