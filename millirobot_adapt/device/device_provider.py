"""The providers that run on PyTorch: `cuda`, and `torch-cpu`, which runs the same code on the processor, for tests."""

from __future__ import annotations

from functools import cache

import torch

from millirobot_adapt.core.arrays import Library, register
from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.device import library
from millirobot_adapt.device.device_engine import DeviceEngine
from millirobot_adapt.device.device_place import DevicePlace, to_device, to_host

DEVICES = {'cuda': 'cuda', 'torch-cpu': 'cpu'}

register(torch.Tensor, Library(library, to_host, to_device))


def make_engine(bundle: Bundle, config: EngineConfig) -> DeviceEngine:
    """Return the engine of this name on the device.

    Raises:
        UserError: there is no such device; a graph has an operator that is not known there.
    """
    return DeviceEngine(bundle, config.name, find_device(config.provider))


def make_place(config: EngineConfig) -> DevicePlace:
    """Return where candidates are drawn and scored: one place for each device, which keeps what it captured.

    Raises:
        UserError: there is no such device.
    """
    return _place(find_device(config.provider))


@cache
def _place(device: torch.device) -> DevicePlace:
    return DevicePlace(device)


def identity(config: EngineConfig) -> dict[str, str]:
    """Return what else the bits of a result depend on: PyTorch, and the device."""
    device = find_device(config.provider)
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else 'cpu'
    return {'torch': torch.__version__, 'device': name}


@cache
def find_device(provider: str) -> torch.device:
    """Return the device of a provider.

    Raises:
        UserError: PyTorch finds no GPU.
    """
    if DEVICES[provider] == 'cuda' and not torch.cuda.is_available():
        built = f'was built for CUDA {torch.version.cuda}' if torch.version.cuda else 'was built without CUDA'
        raise UserError(
            f'engine.provider = {provider}: PyTorch {torch.__version__} {built} and finds no GPU; check nvidia-smi, '
            "install a build for your driver (pip install 'millirobot_adapt[gpu]'), or choose engine.provider: cpu"
        )
    if DEVICES[provider] == 'cpu':
        torch.set_num_threads(1)  # as onnxruntime's graphs; the same sums every time
    return torch.device(DEVICES[provider])
