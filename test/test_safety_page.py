"""docs/safety.md: every test and every row of the benchmark that it names exists, and every row has all its columns."""

import re
from pathlib import Path

from named_tests import named_tests

from millirobot_adapt.benchmarks.link.injected import INJECTED
from millirobot_adapt.benchmarks.link.launch_deaths import DEATH_ROWS
from millirobot_adapt.benchmarks.link.link_bench import ROWS as BENCH_ROWS
from millirobot_adapt.benchmarks.link.link_bench import LinkBench

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / 'docs' / 'safety.md').read_text(encoding='utf-8')
HAZARDS, _, BUSY = TEXT.partition('## On a busy machine')
ROWS = [
    [cell.strip() for cell in line.strip('|').split('|')]
    for line in HAZARDS.splitlines()
    if line.startswith('|') and not line.startswith(('|---', '| hazard', '| **'))
]


def test_every_hazard_has_a_detection_a_promise_a_measurement_and_a_proof():
    assert len(ROWS) > 20
    for row in ROWS:
        assert len(row) == 5, row
        assert all(row), row
        assert '`' in row[4], row


def test_every_test_that_is_named_exists():
    count, missing = named_tests(TEXT)
    assert count > 8
    assert not missing


def test_every_row_of_the_benchmark_stands_on_the_page_and_no_other():
    named = {name for row in ROWS if 'bench:' in row[4] for name in re.findall(r'`([^`]*)`', row[4])}
    rows = {name for name in named if not name.startswith('test_')}
    injected = {case.name for case in INJECTED}
    assert injected <= rows
    assert rows <= {*BENCH_ROWS, *DEATH_ROWS}


def test_every_live_row_of_the_radio_robot_stands_in_the_table_of_the_busy_machine():
    table = BUSY.partition('\n## ')[0]
    measured = set(re.findall(r'\| `([^`]*)` \| \d+ ', table))
    never = {'port vanishes for 2 s'}  # no byte passes: it is not bounded
    assert measured == {*LinkBench().live_faults} - never
