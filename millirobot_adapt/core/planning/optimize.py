"""The one search loop of every planner: batches, iterations, time, refused candidates, final check of the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from millirobot_adapt.core.arrays import Array, namespace, on_host, quantile
from millirobot_adapt.core.planning.candidate_place import HOST, CandidatePlace
from millirobot_adapt.core.planning.planner_interface import (
    Draws,
    GoOn,
    Objective,
    Plan,
    PlanValidator,
    Rollout,
    Sampler,
    Watcher,
)
from millirobot_adapt.core.planning.sequences import Bounds, first_guess
from millirobot_adapt.core.robot.layout import FloatArray


@dataclass(frozen=True)
class SearchSize:
    """How many candidates a search draws, and how they are divided."""

    samples: int
    """K, candidates of all iterations together."""
    iterations: int
    """Rounds of ask and tell; they share the candidates evenly."""
    batch: int
    """Most candidates in one rollout; the deadline is checked between batches."""

    def batches(self) -> Iterator[tuple[int, bool]]:
        """Yield the size of each batch and whether it is the last one of its iteration.

        Sizes never depend on the time that is left, so that a search that was cut short can be repeated.
        """
        whole, rest = divmod(self.samples, self.iterations)
        for iteration in range(min(self.iterations, self.samples)):
            left = whole + (iteration < rest)
            while left > 0:
                size = min(self.batch, left)
                left -= size
                yield size, left == 0


class Planner:
    """Search for a good sequence of actions, starting from the plan of the tick before."""

    def __init__(
        self,
        start: Callable[[Array], Sampler],
        bounds: Bounds,
        *,
        horizon: int,
        size: SearchSize,
        validator: PlanValidator,
        place: CandidatePlace = HOST,
    ) -> None:
        """Make a planner.

        Args:
            start: Makes the sampler of a tick from its first guess, shape (H, nu), at `place`.
            bounds: Of the actions, on the host.
            horizon: H.
            size: How many candidates.
            validator: The last check of a plan.
            place: Where candidates live.
        """
        self._start, self._bounds, self._validator, self._place = start, bounds, validator, place
        self.horizon, self.size = horizon, size

    def plan(
        self,
        rollout: Rollout,
        objective: Objective,
        executing: FloatArray,
        previous: Plan | None,
        generator: Callable[[int], np.random.Generator],
        go_on: GoOn,
        samples: int | None = None,
        watcher: Watcher | None = None,
    ) -> Plan:
        """Plan with row 0 fixed to `executing` [rad/s, shape (nu,)]; all other actions lie inside the bounds.

        Args:
            rollout: The adapted model, from the current state.
            objective: The cost of candidates.
            executing: The action that the robot executes now.
            previous: The plan of the tick before; None: there is none.
            generator: Returns the random generator of a batch from its number.
            go_on: Asked before each batch; when it says no, the best plan so far counts.
            samples: Candidates of this tick; None: as many as configured.
            watcher: Is shown all candidates; None: nobody.
        """
        guess = first_guess(self._bounds, previous, executing, self.horizon)
        size = self.size if samples is None else replace(self.size, samples=samples)
        place = self._place
        return optimize(
            self._start(place.put(guess)),
            guess,
            rollout,
            _watched(place.objective(objective), watcher),
            size,
            lambda batch: place.draws(generator(batch)),
            go_on,
            self._validator,
            self._bounds.neutral,
        )


def _watched(objective: Objective, watcher: Watcher | None) -> Objective:
    """Return the same objective, with somebody looking on."""
    if watcher is None:
        return objective

    def score(states: Array, actions: Array) -> Array:
        costs = objective(states, actions)
        watcher(*(each if isinstance(each, np.ndarray) else on_host(each) for each in (states, costs)))
        return costs

    return score


def optimize(
    sampler: Sampler,
    guess: FloatArray,
    rollout: Rollout,
    objective: Objective,
    size: SearchSize,
    generator: Callable[[int], Draws],
    go_on: GoOn,
    validator: PlanValidator,
    neutral: FloatArray,
) -> Plan:
    """Search with `sampler`, which was started from `guess`, shape (H, nu), and return the plan.

    A candidate whose cost or any predicted number is not finite counts as +inf. The plan is the sampler's `best()`
    where its own rollout is finite and the validator accepts it, otherwise the cheapest candidate if that passes the
    same check. Without either the plan is not usable and stands still: `neutral`, shape (nu,).
    """
    search = _Search(sampler, neutral)
    for number, (count, last) in enumerate(size.batches()):
        if not go_on(number):
            break
        actions = sampler.ask(generator(number), count)
        search.add(actions, *score(rollout, objective, actions))
        if last:
            search.tell()
    search.tell()
    for plan in search.proposals(rollout, objective):
        if plan.usable and not validator(plan.states, plan.actions):
            return plan
    return search.no_plan(guess)


class _Search:
    """The candidates of one search: all costs, the cheapest one, and what the sampler has not been told yet."""

    def __init__(self, sampler: Sampler, neutral: FloatArray) -> None:
        self._sampler = sampler
        self._neutral = neutral
        self._nx = 0
        self._costs: list[Array] = []
        self._untold: list[tuple[Array, Array]] = []
        self._cheapest: tuple[FloatArray, FloatArray, float] | None = None

    def add(self, actions: Array, states: Array, costs: Array) -> None:
        """Take a batch (H, N, nu) with its states (H + 1, N, nx) and costs (N,)."""
        self._nx = states.shape[-1]
        self._costs.append(costs)
        self._untold.append((actions, costs))
        best = int(costs.argmin())
        cost = float(costs[best])
        if cost < (np.inf if self._cheapest is None else self._cheapest[2]):
            self._cheapest = on_host(actions[:, best]).copy(), on_host(states[:, best]), cost

    def tell(self) -> None:
        """Tell the sampler what it has not been told, if anything of it is finite."""
        if any(bool(namespace(costs).isfinite(costs).any()) for _, costs in self._untold):
            actions, costs = zip(*self._untold, strict=True)
            self._sampler.tell(_joined(actions, axis=1), _joined(costs))
        self._untold.clear()

    def proposals(self, rollout: Rollout, objective: Objective) -> Iterator[Plan]:
        """Yield what may become the plan, the better choice first; nothing where no cost is finite."""
        if self._cheapest is None:
            return
        proposed, effective = self._sampler.best(), self._sampler.effective_samples
        if proposed is not None:
            states, costs = score(rollout, objective, proposed[:, None])
            yield self._plan(on_host(proposed), on_host(states[:, 0]), float(costs[0]), effective)
            effective = 1.0
        yield self._plan(*self._cheapest, effective)

    def no_plan(self, guess: FloatArray) -> Plan:
        """Return what is left without a usable plan: the executing action, then standing still.

        Its states are not known, and before the first rollout not even how many numbers they have.
        """
        actions = np.empty_like(guess)
        actions[:] = self._neutral
        actions[0] = guess[0]
        return self._plan(actions, np.full((len(guess) + 1, self._nx), np.nan), np.inf, 0.0)

    def _plan(self, actions: FloatArray, states: FloatArray, cost: float, effective: float) -> Plan:
        finite, spread, candidates = 0, (np.inf, np.inf), 0
        if self._costs:
            costs = _joined(self._costs)
            candidates, xp = len(costs), namespace(costs)
            known = costs[xp.isfinite(costs)]
            finite = len(known)
            if finite:
                spread = float(known.min()), _median(known)
        return Plan(actions, states, cost, spread, effective, candidates, finite, len(self._costs))


def _joined(parts: Sequence[Array], axis: int = 0) -> Array:
    return parts[0] if len(parts) == 1 else namespace(parts[0]).concatenate(parts, axis=axis)


def _median(values: Array) -> float:
    xp = namespace(values)
    return float(np.median(values)) if xp is np else quantile(xp.sort(values), 0.5)


def score(rollout: Rollout, objective: Objective, actions: Array) -> tuple[Array, Array]:
    """Roll out actions (H, K, nu); return states (H + 1, K, nx) and costs (K,).

    A candidate whose cost or any predicted number is not finite costs +inf.
    """
    states = rollout(actions)
    # A diverging model overflows on its way to infinity; its candidates are refused below.
    with np.errstate(invalid='ignore', over='ignore'):
        costs = objective(states, actions)
        xp = namespace(costs)
        # A sum is finite where all its terms are (or too large to be a state): one pass over memory in place of two.
        finite = xp.isfinite(states.sum(axis=0)).all(axis=1)
    valid = xp.isfinite(costs) & finite
    return states, xp.where(valid, costs, xp.inf)


def unlimited(_: int) -> bool:
    """Go on until every candidate is scored."""
    return True


def first_batches(count: int) -> GoOn:
    """Return the answer that ends the search after `count` batches."""
    return lambda done: done < count


class Deadline:
    """Go on while the next batch, if it is as slow as the slowest so far, ends before time `end` of `clock` [s]."""

    def __init__(self, clock: Callable[[], float], end: float) -> None:
        self._clock = clock
        self._end = end
        self._last = clock()
        self._slowest = 0.0

    def __call__(self, done: int) -> bool:
        """Return whether there is time for another batch; the first one starts as long as any time is left."""
        now = self._clock()
        if done:
            self._slowest = max(self._slowest, now - self._last)
        self._last = now
        return now < self._end and now + self._slowest <= self._end
