"""Read the states that nodes reported about themselves from a bag, also from one made before these states were typed.

Bags of version 0.1 hold a text alone where `contract.states` now has fields. That text is read here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from millirobot_adapt.contract.states import BridgeState, ControllerState, LinkState, ManagerPhase, ManagerState
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender
from millirobot_adapt.core.safety.causes import StopCause

_ORDERLY_BRIDGE = {
    'stopped by the operator': StopCause.OPERATOR,
    'the bridge was deactivated': StopCause.SHUTDOWN,
    'the bridge is ending': StopCause.SHUTDOWN,
    'the bridge has ended': StopCause.SHUTDOWN,
}
_ORDERLY_RUN = {
    'by the operator': StopCause.OPERATOR,
    'the controller was deactivated': StopCause.SHUTDOWN,
    'the collector was deactivated': StopCause.SHUTDOWN,
    'the bridge disarmed': StopCause.BRIDGE,
}


def bridge_state(text: str, values: Mapping[str, str]) -> BridgeState | None:
    """Read a state of the bridge; None where it tells nothing, such as before the bridge is configured."""
    try:
        return BridgeState.read(text, values)
    except ValueError:
        pass
    if 'armed' not in values:
        return None
    reason = text.removeprefix('inactive: ')
    armed = values['armed'] == 'True'
    cause = StopCause.NONE if armed else _ORDERLY_BRIDGE.get(reason, StopCause.SAFETY)
    link = next((state for state in LinkState if state.value == values.get('link')), LinkState.CLOSED)
    return BridgeState(armed, link, reason, cause=cause, last_stop=reason, fence=values.get('fence', ''))


def controller_state(text: str, values: Mapping[str, str]) -> ControllerState | None:
    """Read a state of the controller or the collector; None where it tells nothing of a run."""
    try:
        return ControllerState.read(values)
    except ValueError:
        pass
    kind, _, reason = text.removeprefix('inactive: ').partition(': ')
    phase = next((phase for phase in RunPhase if phase.value == kind), None)
    if phase is None:
        return None
    cause = StopCause.NONE
    if phase is RunPhase.STOPPED:
        cause = next((cause for begin, cause in _ORDERLY_RUN.items() if reason.startswith(begin)), StopCause.FAULT)
    details = {key: value for key, value in values.items() if key != 'lifecycle'}
    return ControllerState(Sender(ActionSource.CONTROLLER, 'unknown'), RunStatus(phase, reason, cause), details)


def manager_state(text: str, values: Mapping[str, str]) -> ManagerState | None:
    """Read a state of the manager; None where it tells nothing."""
    try:
        return ManagerState.read(values)
    except ValueError:
        pass
    kind, _, reason = text.partition(': ')
    phase = next((phase for phase in ManagerPhase if phase.value == kind), None)
    return None if phase is None else ManagerState(phase, reason, values)
