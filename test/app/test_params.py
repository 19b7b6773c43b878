"""`millirobot params`: a parameter file of one's own, and one of an earlier version brought up to date."""

import pytest
import yaml

from millirobot_adapt.app.main import main
from millirobot_adapt.app.parameter_migration import migrate
from millirobot_adapt.bringup.own_parameters import own_parameters
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ROBOT, resolve
from millirobot_adapt.core import renames
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.renames import Rename

OLD = """\
# Our lab.
/**/bridge:
  ros__parameters:
    robot: velociroach   # ours
    gate:
      lean: 0.5          # as measured
      gone: 3
      fence: [0, 0, 1, 1]

controller:
  ros__parameters:
    objective:
      # x low, x high, y low, y high
      arena: [-1.0, 2.0,
              -0.5, 1.5]
      reach: 2.0
    patience: 4          # ticks
mock_robot:
  ros__parameters:
    seed: 3
    radio:
      begin: 3.0
      faults: {loss: 0.5}
"""
NEW = """\
# Our lab.
/**/bridge:
  ros__parameters:
    robot: velociroach   # ours
    gate:
      tilt: 0.5          # as measured
      fence: [0, 0, 1, 1]

controller:
  ros__parameters:
    planner.hold: 4  # was patience
    objective:
      # x low, x high, y low, y high
      fence_corners: [-1.0, -0.5, 2.0, 1.5]  # was arena
      fence_margin: 0.0  # was arena
      reach: 2.0
mock_robot:
  ros__parameters:
    seed: 3
"""


@pytest.fixture(autouse=True)
def _renames(monkeypatch):
    more = (
        Rename('bridge', 'gate.lean', new='gate.tilt'),
        Rename('bridge', 'gate.gone', instead='nothing takes its place'),
        Rename('controller', 'patience', new='planner.hold'),
    )
    everything = (*renames.RENAMES, *more)
    monkeypatch.setattr('millirobot_adapt.core.renames.RENAMES', everything)
    monkeypatch.setattr('millirobot_adapt.app.parameter_migration.RENAMES', everything)


def test_migrate_changes_what_has_another_name_and_nothing_else(tmp_path, capsys):
    file = tmp_path / 'lab.yaml'
    file.write_text(OLD)
    assert main(['params', 'migrate', str(file)]) == 0
    assert file.read_text() == NEW
    assert (tmp_path / 'lab.yaml.old').read_text() == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == ['lab.yaml', 'lab.yaml.old']
    said = capsys.readouterr().out
    assert 'gate.lean is now gate.tilt' in said
    assert 'gate.gone is gone: nothing takes its place' in said
    assert 'objective.arena is now objective.fence_corners, objective.fence_margin' in said
    assert main(['params', 'migrate', str(file)]) == 0
    assert 'every parameter has its present name' in capsys.readouterr().out


def test_a_migrated_file_sets_what_the_old_one_set(tmp_path):
    file = tmp_path / 'lab.yaml'
    file.write_text('\n'.join(line for line in OLD.splitlines() if 'gone' not in line).partition('mock_robot')[0])
    before = own_parameters(file, [BRIDGE, CONTROLLER])
    file.write_text(migrate(file)[0])
    assert own_parameters(file, [BRIDGE, CONTROLLER]) == before
    assert before['bridge']['gate.tilt'] == 0.5


def test_a_key_within_braces_is_renamed_there_and_what_cannot_be_is_left_alone(tmp_path):
    file = tmp_path / 'lab.yaml'
    file.write_text('bridge: {ros__parameters: {gate: {lean: 0.5}, robot: velociroach}}\n')
    assert migrate(file)[0] == 'bridge: {ros__parameters: {gate: {tilt: 0.5}, robot: velociroach}}\n'
    text = 'controller: {ros__parameters: {objective: {arena: [0, 1, 0, 1]}}}\n'
    file.write_text(text)
    with pytest.raises(UserError, match=r'line 1: .* write one parameter a line'):
        migrate(file)
    assert file.read_text() == text


def test_new_writes_a_file_that_changes_nothing_until_it_is_edited(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['params', 'new']) == 0
    file = tmp_path / 'lab.yaml'
    assert resolve(ROBOT, own_parameters(file, ROBOT, 'robot1')) == resolve(ROBOT, {})
    assert set(yaml.safe_load(file.read_text())) == {
        '/**/bridge', '/**/estimator', '/**/controller', '/**/collector', '/**/teleop',
    }  # fmt: skip
    for line in file.read_text().splitlines():
        assert not line.strip() or line.rstrip().endswith(':') or '#' in line, line
    file.write_text(file.read_text().replace('tilt: 1.0', 'tilt: 0.7'))
    assert main(['params', 'new']) == 2
    assert 'lab.yaml: is there already' in capsys.readouterr().err
    assert own_parameters(file, ROBOT)['bridge']['gate.tilt'] == 0.7


def test_new_names_the_nearest_node(tmp_path, capsys):
    assert main(['params', 'new', str(tmp_path / 'lab.yaml'), '--nodes', 'brigde']) == 2
    assert "unknown node 'brigde'; did you mean 'bridge'?" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
