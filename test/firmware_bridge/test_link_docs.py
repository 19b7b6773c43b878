"""What docs/link.md says shows that the robot stops must be there."""

import re
from pathlib import Path

from named_tests import named_tests

from millirobot_adapt.benchmarks.link.link_bench import ROWS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / 'docs' / 'link.md').read_text(encoding='utf-8')


def test_every_test_that_is_named_exists():
    count, missing = named_tests(TEXT)
    assert count > 10
    assert not missing


def test_every_row_of_the_benchmark_that_is_named_exists():
    named = [row for part in re.findall(r'bench: ([^|]*)\|', TEXT) for row in re.findall(r'`([^`]*)`', part)]
    assert len(named) > 5
    assert set(named) <= set(ROWS)


def test_every_module_has_its_place_in_the_table():
    named = set(re.findall(r'`(\w+)\.py`', TEXT))
    helpers = {'__init__', 'clock', 'bridge_config'}
    modules = {path.stem for path in (ROOT / 'firmware_bridge').glob('*.py')}
    assert modules - named == helpers
