"""`millirobot calibrate-pose`: how the marker body sits on the robot, from bags of straight walks."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, add_reading_options
from millirobot_adapt.core.files import user_path

if TYPE_CHECKING:
    from millirobot_adapt.core.estimation.pose_calibration import MarkerOffset
    from millirobot_adapt.core.robot.description import RobotConfig

SURE = 2.0
"""Two values differ when they are further apart than this many standard errors of their difference, and 3 degrees."""
NOTEWORTHY = math.radians(3.0)


@dataclass(frozen=True)
class PoseResult:
    """The calibration of one day of one bag, or why there is none."""

    bag: str
    day: str
    offset: MarkerOffset | None
    problem: str
    marker_offset: list[float]
    """What belongs into the robot's YAML; empty without a calibration."""


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'calibrate-pose', _run)
    parser.add_argument('bags', type=user_path, nargs='+', metavar='BAG', help='bag, or run folder')
    add_common(parser, '--robot')
    parser.add_argument(
        '--body-height', type=float, metavar='M',
        help="height of the robot body's origin above the floor while it walks [m]; without it z stays as it is",
    )  # fmt: skip
    add_reading_options(parser)
    add_common(parser, '--json')


def _run(args: argparse.Namespace) -> int:
    """Find how the marker body sits on the robot, from bags of straight runs.

    Compare the course over ground with the measured yaw, and the measured roll and pitch with level, where the
    robot was told to go straight ahead. Drive straight for ten seconds and more, in several directions. Uncertainties
    are one standard error.
    """
    from millirobot_adapt.core.errors import UserError
    from millirobot_adapt.core.robot.description import load_robot

    robot = load_robot(args.robot)
    results = [result for bag in args.bags for result in _calibrate(bag, robot, args)]
    if not any(result.offset for result in results):
        raise UserError(f'{results[0].bag}: {results[0].problem}')
    print(json.dumps([asdict(result) for result in results], indent=2) if args.json else _table(results))
    return 0


def _calibrate(path: Path, robot: RobotConfig, args: argparse.Namespace) -> list[PoseResult]:
    """Calibrate each day that a bag holds."""
    from millirobot_adapt.analysis.walks import read_walks
    from millirobot_adapt.core.errors import UserError
    from millirobot_adapt.core.estimation.pose_calibration import calibrate_pose
    from millirobot_adapt.recording.reader import open_bag

    results = []
    for day, walk in read_walks(open_bag(path, namespace=args.namespace, strict=args.strict)).items():
        try:
            offset = calibrate_pose(walk)
        except UserError as error:
            results.append(PoseResult(str(path), day, None, str(error), []))
            continue
        x, y, z = robot.marker_offset[:3]
        if args.body_height is not None:
            z = offset.height[0] - args.body_height
        numbers = [x, y, z, offset.roll[0], offset.pitch[0], offset.yaw[0]]
        results.append(PoseResult(str(path), day, offset, '', [round(number, 4) for number in numbers]))
    return results


def _table(results: list[PoseResult]) -> str:
    angles = '  '.join(f'{name + " [deg]":>13}' for name in ('yaw', 'roll', 'pitch'))
    lines = [f'{"day (UTC)":16}  walks  stretches  {angles}  height [mm]  bag']
    lines += [_line(result, result.offset) for result in results]
    known = [result for result in results if result.offset is not None]
    lines += ['', *_warnings([result.offset for result in known if result.offset])]
    spread = _spread([result.offset.yaw for result in known if result.offset])
    if spread:
        lines.append(f'The days differ by up to {math.degrees(spread):.0f} deg: the marker body was put on again.')
        lines.append("Into the robot's YAML, for the day you run on:")
        lines += [f'marker_offset: {result.marker_offset}  # {result.day}' for result in known]
    else:
        lines += ["Into the robot's YAML:", f'marker_offset: {known[-1].marker_offset}  # {known[-1].day}']
    return '\n'.join(lines)


def _line(result: PoseResult, offset: MarkerOffset | None) -> str:
    if offset is None:
        return f'{result.day:16}  {result.problem}  {result.bag}'
    angles = '  '.join(f'{_degrees(value):>13}' for value in (offset.yaw, offset.roll, offset.pitch))
    counts = f'{offset.walks:5}  {offset.stretches:9}'
    return f'{result.day:16}  {counts}  {angles}  {1e3 * offset.height[0]:11.1f}  {result.bag}'


def _warnings(offsets: list[MarkerOffset]) -> list[str]:
    from millirobot_adapt.core.estimation.pose_calibration import FEW_WALKS

    if all(offset.walks >= FEW_WALKS for offset in offsets):
        return []
    return [
        f'Fewer than {FEW_WALKS} walks: how the gait happened to start is taken for the marker. Stop and start again.',
        '',
    ]


def _degrees(value: tuple[float, float]) -> str:
    return f'{math.degrees(value[0]):.1f} +- {math.degrees(value[1]):.1f}'


def _spread(yaw: list[tuple[float, float]]) -> float:
    """Return the largest difference between two days [rad], 0.0 where all agree."""
    pairs = [(abs(math.remainder(a - b, math.tau)), math.hypot(s, t)) for a, s in yaw for b, t in yaw]
    return max((gap for gap, error in pairs if gap > max(NOTEWORTHY, SURE * error)), default=0.0)
