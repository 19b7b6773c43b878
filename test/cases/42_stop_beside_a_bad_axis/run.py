from contextlib import suppress

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.control.teleop import Teleop, TeleopConfig

for config, axes in ((TeleopConfig(), [float('nan'), 0.0]), (TeleopConfig(), [0.0]), (TeleopConfig(dead_man=10), [0.0, 0.0])):
    teleop = Teleop(config, RobotConfig())
    with suppress(ValueError):
        teleop.on_joy(axes, [0, 1, 0, 0, 0], 0.0)
    print(axes, 'stop taken:', teleop.take_stop())
