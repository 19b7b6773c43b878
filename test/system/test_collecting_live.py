"""A lab trains on its own: collect through the real processes, train on the bag, walk with the model."""

import json
import signal
import subprocess

import pytest
import yaml
from harness import MILLIROBOT, processes_with, run, wait_for

from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.app.main import main
from millirobot_adapt.core.control.run_state import RunPhase
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.sources import read_bag
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.stored_states import controller_state

pytestmark = pytest.mark.system

TINY = [
    part
    for setting in ('steps=50', 'check_every=25', 'hidden=16,16', 'window=8', 'horizon=5')
    for part in ('--set', setting)
]


ROOM = [
    '--set',
    'collector.stale_after=5.0',
    '--set',
    'bridge.gate.pose_stop=5.0',
    '--set',
    'bridge.gate.state_stop=5.0',
]
"""A loaded machine may be late; how soon the robot is stopped then is tested elsewhere."""


def collect(folder, minutes):
    return [*MILLIROBOT, 'collect', '--live', '--out', str(folder), '--minutes', str(minutes), *ROOM]


@pytest.mark.train
def test_collect_train_export_and_walk(tmp_path):
    pytest.importorskip('torch')
    answer = run(collect(tmp_path / 'runs', 0.15), seconds=150)
    assert answer.returncode == 0, answer.stderr
    assert 'usable transitions; next: millirobot train --data' in answer.stdout
    assert processes_with(str(tmp_path)) == []
    walk = tmp_path / 'runs' / 'latest'
    assert (walk / 'report.html').is_file()
    rollouts = read_bag(walk)
    assert 20 < rollouts.valid.sum() <= 91
    assert rollouts.metadata['origin'] == 'mock'

    # One walk cannot be divided into what is learned from and what is checked with; more data come from lock-step.
    assert main(['collect', '--out', str(tmp_path / 'more.npz'), '--minutes', '1']) == 0
    for method in ('mb', 'grbal'):
        training, bundle = str(tmp_path / f'run_{method}'), tmp_path / method
        data = [str(walk), str(tmp_path / 'more.npz')]
        assert main(['train', '--data', *data, '--method', method, '--out', training, *TINY]) == 0
        assert main(['export-model', training, '--out', str(bundle)]) == 0
        manifest = yaml.safe_load((bundle / 'model.yaml').read_text())
        assert manifest['data']['origin'] == 'mock'
        assert manifest['data']['sources'][0]['bag'] == walk.resolve().name
        assert manifest['data']['sources'][0]['sha256'] == rollouts.digest()

    options = ['--model', str(tmp_path / 'grbal'), '--seconds', '3', '--set', 'controller.planner.samples=100']
    answer = run([*MILLIROBOT, 'demo', '--out', str(tmp_path / 'demo'), *options], seconds=120)
    assert answer.returncode == 0, answer.stderr
    summary = json.loads((tmp_path / 'demo' / 'latest' / 'summary.json').read_text())
    assert summary['ticks'] >= 28


def usable(folder):
    """Count the transitions of a bag that can be learned from; it may still be growing."""
    try:
        return int(read_bag(folder).valid.sum())
    except UserError:
        return 0


def test_ctrl_c_stops_the_robot_and_keeps_what_was_collected(tmp_path):
    with (tmp_path / 'output').open('w') as output:
        program = subprocess.Popen(collect(tmp_path, 5), stdout=output, stderr=output, start_new_session=True)
    try:
        log = tmp_path / 'latest' / 'logs' / 'collector.log'
        wait_for(lambda: 'walking at random' in (tmp_path / 'output').read_text(), 'it walks', seconds=90)
        wait_for(lambda: len(list(tmp_path.glob('latest/bag/*.mcap'))) == 1 and log.exists(), 'a bag')
        wait_for(lambda: usable(tmp_path / 'latest') > 5, 'a walk that can be interrupted', seconds=90)
        program.send_signal(signal.SIGINT)
        assert program.wait(60) == 130, (tmp_path / 'output').read_text()
    finally:
        program.kill()
        program.wait()
    assert processes_with(str(tmp_path)) == []
    recorded = read_run_data(open_bag(tmp_path / 'latest'))
    assert not recorded.sent.values[-1].any(), 'the last setpoint was zero'
    states = [controller_state(state.text, state.values) for state in recorded.controller]
    # Before it is configured, a node tells nothing of a run.
    assert any(state is not None and state.run.phase is RunPhase.STOPPED for state in states)
    assert usable(tmp_path / 'latest') > 5


def test_bad_input_is_one_line(tmp_path, capsys):
    for options, complaint in (
        (['--live', '--set', 'collector.radiu=1'], "did you mean 'radius'"),
        (['--live', '--condition', 'nowhere'], 'nowhere'),
        (['--live', '--minutes', '0'], 'below its lowest value'),
        (['--port', '/dev/ttyUSB0'], 'add --live'),
        ([], '--out is missing'),
    ):
        where = ['--out', str(tmp_path)] if '--live' in options else []
        assert main(['collect', *options, *where]) == 2
        error = capsys.readouterr().err
        assert complaint in error
        assert error.count('\n') == 1
    assert list(tmp_path.iterdir()) == []
