"""Cost terms, one a file; each file registers its term, and the objective adds all terms up with their weights.

To add a term, put a file here and one line with its weight under `objective` in params/controller.yaml.
"""

from __future__ import annotations

import importlib
import pkgutil


def load_terms() -> None:
    """Import every module of this package, so that each registers its term in `term.TERMS`."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        importlib.import_module(f'{__name__}.{module.name}')
