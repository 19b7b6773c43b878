"""The controller of the robot, and one plan of it, outside a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from millirobot_adapt.api.dynamics_model import Rollable
    from millirobot_adapt.core.control.loop import ControlLoop
    from millirobot_adapt.core.control.wiring import ControllerConfig
    from millirobot_adapt.core.planning.planner_interface import Plan
    from millirobot_adapt.core.planning.reference_path import ReferencePath

Parameters = Mapping[str, Any]
"""Parameters of the controller by dotted name, such as {'planner.samples': 200}; docs/parameters.md lists them."""


def make_controller(model: str = '', method: str = '', parameters: Parameters | None = None) -> ControlLoop:
    """Make the controller that adapts and plans: for `Sim.walk`, or to be stepped tick by tick.

    It has the parameters of params/controller.yaml where nothing else is said.

    Args:
        model: Model bundle by name or folder; '': that of the parameters.
        method: Adaptation method; without a model it brings the one that ships for it.
        parameters: Others by dotted name, such as {'planner.samples': 200}.

    Returns:
        What has `restart(path)` and `step(tick, stamp, state, sent, executing)`, see `core.control.loop`.

    Raises:
        UserError: an unknown parameter, a value out of range, a missing model.
    """
    from dataclasses import replace

    from millirobot_adapt.core.control.wiring import assemble
    from millirobot_adapt.core.dynamics.method_factory import model_for_method

    config = _config(parameters)
    if method and not model:
        model = model_for_method(method, config.model, config.robot)
    return assemble(replace(config, model=model or config.model, method=method or config.method)).loop


@dataclass(frozen=True)
class PlannedPath:
    """A plan and the path that it should follow; `plan` makes it."""

    plan: Plan
    """Actions (H, nu), predicted states (H + 1, nx), cost."""
    reference: ReferencePath

    def plot(self, ax: Any = None) -> Axes:
        """Draw the path and what the plan predicts; return the axes."""
        from millirobot_adapt.analysis.figure_style import GREEN, GREY
        from millirobot_adapt.api.pictures import map_for

        with map_for(ax) as axes:
            axes.plot(*self.reference.outline.T, color=GREY, linestyle='--', linewidth=1.0, label='path to follow')
            axes.plot(*self.plan.states[:, :2].T, color=GREEN, marker='.', linewidth=1.5, label='plan')
            axes.legend(fontsize='small')
        return axes


def plan(
    model: Rollable,
    state: ArrayLike,
    path: str | ReferencePath = 'figure8',
    executing: ArrayLike | None = None,
    parameters: Parameters | None = None,
    seed: int = 0,
) -> PlannedPath:
    """Plan once along a path, as the controller does in a tick, without a deadline.

    Args:
        model: As it was trained, or adapted.
        state: Where the robot is, shape (nx,).
        path: Shape, CSV or YAML file, or a path made by hand; its coordinates are those of `world`.
        executing: The action that the robot executes in the first of the H steps [rad/s], shape (nu,); None: it stands.
        parameters: Of the controller by dotted name; the others are those of params/controller.yaml.
        seed: Seed of the candidates.

    Raises:
        UserError: no such path, an unknown parameter, a value out of range.
    """
    from functools import partial

    import numpy as np

    from millirobot_adapt.core.planning.objective import TrackingObjective
    from millirobot_adapt.core.planning.optimize import unlimited
    from millirobot_adapt.core.planning.paths import make_path
    from millirobot_adapt.core.planning.planner_factory import make_planner
    from millirobot_adapt.core.planning.tracking import PathTracker
    from millirobot_adapt.core.repeatability import generator
    from millirobot_adapt.core.robot.description import load_robot

    config = _config(parameters)
    robot = load_robot(config.robot)
    reference = make_path(path) if isinstance(path, str) else path
    begin = np.asarray(state, dtype=float)
    position = PathTracker(reference).update(begin).position
    found = make_planner(config.planner, robot).plan(
        rollout=partial(model.dynamics.rollout, begin),
        objective=TrackingObjective(config.objective, reference, position, robot.dt),
        executing=robot.layout.neutral if executing is None else np.asarray(executing, dtype=float),
        previous=None,
        generator=lambda batch: generator(seed, 0, batch),
        go_on=unlimited,
    )
    return PlannedPath(found, reference)


def _config(parameters: Parameters | None) -> ControllerConfig:
    """Return the shipped parameters with some changed."""
    from millirobot_adapt.core.config import build, flatten, nest, read_params
    from millirobot_adapt.core.control.wiring import ControllerConfig
    from millirobot_adapt.core.share import find

    shipped = read_params(find('params', 'controller', '.yaml'), 'controller', ControllerConfig)
    return build(ControllerConfig, nest({**flatten(shipped), **(parameters or {})}), 'parameters')
