"""The mock robot at the far end of its radio: bytes in, physics up to a time, bytes out."""

from __future__ import annotations

from collections.abc import Callable

from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.world import World


class WirelessRobot:
    """Couple a world to a radio; all times are the world's [s]."""

    def __init__(
        self, world: World, radio: Radio, on_answer: Callable[[float, bytes], None] = lambda written, payload: None
    ) -> None:
        """`on_answer` is told what the robot truly answers: when the host wrote the request, and the payload."""
        self.world = world
        self.radio = radio
        self._on_answer = on_answer

    def advance(self, now: float) -> bytes:
        """Let the robot take what has arrived and live until `now`; return what the host may read then."""
        while (delivery := self.radio.arrived(now)) is not None:
            self.world.advance(delivery.arrival)
            answer = self.world.microcontroller.receive(delivery.payload)
            if answer is not None:
                self._on_answer(delivery.written, answer)
                self.radio.answer(answer, delivery.arrival)
        self.world.advance(now)
        return self.radio.read(now)
