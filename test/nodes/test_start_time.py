"""What makes a node slow to start is loaded only where it is needed, and before the node is active."""

import subprocess
import sys

LIGHT = 'bridge, controller, recorder, manager, teleop'


def loads_scipy(code):
    done = subprocess.run(
        [sys.executable, '-c', f'import sys\n{code}\nprint("scipy" in sys.modules)'],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout == 'True\n'


def test_only_who_turns_vectors_loads_rotations():
    assert not loads_scipy(f'from millirobot_adapt.nodes import {LIGHT}\nimport millirobot_adapt.ros.operator')


def test_the_estimator_has_loaded_them_when_it_is_made_not_at_its_first_pose():
    assert loads_scipy(
        'from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig\n'
        'from millirobot_adapt.core.estimation.estimator_factory import make_estimator\n'
        'from millirobot_adapt.core.robot.description import load_robot\n'
        'make_estimator(EstimatorNodeConfig(), load_robot("velociroach"))'
    )
