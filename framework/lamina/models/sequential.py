"""A stack of layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lamina.errors import ArgumentTypeError, GraphError, LaminaError
from lamina.layers.core import Input, InputLayer
from lamina.layers.layer import Layer
from lamina.layers.symbolic import SymbolicTensor
from lamina.models.graph import Graph
from lamina.models.model import Model


class Sequential(Model):
    """Layers one after the other: given as a list, or with ``add``.

    It is built at once if the first layer has an ``input_shape`` or is an ``Input``, else when it first sees data.

    >>> import lamina
    >>> model = Sequential([lamina.layers.Dense(32, input_shape=(784,)), lamina.layers.Dense(10)])
    >>> model.output_shape, model.count_params()
    ((None, 10), 25450)
    """

    def __init__(self, layers: Iterable[Any] | None = None, **common: Any) -> None:
        super().__init__(**common)
        self._stack: list[Layer] = []
        names: set[str] = set()
        for layer in layers or ():
            self._stack.append(self._fitting(layer, names))
            names.add(self._stack[-1].name)
        if self._stack:
            self._rebuild()

    @property
    def class_name(self) -> str:
        return "Sequential"

    def add(self, layer: Any) -> None:
        """Puts a layer on top. Raises GraphError, and changes nothing, if it does not fit the one below."""
        layer = self._fitting(layer, {other.name for other in self._stack})
        before = list(self._stack)
        self._stack.append(layer)
        try:
            self._extend(layer)
        except LaminaError:
            self._stack = before
            raise

    def _fitting(self, layer: Any, names: set[str]) -> Layer:
        """What may come on top of layers of these names."""
        if isinstance(layer, SymbolicTensor):
            layer = layer.layer
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(f"add got {layer!r}.", expected="a Layer, a Model, or Input(...).")
        if layer.name in names:
            raise GraphError(f"the name {layer.name!r} is used twice in {self.name!r}.", expected="unique names.")
        if isinstance(layer, InputLayer) and names:
            raise GraphError("an Input after other layers.", expected="an Input only as the first layer.")
        return layer

    def pop(self) -> Layer:
        """Takes the top layer away and returns it. Raises GraphError if there is none."""
        if not self._stack:
            raise GraphError(f"pop on {self.name!r}, which has no layers.", expected="at least one layer.")
        layer = self._stack.pop()
        self._rebuild()
        return layer

    def _extend(self, layer: Layer) -> None:
        """Applies one more layer to the output, if the stack is built, or can be now."""
        if self.graph is None:
            self._rebuild()
            return
        output = _applied(layer, self.graph.outputs[0])
        self._forget_steps()
        self._set_graph(Graph(self.graph.inputs[0], output))

    def _rebuild(self, shape: Any = None, dtype: str | None = None) -> None:
        self.graph: None = None
        self.built = False
        self._forget_steps()
        start = self._start(shape, dtype)
        if start is None:
            return
        output = start
        for layer in self._stack:
            if not isinstance(layer, InputLayer):
                output = _applied(layer, output)
        self._set_graph(Graph(start, output))

    def _start(self, shape: Any, dtype: str | None) -> SymbolicTensor | None:
        if not self._stack:
            return None
        first = self._stack[0]
        if isinstance(first, InputLayer):
            return first._nodes[0].outputs[0]
        known, wanted = first.batch_input_shape, first.dtype if first.autocast else "int32"
        if known is None and isinstance(first, Model) and first.graph is not None and len(first.inputs) == 1:
            known, wanted = first.inputs[0].shape, first.inputs[0].dtype
        if known is None:
            known, wanted = shape, dtype or wanted
        return None if known is None else Input(batch_shape=known, dtype=wanted, name=f"{first.name}_input")

    def build(self, input_shape: Any = None) -> None:
        """Builds the layers for an input of a shape with the batch, such as (None, 784)."""
        if self.graph is None and self._stack:
            shape = input_shape if input_shape is None else (None, *tuple(input_shape)[1:])
            self._rebuild(shape)
        if self.graph is None:
            raise GraphError(
                f"{self.name!r} cannot be built.",
                expected="at least one layer, and the shape of the input.",
                fix="give the first layer input_shape=(...), start with an Input, or call it on data.",
            )

    @property
    def layers(self) -> list[Layer]:
        """The layers from bottom to top, without the input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def sublayers(self) -> list[Any]:
        return self.layers


def _applied(layer: Layer, x: SymbolicTensor) -> SymbolicTensor:
    output = layer(x)
    if not isinstance(output, SymbolicTensor):
        raise GraphError(f"the layer {layer.name!r} has several outputs.", expected="one output in a Sequential.")
    return output
