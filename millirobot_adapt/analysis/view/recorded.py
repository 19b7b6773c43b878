"""Show a recorded run in Rerun: its messages, and what its model predicted before and after adapting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rerun as rr
from rerun.blueprint import Blueprint
from tqdm import tqdm

from millirobot_adapt.analysis.figure_style import BLUE, ORANGE
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.report.whole_run import read_whole_run
from millirobot_adapt.analysis.view.blueprint import ARENA, blueprint
from millirobot_adapt.analysis.view.rerun_stream import SHOWN, RerunStream
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.run_setup import known_robot

APPLICATION = 'millirobot'


def open_recording(save: Path | None, opening: Blueprint) -> rr.RecordingStream:
    """Open a viewer, or a file to write to.

    Args:
        save: `.rrd` file; None opens a window.
        opening: How the viewer opens.

    Raises:
        UserError: the file cannot be written, or there is no viewer to open.
    """
    recording = rr.RecordingStream(APPLICATION)
    try:
        if save is not None:
            recording.save(str(save), default_blueprint=opening)
        else:
            recording.spawn(default_blueprint=opening)
    except (OSError, RuntimeError) as error:
        place = 'the viewer cannot be opened' if save is None else f'{save} cannot be written'
        raise UserError(f'{place} ({error}); give another file: --save run.rrd') from None
    return recording


def view_bag(path: Path, save: Path | None, namespace: str | None = None) -> None:
    """Show a run folder or a bag, or write it as `.rrd`.

    Raises:
        UserError: nothing in the bag is readable, or as `open_recording`.
    """
    recorded = read_whole_run(open_bag(path, namespace=namespace))  # says what is wrong before anything opens
    bag = open_bag(path, namespace=namespace)
    robot, _ = known_robot(bag)  # read_whole_run has named one that is not known
    recording = open_recording(save, blueprint(robot.layout, _corners(recorded.timeline)))
    stream = RerunStream(recording, robot)
    messages = bag.messages(SHOWN)
    for topic, message, received in tqdm(messages, desc='reading', unit=' messages', disable=None, leave=False):
        try:
            stream.take(topic, message, received)
        except (ValueError, IndexError, UserError):
            continue  # read_whole_run has named it
    predictions = recorded.timeline.predictions
    if predictions is not None:
        kinds = (('before', predictions.before, ORANGE), ('after', predictions.after, BLUE))
        errors = {name: 100 * predictions.position_error(poses)[:, -1] for name, poses, _ in kinds}
        for row, stamp in enumerate(predictions.stamps):
            stream.at(float(stamp))
            for name, poses, colour in kinds:
                if np.isfinite(poses[row, 0]).all():
                    stream.line(f'world/predicted/{name}', poses[row, :, :2], colour, 0.005)
                stream.scalar(f'errors/horizon/{name}', float(errors[name][row]))
    recording.flush()


def _corners(timeline: Timeline) -> FloatArray:
    """Return opposite corners of what was walked and wanted, x, y [m], shape (2, 2)."""
    run = timeline.run
    poses = next((series for series in (run.true_poses, run.poses, run.mocap_poses) if len(series)), None)
    known = [] if poses is None else [poses.values[:, :2]]
    if run.reference is not None:
        known.append(np.asarray(run.reference.outline))
    if not known:
        return ARENA
    points = np.concatenate(known)
    return np.array([points.min(axis=0), points.max(axis=0)])
