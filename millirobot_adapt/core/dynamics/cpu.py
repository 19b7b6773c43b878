"""What the processor can do, as the kernel reports."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

CPUINFO = Path('/proc/cpuinfo')
X86 = ('x86_64', 'AMD64', 'i686')
DOT_PRODUCTS = {'avx512_vnni', 'avx_vnni', 'avx512vnni', 'avxvnni', 'amx_int8', 'asimddp', 'i8mm'}
"""Flags of instructions that multiply 8-bit integers and add them up in 32 bits."""


@cache
def cpu_flags() -> frozenset[str]:
    """Return the flags of the first core; empty where the kernel does not tell."""
    try:
        lines = CPUINFO.read_text(encoding='utf-8').splitlines()
    except OSError:
        lines = []
    named = (line for line in lines if line.lower().startswith(('flags', 'features')))
    return frozenset(next(named, '').partition(':')[2].split())


def has_int8_dot_products(flags: frozenset[str] | None = None) -> bool:
    """Tell whether 8-bit products are faster than floating point here."""
    return bool(DOT_PRODUCTS & (cpu_flags() if flags is None else flags))


def saturates_int8_products(flags: frozenset[str] | None = None, machine: str = '') -> bool:
    """Tell whether products of unsigned and signed bytes are added in 16 bits, as on x86 without dot products."""
    return (machine or platform.machine()) in X86 and not has_int8_dot_products(flags)
