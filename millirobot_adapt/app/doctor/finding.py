"""What a check finds: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is."""

    OK = 'ok'
    WARN = 'warn'
    FAIL = 'fail'


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    level: Level
    what: str
    fix: str = ''
    """What the user can do about it; empty when nothing needs doing."""


def ok(what: str) -> Finding:
    """Find that something is as it should be."""
    return Finding(Level.OK, what)


def warn(what: str, fix: str) -> Finding:
    """Find something that a run can do without."""
    return Finding(Level.WARN, what, fix)


def fail(what: str, fix: str) -> Finding:
    """Find something that a run cannot do without."""
    return Finding(Level.FAIL, what, fix)


def failed(error: Exception) -> Finding:
    """Turn an error of the form '<thing>: <what is wrong>; <the fix>' into a finding."""
    what, _, fix = str(error).partition('; ')
    return fail(what, fix)
