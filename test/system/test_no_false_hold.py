"""Twenty live demos on all floors and with faults of the robot: poses and replies come, so nothing holds it."""

import subprocess
from pathlib import Path

import pytest
from harness import MILLIROBOT

from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.core.safety.causes import HoldCause
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.stored_states import bridge_state

pytestmark = [pytest.mark.system, pytest.mark.long]

CONDITIONS = (
    'flat', 'carpet', 'styrofoam', 'turf', 'leg_loss', 'leg_loss_worn', 'missing_middle_leg', 'payload_30g',
    'pose_offset', 'slope_12_styrofoam',
)  # fmt: skip
SEEDS = (0, 1)
SECONDS = 10


def walk(folder: Path, condition: str, seed: int) -> Path:
    """Walk a demo, with few candidates, and return its run folder."""
    command = [*MILLIROBOT, 'demo', '--out', str(folder), '--condition', condition, '--seed', str(seed)]
    command += ['--seconds', str(SECONDS), '--set', 'controller.planner.samples=100']
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder / 'latest'


def holds(run: Path) -> tuple[int, list[str]]:
    """Return the ticks of a run, and every hold and every stop between the first tick and the last, as text."""
    data = read_run_data(open_bag(run / 'bag'))
    found = []
    for status in data.bridge:
        state = bridge_state(status.text, status.values)
        walking = data.origin + 0.5 < status.received < data.walk_end
        if walking and state is not None and (not state.armed or state.hold is not HoldCause.NONE):
            found.append(f'{status.received - data.origin:.1f} s: {state.reason}')
    return len(data.ticks), found


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('condition', CONDITIONS)
def test_a_demo_is_never_held_while_poses_and_replies_come(tmp_path, condition, seed):
    ticks, held = holds(walk(tmp_path, condition, seed))
    print(f'{condition}, seed {seed}: {ticks} ticks, {len(held)} holds')
    assert ticks >= 0.95 * 10 * SECONDS
    assert held == []
