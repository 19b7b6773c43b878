"""Which model may drive what, and what the operator is told before he arms."""

import pytest
from robots import imageproc

from firmware_bridge.driver_factory import silence_promise
from firmware_bridge.permission import ALIVE, Permission
from millirobot_adapt.contract.states import ControllerState
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender

CONTROLLER = Sender(ActionSource.CONTROLLER, 'one')
OTHERS = [
    Sender(ActionSource.CONTROLLER, 'two'),
    Sender(ActionSource.COLLECTOR, 'one'),
    Sender(ActionSource.TELEOP, 'one'),
]


def state(sender=CONTROLLER, **details):
    details = {key.replace('_', ' '): value for key, value in details.items()}
    return ControllerState(sender, RunStatus(RunPhase.IDLE), details)


@pytest.mark.parametrize('details', [{'model_origin': 'mock'}, {'model_origin': 'unknown'}, {'model_origin': ''}, {}])
def test_a_model_that_is_not_known_to_be_real_may_not_drive_a_real_robot(details):
    permission = Permission(everything=False)
    permission.hear(state(model='some_model', **details), now=10.0)
    for objection in (permission.objection(CONTROLLER), permission.objection_to_arming(10.0)):
        assert details.get('model_origin', '') in objection
        for word in ('some_model', 'allow_mock_model'):
            assert word in objection


@pytest.mark.parametrize(
    ('everything', 'origin'), [(False, 'real'), (True, 'mock')], ids=['of real data', 'or any, where all may']
)
def test_a_model_of_real_data_may_drive_and_any_where_there_is_no_real_robot_or_the_operator_wants_it(
    everything, origin
):
    permission = Permission(everything)
    permission.hear(state(model_origin=origin), now=10.0)
    assert permission.objection(CONTROLLER) is None
    assert permission.objection_to_arming(10.0) is None


def test_a_controller_that_has_said_nothing_may_not_drive_and_does_not_keep_others_from_it():
    permission = Permission(everything=False)
    assert 'has not said' in permission.objection(CONTROLLER)
    assert permission.objection_to_arming(10.0) is None


@pytest.mark.parametrize('other', OTHERS)
def test_what_another_says_lifts_no_objection(other):
    permission = Permission(everything=False)
    permission.hear(state(model_origin='mock'), now=10.0)
    permission.hear(state(other, model_origin='real'), now=10.1)
    assert permission.objection(CONTROLLER) is not None
    assert permission.objection_to_arming(10.1) is not None


@pytest.mark.parametrize('source', [ActionSource.TELEOP, ActionSource.COLLECTOR])
def test_who_follows_no_model_may_drive(source):
    sender = Sender(source, 'one')
    permission = Permission(everything=False)
    assert permission.objection(sender) is None
    permission.hear(state(sender), now=10.0)
    assert permission.objection(sender) is None
    assert permission.objection_to_arming(10.0) is None


def test_a_controller_that_has_gone_does_not_keep_the_operator_from_arming():
    permission = Permission(everything=False)
    permission.hear(state(model_origin='mock'), now=10.0)
    assert permission.objection_to_arming(10.0 + ALIVE) is not None
    assert permission.objection_to_arming(10.1 + ALIVE) is None
    assert permission.objection(CONTROLLER) is not None, 'nor does it drive if it is there after all'


def test_the_controller_tells_where_its_shipped_model_comes_from():
    permission = Permission(everything=False)
    permission.hear(ControllerState(CONTROLLER, RunStatus(RunPhase.IDLE), assemble(ControllerConfig()).details), 10.0)
    assert 'velociroach' in permission.objection(CONTROLLER)


@pytest.mark.parametrize(('timeout', 'verified', 'warned'), [(300, False, True), (0, True, True), (300, True, False)])
def test_a_robot_that_may_run_on_without_its_dongle_is_warned_of(timeout, verified, warned):
    robot = imageproc(timeout=timeout, timeout_verified=verified)
    assert (silence_promise(robot).warning is not None) == warned
