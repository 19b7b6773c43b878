"""Make the fuzz corpus beside this file: damaged streams of the radio and payloads, each with what must come out of it.

    python test/data/fuzz/make_fuzz.py

`streams/NNN_<damage>_<mode>.bin` are bytes of a serial line. `streams.json` holds for each the frames that a parser
must find, as hexadecimal frame data. `payloads.json` holds payloads and the type byte that each decodes to as a command
and as a reply, null where it must be refused. Frames are built and checked with digi-xbee's packet classes, payloads
with the table below, so nothing here comes from the code under test. Equal seeds make equal files.
"""

import json
import random
import struct
from pathlib import Path

from digi.xbee.exception import InvalidPacketException
from digi.xbee.models.address import XBee16BitAddress
from digi.xbee.models.mode import OperatingMode
from digi.xbee.models.status import TransmitStatus
from digi.xbee.packets.factory import build_frame
from digi.xbee.packets.raw import RX16Packet, TX16Packet, TXStatusPacket

LONGEST_DATA = 105
MODES = {False: OperatingMode.API_MODE, True: OperatingMode.ESCAPED_API_MODE}
SHORTEST = {0x01: 5, 0x81: 5, 0x89: 3}
"""Frame types that the project uses, and the fewest bytes of their data; a TX status has exactly so many."""

# type byte: bytes of data as a command, as a reply; None where there is no such packet, -1 for any number.
PAYLOADS = {
    0x20: (None, 46), 0x80: (4, None), 0x81: (0, None), 0x82: (20, 20), 0x84: (0, 8), 0x85: (2, None), 0x8D: (24, None),
    0x8E: (0, -1), 0x90: (-1, None), 0x91: (2, None), 0x92: (0, None), 0x95: (4, None), 0x96: (4, None),
    0x97: (2, None),
}  # fmt: skip


def conversation(rng, escaped):
    """Frames of a few exchanges, both directions mixed, as a list of bytes."""
    frames = []
    for number in range(rng.randint(3, 8)):
        velocity = [rng.randint(-700, 700) for _ in range(2)]
        request = struct.pack('<BB2h', 0, 0x96, *velocity)
        telemetry = struct.pack(
            '<BBLL4l11h', 0, 0x20, number, rng.getrandbits(32), *(rng.randint(-(2**31), 2**31 - 1) for _ in range(4)),
            *(rng.randint(-4000, 4000) for _ in range(11)),
        )  # fmt: skip
        address = XBee16BitAddress(bytearray(rng.choice((b'\x00\x01', b'\x11\x13', b'\x7d\x7e'))))
        packets = [
            TX16Packet(rng.choice((0, 0x7E, 5)), address, 0, bytearray(request), MODES[escaped]),
            TXStatusPacket(rng.choice((5, 0x7D)), TransmitStatus.SUCCESS, MODES[escaped]),
            RX16Packet(address, rng.choice((0x28, 0x13)), 0, bytearray(telemetry), MODES[escaped]),
        ]
        frames += [bytes(packet.output(escaped=escaped)) for packet in packets]
    return frames


def whole(rng, frames):
    return b''.join(frames)


def flipped(rng, frames):
    data = bytearray(b''.join(frames))
    for _ in range(rng.randint(1, 12)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(rng, frames):
    return b''.join(frame[: rng.randrange(len(frame))] if rng.random() < 0.3 else frame for frame in frames)


def spliced(rng, frames):
    data = bytearray(b''.join(frames))
    for _ in range(3):
        begin = rng.randrange(len(data))
        piece = data[begin : begin + rng.randint(1, 40)]
        place = rng.randrange(len(data))
        data[place:place] = piece
    return bytes(data)


def noisy(rng, frames):
    return b''.join(rng.randbytes(rng.randint(0, 30)) + frame for frame in frames) + rng.randbytes(20)


def delimiters(rng, frames):
    return b''.join(b'\x7e' * rng.randint(0, 5) + frame for frame in frames) + b'\x7e' * 200


def lying(rng, frames):
    """Headers whose length is not that of their frame: none, one off, huge."""
    found = []
    for frame in frames:
        if rng.random() < 0.4:
            length = rng.choice((0, 1, len(frame) - 5, len(frame) - 3, LONGEST_DATA, LONGEST_DATA + 1, 0x7E, 0xFFFF))
            frame = frame[:1] + length.to_bytes(2, 'big') + frame[3:]
        found.append(frame)
    return b''.join(found)


def compensated(rng, frames):
    """Two errors that cancel in an 8-bit sum: the frame passes its checksum and says something else."""
    data = bytearray(b''.join(frames))
    for _ in range(4):
        place = rng.randrange(len(data) - 1)
        data[place], data[place + 1] = (data[place] + 1) % 256, (data[place + 1] - 1) % 256
    return bytes(data)


def nested(rng, frames):
    """A damaged frame whose payload is a good frame."""
    return b''.join(b'\x7e\x00' + bytes((len(frame) + 1,)) + b'\x81' + frame + b'\x00' for frame in frames)


DAMAGES = (whole, flipped, cut, spliced, noisy, delimiters, lying, compensated, nested)


def plain(data, begin, escaped, count):
    """The `count` plain bytes behind the delimiter at `begin` and where they end; None where the stream has no more."""
    if not escaped:
        end = begin + 1 + count
        return (data[begin + 1 : end], end) if end <= len(data) else None
    found, place = bytearray(), begin + 1
    while len(found) < count:
        if place >= len(data):
            return None
        byte = data[place]
        if byte == 0x7E:
            raise InvalidPacketException(message='a delimiter within a frame')
        if byte == 0x7D:
            place += 1
            if place >= len(data):
                return None
            if data[place] == 0x7E:
                raise InvalidPacketException(message='a delimiter within a frame')
            byte = data[place] ^ 0x20
        found.append(byte)
        place += 1
    return bytes(found), place


def frames_of(data, escaped):
    """What a parser must find in a whole stream: at every delimiter a frame, else on with the next byte."""
    found, place = [], 0
    while place < len(data):
        end = None
        if data[place] == 0x7E:
            try:
                end, content = frame_at(data, place, escaped)
            except InvalidPacketException:
                end = None
        if end is None:
            place += 1
            continue
        if (
            content[0] in SHORTEST
            and len(content) >= SHORTEST[content[0]]
            and (content[0] != 0x89 or len(content) == 3)
        ):
            found.append(content.hex())
        place = end
    return found


def frame_at(data, place, escaped):
    header = plain(data, place, escaped, 2)
    if header is None:
        raise InvalidPacketException(message='no header')
    length = int.from_bytes(header[0], 'big')
    body = plain(data, place, escaped, 2 + length + 1) if 1 <= length <= LONGEST_DATA else None
    if body is None:
        raise InvalidPacketException(message='no such length, or no more bytes')
    content = body[0][2:-1]
    if content[0] in SHORTEST and len(content) >= SHORTEST[content[0]]:
        build_frame(bytearray(b'\x7e' + body[0]), MODES[escaped])  # digi-xbee checks it
    elif 0xFF - sum(content) % 256 != body[0][-1]:
        raise InvalidPacketException(message='checksum')
    return body[1], content


def payloads(rng):
    """Payloads of every type: right, a byte short, a byte long, with a status, and random ones."""
    found = [b'', b'\x00']
    for kind, (as_command, as_reply) in PAYLOADS.items():
        for length in {as_command, as_reply} - {None}:
            size = rng.randint(0, 30) if length < 0 else length
            good = bytes((0, kind)) + rng.randbytes(size)
            found += [good, good[:-1], good + b'\x00', b'\x01' + good[1:]]
    return found + [b'\x00' + rng.randbytes(rng.randint(1, 60)) for _ in range(100)]


def decoded(payload, direction):
    """The type byte that a payload decodes to, None where it must be refused; direction 0: command, 1: reply."""
    if len(payload) < 2 or payload[0] != 0:
        return None
    length = PAYLOADS.get(payload[1], (None, None))[direction]
    return payload[1] if length is not None and length in (-1, len(payload) - 2) else None


def make(folder):
    rng = random.Random(20240229)
    streams = folder / 'streams'
    streams.mkdir(exist_ok=True)
    for old in streams.glob('*.bin'):
        old.unlink()
    expected = {}
    for number in range(54):
        damage, escaped = DAMAGES[number % len(DAMAGES)], number // len(DAMAGES) % 2 == 1
        data = damage(rng, conversation(rng, escaped))
        name = f'{number:03}_{damage.__name__}_{"escaped" if escaped else "plain"}.bin'
        (streams / name).write_bytes(data)
        expected[name] = frames_of(data, escaped)
    (folder / 'streams.json').write_text(json.dumps(expected, indent=1) + '\n')
    rows = [{'payload': p.hex(), 'command': decoded(p, 0), 'reply': decoded(p, 1)} for p in payloads(rng)]
    (folder / 'payloads.json').write_text('[\n' + ',\n'.join(json.dumps(row) for row in rows) + '\n]\n')


if __name__ == '__main__':
    make(Path(__file__).parent)
