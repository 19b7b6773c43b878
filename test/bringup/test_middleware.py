"""The middleware: which there is, which is refused before anything starts, and what each needs."""

import os
import socket

import pytest

from millirobot_adapt.bringup import middleware
from millirobot_adapt.bringup.middleware import CYCLONE_DDS, FAST_DDS, ZENOH, refuse_absent, what_is_missing
from millirobot_adapt.core.errors import UserError


@pytest.fixture
def ros(tmp_path, monkeypatch):
    """A sourced ROS that has Fast DDS and Cyclone DDS, and a Python without wheels."""
    monkeypatch.setattr(middleware.sys, 'prefix', str(tmp_path / 'python'))
    index = tmp_path / 'ros' / middleware.INDEX
    index.mkdir(parents=True)
    for name in (FAST_DDS, CYCLONE_DDS, 'rmw_implementation'):
        (index / name).touch()
    return {'AMENT_PREFIX_PATH': f'{tmp_path / "overlay"}:{tmp_path / "ros"}', 'ROS_DISTRO': 'jazzy'}


def test_what_is_installed_is_found_in_every_prefix(ros):
    assert middleware.installed_middleware(ros) == [CYCLONE_DDS, FAST_DDS]


@pytest.mark.parametrize('name', ['', FAST_DDS, CYCLONE_DDS])
def test_what_is_installed_may_be_chosen(ros, name):
    refuse_absent(name, 'rmw:=', ros)


@pytest.mark.parametrize(
    ('name', 'says'),
    [
        (ZENOH, r'rmw:=rmw_zenoh_cpp: is not installed .* apt install ros-jazzy-rmw-zenoh-cpp'),
        ('rmw_fastrtp_cpp', "rmw:=rmw_fastrtp_cpp: no middleware of that name; did you mean 'rmw_fastrtps_cpp'"),
        ('zenoh', 'rmw:=zenoh: no middleware of that name'),
    ],
)
def test_what_is_not_installed_is_refused_in_one_line(ros, name, says):
    with pytest.raises(UserError, match=says) as caught:
        refuse_absent(name, 'rmw:=', ros)
    assert '\n' not in str(caught.value)


def test_nothing_is_refused_where_ros_does_not_say_what_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr(middleware.sys, 'prefix', str(tmp_path))
    refuse_absent('rmw_connextdds', 'rmw:=', {})


def test_the_choice_of_a_launch_holds_for_its_processes(ros, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', ros['AMENT_PREFIX_PATH'])
    monkeypatch.setenv(middleware.VARIABLE, FAST_DDS)
    middleware.choose_middleware('')
    assert os.environ[middleware.VARIABLE] == FAST_DDS
    middleware.choose_middleware(CYCLONE_DDS)
    assert os.environ[middleware.VARIABLE] == CYCLONE_DDS


def test_the_choice_of_the_environment_is_refused_by_its_name(ros, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', ros['AMENT_PREFIX_PATH'])
    monkeypatch.setenv(middleware.VARIABLE, ZENOH)
    with pytest.raises(UserError, match='RMW_IMPLEMENTATION=rmw_zenoh_cpp: is not installed'):
        middleware.choose_middleware('')


def test_zenoh_needs_a_router(monkeypatch):
    with socket.create_server(('localhost', 0)) as router:
        monkeypatch.setattr(middleware, 'ROUTER', ('localhost', router.getsockname()[1]))
        assert what_is_missing(ZENOH, {}) is None
    what, fix = what_is_missing(ZENOH, {})
    assert 'no Zenoh router answers' in what
    assert fix == 'ros2 run rmw_zenoh_cpp rmw_zenohd'
    assert what_is_missing(FAST_DDS, {}) is None


@pytest.mark.parametrize(('name', 'variable'), [(CYCLONE_DDS, 'CYCLONEDDS_URI'), (ZENOH, 'ZENOH_SESSION_CONFIG_URI')])
def test_a_configuration_that_is_not_there_is_named(tmp_path, name, variable):
    file = tmp_path / 'middleware.conf'
    assert what_is_missing(name, {variable: f'file://{file}'})[0] == f'{variable} names {file}, which is no file'
    file.touch()
    assert what_is_missing(name, {variable: f'file://{file}'}) is None
    assert what_is_missing(CYCLONE_DDS, {'CYCLONEDDS_URI': '<CycloneDDS/>'}) is None
