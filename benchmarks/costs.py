"""What a network has to compute and to move at the least, from its shapes alone: the floor under every implementation.

Only the multiplications and additions of matrix products and convolutions count as operations. Bytes are those that
have to pass between memory and processor once: examples, parameters, Adam's moments (read and written), and what the
forward pass keeps for the backward pass (written and read). Nothing else is counted, so nobody can be below this but by
holding things in its caches from step to step, as small networks do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.networks import Network, Shape

ITEM = 4
"""Bytes of a float32."""


@dataclass(frozen=True)
class Cost:
    """Floating-point operations, and bytes."""

    operations: float
    bytes: float

    def seconds(self, rates: Rates) -> float:
        """The time under which nobody can do it: the longer of the two, which may overlap."""
        return max(self.operations / rates.operations, self.bytes / rates.bytes)


@dataclass(frozen=True)
class Rates:
    """What a machine does in a second: operations of matrix products, bytes copied (each read and written)."""

    operations: float
    bytes: float


class LayerCost(NamedTuple):
    """For one example: operations forward, those of the gradient for its input, numbers kept for the backward pass."""

    operations: float
    for_input: float
    kept: float


def _dense(shape: Shape, settings: Mapping[str, Any]) -> LayerCost:
    products = 2.0 * math.prod(shape) * settings["units"]
    return LayerCost(products, products, math.prod(shape[:-1]) * settings["units"])


def _convolution(shape: Shape, settings: Mapping[str, Any]) -> LayerCost:
    size, filters = settings["kernel_size"], settings["filters"]
    lost = 0 if settings.get("padding") == "same" else size - 1
    places = (shape[0] - lost) * (shape[1] - lost)
    products = 2.0 * places * size * size * shape[2] * filters
    return LayerCost(products, products, places * filters)


def _pooling(shape: Shape, settings: Mapping[str, Any]) -> LayerCost:
    size = settings["pool_size"]
    return LayerCost(0.0, 0.0, (shape[0] // size) * (shape[1] // size) * shape[2])


def _lstm(shape: Shape, settings: Mapping[str, Any]) -> LayerCost:
    (steps, inputs), units = shape, settings["units"]
    outer = 2.0 * steps * inputs * 4 * units
    return LayerCost(outer + 2.0 * steps * units * 4 * units, outer, 6.0 * steps * units)


def _residual(shape: Shape, settings: Mapping[str, Any]) -> LayerCost:
    one = _convolution(shape, {"kernel_size": 3, "filters": settings["filters"], "padding": "same"})
    return LayerCost(2 * one.operations, one.for_input, 4 * one.kept)


def _transformer(shape: Shape, settings: Mapping[str, Any]) -> LayerCost:
    (steps, width), heads, hidden = shape, settings["heads"], settings["hidden"]
    projection = 2.0 * steps * width * width
    attention, between = 4.0 * steps * steps * width, 4.0 * steps * width * hidden
    kept = steps * (7.0 * width + hidden + heads * steps)
    return LayerCost(4 * projection + attention + between, 3 * projection, kept)


def _nothing(shape: Shape, settings: Mapping[str, Any]) -> LayerCost:
    return LayerCost(0.0, 0.0, 0.0)


COSTS: dict[str, Callable[[Shape, Mapping[str, Any]], LayerCost]] = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "MaxPooling2D": _pooling,
    "Flatten": _nothing,
    "GlobalAveragePooling1D": _nothing,
    "GlobalAveragePooling2D": _nothing,
    "LSTM": _lstm,
    "ResidualBlock": _residual,
    "TransformerBlock": _transformer,
}
"""By kind of layer, as in ``INITIAL`` of the networks."""


def _by_layer(network: Network) -> list[LayerCost]:
    pairs = zip(network.layers, network.parts(), strict=True)
    return [COSTS[layer.kind](shape, layer.settings) for layer, (_, shape) in pairs]


def _parameters(network: Network) -> int:
    return sum(w.size for w in network.weights())


def training_cost(network: Network, batch: int) -> Cost:
    """A step of training with Adam: forward, both gradients of each product but the one for the examples, update."""
    parts = _by_layer(network)
    first = next(part for part in parts if part.operations)
    operations = 3.0 * sum(part.operations for part in parts) - first.for_input
    numbers = math.prod(network.input_shape) + 2.0 * sum(part.kept for part in parts)
    return Cost(batch * operations, ITEM * (batch * numbers + 6.0 * _parameters(network)))


def prediction_cost(network: Network, rows: int) -> Cost:
    """A forward pass: examples and parameters are read, results are written."""
    operations = sum(part.operations for part in _by_layer(network))
    numbers = math.prod(network.input_shape) + network.classes
    return Cost(rows * operations, ITEM * (rows * numbers + _parameters(network)))
