"""What a name means: shipped things, files of the user, paths."""

import errno
import os

import pytest

from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.share import find, share_dir
from millirobot_adapt.sim.conditions import load_condition

SHIPPED = share_dir() / 'params' / 'conditions' / 'carpet.yaml'


def test_a_shipped_thing_wins_over_what_has_its_name_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('carpet', 'velociroach', 'velociroach_grbal', 'figure8'):
        (tmp_path / name).mkdir()
    assert find('params/conditions', 'carpet', '.yaml') == SHIPPED
    assert load_condition('carpet').name == 'carpet'
    assert load_robot('velociroach').name == 'velociroach'
    assert load_bundle('velociroach_grbal', RobotConfig()).path == share_dir() / 'models' / 'velociroach_grbal'


def test_a_path_wins_over_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'carpet').mkdir()
    (tmp_path / 'carpet.yaml').write_text('terrain: turf\n')
    for name in ('./carpet.yaml', 'carpet.yaml', '~/carpet.yaml', str(tmp_path / 'carpet.yaml')):
        assert load_condition(name).terrain == 'turf', name
    assert find('params/conditions', './carpet', '.yaml').resolve() == tmp_path / 'carpet'


def test_a_name_that_is_not_shipped_may_be_a_folder_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine').mkdir()
    assert str(find('models', 'mine')) == 'mine'


@pytest.mark.parametrize(
    ('name', 'says'),
    [
        ('carpt', "carpt: no such file, and no condition of that name is shipped; did you mean 'carpet'?"),
        ('zzz', '; known are '),
        ('~nobody_here/c', '~nobody_here/c: there is no such home folder; write the path in full'),
        ('x' * 5000 + '/c', 'cannot be looked at: File name too long'),
    ],
)
def test_what_is_not_there_is_one_line(name, says):
    with pytest.raises(UserError) as error:
        find('params/conditions', name, '.yaml')
    assert says in str(error.value)


def test_a_folder_that_may_not_be_searched_is_named(tmp_path, monkeypatch):
    def refuse(self, **_):
        raise PermissionError(errno.EACCES, 'Permission denied', str(self))

    monkeypatch.setattr(type(tmp_path), 'exists', refuse)
    with pytest.raises(UserError, match=r'/root/c\.yaml: cannot be looked at: Permission denied'):
        find('params/conditions', '/root/c.yaml', '.yaml')


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become somebody who may not enter')
def test_as_somebody_who_may_not_enter(tmp_path):
    closed = tmp_path / 'closed'
    closed.mkdir(mode=0o700)
    os.seteuid(65534)
    try:
        try:
            share_dir()
        except PermissionError:
            pytest.skip('only its owner may enter the folder of this checkout')
        with pytest.raises(UserError, match='Permission denied'):
            load_condition(f'{closed}/c.yaml')
        with pytest.raises(UserError, match='Permission denied'):
            make_path(f'{closed}/p.csv')
    finally:
        os.seteuid(0)


def test_the_home_folder_is_expanded(monkeypatch):
    monkeypatch.setenv('HOME', '/home/lab')
    assert str(user_path('~/runs')) == '/home/lab/runs'
    assert str(user_path('runs~1')) == 'runs~1'
