"""Read out of a bag with what it was made, parameters, robot and model, and find robot and model on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from millirobot_adapt import __version__
from millirobot_adapt.core.config import Config, build, flatten, nest, read_params
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig, assemble
from millirobot_adapt.core.dynamics.method_factory import model_for_method
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.parameter_file import ParameterFile
from millirobot_adapt.core.planning.path_source import TOPIC
from millirobot_adapt.core.robot.description import RobotConfig, load_robot, robot_from
from millirobot_adapt.core.share import file_hashes, find, share_dir, shipped_model
from millirobot_adapt.recording.provenance import Provenance, read_provenance
from millirobot_adapt.recording.reader import Bag


def robot_of(told: Provenance | None, name: str) -> RobotConfig:
    """Return the robot that a run describes; where it describes none, the one of that name.

    Raises:
        UserError: the description does not fit this version.
    """
    described = None if told is None else told.content.get('robot')
    if told is None or not isinstance(described, Mapping):
        return load_robot(name)
    return robot_from(nest(described), f'{told.source}: robot')


def model_of(told: Provenance, named: str = '', remedy: str = 'put it back there') -> Path:
    """Return the folder of the bundle with the recorded hashes: where the user says, where it was, or a shipped one.

    Args:
        told: What ran, its model's hashes among it.
        named: Model that the user names; '': none.
        remedy: What the user can do where there is none.

    Raises:
        UserError: there is none, or it has changed since.
    """
    recorded = Path(told.model)
    places = [find('models', named)] if named else [recorded, share_dir() / 'models' / recorded.name]
    changed = {place: _changed_files(place, told.model_hashes) for place in places if place.is_dir()}
    if not changed:
        raise UserError(f'{recorded}: the model of this run is missing; {remedy}')
    for place, files in changed.items():
        if not files:
            return place
    place, files = next(iter(changed.items()))
    raise UserError(f'{place}: is not the model of this run (SHA-256 of {", ".join(files)}); {remedy}')


def _changed_files(folder: Path, recorded: Mapping[str, str]) -> list[str]:
    """Return the files of a bundle that are missing or have another hash than recorded."""
    found = file_hashes(folder)
    return [name for name, digest in recorded.items() if found.get(name) != digest]


C = TypeVar('C', bound=Config)


@dataclass(frozen=True)
class Setup:
    """What a controller and an estimator are made from."""

    controller: ControllerConfig
    estimator: EstimatorNodeConfig
    robot: RobotConfig
    source: str
    """Where the parameters were found, for the user."""
    version: str
    """Version and commit of the package that recorded; '' when they are not told."""
    kept: frozenset[str] = frozenset()
    """Parameters of the controller that the user has chosen: what the run changed in them does not count."""

    def assemble(self) -> Assembly:
        """Make the control loop; paths are taken from the bag, so that a file that named one need not be there.

        Raises:
            UserError: model, robot and parameters do not fit each other.
        """
        return assemble(replace(self.controller, path=TOPIC), self.robot)


@dataclass(frozen=True)
class Changes:
    """What the user wants otherwise than recorded."""

    model: str = ''
    """Model bundle; '': the recorded one."""
    method: str = ''
    """Adaptation method; '': the recorded one, or with another model the one it was trained for. Without a model it
    brings the one that ships for it, unless the recorded model was trained for it (`model_for_method`)."""
    parameters: ParameterFile | None = None
    """ROS 2 parameter file whose blocks take the place of the recorded parameters."""
    overrides: Sequence[tuple[str, str, Any]] = ()
    """Node, dotted parameter name, value."""


def recorded_setup(bag: Bag, changes: Changes, same_model: bool = False) -> Setup:
    """Return what a bag was made with, changed as asked.

    A node of which a bag tells no parameters gets the shipped ones; `source` then says so.

    Args:
        bag: The bag.
        changes: What to change.
        same_model: A model named by the user must be the recorded one, too.

    Raises:
        UserError: parameters that do not fit, a model that is missing or has changed.
    """
    told = read_provenance(bag)
    controller = _config(told, changes, 'controller', ControllerConfig)
    estimator = _config(told, changes, 'estimator', EstimatorNodeConfig)
    if changes.model:
        controller = replace(controller, model=changes.model, method=changes.method)
    renamed = {name for _, name, _ in changes.overrides}
    if told is not None and told.model_hashes and (same_model or not (changes.model or 'model' in renamed)):
        remedy = 'name the folder of the one that was used with --model'
        controller = replace(controller, model=str(model_of(told, changes.model, remedy)))
    if changes.method and not changes.model:
        model = model_for_method(changes.method, controller.model, load_robot(controller.robot).name)
        controller = replace(controller, model=model, method=changes.method)
    source = _source(told)
    if changes.parameters is not None:
        source = str(changes.parameters.path)
    robot = robot_of(None if 'robot' in renamed else told, controller.robot)
    if _chose_no_model(told, changes) and robot.name != load_robot(controller.robot).name:
        controller = replace(controller, model=shipped_model(robot.name, 'grbal'))
    chosen = {name for node, name, _ in changes.overrides if node == 'controller'}
    if (changes.model or changes.method) and not same_model:
        chosen.add('model')  # what was swapped in on the way does not count either
    if changes.parameters is not None and changes.parameters.values('controller') is not None:
        chosen |= set(flatten(controller))
    return Setup(controller, estimator, robot, source, _version(told), frozenset(chosen))


def _chose_no_model(told: Provenance | None, changes: Changes) -> bool:
    """Return whether neither the run nor the user says which model is meant, as where a collector drove."""
    names = {name for node, name, _ in changes.overrides if node == 'controller'}
    asked = changes.model or changes.method or changes.parameters is not None or 'model' in names
    return not asked and told is not None and not told.model and not isinstance(told.content.get('controller'), Mapping)


def _source(told: Provenance | None) -> str:
    """Return where the parameters come from, and of which nodes none were recorded."""
    if told is None:
        return 'the shipped ones, as the bag tells none'
    untold = [node for node in ('controller', 'estimator') if not isinstance(told.content.get(node), Mapping)]
    return f'{told.source}; the shipped ones of {" and ".join(untold)}, as it tells none' if untold else told.source


def recorded_robot(bag: Bag) -> RobotConfig:
    """Return the robot that a bag was recorded with, the shipped one where it does not tell; no model is needed.

    Raises:
        UserError: its description does not fit this version.
    """
    return robot_of(read_provenance(bag), ControllerConfig().robot)


def known_robot(bag: Bag) -> tuple[RobotConfig, str]:
    """Return the robot of a bag and '', or VelociRoACH and why this version does not know the robot of the bag."""
    try:
        return recorded_robot(bag), ''
    except UserError as error:
        return RobotConfig(), str(error)


def recorded_estimator(bag: Bag) -> EstimatorNodeConfig:
    """Return the estimator's parameters that a bag was recorded with, the shipped ones where it does not tell.

    Raises:
        UserError: they do not fit this version.
    """
    return _config(read_provenance(bag), Changes(), 'estimator', EstimatorNodeConfig)


def _config(told: Provenance | None, changes: Changes, node: str, cls: type[C]) -> C:
    """Return a node's parameters: from the user's file, else the recorded ones, else the shipped ones; then changed."""
    given = {name: value for changed, name, value in changes.overrides if changed == node}
    config: C | None = None
    if changes.parameters is not None and changes.parameters.values(node) is not None:
        config = read_params(changes.parameters, node, cls)
    elif told is not None:
        config = _told(told, node, cls)
    if config is None:
        config = read_params(find('params', node, '.yaml'), node, cls)
    return build(cls, nest({**flatten(config), **given}), f'--set {node}') if given else config


def _told(told: Provenance, node: str, cls: type[C]) -> C | None:
    try:
        return told.config(node, cls)
    except UserError as error:
        made = _version(told) or 'an unknown version'
        raise UserError(
            f'{error} (made with millirobot_adapt {made}, this is {__version__}); give the parameters with --params'
        ) from None


def _version(told: Provenance | None) -> str:
    return '' if told is None else ' '.join(filter(None, (told.version, told.git)))
