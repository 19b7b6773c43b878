import sys
import numpy as np
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.robot.description import RobotConfig

state = np.load('left_const.npz')['states'][0, 100].astype(float)
model = make_method(load_bundle(sys.argv[1], RobotConfig()), EngineConfig(threads=1), '').prior
for rate in (2, 5, 9):
    end = model.rollout(state, np.full((10, 1, 2), rate * 2 * np.pi))[-1, 0]
    print(f'both legs at {rate} rev/s for 1 s: {np.hypot(*(end[:2] - state[:2])):.3f} m')
