"""Faults between robot and host: of radio, bus and serial port (`FAULT_KINDS`: `radio.*`, `bus.*`, `port.*`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.servo_line import ServoLine


class RadioTarget:
    """Change what the radio does to packets and bytes; see `Target`."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio

    def begin(self, kind: str, value: Any) -> None:
        """Let a fault begin; `kind` is a field of `RadioFaults`."""
        change: dict[str, Any] = {kind: value}
        self._radio.faults = replace(self._radio.faults, **change)

    def end(self, kind: str) -> None:
        """End a fault."""
        change: dict[str, Any] = {kind: getattr(RadioFaults(), kind)}
        self._radio.faults = replace(self._radio.faults, **change)


class BusTarget:
    """Change what the line does to the answers of servos; see `Target`."""

    def __init__(self, line: ServoLine) -> None:
        self._line = line

    def begin(self, kind: str, value: Any) -> None:
        """Let a fault begin."""
        match kind:
            case 'loss':
                self._line.faults.lost = value
            case 'corruption':
                self._line.faults.corrupt = value

    def end(self, kind: str) -> None:
        """End a fault."""
        self.begin(kind, 0.0)


class PortTarget:
    """Take the port away and bring it back; see `Target`."""

    def __init__(self, port: PtyPort) -> None:
        self._port = port

    def begin(self, kind: str, value: Any) -> None:
        """Let the port vanish."""
        self._port.vanish()

    def end(self, kind: str) -> None:
        """Bring the port back under its path."""
        self._port.come_back()
