"""The program of the serial guardian: stop the motors when the bridge falls silent.

It knows no protocol. Its arguments are an open port, how long a silence may last [s] and the bytes to write then. It
reads heartbeats on standard input. WATCH: the motors may be on; REST: they are off, silence means nothing; LEAVE: end.
The end of the input while it watches means that the bridge was killed; a silence, that it hangs or is stopped. On
standard output it writes HEARD after heartbeats, and SPOKEN when it begins to stop the motors.

It runs as a script with the standard library alone, so that it is small and starts quickly.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys
import termios
import time

WATCH, REST, LEAVE = b'+', b'-', b'q'
HEARD, SPOKEN = b'.', b'!'
REPEATS, GAP = 7, 0.05
"""The last packets are written this many times, with this much time between [s]. A frame that was cut in half when the
bridge died swallows the first bytes, and the radio may lose some more."""


def write_stop(port: int, stop: bytes) -> None:
    """Write these bytes several times; a port that takes none now may take some later."""
    for _ in range(REPEATS):
        with contextlib.suppress(OSError):
            os.write(port, stop)
        time.sleep(GAP)


def tell(message: bytes) -> None:
    """Send a message to the bridge, if it still listens."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), message)


def main() -> None:
    """Watch the bridge until it leaves or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    port, silence, stop = int(sys.argv[1]), float(sys.argv[2]), bytes.fromhex(sys.argv[3])
    os.set_blocking(sys.stdout.fileno(), False)  # a bridge that does not listen must not block it
    watching = False
    while True:
        audible, _, _ = select.select([sys.stdin], [], [], silence if watching else None)
        heard = os.read(sys.stdin.fileno(), 4096) if audible else b''
        if heard.endswith(LEAVE):
            return
        if heard:
            watching = heard.endswith(WATCH)
            tell(HEARD)
            continue
        if watching:
            tell(SPOKEN)
            write_stop(port, stop)
            cause = 'has ended' if audible else f'was silent for {silence:g} s'
            with contextlib.suppress(OSError):
                print(f'serial guardian: the link {cause}; zero and motors off sent', file=sys.stderr)
        if audible:
            with contextlib.suppress(OSError):  # the bridge could not release the port for other programs
                fcntl.ioctl(port, termios.TIOCNXCL)
            return
        watching = False


if __name__ == '__main__':
    main()
