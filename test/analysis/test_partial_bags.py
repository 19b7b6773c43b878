"""Bags that hold less than a run, or another robot: report, film and viewer show what there is, or say one line."""

import json
import subprocess
import sys

import numpy as np
import pytest
import synthetic_run

from millirobot_adapt.app.main import main
from millirobot_adapt.contract.state_codec import encode_state
from millirobot_adapt.contract.tick_codec import encode_tick
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.writer import BagWriter

JOINTS, OTHER_NX, OTHER_NU = 6, 33, 6
KINDS = ('without_poses', 'other_robot', 'cut_off', 'robot_that_is_not_known')
FILMED = tuple(kind for kind in KINDS if kind != 'without_poses')


def without_poses(folder):
    """Setpoints and telemetry alone."""
    with BagWriter(folder / 'bag') as bag:
        for k in range(30):
            stamp = synthetic_run.START + 0.1 * k
            bag.write_message('/sent', stored_messages.joint_state(stamp, [1, 1]), stamp)
            bag.write_message('/legs', stored_messages.joint_state(stamp, [1, 1], position=[0, 0]), stamp)


def other_tick(k, stamp):
    """A tick of a robot with more states and actions; the codec's header says how many."""
    record = TickRecord(
        tick=k, stamp=stamp, seed=0, running=1.0, state_stamp=stamp + 0.01,
        state=np.ones(OTHER_NX), executing=np.ones(OTHER_NU), sent=np.ones(OTHER_NU),
        window_states=np.ones((4, OTHER_NX)), window_actions=np.ones((4, OTHER_NU)),
        window_next_states=np.ones((4, OTHER_NX)), window_mask=np.ones(4), previous_plan=np.ones((3, OTHER_NU)),
        plan_actions=np.ones((3, OTHER_NU)), plan_states=np.cumsum(np.full((4, OTHER_NX), 0.02), axis=0),
        pre_error=1.0, post_error=0.5, wait_ms=10.0, work_ms=20.0, period_ms=100.0, misses=0.0,
    )  # fmt: skip
    data = encode_tick(record)
    data[1:3] = OTHER_NX, OTHER_NU
    return stored_messages.labelled_array(data, 'tick record')


def other_robot(folder):
    """A robot with six joints and no battery, beside a camera."""
    names = [f'joint_{i}' for i in range(JOINTS)]
    good = StateQuality(0.0, 0.001, 0.01, False, PoseFault.NONE)
    with BagWriter(folder / 'bag') as bag:
        path = make_path('straight')
        bag.write_message('/reference', stored_messages.path(synthetic_run.START, path.waypoints), synthetic_run.START)
        for k in range(30):
            stamp = synthetic_run.START + 0.1 * k
            joints = stored_messages.joint_state(stamp, np.ones(JOINTS), position=np.ones(JOINTS))
            joints.name[:] = names
            pose = stored_messages.pose_stamped(stamp, [0.03 * k, 0.0, 0.03], [0, 0, 0, 1])
            for topic, message in (('/sent', joints), ('/legs', joints), ('/mocap/pose', pose)):
                bag.write_message(topic, message, stamp)
            sample = StateSample(k, stamp, np.ones(OTHER_NX), good)
            bag.write_message('/state', stored_messages.labelled_array(encode_state(sample), 'state'), stamp + 0.01)
            bag.write_message('/tick', other_tick(k, stamp), stamp + 0.04)


def cut_off(folder):
    """A file that ends in the middle of a chunk, as after a full disk."""
    synthetic_run.write_run(folder, ticks=120)
    file = folder / 'bag' / 'bag_0.mcap'
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    (folder / 'bag' / 'metadata.yaml').unlink(missing_ok=True)


def robot_that_is_not_known(folder):
    """A run whose parameters name a robot, a model and keys that this version has not."""
    synthetic_run.write_run(folder, ticks=40)
    (folder / 'parameters.yaml').write_text(
        'robot: {name: walker_9, joints: 12}\n'
        'controller: {path: figure8, model: models/of_another_house, robot: walker_9, gait: trot}\n'
        'model: {path: models/of_another_house, sha256: {model.yaml: abc}}\n'
    )


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    home = tmp_path_factory.mktemp('partial')
    for kind in KINDS:
        (home / kind).mkdir()
        globals()[kind](home / kind)
    return home


@pytest.mark.parametrize('kind', KINDS)
def test_a_report_is_made_of_what_there_is(runs, kind, capsys):
    assert main(['report', str(runs / kind)]) == 0
    assert 'Traceback' not in capsys.readouterr().err
    summary = json.loads((runs / kind / 'summary.json').read_text())
    page = (runs / kind / 'report.html').read_text()
    if kind == 'without_poses':
        assert 'Not recorded: path driven' in page
    else:
        assert summary['ticks'] >= 20
        assert summary['tracking']['progress'] is None or summary['tracking']['progress'] > 0
    if kind == 'robot_that_is_not_known':
        assert 'No open-loop predictions: ' in page


@pytest.mark.parametrize('kind', KINDS)
def test_the_viewer_shows_what_there_is(runs, kind, tmp_path, capsys):
    pytest.importorskip('rerun')
    assert main(['view', str(runs / kind), '--save', str(tmp_path / 'x.rrd')]) == 0
    assert 'Traceback' not in capsys.readouterr().err
    assert (tmp_path / 'x.rrd').read_bytes().startswith(b'RRF')


FILM = """
import sys
from millirobot_adapt.app.main import main
for run in sys.argv[2:]:
    out = f'{sys.argv[1]}/{run.rsplit("/")[-1]}.gif'
    assert main(['film', run, '--out', out, '--fps', '1', '--speed', '2', '--size', '160x90']) == 0
"""


@pytest.mark.usefixtures('graphics')
def test_a_film_goes_as_far_as_the_bag(runs, tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', FILM, str(tmp_path), *(str(runs / kind) for kind in FILMED)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    films = [tmp_path / f'{kind}.gif' for kind in FILMED]
    assert (done.returncode, done.stdout.split()) == (0, [str(film) for film in films]), done.stderr
    assert all(film.stat().st_size > 1000 for film in films)


@pytest.mark.parametrize('command', ['report', 'view'])
def test_what_is_no_bag_is_one_line(tmp_path, command, capsys):
    if command == 'view':
        pytest.importorskip('rerun')
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'bag_0.mcap').write_bytes(b'\x89MCAP0\r\n')
    assert main([command, str(tmp_path / 'run')]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path / 'run') in line
