"""Training goes on with what was walked with the model meanwhile."""

import pytest

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app.main import main
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.learning.collect import CollectConfig, collect
from millirobot_adapt.learning.training_run import load_training_run

pytestmark = pytest.mark.train

TINY = ('steps=4', 'check_every=2', 'hidden=8,8', 'window=6', 'horizon=5')


def test_a_further_round_learns_from_its_own_walk_and_says_so(tmp_path, capsys):
    rollouts = collect(CollectConfig(minutes=0.3, rollout_seconds=6.0), load_robot('velociroach'))
    rollouts.save(tmp_path / 'data.npz')
    settings = [part for setting in TINY for part in ('--set', setting)]
    arguments = ['--data', str(tmp_path / 'data.npz'), '--method', 'mb', '--out', str(tmp_path / 'run'), *settings]
    assert main(['train', *arguments, '--rounds', '1', '--round-minutes', '0.05']) == 0
    assert 'round 1: ' in capsys.readouterr().out
    data = load_training_run(tmp_path / 'run').record['data']
    first, walked = data['sources']
    assert first['sha256'] == rollouts.digest()
    assert walked['on_policy_round'] == 1
    assert data['sha256'] != rollouts.digest()
    assert (tmp_path / 'run' / 'round1' / 'model.yaml').is_file()
