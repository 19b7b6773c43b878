"""Run one of the described nodes by its name, wherever the package's executables may be installed."""

from __future__ import annotations

import sys
from importlib import import_module

from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.contract.fault_hooks import install_hooks
from millirobot_adapt.core.errors import missing_extra


def main() -> int:
    """Run the node that the first argument names with the arguments that follow; returns its exit code."""
    name = sys.argv.pop(1)
    install_hooks()
    node = next(node for node in NODES if node.name == name)
    try:
        return int(import_module(node.module).main())
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        print(f'error: {missing}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the node could take the signal
        return 130


if __name__ == '__main__':
    sys.exit(main())
