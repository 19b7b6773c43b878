"""Parameters, robot and model: whether they can be read, fit each other, and are quick enough."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec

import onnxruntime

from firmware_bridge.driver_factory import silence_promise
from firmware_bridge.permission import REAL
from millirobot_adapt.app.doctor.finding import Finding, fail, failed, ok, warn
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.bringup.processes import ROBOT
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig, assemble, warm_up
from millirobot_adapt.core.dynamics.cpu import has_int8_dot_products
from millirobot_adapt.core.dynamics.provider import identity_of
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.path_source import TOPIC, refuse_outside
from millirobot_adapt.core.planning.paths import ENDLESS, make_path
from millirobot_adapt.core.robot.description import RobotConfig, load_robot

TICKS = 10
"""Measured after as many have warmed up."""
FEWER = 4
"""The work of a tick is also measured with this share of the candidates."""
VERIFIED = {'imageproc': 'timeout_verified', 'dynamixel': 'watchdog_verified', 'twist': 'timeout_verified'}
"""What a robot's file says once it has been seen to stop by itself, by the kind of its driver."""
BUSY = 0.6
"""Share of the control period beyond which the work of a tick leaves too little for the rest."""


def check_parameters(subject: Subject) -> Iterator[Finding]:
    """Find whether the parameters of every node can be read."""
    bad: dict[str, UserError] = {}
    for node in ROBOT:
        try:
            subject.config_of(node)
        except UserError as error:
            bad[str(error)] = error
    yield from map(failed, bad.values())
    for note in subject.notes:
        yield warn(note, 'run millirobot params migrate, or take the block out')
    if not bad and not subject.parameters_used():
        yield fail(
            f'no file is for {", ".join(node.name for node in ROBOT)}', 'head each block with the name of a node'
        )
    elif not bad:
        yield ok(f'those of {", ".join(node.name for node in ROBOT)} can be read')


def check_robot(subject: Subject) -> Iterator[Finding]:
    """Find whether the robot's file can be read, and whether the robot has been seen to stop by itself."""
    robot = load_robot(subject.robot_name)
    ranges = ', '.join(f'{action.name} {action.low:g}..{action.high:g} {action.unit}' for action in robot.actions)
    yield ok(f'{robot.name}, driver {robot.driver.kind}, {ranges}, every {robot.dt:g} s')
    warning = silence_promise(robot).warning
    if warning is not None:
        yield warn(warning, f'then write {VERIFIED[robot.driver.kind]}: true into its file')
    blind = unnoticed(robot)
    if blind:
        yield ok(f'it does not report enough of itself for anybody to notice {", ".join(blind)}')


def unnoticed(robot: RobotConfig) -> list[str]:
    """Name the faults of docs/safety.md that stop no robot which reports as little of itself as this one."""
    layout = robot.layout
    return [
        *([] if robot.joints or robot.gyro else ['motion capture that repeats an old pose']),
        *([] if layout.followers else ['a joint that does not turn as it is told']),
        *([] if robot.battery else ['an empty battery']),
    ]


def check_engine(subject: Subject) -> Iterator[Finding]:
    """Find whether the processor, or the GPU, can do what is asked of it, and name the libraries of both."""
    engine = subject.controller.engine
    text = f'{engine.name} on {engine.provider}, {engine.threads} threads; onnxruntime {onnxruntime.__version__}, '
    text += f'PyTorch {version("torch")}' if find_spec('torch') else 'no PyTorch (only engine.provider: cuda needs it)'
    try:
        text += ''.join(f'; {name} {value}' for name, value in identity_of(engine).items() if name == 'device')
    except UserError as error:
        yield fail(text, str(error))
        return
    if engine.name == 'int8' and not has_int8_dot_products():
        yield warn(f'{text}; this processor has no int8 dot products', 'engine.name: fp32 is quicker here')
    else:
        yield ok(text)


def check_path(subject: Subject) -> Iterator[Finding]:
    """Find whether the path can be read and stays inside the fence."""
    config = subject.controller
    if config.path == TOPIC:
        yield ok('the one that is published on controller/path')
        return
    path, fence = make_path(config.path), config.objective.polygon
    text = f'{path.name}: {path.length:.2f} m, {len(path.waypoints)} waypoints'
    try:
        refuse_outside(path, fence)
    except UserError as error:
        if config.anchor == 'world':
            yield failed(error)
        else:
            yield warn(f'laid from the origin, {error}', 'start where it fits: start refuses what leaves the fence')
        return
    yield ok(f'{text}, inside the fence' if path.name not in ENDLESS else f'{text}; the gate stops it at the fence')


def check_model(subject: Subject) -> Iterator[Finding]:
    """Find whether the model is whole, fits the robot, knows a real one, and plans in time."""
    config = replace(subject.controller, model=subject.model)
    assembly = assemble(config, subject.robot)
    yield ok(f'{assembly.bundle.path} fits {subject.robot.name}: {assembly.details["method"]}, hashes are right')
    if assembly.bundle.origin != REAL:
        yield warn(
            f'trained on data of origin {assembly.bundle.origin!r}: for rehearsal, the bridge refuses it on a robot',
            'train one on data of this robot (docs/training.md)',
        )
    work = _work(assembly)
    period, samples = subject.robot.dt, config.planner.samples
    text = f'a tick takes {1e3 * work:.0f} ms of {1e3 * period:.0f} ms, on an idle machine'
    fitting = _fitting_samples(config, subject, work)
    if work > BUSY * period:
        more = f'set planner.samples to {fitting}' if fitting else 'lower planner.horizon, or train a smaller network'
        yield warn(text, f'{more} in params/controller.yaml')
    else:
        yield ok(f'{text}; planner.samples is {samples}, up to about {fitting} fit')


def _work(assembly: Assembly) -> float:
    """Return how long the work of a tick takes [s]."""
    warm_up(assembly, TICKS)
    begin = time.monotonic()
    warm_up(assembly, TICKS)
    return (time.monotonic() - begin) / TICKS


def _fitting_samples(config: ControllerConfig, subject: Subject, work: float) -> int:
    """Estimate how many candidates fit into `BUSY` of the control period; 0: not even a hundred.

    The work of a tick is taken as a part that is always there and one that grows with the candidates; a second
    measurement with fewer of them tells the two apart.
    """
    planner = config.planner
    fewer = max(1, planner.samples // FEWER)
    light = replace(planner, samples=fewer, batch=min(planner.batch, fewer))
    lighter = _work(assemble(replace(config, planner=light), subject.robot))
    each = max(work - lighter, 0.0) / max(1, planner.samples - fewer)
    left = BUSY * subject.robot.dt - (work - each * planner.samples)
    if each == 0.0:
        return planner.samples
    return max(0, round(left / each)) // 100 * 100
