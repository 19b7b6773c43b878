"""The controller's schedule, driven by hand: no thread, no clock but a fake one."""

from types import SimpleNamespace

import numpy as np
import pytest
from robots import LAYOUT, NU, NX

from millirobot_adapt.core.control.controller import Controller
from millirobot_adapt.core.control.run_state import BridgeNews, NotReadyError, RunPhase, RunStatus
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample
from millirobot_adapt.core.planning.planner_interface import Plan
from millirobot_adapt.core.safety.causes import HoldCause, StopCause

DT = 0.1
MISSED = 'stopped: 3 deadlines in a row were missed; close other programs, or --set controller.planner.samples=100'


def sample(stamp, state, pose_age=0.01, fault=PoseFault.NONE):
    return StateSample(0, stamp, state, StateQuality(pose_age, 0.001, 0.01, coasting=False, fault=fault))


class FakeLoop:
    """Plans 100 * tick + row, and remembers what it was given."""

    def __init__(self):
        self.restarts, self.steps, self.tunings = [], [], []
        self.candidates, self.finite, self.finished = 8, 8, False
        self.samples, self.cut_short, self.failed = 400, False, ''

    def restart(self, path):
        self.restarts.append(path)

    def tune(self, tuning):
        self.tunings.append((tuning, len(self.steps)))

    def step(self, tick, stamp, state, sent, executing, budget, share):
        self.steps.append(
            SimpleNamespace(
                tick=tick, stamp=stamp, state=state, sent=sent, executing=executing, budget=budget, share=share
            )
        )
        actions = np.array([[100.0 * tick + row] * 2 for row in range(5)]) if self.finite else np.zeros((5, 2))
        cost = 0.0 if self.finite else np.inf
        plan = Plan(actions, np.zeros((6, NX)), cost, (0.0, 0.0), 1.0, self.candidates, self.finite, 1)
        return SimpleNamespace(
            tick=tick,
            plan=plan,
            cut_short=self.cut_short,
            tracking=SimpleNamespace(finished=self.finished, failed=self.failed),
            record=lambda **kw: TickRecord.without_state(tick, kw['stamp'], kw['seed'], executing, nx=NX),
        )


class Bench:
    """A controller with a fake clock; host time is steady time + `clock`."""

    def __init__(self, lay_path=lambda state: ('path from', state[0])):
        self.now, self.clock = 0.0, 1000.0
        self.sent = []
        self.loop = FakeLoop()
        self.controller = Controller(
            self.loop,
            lay_path,
            dt=DT,
            layout=LAYOUT,
            seed=1,
            deadline=0.08,
            misses_allowed=2,
            stale_after=0.5,
            state_timeout=0.75,
            steady=lambda: self.now,
        )

    def begin(self):
        setpoint = self.controller.begin_tick(self.clock + self.now)
        sent = np.zeros(NU) if setpoint is None else setpoint  # the bridge sends zero when nobody speaks
        self.sent.append(sent)
        self.controller.on_sent(self.clock + self.now + 0.001, sent)
        return setpoint

    def answer(self, value=0.0):
        self.controller.on_state(sample(self.clock + self.now + 0.003, np.full(NX, value)))

    def answered(self):
        """Return the state that answers the tick under way; None while there is none."""
        board = self.controller.board
        return board.inbox.answer(board.tick)

    def tick(self, *, answered=True, planned=True, value=0.0):
        setpoint = self.begin()
        if answered:
            self.answer(value)
            if planned and self.controller.status.phase is RunPhase.RUNNING:
                self.controller.work()
        self.now += DT
        return setpoint

    def without_states(self, ticks):
        return [self.tick(answered=False) for _ in range(ticks)]

    def running(self):
        self.tick()
        self.controller.on_bridge(BridgeNews(True))
        self.controller.start()
        return self


def test_it_stands_until_started_and_says_what_it_waits_for():
    bench = Bench()
    assert bench.controller.status.text.startswith('waiting: no state yet')
    with pytest.raises(NotReadyError, match='no state yet'):
        bench.controller.start()
    assert bench.tick() is None, 'others may drive'
    assert bench.controller.status.text == 'idle'
    with pytest.raises(NotReadyError, match='not armed'):
        bench.controller.start()
    bench.now += 1.0
    assert 'old' in bench.controller.status.text


def test_each_tick_sends_what_the_tick_before_planned_and_gives_the_loop_what_was_sent():
    bench = Bench().running()
    assert bench.loop.restarts == [('path from', 0.0)]
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    np.testing.assert_array_equal(bench.tick(), [101, 101])
    np.testing.assert_array_equal(bench.tick(), [201, 201])
    last = bench.loop.steps[-1]
    assert last.tick == 3
    np.testing.assert_array_equal(last.sent, [101, 101])
    np.testing.assert_array_equal(last.executing, [201, 201])


def test_a_late_plan_leaves_the_next_action_of_the_last_one_and_several_stop():
    bench = Bench().running()
    bench.tick()
    np.testing.assert_array_equal(bench.tick(), [101, 101])
    sent = [bench.tick(planned=False) for _ in range(4)]
    np.testing.assert_array_equal(sent, [[201, 201], [202, 202], [203, 203], [0, 0]])
    assert bench.controller.status.text == MISSED


def test_without_states_the_robot_stands_and_walks_on_when_they_come_again():
    bench = Bench().running()
    bench.tick()
    bench.tick()
    sent = bench.without_states(6)
    np.testing.assert_array_equal(sent, [[201, 201], [202, 202], [203, 203], [0, 0], [0, 0], [0, 0]])
    bench.tick()
    np.testing.assert_array_equal(bench.tick(), [901, 901])
    assert bench.controller.status.text == 'running'


def test_a_plan_that_is_late_after_states_were_missing_does_not_count_for_all_of_them():
    bench = Bench().running()
    bench.tick()
    bench.without_states(5)
    bench.tick(planned=False)
    bench.tick()
    bench.tick()
    assert bench.controller.status.text == 'running'


def test_a_run_ends_when_no_state_comes_for_long():
    bench = Bench().running()
    bench.tick()
    bench.without_states(9)
    assert bench.controller.status.text == (
        'stopped: no state has come for 0.75 s; look at link and motion capture, or close other programs'
    )


def test_a_tick_without_a_state_is_recorded_as_such():
    bench = Bench().running()
    bench.tick()
    bench.begin()  # nobody answers; the worker waits, and the next tick releases it
    tick = bench.controller.board.next_tick()
    bench.now += DT
    bench.begin()
    assert bench.controller.board.state_of(tick) is None
    bench.answer()
    record = bench.controller.work()
    assert record.tick == tick.number + 1
    assert record.misses == 1


def test_a_state_of_the_tick_before_does_not_answer_this_one():
    bench = Bench().running()
    bench.tick()
    bench.begin()
    assert bench.answered() is None
    bench.answer()
    assert bench.answered() is not None


def test_an_action_nobody_saw_sent_is_unknown_to_the_loop():
    bench = Bench().running()
    bench.tick()
    bench.controller.begin_tick(1000 + bench.now)  # its `sent` is lost
    bench.answer()
    bench.controller.work()
    np.testing.assert_array_equal(bench.loop.steps[-1].executing, [101, 101])
    bench.now += DT
    bench.tick()
    assert bench.loop.steps[-1].sent is None


def test_a_bridge_that_disarms_ends_the_run():
    bench = Bench().running()
    bench.tick()
    bench.controller.on_bridge(BridgeNews(False, 'fence'))
    assert bench.controller.status.text == 'stopped: the bridge disarmed (fence)'
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    assert bench.tick() is None, 'one zero ends a run, then others may drive'


def test_the_loop_is_given_what_is_left_until_the_deadline_of_the_tick():
    bench = Bench().running()
    bench.begin()
    bench.now += 0.03  # the state comes late
    bench.answer()
    bench.controller.work()
    assert bench.loop.steps[-1].budget == pytest.approx(0.05)


def test_without_time_for_a_single_chunk_the_next_action_of_the_last_plan_goes_out_and_several_stop():
    bench = Bench().running()
    bench.tick()
    bench.loop.candidates = bench.loop.finite = 0
    sent = [bench.tick() for _ in range(4)]
    np.testing.assert_array_equal(sent, [[101, 101], [102, 102], [103, 103], [0, 0]])
    assert bench.controller.status.text == MISSED


def test_one_plan_in_time_clears_the_missed_deadlines():
    bench = Bench().running()
    for _ in range(4):
        bench.loop.candidates = bench.loop.finite = 0
        bench.tick()
        bench.tick()
        bench.loop.candidates = bench.loop.finite = 8
        bench.tick()
    assert bench.controller.status.text == 'running'


def test_a_model_without_a_usable_prediction_holds_then_stops():
    bench = Bench().running()
    bench.tick()
    bench.loop.finite = 0
    bench.tick()
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    assert bench.controller.status.text == 'running'
    bench.tick()
    assert bench.controller.status.text == 'stopped: the model predicted nothing usable 3 times in a row'


def test_a_model_that_recovers_walks_on():
    bench = Bench().running()
    for _ in range(4):
        bench.loop.finite = 0
        bench.tick()
        bench.loop.finite = 8
        bench.tick()
    assert bench.controller.status.text == 'running'
    assert bench.tick()[0] > 0


def test_the_end_of_the_path_finishes():
    bench = Bench().running()
    bench.loop.finished = True
    bench.tick()
    assert bench.controller.status.text == 'finished'
    np.testing.assert_array_equal(bench.tick(), [0, 0])


def test_a_state_that_is_not_finite_is_no_state():
    bench = Bench()
    bench.begin()
    bench.controller.on_state(sample(1000.0, np.full(NX, np.nan)))
    assert bench.controller.status.text.startswith('waiting')


def test_a_second_run_starts_afresh():
    bench = Bench().running()
    bench.tick()
    bench.tick()
    bench.controller.stop('operator', StopCause.OPERATOR)
    assert bench.controller.status.text == 'stopped: operator'
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    bench.controller.start()
    assert len(bench.loop.restarts) == 2
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    assert bench.tick()[0] > 0


def test_a_closed_controller_lets_its_worker_go():
    bench = Bench()
    bench.controller.close()
    assert bench.controller.work() is None


def test_a_tick_of_the_run_before_is_left_alone_when_a_new_run_begins():
    bench = Bench().running()
    bench.begin()
    bench.answer()
    tick = bench.controller.board.next_tick()  # the worker has it in hand ...
    bench.controller.stop('operator', StopCause.OPERATOR)
    bench.controller.start()  # ... when the next run begins
    assert bench.controller.work_on(tick) is None
    assert bench.loop.steps == []
    bench.now += DT
    bench.begin()
    bench.answer()
    assert bench.controller.work().tick == tick.number + 1


def test_a_state_of_the_next_tick_does_not_answer_this_one():
    bench = Bench().running()
    bench.tick()
    bench.begin()  # its reply is lost
    tick = bench.controller.board.next_tick()
    bench.now += DT
    bench.begin()
    bench.answer()  # a busy worker looks only now
    assert bench.controller.board.state_of(tick) is None
    assert bench.controller.work().tick == tick.number + 1


def test_what_the_next_tick_sent_is_not_what_this_one_executes():
    bench = Bench().running()
    bench.tick()
    setpoint = bench.controller.begin_tick(1000 + bench.now)  # its `sent` is lost
    bench.controller.on_sent(1000 + bench.now + DT + 0.001, np.array([7.0, 7.0]))
    bench.answer()
    bench.controller.work()
    np.testing.assert_array_equal(bench.loop.steps[-1].executing, setpoint)


def test_a_paused_robot_stands_from_the_next_tick_on_and_goes_on_with_the_same_run():
    bench = Bench().running()
    bench.tick()
    assert bench.tick()[0] > 0
    bench.controller.pause()
    assert bench.controller.status.text == 'paused'
    steps = len(bench.loop.steps)
    for _ in range(20):  # longer than any deadline
        np.testing.assert_array_equal(bench.tick(), [0, 0])
        record = bench.controller.work()
        assert (record.running, record.misses) == (0.0, 0.0)
        assert np.isnan(record.state_stamp)
    assert len(bench.loop.steps) == steps, 'nothing is planned or learned while paused'
    bench.controller.resume()
    assert bench.controller.status.text == 'running'
    np.testing.assert_array_equal(bench.tick(), [0, 0], err_msg='nothing is planned yet')
    assert bench.tick()[0] > 0
    assert len(bench.loop.restarts) == 1, 'the run and its progress are kept'


def test_a_plan_that_comes_while_pausing_is_not_followed_after_it():
    bench = Bench().running()
    bench.tick()
    bench.begin()
    bench.answer()
    tick = bench.controller.board.next_tick()  # the worker has it in hand ...
    bench.controller.pause()
    bench.controller.work_on(tick)  # ... and is late
    bench.now += DT
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    bench.controller.resume()
    np.testing.assert_array_equal(bench.tick(), [0, 0])


def test_a_pause_between_two_late_plans_misses_no_deadline():
    bench = Bench().running()
    bench.tick()
    bench.tick(planned=False)
    bench.tick(planned=False)
    bench.controller.pause()
    bench.tick(planned=False)
    bench.controller.resume()
    sent = [bench.tick(planned=False) for _ in range(4)]
    np.testing.assert_array_equal(sent, np.zeros((4, 2)))
    assert bench.controller.status.text == MISSED


def test_resume_wants_a_fresh_state_and_an_armed_bridge():
    bench = Bench().running()
    bench.tick()
    with pytest.raises(NotReadyError, match='not paused'):
        bench.controller.resume()
    bench.controller.pause()
    with pytest.raises(NotReadyError, match='a run is paused; resume goes on with it'):
        bench.controller.start()
    with pytest.raises(NotReadyError, match='already paused'):
        bench.controller.pause()
    bench.now += 1.0
    with pytest.raises(NotReadyError, match='old'):
        bench.controller.resume()
    assert bench.controller.status.text == 'paused'
    bench.controller.on_bridge(BridgeNews(False, 'by the operator'))
    assert bench.controller.status.text == 'stopped: the bridge disarmed (by the operator)'
    with pytest.raises(NotReadyError, match='not paused'):
        bench.controller.resume()


def test_a_paused_run_can_be_stopped_and_another_one_started():
    bench = Bench().running()
    bench.tick()
    bench.controller.pause()
    bench.tick()
    bench.controller.stop('by the operator', StopCause.OPERATOR)
    assert bench.controller.status.text == 'stopped: by the operator'
    with pytest.raises(NotReadyError, match='not running'):
        bench.controller.pause()
    bench.tick()
    bench.controller.start()
    assert bench.controller.status.text == 'running'


@pytest.mark.parametrize('paused', [False, True])
def test_finish_ends_a_run_as_finished(paused):
    bench = Bench().running()
    bench.tick()
    bench.tick()
    if paused:
        bench.controller.pause()
    bench.controller.finish('by the operator')
    assert bench.controller.status.text == 'finished: by the operator'
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    assert bench.tick() is None
    with pytest.raises(NotReadyError, match='not running'):
        bench.controller.finish('by the operator')


def test_other_parameters_are_in_force_from_the_next_planned_tick_on():
    bench = Bench().running()
    bench.tick()
    bench.begin()
    bench.answer()
    tick = bench.controller.board.next_tick()
    bench.controller.tune('first')
    bench.controller.tune('second')
    assert bench.loop.tunings == [], 'nothing changes between two ticks, let alone within one'
    bench.controller.work_on(tick)
    assert bench.loop.tunings == [('second', 1)], 'and it does so before the step'
    bench.now += DT
    bench.tick()
    assert len(bench.loop.tunings) == 1


def test_a_path_that_is_not_there_yet_is_said_at_the_start():
    def no_path(state):
        raise UserError('no path has come')

    bench = Bench(no_path)
    bench.tick()
    bench.controller.on_bridge(BridgeNews(True))
    with pytest.raises(NotReadyError, match='no path has come'):
        bench.controller.start()
    assert bench.controller.status.text == 'idle'


def test_a_hand_that_takes_over_pauses_the_run_until_it_is_resumed():
    bench = Bench().running()
    bench.tick()
    assert bench.tick().any()
    bench.controller.on_bridge(BridgeNews(True, taken_by='teleop'))
    assert bench.controller.status == RunStatus(RunPhase.PAUSED, 'teleop has taken over')
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    with pytest.raises(NotReadyError, match='teleop drives the robot'):
        bench.controller.resume()
    bench.controller.on_bridge(BridgeNews(True))
    np.testing.assert_array_equal(bench.tick(), [0, 0], 'it does not walk on by itself')
    bench.controller.resume()
    bench.tick()
    assert bench.tick().any()


def test_no_run_starts_while_another_source_drives():
    bench = Bench()
    bench.tick()
    bench.controller.on_bridge(BridgeNews(True, taken_by='collector'))
    with pytest.raises(NotReadyError, match='collector drives the robot'):
        bench.controller.start()


def test_legs_that_do_not_follow_end_the_run_with_the_bridges_reason():
    bench = Bench().running()
    bench.tick()
    bench.controller.on_bridge(BridgeNews(True, 'no setpoint for 0.2 s', hold=HoldCause.SETPOINT))
    assert bench.controller.status.phase is RunPhase.RUNNING, 'other holds end with their cause'
    bench.controller.on_bridge(BridgeNews(True, 'the left leg does not follow', hold=HoldCause.LEGS))
    assert bench.controller.status == RunStatus(RunPhase.STOPPED, 'the left leg does not follow', StopCause.FAULT)
    np.testing.assert_array_equal(bench.tick(), [0, 0])


def test_after_a_thread_has_died_the_robot_stands_and_no_run_starts():
    bench = Bench().running()
    bench.tick()
    bench.controller.fail("the thread 'work' failed: ZeroDivisionError")
    np.testing.assert_array_equal(bench.tick(), [0, 0])
    assert bench.tick() is None
    assert bench.controller.status.cause is StopCause.FAULT
    with pytest.raises(NotReadyError, match="the thread 'work' failed"):
        bench.controller.start()


def shares(bench):
    return [step.share for step in bench.loop.steps]


def test_it_draws_fewer_candidates_while_searches_are_cut_short_and_more_again_afterwards():
    bench = Bench().running()
    bench.tick()
    bench.loop.cut_short = True
    for _ in range(5):
        bench.tick()
    bench.loop.cut_short = False
    for _ in range(70):
        bench.tick()
    found = shares(bench)
    assert found[:6] == [1.0, 1.0, 0.5, 0.25, 0.125, 0.125]
    assert found[6:] == sorted(found[6:])
    assert found[-1] == 1.0


def test_a_tick_that_begins_late_sheds_load_though_its_search_was_in_time():
    bench = Bench().running()
    bench.tick()
    bench.now += 0.4 * DT  # nobody woke the ticker
    bench.tick()
    bench.tick()
    assert shares(bench) == [1.0, 1.0, 0.5]


def test_a_lost_reply_sheds_no_load():
    bench = Bench().running()
    bench.tick()
    bench.tick(answered=False)
    bench.tick()
    bench.tick()
    assert set(shares(bench)) == {1.0}


def test_the_fix_in_the_message_asks_for_fewer_candidates_than_there_are():
    bench = Bench().running()
    bench.loop.samples = 60
    bench.tick()
    for _ in range(5):
        bench.tick(planned=False)
    assert bench.controller.status.text.endswith('or --set controller.planner.samples=30')


def test_no_run_starts_on_a_state_whose_pose_cannot_be_trusted():
    bench = Bench()
    bench.controller.on_bridge(BridgeNews(True))
    bench.controller.on_state(sample(1000.0, np.zeros(NX), pose_age=0.7, fault=PoseFault.FROZEN))
    with pytest.raises(NotReadyError, match=f'no accepted pose for 0.7 s: {PoseFault.FROZEN.words}'):
        bench.controller.start()
    assert bench.controller.status.phase is RunPhase.WAITING
    bench.controller.on_state(sample(1000.1, np.zeros(NX)))
    bench.controller.start()


def test_a_run_that_cannot_finish_its_path_is_stopped_with_the_reason():
    bench = Bench().running()
    bench.tick()
    bench.loop.failed = 'no progress along the path any more: 1.20 of 3.00 m done, 0.40 m from the path'
    bench.tick()
    assert bench.controller.status.text.startswith('stopped: no progress along the path any more: 1.20 of 3.00 m')


SHIFTS = (-3600.0, -5.0, -0.3, -0.2, -0.1, -0.05, 0.05, 0.1, 0.25, 5.0, 3600.0)


@pytest.mark.parametrize('shift', SHIFTS)
@pytest.mark.parametrize('asked', [False, True], ids=['between ticks', 'while a reply is awaited'])
def test_a_step_of_the_clock_costs_at_most_two_ticks(shift, asked):
    bench = Bench().running()
    for value in range(1, 11):
        if value == 5 and not asked:
            bench.clock += shift
        bench.begin()
        if value == 5 and asked:
            bench.clock += shift
        bench.answer(value)
        if bench.answered() is not None:
            bench.controller.work()
        bench.now += DT
    planned = [round(step.state[0]) for step in bench.loop.steps]
    assert len(set(planned)) == len(planned), 'no state is used twice'
    assert len(planned) >= 8
    assert planned[-4:] == [7, 8, 9, 10]
    assert bench.controller.status.phase is RunPhase.RUNNING
    for step in bench.loop.steps:
        assert step.tick == round(step.state[0]), 'the state is that of its own tick'
        np.testing.assert_array_equal(step.executing, bench.sent[step.tick])
        if step.sent is not None:
            np.testing.assert_array_equal(step.sent, bench.sent[step.tick - 1])


@pytest.mark.parametrize('shift', SHIFTS)
def test_an_earlier_state_or_action_does_not_pass_for_one_of_this_tick(shift):
    bench = Bench().running()
    bench.tick(value=1.0)
    bench.clock += shift
    bench.begin()
    assert bench.answered() is None, 'the state of the tick before'


class Trial:
    """Ends after some ticks, and notes which it saw and whether their plans were stored by then."""

    def __init__(self, controller, ticks):
        self.controller, self.left, self.seen, self.restarts = controller, ticks, [], 0

    def restart(self):
        self.restarts += 1

    def observe(self, result):
        self.seen.append(result.tick)
        self.left -= 1
        return None if self.left else 'the verdict'


def test_a_trial_sees_the_ticks_from_its_model_on_and_its_end_is_told_once():
    bench = Bench().running()
    ended = []
    bench.controller.watch_trials(lambda trial, result: ended.append((trial, result)))
    bench.tick()
    bench.tick()
    trial = Trial(bench.controller, ticks=3)
    bench.controller.tune('with another model', trial)
    bench.controller.tune('and other weights')
    assert trial.seen == []
    for _ in range(5):
        bench.tick()
    assert trial.seen == [step.tick for step in bench.loop.steps[2:5]]
    assert ended == [(trial, 'the verdict')]
    assert [tuning for tuning, _ in bench.loop.tunings] == ['and other weights']


def test_a_trial_goes_on_in_the_next_run_and_is_told_that_one_has_begun():
    bench = Bench().running()
    trial = Trial(bench.controller, ticks=100)
    bench.controller.tune('with another model', trial)
    bench.tick()
    bench.controller.finish('done')
    bench.tick()
    bench.controller.start()
    bench.tick()
    assert trial.restarts == 1
    assert len(trial.seen) == 2


def test_another_swap_takes_the_place_of_a_trial():
    bench = Bench().running()
    first, second = (Trial(bench.controller, ticks=100) for _ in range(2))
    for trial in (first, second):
        bench.controller.tune('with another model', trial)
        bench.tick()
    assert (len(first.seen), len(second.seen)) == (1, 1)
