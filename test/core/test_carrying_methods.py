"""Methods that carry what they learn: a run is repeated bit for bit from its records when all are repeated in order."""

from pathlib import Path

import numpy as np
import pytest

from millirobot_adapt.contract.tick_codec import decode_tick, encode_tick
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.planner_factory import PlannerConfig

DATA = Path(__file__).parents[1] / 'data'
TICKS, LATE, CUT = 14, 6, 9


def loop_of(method):
    config = ControllerConfig(
        model=str(DATA / f'golden_{method}'),
        planner=PlannerConfig(samples=16, batch=16, horizon=4),
        engine=EngineConfig(threads=1),
    )
    loop = assemble(config).loop
    loop.restart(make_path('straight'))
    return loop


def recorded_run(method):
    """A run along which one state comes late, which makes no transition, and one tick has no time to plan."""
    with np.load(DATA / f'golden_{method}' / 'expected.npz') as arrays:
        states = np.concatenate([arrays['states'], arrays['states']]).astype(float)
    loop, executing, records = loop_of(method), np.full(2, 30.0), []
    for tick in range(TICKS):
        stamp = 0.1 * tick + (0.08 if tick == LATE else 0.0)
        result = loop.step(
            tick, stamp, states[tick], executing if tick else None, executing, 0.0 if tick == CUT else np.inf
        )
        executing = np.clip(result.next_action, 12, 56)
        records.append(encode_tick(result.record(seed=0, stamp=0.1 * tick, state_stamp=stamp)))
    return [decode_tick(record) for record in records]


def decided(record):
    return (record.loss_before, record.loss_after, record.gradient_norm, record.inner_step, record.post_error)


@pytest.mark.parametrize('method', ['mb_de', 'rls'])
def test_a_run_comes_again_from_its_records(method):
    records = recorded_run(method)
    assert records[LATE].window_mask.sum() == records[LATE - 1].window_mask.sum()
    assert records[LATE].inner_step == 0.0
    assert records[CUT].candidates == 0
    assert records[CUT].inner_step == 1.0
    loop = loop_of(method)
    for record in records:
        again = loop.repeat(record).record(seed=0, stamp=record.stamp, state_stamp=record.state_stamp)
        np.testing.assert_array_equal(decided(again), decided(record))
        np.testing.assert_array_equal(again.plan_actions, record.plan_actions)
        np.testing.assert_array_equal(again.plan_states, record.plan_states)


@pytest.mark.parametrize(
    ('method', 'carries'), [('mb', False), ('mb_de', True), ('rls', True), ('grbal_literal', False)]
)
def test_who_carries_cannot_repeat_a_tick_alone(method, carries):
    last = recorded_run(method)[-1]
    loop = loop_of(method)
    assert loop.carries == carries
    again = loop.repeat(last).record(seed=0, stamp=last.stamp, state_stamp=last.state_stamp)
    assert (again.loss_after == last.loss_after) == (not carries)
    assert again.loss_before == last.loss_before
