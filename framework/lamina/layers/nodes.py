"""What a layer tells about its calls on symbolic tensors."""

from __future__ import annotations

from typing import Any

from lamina.errors import GraphError
from lamina.layers.symbolic import Node, shapes_of
from lamina.shapes import as_int


class HasNodes:
    """Something that remembers its calls on symbolic tensors; ``Layer`` inherits it."""

    name: str
    _nodes: list[Node]

    @property
    def input(self) -> Any:
        """What the layer was called on, if it was called once on symbolic tensors."""
        return _input(self._only_node())

    @property
    def output(self) -> Any:
        """What the layer gave, if it was called once on symbolic tensors."""
        return _output(self._only_node())

    @property
    def input_shape(self) -> Any:
        """The shape of ``input``."""
        return shapes_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of ``output``."""
        return shapes_of(self.output)

    def get_input_at(self, node_index: int) -> Any:
        """What the layer was called on at one of its calls on symbolic tensors, counted from 0."""
        return _input(self._node(node_index))

    def get_output_at(self, node_index: int) -> Any:
        """What the layer gave at one of its calls on symbolic tensors, counted from 0."""
        return _output(self._node(node_index))

    def _node(self, node_index: int) -> Node:
        number = as_int(node_index, "node_index")
        if not -len(self._nodes) <= number < len(self._nodes):
            raise GraphError(
                f"the layer {self.name!r} has no call {number} on symbolic tensors.",
                expected=f"one of its {len(self._nodes)}, counted from 0.",
            )
        return self._nodes[number]

    def _only_node(self) -> Node:
        if len(self._nodes) != 1:
            raise GraphError(
                f"the layer {self.name!r} was called on symbolic tensors {len(self._nodes)} times.",
                expected="one call, so that its input and output are one.",
                fix="use get_input_at or get_output_at." if self._nodes else None,
            )
        return self._nodes[0]


def _input(node: Node) -> Any:
    return node.args[0] if node.args else node.outputs[0]


def _output(node: Node) -> Any:
    return node.outputs[0] if len(node.outputs) == 1 else node.outputs
