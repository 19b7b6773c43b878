"""Windows that hold fewer rows than T1, as in the first seconds of every run: meta-training must meet them, too."""

from __future__ import annotations

import torch
from torch import Tensor


def short_windows(count: int, window: int, part: float) -> Tensor:
    """Return a mask (B, T1) by which the first tasks of a batch miss their oldest rows: the very first all of them.

    The next misses fewer, and so on, until none is missing. Who stands where in a batch is random anyway.

    Args:
        count: B.
        window: T1.
        part: Part of the batch whose windows are short, more than 0.
    """
    missing = window * (1 - torch.arange(count) / (part * count))
    return (torch.arange(window) >= missing[:, None]).float()


def every_window(count: int, window: int) -> Tensor:
    """Return a mask (B, T1) by which task k has its newest k modulo T1 rows, so all lengths occur."""
    return (torch.arange(window) >= window - (torch.arange(count) % window)[:, None]).float()
