"""Networks as plain data: layers and blocks of layers in a row, and their first weights, the same for every library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Made = tuple[list[Array], Shape]


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its class in Keras's spelling, and its settings; or a block of several (see BLOCKS)."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """Layers in a row, on examples of ``input_shape``; the last one gives logits."""

    input_shape: Shape
    layers: tuple[LayerSpec, ...]

    @property
    def classes(self) -> int:
        """How many logits there are."""
        return int(self.layers[-1].settings["units"])

    @property
    def has_blocks(self) -> bool:
        """Whether some part is a block of layers that are not in a row."""
        return any(layer.kind in BLOCKS for layer in self.layers)

    def weights(self) -> list[Array]:
        """The first weights, in the order of Keras's ``get_weights``: Glorot's uniform kernels, zero biases."""
        return [array for part in self.weights_by_layer() for array in part]

    def weights_by_layer(self) -> list[list[Array]]:
        """The same, layer by layer."""
        return [arrays for arrays, _ in self.parts()]

    def parts(self) -> list[Made]:
        """Each layer's first weights, and the shape of an example that it is given."""
        rng = np.random.default_rng(1)
        shape, found = self.input_shape, []
        for layer in self.layers:
            arrays, after = INITIAL[layer.kind](rng, shape, layer.settings)
            found.append((arrays, shape))
            shape = after
        return found


BLOCKS = ("ResidualBlock", "TransformerBlock")
"""``ResidualBlock(filters)``: x + normalized(conv(relu(normalized(conv(x))))), then relu; 3 by 3, same padding.
``TransformerBlock(heads, hidden)``: attention to itself, then a Dense of ``hidden`` with relu and one back, each added
to its input and normalized."""


def _glorot(rng: np.random.Generator, *shape: int, fan_in: int, fan_out: int) -> Array:
    limit = (6.0 / (fan_in + fan_out)) ** 0.5
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def _ones(*shape: int) -> Array:
    return np.ones(shape, np.float32)


def _dense(rng: np.random.Generator, shape: Shape, settings: Mapping[str, Any]) -> Made:
    units = settings["units"]
    kernel = _glorot(rng, shape[-1], units, fan_in=shape[-1], fan_out=units)
    return [kernel, _zeros(units)], (*shape[:-1], units)


def _conv2d(rng: np.random.Generator, shape: Shape, settings: Mapping[str, Any]) -> Made:
    size, filters, channels = settings["kernel_size"], settings["filters"], shape[-1]
    kernel = _glorot(rng, size, size, channels, filters, fan_in=size * size * channels, fan_out=size * size * filters)
    lost = 0 if settings.get("padding") == "same" else size - 1
    return [kernel, _zeros(filters)], (shape[0] - lost, shape[1] - lost, filters)


def _max_pooling(rng: np.random.Generator, shape: Shape, settings: Mapping[str, Any]) -> Made:
    size = settings["pool_size"]
    return [], (shape[0] // size, shape[1] // size, shape[2])


def _lstm(rng: np.random.Generator, shape: Shape, settings: Mapping[str, Any]) -> Made:
    units, inputs = settings["units"], shape[-1]
    kernel = _glorot(rng, inputs, 4 * units, fan_in=inputs, fan_out=4 * units)
    recurrent = np.concatenate([np.linalg.qr(rng.standard_normal((units, units)))[0] for _ in range(4)], axis=1)
    bias = np.concatenate([_zeros(units), _ones(units), _zeros(2 * units)])
    return [kernel, recurrent.astype(np.float32), bias], (units,)


def _residual(rng: np.random.Generator, shape: Shape, settings: Mapping[str, Any]) -> Made:
    filters, arrays = settings["filters"], []
    for _ in range(2):
        arrays += _conv2d(rng, shape, {"kernel_size": 3, "filters": filters, "padding": "same"})[0]
        arrays += [_ones(filters), _zeros(filters), _zeros(filters), _ones(filters)]
    return arrays, shape


def _transformer(rng: np.random.Generator, shape: Shape, settings: Mapping[str, Any]) -> Made:
    width, heads, hidden = shape[-1], settings["heads"], settings["hidden"]
    size = width // heads
    arrays = []
    for _ in range(3):
        arrays += [_glorot(rng, width, heads, size, fan_in=width, fan_out=width), _zeros(heads, size)]
    arrays += [_glorot(rng, heads, size, width, fan_in=width, fan_out=width), _zeros(width)]
    arrays += [_ones(width), _zeros(width)]
    arrays += _dense(rng, shape, {"units": hidden})[0] + _dense(rng, (hidden,), {"units": width})[0]
    return [*arrays, _ones(width), _zeros(width)], shape


INITIAL: dict[str, Callable[[np.random.Generator, Shape, Mapping[str, Any]], Made]] = {
    "Dense": _dense,
    "Conv2D": _conv2d,
    "MaxPooling2D": _max_pooling,
    "Flatten": lambda rng, shape, settings: ([], (int(np.prod(shape)),)),
    "GlobalAveragePooling1D": lambda rng, shape, settings: ([], shape[-1:]),
    "GlobalAveragePooling2D": lambda rng, shape, settings: ([], shape[-1:]),
    "LSTM": _lstm,
    "ResidualBlock": _residual,
    "TransformerBlock": _transformer,
}
"""By kind of layer: its first weights and the shape that it gives."""


def dense(*sizes: int, activation: str = "relu") -> Network:
    """A network of Dense layers: the inputs, the hidden units, the logits."""
    hidden = [LayerSpec("Dense", {"units": units, "activation": activation}) for units in sizes[1:-1]]
    return Network((sizes[0],), (*hidden, LayerSpec("Dense", {"units": sizes[-1]})))


def two_convolutions() -> Network:
    """The usual small network for handwritten digits."""
    parts: list[LayerSpec] = []
    for filters in (32, 64):
        parts.append(LayerSpec("Conv2D", {"filters": filters, "kernel_size": 3, "activation": "relu"}))
        parts.append(LayerSpec("MaxPooling2D", {"pool_size": 2}))
    return Network((28, 28, 1), (*parts, LayerSpec("Flatten"), LayerSpec("Dense", {"units": 10})))


def residual(blocks: int, size: int, filters: int) -> Network:
    """Residual blocks on images that have as many channels as the blocks."""
    parts = (LayerSpec("ResidualBlock", {"filters": filters}),) * blocks
    ending = (LayerSpec("GlobalAveragePooling2D"), LayerSpec("Dense", {"units": 10}))
    return Network((size, size, filters), (*parts, *ending))


def lstm(steps: int, features: int, units: int) -> Network:
    """An LSTM whose last state is classified."""
    return Network((steps, features), (LayerSpec("LSTM", {"units": units}), LayerSpec("Dense", {"units": 10})))


def transformer(blocks: int, steps: int, width: int, heads: int) -> Network:
    """Encoder blocks, and the mean of the last one's outputs classified."""
    parts = (LayerSpec("TransformerBlock", {"heads": heads, "hidden": 4 * width}),) * blocks
    ending = (LayerSpec("GlobalAveragePooling1D"), LayerSpec("Dense", {"units": 10}))
    return Network((steps, width), (*parts, *ending))
