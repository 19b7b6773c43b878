"""Private ROS domains."""

import socket
from pathlib import Path

import pytest

from millirobot_adapt.bringup import environment
from millirobot_adapt.bringup.environment import DOMAINS, local_environment, reserve_domain
from millirobot_adapt.core.errors import UserError


def test_two_runs_get_two_domains_and_a_released_one_comes_back(monkeypatch):
    monkeypatch.setattr(environment, 'DOMAINS', range(90, 92))
    first, second = reserve_domain(), reserve_domain()
    assert {first.number, second.number} == {90, 91}
    with pytest.raises(UserError, match='in use'):
        reserve_domain()
    first.release()
    third = reserve_domain()
    assert third.number == first.number
    second.release()
    third.release()


def test_a_domain_with_a_participant_is_left_alone(monkeypatch):
    monkeypatch.setattr(environment, 'DOMAINS', range(90, 92))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.bind(('', 7400 + 250 * 90 + 10))
        domain = reserve_domain()
    domain.release()
    assert domain.number == 91


def test_every_domain_keeps_clear_of_ephemeral_ports():
    assert 7400 + 250 * DOMAINS[-1] + 249 < 32768


def test_the_environment_keeps_what_is_there(monkeypatch):
    monkeypatch.setenv('PATH', '/somewhere')
    monkeypatch.setenv('ROS_DOMAIN_ID', '0')
    made = local_environment(42)
    assert made['PATH'] == '/somewhere'
    assert (made['ROS_DOMAIN_ID'], made['ROS_AUTOMATIC_DISCOVERY_RANGE']) == ('42', 'LOCALHOST')
    assert Path(made['FASTRTPS_DEFAULT_PROFILES_FILE']).is_file()
