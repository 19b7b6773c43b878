"""The reference of the parameters is what the code declares."""

from pathlib import Path

import pytest

from millirobot_adapt.app.reference import reference, table
from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.core.config import Config, flatten, param, section
from millirobot_adapt.core.robot.description import RobotConfig

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'parameters.md'


class Inner(Config):
    count: int = param(8, 'How many.', low=1)


class Outer(Config):
    rate: float = param(10.0, 'How often.', unit='Hz', low=1.0, high=100.0, live='lower')
    kind: str = param('', 'Which.', choices=('', 'b'))
    loud: bool = param(False, 'Whether.')
    where: tuple[float, ...] = param((0.0, -1.5), 'Where.', unit='m', length=2)
    inner: Inner = section(Inner, 'What is inside.')


def test_the_page_is_current():
    """To fix it: python -m millirobot_adapt.app.reference > docs/parameters.md."""
    assert PAGE.read_text(encoding='utf-8') == reference()


def test_every_parameter_has_its_row():
    page = reference()
    for node in NODES:
        for name in flatten(node.config_class()()):
            assert f'| `{name}` |' in page, name


@pytest.mark.parametrize('name', ['dt', 'driver<imageproc>.radio.baud', 'driver<dynamixel>.left', 'actions[].low'])
def test_every_parameter_of_a_robot_has_its_row(name):
    """One for each driver, and one for each entry of a list."""
    assert f'| `{name}` |' in reference()
    assert f'| `{name}` |' in table('robot', RobotConfig)


def test_a_row_tells_all_there_is_to_know():
    assert table('outer', Outer).splitlines()[4:] == [
        '| `rate` | number | Hz | 1 to 100 | `10.0` | lower | How often. |',
        "| `kind` | text |  | `''`, `b` | `''` |  | Which. |",
        '| `loud` | true, false |  |  | `false` |  | Whether. |',
        '| `where` | list of numbers | m | 2 values | `[0.0, -1.5]` |  | Where. |',
        '| `inner.count` | whole number |  | from 1 | `8` |  | How many. |',
    ]
