"""The shipped models of the rover and of the servo hexapod fit their files, and plan inside their ranges."""

import numpy as np
import pytest

from millirobot_adapt.core.control.wiring import ControllerConfig, assemble, warm_up
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig
from millirobot_adapt.core.robot.layout import X


@pytest.mark.parametrize('method', ['grbal', 'mb'])
@pytest.mark.parametrize(('robot', 'nx'), [('rover', 15), ('xl330_hexapod', 24)])
def test_a_shipped_model_drives_its_robot_along_a_path(robot, nx, method):
    assembly = assemble(
        ControllerConfig(
            robot=robot, model=f'{robot}_{method}', engine=EngineConfig(threads=1),
            planner=PlannerConfig(samples=80, batch=80, horizon=10),
        )
    )  # fmt: skip
    warm_up(assembly, ticks=1)
    layout, zeros = assembly.robot.layout, np.zeros(3)
    assembly.loop.restart(make_path('straight'))
    still = np.zeros(len(layout.joints))
    state = layout.assemble(zeros, zeros, zeros, zeros, still, still, still, 5.0)
    result = assembly.loop.step(0, 0.0, state, None, layout.neutral)
    assert result.state.shape == (nx,)
    assert ((result.next_action >= layout.action_low) & (result.next_action <= layout.action_high)).all()
    assert result.plan.states[-1, X] > 0.05, 'it plans to go forward'
