"""The demo beside other programs that keep one core, or all of them, busy: it walks to its end."""

import json
import os
import subprocess
import sys

import pytest
from harness import MILLIROBOT, run

pytestmark = [pytest.mark.system, pytest.mark.long]

SECONDS = 15


@pytest.fixture
def busy():
    """Keep cores busy, each with a process of normal priority."""
    programs = []

    def busy(cores):
        programs.extend(subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(cores))

    yield busy
    for program in programs:
        program.kill()
        program.wait()


@pytest.mark.parametrize('cores', [1, os.cpu_count() or 1])
def test_it_walks_to_its_end_beside_a_busy_machine(tmp_path, busy, cores):
    busy(cores)
    answer = run([*MILLIROBOT, 'demo', '--out', str(tmp_path), '--seconds', str(SECONDS)], seconds=200)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    summary = json.loads((tmp_path / 'latest' / 'summary.json').read_text())
    assert summary['stops'] == []
    assert summary['ticks'] >= 0.95 * 10 * SECONDS
    planning = summary['planning']
    print(f'{cores} busy: {summary["deadline_misses"]} of {summary["ticks"]} ticks late, load shed in {planning}')
    checked = run([*MILLIROBOT, 'replay', str(tmp_path / 'latest'), '--check', '--json'], seconds=120)
    assert checked.returncode == 0, checked.stdout
