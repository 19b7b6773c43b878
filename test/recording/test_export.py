"""Export: what comes out of the tables is what went into the bag, in columns that name their units."""

import csv
import json
import re

import live_run
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from robots import LAYOUT
from synthetic_run import write_run

from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.app.main import main
from millirobot_adapt.contract.topics import LEGS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.export import Tables, read_tables, write_csv, write_npz
from millirobot_adapt.recording.parquet import write_parquet
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.tables import state_columns
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp('made') / 'run', ticks=30)


@pytest.fixture(scope='module')
def tables(run):
    return read_tables(open_bag(run))


def test_every_number_ends_in_its_unit(tables):
    units = ('_s', '_m', '_m_s', '_rad', '_rad_s', '_m_s2', '_v', '_ms')
    without = {
        'ticks': {
            'tick', 'seed', 'running', 'segment', 'cost', 'cost_min', 'cost_median', 'effective_samples', 'candidates',
            'finite', 'loss_before', 'loss_after', 'gradient_norm', 'inner_step', 'pre_error', 'post_error',
            'step_cost', 'misses', 'batches', 'revision', 'share',
        },
    }  # fmt: skip
    for name, table in tables.tables.items():
        for column, values in table.items():
            unitless = (
                column in without.get(name, ())
                or column.removeprefix('sd_').startswith(('cos_', 'sin_', 'q'))
                or column == 'point'
            )
            told = column.endswith((*units, '_effort')) or values.dtype.kind == 'U'
            assert told or unitless, (name, column)


def test_the_table_of_ticks_holds_what_the_run_holds(run, tables):
    data = read_run_data(open_bag(run))
    ticks = tables.tables['ticks']
    assert len(ticks['tick']) == len(data.ticks) == 30
    np.testing.assert_array_equal(ticks['pre_error'], data.column('pre_error'))
    np.testing.assert_array_equal(ticks['stamp_s'], data.column('stamp'))
    np.testing.assert_array_equal(ticks['x_m'], [tick.state[0] for tick in data.ticks])
    np.testing.assert_array_equal(ticks['sent_before_left_rad_s'], [tick.sent[0] for tick in data.ticks])
    np.testing.assert_array_equal(ticks['next_right_rad_s'], [tick.plan_actions[1][1] for tick in data.ticks])
    np.testing.assert_array_equal(tables.plans, [tick.plan_states for tick in data.ticks])


def test_the_tables_of_topics_and_states_hold_what_the_run_holds(run, tables):
    data = read_run_data(open_bag(run))
    np.testing.assert_array_equal(tables.tables['states']['stamp_s'], data.states.stamps)
    np.testing.assert_array_equal(tables.tables['states']['battery_v'], data.states.values[:, 23])
    np.testing.assert_array_equal(tables.tables['sent']['left_rad_s'], data.sent.values[:, 0])
    np.testing.assert_array_equal(tables.tables['mock_pose']['yaw_rad'], data.true_poses.values[:, 2])
    assert tables.tables['bridge_state']['message'][0] == data.bridge[0].text
    assert json.loads(tables.tables['bridge_state']['values'][0]) == data.bridge[0].values


def test_npz_loads_back_without_pickle(tmp_path, tables):
    write_npz(tables, tmp_path / 'run.npz')
    with np.load(tmp_path / 'run.npz', allow_pickle=False) as loaded:
        assert set(loaded) == {*tables.tables, 'plans'}
        for name, table in tables.tables.items():
            for column, values in table.items():
                np.testing.assert_array_equal(loaded[name][column], values)
        np.testing.assert_array_equal(loaded['plans'], tables.plans)


def test_csv_loads_back_number_for_number(tmp_path, tables):
    write_csv(tables, tmp_path / 'run')
    assert {path.stem for path in (tmp_path / 'run').iterdir()} == set(tables.tables)
    for name, table in tables.tables.items():
        with (tmp_path / 'run' / f'{name}.csv').open(newline='') as stream:
            rows = list(csv.DictReader(stream))
        for column, values in table.items():
            read = [row[column] for row in rows]
            np.testing.assert_array_equal(np.array(read, dtype=values.dtype), values)


def test_parquet_loads_back_number_for_number(tmp_path, tables):
    write_parquet(tables, tmp_path / 'run')
    assert {path.stem for path in (tmp_path / 'run').iterdir()} == {*tables.tables, 'plans'}
    for name, table in tables.tables.items():
        read = parquet.read_table(tmp_path / 'run' / f'{name}.parquet')
        assert read.column_names == list(table)
        for column, values in table.items():
            kind = pyarrow.string() if values.dtype.kind == 'U' else pyarrow.from_numpy_dtype(values.dtype)
            assert read.schema.field(column).type == kind
            assert read.column(column).null_count == 0, 'what is missing is NaN, as in the other formats'
            np.testing.assert_array_equal(np.array(read.column(column).to_pylist(), dtype=values.dtype), values)


def test_plans_come_back_from_parquet_though_some_are_shorter(tmp_path, tables):
    plans = np.random.default_rng(0).standard_normal(tables.plans.shape)
    plans[3, 2:] = np.nan
    write_parquet(Tables(tables.tables, plans, tables.state_columns), tmp_path / 'run')
    read = parquet.read_table(tmp_path / 'run' / 'plans.parquet').to_pydict()
    assert len(read['ahead']) == plans.shape[0] * plans.shape[1] - (plans.shape[1] - 2)
    place = read.pop('tick_row'), read.pop('ahead')
    again = np.full_like(plans, np.nan)
    again[place] = np.transpose(list(read.values()))
    np.testing.assert_array_equal(again, plans)
    assert tuple(read) == state_columns(LAYOUT)


def test_what_some_messages_lack_is_nan_and_damaged_ones_are_left_out(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write_message('/legs', stored_messages.joint_state(START, [1, 2]), START)
        bag.write_message('/legs', stored_messages.joint_state(START + 1, [3, 4], position=[5, 6]), START + 1)
        bag.write_message('/tick', stored_messages.labelled_array([1.0, 2.0], 'no tick'), START + 1)
    warnings = []
    tables = read_tables(open_bag(tmp_path / 'bag', warnings.append))
    assert set(tables.tables) == {'legs'}
    np.testing.assert_array_equal(tables.tables['legs']['left_rad'], [np.nan, 5.0])
    np.testing.assert_array_equal(tables.tables['legs']['received_s'], [START, START + 1])
    assert any('1 damaged' in line for line in warnings)


def test_a_bag_without_our_topics_is_refused(tmp_path):
    with BagWriter(tmp_path / 'bag', {'/eggs': LEGS}) as bag:
        bag.write_message('/eggs', stored_messages.joint_state(START, [1, 2]), START)
    with pytest.raises(UserError, match='none of the topics'):
        read_tables(open_bag(tmp_path / 'bag'))


@pytest.mark.parametrize('kind', ['npz', 'csv', 'parquet'])
def test_the_command_writes_tells_and_never_overwrites(tmp_path, run, kind, capsys):
    place = tmp_path / f'out.{kind}'
    command = ['export-bag', str(run), '--to', kind, '--out', str(place)]
    assert main([*command, '--json']) == 0
    told = json.loads(capsys.readouterr().out)
    assert told['out'] == str(place)
    assert 'left_rad_s' in told['tables']['sent']
    assert place.exists()
    assert main(command) == 2
    assert 'exists already' in capsys.readouterr().err


def test_what_is_printed_is_short_unless_columns_are_asked_for(tmp_path, run, capsys):
    command = ['export-bag', str(run), '--out']
    assert main([*command, str(tmp_path / 'short.npz')]) == 0
    short = capsys.readouterr().out
    assert max(map(len, short.splitlines()[:-1])) < 60
    assert re.search(r' rows  sent: \d columns\n', short)
    assert main([*command, str(tmp_path / 'long.npz'), '--columns']) == 0
    assert 'left_rad_s, right_rad_s\n' in capsys.readouterr().out


def test_a_bag_is_exported_though_the_model_of_its_run_is_gone(tmp_path):
    bag = live_run.write_live_run(tmp_path / 'bag', 3, model_hashes={'theta.npz': 'f' * 64})
    assert len(read_tables(open_bag(bag)).tables['ticks']['tick']) == 3
