"""Connect a node's ROS parameters to its `Config` dataclass: declared, typed, ranged, unknown keys refused."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from millirobot_adapt.core.config import Config, build, flatten, nest
from millirobot_adapt.nodes.parameter_files import source_of

C = TypeVar('C', bound=Config)


def load(node: Node, cls: type[C]) -> C:
    """Build the node's configuration from its parameter overrides (files and command line) and declare every parameter.

    The node must be made with `allow_undeclared_parameters=True, automatically_declare_parameters_from_overrides=True`.

    Raises:
        UserError: an unknown key, a wrong type, a value out of range; files that are all for other nodes.
    """
    source = source_of(node.get_name(), node.get_namespace(), sys.argv)
    given = {name: _plain(node.get_parameter(name).value) for name in node.get_parameters_by_prefix('')}
    ours = {name: value for name, value in given.items() if name.split('.')[0] not in _FOREIGN}
    config = build(cls, nest(ours), source)
    values = flatten(config)
    for name, descriptor in _descriptors(cls).items():
        if node.has_parameter(name):
            descriptor.type = node.get_parameter(name).type_.value
            node.set_descriptor(name, descriptor)
        else:
            node.declare_parameter(name, values[name], descriptor)
    return config


_FOREIGN = ('use_sim_time', 'start_type_description_service', 'qos_overrides')
"""Parameters that rclpy declares itself."""


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) or hasattr(value, 'tolist') else value


def _descriptors(cls: type[Config], prefix: str = '') -> dict[str, ParameterDescriptor]:
    """Describe every parameter of `cls` for ROS tools: sentence, unit, range; read-only, as they are read at start."""
    found: dict[str, ParameterDescriptor] = {}
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING:
            found |= _descriptors(field.default_factory, f'{prefix}{field.name}.')  # type: ignore[arg-type]
            continue
        unit = f' [{field.metadata["unit"]}]' if field.metadata['unit'] else ''
        descriptor = ParameterDescriptor(description=f'{field.metadata["doc"]}{unit}', read_only=True)
        low, high = field.metadata['low'], field.metadata['high']
        if low is not None and high is not None:
            if type(field.default) is float:
                descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
            elif type(field.default) is int:
                descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
        found[f'{prefix}{field.name}'] = descriptor
    return found
