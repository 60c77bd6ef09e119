"""JAX by hand: the whole step, Adam included, under one jit with donated state; a loop over batches on the device."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.workloads import LayerSpec, Network, Training

BETA_1, BETA_2 = 0.9, 0.999
ACTIVATIONS = {None: lambda x: x, "relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}


def _dense(weights: list[Any], layer: LayerSpec, x: Any) -> Any:
    kernel, bias = weights.pop(0), weights.pop(0)
    return ACTIVATIONS[layer.settings.get("activation")](x @ kernel + bias)


LAYERS = {"Dense": _dense}


def _loss(network: Network, weights: list[Any], x: Any, y: Any) -> Any:
    left = list(weights)
    for layer in network.layers:
        x = LAYERS[layer.kind](left, layer, x)
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
        first = [m + (g - m) * (1.0 - BETA_1) for m, g in zip(first, gradients, strict=True)]
        second = [v + (g * g - v) * (1.0 - BETA_2) for v, g in zip(second, gradients, strict=True)]
        weights = [w - scale * m / (jnp.sqrt(v) + epsilon) for w, m, v in zip(weights, first, second, strict=True)]
        return weights, first, second, count, total + loss

    compiled: Callable[..., Any] = step
    return compiled


def training(workload: Training) -> Callable[[], float]:
    batches = [(jax.device_put(x), jax.device_put(y)) for x, y in workload.in_batches()]
    step = _step(workload)
    weights = [jnp.array(w) for w in workload.network.weights()]
    state: Any = (
        weights,
        [jnp.zeros_like(w) for w in weights],
        [jnp.zeros_like(w) for w in weights],
        jnp.zeros(()),
        None,
    )

    def task() -> float:
        nonlocal state
        for _ in range(workload.epochs):
            state = (*state[:4], jnp.zeros(()))
            for x, y in batches:
                state = step(state, x, y)
            mean = float(state[4]) / len(batches)
        return mean

    return task
