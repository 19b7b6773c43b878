"""Build the reference firmware and run it beside the mock: as a process of this machine, or on an emulated board."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from millirobot_adapt.core.errors import DeviceError, UserError, did_you_mean
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.sim.shared_body import SIZE, Driven, SharedBody

MOCK = 'python'
"""The mock's own microcontroller, in Python."""
START_TIMEOUT = 20.0
"""Longest wait for the firmware's first tick [s]."""
CHUNK = 4096
_SET_DEATH_SIGNAL = 1


@dataclass(frozen=True)
class BoardKind:
    """One way to run the reference firmware."""

    text: str
    """What it is, for people."""
    target: str
    """Of firmware/Makefile."""
    tools: tuple[str, ...]
    """Programs that it needs."""
    packages: str
    """Debian packages that have them."""


BOARDS: Mapping[str, BoardKind] = {
    'host': BoardKind(
        'the reference firmware (in C) as a process of this machine', 'board', ('make', 'cc'), 'make gcc'
    ),
    'qemu': BoardKind(
        "the reference firmware (in C) on QEMU's Cortex-M3 board mps2-an385", 'emulated',
        ('make', 'arm-none-eabi-gcc', 'qemu-system-arm'), 'make gcc-arm-none-eabi qemu-system-arm',
    ),
}  # fmt: skip
FIRMWARES = (MOCK, *BOARDS)
"""What can run in the mock."""


def firmware_text(name: str) -> str:
    """Say what a firmware is, for people."""
    return BOARDS[name].text if name in BOARDS else "the mock's own (Python)"


def check_firmware(name: str) -> None:
    """Check that a firmware can be built and run here.

    Raises:
        UserError: no such firmware; a program is missing, with the packages that have it; the sources are not there.
    """
    if name not in FIRMWARES:
        raise UserError(f'firmware {name!r}: no such firmware{did_you_mean(name, FIRMWARES)}')
    if name == MOCK:
        return
    kind = BOARDS[name]
    missing = [tool for tool in kind.tools if shutil.which(tool) is None]
    if missing:
        raise UserError(
            f'firmware {name} needs {" and ".join(missing)}, which this machine does not have; '
            f'run: apt install {kind.packages}'
        )
    if not (_sources() / 'Makefile').is_file():
        raise UserError(f'{_sources()}: the sources of the firmware are not there; install the package again')


def _sources() -> Path:
    return share_dir() / 'firmware'


class FirmwareBoard:
    """The running firmware: its UART, and the memory that it shares with the mock's body. A context manager."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        """Build and start the firmware `name` of `BOARDS`, and wait for its first tick.

        `folder` keeps what is compiled, and is looked at first; None: a temporary one.

        Raises:
            UserError: as `check_firmware`.
            DeviceError: it does not build or start, with the first line of why.
        """
        check_firmware(name)
        self.body = SharedBody()
        self._name = name
        self._scratch = tempfile.TemporaryDirectory(prefix='millirobot_firmware_')
        self._complaints = Path(self._scratch.name, 'stderr')
        self._uart, theirs = socket.socketpair()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            command = _build(name, folder or Path(self._scratch.name), self.body)
            with theirs, self._complaints.open('wb') as errors:
                self._process = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=errors, pass_fds=(self.body.file,),
                    start_new_session=True, preexec_fn=_die_with_parent,
                )  # fmt: skip
            self._uart.setblocking(False)
            self.wait_until_up()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> FirmwareBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> bytes:
        """Return the bytes that the firmware has sent to its radio.

        Raises:
            DeviceError: the firmware has ended.
        """
        try:
            data = self._uart.recv(CHUNK)
        except BlockingIOError:
            return b''
        except ConnectionError:
            data = b''
        if not data:
            raise DeviceError(self._ended())
        return data

    def write(self, data: bytes) -> None:
        """Give the firmware bytes from its radio; what finds no room is dropped, as on a serial line."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self._uart.send(data)

    def kill(self) -> None:
        """Let the firmware's process die at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the firmware."""
        self.kill()
        self._uart.close()
        self._scratch.cleanup()
        self.body.close()

    def wait_until_up(self) -> None:
        """Wait for the first tick after the start, or after the last reset of the body.

        Raises:
            DeviceError: the firmware has ended, or does not tick in time.
        """
        deadline = time.monotonic() + START_TIMEOUT
        driven: Driven | None = None
        while driven is None or driven.milliseconds == 0 or driven.resets != self.body.resets:
            assert self._process is not None
            if self._process.poll() is not None:
                raise DeviceError(self._ended())
            if time.monotonic() > deadline:
                raise DeviceError(f'firmware {self._name}: did not start within {START_TIMEOUT:g} s')
            time.sleep(0.005)
            driven = self.body.driven()

    def _ended(self) -> str:
        said = self._complaints.read_text(encoding='utf-8', errors='replace').strip().splitlines()
        return f'firmware {self._name}: has ended' + (f': {said[0]}' if said else '')


def _build(name: str, folder: Path, body: SharedBody) -> list[str]:
    """Compile the firmware into a folder; return the command line that runs it with its UART at stdin and stdout."""
    target = BOARDS[name].target
    done = subprocess.run(
        ['make', '--silent', '-C', str(_sources()), f'BUILD={folder}', target],
        capture_output=True, text=True, errors='replace', check=False,
    )  # fmt: skip
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if 'error' in line), done.stderr.strip())
        raise DeviceError(f'firmware {name}: does not compile: {said}')
    if name == 'host':
        return [str(folder / 'board'), body.path]
    return [
        'qemu-system-arm', '-M', 'mps2-an385,memory-backend=body', '-kernel', str(folder / 'mps2_an385.elf'),
        '-object', f'memory-backend-file,id=body,size={SIZE},mem-path={body.path},share=on',
        '-chardev', 'stdio,id=uart,signal=off', '-serial', 'chardev:uart', '-display', 'none', '-monitor', 'none',
    ]  # fmt: skip


_PRCTL = ctypes.CDLL(None).prctl  # found now: between fork and exec nothing may wait for a lock


def _die_with_parent() -> None:
    """Let the kernel end this process when its parent does, however that ends."""
    _PRCTL(_SET_DEATH_SIGNAL, signal.SIGKILL)
