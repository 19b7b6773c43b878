"""Let a test meet the processes that it starts."""

import os


def join_domain(monkeypatch, environment):
    """Set what `local_environment` returned in this process, too; names that hold these values are left alone."""
    for name, value in environment.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
