"""The live parameters of the controller: counted, handed to the control loop, and sent to the recorder."""

from __future__ import annotations

import yaml
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import String

from millirobot_adapt.contract import topics
from millirobot_adapt.core.control.controller import Controller
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig
from millirobot_adapt.core.live_rules import live_values
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.parameters import load


class LiveTuning:
    """Follow the parameters of the controller's node; each change gets a number, which the tick records name."""

    def __init__(self, node: LifecycleNode) -> None:
        """Declare and read the parameters of `node`.

        Raises:
            UserError: they are not valid.
        """
        self._node = node
        self._revision = 0
        self._connected: tuple[Assembly, Controller] | None = None
        self.config = load(node, ControllerConfig, self._on_change)
        """All parameters, the live ones as they are now."""

    def connect(self, assembly: Assembly, controller: Controller) -> None:
        """Hand what is in force now, and each change from now on, to a controller that is being configured."""
        self._connected = assembly, controller
        self._told = self._node.create_publisher(String, topics.PARAMETERS.name, qos(topics.PARAMETERS))
        self._use()

    def disconnect(self) -> None:
        """Keep changes until the next controller is configured."""
        self._connected = None

    def _on_change(self, config: ControllerConfig) -> None:
        self.config = config
        self._revision += 1
        self._use()

    def _use(self) -> None:
        if self._connected is None:
            return
        assembly, controller = self._connected
        controller.tune(assembly.tuning(self.config, self._revision))
        told = {'revision': self._revision, 'parameters': live_values(self.config)}
        self._told.publish(String(data=yaml.safe_dump(told, sort_keys=False)))
