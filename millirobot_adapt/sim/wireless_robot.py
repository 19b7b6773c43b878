"""The mock robot at the far end of its radio: bytes in, physics up to a time, bytes out."""

from __future__ import annotations

from collections.abc import Callable

from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.world import World


class WirelessRobot:
    """Couple a world to a radio; all times are the world's [s]."""

    def __init__(
        self, world: World, radio: Radio, on_answer: Callable[[float, bytes], None] = lambda time, payload: None
    ) -> None:
        """`on_answer` receives what the robot truly answers: when [s], and the payload."""
        self.world = world
        self.radio = radio
        self._on_answer = on_answer
        self._to_host = b''

    def advance(self, now: float) -> bytes:
        """Let the robot live until `now`; return what the host may read then and has not read before."""
        self.live(now)
        data, self._to_host = self._to_host, b''
        return data

    def live(self, now: float) -> None:
        """Let the robot take what has arrived and live until `now`."""
        microcontroller = self.world.microcontroller
        microcontroller.synchronise(now)
        while (packet := self.radio.arrived(now)) is not None:
            arrival, payload = packet
            self.world.advance(arrival)
            answer = microcontroller.receive(payload)
            if answer is not None:
                self._answer(answer, arrival)
        self.world.advance(now)
        for answer in microcontroller.answers():
            self._answer(answer, now)
        self._to_host += self.radio.read(now)

    def _answer(self, payload: bytes, now: float) -> None:
        self._on_answer(now, payload)
        self.radio.answer(payload, now)
