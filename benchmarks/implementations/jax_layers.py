"""The layers and blocks of the workloads as functions of JAX: the weights of a layer, its settings, x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.networks import LayerSpec

ACTIVATIONS = {None: lambda x: x, "relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
NORMALIZATION_EPSILON = 1e-3
Weights = list[Any]


def _dense(weights: Weights, layer: LayerSpec, x: Any) -> Any:
    kernel, bias = weights
    return ACTIVATIONS[layer.settings.get("activation")](x @ kernel + bias)


def _convolution(kernel: Any, bias: Any, x: Any, padding: str) -> Any:
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), padding.upper(), dimension_numbers=layout) + bias


def _conv2d(weights: Weights, layer: LayerSpec, x: Any) -> Any:
    found = _convolution(*weights, x, layer.settings.get("padding", "valid"))
    return ACTIVATIONS[layer.settings.get("activation")](found)


def _max_pooling(weights: Weights, layer: LayerSpec, x: Any) -> Any:
    size = (1, layer.settings["pool_size"], layer.settings["pool_size"], 1)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, size, size, "VALID")


def _lstm(weights: Weights, layer: LayerSpec, x: Any) -> Any:
    kernel, recurrent, bias = weights
    projected = jnp.swapaxes(x @ kernel + bias, 0, 1)
    zeros = jnp.zeros((x.shape[0], recurrent.shape[0]))

    def step(state: Any, inputs: Any) -> Any:
        hidden, carry = state
        opened, kept, new, shown = jnp.split(inputs + hidden @ recurrent, 4, axis=1)
        carry = jax.nn.sigmoid(kept) * carry + jax.nn.sigmoid(opened) * jnp.tanh(new)
        return (jax.nn.sigmoid(shown) * jnp.tanh(carry), carry), None

    (hidden, _), _ = jax.lax.scan(step, (zeros, zeros), projected)
    return hidden


def _normalized(x: Any, gamma: Any, beta: Any, axes: tuple[int, ...]) -> Any:
    mean = x.mean(axes, keepdims=True)
    variance = jnp.square(x - mean).mean(axes, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + NORMALIZATION_EPSILON) * gamma + beta


def _residual(weights: Weights, layer: LayerSpec, x: Any) -> Any:
    first, second = weights[:6], weights[6:]
    y = jax.nn.relu(_normalized(_convolution(*first[:2], x, "same"), *first[2:4], (0, 1, 2)))
    return jax.nn.relu(x + _normalized(_convolution(*second[:2], y, "same"), *second[2:4], (0, 1, 2)))


def _residual_predicting(weights: Weights, layer: LayerSpec, x: Any) -> Any:
    def normalized(x: Any, gamma: Any, beta: Any, mean: Any, variance: Any) -> Any:
        return (x - mean) * jax.lax.rsqrt(variance + NORMALIZATION_EPSILON) * gamma + beta

    first, second = weights[:6], weights[6:]
    y = jax.nn.relu(normalized(_convolution(*first[:2], x, "same"), *first[2:]))
    return jax.nn.relu(x + normalized(_convolution(*second[:2], y, "same"), *second[2:]))


def _transformer(weights: Weights, layer: LayerSpec, x: Any) -> Any:
    q, k, v = (jnp.einsum("bsw,whd->bhsd", x, weights[i]) + weights[i + 1][:, None] for i in (0, 2, 4))
    shares = jax.nn.softmax(q @ jnp.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5)
    found = jnp.einsum("bhsd,hdw->bsw", shares @ v, weights[6]) + weights[7]
    x = _normalized(x + found, *weights[8:10], (-1,))
    y = jax.nn.relu(x @ weights[10] + weights[11]) @ weights[12] + weights[13]
    return _normalized(x + y, *weights[14:16], (-1,))


LAYERS: dict[str, Callable[[Weights, LayerSpec, Any], Any]] = {
    "Dense": _dense,
    "Conv2D": _conv2d,
    "MaxPooling2D": _max_pooling,
    "Flatten": lambda weights, layer, x: x.reshape(len(x), -1),
    "GlobalAveragePooling1D": lambda weights, layer, x: x.mean(1),
    "GlobalAveragePooling2D": lambda weights, layer, x: x.mean((1, 2)),
    "LSTM": _lstm,
    "ResidualBlock": _residual,
    "TransformerBlock": _transformer,
}

PREDICTING = {**LAYERS, "ResidualBlock": _residual_predicting}
"""The same where nothing is trained: normalization by the averages that training has kept."""
