"""Hold the import walls between the rooms (docs/architecture.md, "Rooms"), by reading the source of every module."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ('millirobot_adapt', 'firmware_bridge')

ROS = {
    'rclpy', 'rcl_interfaces', 'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs', 'lifecycle_msgs', 'nav_msgs',
    'sensor_msgs', 'std_msgs', 'std_srvs', 'visualization_msgs', 'rosgraph_msgs', 'tf2_ros', 'tf2_msgs',
}  # fmt: skip

# Who alone may import a library: module names, or packages with all below them.
KEEPERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ROS, ('millirobot_adapt.nodes', 'millirobot_adapt.ros')),
    'mujoco': ('millirobot_adapt.sim',),
    'rerun': ('millirobot_adapt.analysis',),
    'imageio_ffmpeg': ('millirobot_adapt.analysis',),
    'torch': ('millirobot_adapt.learning', 'millirobot_adapt.device'),
    'onnx': ('millirobot_adapt.learning', 'millirobot_adapt.device'),
    'array_api_compat': ('millirobot_adapt.device',),
    'onnxscript': ('millirobot_adapt.learning',),
    'serial': ('firmware_bridge',),
    'rosbags': ('millirobot_adapt.recording',),
    'mcap': ('millirobot_adapt.recording',),
    **dict.fromkeys(('launch', 'launch_ros', 'ament_index_python'), ('millirobot_adapt.bringup.launching',)),
}

CORE_LIBRARIES = {'numpy', 'scipy', 'onnxruntime', 'yaml', 'pydantic', 'pydantic_core', 'typing_extensions'}

# The rooms from the ground up, and what each may import beside what stands in its own row: arrows point down.
ROOMS: dict[str, tuple[str, ...]] = {
    'core': (),
    'contract': ('core',),
    'device': ('core',),
    'firmware_bridge': ('contract', 'core'),
    'sim': ('firmware_bridge', 'contract', 'core'),
    'recording': ('contract', 'core'),
    'ros': ('contract', 'core'),
    'nodes': ('ros', 'recording', 'sim', 'firmware_bridge', 'contract', 'core'),
    'analysis': ('recording', 'sim', 'contract', 'core'),
    'learning': ('analysis', 'recording', 'sim', 'contract', 'core'),
    'experiments': ('learning', 'analysis', 'recording', 'sim', 'contract', 'core'),
    'api': ('experiments', 'learning', 'analysis', 'recording', 'sim', 'contract', 'core'),
    'bringup': ('nodes', 'ros', 'recording', 'sim', 'firmware_bridge', 'contract', 'core'),
    'benchmarks': (
        'bringup', 'experiments', 'learning', 'analysis', 'ros', 'recording', 'sim', 'firmware_bridge', 'contract',
        'core',
    ),
    'app': (
        'benchmarks', 'bringup', 'api', 'experiments', 'learning', 'analysis', 'ros', 'recording', 'sim',
        'firmware_bridge', 'contract', 'core',
    ),
}  # fmt: skip


def full(room: str) -> str:
    return room if room in PACKAGES else f'millirobot_adapt.{room}'


# The package itself hands out the names of `api`, when they are asked for.
ARROWS: dict[str, set[str]] = {'millirobot_adapt': {'millirobot_adapt.api'}} | {
    full(room): {full(below) for below in allowed} for room, allowed in ROOMS.items()
}


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob('*.py')):
            parts = path.relative_to(ROOT).with_suffix('').parts
            found['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return found


def imports(path: Path) -> set[str]:
    """Every module that `path` imports, also inside functions; relative imports are refused."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}:{node.lineno}: write the whole name instead of a relative import'
            # `from package import room` names the room; `from module import name` is harmless with the name appended.
            found |= {f'{node.module}.{alias.name}' for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, 'attr', getattr(node.func, 'id', '')) in (
            'import_module', '__import__',
        ):  # fmt: skip
            found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return found


def below(name: str, packages: tuple[str, ...] | set[str]) -> bool:
    return any(name == package or name.startswith(f'{package}.') for package in packages)


def room_of(name: str) -> str:
    """The longest entry of ARROWS that holds the module."""
    return max((room for room in ARROWS if below(name, {room})), key=len)


def violations(module: str, imported: set[str]) -> list[str]:
    found = []
    room = room_of(module)
    for name in sorted(imported):
        top = name.split('.')[0]
        if top in PACKAGES:
            target = room_of(name)
            own_or_root = target in (room, 'millirobot_adapt') or below(room, {target})
            if not own_or_root and not below(name, ARROWS[room]):
                found.append(f'{module} imports {name}: {room} may not know {target}')
        elif top in KEEPERS and not below(module, KEEPERS[top]):
            found.append(f'{module} imports {name}: only {", ".join(KEEPERS[top]) or "launch/"} may')
        elif room == 'millirobot_adapt.core' and top not in CORE_LIBRARIES | sys.stdlib_module_names:
            found.append(f'{module} imports {name}: the core knows numpy, scipy, onnxruntime, yaml and pydantic only')
    return found


def test_every_module_keeps_to_its_room():
    found = modules()
    assert len(found) > 500
    assert [each for module, path in found.items() for each in violations(module, imports(path))] == []


def found_in(folder: Path, module: str, source: str) -> list[str]:
    """What a module of that name would do wrong if this were its source."""
    path = folder / 'module.py'
    path.write_text(source)
    return violations(module, imports(path))


@pytest.mark.parametrize(
    ('module', 'source'),
    [
        ('millirobot_adapt.core.share', 'import rclpy'),
        ('millirobot_adapt.core.share', 'import pandas'),
        ('millirobot_adapt.core.share', 'from millirobot_adapt import sim'),
        ('millirobot_adapt.core.share', 'from millirobot_adapt.ros import process'),
        ('millirobot_adapt.core.share', 'from millirobot_adapt.contract import topics'),
        ('millirobot_adapt.core.share', 'def f():\n    import torch'),
        ('millirobot_adapt.core.share', "import importlib\nimportlib.import_module('mujoco')"),
        ('millirobot_adapt.contract.topics', 'from std_srvs.srv import Trigger'),
        ('millirobot_adapt.contract.topics', 'from firmware_bridge import packets'),
        ('millirobot_adapt.nodes.estimator', 'import mujoco.viewer'),
        ('millirobot_adapt.nodes.bridge', 'from millirobot_adapt.bringup import processes'),
        ('millirobot_adapt.app.commands.learn', 'from torch import nn'),
        ('millirobot_adapt.bringup.supervisor', 'from std_srvs.srv import Trigger'),
        ('millirobot_adapt.sim.world', 'if True:\n    import serial'),
        ('firmware_bridge.packets', 'import rclpy.node'),
        ('firmware_bridge.packets', 'from millirobot_adapt.ros.process import run'),
        ('firmware_bridge.packets', 'from millirobot_adapt.sim import mock'),
        ('millirobot_adapt.recording.reader', 'from millirobot_adapt.app import main'),
    ],
)
def test_a_breach_is_seen(tmp_path, module, source):
    assert found_in(tmp_path, module, source) != []


@pytest.mark.parametrize(
    ('module', 'source'),
    [
        (
            'millirobot_adapt.core.share',
            'import json\nimport numpy as np\nfrom millirobot_adapt.core.robot.layout import POSITION',
        ),
        ('millirobot_adapt.nodes.bridge', 'import rclpy\nfrom millirobot_adapt.ros.process import run'),
        ('millirobot_adapt.nodes.bridge', 'from firmware_bridge.bridge_loop import BridgeLoop'),
        ('millirobot_adapt.sim.world', 'import mujoco\nfrom firmware_bridge.packets import decode_command'),
        ('millirobot_adapt.app.main', 'from millirobot_adapt import __version__'),
    ],
)
def test_what_is_allowed_passes(tmp_path, module, source):
    assert found_in(tmp_path, module, source) == []


LAUNCHING = {'launch', 'launch_ros', 'ament_index_python'}


def on_the_systems_python(start: str) -> dict[str, set[str]]:
    """What a module imports, itself and through others of ours: module -> names of foreign packages."""
    known, found, left = modules(), {}, [start]
    while left:
        module = left.pop()
        if module in found:
            continue
        found[module] = set()
        packages = {module.rpartition('.')[0]} & set(known)
        for name in imports(known[module]) | packages:
            ours = next((each for each in (name, name.rpartition('.')[0]) if each in known), None)
            if ours is not None:
                left.append(ours)
            elif name.split('.')[0] not in sys.stdlib_module_names:
                found[module].add(name.split('.')[0])
    return found


@pytest.mark.parametrize('module', ['millirobot_adapt.bringup.launching.launch_file', 'millirobot_adapt.app.entry'])
def test_what_runs_on_the_systems_python_needs_ros_alone(module):
    """Launch files and the start of the executables run where our dependencies are not installed."""
    found = on_the_systems_python(module)
    assert len(found) > 4
    assert {name: more - LAUNCHING for name, more in found.items() if more - LAUNCHING} == {}


def test_every_room_is_known():
    rooms = {path.parent.name for path in (ROOT / 'millirobot_adapt').glob('*/__init__.py')}
    assert rooms | {'firmware_bridge'} == set(ROOMS)


def test_the_arrows_point_down():
    order = list(ROOMS)
    for room, allowed in ROOMS.items():
        for below_it in allowed:
            assert order.index(below_it) < order.index(room), f'{room} may not import {below_it}: it stands above'
