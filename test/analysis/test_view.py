"""What a viewer is given of a run: by a stand-in for Rerun's stream, and once by the real one into a file."""

import sys

import numpy as np
import pytest
import synthetic_run

from millirobot_adapt.app.main import main
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.leg_names import LEGS
from millirobot_adapt.sim.robot_shapes import hexapod_shape, leg_strip, servo_hexapod_shape


def test_without_rerun_the_message_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'rerun', None)
    for name in [name for name in sys.modules if name.startswith('millirobot_adapt.analysis.view')]:
        monkeypatch.delitem(sys.modules, name)
    run = synthetic_run.write_run(tmp_path / 'run', ticks=5)
    assert main(['view', str(run), '--save', str(tmp_path / 'x.rrd')]) == 2
    assert "pip install 'millirobot_adapt[view]'" in capsys.readouterr().err


def test_a_run_or_live_but_not_both_and_not_neither(capsys):
    for arguments in (['view'], ['view', 'runs/latest', '--live']):
        assert main(arguments) == 2
        assert 'give a run folder or a bag, or --live' in capsys.readouterr().err


class Recorded:
    """Stands in for Rerun's stream: keeps what was logged, by entity."""

    def __init__(self):
        self.time, self.logged = None, {}

    def set_time(self, timeline, timestamp):
        self.time = timestamp

    def log(self, path, what, static=False):
        self.logged.setdefault(path, []).append((None if static else self.time, what))


@pytest.fixture
def shown(tmp_path):
    pytest.importorskip('rerun')
    from millirobot_adapt.analysis.view.rerun_stream import SHOWN, RerunStream
    from millirobot_adapt.recording.reader import open_bag

    recorded = Recorded()
    stream = RerunStream(recorded)
    for message in open_bag(synthetic_run.write_run(tmp_path / 'run', ticks=60, lively=True)).messages(SHOWN):
        stream.take(*message)
    return recorded.logged


def test_everything_that_happened_is_shown_at_its_time(shown):
    assert {
        'world/wanted', 'world/walked', 'world/robot', 'world/robot/body', 'world/robot/legs', 'world/plan', 'events',
        'errors/next_step/before', 'errors/next_step/after', 'errors/off_path', 'tick/ready', 'link/lost',
        'link/round_trip/median',
        *(f'actions/{side}/{kind}' for side in ('left', 'right') for kind in ('wanted', 'sent', 'measured')),
    } <= shown.keys()  # fmt: skip
    poses = shown['world/robot']
    assert len(poses) == 60
    times = np.array([time for time, _ in poses])
    assert np.allclose(np.diff(times), synthetic_run.DT)
    assert abs(times[0] - synthetic_run.START) < 0.1


def test_what_is_said_again_is_shown_once(shown):
    texts = [what.text.as_arrow_array().to_pylist()[0] for _, what in shown['events']]
    assert texts == list(dict.fromkeys(texts))
    assert 'bridge: battery low' in texts


def test_a_leg_has_its_hip_on_the_body_and_its_foot_where_the_model_has_it():
    shape = hexapod_shape()
    body = shape.body
    strip = leg_strip(shape, 'front', 'left', 0.0)
    assert strip[0] == pytest.approx([body.hip_spacing, body.track / 2, 0.0])
    assert strip[-1] == pytest.approx([body.hip_spacing, body.track / 2, -body.leg_length])
    assert leg_strip(shape, 'middle', 'right', 0.0)[-1] == pytest.approx([0.0, -body.track / 2, body.leg_length])


def test_the_legs_of_a_servo_hexapod_stand_at_the_offsets_of_its_gait():
    shape = servo_hexapod_shape()
    feet = {leg: leg_strip(shape, *leg.split('_'), 0.0)[-1][2] for leg in LEGS}
    down, up = -shape.body.leg_length, shape.body.leg_length
    assert [feet[leg] for leg in LEGS] == pytest.approx([down, up, down, up, down, up])


@pytest.mark.parametrize('robot', ['xl330_hexapod', 'rover'])
def test_another_robot_is_shown_by_its_own_shape(robot):
    pytest.importorskip('rerun')
    from millirobot_adapt.analysis.view.rerun_stream import RerunStream

    recorded = Recorded()
    RerunStream(recorded, load_robot(robot))
    assert {'world/robot/body', 'world/robot/front'} <= recorded.logged.keys()


def test_the_command_writes_a_file_that_opens_in_the_viewer(tmp_path, capsys):
    pytest.importorskip('rerun')
    run = synthetic_run.write_run(tmp_path / 'run', ticks=60)
    assert main(['view', str(run), '--save', str(tmp_path / 'x.rrd')]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / 'x.rrd')
    content = (tmp_path / 'x.rrd').read_bytes()
    assert content.startswith(b'RRF')
    assert len(content) > 20_000
