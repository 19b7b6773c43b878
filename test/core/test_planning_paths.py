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


CORNER = [[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    'content',
    [
        b'0,0\n1,0\n1,2\n',
        b'\xef\xbb\xbf0,0\r\n1,0\r\n1,2\r\n',  # a byte order mark, as spreadsheets write it
        b'\xef\xbb\xbfx,y\n0,0\n1,0\n1,2\n',
        '\ufeff0,0\n1,0\n1,2\n'.encode('utf-16-le'),
        b'# made by hand\n\n0,0\n\n# corner\n1,0\n1,2\n\n',
        b'y,x\n0,0\n0,1\n2,1\n',
        b'x_mm,y_mm\n0,0\n1000,0\n1000,2000\n',
        b'Y [cm];X [m]\n0;0\n0;1\n200;1\n',
        b'x y\n0 0\n1 0\n1 2',
        b'"x (m)","y (m)"\n"0","0"\n"1","0"\n"1","2"\n',
        b'x\ty\n0\t0\n1\t0\n1\t2\n',
        b'0,0\n,\n1,0\n1,2\n',  # an empty row of a spreadsheet
    ],
)
def test_waypoints_are_read_by_what_their_heading_says(tmp_path, content):
    file = tmp_path / 'corner.csv'
    file.write_bytes(content)
    np.testing.assert_allclose(make_path(str(file)).waypoints, CORNER)


@pytest.mark.parametrize(
    ('heading', 'says'),
    [
        ('lat,lon', "heading 'lat,lon' does not name the columns x and y in m, cm or mm"),
        ('x_deg,y_deg', 'x_deg,y_deg'),
        ('x_ft,y_ft', 'x_ft,y_ft'),
        ('x,x', 'x,x'),
        ('O,O', 'line 1'),  # the letter
        ('x,y,yaw', 'x,y,yaw'),
        ('x', "'x'"),
    ],
)
def test_a_heading_of_something_else_is_refused(tmp_path, heading, says):
    file = tmp_path / 'other.csv'
    file.write_text(f'{heading}\n0,0\n1,0\n')
    with pytest.raises(UserError, match='line 1') as error:
        make_path(str(file))
    assert says in str(error.value)


@pytest.mark.parametrize('line', range(1, 5))
@pytest.mark.parametrize('wrong', ['O,0', '1,0 m', '1;0', '1', '1,0,0', '--,1', '1,2,'])
def test_a_line_that_is_no_waypoint_is_named_and_never_left_out(tmp_path, line, wrong):
    file = tmp_path / 'typo.csv'
    lines = ['0,0', '1,0', '1,1', '2,1']
    lines[line - 1] = wrong
    if wrong == '1;0':
        lines[line - 1] = '1;0;0'
    file.write_text('\n'.join(lines))
    with pytest.raises(UserError, match=f'line {line} is not a waypoint'):
        make_path(str(file))


@pytest.mark.parametrize(('gap', 'closed'), [(0.0, True), (2e-16, True), (1e-6, True), (9e-4, True), (0.01, False)])
@pytest.mark.parametrize('suffix', ['csv', 'yaml'])
def test_a_loop_closes_within_a_millimetre(tmp_path, gap, closed, suffix):
    points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (gap, gap / 3)]
    file = tmp_path / f'loop.{suffix}'
    if suffix == 'csv':
        file.write_text('\n'.join(f'{x!r},{y!r}' for x, y in points))
    else:
        file.write_text(f'waypoints: [{", ".join(f"[{x:.17f}, {y:.17f}]" for x, y in points)}]')
    path = make_path(str(file))
    assert (path.closed, len(path.waypoints)) == (closed, 3 if closed else 4)


@pytest.mark.parametrize('points', [2, 3, 10, 1000])
@pytest.mark.parametrize('angle', [0.0, 0.7, 3.0])
@pytest.mark.parametrize('aside', [0.0, 5e-4])
def test_out_and_back_along_one_line_is_walked_once_however_many_points_it_has(tmp_path, points, angle, aside):
    out = np.linspace(0.0, 1.5, points)[:, None] * [np.cos(angle), np.sin(angle)]
    back = out[-2::-1] + np.linspace(0.0, aside, len(out) - 1)[:, None] * [-np.sin(angle), np.cos(angle)]
    file = tmp_path / 'line.csv'
    file.write_text('\n'.join(f'{x!r},{y!r}' for x, y in np.vstack((out, back)).tolist()))
    path = make_path(str(file))
    assert not path.closed
    assert path.length == pytest.approx(3.0, abs=1e-3)


@pytest.mark.parametrize('tip', [30.0, 60.0, 150.0])
def test_a_loop_with_a_sharp_corner_where_it_closes_is_closed(tip):
    half = np.radians(tip / 2)
    corners = np.array([(0.0, 0.0), (np.cos(half), np.sin(half)), (np.cos(half), -np.sin(half)), (0.0, 0.0)])
    path = ReferencePath.through(corners)
    assert (path.closed, path.segments) == (True, 3)


def test_a_dense_path_is_followed_by_a_polyline_with_few_corners():
    angle = np.linspace(0.0, 2 * np.pi, 10_000)
    circle = ReferencePath.through(np.column_stack((0.5 * np.cos(angle), 0.5 * np.sin(angle))))
    assert circle.closed
    arc_lengths, points = circle.knots
    assert len(points) < 130
    assert arc_lengths[-1] == circle.length
    for start in np.linspace(0.0, circle.length, 200):
        expected = np.array([np.interp(start, arc_lengths, points[:, axis]) for axis in (0, 1)])
        np.testing.assert_allclose(circle.at(np.array(start)), expected, atol=1.1e-3)


def test_the_tip_of_a_path_that_doubles_back_is_kept():
    there = np.linspace(0.0, 1.0, 500)
    path = ReferencePath(np.column_stack((np.concatenate((there, there[-2::-1])), np.zeros(999))))
    np.testing.assert_allclose(path.knots[1], [[0, 0], [1, 0], [0, 0]])
    np.testing.assert_allclose(path.knots[0], [0, 1, 2])


def test_places_beyond_the_ends_of_an_open_path_are_straight_on_and_a_closed_one_repeats():
    path = ReferencePath(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(path.at(np.array([-0.5, 0.5, 1.5, 2.5])), [[-0.5, 0], [0.5, 0], [1, 0.5], [1, 1.5]])
    square = ReferencePath(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), closed=True)
    np.testing.assert_allclose(square.at(np.array([-0.5, 4.5])), [[0, 0.5], [0.5, 0]])


def refuse(file, content, message):
    """Check that a file with this content is a user's mistake that names the file."""
    file.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        make_path(str(file))
    assert str(error.value).startswith(str(file))


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('0,0\n1\n', 'line 2 is not a waypoint'),
        ('0,0\n1,a\n', 'line 2 is not a waypoint'),
        ('0,0,0\n1,0,0\n', 'line 1 is not a waypoint'),
        ('x,y\n0,0\n', 'at least two waypoints'),
        ('', 'at least two waypoints'),
        ('0,0\n1,nan\n', 'line 2 is not finite'),
        ('0,0\n1,0\n1,0\n', 'are equal'),
    ],
)
def test_a_bad_csv_is_a_users_mistake(tmp_path, content, message):
    refuse(tmp_path / 'bad.csv', content, message)


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
        ('waypoints: [[0, 0], [1]]', r'waypoint 2 is \[1\]'),
        ('waypoints: [[0, 0], [1, x]]', r"waypoint 2 is \[1, 'x'\]"),
        ('waypoints: [[0, 0], [1, true]]', 'waypoint 2'),
        ('waypoints: [[0, 0]]', 'at least two waypoints'),
        ('waypoints: [[0, 0], [.nan, 0]]', 'not finite'),
        ('waypoints: [[0, 0], [1, 0], [1, 0]]', 'waypoints 2 and 3 are equal'),
        ('waypoints: [[0, 0], [1, 0]', 'cannot be read as YAML: line 1'),
    ],
)
def test_bad_yaml_is_a_users_mistake(tmp_path, content, message):
    refuse(tmp_path / 'bad.yaml', content, message)


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
    (tmp_path / 'image.csv').write_bytes(b'\x89PNG\xff\xfe\x00\x01')
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
