"""Roll candidates through a network with fixed parameters, on several threads; one engine for each arithmetic."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.cpu import has_int8_dot_products, saturates_int8_products
from millirobot_adapt.core.dynamics.engine import EngineConfig, run_graph, to_engine
from millirobot_adapt.core.dynamics.graph_check import GraphTrial
from millirobot_adapt.core.dynamics.method_interface import Engine, Graph, Value
from millirobot_adapt.core.dynamics.provider import device_provider
from millirobot_adapt.core.robot.layout import StateLayout

INT8_GRAPH = 'rollout_int8.onnx'
LEVELS = 127
"""Largest magnitude of a quantised weight."""
LEVELS_SATURATING = 63
"""The same on a CPU that adds pairs of products in 16 bits: 2 * 255 * 127 does not fit, 2 * 255 * 63 does."""
ROWS = 64
"""Rows of a matrix that are quantised at a time."""
FEWEST = 32
"""The fewest candidates that are worth a thread of their own."""


class ThreadPool:
    """Run a rollout graph on several parts of the candidates at once, one of them on the calling thread."""

    def __init__(self, session: InferenceSession, threads: int):
        self.threads = threads
        self._session = session
        self._helpers = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def roll(
        self,
        theta: Mapping[str, Value],
        state: NDArray[np.floating],
        actions: NDArray[np.floating],
        states: NDArray[np.float32],
    ) -> None:
        """Write to states (H, K, nx) what follows `state`, (1 or K, nx), under actions (H, K, nu)."""
        _, K, _ = actions.shape
        parts = min(self.threads, max(1, K // FEWEST))
        edges = [part * K // parts for part in range(parts + 1)]
        pieces = [slice(*ends) for ends in pairwise(edges)]
        # Made before the threads begin: in each of them they would wait for Python's lock.
        inputs = [
            {
                **theta,
                'state': to_engine(state if len(state) == 1 else state[these]),
                'actions': to_engine(actions[:, these]),
            }
            for these in pieces
        ]

        def roll(part: int) -> None:
            states[:, pieces[part]] = run_graph(self._session, inputs[part])[0].numpy()[1:]

        elsewhere: Iterable[None] = self._helpers.map(roll, range(1, parts)) if self._helpers else ()
        roll(0)
        for _ in elsewhere:  # waits, and raises what another thread raised
            pass


@dataclass(frozen=True)
class RolloutModel:
    """A network with its parameters as the graph takes them; holding it costs nothing beyond the parameters."""

    pool: ThreadPool = field(repr=False)
    theta: Mapping[str, Value]
    _first_step: dict[tuple[bytes, bytes], NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)
    """What follows the state and action of the last call, shape (nx,), by their bits."""

    def rollout(self, state: NDArray[np.floating], actions: NDArray[np.floating]) -> NDArray[np.float32]:
        """Roll K sequences of H actions (H, K, nu) [rad/s] to states (H + 1, K, nx).

        `state` is one state for all, shape (nx,), or one for each sequence, shape (K, nx).
        """
        H, K, _ = actions.shape
        states = np.empty((H + 1, K, np.shape(state)[-1]), dtype=np.float32)
        states[0] = state
        begin = np.atleast_2d(state)
        done = 0
        if len(begin) == 1 and H > 1 and (actions[0] == actions[0, :1]).all():
            # The action that executes now is the first of every candidate: its step is one for all.
            states[1] = self._step(begin, actions[:1, :1])
            begin, done = states[1, :1], 1
        self.pool.roll(self.theta, begin, actions[done:], states[done + 1 :])
        return states

    def _step(self, state: NDArray[np.floating], action: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return what follows one state (1, nx) under one action (1, 1, nu), shape (nx,).

        All batches of a tick and the plan begin with the same step. It is computed once: a call of the graph for a
        single step costs hardly less than one for a whole plan.
        """
        key = state.tobytes(), action.tobytes()
        if key not in self._first_step:
            after = np.empty((1, 1, state.shape[-1]), dtype=np.float32)
            self.pool.roll(self.theta, state, action, after)
            self._first_step.clear()  # the next tick begins with another one
            self._first_step[key] = after[0, 0]
        return self._first_step[key]


def rollout_trials(theta: Mapping[str, NDArray[Any]], layout: StateLayout) -> list[GraphTrial]:
    """Return what a rollout graph must take: any H and K, one state for all sequences or one for each."""
    trials = []
    for H, K, S in ((1, 1, 1), (2, 3, 1), (2, 3, 3)):
        state, actions = np.zeros((S, layout.nx), np.float32), np.zeros((H, K, layout.nu), np.float32)
        trials.append(GraphTrial({**theta, 'state': state, 'actions': actions}, [(H + 1, K, layout.nx)]))
    return trials


class OnnxEngine:
    """What the engines of onnxruntime share."""

    def __init__(self, bundle: Bundle):
        self._bundle = bundle

    def value(self, array: NDArray[np.floating]) -> OrtValue:
        """Return an array as a value of onnxruntime, in single precision."""
        return to_engine(array)

    def graph(self, name: str, trials: Sequence[GraphTrial]) -> Graph:
        """Return another graph of the bundle, on one thread; see `Engine.graph`."""
        return partial(run_graph, self._bundle.session(name, trials))


class Fp32Engine(OnnxEngine):
    """Run rollout.onnx: the network in 32-bit floating point, with the parameters as they are."""

    def __init__(self, bundle: Bundle, config: EngineConfig):
        super().__init__(bundle)
        session = bundle.session('rollout.onnx', rollout_trials(bundle.theta, bundle.layout))
        self._pool = ThreadPool(session, config.threads)

    def load(self, theta: Mapping[str, Value]) -> RolloutModel:
        """Return the model with these parameters."""
        return RolloutModel(self._pool, theta)


class Int8Engine(OnnxEngine):
    """Run rollout_int8.onnx: products of 8-bit integers between the hidden layers, where nearly all of the work is.

    Weights are quantised after every adaptation, symmetrically, with one scale for each output. Activations are
    quantised in the graph (onnxruntime's DynamicQuantizeMatMul), with one scale for all candidates of a call. So the
    result depends on which candidates share a call: the planner's batch and the number of threads decide that. The
    network's clipped inputs bound how far one wild candidate can stretch the scale of the others. The first and the
    last layer stay in fp32: they are small and sensitive.
    """

    def __init__(self, bundle: Bundle, config: EngineConfig):
        super().__init__(bundle)
        layers = len(bundle.theta) // 2
        self._quantised = range(1, layers - 1)
        self._levels = LEVELS_SATURATING if saturates_int8_products() else LEVELS
        theta: dict[str, NDArray[Any]] = dict(bundle.theta)
        for layer in self._quantised:
            theta[f'w{layer}'], theta[f's{layer}'] = quantise(bundle.theta[f'w{layer}'], self._levels)
        session = bundle.session(INT8_GRAPH, rollout_trials(theta, bundle.layout))
        self._pool = ThreadPool(session, config.threads)
        self._known: dict[int, tuple[Value, OrtValue, OrtValue]] = {}
        if not has_int8_dot_products():
            logging.getLogger(__name__).warning(
                'engine.name = int8: this CPU has no 8-bit dot products (VNNI); fp32 may be as fast: compare both with '
                '`millirobot bench engine`'
            )

    def load(self, theta: Mapping[str, Value]) -> RolloutModel:
        """Return the model with these parameters, quantised."""
        taken = dict(theta)
        for layer in self._quantised:
            taken[f'w{layer}'], taken[f's{layer}'] = self._quantise(layer, theta[f'w{layer}'])
        return RolloutModel(self._pool, taken)

    def _quantise(self, layer: int, weights: Value) -> tuple[OrtValue, OrtValue]:
        """Return a layer's integers and scales; those of the last call where the weights are the very same value.

        A method that leaves them as they are, as rebal does, hands over the value of theta* at every tick.
        """
        known = self._known.get(layer)
        if known is None or known[0] is not weights:
            integers, scales = map(OrtValue.ortvalue_from_numpy, quantise(weights.numpy(), self._levels))
            known = self._known[layer] = weights, integers, scales
        return known[1], known[2]


def quantise(weights: NDArray[np.float32], levels: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return weights (inputs, outputs) as integers within +-levels, and each output's scale: weights ~ q * scale."""
    peak = np.maximum(weights.max(axis=0), -weights.min(axis=0))
    scales = np.maximum(peak / levels, np.finfo(np.float32).tiny).astype(np.float32)
    factor = 1 / scales
    integers = np.empty(weights.shape, dtype=np.int8)
    scaled = np.empty((min(ROWS, len(weights)), weights.shape[1]), dtype=np.float32)
    for first in range(0, len(weights), ROWS):  # rows that stay in the cache from step to step
        rows = weights[first : first + ROWS]
        part = scaled[: len(rows)]
        np.multiply(rows, factor, out=part)
        np.rint(part, out=part)
        integers[first : first + ROWS] = part
    return integers, scales


ENGINES: dict[str, Callable[[Bundle, EngineConfig], Engine]] = {'fp32': Fp32Engine, 'int8': Int8Engine}
"""Engines of the processor; those of a device are in device/device_engine.py."""


def make_engine(bundle: Bundle, config: EngineConfig) -> Engine:
    """Make the engine that the parameters name.

    Raises:
        UserError: the bundle lacks its graph; the device or its libraries are not there.
    """
    if config.provider != 'cpu':
        return device_provider(config).make_engine(bundle, config)
    return ENGINES[config.name](bundle, config)
