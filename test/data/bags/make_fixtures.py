"""Make the bags of this folder with the mock: python test/data/bags/make_fixtures.py [NAME ...].

    good           walks, nothing happens
    leg_loss       loses its left middle leg at half-time

`link_failure` stays as an older version of the package recorded it: the radio's port vanished on the way and stayed
away. Its decisions cannot be checked any more; `test/recording/test_fixture_bags.py` shows that a check says so.

Each is a run of `millirobot demo`, recorded by the real processes. The model is the small one beside them (made by
`millirobot collect --minutes 20 --seed 3`, `train --set hidden=48,48`, `export-model`), so that they do not depend on
the models that are shipped. Of the bag all is kept but the paths of the machine that made it.

Make them again when the contract of the topics, the layout of a record or the parameters change; where only decisions
changed on purpose, too. What `test/recording/test_fixture_bags.py` says of them must hold again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from millirobot_adapt.contract.topics import BRIDGE_STATE, DIAGNOSTICS, MANAGER_STATE, PARAMETER_EVENTS, PARAMETERS, RUN
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter

HERE = Path(__file__).resolve().parent
MODEL = HERE / 'small_grbal'
RUNS = {
    'good': ['--seconds', '8', '--condition', 'flat'],
    'leg_loss': ['--seconds', '10', '--condition', 'leg_loss'],
}
"""By name: options of the demo."""


def make(name: str) -> None:
    """Run the demo and keep its bag."""
    with tempfile.TemporaryDirectory() as scratch:
        command = ['demo', '--shape', 'figure8_small', '--model', str(MODEL), '--seed', '7', '--out', scratch]
        subprocess.run([sys.executable, '-m', 'millirobot_adapt.app.main', *command, *RUNS[name]], check=True)
        shutil.rmtree(HERE / name, ignore_errors=True)
        copy(
            Path(scratch) / 'latest' / 'bag', HERE / name, {f'{share_dir()}/': '', str(Path(scratch).resolve()): 'runs'}
        )


def copy(source: Path, target: Path, renamed: dict[str, str]) -> None:
    """Copy a bag message by message; paths in what nodes report about themselves are renamed."""
    topics = (RUN, PARAMETERS, DIAGNOSTICS, BRIDGE_STATE, MANAGER_STATE, PARAMETER_EVENTS)
    told = {f'/{topic.name.lstrip("/")}': topic.type for topic in topics}
    with BagWriter(target, topics={}) as writer:
        for raw in open_bag(source).raw_messages():
            kind = told.get(raw.channel.topic)
            if kind is not None:
                message = rename(typestore().deserialize_cdr(raw.data, kind), renamed)
                raw = raw._replace(data=bytes(typestore().serialize_cdr(message, kind)))
            writer.write_raw(raw)


def rename(message: Any, renamed: dict[str, str]) -> Any:
    """Replace paths in a String, a DiagnosticStatus, a DiagnosticArray or a ParameterEvent."""

    def swap(text: str) -> str:
        for old, new in renamed.items():
            text = text.replace(old, new)
        return text

    for parameter in (*getattr(message, 'new_parameters', ()), *getattr(message, 'changed_parameters', ())):
        parameter.value.string_value = swap(parameter.value.string_value)
    if hasattr(message, 'new_parameters'):
        return message
    if hasattr(message, 'data'):
        message.data = swap(message.data)
        return message
    for status in getattr(message, 'status', [message]):
        status.message = swap(status.message)
        for pair in status.values:
            pair.value = swap(pair.value)
    return message


if __name__ == '__main__':
    for chosen in sys.argv[1:] or RUNS:
        make(chosen)
