"""`millirobot robot`: a file to begin with, and what follows from it."""

import pytest

from millirobot_adapt.app import main as cli
from millirobot_adapt.app.commands.robot import TEMPLATES
from millirobot_adapt.core.robot.description import load_robot


@pytest.mark.parametrize('driver', TEMPLATES)
def test_a_new_file_loads_and_has_a_comment_on_what_matters(tmp_path, capsys, driver):
    file = tmp_path / 'mine.yaml'
    assert cli.main(['robot', 'new', 'lab_car', '--driver', driver, '--out', str(file)]) == 0
    robot = load_robot(str(file))
    assert (robot.name, robot.driver.kind) == ('lab_car', driver)
    assert file.read_text().count('#') > 10
    assert cli.main(['robot', 'show', str(file)]) == 0
    said = capsys.readouterr().out
    assert f'lab_car: driver {driver}, every 0.1 s' in said
    assert all(f'action {name}: ' in said for name in robot.layout.action_names)


@pytest.mark.parametrize('name', ['Lab', '2car', 'lab-car', 'lab car', ''])
def test_a_name_that_is_no_file_name_is_refused(tmp_path, capsys, name):
    assert cli.main(['robot', 'new', name, '--out', str(tmp_path / 'mine.yaml')]) == 2
    assert 'small letters' in capsys.readouterr().err
    assert not (tmp_path / 'mine.yaml').exists()


def test_nothing_is_overwritten(tmp_path, capsys):
    file = tmp_path / 'mine.yaml'
    file.write_text('mine')
    assert cli.main(['robot', 'new', 'mine', '--out', str(file)]) == 2
    assert 'exists already' in capsys.readouterr().err
    assert file.read_text() == 'mine'


def test_a_bad_file_is_one_line_with_its_place(tmp_path, capsys):
    file = tmp_path / 'mine.yaml'
    file.write_text('name: mine\ndriver: {kind: twist}\nactions:\n  - {name: turn, unit: rad/s, neutral: 3.0}\n')
    assert cli.main(['robot', 'show', str(file)]) == 2
    assert capsys.readouterr().err.count('\n') == 1
