"""JAX by hand: the whole step, Adam included, under one jit with donated state; a loop over batches on the device."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.implementations.jax_layers import LAYERS, PREDICTING
from benchmarks.networks import Network
from benchmarks.workloads import EagerOp, FirstStep, Prediction, Training

BETA_1, BETA_2 = 0.9, 0.999


def _loss(network: Network, weights: list[Any], x: Any, y: Any) -> Any:
    for part, layer in zip(weights, network.layers, strict=True):
        x = LAYERS[layer.kind](part, layer, x)
    return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).mean()


def _step(workload: Training) -> Callable[..., Any]:
    rate, epsilon = workload.learning_rate, workload.epsilon
    of = jax.value_and_grad(functools.partial(_loss, workload.network))

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state: Any, x: Any, y: Any) -> Any:
        weights, first, second, count, total = state
        loss, gradients = of(weights, x, y)
        count = count + 1.0
        scale = rate * jnp.sqrt(1.0 - BETA_2**count) / (1.0 - BETA_1**count)
        first = jax.tree.map(lambda m, g: m + (g - m) * (1.0 - BETA_1), first, gradients)
        second = jax.tree.map(lambda v, g: v + (g * g - v) * (1.0 - BETA_2), second, gradients)
        weights = jax.tree.map(lambda w, m, v: w - scale * m / (jnp.sqrt(v) + epsilon), weights, first, second)
        return weights, first, second, count, total + loss

    compiled: Callable[..., Any] = step
    return compiled


def _weights(network: Network) -> list[list[Any]]:
    return [[jnp.array(w) for w in part] for part in network.weights_by_layer()]


def _batches(workload: Training) -> list[tuple[Any, Any]]:
    return [(jax.device_put(x), jax.device_put(y)) for x, y in workload.in_batches()]


def _first_state(workload: Training) -> Any:
    weights = _weights(workload.network)
    zeros = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
    return (weights, *zeros, jnp.zeros(()), jnp.zeros(()))


def training(workload: Training) -> Callable[[], float]:
    batches = _batches(workload)
    step = _step(workload)
    state = _first_state(workload)

    def task() -> float:
        nonlocal state
        for _ in range(workload.epochs):
            state = (*state[:4], jnp.zeros(()))
            for x, y in batches:
                state = step(state, x, y)
            mean = float(state[4]) / len(batches)
        return mean

    return task


def first_step(workload: FirstStep) -> Callable[[], float]:
    training = workload.training()
    ((x, y),) = _batches(training)
    return lambda: float(_step(training)(_first_state(training), x, y)[4])


def prediction(workload: Prediction) -> Callable[[], float]:
    batches, layers = workload.in_batches(), workload.network.layers
    weights = _weights(workload.network)

    @jax.jit
    def call(weights: Any, x: Any) -> Any:
        for part, layer in zip(weights, layers, strict=True):
            x = PREDICTING[layer.kind](part, layer, x)
        return x

    def task() -> float:
        found = [np.asarray(call(weights, x)) for x in batches]
        return float((np.concatenate(found) if len(found) > 1 else found[0])[0, 0])

    return task


OPS = {"add": jnp.add, "relu": jax.nn.relu, "sum": jnp.sum, "matmul": jnp.matmul}


def eager(workload: EagerOp) -> Callable[[], float]:
    x, y = map(jnp.asarray, workload.arrays())
    op, arguments = OPS[workload.op], (x,) if workload.op in ("relu", "sum") else (x, y)
    steps = range(workload.steps)

    def task() -> float:
        for _ in steps:
            found = op(*arguments)
        return float(np.asarray(found).ravel()[0])

    return task
