"""Compare methods on the mock, and models on a recorded run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from millirobot_adapt.api.dynamics_model import DynamicsModel
    from millirobot_adapt.api.recorded_run import LoadedRun
    from millirobot_adapt.experiments.episode import Episode


def evaluate(
    methods: Sequence[str] = ('mb', 'rebal'),
    conditions: Sequence[str] = ('leg_loss',),
    shapes: Sequence[str] = ('figure8',),
    seeds: int = 5,
    seconds: float = 40.0,
    jobs: int = -1,
) -> EvaluationResult:
    """Walk the same conditions, shapes and seeds of the mock with each method, in lock-step; see `millirobot evaluate`.

    Args:
        methods: `method`, `method=bundle` or `method@engine`; the first is the baseline.
        conditions: Names under params/conditions/, or files.
        shapes: Shapes, or files of waypoints.
        seeds: Seeds 0, 1, ... of each cell.
        seconds: Longest walk [s].
        jobs: Processes; -1: one for each core.

    Raises:
        UserError: an unknown name, a missing model, a number out of range.
    """
    from dataclasses import replace

    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.experiments import runner
    from millirobot_adapt.experiments.experiment import find_experiment, parse_method
    from millirobot_adapt.experiments.grid import check_episodes, episodes_of, run_episodes
    from millirobot_adapt.experiments.results_table import cells_of, rows_of

    experiment = replace(
        find_experiment(tuple(conditions)),
        methods=tuple(map(parse_method, methods)), shapes=tuple(shapes), seeds=seeds, seconds=seconds,
    )  # fmt: skip
    specs = episodes_of(experiment, 'controller.yaml')
    check_episodes(specs)
    episodes = run_episodes(specs, runner.run_episode, jobs=jobs)
    rows = rows_of(episodes, load_robot(specs[0].controller.robot).dt)
    names = [method.name for method in experiment.methods]
    return EvaluationResult(names, rows, cells_of(rows, names, experiment.groups), episodes)


@dataclass(frozen=True)
class EvaluationResult:
    """What `evaluate` found; printed, it is the table of `millirobot evaluate`."""

    methods: Sequence[str]
    """In their order; the first is the baseline."""
    rows: Sequence[dict[str, Any]]
    """One for each walk and span (`all`, `after_fault`): method, condition, shape, seed, cost, errors."""
    cells: Sequence[dict[str, Any]]
    """The rows of each condition and shape summed up, with 95 % intervals of the ratio to the baseline."""
    episodes: Sequence[Episode] = field(repr=False)
    """Every walk, tick by tick."""

    def __str__(self) -> str:
        from millirobot_adapt.experiments.results_table import as_text

        return as_text(self.cells, self.methods[0])

    def plot(self, ax: Any = None, span: str = 'all') -> Axes:
        """Draw the cost of every walk by condition, a colour for each method; return the axes.

        Args:
            ax: Axes to draw on; None: a new figure.
            span: 'all', or 'after_fault'.
        """
        import numpy as np

        from millirobot_adapt.analysis.figure_style import PALETTE
        from millirobot_adapt.api.pictures import axes_for

        rows = [row for row in self.rows if row['span'] == span]
        places = list(dict.fromkeys(f'{row["condition"]}\n{row["shape"]}' for row in rows))
        with axes_for(ax, ylabel='cost a step') as axes:
            for number, method in enumerate(self.methods):
                own = [row for row in rows if row['method'] == method]
                x = np.array([places.index(f'{row["condition"]}\n{row["shape"]}') for row in own], dtype=float)
                x += 0.6 * ((number + 0.5) / len(self.methods) - 0.5)
                axes.plot(x, [row['cost'] for row in own], '.', color=PALETTE[number % len(PALETTE)], label=method)
            axes.set_xticks(range(len(places)), places)
            axes.set_ylim(bottom=0.0)
            axes.legend(fontsize='small')
        return axes


def prediction_errors(run: LoadedRun, model: DynamicsModel) -> dict[int, dict[str, Any]]:
    """Measure how well a model predicts a recorded run, before and after adapting to the transitions just walked.

    At each state the model adapts to its newest T1 transitions and predicts the actions that were then executed.

    Args:
        run: The run.
        model: The model.

    Returns:
        For each horizon, 1, 5 and 10 control periods ahead: `predictions` (their number), `position_m` and
        `heading_rad`, each with the mean errors `before` and `after`; None where there is no prediction.
    """
    from millirobot_adapt.analysis.replay.open_loop import open_loop_errors, pool

    errors = [open_loop_errors(each, model.core_method, run.dt, model.layout, keep=False) for each in run.rollouts]
    return {horizon: entry.summary() for horizon, entry in pool(errors).items()}
