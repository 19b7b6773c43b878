"""Run one of the described nodes by its name, wherever the package's executables may be installed."""

from __future__ import annotations

import sys
from importlib import import_module

from millirobot_adapt.bringup.interrupts import die_at_once
from millirobot_adapt.core.errors import missing_extra

BAD_INPUT = 2


def main() -> int:
    """Run the node that the first argument names with the arguments that follow; returns its exit code."""
    die_at_once()
    from millirobot_adapt.contract.fault_hooks import install_hooks

    install_hooks()
    return run_program(f'millirobot_adapt.nodes.{sys.argv.pop(1)}')


def run_program(module: str) -> int:
    """Run `main` of a module; a library that an extra would bring is named in one line. Returns the exit code."""
    try:
        return int(import_module(module).main())
    except ModuleNotFoundError as error:
        print(f'error: {missing_extra(error)}', file=sys.stderr)
        return BAD_INPUT


if __name__ == '__main__':
    sys.exit(main())
