"""Swap the model of a robot that walks: load and check it on a thread of its own, take it between two ticks.

A model that was swapped in is on trial (`model_trial.py`): where the one before it predicts the next ticks better, that
one comes back. Each swap is a revision, as each change of live parameters is.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from millirobot_adapt.core.control.model_trial import ModelTrial, TrialResult
from millirobot_adapt.core.control.planning_model import LoadedModel, load_model, try_model
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.errors import UserError

REAL = 'real'
"""Origin of a model that a robot may be driven with, as the bridge looks for it."""


@dataclass(frozen=True)
class ModelRequest:
    """A bundle to load."""

    name: str
    """Folder, or name under models/."""
    id: str = ''
    """Chosen by who asks, to find the answer."""


@dataclass(frozen=True)
class ModelAnswer:
    """What became of the newest request."""

    request: ModelRequest
    taken: bool | None
    """None: it is still being loaded."""
    text: str
    """For people: the revision, or why the model was refused."""


Use = Callable[[LoadedModel, str, ModelTrial | None], int]
"""Uses a model from the next tick on, says why, begins its trial if there is one; returns the revision."""


class ModelServer:
    """Take requests one after the other; `work` is the body of the thread that loads."""

    def __init__(self, assembly: Assembly, use: Use, tell: Callable[[ModelAnswer], object]) -> None:
        """Make a server for what `assembly` plans with.

        Args:
            assembly: Robot, parameters and the first model.
            use: See `Use`.
            tell: Is called, on the thread of `work`, whenever there is another answer.
        """
        self._assembly = assembly
        self._use = use
        self._tell = tell
        self._changed = threading.Condition()
        self._requests: deque[ModelRequest] = deque()
        self._closed = False
        self.model: LoadedModel = assembly.model
        """The model in use, or that will be at the next tick."""
        self._trial: ModelTrial | None = None

    def request(self, request: ModelRequest) -> None:
        """Ask for a bundle."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def close(self) -> None:
        """End `work`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def work(self) -> None:
        """Load what is asked for until the server is closed."""
        while (request := self._next()) is not None:
            self._tell(ModelAnswer(request, None, f'loading {request.name}'))
            self._tell(self.serve(request))

    def _next(self) -> ModelRequest | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._requests))
            return None if self._closed else self._requests.popleft()

    def serve(self, request: ModelRequest) -> ModelAnswer:
        """Load, check and swap in one bundle, on the calling thread."""
        try:
            model = self._load(request.name)
        except UserError as error:
            return ModelAnswer(request, False, f'refused: {error}')
        ticks = self._assembly.config.trial_ticks
        with self._changed:
            before, self.model = self.model, model
            self._trial = ModelTrial(before, ticks) if ticks else None
            revision = self._use(model, f'swapped in for {before.bundle.path.name}', self._trial)
        return ModelAnswer(request, True, f'in use as revision {revision}')

    def on_trial_end(self, trial: ModelTrial, result: TrialResult) -> None:
        """Bring the former model back if it predicted better, and no other was swapped in since."""
        with self._changed:
            if trial is not self._trial:
                return
            self._trial = None
            if not result.worse:
                return
            worse, self.model = self.model, trial.before
            self._use(trial.before, f'back for {worse.bundle.path.name}, which predicted worse: {result.text}', None)

    def _load(self, name: str) -> LoadedModel:
        """Load a model and try it out.

        Raises:
            UserError: it does not fit the robot, this run, or predicts nothing finite.
        """
        assembly, config = self._assembly, self._assembly.config
        model = load_model(name, assembly.robot, config.engine, config.method)
        if self.model.bundle.origin == REAL != model.bundle.origin:
            raise UserError(
                f'{model.bundle.path}: was trained on data of origin {model.bundle.origin!r}, the model in use on '
                'data of a robot; load one that was, too'
            )
        planner = config.planner
        try_model(model, assembly.robot, planner.horizon, min(planner.samples, planner.batch))
        return model
