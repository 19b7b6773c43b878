"""Parameters of earlier versions: each is still there, renamed or refused, and none is lost in silence."""

from pathlib import Path

import pytest
import yaml

from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.core.config import parameters_of
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.renames import RENAMES, Rename, as_recorded, is_former, renewed

FORMER = yaml.safe_load((Path(__file__).resolve().parents[1] / 'data' / 'parameter_names.yaml').read_text())


@pytest.mark.parametrize('node', NODES, ids=lambda node: node.name)
def test_every_parameter_there_ever_was_is_there_or_in_the_table(node):
    present = {name for name, _ in parameters_of(node.config_class())}
    lost = [name for name in FORMER[node.name] if name not in present and not is_former(name, node.name)]
    assert lost == [], 'add a line to RENAMES'


@pytest.mark.parametrize('rename', RENAMES, ids=lambda rename: f'{rename.node}.{rename.old}')
def test_each_line_of_the_table_leads_to_a_parameter_or_says_what_to_do(rename):
    present = {node.name: {name for name, _ in parameters_of(node.config_class())} for node in NODES}[rename.node]
    assert not rename.is_about('') or rename.old == '.*'
    assert rename.old not in present
    assert bool(rename.new) != bool(rename.instead)
    if rename.new:
        assert rename.new in present


def test_a_box_of_the_first_version_becomes_a_fence():
    values, notes = renewed('controller', {'seed': 3, 'objective.arena': [-1.0, 2.0, -0.5, 1.5]})
    fence = {'objective.fence_corners': [-1.0, -0.5, 2.0, 1.5], 'objective.fence_margin': 0.0}
    assert values == {'seed': 3, **fence}
    assert len(notes) == 1
    assert as_recorded('controller', {'objective.arena': [-1.0, 2.0, -0.5, 1.5]}) == fence


def test_what_is_gone_is_refused_in_a_file_and_left_out_of_a_recorded_run():
    with pytest.raises(UserError, match=r'radio\.reset is gone: .*docs/mock\.md'):
        renewed('mock_robot', {'radio.reset': 3.0})
    assert as_recorded('mock_robot', {'radio.reset': 3.0, 'seed': 1}) == {'seed': 1}
    assert renewed('bridge', {'radio.reset': 3.0}) == ({'radio.reset': 3.0}, []), 'only of the node it was of'


def test_a_parameter_under_both_names_is_refused(monkeypatch):
    monkeypatch.setattr('millirobot_adapt.core.renames.RENAMES', (Rename('bridge', 'gate.lean', new='gate.tilt'),))
    assert renewed('bridge', {'gate.lean': 0.5})[0] == {'gate.tilt': 0.5}
    with pytest.raises(UserError, match=r'gate\.lean is now called gate\.tilt, which is given too'):
        renewed('bridge', {'gate.lean': 0.5, 'gate.tilt': 0.6})
