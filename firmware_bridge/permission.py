"""Who may drive a real robot."""

from __future__ import annotations

from millirobot_adapt.contract.states import ControllerState
from millirobot_adapt.core.safety.arbiter import REMEMBERED, ActionSource, Sender

REAL = 'real'
"""Origin of a model's data that permits to drive a real robot."""
ALIVE = 3.0
"""A controller that has been silent for longer does not prevent arming [s]."""


class Permission:
    """Remember what each controller said of its model; what it has not said counts against it.

    Each is judged by its own words: the setpoints and the state of one process carry the same name.
    """

    def __init__(self, everything: bool) -> None:
        """`everything`: any model may drive, as there is no real robot or the operator wants it so."""
        self._everything = everything
        self._heard: dict[Sender, tuple[float, str | None]] = {}

    def hear(self, state: ControllerState, now: float) -> None:
        """Take what a source of actions says of itself at `now` [s, steady clock]."""
        self._heard.pop(state.sender, None)
        self._heard[state.sender] = now, _objection_to_model(state)
        if len(self._heard) > REMEMBERED:
            del self._heard[next(iter(self._heard))]

    def objection(self, sender: Sender) -> str | None:
        """Return why this sender may not drive; None: it may."""
        if self._everything or sender.source is not ActionSource.CONTROLLER:
            return None
        if sender not in self._heard:
            return 'the controller has not said which model it plans with'
        return self._heard[sender][1]

    def objection_to_arming(self, now: float) -> str | None:
        """Return why a controller that is there at `now` [s, steady clock] may not drive; None: all may."""
        if self._everything:
            return None
        return next(
            (objection for heard, objection in self._heard.values() if objection and now - heard <= ALIVE), None
        )


def _objection_to_model(state: ControllerState) -> str | None:
    if state.sender.source is not ActionSource.CONTROLLER:
        return None  # it follows no model
    model, origin = (state.details.get(key, '') for key in (ControllerState.MODEL, ControllerState.MODEL_ORIGIN))
    if origin == REAL:
        return None
    data = f'was trained on data of origin {origin!r}' if origin else 'does not say where its data came from'
    return f"the controller's model {model} {data}; train one on data of this robot, or set allow_mock_model"
