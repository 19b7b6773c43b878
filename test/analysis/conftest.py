"""What the tests of this folder share."""

import pytest

from millirobot_adapt.analysis.report import run_report
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.sim.graphics import choose_backend


@pytest.fixture(scope='session')
def graphics():
    """Skip where this machine cannot draw; the variable that the search sets is taken back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('MUJOCO_GL', '')
        patch.delenv('MUJOCO_GL')
        try:
            choose_backend()
        except UserError:
            pytest.skip('neither EGL nor OSMesa')


@pytest.fixture
def words_alone(monkeypatch):
    """Reports without pictures, for tests of their numbers and words: pictures take most of the time."""
    monkeypatch.setattr(run_report, 'SECTIONS', ())
