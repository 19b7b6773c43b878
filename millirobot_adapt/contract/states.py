"""The typed content of the state topics: what the nodes know of each other.

Each state is sent as a diagnostic_msgs/DiagnosticStatus. Programs read `values`, which holds the fields named here;
`message` says the same for people, and no program reads it. Only the fields of a message are used, so messages of rclpy
and of rosbags both work. In `values` a boolean is `True` or `False`, and an enum is its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from millirobot_adapt.core.control.run_state import BridgeNews, RunPhase, RunStatus
from millirobot_adapt.core.safety.arbiter import Sender
from millirobot_adapt.core.safety.causes import HoldCause, StopCause

E = TypeVar('E', bound=Enum)

ANNOUNCED = ('lifecycle', 'phase', 'cause', 'armed', 'link', 'owner', 'hold', 'model', 'load request', 'loading')
"""Values whose change is announced: the state is then published at once, not with the next second."""
LIFECYCLE = 'lifecycle'
"""Key of where a managed node stands: unconfigured, inactive, active or finalized."""
NOBODY = 'nobody'
"""The owner while no source drives."""


class LinkState(Enum):
    """Where the link to the robot stands."""

    CLOSED = 'closed'
    OPENING = 'opening'
    UP = 'up'
    LOST = 'lost'


class ManagerPhase(Enum):
    """Where the manager stands."""

    WAITING = 'waiting'
    """The bring-up waits for a node."""
    ACTIVE = 'active'
    """Every node is active."""
    DEGRADED = 'degraded'
    """Somebody else has deactivated a node."""
    FAILED = 'failed'
    """The bring-up has failed, or a node has died: the robot was commanded to stop."""


def values_of(message: Any) -> dict[str, str]:
    """Return the values of a DiagnosticStatus by their key."""
    return {str(pair.key): str(pair.value) for pair in message.values}


def announced(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of a state whose change is announced."""
    return tuple(values.get(key, '') for key in ANNOUNCED)


@dataclass(frozen=True)
class BridgeState:
    """The state of the bridge (topic `bridge/state`)."""

    armed: bool
    link: LinkState
    reason: str
    """For people: why the robot stands, or that the setpoint passes as wanted."""
    owner: Sender | None = None
    """Whose setpoints drive; None: nobody's."""
    hold: HoldCause = HoldCause.NONE
    """While armed: why the robot stands for the moment."""
    cause: StopCause = StopCause.NONE
    """Why it was last disarmed, whether or not it has been armed since."""
    last_stop: str = 'none'
    """The same for people."""
    fence: str = ''
    """The gate's fence as `core.safety.geofence.fence_text` writes it; empty: not given."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Counters and the like, which nobody decides by."""

    def values(self) -> dict[str, object]:
        """Return the fields of the message."""
        return {
            'armed': self.armed, 'link': self.link.value, 'owner': self.owner.text if self.owner else NOBODY,
            'hold': self.hold.value, 'cause': self.cause.value, 'last stop': self.last_stop, 'fence': self.fence,
            **self.details,
        }  # fmt: skip

    @staticmethod
    def read(text: str, values: Mapping[str, str]) -> BridgeState:
        """Read what `values` wrote, with the text of the message.

        Raises:
            ValueError: a field is missing or not understood.
        """
        owner = _value(values, 'owner')
        known = {'armed', 'link', 'owner', 'hold', 'cause', 'last stop', 'fence', LIFECYCLE}
        return BridgeState(
            armed=_flag(values, 'armed'),
            link=_choice(LinkState, values, 'link'),
            reason=text,
            owner=None if owner == NOBODY else Sender.parse(owner),
            hold=_choice(HoldCause, values, 'hold'),
            cause=_choice(StopCause, values, 'cause'),
            last_stop=_value(values, 'last stop'),
            fence=values.get('fence', ''),
            details={key: value for key, value in values.items() if key not in known},
        )

    @staticmethod
    def of(message: Any) -> BridgeState | None:
        """Read a DiagnosticStatus; None from a node that is not configured; raises as `read`."""
        values = values_of(message)
        return BridgeState.read(message.message, values) if _configured(values) else None


def news_for(sender: Sender, state: BridgeState | None) -> BridgeNews:
    """Return what `sender` has to know of the bridge's state; None: the bridge is not configured."""
    if state is None:
        return BridgeNews(False, 'the bridge is not configured')
    others = state.owner is not None and state.owner != sender
    taken_by = state.owner.source.value if state.owner is not None and others else ''
    return BridgeNews(state.armed, state.reason, taken_by, state.hold)


@dataclass(frozen=True)
class ControllerState:
    """The state of a source of actions that works in runs (topic `controller/state`)."""

    sender: Sender
    """Who publishes it; its setpoints carry the same name."""
    run: RunStatus
    details: Mapping[str, object] = field(default_factory=dict)
    """`MODEL_ORIGIN` and `MODEL` of a controller; what else is here nobody decides by."""

    MODEL = 'model'
    """Key in `details`: name of the controller's model."""
    MODEL_ORIGIN = 'model origin'
    """Key in `details`: where the data of its model came from; 'real' is what the bridge looks for."""
    LOAD_REQUEST = 'load request'
    """Key in `details`: id of the newest request for another model; of one without id, the bundle it named."""
    LOADING = 'loading'
    """Key in `details`: what became of that request: `LOADING_NOW`, `TAKEN` or `REFUSED`."""
    LOAD_ANSWER = 'load answer'
    """Key in `details`: the same for people."""
    LOADING_NOW, TAKEN, REFUSED = 'under way', 'taken', 'refused'

    def values(self) -> dict[str, object]:
        """Return the fields of the message."""
        run = self.run
        return {
            'sender': self.sender.text, 'phase': run.phase.value, 'reason': run.reason, 'cause': run.cause.value,
            **self.details,
        }  # fmt: skip

    @staticmethod
    def read(values: Mapping[str, str]) -> ControllerState:
        """Read what `values` wrote.

        Raises:
            ValueError: a field is missing or not understood.
        """
        run = RunStatus(
            _choice(RunPhase, values, 'phase'), _value(values, 'reason'), _choice(StopCause, values, 'cause')
        )
        known = {'sender', 'phase', 'reason', 'cause', LIFECYCLE}
        details = {key: value for key, value in values.items() if key not in known}
        return ControllerState(Sender.parse(_value(values, 'sender')), run, details)

    @staticmethod
    def of(message: Any) -> ControllerState | None:
        """Read a DiagnosticStatus; None from a node that is not configured; raises as `read`."""
        values = values_of(message)
        return ControllerState.read(values) if _configured(values) else None


@dataclass(frozen=True)
class ManagerState:
    """The state of the manager (topic `manager/state`)."""

    phase: ManagerPhase
    reason: str = ''
    """What is waited for, which nodes are not active, or why it failed."""
    nodes: Mapping[str, str] = field(default_factory=dict)
    """What each node last said of itself, for people."""

    @property
    def text(self) -> str:
        """Say it for people."""
        return f'{self.phase.value}: {self.reason}' if self.reason else self.phase.value

    def values(self) -> dict[str, object]:
        """Return the fields of the message."""
        return {'phase': self.phase.value, 'reason': self.reason, **self.nodes}

    @staticmethod
    def read(values: Mapping[str, str]) -> ManagerState:
        """Read what `values` wrote.

        Raises:
            ValueError: a field is missing or not understood.
        """
        nodes = {key: value for key, value in values.items() if key not in ('phase', 'reason')}
        return ManagerState(_choice(ManagerPhase, values, 'phase'), _value(values, 'reason'), nodes)

    @staticmethod
    def of(message: Any) -> ManagerState:
        """Read a DiagnosticStatus; raises as `read`."""
        return ManagerState.read(values_of(message))


def _configured(values: Mapping[str, str]) -> bool:
    """Tell whether a node says more of itself than where its lifecycle stands."""
    return values.keys() != {LIFECYCLE}


def _value(values: Mapping[str, str], key: str) -> str:
    if key not in values:
        raise ValueError(f'the state has no value {key!r}')
    return values[key]


def _flag(values: Mapping[str, str], key: str) -> bool:
    value = _value(values, key)
    if value not in ('True', 'False'):
        raise ValueError(f'{key} = {value!r} is neither True nor False')
    return value == 'True'


def _choice(kind: type[E], values: Mapping[str, str], key: str) -> E:
    value = _value(values, key)
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f'{key} = {value!r} is not one of {", ".join(each.value for each in kind)}') from None
