"""Layers to configs and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina import serialization
from lamina.layers.layer import Layer
from lamina.serialization import custom_object_scope


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as ``{"class_name": ..., "config": ...}``.

    Raises SerializationError for a layer whose config cannot be written.

    >>> from lamina import layers
    >>> serialize(layers.Flatten(name="f"))["class_name"]
    'Flatten'
    """
    return serialization.serialize(layer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer of a config, as ``serialize``, Keras 3, Keras 2 or TensorFlow.js make it.

    ``custom_objects`` maps class names to classes of yours. Raises UnknownNameError for a class that no registry knows,
    SerializationError for a malformed config.

    >>> deserialize({"class_name": "Dense", "config": {"units": 3, "name": "d"}})
    <Dense 'd'>
    """
    with custom_object_scope(custom_objects or {}):
        return serialization.deserialize("layers", config, Layer)
