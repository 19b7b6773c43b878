"""The firmware's images for Cortex-M under an emulator; `make test-firmware` runs these."""

import json
import math
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from build import made, needs_compiler

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import SystemClock
from firmware_bridge.link import Link
from firmware_bridge.robot_clock import DRIFT_AFTER
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.app.main import main
from millirobot_adapt.contract.reply_codec import decode_reply
from millirobot_adapt.contract.topics import REPLY
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.recording.reader import open_bag

EMULATOR, CROSS = 'qemu-system-arm', 'arm-none-eabi-gcc'
MACHINES = {'mps2_an385': 'mps2-an385', 'stm32f405_emulated': 'netduinoplus2'}
FOR_BOARDS = ('mps2_an385', 'stm32f405')
MISSING = [tool for tool in (EMULATOR, CROSS) if shutil.which(tool) is None]
ROOM = (
    '--set', 'controller.planner.samples=60', '--set', 'controller.misses_allowed=50',
    '--set', 'bridge.link.reply_timeout=0.2',
)  # fmt: skip
"""Leaves time to a loaded machine, for the controller and for replies."""
FLASH, RAM = 16_384, 4096
"""What an image may take [bytes]."""

pytestmark = [
    needs_compiler,
    pytest.mark.firmware,
    pytest.mark.skipif(
        bool(MISSING), reason=f'not installed: {", ".join(MISSING)} (apt: qemu-system-arm gcc-arm-none-eabi)'
    ),
]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp('firmware')
    made('host', found)
    return made('images', found)


@pytest.fixture(params=MACHINES)
def port(request, folder, tmp_path):
    """A board in the emulator, its UART behind the radio of the host program."""
    socket, link = tmp_path / 'uart', tmp_path / 'radio'
    emulator = subprocess.Popen(
        [EMULATOR, '-M', MACHINES[request.param], '-kernel', folder / f'{request.param}.elf', '-display', 'none',
         '-monitor', 'none', '-serial', f'unix:{socket},server=on,wait=off'],
    )  # fmt: skip
    radio = subprocess.Popen([folder / 'robot', link, '--uart', socket])
    try:
        deadline = time.monotonic() + 30.0
        while not link.is_symlink():
            assert time.monotonic() < deadline
            assert (emulator.poll(), radio.poll()) == (None, None)
            time.sleep(0.01)
        yield str(link)
    finally:
        for process in (radio, emulator):
            process.terminate()
            process.wait(10)


def test_an_image_passes_link_test_and_stops_by_itself(port, capsys):
    code = main(['link-test', port, '--seconds', '0.3', '--jog', 'left', '--yes', '--json'])
    found = json.loads(capsys.readouterr().out)
    assert (found['problems'], code) == ([], 0)
    assert found['who_am_i'] == 'millirobot_adapt reference firmware 1'
    assert found['timeout']['passed']


def test_the_clock_of_an_image_runs_as_the_hosts(port):
    robot = RobotConfig()
    link = Link(
        lambda: SerialPort(port, robot.imageproc.radio.baud), robot, LinkConfig(reply_timeout=0.5), SystemClock()
    )
    link.start()
    start = time.monotonic()
    counters = link.counters.as_dict()
    while time.monotonic() < start + DRIFT_AFTER + 2.0 or not (
        math.isfinite(counters['clock_drift_ppm']) or time.monotonic() > start + 5 * DRIFT_AFTER
    ):
        link.exchange(np.zeros(2))
        time.sleep(0.05)
        counters = link.counters.as_dict()
    assert link.stop()
    # The emulator may stand still for longer than a reply is waited for, where the machine does something else.
    assert counters['lost'] <= 0.02 * counters['sent']
    assert abs(counters['clock_drift_ppm']) < 1000, 'known, and small'


def test_the_demo_walks_on_an_image_for_20_s(tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'millirobot_adapt.app.main', 'demo', '--firmware', 'qemu', '--seconds', '20',
         '--condition', 'flat', '--out', tmp_path, *ROOM],
        capture_output=True, text=True, check=False, timeout=300, env={**os.environ, 'TMPDIR': str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / 'latest' / 'summary.json').read_text())
    assert summary['firmware'] == 'qemu'
    assert summary['stops'] == []
    assert 195 <= summary['ticks'] <= 205
    assert summary['tracking']['progress'] > 4.0
    bag = open_bag(tmp_path / 'latest')
    walking = [said for said in read_run_data(bag).bridge if said.values['armed'] == 'True']
    sent, late, drift = (float(walking[-1].values[key]) for key in ('sent', 'lost', 'clock_drift_ppm'))
    unanswered = min(int(said.values['sent']) - answers_until(bag, said.received) for said in walking[-5:])
    print(f'demo on mps2_an385: {summary["tracking"]["progress"]:.1f} m, {sent:.0f} requests, {unanswered} lost, '
          f'{late:.0f} answered too late, clock {drift:+.0f} ppm')  # fmt: skip
    assert sent > 190
    assert unanswered == 0
    assert late <= 0.1 * sent, 'only a busy machine delays answers'
    assert abs(drift) < 1000, 'known, and small'


def answers_until(bag, end):
    """How many requests the firmware has answered by its own count, as the last reply before a time says."""
    return max(decode_reply(reply.data).index for _, reply, received in bag.messages([REPLY]) if received <= end)


@pytest.mark.parametrize('board', FOR_BOARDS)
def test_an_image_is_small(folder, board):
    sizes = subprocess.run(
        ['arm-none-eabi-size', folder / f'{board}.elf'], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1].split()  # fmt: skip
    text, data, bss = (int(number) for number in sizes[:3])
    deepest = sum(
        int(line.split('\t')[1]) for path in folder.glob(f'{board}.elf-*.su') for line in path.read_text().splitlines()
    )
    print(f'{board}: flash {text + data} bytes, memory {data + bss} bytes, stack below {deepest} bytes')
    assert text + data < FLASH
    assert data + bss + deepest < RAM
