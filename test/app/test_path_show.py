"""`millirobot path show`, and paths that leave the fence."""

import json

import numpy as np
import pytest

from millirobot_adapt.app import main as cli
from millirobot_adapt.app.doctor.model_checks import check_path
from millirobot_adapt.core.control.steering import turning_radius
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.path_facts import clearance, sharpest_turn
from millirobot_adapt.core.planning.path_source import PathSource
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.safety.polygon import Polygon

BOX = Polygon((-1.4, -1.2, 2.5, 1.8))


def circle(radius):
    angle = np.linspace(0.0, 2 * np.pi, 300)
    return ReferencePath.through(radius * np.column_stack((np.cos(angle), np.sin(angle))))


@pytest.mark.parametrize('radius', [0.2, 0.5, 1.0])
def test_a_circle_turns_by_its_length_over_its_radius(radius):
    assert sharpest_turn(circle(radius), 0.1).value == pytest.approx(0.1 / radius, rel=0.05)


@pytest.mark.parametrize('degrees', [30, 90, 150, 180])
def test_the_sharpest_turn_is_the_corner(degrees):
    corner = np.radians(degrees)
    path = ReferencePath(np.array([(0.0, 0.0), (1.0, 0.0), (1.0 + np.cos(corner), np.sin(corner))]))
    found = sharpest_turn(path, 0.3)
    assert np.degrees(found.value) == pytest.approx(degrees, abs=1)
    assert found.arc_length == pytest.approx(1.0, abs=0.15)
    assert sharpest_turn(ReferencePath(np.array([(0.0, 0.0), (1.0, 0.0)])), 0.3).value == pytest.approx(0.0, abs=1e-6)


def test_the_distance_to_the_fence_is_that_of_the_nearest_place_and_the_first_one_outside():
    inside = clearance(ReferencePath(np.array([(0.0, 0.0), (2.0, 0.0), (0.0, 1.0)])), BOX)
    assert inside.value == pytest.approx(0.5)
    np.testing.assert_allclose(inside.point, (2.0, 0.0))
    outside = clearance(ReferencePath(np.array([(2.0, 0.0), (3.0, 0.0)])), BOX)
    assert outside.value == pytest.approx(-0.5)
    assert outside.arc_length == pytest.approx(0.5, abs=0.02)


def test_the_robot_turns_as_the_lab_measured():
    assert turning_radius(RobotConfig().layout) == pytest.approx(0.05 * 5.5 / (0.205 * 7.0))


def test_it_says_and_draws_what_matters(tmp_path, capsys):
    (tmp_path / 'lanes.csv').write_text('x_mm,y_mm\n0,0\n1000,0\n1000,150\n0,150\n')
    out = tmp_path / 'picture.png'
    assert cli.main(['path', 'show', str(tmp_path / 'lanes.csv'), '--out', str(out)]) == 0
    said = capsys.readouterr().out
    assert 'lanes: 2.15 m, open, 4 waypoints' in said
    assert 'starts at (0.00, 0.00) towards 0 degrees' in said
    assert '180 degrees' in said
    assert out.read_bytes().startswith(b'\x89PNG')
    assert cli.main(['path', 'show', str(tmp_path / 'lanes.csv'), '--json', '--at', '2', '0', '0']) == 1
    figures = json.loads(capsys.readouterr().out)
    assert figures['fence_distance_m'] == pytest.approx(-0.5)
    assert cli.main(['path', 'show', 'no_such']) == 2
    assert 'no_such' in capsys.readouterr().err


def test_start_and_doctor_refuse_a_path_that_leaves_the_fence(tmp_path):
    file = tmp_path / 'far.csv'
    file.write_text('0,0\n2,0\n')
    source = PathSource(str(file), 'robot', BOX)
    state = np.zeros(24)
    state[[6, 8, 10]] = 1.0
    assert source.lay(state).length == 2.0
    state[0] = 1.0
    with pytest.raises(
        UserError, match=r'far: leaves the fence after 1\.5\d m, at \(2\.5\d, 0\.00\), by up to 0\.50 m'
    ):
        source.lay(state)
    assert PathSource('straight', 'robot', BOX).lay(state).length == 20.0, 'longer than any arena: the gate stops it'

    class Subject:
        controller = ControllerConfig(path=str(file), anchor='world')

    (finding,) = check_path(Subject())
    assert 'inside the fence' in finding.what
    file.write_text('0,0\n5,0\n')
    (finding,) = check_path(Subject())
    assert 'leaves the fence' in finding.what
