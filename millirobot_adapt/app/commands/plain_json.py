"""Turn results into what JSON can say."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Replace, in nested groups and lists, what JSON has no word for (NaN, infinity) by null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not (abs(value) < float('inf')):
        return None
    return value
