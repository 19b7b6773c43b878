"""What is examined: the options of the command, and what they lead to."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from firmware_bridge.bridge_config import BridgeConfig
from millirobot_adapt.app.doctor.finding import Finding, fail, warn
from millirobot_adapt.app.doctor.probe import Probe, probe
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ESTIMATOR, NODES, ROBOT, NodeProcess
from millirobot_adapt.bringup.robot_choice import choices_of
from millirobot_adapt.contract.topics import MOCAP_POSE, ODOMETRY, why_no_topic
from millirobot_adapt.core.config import Config, build, flatten, nested_in, read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.parameter_file import ParameterFile, present_values, read_parameter_file
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.robot.drivers import TwistConfig


class Subject:
    """A machine with its parameters; what is slow to find out is found out once, when first asked for.

    Raises:
        UserError: there is nothing at `params`.
    """

    def __init__(
        self,
        *,
        robot_expected: bool = False,
        robot: str | None = None,
        port: str | None = None,
        model: str | None = None,
        params: Path | None = None,
        mocap_topic: str | None = None,
        runs: Path = Path('runs'),
    ) -> None:
        """Take the command's options.

        Args:
            robot_expected: Robot, radio and motion capture should be there.
            robot: Name or file of the robot, None for the bridge's parameter; another robot brings its own model.
            port: Serial port, None for the bridge's parameter.
            model: Model bundle, None for the controller's parameter.
            params: A ROS 2 parameter file, or a folder with one file a node; None for the shipped ones.
            mocap_topic: Where poses are published, None for what the estimator's parameters say.
            runs: Where run folders go.
        """
        if params is not None and not params.exists():
            raise UserError(f'--params {params}: no such file or folder; name one of yours')
        self.robot_expected = robot_expected
        self._mocap_topic = mocap_topic
        self.runs = runs
        self._robot = robot
        self._port = port
        self._model = model
        self._params = params
        self._configs: dict[NodeProcess, Config] = {}
        self.notes: list[str] = []
        """What the user should know of the parameter files, such as parameters that have another name now."""

    @cached_property
    def _own(self) -> dict[NodeProcess, ParameterFile]:
        """The user's file of each node that has one; each file is read once."""
        if self._params is None:
            return {}
        if self._params.is_dir():
            paths = {node: self._params / f'{node.name}.yaml' for node in ROBOT}
            return {node: read_parameter_file(path) for node, path in paths.items() if path.is_file()}
        file = read_parameter_file(self._params)
        self.notes += [
            f'{file.path}: {head} is none of our nodes' for head in file.foreign_heads(n.name for n in NODES)
        ]
        return dict.fromkeys(ROBOT, file)

    def config_of(self, node: NodeProcess) -> Config:
        """Return a node's parameters as the launch files set them: the shipped ones, changed by the user's file.

        Raises:
            UserError: a file cannot be read, or holds what does not fit.
        """
        if node not in self._configs:
            cls, own = node.config_class(), self._own.get(node)
            config = read_params(node.parameter_file, node.name, cls)
            changes = None if own is None else present_values(own, node.name, say=self.notes.append)
            if own is not None and changes:
                values = nested_in({**flatten(config), **changes}, str(own.path))
                config = build(cls, values, str(own.path))
            self._configs[node] = config
        return self._configs[node]

    def parameters_used(self) -> bool:
        """Return whether the user's files, where there are any, hold parameters of a node of ours."""
        return self._params is None or any(file.values(node.name) is not None for node, file in self._own.items())

    def _config(self, node: NodeProcess) -> Config:
        """Return a node's parameters; its defaults where the file is bad, for that is the finding of another check."""
        try:
            return self.config_of(node)
        except UserError:
            return node.config_class()()

    @cached_property
    def controller(self) -> ControllerConfig:
        """The controller's parameters."""
        config = self._config(CONTROLLER)
        assert isinstance(config, ControllerConfig)
        if self._robot is None:
            return config
        return replace(config, robot=self._robot, **choices_of(self.robot, mock=False)['controller'])

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
            return load_robot(self.robot_name)
        except UserError:
            return RobotConfig()

    @property
    def robot_name(self) -> str:
        """Name or file of the robot."""
        return self._robot or self.bridge.robot

    @property
    def port(self) -> str:
        """Serial port of the radio."""
        return self._port or self.bridge.port

    @property
    def model(self) -> str:
        """Name or folder of the model bundle."""
        return self._model or self.controller.model

    @property
    def mocap_topic(self) -> str:
        """Where poses are published."""
        if self._mocap_topic is not None:
            return self._mocap_topic
        config = self._config(ESTIMATOR)
        assert isinstance(config, EstimatorNodeConfig)
        return config.odometry_topic if self._by_odometry else MOCAP_POSE.name

    @cached_property
    def probe(self) -> Probe:
        """What ROS says."""
        heard = MOCAP_POSE.name if why_no_topic(self.mocap_topic) else self.mocap_topic
        driver, kind = self.robot.driver, ODOMETRY.type if self._by_odometry else MOCAP_POSE.type
        return probe(heard, command=driver.topic if isinstance(driver, TwistConfig) else '', kind=kind)

    @property
    def _by_odometry(self) -> bool:
        """Whether poses come as odometry."""
        config = self._config(ESTIMATOR)
        assert isinstance(config, EstimatorNodeConfig)
        return config.pose_source == 'odometry'

    def absent(self, what: str, fix: str) -> Finding:
        """Find that hardware is absent: a failure only where a robot is expected."""
        return fail(what, fix) if self.robot_expected else warn(what, fix)
