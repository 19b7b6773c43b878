"""Every method ships with a model that drives."""

import numpy as np
import pytest
from robots import assemble_state

from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import METHODS
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import shipped_model


@pytest.mark.parametrize('method', METHODS)
def test_the_model_that_ships_for_a_method_was_trained_for_it_and_plans(method):
    robot = load_robot('velociroach')
    bundle = load_bundle(shipped_model(robot.name, method), robot)
    assert bundle.method == method
    assert bundle.origin == 'mock'
    planner = PlannerConfig(samples=32, batch=32, horizon=15)
    loop = assemble(ControllerConfig(model=bundle.path.name, planner=planner, engine=EngineConfig(threads=1))).loop
    loop.restart(make_path('straight'))
    still, side = np.zeros(3), np.zeros(2)
    state = assemble_state(still, still, still, still, side, side, side, 3.9)
    decided = loop.step(0, 0.0, state, None, side)
    assert decided.plan.finite == planner.samples
    assert (robot.action_low <= decided.next_action).all()
    assert (decided.next_action <= robot.action_high).all()
    assert decided.adaptation.step == 0.0, 'there is nothing yet to adapt to'
    assert np.isfinite(decided.plan.cost)
