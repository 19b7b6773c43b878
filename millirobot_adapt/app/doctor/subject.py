"""What is examined: the options of the command, and what they lead to."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from firmware_bridge.config import BridgeConfig
from millirobot_adapt.app.doctor.finding import Finding, fail, warn
from millirobot_adapt.app.doctor.probe import Probe, probe
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ROBOT, NodeProcess
from millirobot_adapt.contract.topics import MOCAP_POSE
from millirobot_adapt.core.config import Config, read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.yaml_file import read_yaml


class Subject:
    """A machine with its parameters; what is slow to find out is found out once, when first asked for.

    Raises:
        UserError: there is nothing at `params`.
    """

    def __init__(
        self,
        *,
        robot_expected: bool = False,
        port: str | None = None,
        model: str | None = None,
        params: Path | None = None,
        mocap_topic: str = MOCAP_POSE.name,
        runs: Path = Path('runs'),
    ) -> None:
        """Take the command's options.

        Args:
            robot_expected: Robot, radio and motion capture should be there.
            port: Serial port, None for the bridge's parameter.
            model: Model bundle, None for the controller's parameter.
            params: A ROS 2 parameter file, or a folder with one file a node; None for the shipped ones.
            mocap_topic: Where motion capture publishes.
            runs: Where run folders go.
        """
        if params is not None and not params.exists():
            raise UserError(f'--params {params}: no such file or folder; name one of yours')
        self.robot_expected = robot_expected
        self.mocap_topic = mocap_topic
        self.runs = runs
        self._port = port
        self._model = model
        self._params = params

    def parameter_files(self) -> dict[NodeProcess, Path]:
        """Return the file that holds the parameters of each node: the user's where there is one, else the shipped.

        Raises:
            UserError: the user's file cannot be read, or is for none of our nodes.
        """
        found = {node: node.parameter_file for node in ROBOT}
        if self._params is None:
            return found
        if self._params.is_dir():
            own = {node: self._params / f'{node.name}.yaml' for node in ROBOT}
            own = {node: path for node, path in own.items() if path.is_file()}
        else:
            blocks = read_yaml(self._params)
            own = {node: self._params for node in ROBOT if node.name in blocks or '/**' in blocks}
        if not own:
            raise UserError(f'{self._params}: holds no parameters of {", ".join(node.name for node in ROBOT)}')
        return found | own

    def _config(self, node: NodeProcess) -> Config:
        """Return a node's parameters; its defaults where the file is bad, for that is the finding of another check."""
        cls = node.config_class()
        try:
            return read_params(self.parameter_files()[node], node.name, cls)
        except UserError:
            return cls()

    @cached_property
    def controller(self) -> ControllerConfig:
        """The controller's parameters."""
        config = self._config(CONTROLLER)
        assert isinstance(config, ControllerConfig)
        return config

    @cached_property
    def bridge(self) -> BridgeConfig:
        """The bridge's parameters."""
        config = self._config(BRIDGE)
        assert isinstance(config, BridgeConfig)
        return config

    @cached_property
    def robot(self) -> RobotConfig:
        """The robot; the default one where its file is bad, for that is the finding of another check."""
        try:
            return load_robot(self.bridge.robot)
        except UserError:
            return RobotConfig()

    @property
    def port(self) -> str:
        """Serial port of the radio."""
        return self._port or self.bridge.port

    @property
    def model(self) -> str:
        """Name or folder of the model bundle."""
        return self._model or self.controller.model

    @cached_property
    def probe(self) -> Probe:
        """What ROS says."""
        return probe(self.mocap_topic)

    def absent(self, what: str, mend: str) -> Finding:
        """Find that hardware is absent: a failure only where a robot is expected."""
        return fail(what, mend) if self.robot_expected else warn(what, mend)
