"""Walk a path file with the mock in lock-step, shipped parameters: walk.py PATH X Y YAW SECONDS SEED... (prints one line a seed)."""
import dataclasses
import sys

from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.experiments.runner import run_episode
from millirobot_adapt.experiments.episode import EpisodeSpec
from millirobot_adapt.sim.conditions import load_condition

path, x, y, yaw, seconds = sys.argv[1], *map(float, sys.argv[2:6])
config = read_params(share_dir() / 'params' / 'controller.yaml', 'controller', ControllerConfig)
config = dataclasses.replace(config, path=path)
start = dataclasses.replace(load_condition('carpet'), start_x=x, start_y=y, start_yaw=yaw)
for seed in map(int, sys.argv[6:]):
    episode = run_episode(EpisodeSpec('grbal', 0, start, seed, seconds, config, EstimatorNodeConfig()))
    t = episode.table
    walked = float(((t['x'][1:] - t['x'][:-1]) ** 2 + (t['y'][1:] - t['y'][:-1]) ** 2).__pow__(0.5).sum())
    print(
        f'seed {seed}: {episode.ended} after {t["time"][-1]:.1f} s, progress {t["progress"][-1]:.2f} of {episode.path.length:.2f} m, '
        f'walked {walked:.2f} m, ends at ({t["x"][-1]:.2f}, {t["y"][-1]:.2f}), farthest from the path {abs(t["cross_track"]).max():.2f} m'
    )
