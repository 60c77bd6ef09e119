"""What is known of each layer of a model: the facts behind its summary, in a terminal, a notebook or a diagram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lamina.errors import LaminaError
from lamina.layers.layer import Layer
from lamina.layers.symbolic import Node, shapes_of
from lamina.models.costs import activation_bytes, multiply_adds, weight_bytes


@dataclass(frozen=True)
class LayerRow:
    """One layer of a model. What is not known is None.

    ``input_shapes`` and ``output_shapes`` have an entry for each call of the layer in this model, a shape or a
    structure of shapes. ``received`` names what each call takes in, as ``name[call][output]``. ``depth`` is above 0 for
    layers of a model inside this one. ``weight_bytes`` are those of its weights, ``activation_bytes`` those of its
    outputs for one example, ``multiply_adds`` the multiplications with an addition of its matrix products and
    convolutions for one example; elementwise work is not counted.
    """

    layer: Layer = field(repr=False)
    name: str
    class_name: str
    depth: int
    input_shapes: tuple[Any, ...]
    output_shapes: tuple[Any, ...]
    params: int | None
    trainable_params: int | None
    trainable: bool
    received: tuple[str, ...]
    weight_bytes: int | None = None
    activation_bytes: int | None = None
    multiply_adds: int | None = None

    @property
    def output_shape(self) -> Any:
        """The shape that all calls give, ``"multiple"`` if they differ, None if it is not known."""
        found = list(dict.fromkeys(map(repr, self.output_shapes)))
        return None if not found else self.output_shapes[0] if len(found) == 1 else "multiple"


def model_rows(model: Any, *, expand_nested: bool = False, memory: bool = False, costs: bool = False) -> list[LayerRow]:
    """A row for each layer of a model, in the order of ``model.layers``.

    With ``expand_nested`` the layers of models inside it follow these, one deeper. ``memory`` asks for bytes, ``costs``
    for multiply-adds; for these each layer is run once, on zeros.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(3, input_shape=(2,), name="d")])
    >>> (row,) = model_rows(model, costs=True)
    >>> row.name, row.class_name, row.output_shape, row.params, row.multiply_adds
    ('d', 'Dense', (None, 3), 9, 6)
    """
    return list(_rows(model, 0, expand_nested, memory, costs))


def _rows(model: Any, depth: int, expand_nested: bool, memory: bool, costs: bool) -> Iterator[LayerRow]:
    nodes = model.graph.nodes if model.graph is not None else []
    for layer in model.layers:
        yield _row(layer, [node for node in nodes if node.layer is layer], depth, memory, costs)
        if expand_nested and hasattr(layer, "graph"):
            yield from _rows(layer, depth + 1, expand_nested, memory, costs)


def _row(layer: Any, nodes: list[Node], depth: int, memory: bool, costs: bool) -> LayerRow:
    calls = _calls(layer, nodes)
    built = layer.built or bool(layer.weights)
    return LayerRow(
        layer=layer,
        name=layer.name,
        class_name=type(layer).__name__,
        depth=depth,
        input_shapes=tuple(shapes for shapes, _ in calls),
        output_shapes=tuple(shapes for _, shapes in calls),
        params=sum(v.size for v in layer.weights) if built else None,
        trainable_params=sum(v.size for v in layer.trainable_weights) if built else None,
        trainable=layer.trainable,
        received=tuple(_place(x) for node in nodes for x in node.inputs),
        weight_bytes=weight_bytes(layer.weights) if memory and built else None,
        activation_bytes=activation_bytes(layer, [shapes for _, shapes in calls]) if memory and calls else None,
        multiply_adds=multiply_adds(layer, nodes) if costs and built else None,
    )


def _calls(layer: Any, nodes: list[Node]) -> list[tuple[Any, Any]]:
    """The shapes that go in and come out, call by call; of a layer outside of a graph those that it was built for."""
    if nodes:
        return [(_one(shapes_of(list(node.args[:1]))), _one([x.shape for x in node.outputs])) for node in nodes]
    if getattr(layer, "graph", None) is not None:
        return [(_one([x.shape for x in layer.inputs]), _one([x.shape for x in layer.outputs]))]
    if layer.built_for is None:
        return []
    shapes = tuple(map(_without_batch_size, layer.built_for))
    output = _output_shape(layer, shapes)
    return [] if output is None else [(_one(list(shapes)), output)]


def _output_shape(layer: Any, shapes: tuple[Any, ...]) -> Any:
    """The shape that a layer gives for the shapes it was built for; None if it cannot tell."""
    try:
        return layer.compute_output_shape(*shapes)
    except (LaminaError, TypeError):
        return None


def _without_batch_size(shapes: Any) -> Any:
    """Shapes whose first size is None: a layer is built on the first batch, of whatever size."""
    if isinstance(shapes, dict):
        return {key: _without_batch_size(value) for key, value in shapes.items()}
    if isinstance(shapes, list):
        return [_without_batch_size(value) for value in shapes]
    return (None, *shapes[1:]) if shapes else shapes


def _one(shapes: list[Any]) -> Any:
    """The only entry of a list of one, else the list."""
    return shapes[0] if len(shapes) == 1 else shapes


def _place(x: Any) -> str:
    """Which output of which call of which layer a symbolic tensor is."""
    calls = [id(node) for node in x.layer._nodes]
    return f"{x.name}[{calls.index(id(x.node))}][{x.index}]"


def is_stack(model: Any) -> bool:
    """Whether every layer is called once, on what the one before gives; without a graph nothing else is known."""
    graph = model.graph
    if graph is None:
        return True
    one_each = len(graph.nodes) == len(graph.layers) and len(graph.inputs) == len(graph.outputs) == 1
    return one_each and all(
        node.inputs == before.outputs for before, node in zip(graph.nodes, graph.nodes[1:], strict=False)
    )
