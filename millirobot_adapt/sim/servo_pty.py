"""Six servos on a bench behind a pseudo-terminal, in real time: python -m millirobot_adapt.sim.servo_pty PATH.

One word a line on standard input lets something happen: `dead 2` (a place, 0 to 5), `mute 2`, `well 2`, `restart 2`,
`corrupt 0.05`. On standard output it says `driven` or `still`, with the time on the monotonic clock, when the motors
begin or end being driven towards a velocity.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from pathlib import Path

import numpy as np

from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.servo_rig import FreeShafts, ServoRig

LONGEST_WAIT = 0.002
"""The rig is never further behind the clock than this while all is well [s]."""
LOAD = 0.03
"""Legs are hindered by up to this much, drawn again every `LOAD_PERIOD`, as by ground that comes and goes [N m]."""
LOAD_PERIOD = 0.1
"""[s]"""


class ServoPty:
    """Serve a rig on a pty; `turn` again and again."""

    def __init__(self, port: PtyPort, config: DynamixelConfig, seed: int) -> None:
        self._rng = generator(seed)
        self._shafts = FreeShafts(self._rng.uniform(-np.pi, np.pi, len(config.servos)))
        self._rig = ServoRig(config, self._shafts, self._rng)
        self._port = port
        self._start = time.monotonic()
        self._driven = False
        self._load_at = 0.0

    def turn(self) -> str | None:
        """Wait for the next thing to do and do it; return `driven` or `still` with the time when that has changed."""
        now = self._now()
        due = self._rig.line.next_due()
        wait = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(0.0, due - now))
        data = self._port.read(wait)
        now = self._now()
        if now >= self._load_at:
            self._load_at = now + LOAD_PERIOD
            self._shafts.load = self._rng.uniform(0.0, LOAD, len(self._shafts.load))
        if data:
            self._rig.write(data, now)
        out = self._rig.read(now)
        if out:
            self._port.write(out)
        if self._rig.driven == self._driven:
            return None
        self._driven = self._rig.driven
        return f'{"driven" if self._driven else "still"} {time.monotonic():.4f}'

    def obey(self, words: list[str]) -> None:
        """Let something happen to a servo, or to the line."""
        servos = self._rig.servos
        match words:
            case ['dead', place]:
                servos[int(place)].dead = True
            case ['mute', place]:
                servos[int(place)].mute = True
            case ['well', place]:
                servos[int(place)].dead = servos[int(place)].mute = False
            case ['restart', place]:
                self._rig.brown_out([int(place)])
            case ['corrupt', share]:
                self._rig.line.faults.corrupt = float(share)

    def _now(self) -> float:
        return time.monotonic() - self._start


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('path', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    port = PtyPort(args.path)
    served = ServoPty(port, DynamixelConfig(), args.seed)
    print('ready', flush=True)
    try:
        while True:
            news = served.turn()
            if news:
                print(news, flush=True)
            if select.select([sys.stdin], [], [], 0.0)[0]:
                asked = os.read(sys.stdin.fileno(), 4096).decode()
                if not asked:
                    return
                for line in asked.splitlines():
                    served.obey(line.split())
    finally:
        port.close()


if __name__ == '__main__':
    main()
