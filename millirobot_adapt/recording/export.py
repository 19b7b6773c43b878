"""Turn a bag into tables for notebooks: one for each topic, and one with a row for each tick."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.contract.messages import StateGatherer, reported_parts
from millirobot_adapt.contract.state_codec import decode_state
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import (
    ADAPTATION,
    ARRIVALS,
    BACK_EMF,
    DECISION,
    ODOMETRY,
    REPLY,
    REPLY_PARTS,
    SENT,
    SETPOINT,
    STATE,
    TICK,
    TOPICS,
)
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.state_covariance import state_covariance
from millirobot_adapt.core.files import whole_file, whole_text
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.recording.reader import Bag
from millirobot_adapt.recording.run_setup import recorded_robot
from millirobot_adapt.recording.tables import (
    Row,
    columns_of,
    command_row,
    quality_row,
    rows_of,
    spread_row,
    state_columns,
    state_row,
    tick_row,
)

TICKS, STATES, QUALITY = 'ticks', 'states', 'state_quality'
"""Tables that are no topic of their own."""
_COMMANDS = {topic.name for topic in (SETPOINT, SENT, DECISION)}
_LEFT_OUT = (ARRIVALS, REPLY, ADAPTATION)
"""Second copies of poses, telemetry and ticks."""


@dataclass(frozen=True)
class Tables:
    """A bag as tables: columns by name with unit, by table."""

    tables: Mapping[str, Mapping[str, np.ndarray]]
    plans: np.ndarray
    """States that the plan of each tick predicts, from the state of the tick on, shape (ticks, H + 1, nx)."""
    state_columns: tuple[str, ...]
    """Names of the nx numbers of a state, with their units."""


def read_tables(bag: Bag) -> Tables:
    """Read a whole bag into tables; a message whose content makes no sense is left out with a warning.

    A topic is a table of its name with `_` for `/`. `ticks` has a row for each tick of the controller, `states` one for
    each state that telemetry and odometry of equal stamps make, `state_quality` says how far its pose can be trusted.

    Raises:
        UserError: nothing of the bag is readable, or it holds none of the topics of a run.
    """
    robot = recorded_robot(bag)
    collected = _Collected(robot)
    kinds = {topic.name: topic.type for topic in TOPICS}
    whole = () if _reports_all(robot) else (REPLY,)
    topics = [topic for topic in TOPICS if topic not in _LEFT_OUT or topic in whole]
    shown = tqdm(bag.messages(topics, own_stamps=True), desc='reading', unit=' messages', disable=None, leave=False)
    for name, message, received in shown:
        try:
            collected.add(name, kinds[name], message, received)
        except (ValueError, IndexError):
            bag.broken[name] += 1
    if not collected.rows:
        raise UserError(f'{bag.path}: holds none of the topics of a run')
    columns = {name: columns_of(rows) for name, rows in collected.rows.items()}
    return Tables(columns, _stacked(collected.plans), state_columns(robot.layout))


class _Collected:
    """Rows that grow while the bag is read."""

    def __init__(self, robot: RobotConfig) -> None:
        self._robot = robot
        self.rows: dict[str, list[Row]] = {}
        self.plans: list[np.ndarray] = []
        self._gatherer = StateGatherer(robot)
        self._joined = {topic.name for topic in (ODOMETRY, *(REPLY_PARTS if _reports_all(robot) else (REPLY,)))}

    def add(self, name: str, kind: str, message: Any, received: float) -> None:
        """Take one message."""
        if name == TICK.name:
            record = decode_tick(np.asarray(message.data))
            self._extend(TICKS, [{'received_s': received} | tick_row(record, self._robot.layout)])
            self.plans.append(record.plan_states)
        elif name == STATE.name:
            sample = decode_state(message.data)
            self._extend(QUALITY, [{'received_s': received} | quality_row(sample)])
        elif name == BACK_EMF.name:
            stamp, *efforts = (float(value) for value in message.data)
            layout = self._robot.layout
            unit = layout.effort.unit.lower() if layout.effort else ''
            names = [f'{joint.name}_{unit}' for joint in layout.joints]
            row = {'received_s': received, 'stamp_s': stamp, **dict(zip(names, efforts, strict=True))}
            self._extend(table_name(name), [row])
        elif name in _COMMANDS:
            self._extend(table_name(name), [{'received_s': received} | command_row(message, self._robot.layout)])
        elif name != REPLY.name:
            self._extend(table_name(name), rows_of(kind, message, received))
        if name in self._joined:
            pair = self._gatherer.join(name, message)
            if pair is not None:
                layout = self._robot.layout
                spread = spread_row(state_covariance(*pair, self._robot), layout)
                row = state_row(state_of(*pair, self._robot), layout)
                self._extend(STATES, [{'stamp_s': pair[1].stamp} | row | spread])

    def _extend(self, table: str, rows: list[Row]) -> None:
        if rows:
            self.rows.setdefault(table, []).extend(rows)


def _reports_all(robot: RobotConfig) -> bool:
    """Return whether a robot publishes every part of its replies; of others the reply itself is read."""
    return reported_parts(robot) == REPLY_PARTS


def table_name(topic: str) -> str:
    """Return the name of a topic's table."""
    return topic.strip('/').replace('/', '_')


def write_npz(tables: Tables, file: Path) -> None:
    """Write every table as one structured array: `pandas.DataFrame(numpy.load(file)['ticks'])`; no pickle inside.

    Raises:
        UserError: the file exists already or cannot be written.
    """
    arrays = {name: _structured(columns) for name, columns in tables.tables.items()}
    if len(tables.plans):
        arrays['plans'] = tables.plans
    try:
        if file.exists():
            raise FileExistsError
        with whole_file(file) as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # its hints take names for options
    except OSError as error:
        raise cannot_write(file, error) from None


def write_csv(tables: Tables, folder: Path) -> None:
    """Write every table as `<table>.csv` into a new folder, but not the predicted states of the plans.

    Raises:
        UserError: the folder exists already or cannot be written.
    """
    try:
        folder.mkdir()
        for name, columns in tables.tables.items():
            with whole_text(folder / f'{name}.csv') as stream:
                writer = csv.writer(stream)
                writer.writerow(columns)
                writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    except OSError as error:
        raise cannot_write(folder, error) from None


def cannot_write(place: Path, error: OSError) -> UserError:
    """Say in one line why tables cannot be written to a place."""
    if isinstance(error, FileExistsError):
        return UserError(f'{place}: exists already; choose another place with --out')
    return UserError(f'{place}: cannot be written ({error.strerror}); choose another place with --out')


def _structured(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    kinds = [(name, column.dtype) for name, column in columns.items()]
    table = np.empty(len(next(iter(columns.values()))), dtype=kinds)
    for name, column in columns.items():
        table[name] = column
    return table


def _stacked(plans: list[np.ndarray]) -> np.ndarray:
    """Return plans of unequal length as one array, NaN where they end."""
    if not plans:
        return np.empty((0, 0, 0))
    longest = max(len(plan) for plan in plans)
    stacked = np.full((len(plans), longest, plans[0].shape[1]), np.nan)
    for row, plan in zip(stacked, plans, strict=True):
        row[: len(plan)] = plan
    return stacked
