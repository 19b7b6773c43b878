"""Which model may drive what, and what the operator is told before he arms."""

import dataclasses

import pytest

from firmware_bridge.permission import objection_to_model, warning_before_arming
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.robot import RobotConfig


@pytest.mark.parametrize(
    ('values', 'real_port', 'allowed', 'refused'),
    [
        ({'model origin': 'mock'}, True, False, True),
        ({'model origin': 'unknown'}, True, False, True),
        ({'model origin': 'mock'}, True, True, False),
        ({'model origin': 'mock'}, False, False, False),
        ({'model origin': 'real'}, True, False, False),
        ({}, True, False, False),
    ],
)
def test_a_model_of_the_mock_may_not_drive_a_robot_on_a_real_port(values, real_port, allowed, refused):
    objection = objection_to_model(values, real_port, allowed)
    assert (objection is not None) == refused
    if refused:
        assert values['model origin'] in objection
        assert 'allow_mock_model' in objection


def test_the_controller_tells_where_its_shipped_model_comes_from():
    details = assemble(ControllerConfig()).details
    assert 'velociroach' in objection_to_model(details, real_port=True, allow_mock_model=False)


@pytest.mark.parametrize(('timeout', 'verified', 'warned'), [(300, False, True), (0, True, True), (300, True, False)])
def test_a_robot_that_may_run_on_without_its_dongle_is_warned_of(timeout, verified, warned):
    robot = dataclasses.replace(RobotConfig(), timeout=timeout, timeout_verified=verified)
    assert (warning_before_arming(robot) is not None) == warned
