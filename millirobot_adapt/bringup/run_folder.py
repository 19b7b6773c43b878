"""Make the folder of a live run and write down what ran in it.

A run folder holds `parameters.yaml` (what ran: every node's resolved parameters and the files that they came from, the
robot, the model with the sha256 of its files, the seed, versions, the machine), `nodes.yaml` (the same node parameters
as the ROS 2 parameter file that the processes were started with), `bag/`, `logs/`, and at the end `summary.json` and
`report.html`; `ended.txt` where the run ended before its time. A run that is not recorded has a temporary one, which is
removed when it ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from millirobot_adapt.core.config import nest
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import write_whole
from millirobot_adapt.core.share import file_hashes
from millirobot_adapt.recording.installation import installation

Parameters = dict[str, dict[str, Any]]
"""Node name -> dotted parameter name -> value."""


@dataclass(frozen=True)
class RunFolder:
    """Paths inside one run folder."""

    path: Path
    temporary: bool = False
    """It is removed when the run ends."""

    @property
    def bag(self) -> Path:
        """Folder of the recorded bag."""
        return self.path / 'bag'

    @property
    def logs(self) -> Path:
        """Folder of the processes' log files."""
        return self.path / 'logs'

    @property
    def parameters(self) -> Path:
        """What ran."""
        return self.path / 'parameters.yaml'

    @property
    def node_parameters(self) -> Path:
        """ROS 2 parameter file of all nodes."""
        return self.path / 'nodes.yaml'

    @property
    def port(self) -> Path:
        """Serial port of the mock robot, while there is one."""
        return self.path.resolve() / 'radio'

    @property
    def ended(self) -> Path:
        """Why the run ended before its time; the report reads it."""
        return self.path / 'ended.txt'

    def note_end(self, why: str) -> None:
        """Write down why the run ended before its time."""
        write_whole(self.ended, f'{why}\n')

    def remove(self) -> None:
        """Remove it if it is temporary."""
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    @property
    def report(self) -> Path:
        """The report for a browser."""
        return self.path / 'report.html'


def make_temporary_folder() -> RunFolder:
    """Make the folder of a run that is not recorded."""
    folder = RunFolder(Path(tempfile.mkdtemp(prefix='millirobot_')), temporary=True)
    folder.logs.mkdir()
    return folder


def make_run_folder(root: Path, now: datetime, option: str = '--out') -> RunFolder:
    """Make `root/<stamp>/` and let the link `root/latest` point to it.

    Args:
        root: Where run folders go.
        now: Start of the run.
        option: How the user names another place, for the error.

    Raises:
        UserError: the folder cannot be made; `latest` is something else than a link.
    """
    stamp = now.strftime('%Y-%m-%d_%H-%M-%S')
    path = root / stamp
    try:
        root.mkdir(parents=True, exist_ok=True)
        copies = 1
        while path.exists():
            copies += 1
            path = root / f'{stamp}_{copies}'
        (path / 'logs').mkdir(parents=True)
        _point(root / 'latest', path.name)
    except OSError as error:
        raise UserError(
            f'{path}: cannot make the run folder: {error.strerror}; choose another place with {option}'
        ) from None
    return RunFolder(path)


def _point(link: Path, target: str) -> None:
    """Let a symbolic link point to `target`, replacing an older link at once."""
    if link.exists() and not link.is_symlink():
        raise UserError(f'{link}: is not a link to the latest run; move it away')
    scratch = link.with_name(f'.latest-{os.getpid()}')
    scratch.symlink_to(target)
    scratch.replace(link)


def write_node_parameters(path: Path, parameters: Parameters, namespace: str = '') -> None:
    """Write a ROS 2 parameter file for the nodes of a namespace, such as `robot1`; '' is for those without one."""
    prefix = f'/{namespace}/' if namespace else ''  # ROS takes a bare name for a node without namespace
    content = {f'{prefix}{name}': {'ros__parameters': nest(values)} for name, values in parameters.items()}
    write_whole(path, yaml.safe_dump(content, sort_keys=False))


def write_parameters(
    path: Path,
    *,
    command: str,
    seed: int | None,
    robot: Mapping[str, Any],
    model: Path | None,
    nodes: Parameters,
    sources: Sequence[str],
    ros: Mapping[str, str],
    now: datetime,
) -> None:
    """Write down everything needed to tell what ran, and to run it again.

    Args:
        path: File to write.
        command: What the user typed.
        seed: Seed of the run; None where nothing is random.
        robot: The robot's resolved description.
        model: Folder of the model bundle; None where none is used.
        nodes: Resolved parameters of every node; each stands under the node's name.
        sources: The files that the parameters came from, those that win last.
        ros: `distro` and `rmw`.
        now: Start of the run.
    """
    content = {
        'command': command,
        'started': now.astimezone().isoformat(timespec='seconds'),
        **({} if seed is None else {'seed': seed}),
        'parameter_files': list(sources),
        **installation(ros),
        'robot': dict(robot),
        **({} if model is None else {'model': {'path': str(model), 'sha256': file_hashes(model)}}),
        **{name: nest(values) for name, values in nodes.items()},
    }
    write_whole(path, yaml.safe_dump(content, sort_keys=False))
