"""The rover's shipped models fit its file, and plan inside its range."""

import numpy as np
import pytest

from millirobot_adapt.core.control.wiring import ControllerConfig, assemble, warm_up
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig
from millirobot_adapt.core.robot.layout import X


@pytest.mark.parametrize('method', ['grbal', 'mb'])
def test_a_shipped_model_drives_the_rover_along_its_path(method):
    assembly = assemble(
        ControllerConfig(
            robot='rover', model=f'rover_{method}', engine=EngineConfig(threads=1),
            planner=PlannerConfig(samples=80, batch=80, horizon=10),
        )
    )  # fmt: skip
    warm_up(assembly, ticks=1)
    layout, zeros = assembly.robot.layout, np.zeros(3)
    assembly.loop.restart(make_path('straight'))
    state = layout.assemble(zeros, zeros, zeros, zeros)
    result = assembly.loop.step(0, 0.0, state, None, layout.neutral)
    assert result.state.shape == (15,)
    assert ((result.next_action >= layout.action_low) & (result.next_action <= layout.action_high)).all()
    assert result.plan.states[-1, X] > 0.05, 'it plans to go forward'
