"""Choose the action of a tick from the newest plan, and know when there is none left to trust."""

from __future__ import annotations

from millirobot_adapt.core.planning.planner_interface import Plan
from millirobot_adapt.core.robot.layout import FloatArray


class PlanBuffer:
    """Hold the newest plan and the tick it was made in.

    A plan made in tick j says what to send in tick j + 1 (its row 1), j + 2 (row 2), and so on. In time, the action of
    tick k comes from the plan of tick k - 1; after a missed deadline it is the next action of the last plan.
    """

    def __init__(self, misses_allowed: int, neutral: FloatArray) -> None:
        """Make an empty buffer; `neutral` is the action with which the robot stands, shape (nu,)."""
        self._misses_allowed = misses_allowed
        self._neutral = neutral
        self._plan: Plan | None = None
        self._tick = 0
        self.blind = 0
        """Plans in a row of which none was usable: each stands still, a model that recovers walks on."""

    def restart(self, tick: int) -> None:
        """Forget the plan: a new run begins with `tick`."""
        self._plan, self._tick = None, tick
        self.blind = 0

    def store(self, tick: int, plan: Plan) -> None:
        """Keep the plan made in `tick`; a late result of an older tick is left out."""
        if tick >= self._tick:
            self._plan, self._tick = plan, tick
            self.blind = 0 if plan.usable else self.blind + 1

    def misses(self, tick: int) -> int:
        """Return how many deadlines in a row were missed when `tick` begins (0: the plan came in time)."""
        return max(0, tick - self._tick - 1)

    def action(self, tick: int) -> FloatArray | None:
        """Return the action for `tick` [rad/s], shape (nu,); None when too many deadlines were missed in a row.

        Before the first plan of a run the robot stands.
        """
        row = tick - self._tick
        if row > self._misses_allowed + 1:
            return None
        if self._plan is None:
            return self._neutral.copy()
        return self._plan.actions[row] if row < len(self._plan.actions) else None
