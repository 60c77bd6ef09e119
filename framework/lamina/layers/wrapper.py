"""The base of layers that wrap another layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.errors import ArgumentTypeError
from lamina.layers.layer import Layer
from lamina.serialization import deserialize


class Wrapper(Layer):
    """A layer around ``layer``, given as an object or as its config.

    Weights of the wrapped layer are saved under the wrapper's name. ``build`` builds it for the same input; override it
    if ``call`` gives the layer another one. Input and output have the shapes of the layer inside. Raises
    ArgumentTypeError for what is no layer.

    >>> import lamina
    >>> class Twice(Wrapper):
    ...     def call(self, x):
    ...         return self.layer(x) * 2.0
    >>> Twice(lamina.layers.Dense(1, kernel_initializer="ones"))(lamina.ones((1, 3))).tolist()
    [[6.0]]
    """

    lends_settings = True

    def __init__(self, layer: Any, **common: Any) -> None:
        if isinstance(layer, Mapping):
            layer = deserialize("layers", layer, Layer)
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(
                f"{type(self).__name__} was given {layer!r}.", expected="a Layer, such as Dense(10), or its config."
            )
        common.setdefault("dtype", layer.dtype)
        super().__init__(**common)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        self.build_wrapped(self.layer, input_shape)

    def build_wrapped(self, layer: Layer, input_shape: Any, scope: str = "") -> None:
        """Builds a wrapped layer, its weights named as this one's own, or below ``scope`` in it."""
        build_inside(self, layer, input_shape, scope)


def build_inside(outer: Layer, layer: Layer, input_shape: Any, scope: str = "") -> None:
    """Builds a layer that ``outer`` holds, its weights named as those of ``outer``, or below ``scope`` in it."""
    own = outer.weight_scope or outer.name
    layer.weight_scope = f"{own}/{scope}" if scope else own
    layer._build_once(input_shape)
