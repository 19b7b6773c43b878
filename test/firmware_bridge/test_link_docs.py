"""What docs/link.md says shows that the robot stops must be there."""

import re
from pathlib import Path

from named_tests import named_tests

from millirobot_adapt.benchmarks.link.radio_trials import CASES, OUT_OF_REACH

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / 'docs' / 'link.md').read_text(encoding='utf-8')


def test_every_test_that_is_named_exists():
    count, missing = named_tests(TEXT)
    assert count > 10
    assert not missing


def test_every_row_of_the_benchmark_that_is_named_exists():
    processes = (ROOT / 'millirobot_adapt' / 'benchmarks' / 'link' / 'process_trials.py').read_text(encoding='utf-8')
    rows = [row for part in re.findall(r'bench: ([^|]*)\|', TEXT) for row in re.findall(r'`([^`]*)`', part)]
    assert len(rows) > 5
    known = {case.name for case in CASES} | {'reset', OUT_OF_REACH}
    assert not [row for row in rows if row not in known and f"'{row}'" not in processes]


def test_every_module_has_its_place_in_the_table():
    named = set(re.findall(r'`(\w+)\.py`', TEXT))
    helpers = {'__init__', 'clock', 'bridge_config'}
    modules = {path.stem for path in (ROOT / 'firmware_bridge').glob('*.py')}
    assert modules - named == helpers
