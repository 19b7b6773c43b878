"""Messages that are compressed one by one (`ros2 bag record --compression-mode message`)."""

from __future__ import annotations

import lz4.frame
import zstandard

from millirobot_adapt.recording.records import Raw

ZSTD, LZ4 = b'\x28\xb5\x2f\xfd', b'\x04\x22\x4d\x18'
COMPRESSED = (ZSTD, LZ4)
"""How frames of either begin, and no message in CDR does."""


def decompressed(raw: Raw) -> Raw:
    """Return a message without the compression of its own; one that cannot be decompressed comes back as it is."""
    try:
        while raw.data.startswith(COMPRESSED):
            unpack = _unzstd if raw.data.startswith(ZSTD) else lz4.frame.decompress
            raw = raw._replace(data=unpack(raw.data))
        return raw
    except (zstandard.ZstdError, RuntimeError, EOFError):
        return raw  # damaged; counted when it is decoded


def _unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)
