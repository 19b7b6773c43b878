"""`replay --check`: a run is repeated bit for bit; a number that was not so decided is found, what is lost is told."""

import json
from dataclasses import replace

import live_run
import numpy as np
import pytest

from millirobot_adapt.analysis.replay import comparison
from millirobot_adapt.analysis.replay.check import check as run_check
from millirobot_adapt.analysis.replay.comparison import ReplayComparison
from millirobot_adapt.app import main as cli
from millirobot_adapt.contract.arrival_record import ArrivalRecord
from millirobot_adapt.contract.tick_codec import decode_tick, encode_tick
from millirobot_adapt.core.repeatability import DECISIONS, generator
from millirobot_adapt.recording.run_setup import Changes

TICKS = 12
ELSEWHERE = f'decisions={DECISIONS}; onnxruntime=0.1; cpu=abacus'


def spoil(topic, number, how):
    """Return a change that lets `how` work on one message of a topic."""
    return lambda name, count, message: how(message) if (name, count) == (topic, number) else message


def lose(topic, *numbers):
    return lambda name, count, message: None if name == topic and count in numbers else message


def in_tick(**changed):
    """Return a change of fields of a tick record, each by a function of its old value."""

    def how(message):
        record = decode_tick(message.data)
        values = {name: change(getattr(record, name)) for name, change in changed.items()}
        message.data = encode_tick(replace(record, **values))
        return message

    return how


def nudged(array):
    array = np.array(array)
    array.flat[-1] = np.nextafter(array.flat[-1], np.inf)
    return array


def checked(folder, capsys, code):
    assert cli.main(['replay', str(folder), '--check', '--json']) == code
    return json.loads(capsys.readouterr().out)


def test_a_run_comes_again_bit_for_bit(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, starts=(0, 7))
    figures = checked(folder, capsys, 0)
    assert figures['exact']
    assert figures['compared'] == {'ticks': TICKS, 'setpoints': TICKS, 'odometries': TICKS, 'states': TICKS}
    assert figures['not_compared'] == []
    assert figures['difference'] is None
    assert cli.main(['replay', str(folder), '--check']) == 0
    said = capsys.readouterr().out
    assert '12 ticks, 12 setpoints, 12 odometries, 12 states' in said
    assert 'bit for bit' in said


@pytest.mark.parametrize(
    'field',
    [
        'state', 'window_next_states', 'plan_actions', 'plan_states', 'cost', 'cost_median', 'loss_before',
        'loss_after', 'gradient_norm', 'pre_error', 'post_error', 'cross_track', 'step_cost', 'effective_samples',
    ],
)  # fmt: skip
def test_one_bit_of_a_tick_is_found(tmp_path, capsys, field):
    change = spoil('tick', 8, in_tick(**{field: nudged}))
    figures = checked(live_run.write_live_run(tmp_path / 'bag', TICKS, change), capsys, 1)
    difference = figures['difference']
    # A window that does not end in the tick's state holds no new transition.
    named = 'pre_error' if field == 'window_next_states' else field
    assert difference['field'].startswith(named)
    assert difference['time_s'] == pytest.approx(0.8)
    assert difference['recorded'] != difference['replayed']
    assert figures['compared']['ticks'] == 8


def test_the_seed_and_the_executing_action_decide_the_plan(tmp_path, capsys):
    for number, changed in enumerate(({'seed': lambda seed: seed + 1}, {'executing': lambda action: action + 1.0})):
        folder = live_run.write_live_run(tmp_path / f'{number}', TICKS, spoil('tick', 5, in_tick(**changed)))
        assert checked(folder, capsys, 1)['difference']['field'] == 'cost'


def test_a_setpoint_that_no_plan_held_is_found_and_shown_side_by_side(tmp_path, capsys):
    def faster(message):
        message.velocity = np.add(message.velocity, [0.0, 0.5])
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, spoil('setpoint', 6, faster))
    assert cli.main(['replay', str(folder), '--check']) == 1
    said = capsys.readouterr().out
    assert 'first difference: setpoint of tick 6, 0.600 s after the first tick' in said
    row = next(line for line in said.splitlines() if 'velocity [rad/s][1]' in line).split()
    assert float(row[-2]) - float(row[-1]) == pytest.approx(0.5)


def test_an_odometry_that_was_not_estimated_so_is_found(tmp_path, capsys):
    def higher(message):
        message.pose.pose.position.z = np.nextafter(message.pose.pose.position.z, 1.0)
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, spoil('odometry', 3, higher))
    difference = checked(folder, capsys, 1)['difference']
    assert difference['what'] == 'odometry'
    assert difference['field'] == 'position [m][2]'
    assert difference['time_s'] == pytest.approx(0.312, abs=1e-3)


def test_one_bit_of_a_state_or_of_its_quality_is_found(tmp_path, capsys):
    for place in (3, 4, 5, 8, 10, 33):

        def other(message, place=place):
            message.data[place] = np.nextafter(message.data[place], np.inf) if place > 4 else message.data[place] + 1
            return message

        folder = live_run.write_live_run(tmp_path / f'bag{place}', TICKS, spoil('state', 3, other))
        difference = checked(folder, capsys, 1 if place != 4 else 0)['difference']
        assert place == 4 or difference['what'] == 'state'


def test_a_bag_of_an_older_version_is_checked_tick_by_tick_and_says_who_can_check_the_rest(tmp_path, capsys):
    def as_version_1(topic, number, message):
        if topic in ('state', 'reply'):
            return None
        if topic == 'estimator/record':
            data = np.asarray(message.data)
            poses = data[4:-17].reshape(-1, 11)[:, :8].ravel()
            message.data = np.concatenate([[1.0], data[1:4], poses, data[-17:-3]])
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, as_version_1)
    figures = checked(folder, capsys, 0)
    assert figures['compared'] == {'ticks': TICKS, 'setpoints': TICKS}
    (left_out,) = figures['not_compared']
    assert (left_out['what'], left_out['count']) == ('odometries', TICKS)
    assert 'millirobot_adapt 0.1.0, which recorded them, can check them' in left_out['why']


def test_ticks_that_an_older_version_decided_are_not_proven_and_the_version_that_can_is_named(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, fingerprint='onnxruntime=1.20; cpu=x86_64')
    figures = checked(folder, capsys, 1)
    assert not figures['same_decisions']
    assert figures['difference'] is None
    assert 'ticks' not in figures['compared']
    assert figures['not_compared'] == [
        {
            'what': 'ticks',
            'count': TICKS,
            'why': f'decided by version 1 of the arithmetic, this is version {DECISIONS}; '
            'check them with millirobot_adapt 0.1.0',
        }
    ]
    assert cli.main(['replay', str(folder), '--check']) == 1
    assert 'the ticks are not proven' in capsys.readouterr().out


def test_poses_in_another_order_give_another_odometry(tmp_path, capsys):
    def sorted_poses(message):
        record = ArrivalRecord.decode(message.data)
        message.data = replace(record, poses=tuple(sorted(record.poses, key=lambda pose: pose.stamp))[:-1]).encode()
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, spoil('estimator/record', 4, sorted_poses))
    assert checked(folder, capsys, 1)['difference']['what'] in ('odometry', 'state')


@pytest.mark.parametrize(
    ('lost', 'compared', 'left_out'),
    [
        # The tick after a lost one has no plan to come from; the chain of tracking and errors is cut.
        (('tick', 4), {'ticks': 11, 'setpoints': 10, 'odometries': 12, 'states': 12}, {'ticks': 1, 'setpoints': 1}),
        (('setpoint', 4), {'ticks': 12, 'setpoints': 11, 'odometries': 12, 'states': 12}, {'setpoints': 1}),
        (('odometry', 4), {'ticks': 12, 'setpoints': 12, 'odometries': 11, 'states': 12}, {'odometries': 1}),
        (('state', 4), {'ticks': 12, 'setpoints': 12, 'odometries': 12, 'states': 11}, {'states': 1}),
        (
            ('estimator/record', 10),
            {'ticks': 12, 'setpoints': 12, 'odometries': 10, 'states': 10},
            {'odometries': 2, 'states': 2},
        ),
        (('reference', 0), {'odometries': 12, 'states': 12}, {'ticks': 12}),
        (('mocap/pose', 3), {'ticks': 12, 'setpoints': 12, 'odometries': 12, 'states': 12}, {}),
    ],
)
def test_what_the_recorder_lost_is_counted_and_nothing_else_is(tmp_path, capsys, lost, compared, left_out):
    topic, *numbers = lost
    figures = checked(live_run.write_live_run(tmp_path / 'bag', TICKS, lose(topic, *numbers)), capsys, 0)
    assert figures['compared'] == compared
    counts = {}
    for each in figures['not_compared']:
        counts[each['what']] = counts.get(each['what'], 0) + each['count']
    counts.pop('tracking and prediction errors', None)
    assert counts == left_out


def test_a_plan_that_was_used_up_is_followed_by_standing(tmp_path, capsys):
    patient = replace(live_run.CONTROLLER, misses_allowed=20)
    blind = range(4, 4 + patient.planner.horizon + 2)
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS + 4, controller=patient, blind=blind)
    figures = checked(folder, capsys, 0)
    assert figures['exact']
    assert figures['compared']['setpoints'] == TICKS + 4


@pytest.mark.parametrize(('starts', 'blind'), [((0,), (0, 1)), ((0,), (4, 5, 9)), ((0, 6), (5, 8))])
def test_ticks_without_a_state_decide_nothing_but_their_setpoints_come_again(tmp_path, capsys, starts, blind):
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, starts=starts, blind=blind)
    figures = checked(folder, capsys, 0)
    assert figures['compared']['ticks'] == TICKS - len(blind)
    why = 'no state reached them, nothing was decided'
    assert {'what': 'ticks', 'count': len(blind), 'why': why} in figures['not_compared']
    assert figures['compared']['setpoints'] == TICKS


WEIGHTS = {4: {'objective.progress': 500.0, 'planner.samples': 16}, 8: {'adapt': False, 'planner.temperature': 1.0}}


def test_a_run_whose_parameters_were_changed_on_the_way_comes_again_bit_for_bit(tmp_path, capsys):
    figures = checked(live_run.write_live_run(tmp_path / 'bag', TICKS, tuned=WEIGHTS), capsys, 0)
    assert figures['exact']
    assert figures['compared'] == {'ticks': TICKS, 'setpoints': TICKS, 'odometries': TICKS, 'states': TICKS}
    plain = checked(live_run.write_live_run(tmp_path / 'plain', TICKS), capsys, 0)
    assert plain['compared'] == figures['compared']
    # Replayed without the check every action is the recorded one, too; with one's own weight it is not.
    assert cli.main(['replay', str(tmp_path / 'bag'), '--json']) == 0
    recorded = json.loads(capsys.readouterr().out)['planning']['recorded']
    assert recorded['same_actions'] == recorded['ticks'] == TICKS
    assert cli.main(['replay', str(tmp_path / 'bag'), '--json', '--set', 'controller.objective.progress=50.0']) == 0
    recorded = json.loads(capsys.readouterr().out)['planning']['recorded']
    assert 4 <= recorded['same_actions'] < TICKS


def test_parameters_that_were_never_in_force_are_found(tmp_path, capsys):
    def other(message):
        message.data = message.data.replace('500.0', '400.0')
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, spoil('controller/parameters', 0, other), tuned=WEIGHTS)
    difference = checked(folder, capsys, 1)['difference']
    assert difference['time_s'] == pytest.approx(0.4)


def test_ticks_whose_parameters_the_recorder_lost_are_left_out(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, lose('controller/parameters', 0), tuned=WEIGHTS)
    figures = checked(folder, capsys, 0)
    why = 'the live parameters they were decided with are not in the bag'
    assert {'what': 'ticks', 'count': 4, 'why': why} in figures['not_compared']
    assert figures['compared']['ticks'] == TICKS - 4


@pytest.mark.parametrize('paused', [(4, 5, 6), (1,), (9, 10, 11)])
def test_a_run_with_a_pause_comes_again_and_goes_on_where_it_was(tmp_path, capsys, paused):
    figures = checked(live_run.write_live_run(tmp_path / 'bag', TICKS, paused=paused), capsys, 0)
    assert figures['compared']['ticks'] == TICKS - len(paused)
    assert figures['compared']['setpoints'] == TICKS
    assert figures['not_compared'] == [
        {'what': 'ticks', 'count': len(paused), 'why': 'the run was paused, nothing was decided'}
    ]


def test_a_setpoint_that_moves_a_paused_robot_is_found(tmp_path, capsys):
    def moves(message):
        message.velocity = np.add(message.velocity, [0.0, 0.5])
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', TICKS, spoil('setpoint', 5, moves), paused=(4, 5, 6))
    assert checked(folder, capsys, 1)['difference']['what'] == 'setpoint of tick 5'


def test_a_path_from_a_file_that_is_gone_does_not_matter(tmp_path, capsys):
    file = tmp_path / 'square.csv'
    file.write_text('0,0\n1,0\n1,1\n0,1\n0,0\n')
    folder = live_run.write_live_run(tmp_path / 'bag', 4, controller=replace(live_run.CONTROLLER, path=str(file)))
    file.unlink()
    assert checked(folder, capsys, 0)['compared']['ticks'] == 4


def test_a_missing_first_tick_leaves_its_run_without_a_beginning(tmp_path, capsys):
    figures = checked(live_run.write_live_run(tmp_path / 'bag', TICKS, lose('tick', 0)), capsys, 0)
    assert figures['compared']['ticks'] == TICKS - 1
    assert {'what': 'tracking and prediction errors', 'count': 11, 'why': 'a tick before them is missing'} in figures[
        'not_compared'
    ]


def test_on_another_machine_a_tolerance_is_told_and_kept_to(tmp_path, capsys):
    within = spoil('tick', 8, in_tick(plan_actions=lambda actions: actions * (1.0 + 1e-6)))
    folder = live_run.write_live_run(tmp_path / 'near', TICKS, within, fingerprint=ELSEWHERE)
    figures = checked(folder, capsys, 0)
    assert not figures['exact']
    assert 'onnxruntime' in figures['fingerprint']['differs_in']
    assert figures['tolerance']['plan']['absolute'] == comparison.TOLERANCES['plan'].absolute
    assert 0 < figures['largest_difference']['plan'] < 1e-3
    assert cli.main(['replay', str(folder), '--check']) == 0
    assert 'within a tolerance' in capsys.readouterr().out
    beyond = spoil('tick', 8, in_tick(plan_actions=lambda actions: actions + 1.0))
    assert checked(live_run.write_live_run(tmp_path / 'far', TICKS, beyond, fingerprint=ELSEWHERE), capsys, 1)


def test_rounding_may_let_another_candidate_win_on_another_machine_but_not_on_the_same(tmp_path, capsys):
    shooting = replace(live_run.CONTROLLER, planner=replace(live_run.CONTROLLER.planner, method='random_shooting'))

    def other_winner(topic, number, message):
        if (topic, number) == ('tick', 8):
            return in_tick(plan_actions=lambda actions: actions + 1.0)(message)
        if (topic, number) == ('setpoint', 9):
            message.velocity = np.add(message.velocity, 1.0)
        return message

    def write(name, fingerprint):
        folder = tmp_path / name
        return live_run.write_live_run(folder, TICKS, other_winner, fingerprint, controller=shooting)

    figures = checked(write('elsewhere', ELSEWHERE), capsys, 0)
    assert [each['what'] for each in figures['not_compared']] == ['plans']
    assert checked(write('here', None), capsys, 1)['difference']['what'] == 'tick 8'


def test_a_model_that_has_changed_or_is_missing_is_one_line_with_the_fix(tmp_path, capsys):
    folder = live_run.write_live_run(tmp_path / 'bag', 3, model_hashes={'theta.npz': 'f' * 64})
    for arguments in (['--check'], [], ['--check', '--model', 'velociroach_mb']):
        assert cli.main(['replay', str(folder), *arguments]) == 2
        said = capsys.readouterr().err
        assert 'theta.npz' in said
        assert '--model' in said
    # Asked what another model would have done, any model will do.
    assert cli.main(['replay', str(folder), '--model', 'velociroach_mb', '--json']) == 0
    assert json.loads(capsys.readouterr().out)['model'] == 'velociroach_mb'


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (['--check', '--set', 'controller.seed=1'], 'leave one of the two out'),
        (['--check', '--method', 'mb'], 'leave one of the two out'),
        (['--set', 'controller.planner.sampels=9'], "did you mean 'samples'"),
        (['--set', 'estimator.gait=9'], "did you mean 'gate'"),
        (['--set', 'recorder.bag=x'], 'unknown node'),
        (['--set', 'controller.seed'], 'node.parameter=value'),
        (['--set', 'controller.planner.samples=none'], 'must be of type int'),
        (['--params', 'nowhere.yaml'], 'no such file'),
        (['--out', 'table.txt'], '.csv or .npz'),
        (['--out', 'nowhere/table.csv'], 'no such folder'),
    ],
)
def test_bad_options_are_one_line(tmp_path, capsys, arguments, says):
    folder = live_run.write_live_run(tmp_path / 'bag', 2)
    assert cli.main(['replay', str(folder), *arguments]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ''


def test_a_bag_without_decisions_has_nothing_to_check(tmp_path, capsys):
    folder = live_run.write_live_run(
        tmp_path / 'bag', 2, lambda topic, number, message: None if topic in ('tick', 'estimator/record') else message
    )
    assert cli.main(['replay', str(folder), '--check']) == 2
    assert 'nothing to check' in capsys.readouterr().err


def test_bit_for_bit_means_every_bit():
    exact = ReplayComparison(exact=True)
    assert exact.check('tick 1', 1.0, 'a', [1.0, np.nan], [1.0, np.nan])
    assert not exact.check('tick 1', 1.0, 'a', 0.0, -0.0)
    assert not exact.check('tick 1', 1.0, 'a', [1.0], [1.0, 2.0])


def test_the_first_difference_in_time_is_kept():
    exact = ReplayComparison(exact=True)
    exact.check('tick 9', 9.0, 'cost', 1.0, 2.0)
    exact.check('odometry', 3.0, 'position', [1.0, 2.0], [1.0, np.nan])
    exact.check('tick 5', 5.0, 'cost', 1.0, 2.0)
    assert exact.first.what == 'odometry'
    name, recorded, replayed = exact.first.worst()
    assert (name, recorded) == ('position[1]', 2.0)
    assert np.isnan(replayed)
    assert json.dumps(exact.figures(), allow_nan=False)


def test_a_rerun_of_the_check_is_the_same(tmp_path):
    folder = live_run.write_live_run(tmp_path / 'bag', 4)
    one, two = (run_check(folder, Changes()) for _ in range(2))
    assert {**one, 'elapsed_s': 0} == {**two, 'elapsed_s': 0}


def test_a_run_with_another_window_than_the_models_is_one_line(tmp_path, capsys):
    def shorter(message):
        record = decode_tick(message.data)
        windows = {name: getattr(record, name)[:9] for name in vars(record) if name.startswith('window_')}
        message.data = encode_tick(replace(record, **windows))
        return message

    folder = live_run.write_live_run(tmp_path / 'bag', 4, spoil('tick', 2, shorter))
    assert cli.main(['replay', str(folder), '--check']) == 2
    assert 'tick 2 has T1 = 9' in capsys.readouterr().err


def test_a_bag_cut_anywhere_is_checked_as_far_as_it_goes(tmp_path, capsys):
    whole = live_run.write_live_run(tmp_path / 'bag', TICKS)
    content = (whole / 'bag_0.mcap').read_bytes()
    rng, compared = generator(9), []
    for number in range(8):
        file = tmp_path / f'cut_{number}.mcap'
        file.write_bytes(content[: rng.integers(1, len(content))])
        code = cli.main(['replay', str(file), '--check', '--json'])
        captured = capsys.readouterr()
        assert code in (0, 2), captured.err
        if code == 0:
            compared.append(json.loads(captured.out)['compared'].get('ticks', 0))
        else:
            assert captured.err.count('millirobot: error: ') == 1
    assert 0 < max(compared) <= TICKS
