"""A dynamics model in two calls: adapt it to a window of transitions, and roll actions through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from millirobot_adapt.core.dynamics.bundle import Bundle
    from millirobot_adapt.core.dynamics.method_interface import AdaptedModel, Method, Window
    from millirobot_adapt.core.robot.layout import FloatArray, StateLayout


def load_model(name: str | Path = 'velociroach_rebal', method: str = '', robot: str = 'velociroach') -> DynamicsModel:
    """Load a model bundle.

    Args:
        name: A name under models/, or a folder.
        method: Adaptation method; '': the one that the bundle was trained for.
        robot: A name under params/robots/, or a file.

    Raises:
        UserError: there is no such bundle, it is damaged, or it does not fit the robot or the method.
    """
    from millirobot_adapt.core.dynamics.bundle import load_bundle
    from millirobot_adapt.core.dynamics.engine import EngineConfig
    from millirobot_adapt.core.dynamics.method_factory import make_method
    from millirobot_adapt.core.robot.description import load_robot

    bundle = load_bundle(str(name), load_robot(robot))
    return DynamicsModel(bundle, make_method(bundle, EngineConfig(), method), method or bundle.method)


class Rollable(Protocol):
    """What `rollout` takes: a model with fixed parameters."""

    @property
    def dynamics(self) -> AdaptedModel:
        """The network with its parameters."""

    @property
    def layout(self) -> StateLayout:
        """Names and places of states and actions."""


@dataclass(frozen=True)
class DynamicsModel:
    """A model as it was trained; `load_model` makes it."""

    bundle: Bundle = field(repr=False)
    """The files of the bundle, and the manifest that describes them."""
    core_method: Method = field(repr=False)
    """The method as the controller uses it."""
    method: str
    """Name of the adaptation method."""

    @property
    def name(self) -> str:
        """Name of the bundle's folder."""
        return self.bundle.path.name

    @property
    def layout(self) -> StateLayout:
        """Names, units and places of states and actions."""
        return self.bundle.layout

    @property
    def window_length(self) -> int:
        """T1, the transitions that an adaptation looks at."""
        return self.core_method.window_length

    @property
    def dynamics(self) -> AdaptedModel:
        """The network with theta*, the parameters before any adaptation."""
        return self.core_method.prior

    def adapt(self, window: Window) -> AdaptedDynamics:
        """Adapt to the newest T1 transitions of a window, starting from theta*, as the controller does in each tick.

        Args:
            window: Of any length, such as `LoadedRun.window` returns.
        """
        self.core_method.reset()
        done = self.core_method.adapt(_newest(window, self.window_length))
        return AdaptedDynamics(done.model, self.layout, done.loss_before, done.loss_after, done.step)


@dataclass(frozen=True)
class AdaptedDynamics:
    """A model after one adaptation; `DynamicsModel.adapt` makes it."""

    dynamics: AdaptedModel = field(repr=False)
    """The network with theta'."""
    layout: StateLayout = field(repr=False)
    """Names, units and places of states and actions."""
    loss_before: float
    """Mean squared normalised error of one-step predictions over the window with theta*."""
    loss_after: float
    """The same with theta'."""
    step: float
    """Share of the nominal inner step that was taken: 1 whole, 0 none."""


@dataclass(frozen=True)
class Forecast:
    """States that a model predicts; `rollout` makes it."""

    states: FloatArray
    """Row 0 is the state it began from, shape (H + 1, K, nx)."""
    actions: FloatArray
    """[rad/s], shape (H, K, nu)."""

    @property
    def positions(self) -> FloatArray:
        """Predicted x, y [m; world], shape (H + 1, K, 2)."""
        return self.states[:, :, :2]

    def errors(self, states: ArrayLike) -> FloatArray:
        """Return how far the predicted positions are from those of `states`, (H + 1, nx) [m], shape (H + 1, K)."""
        import numpy as np

        return np.asarray(np.linalg.norm(self.positions - np.asarray(states)[:, None, :2], axis=-1))

    def plot(self, ax: Any = None, label: str = '', color: str | None = None) -> Axes:
        """Draw the predicted paths; return the axes."""
        from millirobot_adapt.api.pictures import map_for

        with map_for(ax) as axes:
            lines = axes.plot(self.positions[:, :, 0], self.positions[:, :, 1], color=color, linewidth=1.5, marker='.')
            lines[0].set_label(label or '_')
            for line in lines[1:]:
                line.set_color(lines[0].get_color())
            if label:
                axes.legend(fontsize='small')
        return axes


def rollout(model: Rollable, state: ArrayLike, actions: ArrayLike) -> Forecast:
    """Predict what follows when actions are executed from a state.

    Args:
        model: As it was trained, or adapted.
        state: Where it begins, shape (nx,).
        actions: One sequence, shape (H, nu), or K of them, shape (H, K, nu) [rad/s].

    Raises:
        ValueError: an array has another shape.
    """
    import numpy as np

    layout = model.layout
    begin, given = np.asarray(state, dtype=float), np.asarray(actions, dtype=float)
    if given.ndim == 2:
        given = given[:, None]
    if begin.shape != (layout.nx,) or given.ndim != 3 or given.shape[2] != layout.nu or not len(given):
        raise ValueError(
            f'state {begin.shape} and actions {given.shape} are not ({layout.nx},) and (H, K, {layout.nu})'
        )
    return Forecast(np.asarray(model.dynamics.rollout(begin, given), dtype=float), given)


def _newest(window: Window, length: int) -> Window:
    """Return the newest `length` rows; missing ones in front, with mask 0."""
    import numpy as np

    from millirobot_adapt.core.dynamics.method_interface import Window

    def cut(rows: FloatArray) -> FloatArray:
        missing = max(0, length - len(rows))
        return np.concatenate([np.zeros((missing, *rows.shape[1:])), rows[max(0, len(rows) - length) :]])

    return Window(cut(window.states), cut(window.actions), cut(window.next_states), cut(window.mask))
