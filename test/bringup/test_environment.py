"""Private ROS domains."""

import socket
from pathlib import Path

import pytest

from millirobot_adapt.bringup.environment import DOMAINS, check_log_folder, local_environment, reserve_domain
from millirobot_adapt.core.errors import UserError

# Domains that no run takes by itself, a pair for each test: other tests may have runs of their own meanwhile.
TWO = range(DOMAINS[-1] + 1, DOMAINS[-1] + 3)
OTHER_TWO = range(DOMAINS[-1] + 3, DOMAINS[-1] + 5)


def test_two_runs_get_two_domains_and_a_released_one_comes_back():
    first, second = reserve_domain(TWO), reserve_domain(TWO)
    assert {first.number, second.number} == set(TWO)
    with pytest.raises(UserError, match='in use'):
        reserve_domain(TWO)
    first.release()
    third = reserve_domain(TWO)
    assert third.number == first.number
    second.release()
    third.release()


def test_a_domain_with_a_participant_is_left_alone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.bind(('', 7400 + 250 * OTHER_TWO[0] + 10))
        domain = reserve_domain(OTHER_TWO)
    domain.release()
    assert domain.number == OTHER_TWO[1]


def test_every_domain_keeps_clear_of_ephemeral_ports():
    assert 7400 + 250 * OTHER_TWO[-1] + 249 < 32768


def test_the_environment_keeps_what_is_there(monkeypatch):
    monkeypatch.setenv('PATH', '/somewhere')
    monkeypatch.setenv('ROS_DOMAIN_ID', '0')
    made = local_environment(42)
    assert made['PATH'] == '/somewhere'
    assert (made['ROS_DOMAIN_ID'], made['ROS_AUTOMATIC_DISCOVERY_RANGE']) == ('42', 'LOCALHOST')
    assert Path(made['FASTRTPS_DEFAULT_PROFILES_FILE']).is_file()


@pytest.mark.parametrize(
    ('environment', 'below'), [({'HOME': ''}, '.ros/log'), ({'ROS_HOME': ''}, 'log'), ({'ROS_LOG_DIR': 'logs'}, 'logs')]
)
def test_the_folder_of_ros_logs_is_made(tmp_path, environment, below):
    check_log_folder({name: str(tmp_path / value) for name, value in environment.items()})
    assert (tmp_path / below).is_dir()


@pytest.mark.parametrize('environment', [{}, {'HOME': '/proc/none'}, {'HOME': ''}])
def test_without_a_folder_for_ros_logs_one_line_says_what_to_set(environment):
    with pytest.raises(UserError, match='set HOME or ROS_LOG_DIR to a folder that can be written'):
        check_log_folder(environment)
