"""The folder of a run."""

import hashlib
from datetime import datetime

import pytest
import yaml

from millirobot_adapt.bringup.run_folder import (
    make_run_folder,
    make_temporary_folder,
    write_node_parameters,
    write_parameters,
)
from millirobot_adapt.core.errors import UserError

NOW = datetime(2030, 1, 2, 3, 4, 5)


def test_latest_points_to_the_newest_run_and_no_run_is_overwritten(tmp_path):
    first = make_run_folder(tmp_path / 'runs', NOW)
    second = make_run_folder(tmp_path / 'runs', NOW)
    assert (first.path.name, second.path.name) == ('2030-01-02_03-04-05', '2030-01-02_03-04-05_2')
    assert (tmp_path / 'runs' / 'latest').resolve() == second.path.resolve()
    assert second.logs.is_dir()


def test_a_folder_named_latest_is_not_replaced(tmp_path):
    (tmp_path / 'latest').mkdir()
    with pytest.raises(UserError, match='move it away'):
        make_run_folder(tmp_path, NOW)


def test_a_place_that_cannot_hold_a_folder_is_a_users_mistake(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='--out'):
        make_run_folder(tmp_path / 'file', NOW)


def test_a_launch_names_its_own_argument_for_another_place(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'choose another place with out:=\.\.\.'):
        make_run_folder(tmp_path / 'file', NOW, 'out:=...')


def test_what_is_not_recorded_leaves_nothing_behind():
    folder = make_temporary_folder()
    assert folder.logs.is_dir()
    folder.remove()
    assert not folder.path.exists()


def test_a_recorded_run_is_never_removed(tmp_path):
    folder = make_run_folder(tmp_path, NOW)
    folder.remove()
    assert folder.path.is_dir()


def test_node_parameters_read_back_as_a_ros_parameter_file(tmp_path):
    path = tmp_path / 'nodes.yaml'
    write_node_parameters(path, {'bridge': {'port': '/dev/ttyUSB0', 'gate.fence': [-1.0, 2.0], 'name': '1'}})
    assert yaml.safe_load(path.read_text()) == {
        'bridge': {'ros__parameters': {'port': '/dev/ttyUSB0', 'gate': {'fence': [-1.0, 2.0]}, 'name': '1'}}
    }


def test_parameters_hold_the_hash_of_every_file_of_the_model(tmp_path):
    model = tmp_path / 'model'
    (model / 'golden').mkdir(parents=True)
    (model / 'model.yaml').write_text('a: 1')
    (model / 'golden' / 'x.npz').write_bytes(b'123')
    path = tmp_path / 'parameters.yaml'
    write_parameters(
        path, command='millirobot demo', seed=7, robot={'name': 'velociroach'}, model=model,
        nodes={'bridge': {'port': 'x', 'gate.tilt': 1.0}}, sources=['/share/bridge.yaml', '/lab.yaml'],
        ros={'distro': 'jazzy', 'rmw': 'rmw_fastrtps_cpp'}, now=NOW,
    )  # fmt: skip
    content = yaml.safe_load(path.read_text())
    assert content['model']['sha256'] == {
        'golden/x.npz': hashlib.sha256(b'123').hexdigest(),
        'model.yaml': hashlib.sha256(b'a: 1').hexdigest(),
    }
    assert content['seed'] == 7
    assert content['parameter_files'] == ['/share/bridge.yaml', '/lab.yaml']
    assert content['bridge'] == {'port': 'x', 'gate': {'tilt': 1.0}}
    assert content['host']['cores'] >= 1
    assert content['version']['package']
