import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.path_source import PathSource
from millirobot_adapt.core.planning.paths import SHAPES, ReferencePath, make_path


@pytest.mark.parametrize('name', SHAPES)
def test_every_shape_starts_at_the_origin_ahead_of_the_robot_and_lasts_40_s(name):
    path = make_path(name)
    assert path.name == name
    np.testing.assert_allclose(path.waypoints[0], 0.0, atol=1e-9)
    heading = np.arctan2(*path.segment_directions[0][::-1])
    assert abs(heading) <= (np.pi / 4 + 1e-9 if name == 'zigzag' else 0.15)
    assert path.closed or path.length > 40 * 0.38


@pytest.mark.parametrize(('name', 'size'), [('figure8', (3.0, 1.4)), ('figure8_small', (2.2, 1.0))])
def test_figures_of_eight_are_smooth_cross_once_and_fit_the_arena(name, size):
    path = make_path(name)
    low, high = path.waypoints.min(axis=0), path.waypoints.max(axis=0)
    np.testing.assert_allclose(high - low, size, atol=0.02)
    assert (low > (-1.3, -1.1)).all()
    assert (high < (2.4, 1.7)).all()
    np.testing.assert_allclose(path.segment_lengths, 0.1, atol=0.01)
    turns = np.einsum('ij,ij->i', path.segment_directions, np.roll(path.segment_directions, -1, axis=0))
    assert np.degrees(np.arccos(turns.clip(-1, 1))).max() < 15
    crossings = sum(
        _crosses(path, i, j) for i in range(path.segments) for j in range(i + 2, path.segments - (1 if i == 0 else 0))
    )
    assert crossings == 1


def _crosses(path, i, j):
    step = path.waypoints[j] - path.waypoints[i]
    matrix = np.column_stack((path.segment_vectors[i], -path.segment_vectors[j]))
    if abs(np.linalg.det(matrix)) < 1e-12:
        return False
    along = np.linalg.solve(matrix, step)
    return bool((along >= 0).all() and (along < 1).all())


@given(x=st.floats(-2, 2), y=st.floats(-2, 2), yaw=st.floats(-3.2, 3.2), name=st.sampled_from(sorted(SHAPES)))
def test_placing_keeps_lengths_and_puts_the_start_at_the_pose(x, y, yaw, name):
    path = make_path(name)
    placed = path.placed(x, y, yaw)
    np.testing.assert_allclose(placed.waypoints[0], (x, y), atol=1e-9)
    np.testing.assert_allclose(placed.segment_lengths, path.segment_lengths, atol=1e-9)
    turn = np.arctan2(*placed.segment_directions[0][::-1]) - np.arctan2(*path.segment_directions[0][::-1])
    assert np.cos(turn - yaw) == pytest.approx(1.0)
    assert (placed.closed, placed.name) == (path.closed, path.name)


def test_a_csv_with_heading_is_read_and_closes_where_it_began(tmp_path):
    file = tmp_path / 'square.csv'
    file.write_text('x,y\n0,0\n1,0\n\n1,1\n0,1\n0,0\n')
    path = make_path(str(file))
    assert path.closed
    assert path.name == 'square'
    assert path.length == pytest.approx(4.0)
    file.write_text('0, 0\n1, 0\n1, 1\n')
    assert not make_path(str(file)).closed


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('0,0\n1\n', 'line 2 is not a way-point'),
        ('0,0\n1,a\n', 'line 2 is not a way-point'),
        ('0,0,0\n1,0,0\n', 'line 1 is not a way-point'),
        ('x,y\n0,0\n', 'at least two way-points'),
        ('', 'at least two way-points'),
        ('0,0\n1,nan\n', 'not finite'),
        ('0,0\n1,0\n1,0\n', 'are equal'),
    ],
)
def test_a_bad_csv_is_a_users_mistake(tmp_path, content, message):
    file = tmp_path / 'bad.csv'
    file.write_text(content)
    with pytest.raises(UserError, match=message):
        make_path(str(file))


def test_way_points_in_yaml(tmp_path):
    file = tmp_path / 'square.yaml'
    file.write_text('waypoints: [[0, 0], [1, 0], [1.0, 1], [0, 1]]\nclosed: true\n')
    path = make_path(str(file))
    assert (path.closed, path.name, path.segments) == (True, 'square', 4)
    file.write_text('waypoints:\n- [0, 0]\n- [1, 0]\n- [1, 1]\n')
    assert not make_path(str(file)).closed
    file.write_text('waypoints: [[0, 0], [1, 0], [1, 1], [0, 0]]\n')
    path = make_path(str(file))
    assert (path.closed, path.segments) == (True, 3), 'it ends where it began'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', r'write waypoints: \[\[x, y\]'),
        ('way_points: [[0, 0], [1, 0]]', "unknown key 'way_points'"),
        ('waypoints: 3', 'write waypoints'),
        ('waypoints: [[0, 0], [1, 0]]\nclosed: 1', 'closed: true or false'),
        ('waypoints: [[0, 0], [1]]', r'way-point 2 is \[1\]'),
        ('waypoints: [[0, 0], [1, x]]', r"way-point 2 is \[1, 'x'\]"),
        ('waypoints: [[0, 0], [1, true]]', 'way-point 2'),
        ('waypoints: [[0, 0]]', 'at least two way-points'),
        ('waypoints: [[0, 0], [.nan, 0]]', 'not finite'),
        ('waypoints: [[0, 0], [0.003, 0]]', r'3\.0 mm apart, closer than 5 mm; thin the path out'),
        ('waypoints: [[0, 0], [1, 0], [1, 0]]', 'are equal'),
        ('waypoints: [[0, 0], [1, 0]', 'cannot be read as YAML: line 1'),
    ],
)
def test_bad_yaml_is_a_users_mistake(tmp_path, content, message):
    file = tmp_path / 'bad.yaml'
    file.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        make_path(str(file))
    assert str(error.value).startswith((str(file), 'bad: '))


def test_a_shape_is_laid_from_where_the_robot_stands_or_in_world():
    state = np.zeros(24)
    state[:2], state[10:12] = (3.0, 4.0), (0.0, 1.0)  # cos, sin of yaw
    np.testing.assert_allclose(PathSource('straight', 'robot').lay(state).waypoints[1], (3.0, 5.0), atol=1e-12)
    np.testing.assert_allclose(PathSource('straight', 'world').lay(state).waypoints[1], (1.0, 0.0))


def test_a_published_path_is_taken_as_it_is_and_the_newest_counts():
    source = PathSource('topic', 'robot')
    with pytest.raises(UserError, match='no path yet; publish one'):
        source.lay(np.zeros(24))
    for end in (1.0, 2.0):
        source.offer(ReferencePath(np.array([[0.0, 0.0], [end, 0.0]])))
        assert source.lay(np.ones(24)).length == end


def test_binary_and_missing_files_are_a_users_mistake(tmp_path):
    (tmp_path / 'image.csv').write_bytes(b'\xff\xfe\x00\x01')
    with pytest.raises(UserError, match='cannot be read as CSV'):
        make_path(str(tmp_path / 'image.csv'))
    with pytest.raises(UserError, match='figure8'):
        make_path('figure9')


def test_a_path_cannot_be_changed():
    points = np.array([[0.0, 0.0], [1.0, 0.0]])
    path = ReferencePath(points)
    points[1] = 5.0
    assert path.length == 1.0
    with pytest.raises(ValueError, match='read-only'):
        path.waypoints[0] = 1.0
