"""What is made of the episodes: cells with intervals, tables, pictures, page."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from millirobot_adapt.analysis.statistics import standings
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.experiments import evaluation_page
from millirobot_adapt.experiments.episode import COLUMNS, Episode
from millirobot_adapt.experiments.experiment import Experiment, MethodEntry, parse_condition
from millirobot_adapt.experiments.grid import episodes_of
from millirobot_adapt.experiments.overview import as_markdown, overview
from millirobot_adapt.experiments.results import Results
from millirobot_adapt.experiments.results_table import EVERY, cells_of, rows_of

LEVELS = {'mb': 2.0, 'grbal': 1.0, 'follower': 1.5, 'oracle': 0.5}


def episode(spec):
    """A walk beside the path whose cost is the level of the method, a little different for each seed."""
    ticks = np.arange(40.0)
    noise = generator(spec.seed, spec.training_seed).normal(0.0, 0.1, 40)
    table = {name: np.zeros(40) for name in COLUMNS} | {'time': 0.1 * ticks, 'x': 0.03 * ticks, 'y': 0.1 * noise}
    table['progress'] = 0.03 * ticks
    table['step_cost'] = LEVELS[spec.method] * (1.0 + 0.1 * spec.seed) + 0.2 * spec.training_seed + 0.0 * noise
    table['pre_error'] = table['ahead_before'] = np.abs(noise) + 0.1
    table['post_error'] = table['ahead_after'] = table['pre_error'] * (0.5 if spec.method == 'grbal' else 1.0)
    return Episode(spec, make_path(spec.shape), table, 'time')


@pytest.fixture(scope='module')
def results():
    terrains = tuple(replace(parse_condition(name), group='terrains') for name in ('carpet', 'turf'))
    slow = replace(parse_condition('payload_30g'), controller={'objective.speed': 0.6})
    experiment = Experiment(
        conditions=(*terrains, parse_condition('pose_offset'), slow),
        shapes=('straight', 'left'),
        methods=(
            MethodEntry('mb', bundles=('velociroach_mb', 'velociroach_grbal')),
            *(MethodEntry(name) for name in ('grbal', 'follower', 'oracle')),
        ),
        seeds=3,
        oracle={'pose_offset': 'velociroach_mb'},
    )
    episodes = [episode(spec) for spec in episodes_of(experiment, 'controller.yaml')]
    methods = [method.name for method in experiment.methods]
    return Results(episodes, cells_of(rows_of(episodes, 0.1), methods, experiment.groups), methods, experiment.groups)


def test_cells_sum_up_places_conditions_and_groups(results):
    assert results.cell('mb', 'carpet', 'left')['cost'] == pytest.approx(2.0 * 1.1 + 0.1)
    assert results.cell('mb', 'carpet', 'left')['training_seeds'] == 2
    assert {cell['condition'] for cell in results.cells if cell['shape'] == EVERY} == {
        *('carpet', 'turf', 'pose_offset', 'payload_30g'), 'terrains',
    }  # fmt: skip
    assert results.group_cell('grbal', 'terrains')['pairs'] == 2 * 2 * 3
    assert results.group_cell('grbal', 'terrains')['wins'] == 12
    ratios = [(1.0 + 0.1 * s) / np.sqrt((2.0 + 0.2 * s) * (2.2 + 0.2 * s)) for s in range(3)]
    assert results.group_cell('grbal', 'terrains')['ratio'] == pytest.approx(np.prod(ratios) ** (1 / 3))


def test_the_oracle_is_the_floor_where_there_is_one_and_no_rival(results):
    there, elsewhere = (results.cell('grbal', name) for name in ('pose_offset', 'payload_30g'))
    assert there['normalised'] == pytest.approx((1.1 - 0.55) / (2.3 - 0.55))
    assert np.isnan(elsewhere['normalised'])
    assert results.cell('oracle', 'payload_30g') is None
    assert there['best_other'] == 'follower'
    assert there['behind'] == pytest.approx((1.1 - 1.65) / 2.3)
    assert there['behind_interval'][1] < 0


def test_progress_is_told_as_part_of_what_was_asked_for(results):
    assert results.cell('mb', 'payload_30g')['pace_kept'] == pytest.approx(0.5)
    assert np.isnan(results.cell('mb', 'carpet')['pace_kept'])


def test_a_second_training_seed_widens_the_interval():
    rng = np.random.default_rng(0)
    costs = rng.normal(5.0, 0.1, (1, 10))
    apart = np.concatenate([costs, costs + 1.0, costs - 1.0])

    def width(matrix):
        low, high = standings({'mb': matrix[:, None]}, 'mb', 'oracle')['mb'].cost_interval
        return high - low

    assert width(costs) < 0.2
    # Means of 4, 5, 6: Student's t with two degrees of freedom, 4.303 / sqrt(3) either way.
    assert width(apart) == pytest.approx(2 * 4.303 / np.sqrt(3), rel=0.02)


def test_environment_seeds_count_in_pairs_so_that_shared_noise_falls_out():
    noise = np.random.default_rng(0).normal(0.0, 3.0, (1, 10))
    costs = {'mb': 10.0 + noise[:, None], 'grbal': 0.5 * (10.0 + noise[:, None])}
    standing = standings(costs, 'mb', 'oracle')['grbal']
    assert standing.ratio_interval == pytest.approx((0.5, 0.5))
    assert standing.cost_interval[1] - standing.cost_interval[0] > 1.0


def test_an_oracle_worse_than_the_baseline_is_no_floor():
    costs = {'mb': np.full((1, 1, 10), 1.0), 'oracle': np.full((1, 1, 10), 2.0)}
    assert np.isnan(standings(costs, 'mb', 'oracle')['mb'].normalised)


def test_the_document_has_the_tables_of_the_paper(results):
    text = as_markdown(results)
    assert '| carpet | mb | 2.30 | 2.30 |' in text
    comparison = overview(results)[0]
    (row,) = [row for row in comparison.rows if row[:2] == ['pose_offset', 'grbal']]
    assert row[4].startswith('0.31')


def test_there_is_a_picture_of_everything_and_a_page_that_is_well_formed(results, tmp_path):
    few = replace(results, episodes=[e for e in results.episodes if e.spec.shape == 'straight'])
    evaluation_page.write_all(tmp_path, few, rows_of(few.episodes, 0.1), {})
    pictures = {path.stem for path in tmp_path.glob('*.png')}
    conditions = ('carpet', 'turf', 'pose_offset', 'payload_30g')
    assert pictures == {
        *('costs_unseen', 'costs_normalised', 'costs_terrains', 'errors_grbal'),
        *(f'paths_{condition}_straight' for condition in conditions),
    }
    text = (tmp_path / 'index.html').read_text()
    ET.fromstring(text.replace('<!DOCTYPE html>', ''))
    assert text.count('<figure') == len(pictures)
    headings = [heading.text for heading in ET.fromstring(text.replace('<!DOCTYPE html>', '')).iter('h2')]
    assert headings[:2] == [
        'Floors of the training data: cost over that of mb', 'Not seen in training: cost over that of mb',
    ]  # fmt: skip
    assert 'grbal / mb, pose offset' in text


def page(results, tmp_path):
    """The cards and tables of the page, by heading: names to values."""
    evaluation_page.write_all(tmp_path, results, rows_of(results.episodes, 0.1), {})
    root = ET.fromstring((tmp_path / 'index.html').read_text().replace('<!DOCTYPE html>', ''))
    cards = {
        section.get('aria-label'): {
            card.find('span').text: (card.find('b').text, card.find('i').text) for card in section
        }
        for section in root.iter('section')
        if section.get('class') == 'cards'
    }
    tables = {
        section.find('h2').text: [[cell.text for cell in row] for row in section.iter('tr')]
        for section in root.iter('section')
        if section.find('h2') is not None
    }
    return cards, tables


def without_pictures(monkeypatch):
    monkeypatch.setattr(evaluation_page, 'drawings', lambda _: iter(()))


def test_every_method_stands_against_the_baseline_in_every_group_losses_too(results, tmp_path, monkeypatch):
    without_pictures(monkeypatch)
    cards, _ = page(results, tmp_path)
    trained, unseen = cards.values()
    assert trained.keys() == {'grbal / mb, terrains', 'follower / mb, terrains'}
    assert unseen.keys() == {
        *('grbal / mb, pose offset', 'follower / mb, pose offset', 'oracle / mb, pose offset'),
        *('grbal / mb, payload 30g', 'follower / mb, payload 30g'),
    }
    losing = replace(results, methods=['grbal', 'mb', 'follower', 'oracle'])
    cells = cells_of(rows_of(losing.episodes, 0.1), losing.methods, losing.groups)
    cards, _ = page(replace(losing, cells=cells), tmp_path)
    assert float(cards['Not seen in training: cost over that of grbal']['mb / grbal, pose offset'][0]) > 1.5


def test_a_single_seed_has_no_interval_on_the_page(results, tmp_path, monkeypatch):
    without_pictures(monkeypatch)
    few = [e for e in results.episodes if e.spec.seed == 0 and e.spec.shape == 'left' and e.spec.training_seed == 0]
    cells = cells_of(rows_of(few, 0.1), results.methods, results.groups)
    cards, _ = page(replace(results, episodes=few, cells=cells), tmp_path)
    value, note = cards['Not seen in training: cost over that of mb']['grbal / mb, pose offset']
    assert float(value) == pytest.approx(0.5, abs=0.01)
    assert note == 'less on 1 of 1 pairs; no interval from one seed'


def test_many_figures_are_a_table_of_groups_and_methods(results, tmp_path, monkeypatch):
    without_pictures(monkeypatch)
    monkeypatch.setattr(evaluation_page, 'MOST_CARDS', 3)
    cards, tables = page(results, tmp_path)
    assert cards == {}
    head, *rows = tables['Not seen in training: cost over that of mb']
    assert head == ['conditions', 'grbal', 'follower', 'oracle']
    assert [row[0] for row in rows] == ['pose offset', 'payload 30g']
    assert rows[1][3] == '\N{EN DASH}', 'no oracle walked there'
