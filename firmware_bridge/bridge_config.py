"""Parameters of the executable `bridge`."""

from __future__ import annotations

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.core.niceness import NICENESS
from millirobot_adapt.core.safety.gate import GateConfig


class LinkConfig(Config):
    """Patience of the link."""

    reply_timeout: float = param(0.06, 'Longest wait for the telemetry of one setpoint.', unit='s', low=0.005, high=0.5)
    status_timeout: float = param(0.1, 'Longest wait for one TX status.', unit='s', low=0.005, high=1.0)
    gains_timeout: float = param(0.3, 'Longest wait for one answer during start-up.', unit='s', low=0.05, high=2.0)
    tries: int = param(8, 'Times a start-up or switch-off command is sent before giving up.', low=1, high=50)
    zero_hold_off: float = param(1.0, 'Silence after the encoders are zeroed.', unit='s', low=0.0, high=5.0)
    stop_tries: int = param(10, 'Times zero is sent, when stopping, until a reply echoes it.', low=1, high=100)
    lost_after: int = param(10, 'Missing replies in a row that mean that the link is lost.', low=2, high=100)
    highest_leg_rate: float = param(25.0, 'A faster encoder step is not believed.', unit='rev/s', low=1.0, high=100.0)
    echoes_previous: bool = param(False, 'A reply echoes the command before the one it answers (firmware unpublished).')


class BridgeConfig(Config):
    """Parameters of the executable `bridge`."""

    robot: str = param('velociroach', 'Robot: a name in params/robots or the path of a YAML file.')
    port: str = param('/dev/ttyUSB0', 'Serial port of the XBee; /dev/serial/by-id/... stays the same after replugging.')
    idle_period: float = param(
        0.1, 'The bridge itself sends zero this often while no setpoint comes.', unit='s', low=0.05, high=0.2
    )
    guardian_silence: float = param(
        0.2, 'The serial guardian stops the motors when the link falls silent for this long.', unit='s',
        low=0.1, high=2.0,
    )  # fmt: skip
    dry_run: bool = param(False, 'Decide and show as always, but send zero.')
    allow_mock_model: bool = param(
        False, 'Let a controller whose model was trained on the mock drive a robot on a real port.'
    )
    reconnect_first: float = param(0.2, 'Wait before the first attempt to reconnect.', unit='s', low=0.05, high=5.0)
    reconnect_longest: float = param(2.0, 'Longest wait between attempts.', unit='s', low=0.05, high=60.0)
    niceness: int = NICENESS
    link: LinkConfig = section(LinkConfig, 'Patience of the link.')
    gate: GateConfig = section(GateConfig, 'Limits of the gate.')
