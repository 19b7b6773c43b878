"""docs/api.md is what the docstrings of the Python API say."""

from pathlib import Path

import millirobot_adapt
from millirobot_adapt.app.api_reference import reference

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'api.md'


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding='utf-8') == reference(), (
        'run python -m millirobot_adapt.app.api_reference > docs/api.md'
    )


def test_every_name_has_a_heading_and_every_argument_a_line():
    page = reference()
    for name in millirobot_adapt.__all__:
        assert f'\n## {name}\n' in page
    assert '- `fault_time`: ' in page
    assert '- `loss_before`: ' in page
    assert '### LoadedRun.window' in page
    assert '*Raises*' in page
