"""Which model may drive what, and what the operator is told before he arms."""

import dataclasses

import pytest

from firmware_bridge.permission import objection_to_model, warning_before_arming
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.robot.description import RobotConfig


@pytest.mark.parametrize('origin', ['mock', 'unknown'])
def test_a_model_without_real_data_may_not_drive_a_real_robot(origin):
    objection = objection_to_model({'model': 'some_model', 'model origin': origin})
    for word in (origin, 'some_model', 'allow_mock_model'):
        assert word in objection


@pytest.mark.parametrize('values', [{'model origin': 'real'}, {}])
def test_a_model_of_real_data_or_no_model_at_all_may(values):
    assert objection_to_model(values) is None


def test_the_controller_tells_where_its_shipped_model_comes_from():
    assert 'velociroach' in objection_to_model(assemble(ControllerConfig()).details)


@pytest.mark.parametrize(('timeout', 'verified', 'warned'), [(300, False, True), (0, True, True), (300, True, False)])
def test_a_robot_that_may_run_on_without_its_dongle_is_warned_of(timeout, verified, warned):
    robot = dataclasses.replace(RobotConfig(), timeout=timeout, timeout_verified=verified)
    assert (warning_before_arming(robot) is not None) == warned
