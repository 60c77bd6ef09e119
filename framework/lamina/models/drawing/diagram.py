"""What a picture of a model shows: a box for each call of a layer, and arrows between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lamina.activations import serialize
from lamina.layers.core import InputLayer
from lamina.layers.symbolic import Node, shapes_of
from lamina.markup import printable
from lamina.models.rows import model_rows


@dataclass(frozen=True)
class Show:
    """What is said of each layer beyond its class."""

    shapes: bool = False
    dtype: bool = False
    names: bool = False
    activations: bool = False
    trainable: bool = False


@dataclass(frozen=True)
class Box:
    """A layer, or one of several calls of it. ``lines`` is what it says; ``group`` the model it is inside of."""

    lines: tuple[str, ...]
    group: tuple[int, ...] = ()
    frozen: bool = False


@dataclass
class Diagram:
    """Boxes, arrows between their numbers, and the names of the models inside by their places."""

    title: str
    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[int, int]] = field(default_factory=list)
    groups: dict[tuple[int, ...], str] = field(default_factory=dict)

    def text(self, box: Box) -> tuple[str, ...]:
        """The lines of a box, with the models that it is inside of for pictures that show them in no other way."""
        inside = [self.groups[box.group[: i + 1]] for i in range(len(box.group))]
        return (*box.lines, f"in {'/'.join(inside)}") if inside else box.lines

    def add(self, box: Box, sources: list[int]) -> int:
        """One more box, with arrows from those of the given numbers; returns its own."""
        self.boxes.append(box)
        number = len(self.boxes) - 1
        self.arrows += [(source, number) for source in dict.fromkeys(sources)]
        return number


def diagram_of(model: Any, show: Show | None = None, *, expand_nested: bool = False) -> Diagram:
    """The diagram of a model; one with a ``call`` of its own has boxes for its layers, and no arrows.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(3, input_shape=(2,)), lamina.layers.Dropout(0.5)])
    >>> found = diagram_of(model)
    >>> [box.lines for box in found.boxes], found.arrows
    ([('InputLayer',), ('Dense',), ('Dropout',)], [(0, 1), (1, 2)])
    """
    show = show or Show()
    diagram = Diagram(printable(model.name))
    if model.graph is None:
        for row in model_rows(model, expand_nested=expand_nested):
            diagram.add(Box(_lines(row.layer, row.input_shapes, row.output_shapes, show), (), not row.trainable), [])
    else:
        _add_graph(diagram, model.graph, {}, (), show, expand_nested)
    return diagram


def _add_graph(
    diagram: Diagram, graph: Any, sources: dict[int, int], group: tuple[int, ...], show: Show, expand_nested: bool
) -> list[int]:
    """Draws the calls of a graph. ``sources`` has the boxes its inputs come from; returns those of its outputs."""
    found = dict(sources)
    calls = {id(node.layer): [n for n in graph.nodes if n.layer is node.layer] for node in graph.nodes}
    for node in graph.nodes:
        if all(id(x) in found for x in node.outputs):
            continue
        feeding = [found[id(x)] for x in node.inputs]
        inner = getattr(node.layer, "graph", None)
        if expand_nested and inner is not None:
            place = (*group, len(diagram.groups))
            diagram.groups[place] = printable(node.layer.name)
            fed = {id(x): box for x, box in zip(inner.inputs, feeding, strict=True)}
            given = _add_graph(diagram, inner, fed, place, show, expand_nested)
        else:
            given = [diagram.add(_box(node, calls[id(node.layer)], group, show), feeding)] * len(node.outputs)
        found.update({id(x): box for x, box in zip(node.outputs, given, strict=True)})
    return [found[id(x)] for x in graph.outputs]


def _box(node: Node, calls: list[Node], group: tuple[int, ...], show: Show) -> Box:
    into = [] if isinstance(node.layer, InputLayer) else [shapes_of(node.args[0])]
    out = [x.shape for x in node.outputs]
    lines = _lines(node.layer, into, out[0] if len(out) == 1 else out, show)
    if len(calls) > 1:
        lines = (f"{lines[0]}, call {calls.index(node) + 1}", *lines[1:])
    return Box(lines, group, show.trainable and not node.layer.trainable)


def _lines(layer: Any, into: Any, out: Any, show: Show) -> tuple[str, ...]:
    kind = printable(type(layer).__name__)
    lines = [f"{printable(layer.name)} ({kind})" if show.names else kind]
    activation = getattr(layer, "activation", None)
    if show.activations and activation is not None:
        lines.append(f"activation: {_activation(activation)}")
    if show.shapes:
        lines += [f"input: {_shapes(into)}"] if into else []
        lines.append(f"output: {_shapes(out)}")
    if show.dtype:
        lines.append(f"dtype: {layer.dtype}")
    if show.trainable and layer.weights:
        lines.append("trainable" if layer.trainable else "not trainable")
    return tuple(lines)


def _shapes(shapes: Any) -> str:
    while isinstance(shapes, (list, tuple)) and len(shapes) == 1 and isinstance(shapes[0], (list, tuple, dict)):
        shapes = shapes[0]
    return "?" if shapes in ((), []) else printable(str(shapes))


def _activation(activation: Any) -> str:
    name = serialize(activation)
    return printable(str(name.get("class_name") if isinstance(name, dict) else name))
