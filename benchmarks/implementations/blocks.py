"""Networks as models of Keras, or of a library that names layers as Keras does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.networks import LayerSpec, Network


def model_of(network: Network, library: Any) -> Any:
    """The model with the network's first weights. ``library`` is Keras or lamina."""
    model = made_of(network, library)
    model.set_weights(network.weights())
    return model


def made_of(network: Network, library: Any) -> Any:
    """The model with weights of the library's own: ``Sequential`` where layers are in a row, else a graph."""
    parts = [_part(library.layers, layer) for layer in network.layers]
    if not network.has_blocks:
        return library.Sequential([library.Input(network.input_shape), *parts])
    x = inputs = library.Input(network.input_shape)
    for part in parts:
        x = part(x)
    return library.Model(inputs, x)


def _part(layers: Any, layer: LayerSpec) -> Any:
    block = {"ResidualBlock": _residual, "TransformerBlock": _transformer}.get(layer.kind)
    return getattr(layers, layer.kind)(**layer.settings) if block is None else block(layers, **layer.settings)


def _residual(layers: Any, filters: int) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        y = layers.Conv2D(filters, 3, padding="same")(x)
        y = layers.Activation("relu")(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        return layers.Activation("relu")(layers.Add()([x, y]))

    return call


def _transformer(layers: Any, heads: int, hidden: int) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        width = x.shape[-1]
        y = layers.MultiHeadAttention(heads, width // heads)(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, y]))
        y = layers.Dense(width)(layers.Dense(hidden, activation="relu")(x))
        return layers.LayerNormalization()(layers.Add()([x, y]))

    return call
