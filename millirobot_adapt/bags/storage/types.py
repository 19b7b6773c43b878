"""Give the ROS 2 message types that bags are written and read with, without ROS."""

from __future__ import annotations

from functools import lru_cache

from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Return the message types of ROS 2 Jazzy: definitions, hashes, CDR serialisation."""
    return get_typestore(Stores.ROS2_JAZZY)
