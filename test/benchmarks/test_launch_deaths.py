"""The table of deaths: what it complains of, and what it says where there is no ros2 launch."""

import json
import os
from dataclasses import replace

import pytest

from millirobot_adapt.app.main import main
from millirobot_adapt.benchmarks.link import launch_deaths
from millirobot_adapt.benchmarks.link.launch_deaths import GONE_BOUND, HEAD, STOP_BOUND, DeathRow, death_line
from millirobot_adapt.benchmarks.link.launched_robot import processes_of

GOOD = DeathRow('SIGKILL of ros2 launch', stop_s=0.2, nodes_gone_s=3.0, gone_s=4.0, load=0.5)


def test_a_good_row_is_no_complaint():
    assert GOOD.complaint is None
    assert replace(GOOD, stop_s=None).complaint is None, 'Ctrl-C before the robot walks'


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        ({'stop_s': STOP_BOUND + 0.1}, 'the motors stopped after 1.10 s'),
        ({'nodes_gone_s': GONE_BOUND + 1.0}, 'the last node ended after 6.0 s'),
        ({'broken': 'the bag has no end'}, 'the bag has no end'),
    ],
)
def test_what_is_too_late_or_broken_is_named(change, says):
    assert replace(GOOD, **change).complaint == f'SIGKILL of ros2 launch: {says}'


def test_a_busy_machine_is_given_time_in_proportion():
    slow = replace(GOOD, nodes_gone_s=2.0 * GONE_BOUND)
    assert replace(slow, load=3.0 * (os.cpu_count() or 1)).complaint is None
    assert replace(slow, load=0.0).complaint is not None


def test_a_row_is_laid_out_below_the_head():
    assert death_line(GOOD).split()[-4:] == ['0.20', '3.0', '4.0', '0.5']
    assert death_line(replace(GOOD, stop_s=None)).split()[-4:] == ['-', '3.0', '4.0', '0.5']
    assert len(death_line(GOOD)) == len(HEAD)


@pytest.mark.parametrize(('row', 'code'), [(GOOD, 0), (replace(GOOD, stop_s=2.0), 1)])
def test_the_command_prints_each_row_and_fails_with_a_bad_one(monkeypatch, capsys, row, code):
    def measure(robot, firmware, tell):
        tell(row)
        return [row]

    monkeypatch.setattr(launch_deaths, 'measure_deaths', measure)
    assert main(['bench', 'link', '--only', 'launch']) == code
    assert capsys.readouterr().out == f'{HEAD}\n{death_line(row)}\n'
    assert main(['bench', 'link', '--only', 'launch', '--json']) == code
    assert json.loads(capsys.readouterr().out) == [row.as_dict()]


def test_without_ros_it_says_what_to_do(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert main(['bench', 'link', '--only', 'launch']) == 2
    assert 'ros2: is not on the path; source the setup.bash of your ROS 2' in capsys.readouterr().err
    (tmp_path / 'ros2').touch(mode=0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    assert main(['bench', 'link', '--only', 'launch']) == 2
    assert 'colcon build --packages-select millirobot_adapt' in capsys.readouterr().err


def test_only_programs_of_ours_that_name_the_folder_are_found(tmp_path):
    assert processes_of(tmp_path) == {}
