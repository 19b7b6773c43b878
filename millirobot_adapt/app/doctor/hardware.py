"""What actions go out through: the serial port of a radio or a bus, or a velocity command that somebody hears."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from firmware_bridge.transports.serial_port import SerialPort, is_pseudo_terminal, known_ports
from millirobot_adapt.app.doctor.finding import Finding, failed, ok, warn
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.drivers import TwistConfig

SLOW_LATENCY_TIMER = 2
"""A driver that gathers bytes for longer adds that to every exchange [ms]; FTDI's own choice is 16."""

ADAPTERS = {'imageproc': "the radio's USB adapter", 'dynamixel': 'the USB adapter of the bus'}
"""What the port belongs to, by the kind of the driver."""


def check_port(subject: Subject) -> Iterator[Finding]:
    """Find whether the port is there, may be opened, keeps its name, and hands over bytes at once."""
    if subject.robot.baud is None:
        yield _listeners(subject)
        return
    port = subject.port
    if not os.path.exists(port):
        known = ', '.join(known_ports()) or 'none'
        yield subject.absent(
            f'{port}: no such port (this machine has {known})', f'plug in {ADAPTERS[subject.robot.driver.kind]}'
        )
        return
    try:
        opened = SerialPort(port, subject.robot.baud)
    except UserError as error:
        yield failed(error)
        return
    try:
        latency = _latency_timer(port)  # while it is open: opening asks the driver for low latency
    finally:
        opened.close()
    if is_pseudo_terminal(port):
        yield ok(f'{port}: a pseudo-terminal, as the mock makes; no hardware')
        return
    if latency is not None and latency > SLOW_LATENCY_TIMER:
        yield warn(
            f'{port}: the driver waits up to {latency} ms for more bytes',
            f'echo 1 | sudo tee {_timer_file(port)}',
        )
    stable = [name for name in known_ports() if os.path.realpath(name) == os.path.realpath(port)]
    if not port.startswith('/dev/serial/by-id/') and stable and stable[0].startswith('/dev/serial/by-id/'):
        yield warn(f'{port} can be opened, but may get another name', f'use {stable[0]}')
    else:
        yield ok(f'{port} can be opened')


def _listeners(subject: Subject) -> Finding:
    """Find whether somebody hears the velocity command of a robot without a port, in the form in which it goes out."""
    driver = subject.robot.driver
    assert isinstance(driver, TwistConfig)
    sent = f'geometry_msgs/msg/{"TwistStamped" if driver.stamped else "Twist"}'
    if subject.probe.error:
        return subject.absent(f'{driver.topic}: nobody is heard, as ROS does not start', 'look at the lines on ROS')
    heard = subject.probe.answer.get('listeners', [])
    if sent in heard:
        return ok(f'{driver.topic}: {heard.count(sent)} nodes hear the velocity command, as {sent}')
    if heard:
        return warn(
            f'{driver.topic}: it would go out as {sent}, but is heard as {", ".join(sorted(set(heard)))}',
            f"set stamped: {str(not driver.stamped).lower()} under driver in the robot's file",
        )
    return subject.absent(f'{driver.topic}: nobody hears the velocity command', "start the robot's own driver")


def _timer_file(port: str) -> Path:
    return Path('/sys/class/tty') / Path(os.path.realpath(port)).name / 'device' / 'latency_timer'


def _latency_timer(port: str) -> int | None:
    """Return the latency timer of an FTDI-like driver [ms], None where it has none."""
    try:
        return int(_timer_file(port).read_text())
    except (OSError, ValueError):
        return None
