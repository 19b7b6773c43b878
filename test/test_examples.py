"""The examples run as they are, on a bag of the repository, and stay short."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from live_run import write_live_run

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / 'examples'
RUN = str(ROOT / 'test' / 'data' / 'bags' / 'leg_loss')
SCRIPTS = {
    'adapt_and_plot.py': ([RUN], ('error over the window', 'one second ahead'), ('adapt.png',)),
    'drive_the_mock.py': (['3'], ('in two seconds', 'cost a step'), ('mock.png',)),
    'own_cost_term.py': (['4'], ('weight 0: ', 'weight 0.003: '), ()),
    'own_robot.py': (['4'], ('as built: ', "'wheel_gain': [1.0, 1.0, 0.5, 0.5]}: "), ('lab_car.yaml',)),
    'compare_models.py': ([RUN], ('velociroach_mb', 'velociroach_rebal'), ()),
}
NEEDS_TORCH = 'train_on_runs.py'


def run(script, arguments, folder, seconds=300):
    environment = {**os.environ, 'MPLBACKEND': 'Agg', 'PYTHONPATH': str(ROOT)}
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip


@pytest.mark.parametrize('script', SCRIPTS)
def test_a_script_runs(script, tmp_path):
    arguments, says, leaves = SCRIPTS[script]
    done = run(script, arguments, tmp_path)
    assert done.returncode == 0, done.stderr
    for text in says:
        assert text in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == set(leaves)
    if script == 'own_cost_term.py':
        words = done.stdout.split()
        free, costly = (float(words[place + 3]) for place, word in enumerate(words) if word == 'legs')
        assert costly < free, 'more weight on effort makes the legs slower'


@pytest.mark.train
def test_the_script_that_trains_runs(tmp_path):
    pytest.importorskip('torch')
    walked = write_live_run(tmp_path / 'run', 240)
    done = run(NEEDS_TORCH, [str(walked), '--steps', '4'], tmp_path, seconds=600)
    assert done.returncode == 0, done.stderr
    assert 'my_model: one second ahead' in done.stdout
    assert (tmp_path / 'my_model' / 'model.yaml').is_file()


def test_every_script_is_tried_is_short_and_stands_in_the_list():
    scripts = {path.name for path in EXAMPLES.glob('*.py')}
    assert scripts == {*SCRIPTS, NEEDS_TORCH}
    listed = (EXAMPLES / 'README.md').read_text()
    for path in (*EXAMPLES.glob('*.py'), *EXAMPLES.glob('*.ipynb')):
        assert f'| `{path.name}` |' in listed
        assert path.suffix != '.py' or len(path.read_text().splitlines()) <= 40, path.name


def test_the_notebook_holds_no_output_and_its_cells_run(tmp_path, monkeypatch, capsys):
    notebook = json.loads((EXAMPLES / 'adapt_and_plot.ipynb').read_text())
    assert notebook['nbformat'] == 4
    cells = [cell for cell in notebook['cells'] if cell['cell_type'] == 'code']
    assert all(cell['outputs'] == [] and cell['execution_count'] is None for cell in cells)
    (tmp_path / 'runs').mkdir()
    (tmp_path / 'runs' / 'latest').symlink_to(RUN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MPLBACKEND', 'Agg')
    names: dict[str, object] = {}
    for cell in cells:
        exec(compile(''.join(cell['source']), 'cell', 'exec'), names)
    assert 'adapting: ' in capsys.readouterr().out
    assert len(names['axes'].lines) >= 3
