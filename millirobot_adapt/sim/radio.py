"""The radio between host and robot, as bytes with the times at which they are due; no port, no clock, no sleeping."""

from __future__ import annotations

import heapq
from collections import Counter, deque

import numpy as np

from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, TxStatus, encode_frame
from millirobot_adapt.core.robot.drivers import RadioConfig
from millirobot_adapt.sim.radio_faults import Air, RadioFaults, spoil

BITS_A_BYTE = 10
"""On the serial line: start, eight data, stop."""
RSSI = 40
"""What the XBee reports as received signal strength [-dBm]."""
ACKNOWLEDGED, NOT_ACKNOWLEDGED = 0, 1
"""TX status values (Digi, XBee 802.15.4 manual)."""


class Radio:
    """Carry bytes from the host to packets for the robot, and back; all times in the caller's seconds.

    `wire_time` False makes the serial line and the air instant. `faults` may be changed at any time.
    """

    def __init__(self, config: RadioConfig, faults: RadioFaults, wire_time: bool, rng: np.random.Generator) -> None:
        self.faults = faults
        self.happened: Counter[str] = Counter()
        """How often each fault has struck, under its name."""
        self.bytes_carried = 0
        """Bytes on the serial line, both ways."""
        self._config = config
        self._rng = rng
        self._parser = StreamParser(config.escaped)
        self._second_a_byte = BITS_A_BYTE / config.baud if wire_time else 0.0
        self._air_time = config.air_time if wire_time else 0.0
        self._uplink: Air[bytes] = Air(rng, self.happened)
        self._downlink: Air[bytes] = Air(rng, self.happened)
        self._uplink_free = self._downlink_free = 0.0
        self._to_robot: list[tuple[float, int, bytes]] = []
        self._to_line: list[tuple[float, int, bytes]] = []
        self._to_host: deque[tuple[float, bytes]] = deque()
        self._order = 0

    def write(self, data: bytes, now: float) -> None:
        """Take bytes that the host wrote at `now` [s]."""
        self._uplink_free = max(self._uplink_free, now) + len(data) * self._second_a_byte
        for frame in self._parser.feed(self._over_the_line(data)):
            if isinstance(frame, TxRequest):
                self._transmit(frame, self._uplink_free + self._air_time)

    def arrived(self, now: float) -> tuple[float, bytes] | None:
        """Take the next payload that has reached the robot by `now`, with the time of its arrival; None if none has."""
        if not self._to_robot or self._to_robot[0][0] > now:
            return None
        arrival, _, payload = heapq.heappop(self._to_robot)
        return arrival, payload

    def answer(self, payload: bytes, now: float) -> None:
        """Send a payload from the robot to the host at `now` [s]."""
        packet = RxPacket(source=self._config.address, rssi=RSSI, options=0, payload=payload)
        data = encode_frame(packet, self._config.escaped)
        for ready, copy in self._downlink.carry(data, now + self._air_time, self.faults, is_reply=True) or ():
            self._queue(ready, copy)

    def read(self, now: float) -> bytes:
        """Return the bytes that have come down the serial line by `now`; frames appear whole, at their last byte."""
        while self._to_line and self._to_line[0][0] <= now:
            ready, _, data = heapq.heappop(self._to_line)
            self._downlink_free = max(self._downlink_free, ready) + len(data) * self._second_a_byte
            self._to_host.append((self._downlink_free, self._over_the_line(data)))
        read = b''
        while self._to_host and self._to_host[0][0] <= now:
            read += self._to_host.popleft()[1]
        return read

    def next_due(self) -> float | None:
        """Return when `arrived` or `read` has something to do next [s], None while nothing is under way."""
        waiting = [queue[0][0] for queue in (self._to_robot, self._to_line, self._to_host) if queue]
        return min(waiting, default=None)

    def _transmit(self, frame: TxRequest, ready: float) -> None:
        arrivals = None
        if frame.address == self._config.address:
            arrivals = self._uplink.carry(frame.payload, ready, self.faults, is_reply=False)
        for arrival, payload in arrivals or ():
            self._order += 1
            heapq.heappush(self._to_robot, (arrival, self._order, payload))
            ready = max(ready, arrival)
        if frame.frame_id:
            status = TxStatus(frame.frame_id, NOT_ACKNOWLEDGED if arrivals is None else ACKNOWLEDGED)
            self._queue(ready, encode_frame(status, self._config.escaped))

    def _queue(self, ready: float, data: bytes) -> None:
        """Put bytes on the line to the host once they are `ready`, in that order."""
        self._order += 1
        heapq.heappush(self._to_line, (ready, self._order, data))

    def _over_the_line(self, data: bytes) -> bytes:
        self.bytes_carried += len(data)
        return spoil(data, self.faults, self._rng, self.happened)
