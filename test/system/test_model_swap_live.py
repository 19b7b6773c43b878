"""Models swapped under a robot that walks: no deadline missed by it, a bad one refused, the run replayed exactly."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from harness import MILLIROBOT, run, wait_for

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ESTIMATOR, RECORDER
from millirobot_adapt.core.config import nest
from millirobot_adapt.core.control.run_state import RunPhase
from millirobot_adapt.ros.operator import Operator

pytestmark = pytest.mark.system

SMALL = Path(__file__).resolve().parents[1] / 'data' / 'bags' / 'small_grbal'
LIGHT = {
    'planner.samples': 20, 'planner.batch': 20, 'planner.horizon': 40, 'misses_allowed': 100, 'engine.threads': 1,
    'trial_ticks': 15, 'path': 'figure8', 'progress_timeout': 0.0,
}  # fmt: skip
"""Leaves time to a loaded machine, lets it live for a while on the last plan, and has no end that comes too early."""
PATIENT = {
    'guardian_silence': 2.0, 'gate.setpoint_timeout': 1.0, 'gate.telemetry_hold': 1.0, 'gate.pose_hold': 5.0,
    'gate.pose_stop': 10.0, 'gate.state_hold': 5.0, 'gate.state_stop': 10.0,
    'gate.fence': [-20.0, -20.0, 20.0, 20.0],
}  # fmt: skip
"""Waits for a loaded machine, and lets a model that predicts badly walk away from the path during its trial."""


@pytest.fixture
def operator():
    operator = Operator()
    yield operator
    operator.close()


def copied(folder, **changes):
    """Copy the small model with other entries of its manifest."""
    shutil.copytree(SMALL, folder, dirs_exist_ok=True)
    manifest = yaml.safe_load((folder / 'model.yaml').read_text())
    (folder / 'model.yaml').write_text(yaml.safe_dump(manifest | changes))
    return str(folder)


def worse(folder):
    """Copy the small model with other biases of its last layer: it predicts changes that never come."""
    with np.load(SMALL / 'theta.npz') as file:
        theta = {name: file[name] for name in file.files}
    last = [name for name in theta if name.startswith('b')][-1]
    folder.mkdir()
    np.savez(folder / 'theta.npz', **theta | {last: theta[last] + 5.0})
    files = yaml.safe_load((SMALL / 'model.yaml').read_text())['files']
    digest = hashlib.sha256((folder / 'theta.npz').read_bytes()).hexdigest()
    content = (folder / 'theta.npz').read_bytes()
    name = copied(folder, files=files | {'theta.npz': digest})
    (folder / 'theta.npz').write_bytes(content)
    return name


def test_models_are_swapped_while_the_robot_walks(group, operator, tmp_path):
    port = group.start_mock(condition='flat')
    group.start(RECORDER, bag=group.folder / 'bag')
    group.start(BRIDGE, port=port, **PATIENT)
    group.start(ESTIMATOR)
    group.start(CONTROLLER, model=SMALL, **LIGHT)
    group.bring_up(RECORDER, BRIDGE, ESTIMATOR, CONTROLLER)

    def look():
        operator.spin(0.05)
        assert group.supervisor.ended() is None

    def walked(revision, count):
        def there():
            assert operator.controller.run.phase is not RunPhase.STOPPED, operator.controller
            return sum(tick.revision == revision for tick in operator.ticks) >= count

        wait_for(there, f'{count} ticks of revision {revision}', between=look)

    wait_for(lambda: operator.call('bridge/arm', 5.0)[0], 'the bridge arms', between=look)
    wait_for(lambda: operator.call('controller/start', 5.0)[0], 'the controller starts', between=look)
    walked(0, 5)
    done, answer = operator.load_model(copied(tmp_path / 'slow', dt=0.2), 20.0)
    assert not done
    assert answer.startswith('refused: ')
    assert 'dt = 0.2 s' in answer
    # A copy predicts as well and stays; one that predicts worse is in use for its trial alone.
    assert operator.load_model(copied(tmp_path / 'copy'), 20.0) == (True, 'in use as revision 1')
    walked(1, 20)
    assert operator.load_model(worse(tmp_path / 'worse'), 20.0) == (True, 'in use as revision 2')
    walked(3, 5)
    wait_for(lambda: operator.controller.details['model'] == 'copy', 'it is told', between=look)
    assert 'revision 3: model copy back for worse, which predicted worse: error' in group.log(CONTROLLER)
    assert operator.call('controller/finish', 5.0)[0]
    wait_for(lambda: operator.controller.run.phase is RunPhase.FINISHED, 'the end', between=look)
    group.supervisor.stop()

    parameters = nest({**LIGHT, 'model': str(SMALL)})
    settings = tmp_path / 'as_started.yaml'
    settings.write_text(json.dumps({'controller': {'ros__parameters': parameters}}))
    answer = run(
        [*MILLIROBOT, 'replay', str(group.folder / 'bag'), '--check', '--json', '--params', str(settings)], seconds=180
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    figures = json.loads(answer.stdout)
    assert figures['exact']
    assert figures['compared']['ticks'] > 40
