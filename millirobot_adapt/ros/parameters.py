"""Connect a node's ROS parameters to its `Config` dataclass: declared, typed, ranged, unknown keys refused.

Those declared live may be set while the node runs, several at once or none; all others are read at the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from millirobot_adapt.core.config import Config, Parameter, build, flatten, nest, parameters_of
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.live_rules import changed
from millirobot_adapt.core.parameter_file import OF_ROS
from millirobot_adapt.core.renames import renewed
from millirobot_adapt.ros.parameter_files import origin_of

C = TypeVar('C', bound=Config)


def load(node: Node, cls: type[C], on_change: Callable[[C], None] = lambda config: None) -> C:
    """Build the node's configuration from its parameter overrides (files and command line) and declare every parameter.

    The node must be made with `allow_undeclared_parameters=True, automatically_declare_parameters_from_overrides=True`.
    When live parameters are set, `on_change` is called with the whole new configuration, on the thread that spins.

    Raises:
        UserError: an unknown key, a wrong type, a value out of range; files that are all for other nodes.
    """
    config = build(cls, *_given(node))
    values = flatten(config)
    for name, descriptor in _descriptors(cls).items():
        if node.has_parameter(name):
            if not descriptor.dynamic_typing:
                descriptor.type = node.get_parameter(name).type_.value
            node.set_descriptor(name, descriptor)
        else:
            node.declare_parameter(name, values[name], descriptor)
    _follow(node, config, on_change)
    return config


def _given(node: Node) -> tuple[dict[str, Any], str]:
    """Return what the node is given, nested and under the present names, and where it came from."""
    origin = origin_of(node.get_name(), node.get_namespace())
    given = {name: _plain(node.get_parameter(name).value) for name in node.get_parameters_by_prefix('')}
    if given.pop('use_sim_time', False):
        raise UserError(f"{origin.text}: use_sim_time: our nodes run on the machine's clock; write false")
    ours = {name: value for name, value in given.items() if name.split('.')[0] not in OF_ROS}
    try:
        values, notes = renewed(node.get_name(), {k: v for k, v in ours.items() if k not in origin.foreign})
        nested = nest(values)
    except UserError as error:
        raise UserError(f'{origin.text}: {error}') from None
    for note in notes:
        node.get_logger().warning(f'{origin.text}: {note}')
    for name in set(ours) - set(values):
        node.undeclare_parameter(name)
    return nested, origin.text


def _follow(node: Node, config: C, on_change: Callable[[C], None]) -> None:
    """Check what is set from now on as a whole, and hand it on; what ROS declares itself is not looked at."""

    def on_set(parameters: list[RosParameter]) -> SetParametersResult:
        nonlocal config
        changes = {each.name: _plain(each.value) for each in parameters if each.name.split('.')[0] not in OF_ROS}
        if not changes:
            return SetParametersResult(successful=True)
        try:
            config = changed(config, changes, node.get_fully_qualified_name())
        except UserError as error:
            return SetParametersResult(successful=False, reason=str(error))
        on_change(config)
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(on_set)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) or hasattr(value, 'tolist') else value


def _descriptors(cls: type[Config]) -> dict[str, ParameterDescriptor]:
    """Describe every parameter of `cls` for ROS tools: sentence, unit, range, whether it is read-only."""
    return {name: _descriptor(parameter) for name, parameter in parameters_of(cls)}


def _descriptor(parameter: Parameter) -> ParameterDescriptor:
    unit = f' [{parameter.unit}]' if parameter.unit else ''
    descriptor = ParameterDescriptor(
        description=f'{parameter.doc}{unit}',
        read_only=not parameter.live,
        dynamic_typing=bool(parameter.live),  # ROS would refuse 80 for 80.0; `changed` checks the type, and says more
    )
    low, high = parameter.low, parameter.high
    if low is not None and high is not None:
        if type(parameter.default) is float:
            descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
        elif type(parameter.default) is int:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return descriptor
