"""Live parameters and model of the controller: counted, handed to the control loop, and sent to the recorder."""

from __future__ import annotations

import threading

import yaml
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import String

from millirobot_adapt.contract import topics
from millirobot_adapt.core.control.controller import Controller
from millirobot_adapt.core.control.model_trial import ModelTrial
from millirobot_adapt.core.control.planning_model import LoadedModel
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig
from millirobot_adapt.core.live_rules import live_values
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.parameters import load


class LiveTuning:
    """Follow the parameters of the controller's node, and its model.

    Each change gets a number, which the tick records name.
    """

    def __init__(self, node: LifecycleNode) -> None:
        """Declare and read the parameters of `node`.

        Raises:
            UserError: they are not valid.
        """
        self._node = node
        self._revision = 0
        self._lock = threading.Lock()  # parameters are set on the thread that spins, models come from two others
        self._model: LoadedModel | None = None
        self._why = 'at the start'
        self._connected: tuple[Assembly, Controller] | None = None
        self.config = load(node, ControllerConfig, self._on_change)
        """All parameters, the live ones as they are now."""

    def connect(self, assembly: Assembly, controller: Controller) -> None:
        """Hand what is in use now, and each change from now on, to a controller that is being configured."""
        self._connected, self._model, self._why = (assembly, controller), assembly.model, 'at the start'
        self._told = self._node.create_publisher(String, topics.PARAMETERS.name, qos(topics.PARAMETERS))
        with self._lock:
            self._use()

    def use_model(self, model: LoadedModel, why: str, trial: ModelTrial | None) -> int:
        """Plan with another model from the next tick on; returns the number of the change."""
        with self._lock:
            self._model, self._why = model, why
            self._revision += 1
            self._node.get_logger().info(f'revision {self._revision}: model {model.bundle.path.name} {why}')
            self._use(trial)
            return self._revision

    def disconnect(self) -> None:
        """Keep changes until the next controller is configured."""
        self._connected = None

    def _on_change(self, config: ControllerConfig) -> None:
        with self._lock:
            self.config = config
            self._revision += 1
            self._use()

    def _use(self, trial: ModelTrial | None = None) -> None:
        if self._connected is None or self._model is None:
            return
        assembly, controller = self._connected
        controller.tune(assembly.tuning(self.config, self._revision, self._model), trial)
        bundle = self._model.bundle
        model = {'path': str(bundle.path.resolve()), 'digest': bundle.digest, 'why': self._why}
        told = {'revision': self._revision, 'parameters': live_values(self.config), 'model': model}
        self._told.publish(String(data=yaml.safe_dump(told, sort_keys=False)))
