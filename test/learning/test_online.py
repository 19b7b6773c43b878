"""Learning beside the robot, on the toy robot: what is held out, when training waits, what is exported."""

import copy
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.core.dynamics.bundle import load_bundle  # noqa: E402
from millirobot_adapt.core.errors import UserError  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.learning.learner_file import Start, load_start  # noqa: E402
from millirobot_adapt.learning.online.learn_config import SITTING_TRAINING, LearnConfig  # noqa: E402
from millirobot_adapt.learning.online.learner import Learner  # noqa: E402
from millirobot_adapt.learning.online.online_trainer import OnlineTrainer  # noqa: E402
from millirobot_adapt.learning.online.walk_store import WalkStore  # noqa: E402
from millirobot_adapt.learning.rollout_file import cut_walks  # noqa: E402
from millirobot_adapt.learning.train_config import TrainConfig  # noqa: E402

pytestmark = pytest.mark.train

ROBOT = RobotConfig()
TRAIN = TrainConfig(hidden=(16, 16), window=8, horizon=5, check_every=20, batch=32, learning_rate=3e-3)
LEARN = LearnConfig(held_out=4, serve_every=0.5, epochs=1000.0)


def leg(toy_rollouts, number, length=400):
    """One walk of 40 s, as a file of a leg holds it."""
    made = toy_rollouts(count=1, length=length, seed=number)
    actions = np.append(made.actions[0], np.full((1, 2), np.nan), axis=0)
    walk = (made.stamps[0], made.states[0].astype(float), actions.astype(float))
    return cut_walks([walk], length, ROBOT, {'origin': 'mock', 'robot': 'velociroach', 'dt': ROBOT.dt})


def walks(rollouts):
    actions = np.append(rollouts.actions[0], np.full((1, 2), np.nan), axis=0)
    return [(rollouts.stamps[0], rollouts.states[0].astype(float), actions)]


def test_pieces_are_held_out_early_and_then_one_of_so_many(toy_rollouts):
    store = WalkStore(ROBOT, length=13, held_out=4, recent=2)
    store.add(walks(leg(toy_rollouts, 0, 200)))
    assert not store.ready
    store.add(walks(leg(toy_rollouts, 1, 100)))
    assert store.ready
    assert (len(store.training), len(store.held_out)) == (2 * 88, 88)
    store.add(walks(leg(toy_rollouts, 2, 900)))
    assert store.transitions == 1200
    assert len(store.training) == 9 * 88
    assert len(store.held_out) == 2 * 88, 'the newest two'


def test_memory_keeps_the_newest_pieces(toy_rollouts):
    store = WalkStore(ROBOT, length=13, held_out=4, memory=3)
    store.add(walks(leg(toy_rollouts, 0, 1200)))
    newest = walks(leg(toy_rollouts, 1, 400))
    store.add(newest)
    assert len(store.training) == 3 * 88


def test_it_learns_serves_what_is_better_and_waits_for_data(toy_rollouts, tmp_path):
    learner = Learner(TRAIN, LEARN, ROBOT, tmp_path)
    assert learner.waiting
    assert learner.serve(0.0) is None
    learner.take('0001.npz', leg(toy_rollouts, 0))
    assert not learner.waiting
    first = learner.work()
    looks = [learner.work() for _ in range(15)]
    assert min(look.held_out for look in looks) < 0.8 * first.held_out
    folder = learner.serve(10.0)
    assert folder == tmp_path / '0001'
    assert learner.serve(11.0) is None, 'nothing new'
    learner.take('0002.npz', leg(toy_rollouts, 1))
    assert not learner.waiting, 'data came'
    best = float('inf')
    for _ in range(8):
        best = min(best, learner.work().held_out)
    assert learner.serve(12.0) is None, 'too soon'
    second = learner.serve(60.0)
    bundle = load_bundle(str(second or folder), ROBOT)
    assert bundle.origin == 'mock'
    rows = bundle.manifest['lineage']['data']
    assert [row['file'] for row in rows][:1] == ['0001.npz']
    if second is not None:
        assert bundle.manifest['lineage']['parent'] == load_bundle(str(folder), ROBOT).digest
        assert sum(row['ticks'] for row in rows) == learner.transitions == 800


def test_it_waits_for_data_when_the_held_out_error_rises_above_its_average(toy_rollouts, monkeypatch):
    trainer = OnlineTrainer(TRAIN, LEARN, ROBOT)
    trainer.take(walks(leg(toy_rollouts, 0)))
    losses = iter([1.0, 0.5, 0.7, 0.9])
    monkeypatch.setattr(trainer, 'judge', lambda model: (next(losses), 0.01))
    looks = [trainer.train(1) for _ in range(4)]
    assert [look.average for look in looks] == pytest.approx([1.0, 0.8, 0.76, 0.816])
    assert [look.waits for look in looks] == [False, False, False, True]
    assert trainer.waiting
    monkeypatch.undo()
    trainer.take(walks(leg(toy_rollouts, 1)))
    assert not trainer.waiting
    assert trainer.train(1).average == trainer.train(0).held_out, 'the average begins again'


def test_it_waits_for_data_when_each_segment_was_drawn_so_often(toy_rollouts, monkeypatch):
    trainer = OnlineTrainer(TRAIN, replace(LEARN, epochs=0.4), ROBOT)
    monkeypatch.setattr(trainer, 'judge', lambda model: (1.0 / (1 + trainer.step), 0.01))  # it gets better for ever
    for count in (1, 2):
        trainer.take(walks(leg(toy_rollouts, count)))
        assert not trainer.waiting, 'there is data of which it has drawn little'
        drawn = 0.4 * len(trainer.store.training)
        while not trainer.waiting:
            trainer.train(1)
        assert trainer.step == int(np.ceil(drawn / TRAIN.batch))


def test_it_goes_on_from_a_bundle_and_numbers_the_next_ones_after_it(toy_rollouts, tmp_path):
    learner = Learner(TRAIN, LEARN, ROBOT, tmp_path)
    learner.take('0001.npz', leg(toy_rollouts, 0))
    for _ in range(10):
        reached = learner.work().held_out
    folder = learner.serve(0.0)
    again = Learner(TRAIN, LEARN, ROBOT, tmp_path, load_start(folder, ROBOT))
    again.take('0001.npz', leg(toy_rollouts, 0))
    assert again.work().held_out < 1.3 * reached
    next_one = again.serve(0.0)
    assert next_one == tmp_path / '0002'
    told = [load_bundle(str(each), ROBOT).manifest['lineage'] for each in (folder, next_one)]
    assert [each['generation'] for each in told] == [0, 1]
    assert told[1]['data'] == told[0]['data'], 'a walk that is taken again is one source'


def test_a_sitting_also_learns_to_predict_before_the_window_is_full(toy_rollouts):
    """A run begins with an empty window: the robot walks with theta* itself, whatever one step would make of it."""
    rollouts = walks(leg(toy_rollouts, 0, 800))
    first = OnlineTrainer(TRAIN, LEARN, ROBOT)
    first.take(rollouts)
    for _ in range(8):
        first.train(20)
    # All outputs are off by the same, and the step of a whole window takes just that back.
    off = copy.deepcopy(first.best)
    with torch.no_grad():
        off.theta[-1].add_(0.6)
        off.sizes.log_psi[-1].fill_(float(np.log(len(off.theta[-1]) / 2)))
    errors = {}
    for name, config in (
        ('whole windows', TRAIN),
        ('a sitting', replace(TRAIN, short_windows=SITTING_TRAINING['short_windows'])),
    ):
        trainer = OnlineTrainer(config, LEARN, ROBOT, Start(copy.deepcopy(off), {}, ''))
        trainer.take(rollouts)
        for _ in range(10):
            trainer.train(20)
        errors[name] = [error(model, trainer.store.held_out, 0) for model in (first.best, off, trainer.best)]
    before, moved, sitting = errors['a sitting']
    assert moved > 2.0 * before
    assert sitting < 0.65 * errors['whole windows'][2], errors


def error(model, segments, known):
    """Position error at the horizon [m] when the newest `known` transitions of each window are there."""
    past, future = segments.divide(TRAIN.window)
    mask = (torch.arange(TRAIN.window) >= TRAIN.window - known).float().expand(len(segments), -1)
    with torch.no_grad():
        return float(model.score(past, future, mask=mask).position)


def test_a_model_is_judged_by_short_windows_too(toy_rollouts):
    """The same two models, in the eyes of two trainers: what whole windows take back, short ones do not."""
    judges = {part: OnlineTrainer(replace(TRAIN, short_windows=part), LEARN, ROBOT) for part in (0.0, 0.5)}
    for judge in judges.values():
        judge.take(walks(leg(toy_rollouts, 0)))
    judges[0.0].train(100)
    good = judges[0.0].best
    bad = copy.deepcopy(good)
    with torch.no_grad():
        bad.theta[-1].add_(2.0)
        bad.sizes.log_psi[-1].fill_(float(np.log(len(bad.theta[-1]) / 4)))
    worse = {part: judge.judge(bad)[0] / judge.judge(good)[0] for part, judge in judges.items()}
    assert worse[0.5] > 1.5 * worse[0.0], worse


def test_where_training_waited_it_goes_on_from_the_best_model(toy_rollouts, monkeypatch):
    trainer = OnlineTrainer(TRAIN, LEARN, ROBOT)
    trainer.take(walks(leg(toy_rollouts, 0)))
    judged = []

    def judge(model):
        judged.append(copy.deepcopy(model))
        return (1.0, 0.5, 0.7, 0.9, 0.8, 0.1)[len(judged) - 1], 0.01

    monkeypatch.setattr(trainer, 'judge', judge)
    assert [trainer.train(3).waits for _ in range(4)] == [False, False, False, True]
    assert same(trainer.best, judged[1])
    assert not same(judged[3], judged[1])
    trainer.take(walks(leg(toy_rollouts, 1)))
    trainer.train(0)  # no step, so what is judged is where training goes on
    assert [same(model, judged[1]) for model in judged[4:]] == [True, True]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.trained(), other.trained(), strict=True))


def test_a_method_that_is_fitted_at_once_is_refused(toy_rollouts, tmp_path):
    learner = Learner(TrainConfig(method='rls', window=8, horizon=5), LEARN, ROBOT, tmp_path)
    with pytest.raises(UserError, match='learn with mb, grbal or rebal'):
        learner.take('0001.npz', leg(toy_rollouts, 0))
