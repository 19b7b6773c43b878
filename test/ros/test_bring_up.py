"""The manager's decisions, on a clock of the test's own and nodes that do as they are told."""

import pytest

from millirobot_adapt.ros.bring_up import (
    ACTIVATE,
    CONFIGURE,
    LAST_MESSAGE_TIME,
    RETRY,
    BringUp,
    BringUpError,
    Watch,
    steps,
)

PATIENCE = 30.0


class Patient:
    """A node that answers every transition with what `does` says; None: it does not answer."""

    def __init__(self, log, name):
        self.log, self.name = log, name
        self.present, self.words, self.answer = True, '', None
        self.does = {CONFIGURE: True, ACTIVATE: True}

    def ask(self, transition):
        self.log.append((self.name, transition))
        self.answer = self.does[transition]


def end(node):
    """Let a node end in the middle of a transition, as one does that is told a port that there is not."""
    node.ask = lambda transition: setattr(node, 'present', False)


class Lab:
    def __init__(self, *names):
        self.now, self.log, self.told = 100.0, [], []
        self.nodes = {name: Patient(self.log, name) for name in names}
        self.bring_up = BringUp(self.nodes, PATIENCE, self.told.append, lambda: self.now)

    def advance(self, seconds=0.0):
        self.now += seconds
        self.bring_up.advance()


@pytest.fixture
def lab():
    return Lab('bridge', 'recorder', 'estimator')


def test_all_are_configured_before_any_is_activated_but_the_recorder_is_active_before_that():
    assert steps(['bridge', 'recorder', 'estimator']) == [
        ('recorder', CONFIGURE), ('recorder', ACTIVATE),
        ('bridge', CONFIGURE), ('estimator', CONFIGURE),
        ('bridge', ACTIVATE), ('estimator', ACTIVATE),
    ]  # fmt: skip


def wait(lab, seconds):
    for _ in range(round(10 * seconds)):
        lab.advance(0.1)


def run_to_the_end(lab):
    for _ in range(100):
        lab.advance()
        if lab.bring_up.done:
            return
        lab.now += RETRY
    raise AssertionError(lab.told)


def test_nodes_that_are_ready_come_up_in_order(lab):
    run_to_the_end(lab)
    assert lab.log == steps(list(lab.nodes))
    assert lab.bring_up.waiting_for == ''


@pytest.mark.parametrize(('words', 'why'), [('no such port', 'no such port'), ('', 'its own output says why')])
def test_a_node_that_ends_instead_of_answering_is_not_waited_for(lab, words, why):
    end(lab.nodes['bridge'])
    wait(lab, LAST_MESSAGE_TIME)
    assert lab.bring_up.waiting_for == 'bridge: configure'
    lab.nodes['bridge'].words = words  # they came late
    with pytest.raises(BringUpError, match=f'^bridge could not be configured: {why}$'):
        wait(lab, 1.0)


def test_the_answer_of_a_node_counts_that_is_gone_when_it_is_read(lab):
    bridge = lab.nodes['bridge']

    def refuse_and_end(transition):
        bridge.answer, bridge.present = False, False

    bridge.ask = refuse_and_end
    with pytest.raises(BringUpError, match='bridge could not be configured'):
        wait(lab, 0.5)


def test_a_node_that_ends_when_it_is_activated_is_named(lab):
    bridge = lab.nodes['bridge']
    answer = bridge.ask

    def ask(transition):
        answer(transition)
        if transition == ACTIVATE:
            bridge.answer, bridge.present = None, False

    bridge.ask = ask
    with pytest.raises(BringUpError, match='bridge could not be activated'):
        wait(lab, 10.0)


def test_a_node_that_is_not_there_yet_is_waited_for_and_named_once(lab):
    lab.nodes['recorder'].present = False
    for _ in range(5):
        lab.advance(1.0)
    assert lab.log == []
    assert lab.told == ['waiting for recorder: not there; is its process running, in this namespace and ROS domain?']
    lab.nodes['recorder'].present = True
    run_to_the_end(lab)


def test_a_node_that_refuses_to_be_active_is_asked_again_and_its_own_words_are_told(lab):
    bridge = lab.nodes['bridge']
    bridge.does[ACTIVATE], bridge.words = False, 'the robot does not answer'
    for _ in range(20):
        lab.advance(RETRY / 2)
    assert lab.log.count(('bridge', ACTIVATE)) in range(4, 9)
    assert ('estimator', ACTIVATE) not in lab.log
    assert lab.told[-1] == 'waiting for bridge: the robot does not answer'
    bridge.does[ACTIVATE] = True
    run_to_the_end(lab)


def test_a_reason_that_changes_its_numbers_alone_is_told_once(lab):
    estimator = lab.nodes['estimator']
    estimator.does[ACTIVATE] = False
    for rate in range(20):
        estimator.words = f'poses come at {rate}.5 Hz'
        lab.advance(RETRY)
    assert len([line for line in lab.told if 'poses come' in line]) == 1
    assert lab.bring_up.waiting_for in {f'estimator: poses come at {rate}.5 Hz' for rate in (18, 19)}


def test_one_that_is_never_ready_ends_the_bring_up_with_its_reason(lab):
    bridge = lab.nodes['bridge']
    bridge.does[ACTIVATE], bridge.words = False, 'the robot does not answer'
    with pytest.raises(BringUpError, match='gave up after 30 s of waiting for bridge: the robot does not answer'):
        wait(lab, 100.0)
    assert 100.0 + PATIENCE < lab.now < 100.0 + PATIENCE + 2.0
    assert ('estimator', ACTIVATE) not in lab.log


def test_patience_begins_anew_with_every_step(lab):
    for node in lab.nodes.values():
        node.present = False
    for name in ('recorder', 'bridge', 'estimator'):
        lab.advance(0.9 * PATIENCE)
        lab.nodes[name].present = True
        lab.advance()
        lab.advance()
    run_to_the_end(lab)


def test_a_node_that_cannot_be_configured_ends_the_bring_up_at_once(lab):
    estimator = lab.nodes['estimator']
    estimator.does[CONFIGURE], estimator.words = False, 'no such robot'
    with pytest.raises(BringUpError, match='estimator could not be configured: no such robot'):
        run_to_the_end(lab)
    assert ('bridge', ACTIVATE) not in lab.log


def test_a_node_that_does_not_answer_is_waited_for_no_longer_than_patience(lab):
    lab.nodes['bridge'].does[CONFIGURE] = None
    with pytest.raises(BringUpError, match='waiting for bridge: configure'):
        wait(lab, 100.0)
    assert lab.log.count(('bridge', CONFIGURE)) == 1


def test_a_watched_node_that_falls_silent_is_lost_and_no_other():
    now = 0.0
    watch = Watch(['bridge', 'estimator'], 3.0, lambda: now)
    for now in (1.0, 2.0, 3.0, 3.9):
        watch.on_heard('bridge')
        assert watch.lost() == ('estimator' if now > 3.0 else '')
    watch.on_heard('estimator')
    assert watch.lost() == ''
