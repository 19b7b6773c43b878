"""How a launch ends: with the first process that does, whose last words go into the run folder."""

from __future__ import annotations

from collections.abc import Callable

from launch import LaunchContext
from launch.action import Action
from launch.actions import RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessIO
from launch.events.process import ProcessExited, ProcessIO

from millirobot_adapt.bringup.run_folder import RunFolder
from millirobot_adapt.bringup.supervisor import how_it_ended


class Ending:
    """End everything with the first process that ends; Ctrl-C ends all of them, and there is nothing to tell."""

    def __init__(self, folder: RunFolder | None) -> None:
        """Begin with nothing heard; `folder` is that of the run, if it is recorded."""
        self._folder = folder
        self._last_lines: dict[str, str] = {}  # process name of launch -> what it last wrote to standard error

    def listen(self) -> RegisterEventHandler:
        """Return what hears the processes' standard error."""
        return RegisterEventHandler(OnProcessIO(on_stderr=self._on_stderr))

    def of(self, name: str) -> Callable[[ProcessExited, LaunchContext], list[Action]]:
        """Return what is to be done when the process of the node `name` ends; the launch fails if the process has.

        Raises:
            RuntimeError: that is how a launch fails.
        """

        def on_exit(event: ProcessExited, context: LaunchContext) -> list[Action]:
            if context.is_shutdown:
                return []
            if self._folder is not None:
                last_line = self._last_lines.get(event.process_name, '')
                self._folder.note_end(how_it_ended(name, event.returncode, last_line))
            if event.returncode:
                raise RuntimeError(f'{event.process_name} ended with exit code {event.returncode}; everything ends')
            return [Shutdown(reason=f'{event.process_name} has ended')]

        return on_exit

    def _on_stderr(self, event: ProcessIO) -> None:
        lines = [line for line in event.text.decode(errors='replace').splitlines() if line.strip()]
        if lines:
            self._last_lines[event.process_name] = lines[-1].strip()
