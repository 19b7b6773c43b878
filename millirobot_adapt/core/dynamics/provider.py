"""Find what runs the network and the search on a device: a plug-in, so that the core knows no library of a device."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.device_providers import DEVICE_PROVIDERS
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_interface import Engine
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.candidate_place import HOST, CandidatePlace


class DeviceProvider(Protocol):
    """What the module of a device offers."""

    def make_engine(self, bundle: Bundle, config: EngineConfig) -> Engine:
        """Return the engine of the parameters."""

    def make_place(self, config: EngineConfig) -> CandidatePlace:
        """Return where candidates are drawn and scored."""

    def identity(self, config: EngineConfig) -> dict[str, str]:
        """Return what else the bits of results depend on, for the fingerprint."""


def device_provider(config: EngineConfig) -> DeviceProvider:
    """Return the module of the device.

    Raises:
        UserError: a library that it needs is not installed.
    """
    try:
        module: DeviceProvider = import_module(DEVICE_PROVIDERS[config.provider])
    except ModuleNotFoundError as error:
        raise UserError(
            f"engine.provider = {config.provider}: {error.name} is not installed: pip install 'millirobot_adapt[gpu]', "
            'or choose engine.provider: cpu'
        ) from None
    return module


def place_of(config: EngineConfig) -> CandidatePlace:
    """Return where candidates are drawn and scored: on the host, or where the network runs.

    Raises:
        UserError: the device or its libraries are not there.
    """
    return HOST if config.provider == 'cpu' else device_provider(config).make_place(config)


def identity_of(config: EngineConfig) -> dict[str, str]:
    """Return what the bits of results depend on beside the processor.

    Raises:
        UserError: the device or its libraries are not there.
    """
    return {} if config.provider == 'cpu' else device_provider(config).identity(config)
