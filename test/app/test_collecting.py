"""What collecting leaves behind, without its processes."""

import pytest

from millirobot_adapt.app import collecting
from millirobot_adapt.app.collecting import Collecting, run_collecting


@pytest.mark.parametrize(
    ('complaint', 'code'), [('', 0), ('bridge was killed by SIGKILL', 1), ('the robot was stopped: fence', 1)]
)
def test_why_it_ended_before_its_time_stands_in_the_run_folder(tmp_path, monkeypatch, capsys, complaint, code):
    monkeypatch.setattr(collecting, '_drive', lambda *_: complaint)
    asked = Collecting(
        minutes=0.1, port='', condition='flat', robot='velociroach', mock=True, seed=3, out=tmp_path, overrides=()
    )
    found, folder = run_collecting(asked, 'millirobot collect --live')
    assert found == code
    ended = folder / 'ended.txt'
    assert (ended.read_text().strip() if ended.exists() else '') == complaint
    assert complaint in capsys.readouterr().err
