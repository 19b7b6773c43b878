"""`replay --check` of a run in which models were swapped: exact, and only with the models of the run."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import live_run
import numpy as np
import pytest

from millirobot_adapt.app import main as cli
from millirobot_adapt.contract.tick_codec import decode_tick, encode_tick

TICKS = 16
DATA = Path(__file__).resolve().parents[1] / 'data'
OTHER_WINDOW, CARRYING = DATA / 'golden_bundle', DATA / 'golden_rls'
SAME_WINDOW = DATA.parents[1] / 'models' / 'velociroach_mb'


def checked(folder, capsys, code, *options):
    assert cli.main(['replay', str(folder), '--check', '--json', *options]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    'swapped',
    [
        {5: OTHER_WINDOW, 11: live_run.MODEL},
        {4: CARRYING, 8: live_run.MODEL, 12: CARRYING},
        {0: OTHER_WINDOW},
    ],
)
def test_a_run_comes_again_bit_for_bit_across_swaps(tmp_path, capsys, swapped):
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, swapped=swapped, tuned={6: {'planner.samples': 16}})
    figures = checked(folder, capsys, 0)
    assert figures['exact']
    assert figures['compared'] == {'ticks': TICKS, 'setpoints': TICKS, 'odometries': TICKS, 'states': TICKS}
    assert figures['not_compared'] == []
    assert cli.main(['replay', str(folder), '--json']) == 0
    recorded = json.loads(capsys.readouterr().out)['planning']['recorded']
    assert recorded['same_actions'] == recorded['ticks'] == TICKS


def test_the_swap_decided_something(tmp_path, capsys):
    """A record of the first model instead of the one swapped in is found at the tick of the swap."""
    plans = {}

    def note(topic, number, message):
        if topic == 'tick':
            plans[number] = decode_tick(message.data)
        return message

    live_run.write_live_run(tmp_path / 'plain', TICKS, note)
    first = dict(plans)

    def not_swapped(topic, number, message):
        if topic == 'tick' and number == 7:
            record = decode_tick(message.data)
            assert not np.array_equal(record.plan_actions, first[7].plan_actions)
            message.data = encode_tick(replace(first[7], revision=record.revision))
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, not_swapped, swapped={7: SAME_WINDOW})
    assert checked(folder, capsys, 1)['difference']['time_s'] == pytest.approx(0.7)


def test_a_user_who_names_a_model_replays_with_that_one_throughout(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, swapped={5: OTHER_WINDOW})
    assert cli.main(['replay', str(folder), '--json', '--model', str(live_run.MODEL)]) == 0
    recorded = json.loads(capsys.readouterr().out)['planning']['recorded']
    assert 5 <= recorded['same_actions'] < TICKS


def test_the_models_of_a_run_folder_that_was_moved_are_found_in_it(tmp_path, capsys):
    made = tmp_path / 'made'
    shutil.copytree(OTHER_WINDOW, made / 'models' / 'learned')
    live_run.write_live_run(made / 'bag', TICKS, swapped={5: made / 'models' / 'learned'})
    made.rename(tmp_path / 'moved')
    assert checked(tmp_path / 'moved' / 'bag', capsys, 0)['exact']


@pytest.mark.parametrize(
    ('spoil', 'says'),
    [
        (lambda folder: shutil.rmtree(folder), 'the model that was swapped in during this run is missing'),
        (
            lambda folder: (folder / 'model.yaml').write_text((folder / 'model.yaml').read_text() + '\nnote: other\n'),
            'is not the model that was swapped in during this run (SHA-256 of model.yaml)',
        ),
    ],
)
def test_a_model_that_is_gone_or_another_is_named(tmp_path, capsys, spoil, says):
    learned = tmp_path / 'elsewhere' / 'learned'
    shutil.copytree(OTHER_WINDOW, learned)
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, swapped={5: learned})
    spoil(learned)
    assert cli.main(['replay', str(folder), '--check']) == 2
    said = capsys.readouterr().err
    assert says in said
    assert str(learned) in said


def test_a_record_that_does_not_fit_the_model_swapped_in_is_one_line(tmp_path, capsys):
    def longer(topic, number, message):
        if topic == 'tick' and number == 5:
            record = decode_tick(message.data)
            doubled = {
                name: np.concatenate([getattr(record, name)] * 2)
                for name in ('window_states', 'window_actions', 'window_next_states', 'window_mask')
            }
            message.data = encode_tick(replace(record, **doubled))
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, longer, swapped={5: OTHER_WINDOW})
    assert cli.main(['replay', str(folder), '--check']) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if 'T1 = ' in line]
    assert 'the record is damaged or was edited' in line
