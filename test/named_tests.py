"""Tests that a page names as its proof."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
NAMED = re.compile(r'`(test_\w+?)(_\.\.\.)?`')
"""A whole name, or its beginning and an ellipsis."""


def named_tests(text):
    """Return how many tests a text names, and those names that no test has."""
    sources = ' '.join(path.read_text(encoding='utf-8') for path in TESTS.rglob('test_*.py'))
    named = NAMED.findall(text)
    return len(named), [name for name, cut in named if not re.search(rf'def {name}{"_" if cut else "[(]"}', sources)]
