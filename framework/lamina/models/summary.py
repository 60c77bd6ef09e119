"""The table that ``model.summary()`` prints."""

from __future__ import annotations

from typing import Any, Final

from lamina.errors import NotBuiltError
from lamina.layers.layer import Layer
from lamina.shapes import as_int
from lamina.structures import flatten

_PLAIN: Final = (("Layer (type)", 0.44), ("Output Shape", 0.34), ("Param #", 0.22))
_GRAPH: Final = (("Layer (type)", 0.32), ("Output Shape", 0.24), ("Param #", 0.12), ("Receives inputs", 0.32))


def summary_lines(model: Any, line_length: int | None = None) -> list[str]:
    """The lines of the summary; a graph that is not a plain stack has a column with what each layer receives."""
    if not model.built:
        raise NotBuiltError(
            f"the model {model.name!r} has no shapes yet.", fix="build it with an input shape, or call it on data."
        )
    plain = model.graph is None or _is_stack(model)
    columns = _PLAIN if plain else _GRAPH
    width = (66 if plain else 98) if line_length is None else as_int(line_length, "line_length", minimum=40)
    widths = [int(width * share) for _, share in columns]
    lines = [
        f'Model: "{model.name}" ({type(model).__name__})',
        "=" * width,
        _row([t for t, _ in columns], widths),
        "=" * width,
    ]
    for layer in model.layers:
        lines += _layer_rows(model, layer, widths, plain)
    trained = sum(v.size for v in model.trainable_weights)
    total = sum(v.size for v in model.weights)
    lines += ["=" * width, f"Total params: {total}", f"Trainable params: {trained}"]
    return [*lines, f"Non-trainable params: {total - trained}", "_" * width]


def _is_stack(model: Any) -> bool:
    """Whether every layer is called once, on what the one before gives."""
    graph = model.graph
    one_each = len(graph.nodes) == len(graph.layers) and len(graph.inputs) == len(graph.outputs) == 1
    chained = all(node.inputs == before.outputs for before, node in zip(graph.nodes, graph.nodes[1:], strict=False))
    return one_each and chained


def _layer_rows(model: Any, layer: Layer, widths: list[int], plain: bool) -> list[str]:
    nodes = [n for n in model.graph.nodes if n.layer is layer] if model.graph is not None else []
    shapes = {str(_plain_shape(n)) for n in nodes}
    shape = shapes.pop() if len(shapes) == 1 else "multiple" if shapes else "?"
    cells = [f"{_printable(layer.name)} ({type(layer).__name__})", shape, str(sum(v.size for v in layer.weights))]
    if plain:
        return [_row(cells, widths)]
    received = [f"{_printable(x.name)}[{x.index}]" for n in nodes for x in n.inputs]
    first = _row([*cells, received[0] if received else ""], widths)
    return [first, *(_row(["", "", "", name], widths) for name in received[1:])]


def _plain_shape(node: Any) -> Any:
    shapes = [x.shape for x in flatten(node.outputs)]
    return shapes[0] if len(shapes) == 1 else shapes


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)


def _row(cells: list[str], widths: list[int]) -> str:
    return "".join(f"{cell[: w - 1]:<{w}}" for cell, w in zip(cells, widths, strict=True)).rstrip()
