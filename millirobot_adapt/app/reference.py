"""Write the reference of all parameters from their declarations: python -m millirobot_adapt.app.reference.

It prints docs/parameters.md, which a test compares with what it prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.core.config import Config, Parameter, parameters_of
from millirobot_adapt.core.robot.description import RobotConfig

HEAD = """# Parameters

Generated from the declarations in the code: `python -m millirobot_adapt.app.reference > docs/parameters.md`.

Each node reads its block of a ROS 2 parameter file. With an unknown key, a wrong type, a list of another length or a
value out of range the node does not start; the error names the file, the key, and a valid key that is near.

To change parameters, write a file of your own with `millirobot params new lab.yaml`, edit it, and give it to the
launch files (`params:=lab.yaml`), to `millirobot doctor --params` or to a node (`--ros-args --params-file`). A block
may be headed `bridge`, `/robot1/bridge`, `/**/bridge`, or `/**` for all nodes; namespaces may be nested; a later
block wins over an earlier one, as in ROS. A block `/**` may hold parameters that only some nodes have. `use_sim_time`
must be false: the nodes run on the clock of the machine. `millirobot demo` and `millirobot replay` take single values
with `--set NODE.PARAMETER=VALUE`. After an upgrade, parameters with another name are taken with a note; `millirobot
params migrate` writes the present names into the file. A parameter that no longer exists is refused with what to do
instead.

Parameters with a word under *live* can change while the node runs (`ros2 param set /NODE PARAMETER VALUE`): *any* to
any value in range, *lower* or *higher* only in that direction, because a limit may be tightened and not loosened. The
node reads all others once, when it starts. Of several parameters set in one call of the service
`set_parameters_atomically` either all change or none. A change applies from the next planned tick, and the bag
records it.
"""
TABLE = '| parameter | type | unit | range | default | live | what |\n|---|---|---|---|---|---|---|'
IN_A_ROBOT_FILE = {
    **dict.fromkeys(('name', 'joints[].name', 'battery.low'), 'must be given'),
    **dict.fromkeys((f'actions[].{key}' for key in ('name', 'unit', 'low', 'high')), 'must be given'),
    'gyro': '`false`',
}
"""What holds where a robot's file leaves a key out and the default of the declaration, VelociRoACH's, does not."""
TYPES = {float: 'number', int: 'whole number', bool: 'true, false', str: 'text'}


def reference() -> str:
    """Return the page, in Markdown."""
    parts = [HEAD]
    for node in NODES:
        parts.append(table(f'`params/{node.name}.yaml`: the node `{node.name}`', node.config_class()))
    title = '`params/robots/*.yaml`: the robot (no node; without `ros__parameters`)'
    parts.append(table(title, RobotConfig, IN_A_ROBOT_FILE))
    return '\n'.join(parts)


def table(title: str, cls: type[Config], defaults: Mapping[str, str] | None = None) -> str:
    """Return a heading and the table of a declaration, a row each; `defaults` replaces declared ones."""
    return '\n'.join([f'## {title}', '', TABLE, *_rows(cls, defaults or {}), ''])


def _rows(cls: type[Config], defaults: Mapping[str, str]) -> Iterator[str]:
    for name, parameter in _opened(cls):
        cells = (
            _type(parameter.default),
            parameter.unit,
            _range(parameter),
            defaults.get(name, _value(parameter.default)),
            parameter.live,
        )
        yield f'| `{name}` | {" | ".join(cells)} | {parameter.doc} |'


def _opened(cls: type[Config], prefix: str = '') -> Iterator[tuple[str, Parameter]]:
    """Return every parameter by its dotted name; `[]` stands for each entry of a list, `<kind>` for one of several."""
    for name, parameter in parameters_of(cls, prefix):
        if parameter.variants:
            for kind, variant in parameter.variants.items():
                yield from _opened(variant, f'{name}<{kind}>.')
        elif parameter.holds is None:
            yield name, parameter
        elif isinstance(parameter.default, tuple):
            yield from _opened(parameter.holds, f'{name}[].')
        else:
            yield from _opened(parameter.holds, f'{name}.')


def _type(default: Any) -> str:
    if isinstance(default, tuple):
        return f'list of {TYPES[type(default[0])]}s'
    return TYPES[type(default)]


def _range(parameter: Parameter) -> str:
    if parameter.choices:
        return ', '.join(_value(choice) for choice in parameter.choices)
    length = f'{parameter.length} values' if parameter.length else ''
    low, high = parameter.low, parameter.high
    if low is not None and high is not None:
        limits = f'{low:.12g} to {high:.12g}'
    elif low is not None:
        limits = f'from {low:.12g}'
    else:
        limits = '' if high is None else f'up to {high:.12g}'
    return ', '.join(part for part in (length, limits) if part)


def _value(default: Any) -> str:
    if isinstance(default, tuple):
        return f'`[{", ".join(_value(item).strip("`") for item in default)}]`'
    if isinstance(default, bool):
        return f'`{str(default).lower()}`'
    return f'`{default}`' if default != '' else "`''`"


if __name__ == '__main__':
    print(reference(), end='')
