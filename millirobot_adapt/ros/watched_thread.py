"""A thread whose exception is handed on, so that its node ends and the robot stops."""

from __future__ import annotations

import threading
from collections.abc import Callable


class WatchedThread:
    """Run `work` on a thread; an exception is kept and passed, on that thread, to `on_failure`."""

    def __init__(
        self, name: str, work: Callable[[], None], on_failure: Callable[[str, Exception], None], daemon: bool = False
    ) -> None:
        self._name = name
        self._work = work
        self._on_failure = on_failure
        self._thread = threading.Thread(target=self._run, name=name, daemon=daemon)

    def start(self) -> None:
        """Begin the work."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the work is done."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self._on_failure(f'the thread {self._name!r} failed: {type(error).__name__}: {error}', error)
