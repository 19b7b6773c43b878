"""Faults between robot and host: the radio's, and a serial port that vanishes (`FAULT_KINDS`: `radio.*`, `port.*`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults


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
