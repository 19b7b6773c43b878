"""Films of recorded runs: what is in the pictures, and what is said where there is nothing to film."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import synthetic_run
from PIL import Image

from millirobot_adapt.analysis.film.encode import write_film
from millirobot_adapt.analysis.film.options import FilmOptions, parse_size
from millirobot_adapt.app.main import main
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.writer import BagWriter

SIZE = (480, 270)
MOMENTS = (2.0, 20.5, 39.0)
"""On the way, just after the fault, near the end [s]."""

# In a process of its own: MuJoCo chooses its graphics library when it is imported, and this one may have done so.
RENDER = f"""
import sys
from pathlib import Path
import numpy as np
from millirobot_adapt.sim.graphics import choose_backend
choose_backend()
from millirobot_adapt.analysis.film.film import Shots
from millirobot_adapt.analysis.film.options import FilmOptions
from millirobot_adapt.analysis.report.whole_run import read_whole_run
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.robot_shapes import shape_of
from millirobot_adapt.sim.scene import Camera, RobotPose, Scene
shape = shape_of(load_robot('velociroach'))
shots = Shots(read_whole_run(open_bag(Path(sys.argv[1]))), FilmOptions(*{SIZE}), shape)
scene = Scene(*{SIZE}, shape)
pictures = [shots.picture(scene, time) for time in {MOMENTS}]
empty = scene.render(None, [], Camera(np.zeros(3), 0.6))
scene.close()
robots = {{}}
for robot in ('velociroach', 'xl330_hexapod', 'rover'):
    shape = shape_of(load_robot(robot))
    scene = Scene(*{SIZE}, shape)
    for name, lost in (('', frozenset()), ('_hurt', frozenset({{'middle_right'}}))):
        stands = RobotPose(np.array([0.0, 0.0, shape.standing]), np.array([0.0, 0.0, 0.0, 1.0]), (0.0, 0.5), lost)
        robots[robot + name] = scene.render(stands, [], Camera(np.zeros(3), 12.4 * shape.half[0]))
    scene.close()
np.savez(sys.argv[2], pictures=pictures, empty=empty, **robots)
"""


def near(picture, colour, tolerance=40):
    """Where a picture has about a colour, shape (height, width)."""
    return (np.abs(picture.astype(int) - colour) < tolerance).all(axis=-1)


ORANGE_LEG, GREEN_BOARD = (220, 120, 40), (20, 120, 80)
WANTED, WALKED = (160, 170, 180), (31, 41, 51)


@pytest.fixture(scope='module')
def rendered(graphics, tmp_path_factory):
    home = tmp_path_factory.mktemp('film')
    run = synthetic_run.write_run(home / 'run', lively=True)
    subprocess.run([sys.executable, '-c', RENDER, str(run), str(home / 'found.npz')], check=True, timeout=300)
    with np.load(home / 'found.npz') as found:
        return dict(found)


def test_robot_paths_and_captions_are_in_every_picture(rendered):
    pictures, empty = rendered['pictures'], rendered['empty']
    assert pictures.shape == (3, SIZE[1], SIZE[0], 3)
    middle = (slice(SIZE[1] // 3, 2 * SIZE[1] // 3), slice(SIZE[0] // 3, 2 * SIZE[0] // 3))
    for picture in pictures:
        assert near(picture, GREEN_BOARD)[middle].sum() > 100, 'the board of the robot, in the middle'
        assert near(picture, ORANGE_LEG)[middle].sum() > 30, 'its legs'
        assert near(picture, WANTED, 25).sum() > 200, 'the path wanted'
        assert near(picture, WALKED, 25).sum() > 200, 'the path walked, and text'
        assert (picture[:40, :200] == 255).all(axis=-1).sum() < 40 * 200, 'not only ground'
        assert near(picture, (255, 255, 255), 16)[:40, :200].sum() > 2000, 'the light ground of the title'
    assert near(empty, GREEN_BOARD).sum() == 0
    assert near(empty, ORANGE_LEG).sum() == 0


@pytest.mark.parametrize('robot', ['velociroach', 'xl330_hexapod', 'rover'])
def test_every_robot_has_a_shape_that_fills_its_picture(rendered, robot):
    picture, hurt = rendered[robot], rendered[f'{robot}_hurt']
    rows, columns = np.nonzero(near(picture, GREEN_BOARD))
    assert 100 < len(rows) < 0.2 * picture[..., 0].size
    assert abs(columns.mean() - SIZE[0] / 2) < SIZE[0] / 10
    assert near(picture, ORANGE_LEG).sum() > 30, 'legs, or hubs of wheels'
    fewer = near(picture, ORANGE_LEG).sum() - near(hurt, ORANGE_LEG).sum()
    assert fewer == 0 if robot == 'rover' else fewer > 20, 'a lost leg is not drawn; a rover has none to lose'


def test_the_shapes_are_different(rendered):
    shown = [rendered[robot].astype(int) for robot in ('velociroach', 'xl330_hexapod', 'rover')]
    assert all(np.abs(one - other).mean() > 1.0 for one, other in pairwise(shown))


def test_the_caption_of_a_fault_stands_below_when_it_has_begun(rendered):
    before, fault, after = rendered['pictures']
    below = (slice(round(0.78 * SIZE[1]), round(0.88 * SIZE[1])), slice(SIZE[0] // 3, 2 * SIZE[0] // 3))
    dark = [near(picture, WALKED, 30)[below].sum() for picture in (before, fault, after)]
    assert dark[1] > max(dark[0], dark[2]) + 150


def test_the_command_writes_a_gif_of_the_size_and_length_asked_for(graphics, tmp_path):
    run = synthetic_run.write_run(tmp_path / 'run', ticks=60)
    out = tmp_path / 'x.gif'
    done = subprocess.run(
        [
            sys.executable, '-m', 'millirobot_adapt.app.main', 'film', str(run), '--out', str(out), '--fps', '2',
            '--size', '160x90', '--camera', 'overlook',
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, str(out)), done.stderr
    with Image.open(out) as film:
        assert film.size == (160, 90)
        assert film.n_frames == 13  # 6 s walked, stopped half a second later


@pytest.mark.parametrize('name', ['x.mp4', 'x.gif'])
def test_pictures_become_a_film(tmp_path, name):
    pictures = [np.full((90, 160, 3), shade, dtype=np.uint8) for shade in (0, 128, 255)]
    assert write_film(tmp_path / name, pictures, 5.0) == 3
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).stat().st_size > 100


def complaint(capsys, *arguments):
    """Run the command, which must refuse; return its one line."""
    assert main(['film', *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def legs_alone(folder):
    with BagWriter(folder / 'bag') as bag:
        for k in range(20):
            stamp = 1.7e9 + 0.1 * k
            bag.write_message('/legs', stored_messages.joint_state(stamp, [1, 1], position=[0, 0]), stamp)
    return folder


@pytest.mark.usefixtures('graphics')
def test_a_bag_without_poses_is_one_line(tmp_path, capsys):
    assert 'holds no poses' in complaint(capsys, legs_alone(tmp_path / 'run'))


def test_what_cannot_be_filmed_is_one_line(tmp_path, capsys):
    assert 'no such' in complaint(capsys, tmp_path / 'nothing') or 'no bag' in complaint(capsys, tmp_path / 'nothing')
    run = legs_alone(tmp_path / 'run')
    assert '--size 10' in complaint(capsys, run, '--size', '10')
    assert '--size 855x480' in complaint(capsys, run, '--size', '855x480')
    assert '--fps 0' in complaint(capsys, run, '--fps', '0')
    assert '--end 3' in complaint(capsys, run, '--start', '4', '--end', '3')


@pytest.mark.usefixtures('graphics')
def test_a_name_that_is_no_film_is_one_line(tmp_path, capsys):
    run = legs_alone(tmp_path / 'run')
    assert 'ends in .mp4 or .gif' in complaint(capsys, run, '--out', tmp_path / 'x.avi')
    assert 'no folder' in complaint(capsys, run, '--out', tmp_path / 'away' / 'x.mp4')


def test_without_graphics_the_message_names_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('MUJOCO_GL', 'none_such')
    line = complaint(capsys, synthetic_run.write_run(tmp_path / 'run', ticks=5))
    assert 'MUJOCO_GL=none_such does not work' in line
    assert 'libegl1' in line


def test_sizes_are_read_as_width_times_height():
    assert parse_size('640x360') == (640, 360)
    assert FilmOptions(*parse_size('640x360')).height == 360


def test_mocap_alone_is_enough(tmp_path):
    """A bag of the real robot before any estimator: poses of motion capture and setpoints."""
    from millirobot_adapt.analysis.film.recorded_motion import motion_of
    from millirobot_adapt.analysis.report.whole_run import read_whole_run
    from millirobot_adapt.recording.reader import open_bag
    from millirobot_adapt.sim.robot_shapes import hexapod_shape

    with BagWriter(tmp_path / 'bag') as bag:
        for k in range(50):
            stamp = 1.7e9 + 0.1 * k
            bag.write_message(
                '/mocap/pose', stored_messages.pose_stamped(stamp, [0.03 * k, 0, 0.03], [0, 0, 0, 1]), stamp
            )
            bag.write_message('/legs', stored_messages.joint_state(stamp, [10.0, 20.0], position=[0, 0]), stamp)
    motion = motion_of(read_whole_run(open_bag(Path(tmp_path))).timeline, hexapod_shape())
    assert motion.source == 'measured'
    pose = motion.at(2.05)
    assert pose.position[0] == pytest.approx(0.615)
    assert pose.phases == pytest.approx((20.5, 41.0))
