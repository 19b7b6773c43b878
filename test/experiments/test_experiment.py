"""Experiment files: what they may hold, what is refused, and the specs they make."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from millirobot_adapt.core.dynamics.method_factory import METHODS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.experiments.experiment import FOLLOWER, Experiment, find_experiment, parse_method, read_experiment
from millirobot_adapt.experiments.grid import check_episodes, episodes_of

SHIPPED = sorted((share_dir() / 'params/experiments').glob('*.yaml'))


def written(tmp_path, text):
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    return path


def specs(tmp_path, text):
    return episodes_of(read_experiment(written(tmp_path, text)), 'controller.yaml')


def test_the_standard_experiment_has_what_the_paper_compares():
    experiment = find_experiment(['standard'])
    assert experiment.seeds >= 10
    assert experiment.groups['training terrains'] == ('carpet', 'styrofoam', 'turf')
    unseen = ['missing_middle_leg', 'slope_12_styrofoam', 'pose_offset', 'payload_30g']
    assert [entry.name for entry in experiment.conditions][3:] == unseen
    payload = [spec for spec in episodes_of(experiment, 'controller.yaml') if spec.condition.name == 'payload_30g']
    assert {spec.shape for spec in payload} == {'straight', 'left'}
    assert {spec.controller.objective.speed for spec in payload} > {0.0} or payload[0].controller.objective.speed > 0


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_shipped_experiments_can_be_run_and_share_no_name_with_a_condition(path):
    told = [spec for spec in episodes_of(read_experiment(path), 'controller.yaml') if spec.seed == 0]
    assert told
    check_episodes([spec for spec in told if not spec.controller.model.startswith('build/')])  # which do not ship
    assert not (share_dir() / 'params/conditions' / path.name).exists()


def test_an_experiment_makes_a_story_for_each_model_seed_shape_and_condition(tmp_path):
    made = specs(
        tmp_path,
        """
        conditions: [carpet, {name: steep, base: carpet, changes: {slope: {angle: 0.2}}, shapes: [zigzag]}]
        shapes: [straight, left]
        seeds: 2
        methods: [{name: mb, bundles: [velociroach_mb, velociroach_grbal]}, follower]
        """,
    )
    assert len(made) == 2 * 2 * (2 + 1) + 1 * 2 * (2 + 1)
    assert len(set(made)) == len(made)
    steep = [spec for spec in made if spec.condition.name == 'steep']
    assert {spec.shape for spec in steep} == {'zigzag'}
    assert {spec.condition.slope.angle for spec in steep} == {0.2}
    assert {spec.condition.wear for spec in made} == {made[0].condition.wear}
    keys = {(spec.method, spec.training_seed, spec.controller.model) for spec in made}
    assert keys == {('mb', 0, 'velociroach_mb'), ('mb', 1, 'velociroach_grbal'), ('follower', 0, '')}
    assert {(spec.controller.anchor, spec.controller.engine.threads) for spec in made} == {('world', 1)} | {
        ('world', made[-1].controller.engine.threads)
    }


def test_copies_are_further_training_seeds_of_the_methods_whose_models_ship(tmp_path):
    for name in ('velociroach_mb_seed1', 'velociroach_mb_seed2', 'velociroach_mb_seed4', 'velociroach_rls_seed1'):
        (tmp_path / 'copies' / name).mkdir(parents=True)
    text = f"""
        conditions: [carpet]
        seeds: 1
        copies: {tmp_path / 'copies'}
        methods: [mb, mb@frozen, rebal, follower, {{name: mine, method: rls, bundles: [velociroach_rls]}}]
        """
    made = specs(tmp_path, text)
    models = {(spec.method, spec.training_seed): Path(spec.controller.model).name for spec in made}
    copies = {seed: f'velociroach_mb_seed{seed}' for seed in (1, 2)}  # 4 belongs to another set: 3 is missing
    both = {(method, seed): name for method in ('mb', 'mb@frozen') for seed, name in copies.items()}
    first = {('mb', 0): 'velociroach_mb', ('mb@frozen', 0): 'velociroach_mb', ('rebal', 0): 'velociroach_rebal'}
    assert models == both | first | {('follower', 0): '', ('mine', 0): 'velociroach_rls'}
    with pytest.raises(UserError, match='nowhere does not exist'):
        specs(tmp_path, f'{{conditions: [carpet], copies: {tmp_path}/nowhere, methods: [mb]}}')
    with pytest.raises(UserError, match='holds no MODEL_seed1'):
        specs(tmp_path, f'{{conditions: [carpet], copies: {tmp_path}, methods: [mb]}}')


def test_recovery_and_comparison_have_the_same_faults():
    comparison, recovery = find_experiment(['comparison']), find_experiment(['recovery'])
    assert recovery.conditions == tuple(each for each in comparison.conditions if each.group == 'in mid-run')
    assert (recovery.shapes, recovery.seconds) == (comparison.shapes, comparison.seconds)
    assert (recovery.controller, recovery.follower) == (comparison.controller, comparison.follower)


def test_ablations_walk_under_conditions_of_the_comparison_and_take_one_thing_at_a_time_from_grbal():
    """So the walks of grbal, mb_aug and mb are those of the comparison."""
    comparison, ablations = find_experiment(['comparison']), find_experiment(['ablations'])
    known = {each.name: replace(each, group='', shapes=()) for each in comparison.conditions}
    for each in ablations.conditions:
        assert replace(each, group='') == known[each.name]
    assert (ablations.seconds, ablations.seeds) == (comparison.seconds, comparison.seeds)
    recipe = read_yaml(share_dir() / 'params' / 'training' / 'ablations.yaml')['models']
    for method in ablations.methods:
        for seed, bundle in enumerate(method.bundles):
            made = Path(bundle).name.removesuffix(f'_seed{seed}')
            assert made.removeprefix('grbal_without_') == method.name.removeprefix('no ').replace(' ', '_')
            assert recipe[made]['method'] == method.kind == 'grbal'
            assert len(recipe[made]) == 2, 'one thing beside the method'


def test_parameters_of_the_experiment_yield_to_those_of_a_condition(tmp_path):
    made = specs(
        tmp_path,
        """
        controller: {planner.samples: 64, objective: {speed: 0.3}}
        conditions: [carpet, {name: turf, controller: {objective.speed: 0.1}}]
        """,
    )
    told = {(spec.condition.name, spec.controller.planner.samples, spec.controller.objective.speed) for spec in made}
    assert told == {('carpet', 64, 0.3), ('turf', 64, 0.1)}


def test_parameters_of_a_method_are_its_own_and_go_before_those_of_the_condition(tmp_path):
    made = specs(
        tmp_path,
        """
        conditions: [{name: turf, controller: {planner.samples: 64, objective.speed: 0.1}}]
        methods: [grbal, {name: icem, method: grbal, controller: {planner: {method: icem, samples: 48}}}]
        seeds: 1
        """,
    )
    planners = {spec.method: (spec.controller.planner.method, spec.controller.planner.samples) for spec in made}
    assert planners == {'grbal': ('mppi', 64), 'icem': ('icem', 48)}
    assert {spec.controller.objective.speed for spec in made} == {0.1}
    assert {spec.controller.method for spec in made} == {'grbal'}


def test_the_oracle_walks_where_it_has_a_model_with_mb_trained_there(tmp_path):
    made = specs(
        tmp_path,
        """
        conditions: [carpet, turf]
        methods: [mb, oracle]
        oracle: {turf: [velociroach_mb, velociroach_grbal]}
        seeds: 1
        """,
    )
    oracles = [spec for spec in made if spec.method == 'oracle']
    assert {(spec.condition.name, spec.training_seed) for spec in oracles} == {('turf', 0), ('turf', 1)}
    assert {spec.controller.method for spec in oracles} == {'mb'}


def test_names_alone_make_an_experiment_of_conditions(tmp_path):
    (tmp_path / 'hall.yaml').write_text('terrain: turf\n')
    experiment = find_experiment(['carpet', str(tmp_path / 'hall.yaml')])
    assert [entry.name for entry in experiment.conditions] == ['carpet', 'hall']
    assert find_experiment([str(tmp_path / 'hall.yaml')]).conditions[0].name == 'hall'
    assert episodes_of(experiment, 'controller.yaml')[-1].condition.terrain == 'turf'


def test_a_method_may_name_its_engine_and_its_bundle():
    parsed = {text: parse_method(text) for text in ('grbal', 'mb=other', 'mb@int8', 'mb@int8=other')}
    assert {text: (entry.kind, entry.engine, entry.bundles) for text, entry in parsed.items()} == {
        'grbal': ('grbal', '', ()),
        'mb=other': ('mb', '', ('other',)),
        'mb@int8': ('mb', 'int8', ()),
        'mb@int8=other': ('mb', 'int8', ('other',)),
    }
    for bad in ('', '=x', 'mb=', 'mb@', '@int8', 'mb@=other', 'mb@int8@fp32', 'mb@frozen@'):
        with pytest.raises(UserError, match='method'):
            parse_method(bad)


def test_a_method_may_be_frozen_by_its_name_or_by_its_entry(tmp_path):
    parsed = {text: parse_method(text) for text in ('grbal', 'grbal@frozen', 'grbal@int8@frozen', 'rebal@frozen=mine')}
    assert {text: (entry.kind, entry.adapt, entry.engine, entry.bundles) for text, entry in parsed.items()} == {
        'grbal': ('grbal', True, '', ()),
        'grbal@frozen': ('grbal', False, '', ()),
        'grbal@int8@frozen': ('grbal', False, 'int8', ()),
        'rebal@frozen=mine': ('rebal', False, '', ('mine',)),
    }
    made = specs(
        tmp_path,
        """
        methods: [grbal, grbal@frozen, {name: theta, method: rebal, adapt: false}]
        conditions: [carpet, {name: turf, controller: {adapt: false}}]
        seeds: 1
        """,
    )
    adapting = {(spec.condition.name, spec.method): spec.controller.adapt for spec in made}
    assert adapting == {
        ('carpet', 'grbal'): True, ('carpet', 'grbal@frozen'): False, ('carpet', 'theta'): False,
        ('turf', 'grbal'): False, ('turf', 'grbal@frozen'): False, ('turf', 'theta'): False,
    }  # fmt: skip
    assert {spec.controller.model for spec in made} == {'velociroach_grbal', 'velociroach_rebal'}


def test_faults_come_at_times_that_the_seed_draws_and_all_methods_share(tmp_path):
    made = specs(
        tmp_path,
        """
        conditions: [{name: leg_loss, fault_times: [5.0, 8.0]}]
        methods: [mb, follower]
        shapes: [straight, left]
        seeds: 4
        """,
    )
    times = {seed: {spec.condition.faults[0].time for spec in made if spec.seed == seed} for seed in range(4)}
    assert all(len(own) == 1 for own in times.values())
    drawn = sorted(time for own in times.values() for time in own)
    assert len(set(drawn)) == 4
    assert 5.0 <= drawn[0] < drawn[-1] <= 8.0


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('condition: [carpet]', "unknown parameter 'condition'; did you mean 'conditions'"),
        ('conditions: carpet', 'conditions must be a list'),
        ('conditions: []', 'conditions is empty; name at least one'),
        ('conditions: [3]', r'conditions\[0\] must be a group of parameters, not 3'),
        ('conditions: [{base: carpet}]', r'conditions\[0\]: has no name'),
        ('conditions: [{name: carpet, shape: left}]', "unknown parameter 'shape'; did you mean 'shapes'"),
        (
            'conditions: [{name: carpet, shapes: [1]}]',
            r'conditions\[0\]: shapes: each value must be of type str',
        ),
        ('conditions: [{name: carpet, changes: 3}]', 'changes must be a group'),
        ('conditions: [{name: carpet, changes: {terrian: turf}}]', "unknown parameter 'terrian'"),
        ('conditions: [carpet, carpet]', "'carpet' is there twice"),
        ('conditions: [sunshine]', 'sunshine'),
        ('controller: {planner.sample: 3}', "unknown parameter 'sample'"),
        ('controller: {seed: 3}', 'seed is decided by the experiment itself'),
        ('controller: 3', 'controller must be a group'),
        ('methods: [{name: mb, controller: {planner.sample: 3}}]', "method mb: .*unknown parameter 'sample'"),
        ('methods: [{name: mb, controller: {seed: 3}}]', 'seed is decided by the experiment itself'),
        ('methods: [mb@]', 'method'),
        ('conditions: [{name: carpet, fault_times: [3.0, 4.0]}]', 'fault_times are given, but it has no faults'),
        ('conditions: [{name: leg_loss, fault_times: [4.0, 3.0]}]', 'must be two times, the earlier one first'),
        ('conditions: [{name: leg_loss, fault_times: [4.0]}]', 'must be two times, the earlier one first'),
        ('seeds: 0', 'seeds = 0'),
        ('seconds: .nan', 'not finite'),
        ('follower: {look_ahead: 0}', 'look_ahead'),
        ('oracle: {left_loss: velociroach_mb}', "oracle: 'left_loss' is none of the conditions; they are leg_loss"),
    ],
)
def test_what_a_file_may_not_say(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        specs(tmp_path, text)


def test_two_stories_may_not_share_a_file(tmp_path):
    (tmp_path / 'a.csv').write_text('x,y\n0,0\n1,0\n')
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b/a.csv').write_text('x,y\n0,0\n0,1\n')
    text = f'{{shapes: [{tmp_path}/a.csv, {tmp_path}/b/a.csv]}}'
    with pytest.raises(UserError, match='share the name of a file'):
        specs(tmp_path, text)


def test_every_key_of_the_standard_file_is_one_of_the_schema():
    values = yaml.safe_load(next(path for path in SHIPPED if path.stem == 'standard').read_text())
    assert set(values) <= set(Experiment.__dataclass_fields__)
    assert set(values['methods']) == {*METHODS, FOLLOWER}
