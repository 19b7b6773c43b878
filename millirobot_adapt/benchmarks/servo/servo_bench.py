"""Drive six simulated servos on a pseudo-terminal in real time, and measure what the driver `dynamixel` achieves.

The servos run in a process of their own; this one holds the driver alone, and its processor time is the driver's.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import SystemClock
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.dynamixel.dynamixel_driver import DynamixelDriver, dynamixel_driver
from millirobot_adapt.core.errors import DeviceError
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig

PERIOD = 0.1
"""Between two actions [s]."""
SETTLING = 2.0
"""Legs find their phases in this time [s]."""


@dataclass(frozen=True)
class ServoRow:
    """One row of the table."""

    what: str
    seconds: float
    cycles_a_second: float
    cpu_share: float
    """Of one core, driver and this program's loop together."""
    answered: float
    """Share of the actions that telemetry answered in time."""
    phase_error: float
    """Rms over legs and actions [degrees]; nan where the legs stand."""
    out: str
    """Legs that are out at the end."""


@contextmanager
def servos_on_a_pty(seed: int = 0) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Start the servos; yield their port and their process, whose standard input takes words of `sim.servo_pty`."""
    with tempfile.TemporaryDirectory(prefix='millirobot_servos_') as folder:
        port = Path(folder, 'bus')
        process = subprocess.Popen(
            [sys.executable, '-m', 'millirobot_adapt.sim.servo_pty', str(port), '--seed', str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline().strip() != 'ready':
                raise RuntimeError('the simulated servos did not start')
            yield port, process
        finally:
            process.stdin.close()
            try:
                process.wait(5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(seconds: float, config: DynamixelConfig | None = None) -> Iterator[ServoRow]:
    """Yield the rows: standing, stride rates from 0.5 to 3 Hz, damaged packets, a servo that dies."""
    config = config or DynamixelConfig()
    with servos_on_a_pty() as (port, servos):
        assert servos.stdin is not None
        driver = dynamixel_driver(str(port), config, LinkConfig(), 0.2, SystemClock(), lambda text: None)
        driver.connect()
        try:
            driver.start()
            driver.start_motors()
            yield _row('standing', driver, 0.0, seconds)
            for rate in (0.5, 1.0, 2.0, 3.0):
                _walk(driver, rate, SETTLING)
                yield _row(f'{rate:g} rev/s', driver, rate, seconds)
            servos.stdin.write('corrupt 0.05\n')
            yield _row('2 rev/s, 5 % of packets damaged', driver, 2.0, seconds)
            servos.stdin.write('corrupt 0\ndead 1\n')
            _walk(driver, 2.0, 0.5)
            yield _row('2 rev/s, one servo dead', driver, 2.0, seconds)
            driver.stop()
        except LinkLost as error:
            raise DeviceError(f'{error} (on simulated servos: this machine is too busy)') from None
        finally:
            driver.close()


def _row(what: str, driver: DynamixelDriver, rate: float, seconds: float) -> ServoRow:
    before, begun, cpu = driver.counts(), time.monotonic(), time.process_time()
    errors = _walk(driver, rate, seconds)
    elapsed, after = time.monotonic() - begun, driver.counts()
    step = {name: float(after[name]) - float(before[name]) for name in ('cycles', 'actions', 'replies')}
    finite = np.array(errors)[np.isfinite(errors)]
    rms = float(np.degrees(np.sqrt(np.mean(finite**2)))) if finite.size else math.nan
    return ServoRow(
        what, elapsed, step['cycles'] / elapsed, (time.process_time() - cpu) / elapsed,
        step['replies'] / max(1.0, step['sent']), rms, str(after['legs_out']),
    )  # fmt: skip


def _walk(driver: DynamixelDriver, rate: float, seconds: float) -> list[np.ndarray]:
    """Give an action every 0.1 s; return the phase errors of the legs at each [rad], shape (2, 3)."""
    errors = []
    due = time.monotonic()
    end = due + seconds
    while due < end:
        driver.exchange(np.full(2, rate * math.tau))
        errors.append(driver.phase_error)
        due += PERIOD
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            driver.beat()
    return errors
