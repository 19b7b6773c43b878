"""Faults of whole processes, in real time: the real processes are killed, over DDS and a pty."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from millirobot_adapt.benchmarks.link.live_robot import LiveRobot
from millirobot_adapt.benchmarks.link.rows import BenchFailedError, FaultRow
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER
from millirobot_adapt.contract.states import LinkState

OBSERVED = 3.0
"""Motors that are not commanded to stand within this time of the cause count as standing after it [s]."""
WALKED = 1.0
"""Walking before a fault [s]."""
VANISHED = 2.0
"""How long the port stays away [s]."""
ATTEMPTS = 3
"""So many attempts are made for each trial: on a busy machine the robot may stand when the fault begins."""
WATCHED_AFTER = 1.0
"""After a fault the robot must not move by itself for this long [s]."""

Trial = Callable[[LiveRobot], FaultRow]
"""Lets a fault happen to a robot that walks, and tells what came of it."""


def measure_processes(robot: LiveRobot, trials: int, faults: Mapping[str, Trial]) -> Iterator[FaultRow]:
    """Measure faults of processes by name, `trials` times each, and yield their rows; the worst trial counts.

    Where a trial fails as a whole, its row says why, and is the last: nobody knows how the run is.
    """
    for name, fault in list(faults.items()):
        measured: list[FaultRow] = []
        try:
            for _ in range(ATTEMPTS * trials):
                robot.walk(WALKED)
                row = fault(robot)
                measured += [row] if row.walked else []
                if len(measured) == trials:
                    break
            else:
                raise BenchFailedError('again and again the robot stood when the fault began: the machine is too busy')
        except BenchFailedError as error:
            yield FaultRow(name, _where(robot), 0, 0, None, None, None, broken=str(error))
            return
        yield replace(worst_of(measured), fault=name)


def _where(robot: LiveRobot) -> str:
    return 'busy' if robot.busy else 'processes'


def _kill_controller(robot: LiveRobot) -> FaultRow:
    cause = robot.send(CONTROLLER, signal.SIGKILL)
    row = watch(robot, cause)
    ended = time.time()
    robot.start(CONTROLLER)
    robot.bring_up(CONTROLLER)
    return recover(robot, row, ended)


def _hang_bridge(robot: LiveRobot) -> FaultRow:
    cause = robot.send(BRIDGE, signal.SIGSTOP)
    row = watch(robot, cause)
    ended = robot.send(BRIDGE, signal.SIGCONT)
    return recover(robot, row, ended)


def _kill_bridge(robot: LiveRobot) -> FaultRow:
    cause = robot.send(BRIDGE, signal.SIGKILL)
    row = watch(robot, cause)
    robot.witness.link = None
    ended = time.time()
    robot.start(BRIDGE)
    robot.bring_up(BRIDGE)
    return recover(robot, row, ended)


def _vanish(robot: LiveRobot) -> FaultRow:
    said = robot.lines(BRIDGE, 'link lost')
    cause = time.time()
    robot.inject('port.vanish', duration=VANISHED)
    row = watch(robot, cause)
    row = replace(recover(robot, row, cause + VANISHED), bytes_pass=False)
    said = robot.lines(BRIDGE, 'link lost') - said
    if not robot.running(BRIDGE):
        return replace(row, broken='the bridge has ended')
    return row if said == 1 else replace(row, broken=f'the bridge said {said} times that the link is lost')


PORT_VANISHES = 'port vanishes for 2 s'
PROCESS_FAULTS: Mapping[str, Trial] = {
    'SIGKILL of the controller': _kill_controller,
    'SIGSTOP of the bridge': _hang_bridge,
    'SIGKILL of the bridge': _kill_bridge,
    PORT_VANISHES: _vanish,
}
"""What each row of a process does to the robot."""


def watch(robot: LiveRobot, cause: float, since: Callable[[], float] | None = None) -> FaultRow:
    """Watch what follows a cause [s, host clock] and begin its row: when the motors are commanded to stand.

    `since` tells afterwards from when the time runs; None: from the cause.
    """
    witness = robot.witness
    sent, replies = witness.sent, witness.replies
    witness.spin(OBSERVED)
    walked, stop = witness.moving or witness.changed_at >= cause, OBSERVED
    if walked and not witness.moving:
        stop = witness.changed_at - (cause if since is None else since())
    row = FaultRow('', _where(robot), witness.sent - sent, witness.replies - replies, None, 1e3 * stop, None)
    return replace(row, walked=walked)


def recover(robot: LiveRobot, row: FaultRow, ended: float, goes_on: bool = False) -> FaultRow:
    """Watch, after the fault's end [s, host clock], that nothing moves by itself, then arm; complete the row.

    A robot that was held and not stopped may go on (`goes_on`).
    """
    witness = robot.witness
    witness.spin(WATCHED_AFTER)
    robot.wait_for(lambda: witness.link is LinkState.UP, 'the link')
    up_after = max(0.0, witness.link_since - ended)
    moved = witness.moving and not goes_on
    broken = 'the robot moved before it was armed again' if moved else row.broken
    return replace(row, rearm_s=up_after + robot.arm(), broken=broken)


def worst_of(rows: Sequence[FaultRow]) -> FaultRow:
    """Return one row for several trials of a fault: the counts of all, the worst times, the first broken promise."""
    return replace(
        rows[0],
        sent=sum(row.sent for row in rows),
        replies=sum(row.replies for row in rows),
        stop_ms=max(row.stop_ms or 0.0 for row in rows),
        rearm_s=max(row.rearm_s or 0.0 for row in rows),
        broken=next((row.broken for row in rows if row.broken), None),
    )
