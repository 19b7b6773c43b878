"""What a sitting of learning goes on with: the legs that were kept, and the one that only the bag holds."""

import numpy as np
import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.online import kept_legs as module
from millirobot_adapt.learning.online.kept_legs import kept_legs, save_unkept
from millirobot_adapt.learning.rollout_file import cut_walks, load_rollouts
from millirobot_adapt.learning.sources import RecordedWalks

ROBOT = RobotConfig()
TOLD = {'origin': 'mock', 'robot': ROBOT.name, 'dt': ROBOT.dt}


def walk(begin, ticks, action=20.0):
    stamps = begin + ROBOT.dt * np.arange(ticks + 1)
    states = np.zeros((ticks + 1, ROBOT.layout.nx))
    states[:, 0] = stamps
    return stamps, states, np.full((ticks + 1, 2), action)


def save_leg(run, number, begin, ticks, shape):
    leg = cut_walks([walk(begin, ticks)], ticks, ROBOT, {**TOLD, 'shape': shape})
    leg.save(run / 'legs' / f'{number:04}.npz')


@pytest.fixture
def recorded(monkeypatch):
    """Let the bag of a run hold these walks."""

    def record(*walks):
        found = RecordedWalks('run', list(walks), ['run'] * len(walks), True, ROBOT, {**TOLD, 'bag': 'run'})
        monkeypatch.setattr(module, 'read_walks', lambda path: found)

    return record


def test_legs_count_for_what_was_walked_in_them(tmp_path):
    save_leg(tmp_path, 1, 100.0, 50, 'random')
    save_leg(tmp_path, 2, 110.0, 30, 'left')
    assert kept_legs(tmp_path) == [('', 5.0), ('left', 3.0)]


def test_the_leg_that_only_the_bag_holds_is_saved_from_where_the_last_one_ended(tmp_path, recorded):
    save_leg(tmp_path, 1, 100.0, 50, 'random')
    recorded(walk(100.0, 80))
    saved = save_unkept(tmp_path, tmp_path / 'legs')
    assert saved == tmp_path / 'legs' / '0002.npz'
    leg = load_rollouts(saved)
    assert (leg.stamps[0, 0], leg.stamps[0, -1]) == pytest.approx((105.1, 108.0))
    assert leg.valid.sum() == 29
    assert kept_legs(tmp_path)[1] == ('', pytest.approx(2.9))


@pytest.mark.parametrize(
    'tail', [walk(105.1, 5), walk(105.1, 200, action=0.0), walk(90.0, 100)], ids=['short', 'standing', 'kept']
)
def test_what_holds_nothing_new_is_no_leg(tmp_path, recorded, tail):
    save_leg(tmp_path, 1, 100.0, 50, 'random')
    recorded(tail)
    assert save_unkept(tmp_path, tmp_path / 'legs') is None
    assert len(list((tmp_path / 'legs').iterdir())) == 1


def test_a_bag_that_cannot_be_read_costs_no_leg(tmp_path):
    save_leg(tmp_path, 1, 100.0, 50, 'random')
    assert save_unkept(tmp_path, tmp_path / 'legs') is None


def test_a_leg_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / 'legs').mkdir()
    (tmp_path / 'legs' / '0001.npz').write_bytes(b'half')
    with pytest.raises(UserError, match=r'0001\.npz: is not a file of rollouts'):
        kept_legs(tmp_path)
