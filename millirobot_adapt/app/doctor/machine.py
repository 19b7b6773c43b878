"""The machine: Python, processor, timers, disk, clock."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.app.doctor.finding import Finding, fail, ok, warn
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.core.control.pacing import every
from millirobot_adapt.core.dynamics.cpu import cpu_flags
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording.installation import host

PERIOD, BEATS = 0.01, 100
"""Of the measured timer [s]."""
LATE = 0.005
"""A timer that is off by more, one time in a hundred, shifts the ticks [s]."""
LITTLE_SPACE, NO_SPACE = 2e9, 1e8
"""Free space for runs [bytes]; a run records up to 1 MB a second."""
SLOW_DISK = 5e6
"""A disk that writes slower may hold up the recorder [bytes/s]."""
SAMPLE = 8 * 2**20
"""Written to measure it [bytes]."""
FIRST_SENSIBLE_TIME = 1704067200.0
"""2024-01-01: a host clock before it has never been set [s since the epoch]."""


def check_python(_: Subject) -> Iterator[Finding]:
    """Find which versions run."""
    yield ok(f'millirobot_adapt {__version__} on Python {platform.python_version()}, {platform.platform()}')


def check_processor(subject: Subject) -> Iterator[Finding]:
    """Find how many cores there are and what they can."""
    machine = host()
    flags = cpu_flags()
    known = [name for name in ('avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8', 'asimd') if name in flags]
    text = f'{machine["cpu"]}, {machine["cores"]} cores, {", ".join(known) or "no wide vector units"}'
    threads = subject.controller.engine.threads
    if threads > machine['cores']:
        yield warn(text, f'the engine is to use {threads} threads: set engine.threads in params/controller.yaml')
    elif not known:
        yield warn(text, 'networks will be slow: lower planner.samples in params/controller.yaml')
    else:
        yield ok(text)


def check_priority(subject: Subject) -> Iterator[Finding]:
    """Find whether the nodes may go before other programs."""
    wanted = min(subject.controller.niceness, subject.bridge.niceness)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    if wanted >= before:
        yield ok(f'the nodes ask for no more than they have (niceness {before})')
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, wanted)
    except OSError:
        yield warn(
            f'the system does not let the nodes go before other programs (niceness {wanted})',
            f'add the line "{getpass.getuser()} - nice {wanted}" to /etc/security/limits.conf and log in again',
        )
        return
    os.setpriority(os.PRIO_PROCESS, 0, before)
    yield ok(f'the nodes go before other programs (niceness {wanted})')


def check_timer(_: Subject) -> Iterator[Finding]:
    """Find how evenly a timer beats, and whether the host clock jumps meanwhile."""
    offset = time.time() - time.monotonic()
    errors = np.abs(np.diff(beats(BEATS, PERIOD)) - PERIOD)
    jump = time.time() - time.monotonic() - offset
    text = f'intervals are off by {1e3 * np.percentile(errors, 99):.1f} ms (p99), {1e3 * errors.max():.1f} ms at worst'
    if np.percentile(errors, 99) > LATE:
        yield warn(text, 'close other programs; set the governor: sudo cpupower frequency-set -g performance')
    else:
        yield ok(text)
    if abs(jump) > LATE:
        yield warn(f'the host clock was set by {jump:+.3f} s just now', 'wait until it is synchronised')


def beats(count: int, period: float) -> FloatArray:
    """Return the steady times [s], shape (count,), at which the controller's timer beat."""
    return np.array([time.monotonic() for _ in islice(every(period, threading.Event()), count)])


def check_clock(_: Subject) -> Iterator[Finding]:
    """Find whether the host clock is right, as the stamps of motion capture come from another machine."""
    if time.time() < FIRST_SENSIBLE_TIME:
        yield fail(f'the host clock says {time.strftime("%Y-%m-%d")}', 'set it: sudo timedatectl set-ntp true')
        return
    synchronised = _ntp()
    if synchronised == 'no':
        yield warn(
            'the host clock is not synchronised; poses of another machine are stamped with its clock',
            'sudo timedatectl set-ntp true, or chrony on both',
        )
    else:
        yield ok('synchronised' if synchronised == 'yes' else 'plausible; whether it is synchronised is not known here')


def _ntp() -> str:
    """Return 'yes', 'no', or '' where the system does not tell."""
    try:
        answer = subprocess.run(
            ['timedatectl', 'show', '--property=NTPSynchronized', '--value'],
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return answer.stdout.strip()


def check_disk(subject: Subject) -> Iterator[Finding]:
    """Find whether runs can be written, how much and how fast."""
    place = subject.runs.absolute()
    while not place.exists():
        place = place.parent
    try:
        speed = write_speed(place)
    except OSError as error:
        yield fail(f'{place}: cannot be written ({error.strerror})', 'start from a folder of yours, or use --out')
        return
    free = shutil.disk_usage(place).free
    text = f'{place}: {free / 1e9:.1f} GB free, writes {speed / 1e6:.0f} MB/s'
    if free < NO_SPACE:
        yield fail(text, 'make room, or use --out')
    elif free < LITTLE_SPACE or speed < SLOW_DISK:
        yield warn(text, 'make room, or use a faster disk with --out')
    else:
        yield ok(text)


def write_speed(folder: Path) -> float:
    """Return how fast the disk takes a file [bytes/s]; the file is gone afterwards."""
    with tempfile.TemporaryFile(dir=folder) as file:
        begin = time.monotonic()
        file.write(os.urandom(SAMPLE))
        file.flush()
        os.fsync(file.fileno())
        return SAMPLE / (time.monotonic() - begin)
