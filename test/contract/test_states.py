"""What nodes tell each other of themselves: every state comes back from its message as it was."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.contract.states import (
    LIFECYCLE,
    BridgeState,
    ControllerState,
    LinkState,
    ManagerPhase,
    ManagerState,
    announced,
)
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender
from millirobot_adapt.core.safety.causes import HoldCause, StopCause
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.stored_states import bridge_state, controller_state, manager_state

TEXT = st.text(st.characters(codec='utf-8', exclude_characters='\0'), max_size=20)
SENDERS = st.builds(Sender, st.sampled_from(ActionSource), st.text('0123456789abcdef', min_size=1))
BRIDGES = st.builds(
    BridgeState,
    armed=st.booleans(),
    link=st.sampled_from(LinkState),
    reason=TEXT,
    owner=st.none() | SENDERS,
    hold=st.sampled_from(HoldCause),
    cause=st.sampled_from(StopCause),
    last_stop=TEXT,
    fence=TEXT,
    details=st.dictionaries(st.sampled_from(['sent', 'warning', 'dry run']), TEXT),
)
RUNS = st.builds(RunStatus, st.sampled_from(RunPhase), TEXT, st.sampled_from(StopCause))
CONTROLLERS = st.builds(ControllerState, SENDERS, RUNS, st.dictionaries(st.sampled_from(['model', 'method']), TEXT))
MANAGERS = st.builds(
    ManagerState, st.sampled_from(ManagerPhase), TEXT, st.dictionaries(st.sampled_from(['bridge', 'recorder']), TEXT)
)


def message(text, values, **more):
    return stored_messages.status('node', text, {**values, **more})


@given(BRIDGES, st.booleans())
def test_the_bridges_state_comes_back(state, managed):
    more = {LIFECYCLE: 'active'} if managed else {}
    assert BridgeState.of(message(state.reason, state.values(), **more)) == state


@given(CONTROLLERS, st.booleans())
def test_the_controllers_state_comes_back(state, managed):
    more = {LIFECYCLE: 'active'} if managed else {}
    assert ControllerState.of(message('any text', state.values(), **more)) == state


@given(MANAGERS)
def test_the_managers_state_comes_back(state):
    assert ManagerState.of(message('any text', state.values())) == state


def test_a_node_that_is_not_configured_tells_nothing():
    assert BridgeState.of(message('unconfigured', {LIFECYCLE: 'unconfigured'})) is None
    assert ControllerState.of(message('unconfigured', {LIFECYCLE: 'unconfigured'})) is None


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'armed': 'true'}, "armed = 'true'"),
        ({'link': 'green'}, "link = 'green'"),
        ({'owner': 'keyboard/1'}, 'keyboard'),
        ({'owner': 'teleop'}, 'teleop'),
        ({'owner': 'teleop/'}, 'teleop/'),
        ({'owner': 'teleop/1/2'}, 'teleop/1/2'),
        ({'hold': ''}, 'hold'),
    ],
)
def test_what_is_not_understood_is_refused_by_name(change, complaint):
    good = BridgeState(True, LinkState.UP, 'armed').values()
    with pytest.raises(ValueError, match=complaint):
        BridgeState.of(message('armed', good | change))


@pytest.mark.parametrize('key', ['armed', 'link', 'owner', 'hold', 'cause', 'last stop'])
def test_a_missing_field_is_named(key):
    values = BridgeState(True, LinkState.UP, 'armed').values()
    del values[key]
    with pytest.raises(ValueError, match=key):
        BridgeState.of(message('armed', values))


def test_news_is_what_programs_decide_by_and_no_counter():
    state = BridgeState(True, LinkState.UP, 'as wanted', details={'sent': 1})
    first = {key: str(value) for key, value in state.values().items()}
    assert announced(first) == announced(first | {'sent': '2', 'last stop': 'other words'})
    for key, value in (('armed', 'False'), ('link', 'lost'), ('owner', 'teleop/1'), ('hold', 'pose')):
        assert announced(first) != announced(first | {key: value})


OLD = [
    (bridge_state, 'stopped by the operator', {'armed': 'False'}, {'armed': False, 'cause': StopCause.OPERATOR}),
    (bridge_state, 'inactive: the bridge is ending', {'armed': 'False'}, {'cause': StopCause.SHUTDOWN}),
    (bridge_state, 'outside the fence', {'armed': 'False', 'link': 'up'}, {'cause': StopCause.SAFETY}),
    (bridge_state, 'armed', {'armed': 'True'}, {'armed': True, 'cause': StopCause.NONE}),
    (manager_state, 'failed: bridge has died', {}, {'phase': ManagerPhase.FAILED, 'reason': 'bridge has died'}),
]  # fmt: skip


@pytest.mark.parametrize(('read', 'text', 'values', 'expected'), OLD)
def test_bags_from_before_these_states_were_typed_are_read_by_their_text(read, text, values, expected):
    state = read(text, values)
    assert {name: getattr(state, name) for name in expected} == expected


@pytest.mark.parametrize(
    ('text', 'run'),
    [
        ('running', RunStatus(RunPhase.RUNNING)),
        ('inactive: stopped: by the operator', RunStatus(RunPhase.STOPPED, 'by the operator', StopCause.OPERATOR)),
        ('stopped: the bridge disarmed (x)', RunStatus(RunPhase.STOPPED, 'the bridge disarmed (x)', StopCause.BRIDGE)),
        ('stopped: 3 missed', RunStatus(RunPhase.STOPPED, '3 missed', StopCause.FAULT)),
        ('finished', RunStatus(RunPhase.FINISHED)),
    ],
)
def test_a_run_in_such_a_bag_is_read_by_its_text(text, run):
    state = controller_state(text, {'method': 'grbal', 'lifecycle': 'active'})
    assert (state.run, state.details) == (run, {'method': 'grbal'})


@pytest.mark.parametrize('read', [bridge_state, controller_state, manager_state])
def test_what_tells_nothing_is_no_state(read):
    assert read('unconfigured', {'lifecycle': 'unconfigured'}) is None


def test_a_message_of_any_kind_serves():
    pair = SimpleNamespace(key='phase', value='active'), SimpleNamespace(key='reason', value='')
    assert ManagerState.of(SimpleNamespace(message='', values=pair)).phase is ManagerPhase.ACTIVE
