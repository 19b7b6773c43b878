import pytest
from domains import join_domain
from harness import Listener, make_group


@pytest.fixture
def group(tmp_path, monkeypatch):
    """Processes on a private ROS domain; this process joins the same domain."""
    domain, group = make_group(tmp_path)
    join_domain(monkeypatch, group.environment)
    yield group
    group.supervisor.stop()
    domain.release()


@pytest.fixture
def listener(group):
    listener = Listener()
    yield listener
    listener.close()
