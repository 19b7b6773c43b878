import dataclasses

from millirobot_adapt.benchmarks.link.simulated_link import SimulatedLink
from millirobot_adapt.core.robot.description import RobotConfig

link = SimulatedLink(RobotConfig(), 1, 0.1)
telemetry = link.world.microcontroller.telemetry
link.world.microcontroller.telemetry = lambda command: dataclasses.replace(telemetry(command), battery=3200)
link.live(20.0, link.ready)
print(link.driver.status().reason, link.link.counters.as_dict())
