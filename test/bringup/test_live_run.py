"""The run as the program that conducts it sees it, with an operator whose node is replaced."""

from types import SimpleNamespace

import pytest

from millirobot_adapt.bringup import live_run
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.live_run import LiveRun, RunFailedError, Surroundings
from millirobot_adapt.contract.states import BridgeState, ControllerState, LinkState
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender


class AtTheConsole:
    """An operator whose bridge has lost the link until he has listened `turns` times."""

    def __init__(self, turns):
        self.turns, self.called, self.manager = turns, [], None
        self.ticks = []
        self.controller = ControllerState(Sender(ActionSource.COLLECTOR, '1'), RunStatus(RunPhase.FINISHED, 'done'))

    @property
    def bridge(self):
        link = LinkState.LOST if self.turns > 0 else LinkState.UP
        return BridgeState(armed=False, link=link, reason='link lost: no reply to 10 setpoints in a row')

    def spin(self, seconds):
        self.turns -= 1

    def call(self, service, seconds):
        self.called.append(service)
        return (self.turns <= 0, 'not armed: the link is not up')

    def call_all(self, services, seconds):
        pass

    def close(self):
        pass


@pytest.fixture
def collect(tmp_path, monkeypatch):
    def collect(turns, start_timeout):
        operator = AtTheConsole(turns)
        monkeypatch.setattr(live_run, 'Operator', lambda namespace: operator)
        folder = SimpleNamespace(path=tmp_path, logs=tmp_path, temporary=False, remove=lambda: None)
        with Interrupts() as interrupts, LiveRun(
            folder, Surroundings({}), interrupts, start_timeout=start_timeout, tick_timeout=0.0
        ) as run:  # fmt: skip
            run.collect(lambda: None)
        return operator.called

    return collect


def test_a_link_that_was_lost_after_the_start_is_waited_for_before_arming(collect):
    assert collect(turns=20, start_timeout=3600.0) == ['bridge/arm', 'collector/start']


def test_a_link_that_stays_lost_ends_the_run_with_the_reason(collect):
    with pytest.raises(RunFailedError, match='link lost: no reply to 10 setpoints in a row within 0 s'):
        collect(turns=20, start_timeout=0.0)
