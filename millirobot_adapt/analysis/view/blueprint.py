"""How the viewer opens: the floor and the robot to the left, plots over time to the right."""

from __future__ import annotations

import rerun.blueprint as rrb

WORLD, LOG = '/world', '/events'


def layout() -> rrb.Blueprint:
    """Return the blueprint."""
    floor = rrb.Spatial3DView(origin=WORLD, name='Floor, paths, robot')
    plots = rrb.Tabs(
        rrb.Vertical(
            rrb.TimeSeriesView(origin='/errors/next_step', name='Error of the next step'),
            rrb.TimeSeriesView(origin='/errors/horizon', name='Position error at the horizon [cm]'),
            rrb.TimeSeriesView(origin='/errors/off_path', name='Distance to the path [cm]'),
            name='Errors',
        ),
        rrb.Vertical(
            rrb.TimeSeriesView(origin='/legs/left', name='Left legs [rev/s]'),
            rrb.TimeSeriesView(origin='/legs/right', name='Right legs [rev/s]'),
            name='Legs',
        ),
        rrb.Vertical(
            rrb.TimeSeriesView(origin='/tick', name='Plan ready, since the tick began [ms]'),
            rrb.TimeSeriesView(origin='/link/round_trip', name='Round trip [ms]'),
            rrb.TimeSeriesView(origin='/link/lost', name='Replies lost'),
            name='Clock and link',
        ),
    )
    side = rrb.Vertical(plots, rrb.TextLogView(origin=LOG, name='Events'), row_shares=[4, 1])
    return rrb.Blueprint(rrb.Horizontal(floor, side, column_shares=[3, 2]), rrb.TimePanel(state='collapsed'))
