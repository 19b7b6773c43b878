"""Comparing recorded runs: rows, pairs of equal seed, and the page made of them."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import yaml

from millirobot_adapt.analysis.compare.comparison_page import table, write_page
from millirobot_adapt.analysis.compare.runs import comparison, read_runs
from millirobot_adapt.app.main import main
from millirobot_adapt.contract.tick_codec import encode_tick
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0


def write_run(folder, method, seed, off, ticks=40, condition='leg_loss', samples=400):
    """Write the bag of a straight walk `off` metres to the left of the path, 0.2 m/s along it."""
    with BagWriter(folder / 'bag') as bag:
        bag.write_message('/reference', stored_messages.path(START, np.array([[0.0, 0.0], [10.0, 0.0]])), START)
        state = stored_messages.status('controller', 'running', {'method': method})
        bag.write_message('/controller/state', state, START)
        for tick in range(ticks):
            stamp = START + 0.1 * tick
            pose = stored_messages.pose_stamped(stamp, [0.02 * tick, off, 0.03], [0.0, 0.0, 0.0, 1.0])
            bag.write_message('/mock/pose', pose, stamp)
            record = replace(
                TickRecord.without_state(tick, stamp, seed, np.zeros(2), nx=24),
                state_stamp=stamp, pre_error=2.0, post_error=1.0 + off, wait_ms=20.0, work_ms=30.0, misses=0.0,
            )  # fmt: skip
            bag.write_message('/tick', stored_messages.labelled_array(encode_tick(record), 'tick'), stamp + 0.05)
    parameters = {
        'seed': seed,
        'mock_robot': {'condition': condition},
        'controller': {'path': 'straight', 'model': f'model_{method}', 'planner': {'samples': samples}},
    }
    (folder / 'parameters.yaml').write_text(yaml.safe_dump(parameters))
    return folder


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """MB 4 and 6 cm off the path, GrBAL 1 and 3 cm on the same seeds and 5 cm on a seed of its own."""
    home = tmp_path_factory.mktemp('runs')
    walks = (('mb', 1, 0.04), ('mb', 2, 0.06), ('grbal', 2, 0.03), ('grbal', 1, 0.01), ('grbal', 3, 0.05))
    return [write_run(home / f'{method}_{seed}', method, seed, off) for method, seed, off in walks]


@pytest.fixture(scope='module')
def runs(folders):
    return read_runs(folders)


def test_each_run_has_its_row_and_each_variant_its_mean(runs):
    found = comparison(runs)
    assert found['baseline'] == 'mb'
    assert [(row['name'], row['variant'], row['seed']) for row in found['runs']] == [
        ('mb_1', 'mb', 1), ('mb_2', 'mb', 2), ('grbal_2', 'grbal', 2), ('grbal_1', 'grbal', 1), ('grbal_3', 'grbal', 3),
    ]  # fmt: skip
    assert found['runs'][0]['cross_track_rms_m'] == pytest.approx(0.04)
    # 4 cm cost 50 * 0.04 = 2; a step of 2 cm gains 10 * 0.02 = 0.2 (but for the first of 40).
    assert found['runs'][0]['cost_per_step'] == pytest.approx(2.0 - 0.2 * 39 / 40)
    means = {entry['variant']: entry['cross_track_rms_m'] for entry in found['variants']}
    assert means['mb']['mean'] == pytest.approx(0.05)
    assert means['grbal'] == {'mean': pytest.approx(0.03), 'sd': pytest.approx(0.02)}


def test_ratios_are_of_equal_seeds_alone(runs):
    (ratio,) = [entry for entry in comparison(runs)['pairs'] if entry['metric'] == 'cross_track_rms_m']
    # Seeds 1 and 2: 0.01 / 0.04 and 0.03 / 0.06; seed 3 walked alone.
    assert (ratio['variant'], ratio['against'], ratio['pairs'], ratio['wins']) == ('grbal', 'mb', 2, 2)
    assert ratio['ratio'] == pytest.approx(0.125**0.5, rel=1e-5)
    # Student's t with one degree of freedom: 12.706 standard errors of the mean logarithm either way.
    reach = np.exp(12.7062 * np.log(2) / 2)
    assert ratio['interval'] == pytest.approx([0.125**0.5 / reach, 0.125**0.5 * reach], rel=1e-4)


def test_another_condition_makes_no_pair(tmp_path):
    folders = [
        write_run(tmp_path / 'a', 'mb', 1, 0.04),
        write_run(tmp_path / 'b', 'grbal', 1, 0.02, condition='training'),
    ]
    runs = read_runs(folders)
    found = comparison(runs)
    assert found['pairs'] == []
    assert 'nothing is paired' in table(runs, found)


def test_any_parameter_can_tell_variants_apart(tmp_path):
    folders = [write_run(tmp_path / str(n), 'grbal', 1, 0.1 / n, samples=n) for n in (100, 400)]
    assert [run.variant for run in read_runs(folders)] == ['grbal', 'grbal']
    found = comparison(read_runs(folders, by='controller.planner.samples'))
    assert [entry['variant'] for entry in found['variants']] == ['samples 100', 'samples 400']
    assert {entry['interval'] for entry in found['pairs']} == {None}
    with pytest.raises(UserError, match=r'have no controller\.samples'):
        read_runs(folders, by='controller.samples')


def test_the_command_prints_a_table_or_json_alone_and_a_page(folders, tmp_path, capsys):
    names = [str(folder) for folder in folders]
    assert main(['compare', *names, '--json']) == 0
    assert json.loads(capsys.readouterr().out)['baseline'] == 'mb'
    assert main(['compare', *names, '--out', str(tmp_path / 'page.html')]) == 0
    printed = capsys.readouterr().out
    assert re.search(r'cross-track rms: grbal / mb = 0\.354 \[0\.004, 28\.\d+\], lower on 2 of 2 pairs', printed)
    assert re.search(r'mean of 3 +grbal', printed)
    root = ET.fromstring((tmp_path / 'page.html').read_text().removeprefix('<!DOCTYPE html>'))
    titles = [picture.find('figcaption/b').text for picture in root.findall('.//figure')]
    assert titles == [
        'Paths driven, path wanted', 'Pairs of equal seed', 'Distance to the path', 'Predicting the next step',
        'Work of a tick',
    ]  # fmt: skip
    assert len(root.findall('.//tbody/tr')) == 5 + 2


def test_runs_that_ended_early_are_told_of(folders, tmp_path):
    runs = read_runs([folders[0], write_run(tmp_path / 'short', 'grbal', 1, 0.01, ticks=20)])
    assert 'Shorter than the others, so their means are of another stretch: short.' in table(runs, comparison(runs))


def test_one_run_or_a_page_that_cannot_be_written_is_a_clear_error(folders, runs, tmp_path, capsys):
    assert main(['compare', str(folders[0])]) == 2
    assert 'give at least two runs' in capsys.readouterr().err
    with pytest.raises(UserError, match='choose another place with --out'):
        write_page(tmp_path / 'missing' / 'page.html', runs, comparison(runs))
