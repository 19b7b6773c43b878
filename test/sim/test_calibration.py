"""How the mock is held against the real robot."""

import math

import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import find, share_dir
from millirobot_adapt.sim.calibration import load_targets
from millirobot_adapt.sim.terrain import TERRAINS

SHIPPED = 'params/calibration/velociroach.yaml'
SMALL = """
tolerances: {gain: 0.2, spread: 0.3}
ranges: {carpet: [[2, 9]]}
figures:
  speed: {unit: m/s, kind: gain, carpet: 0.5}
  roll: {unit: rad, kind: spread, carpet: [0.1, 0.2]}
"""


@pytest.fixture
def targets(tmp_path):
    path = tmp_path / 'small.yaml'
    path.write_text(SMALL)
    return load_targets(path)


@pytest.mark.parametrize(
    ('speed', 'deviation', 'within'), [(0.5, 0.0, True), (0.59, 0.18, True), (0.39, -0.22, False), (0.61, 0.22, False)]
)
def test_a_figure_deviates_relative_to_the_real_one(targets, speed, deviation, within):
    figure, _ = targets.compare('carpet', {'speed': speed, 'roll': 0.1})
    assert figure.deviation == pytest.approx(deviation)
    assert figure.within is within


@pytest.mark.parametrize(
    ('roll', 'deviation', 'within'), [(0.1, 0.0, True), (0.15, 0.0, True), (0.08, -0.2, True), (0.3, 0.5, False)]
)
def test_a_figure_outside_a_range_deviates_from_its_nearer_end(targets, roll, deviation, within):
    _, figure = targets.compare('carpet', {'speed': 0.5, 'roll': roll})
    assert figure.deviation == pytest.approx(deviation)
    assert figure.within is within


def test_a_figure_that_the_mock_has_not_is_missed(targets):
    figure, _ = targets.compare('carpet', {'roll': 0.1})
    assert math.isnan(figure.mock)
    assert not figure.within


def test_the_shipped_table_knows_every_terrain():
    targets = load_targets(find('params/calibration', 'velociroach', '.yaml'))
    assert set(targets.ranges) == set(TERRAINS)
    assert (share_dir() / SHIPPED).is_file()


@pytest.mark.parametrize(
    ('old', 'new', 'complaint'),
    [
        (SMALL, 'figures: {}', 'needs the groups tolerances, ranges, figures'),
        ('kind: gain', 'kind: guess', 'speed: give unit, kind'),
        ('carpet: 0.5', 'turf: 0.5', 'speed: carpet must be a number'),
        ('carpet: 0.5', 'carpet: 0', 'speed: carpet must be a number other than 0'),
        ('[0.1, 0.2]', '[0.2, 0.1]', 'roll: carpet must be a number'),
        ('[[2, 9]]', '[2, 9]', 'carpet must be a list of ranges'),
    ],
)
def test_a_mistake_in_the_table_is_named(tmp_path, old, new, complaint):
    path = tmp_path / 'bad.yaml'
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(UserError, match=complaint):
        load_targets(path)
