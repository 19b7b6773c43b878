"""Parameters that change while a node runs: which, how far, and all or none."""

import pytest

from firmware_bridge.bridge_config import BridgeConfig
from millirobot_adapt.core.config import Config, flatten, param, read_params, section
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.live_rules import changed, live_parameters, live_values
from millirobot_adapt.core.safety.geofence import fence_text
from millirobot_adapt.core.share import find


class Limits(Config):
    tilt: float = param(1.0, 'Lean.', unit='rad', low=0.1, high=3.0, live='lower')
    margin: float = param(0.1, 'Distance.', unit='m', low=0.0, high=1.0, live='higher')


class Node(Config):
    port: str = param('a', 'Port.')
    weight: float = param(5.0, 'Weight.', low=0.0, live='any')
    samples: int = param(8, 'How many.', low=1, high=100, live='any')
    limits: Limits = section(Limits, 'Limits.')


def test_the_live_ones_are_told_with_how_they_may_change():
    wanted = {'weight': 'any', 'samples': 'any', 'limits.tilt': 'lower', 'limits.margin': 'higher'}
    assert live_parameters(Node) == wanted
    assert live_values(Node()) == {'weight': 5.0, 'samples': 8, 'limits.tilt': 1.0, 'limits.margin': 0.1}


def test_several_change_at_once_and_the_rest_stays():
    made = changed(Node(port='b'), {'weight': 7, 'limits.tilt': 0.5}, 'x')
    assert made == Node(port='b', weight=7.0, limits=Limits(tilt=0.5))


def test_a_limit_is_tightened_and_stays_so():
    tighter = changed(changed(Node(), {'limits.tilt': 0.5}, 'x'), {'limits.margin': 0.3}, 'x')
    assert tighter.limits == Limits(0.5, 0.3)
    assert changed(tighter, {'limits.tilt': 0.5}, 'x') == tighter
    for name, value in (('limits.tilt', 0.6), ('limits.margin', 0.2)):
        with pytest.raises(UserError, match=r'is looser than .*; a limit can only be tightened'):
            changed(tighter, {name: value}, 'x')


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'wait': 1.0}, "/n: unknown parameter 'wait'; did you mean 'weight'?"),
        ({'port': 'b'}, '/n: port is read at the start; restart the node with another value'),
        ({'weight': -1.0}, '/n: weight = -1.0 is below its lowest value 0.0'),
        ({'weight': float('nan')}, '/n: weight = nan is not finite'),
        ({'weight': 'much'}, "/n: weight must be of type float, not str ('much')"),
        ({'samples': 2.5}, '/n: samples must be of type int, not float (2.5)'),
        ({'limits.tilt': 0.0}, '/n: limits: tilt = 0.0 rad is below its lowest value 0.1 rad'),
    ],
)
def test_one_bad_change_spoils_them_all_with_one_line(changes, says):
    with pytest.raises(UserError) as error:
        changed(Node(), {'limits.margin': 0.2, **changes}, '/n')
    assert str(error.value) == says


def test_of_the_controller_weights_search_and_adaptation_are_live():
    live = live_parameters(ControllerConfig)
    assert set(live.values()) == {'any'}
    weights = {f'objective.{name}' for name in ('path_distance', 'progress', 'course', 'slew', 'fence', 'speed')}
    search = {f'planner.{name}' for name in ('samples', 'noise', 'temperature', 'control_cost', 'width')}
    assert set(live) == {'adapt', *search, *weights}


def test_of_the_bridge_every_limit_of_the_gate_but_the_polygon_is_live_and_only_tighter():
    live = live_parameters(BridgeConfig)
    assert set(live.values()) == {'lower', 'higher'}
    limits = {name for name in flatten(BridgeConfig()) if name.startswith('gate.')}
    assert set(live) == limits - {'gate.fence'}
    assert [name for name, way in live.items() if way == 'higher'] == ['gate.leg_share', 'gate.fence_margin']


def test_the_shipped_files_give_gate_and_planner_one_fence():
    bridge = read_params(find('params', 'bridge', '.yaml'), 'bridge', BridgeConfig)
    controller = read_params(find('params', 'controller', '.yaml'), 'controller', ControllerConfig)
    assert fence_text(bridge.gate.fence) == fence_text(controller.objective.fence_corners)
    assert controller.objective.fence_margin > bridge.gate.fence_margin, 'the planner keeps off where the gate stops'
