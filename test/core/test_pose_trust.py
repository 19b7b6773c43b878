"""Whatever motion capture does, the robot stops in time, follows no false pose, and walks again."""

import math

import numpy as np
import pose_garbage
import pytest
from pose_garbage import EPOCH, FIRST_SEED, KINDS, Fault, faults_of, run

from millirobot_adapt.core.repeatability import generator

SECONDS = 12.0
LATEST_MOTION, LONGEST_FALSE, LATEST_RECOVERY = 0.35, 0.1, 3.0
"""From the arrival of the last accepted pose to the last nonzero setpoint; how long false poses are accepted while the
robot walks; from the last fault to walking again [s]."""


def check(outcome):
    told = [(fault.kind, round(fault.begin - EPOCH, 2), round(fault.end - EPOCH, 2)) for fault in outcome.faults]
    assert outcome.latest_motion <= LATEST_MOTION, told
    assert outcome.false_accepted <= LONGEST_FALSE, told
    assert outcome.recovered <= LATEST_RECOVERY, told


@pytest.mark.parametrize('seed', range(4))
def test_garbage_of_all_kinds_neither_moves_the_robot_nor_holds_it_for_good(seed):
    check(run(faults_of(seed, SECONDS), seed, SECONDS))


@pytest.mark.long
@pytest.mark.parametrize('block', range(20))
def test_garbage_of_all_kinds_in_a_thousand_runs(block):
    for seed in range(FIRST_SEED + 50 * block, FIRST_SEED + 50 * (block + 1)):
        check(run(faults_of(seed, SECONDS), seed, SECONDS))


def only(kind, length=1.5, share=0.5, seed=0):
    fault = Fault(kind, EPOCH + 3.0, EPOCH + 3.0 + length, generator(seed, 1), share)
    return run([fault], seed, 3.0 + length + pose_garbage.CLEAN)


HARMLESS = ('negated quaternion', 'twice', 'bursts', 'late', 'shuffled', 'stamps ahead or behind')
NAMED = {
    'silence': 'no pose arrives',
    'frozen': 'stands still while the robot moves',
    'nan': 'not finite',
    'zeros': 'all zero',
    'zero quaternion': 'no orientation',
    'another frame': 'another frame than world',
    'clock steps far': 'the clock of motion capture',
    'other body at rest besides': 'another body',
    'other body walks instead': 'another body',
    'markers swapped': 'a jump',
}


@pytest.mark.parametrize('kind', HARMLESS)
def test_what_a_good_driver_may_do_holds_nobody(kind):
    outcome = only(kind)
    check(outcome)
    assert not any('pose' in reason for reason in outcome.reasons)


@pytest.mark.parametrize('kind', NAMED)
def test_a_fault_is_named_in_the_reason_of_the_gate(kind):
    outcome = only(kind)
    check(outcome)
    assert any(NAMED[kind] in reason for reason in outcome.reasons)


def test_a_pose_that_froze_does_not_let_the_robot_walk_on_each_time_it_rests():
    faults = [Fault('frozen', EPOCH + 3.0, EPOCH + 7.0, generator(0, 1))]
    faults.append(Fault('other body walks besides', EPOCH + 4.0, EPOCH + 6.0, generator(0, 2)))
    outcome = run(faults, 0, 7.0 + pose_garbage.CLEAN)
    check(outcome)
    assert outcome.false_accepted == 0.0
    assert outcome.walked_during_faults < 0.35


@pytest.mark.parametrize('unseen', ['silence', 'wild numbers'])
@pytest.mark.parametrize('seed', range(4))
def test_a_clock_that_steps_back_while_no_pose_is_seen_holds_nobody_for_good(unseen, seed):
    stepped = Fault('clock steps a little', EPOCH + 4.0, EPOCH + 5.0, generator(seed, 1))
    outcome = run([stepped, Fault(unseen, EPOCH + 4.8, EPOCH + 5.0, generator(seed, 2))], seed, SECONDS)
    check(outcome)


def test_every_kind_is_drawn():
    drawn = {fault.kind for seed in range(400) for fault in faults_of(seed, SECONDS)}
    assert drawn == set(KINDS)


def test_a_robot_without_faults_walks_all_the_time():
    outcome = only('negated quaternion', length=0.05)
    assert outcome.recovered == 0.0
    assert outcome.latest_motion < 0.05
    assert not math.isinf(outcome.latest_motion)
    assert np.isfinite(outcome.false_accepted)
