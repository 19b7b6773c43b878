"""`ros2 param set` on a node: what it takes, what it refuses, and that several are one."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

rclpy = pytest.importorskip('rclpy')

from rclpy.lifecycle import LifecycleNode  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from millirobot_adapt.core.control.wiring import ControllerConfig  # noqa: E402
from millirobot_adapt.core.live_rules import live_parameters, live_values  # noqa: E402
from millirobot_adapt.core.planning.objective import ObjectiveConfig  # noqa: E402
from millirobot_adapt.ros.live_tuning import LiveTuning  # noqa: E402
from millirobot_adapt.ros.process import NODE_OPTIONS  # noqa: E402


@pytest.fixture
def node(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    rclpy.init(args=['--ros-args', '-p', 'seed:=5', '-p', 'objective.slew:=2'])
    node = LifecycleNode('controller', **NODE_OPTIONS)
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


def model(name, digest):
    return SimpleNamespace(bundle=SimpleNamespace(path=Path('/models') / name, digest=digest))


class Bench:
    """A controller that notes what it is tuned to, and what is told to the recorder."""

    def __init__(self, node):
        self.node, self.tuned, self.told = node, [], []
        self.tuning = LiveTuning(node)
        self.assembly = SimpleNamespace(
            tuning=lambda config, revision, model: (revision, config), model=model('first', '1' * 64)
        )
        self.trials = []
        self.controller = SimpleNamespace(tune=self.take)

    def take(self, tuning, trial):
        self.tuned.append(tuning)
        self.trials.append(trial)

    def connect(self):
        told = SimpleNamespace(publish=lambda message: self.told.append(yaml.safe_load(message.data)))
        self.node.create_publisher = lambda *given: told
        self.tuning.connect(self.assembly, self.controller)
        self.told.clear()

    def set(self, **values):
        made = [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()]
        result = self.node.set_parameters_atomically(made)
        return result.successful, result.reason


def test_the_live_ones_and_no_others_may_be_set(node):
    LiveTuning(node)
    names = list(node.get_parameters_by_prefix(''))
    assert names
    writable = {descriptor.name for descriptor in node.describe_parameters(names) if not descriptor.read_only}
    own = {name for name in writable if name.split('.')[0] in ('planner', 'objective', 'engine') or '.' not in name}
    assert own - {'use_sim_time', 'start_type_description_service'} == set(live_parameters(ControllerConfig))


def test_a_change_is_counted_handed_on_and_told(node):
    bench = Bench(node)
    bench.connect()
    assert bench.set(objective__progress=80.0, planner__samples=100, adapt=False) == (True, '')
    assert bench.set(planner__temperature=0.5)[0]
    revision, config = bench.tuned[-1]
    assert revision == 2
    assert (config.objective.progress, config.planner.samples, config.adapt, config.seed) == (80.0, 100, False, 5)
    assert config.planner.temperature == 0.5
    assert [told['revision'] for told in bench.told] == [1, 2]
    assert bench.told[-1]['parameters'] == live_values(config)
    assert node.get_parameter('objective.progress').value == 80.0


@pytest.mark.parametrize('name', ['objective.progress', 'objective.slew'])
def test_a_number_is_a_number_with_a_point_or_without(node, name):
    bench = Bench(node)
    bench.connect()
    for value in (80, 80.5, 81):
        assert bench.set(**{name.replace('.', '__'): value}) == (True, '')
        found = getattr(bench.tuned[-1][1].objective, name.split('.')[1])
        assert (found, type(found)) == (value, float)


@pytest.mark.parametrize(
    ('values', 'says'),
    [
        ({'seed': 3}, 'read-only'),
        ({'planner__method': 'icem'}, 'read-only'),
        ({'objective__progres': 1.0}, "unknown parameter 'objective.progres'; did you mean 'objective.progress'?"),
        ({'objective__course': -1.0}, 'course = -1.0 1/rad is below its lowest value 0.0 1/rad'),
        ({'objective__course': float('nan')}, 'course = nan is not finite'),
        ({'objective__course': 'much'}, "course must be of type float, not str ('much')"),
        ({'planner__samples': 99.5}, 'samples must be of type int, not float (99.5)'),
        ({'planner__samples': 0}, 'samples'),
        ({'planner__samples': 200_000}, 'samples'),
        ({'objective__speed': 9.0}, 'speed'),
        ({'adapt': 1}, 'adapt must be of type bool, not int (1)'),
    ],
)
def test_one_bad_value_spoils_what_is_set_with_it(node, values, says):
    bench = Bench(node)
    bench.connect()
    before = list(bench.tuned)
    done, reason = bench.set(objective__progress=80.0, **values)
    assert not done
    assert says in reason
    assert '\n' not in reason
    assert bench.tuned == before
    assert bench.told == []
    assert bench.tuning.config.objective.progress == 50.0
    assert node.get_parameter('objective.progress').value == 50.0


def test_what_is_set_before_the_node_is_configured_counts_when_it_is(node):
    bench = Bench(node)
    assert bench.set(objective__course=7.0)[0]
    assert bench.tuned == []
    bench.connect()
    assert [(revision, config.objective.course) for revision, config in bench.tuned] == [(1, 7.0)]
    bench.tuning.disconnect()
    assert bench.set(objective__course=8.0)[0]
    assert len(bench.tuned) == 1, 'nobody is there to be tuned'
    bench.connect()
    assert bench.tuned[-1][0] == 2


def test_what_ros_itself_declares_is_left_to_it(node):
    bench = Bench(node)
    assert bench.set(use_sim_time=False)[0]
    assert bench.tuning.config == replace(ControllerConfig(seed=5), objective=ObjectiveConfig(slew=2.0))


def test_a_model_is_a_change_like_another_and_stays_with_the_changes_after_it(node):
    bench = Bench(node)
    bench.connect()
    assert bench.set(objective__course=7.0)[0]
    assert bench.tuning.use_model(model('second', '2' * 64), 'swapped in', 'its trial') == 2
    assert bench.set(adapt=False)[0]
    assert bench.trials[-2:] == ['its trial', None]
    assert [told['revision'] for told in bench.told] == [1, 2, 3]
    assert [told['model']['path'] for told in bench.told] == ['/models/first', '/models/second', '/models/second']
    assert bench.told[1]['model'] == {'path': '/models/second', 'digest': '2' * 64, 'why': 'swapped in'}
    assert bench.told[1]['parameters']['objective.course'] == 7.0
