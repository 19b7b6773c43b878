"""ROS: where it comes from, its middleware, its domain, who else is there, and motion capture."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

from millirobot_adapt.app.doctor.finding import Finding, fail, failed, ok, warn
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.bringup import middleware
from millirobot_adapt.bringup.environment import check_log_folder
from millirobot_adapt.bringup.processes import ROBOT
from millirobot_adapt.contract.topics import why_no_topic
from millirobot_adapt.core.errors import UserError

REFERENCE = 'jazzy'
HIGHEST_DOMAIN = 101
"""Linux hands out the UDP ports of higher domains to anyone."""
SLOW_MOCAP = 50.0
"""Motion capture below this rate makes poor velocities [Hz]; the lab's runs at 100."""
LONG_GAP = 0.1
"""A longer gap between poses is reported [s]; the gate holds the robot after 0.3 s."""
OLD_POSE, FUTURE_POSE = 0.1, -0.02
"""A pose stamped further from now means that the clocks of the two machines differ [s]."""


def check_origin(_: Subject) -> Iterator[Finding]:
    """Find where rclpy comes from: a sourced installation or wheels, not a mix; and whether ROS can write its logs."""
    try:
        check_log_folder(os.environ)
    except UserError as error:
        yield failed(error)
    spec = find_spec('rclpy')
    prefixes = [Path(prefix) for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(':') if prefix]
    wheels = [
        dist.name
        for dist in distributions()
        if re.fullmatch(r'ros-\w+-rclpy', dist.name or '')
        and not any(Path(str(dist.locate_file(''))).is_relative_to(prefix) for prefix in prefixes)
    ]
    yield origin(None if spec is None else spec.origin, wheels, os.environ)


def origin(rclpy: str | None, wheels: Sequence[str], environment: Mapping[str, str]) -> Finding:
    """Judge an installation by the path of its rclpy, the wheels installed, and the environment."""
    distro = environment.get('ROS_DISTRO', '')
    prefixes = [Path(prefix) for prefix in environment.get('AMENT_PREFIX_PATH', '').split(':') if prefix]
    if rclpy is None:
        return fail(
            'no rclpy: ROS 2 is neither sourced nor installed as wheels',
            'source /opt/ros/jazzy/setup.bash, or let `make` install the wheels into .venv',
        )
    sourced = any(Path(rclpy).is_relative_to(prefix) for prefix in prefixes)
    if wheels and (distro or sourced):
        return fail(
            f'ROS 2 {distro} is sourced, and {wheels[0]} is installed as a wheel: they do not mix',
            'with ROS sourced: make clean, then make; or open a shell without ROS',
        )
    if not wheels and not sourced:
        return warn(
            f'rclpy of {Path(rclpy).parent}, neither a wheel nor of a sourced installation',
            'source the setup.bash of your ROS 2',
        )
    distro = distro or wheels[0].split('-')[1]
    text = f'ROS 2 {distro}, {"sourced" if sourced else "from wheels"}: {Path(rclpy).parent}'
    if distro != REFERENCE:
        return warn(text, f'most of the tests were run with {REFERENCE}: run `make test`')
    return ok(text)


def check_middleware(subject: Subject) -> Iterator[Finding]:
    """Find whether ROS starts, with which middleware, and whether that one has what it needs."""
    wanted = os.environ.get(middleware.VARIABLE, '')
    if subject.probe.error:
        yield fail(f'ROS does not start: {subject.probe.error}', _why_not(wanted))
        return
    running = subject.probe.answer['rmw']
    missing = middleware.what_is_missing(running)
    if missing is not None:
        yield warn(f'{running} starts, but {missing[0]}', missing[1])
    elif running in (middleware.CYCLONE_DDS, middleware.ZENOH):
        yield ok(f'{running} starts; the tests run on {middleware.FAST_DDS}')
    else:
        yield ok(f'{running} starts')


def _why_not(wanted: str) -> str:
    """Return what to do where ROS does not start with the middleware that the environment chooses."""
    if not wanted:
        return 'look at the other lines on ROS'
    try:
        middleware.refuse_absent(wanted, f'{middleware.VARIABLE}=')
    except UserError as error:
        return f'{error}; or unset {middleware.VARIABLE}'
    missing = middleware.what_is_missing(wanted)
    return f'unset {middleware.VARIABLE}' if missing is None else f'{missing[0]}: {missing[1]}'


def check_domain(_: Subject) -> Iterator[Finding]:
    """Find whether discovery is set to something that works."""
    text = os.environ.get('ROS_DOMAIN_ID', '') or '0'
    if not text.isdecimal() or int(text) > 232:
        yield fail(f'ROS_DOMAIN_ID = {text!r} is not a number in 0..232', 'export ROS_DOMAIN_ID=0')
        return
    if int(text) > HIGHEST_DOMAIN:
        yield warn(
            f'ROS_DOMAIN_ID = {text}: its UDP ports may be taken by other programs',
            f'choose one in 0..{HIGHEST_DOMAIN}',
        )
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    if os.environ.get('ROS_LOCALHOST_ONLY') == '1' or reach == 'LOCALHOST':
        yield ok(f'domain {text}, this machine only: motion capture of another machine is not heard')
    elif reach == 'OFF':
        yield warn(f'domain {text}, discovery is off: nobody is heard', 'unset ROS_AUTOMATIC_DISCOVERY_RANGE')
    else:
        yield ok(f'domain {text}, the subnet is heard')


def check_graph(subject: Subject) -> Iterator[Finding]:
    """Find nodes of ours that run already: two controllers would send setpoints at once."""
    if subject.probe.error:
        return
    nodes = subject.probe.answer['nodes']
    ours = [node.name for node in ROBOT if node.name in nodes]
    if ours:
        yield warn(f'running already in this domain: {", ".join(ours)}', 'end them, or choose another ROS_DOMAIN_ID')
    else:
        yield ok(f'{len(nodes)} other nodes, none of ours')


def check_mocap(subject: Subject) -> Iterator[Finding]:
    """Find how motion capture comes."""
    wrong = why_no_topic(subject.mocap_topic)
    if wrong:
        yield fail(f'--mocap-topic {subject.mocap_topic}: is no name of a topic: {wrong}', 'rename it in the driver')
        return
    if subject.probe.error:
        yield subject.absent('not heard, as ROS does not start', 'look at the lines on ROS')
        return
    heard = subject.probe.answer
    if heard['poses'] < 2:
        yield subject.absent(
            heard['silence'] or f'a single pose on {subject.mocap_topic}',
            'start its driver; --mocap-topic names another topic',
        )
        return
    text = f'{heard["rate"]:.0f} Hz on {subject.mocap_topic}, longest gap {1e3 * heard["gap"]:.0f} ms'
    if heard['rate'] < SLOW_MOCAP or heard['gap'] > LONG_GAP:
        yield warn(text, 'raise its rate to 100 Hz, use a wire instead of Wi-Fi')
    else:
        yield ok(text)
    if not FUTURE_POSE < heard['age'] < OLD_POSE:
        yield warn(
            f'poses are stamped {heard["age"]:.3f} s before they arrive: the clocks differ, or the driver holds them',
            'synchronise the clocks (chrony), or stamp at arrival; `clock_offset` in params/estimator.yaml',
        )
