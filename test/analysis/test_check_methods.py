"""`replay --check` for every method: a run is repeated bit for bit, also where the method carries what it learned."""

import json
from dataclasses import replace
from pathlib import Path

import live_run
import pytest

from millirobot_adapt.app import main as cli
from millirobot_adapt.core.dynamics.method_factory import METHODS

DATA = Path(__file__).resolve().parents[1] / 'data'
TICKS, LOST, SECOND = 14, 3, 8
CARRYING = ('mb_de', 'rls')


def model_of(method):
    return str(DATA / {'grbal': 'golden_bundle', 'mb_aug': 'golden_mb'}.get(method, f'golden_{method}'))


def checked(folder, capsys):
    assert cli.main(['replay', str(folder), '--check', '--json']) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures['exact']
    assert figures['difference'] is None
    return figures


def write(folder, method, **options):
    controller = replace(live_run.CONTROLLER, model=model_of(method), method=method)
    return live_run.write_live_run(folder, TICKS, starts=(0, SECOND), controller=controller, **options)


@pytest.mark.parametrize('method', METHODS)
def test_a_run_of_each_method_comes_again_bit_for_bit(tmp_path, capsys, method):
    figures = checked(write(tmp_path / 'bag', method), capsys)
    assert figures['compared'] == {'ticks': TICKS, 'setpoints': TICKS, 'odometries': TICKS, 'states': TICKS}
    assert figures['not_compared'] == []


@pytest.mark.parametrize('method', ['rebal', *CARRYING])
def test_what_is_carried_past_a_lost_tick_is_not_known_until_the_next_run(tmp_path, capsys, method):
    def lose(name, number, message):
        return None if (name, number) == ('tick', LOST) else message

    figures = checked(write(tmp_path / 'bag', method, change=lose), capsys)
    left_out = {each['why']: each['count'] for each in figures['not_compared'] if each['what'] == 'ticks'}
    carried = SECOND - LOST - 1 if method in CARRYING else 0
    assert left_out.get('one before them is missing, from which the method carries on', 0) == carried
    assert figures['compared']['ticks'] == TICKS - 1 - carried
