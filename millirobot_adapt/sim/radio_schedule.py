"""When the radio's faults happen: from the first step on, for a while, at a time, or when somebody asks."""

from __future__ import annotations

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.world import World


class RadioScheduleConfig(Config):
    """Faults of the radio and their times, counted from the first motor command; below 0 means never."""

    begin: float = param(0.0, 'When the lasting faults begin; 0: as soon as the mock starts.', unit='s', low=0.0)
    end: float = param(-1.0, 'When they end.', unit='s', low=-1.0)
    reset: float = param(-1.0, 'When the robot starts anew, as after a brown-out.', unit='s', low=-1.0)
    vanish: float = param(-1.0, 'When the port vanishes.', unit='s', low=-1.0)
    vanish_duration: float = param(2.0, 'How long it stays away.', unit='s', low=0.0, high=60.0)
    faults: RadioFaults = section(RadioFaults, 'What goes wrong while it lasts.')


class RadioSchedule:
    """Let the faults happen to radio, robot and port; `update` at every turn of the mock."""

    def __init__(self, config: RadioScheduleConfig, world: World, radio: Radio, port: PtyPort) -> None:
        self._config = config
        self._world = world
        self._radio = radio
        self._port = port
        self._reset_due = config.reset >= 0.0
        self._vanish_due = config.vanish >= 0.0
        self._back_at = 0.0

    def update(self) -> None:
        """Do what is due by the world's time."""
        config, now = self._config, self._world.time
        start = self._world.microcontroller.first_motion
        elapsed = 0.0 if start is None else now - start
        lasting = elapsed >= config.begin and not 0.0 <= config.end <= elapsed
        self._radio.faults = config.faults if lasting else RadioFaults()
        if start is not None and self._reset_due and elapsed >= config.reset:
            self._reset_due = False
            self.reset()
        if start is not None and self._vanish_due and elapsed >= config.vanish:
            self._vanish_due = False
            self.vanish()
        if not self._port.present and now >= self._back_at:
            self._port.come_back()

    def reset(self) -> None:
        """Let the robot start anew now."""
        self._world.microcontroller.power_up()

    def vanish(self) -> None:
        """Let the port vanish now, for `vanish_duration`."""
        self._back_at = self._world.time + self._config.vanish_duration
        self._port.vanish()
