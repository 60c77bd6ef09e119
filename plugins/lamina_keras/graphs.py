"""Models as Keras 3 writes them: the layers, what each call of a layer was given, and the inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina.errors import SerializationError
from lamina.layers import InputLayer, RNNCell, SymbolicTensor
from lamina.layers.config import plain
from lamina.layers.symbolic import Node
from lamina.models import Model, Sequential
from lamina.models.calls import tensor_config
from lamina_keras.functions import KerasFunction
from lamina_keras.objects import Config, layer_config, number_of
from lamina_keras.operations import function_call

_FUNCTIONAL: Final = ("keras.src.models.functional", "Functional")
_SEQUENTIAL: Final = ("keras", "Sequential")


def whole_config(model: Any) -> Config:
    """A model that is not inside of another one."""
    return model_config(model, _shared(model))


def _shared(model: Any) -> dict[int, int]:
    """Numbers for layers that several of the nested models have, by their ``id``."""
    holders: dict[int, set[int]] = {}
    waiting, seen = [model], {id(model)}
    while waiting:
        holder = waiting.pop(0)
        for layer in holder.layers:
            holders.setdefault(id(layer), set()).add(id(holder))
            if isinstance(layer, Model) and id(layer) not in seen:
                seen.add(id(layer))
                waiting.append(layer)
    several = [layer for layer, found in holders.items() if len(found) > 1]
    return {layer: number for number, layer in enumerate(several, 1)}


def model_config(model: Any, shared: Mapping[int, int]) -> Config:
    """A graph of layers, or a stack. ``shared`` is as for ``layer_config``."""
    stacked = isinstance(model, Sequential)
    module, name = _SEQUENTIAL if stacked else _FUNCTIONAL
    config = {"name": model.name, "trainable": model.trainable, **(_stack if stacked else _graph)(model, shared)}
    found = {"module": module, "class_name": name, "config": config, "registered_name": None if stacked else name}
    return {**found, **number_of(model, shared)}


def _stack(model: Any, shared: Mapping[int, int]) -> Config:
    layers = [layer_config(layer, shared) for layer in model.layers]
    if model.graph is None:
        return {"dtype": model.dtype, "layers": layers}
    source = model.graph.inputs[0]
    start = layer_config(source.layer, {})
    return {"dtype": model.dtype, "layers": [start, *layers], "build_input_shape": list(source.shape)}


def _graph(model: Any, shared: Mapping[int, int]) -> Config:
    if model.graph is None:
        raise SerializationError(
            f"the model {model.name!r} is a subclass with a call of its own.",
            expected="a Model(inputs, outputs) or a Sequential.",
            fix="save its weights with save_weights, or build it as a graph of layers.",
        )
    graph = model.graph
    numbers = _node_numbers(graph.nodes)
    calls: dict[int, list[Node]] = {id(layer): [] for layer in graph.layers}
    for node in graph.nodes:
        calls[id(node.layer)].append(node)
    return {
        "layers": [_entry(layer, calls[id(layer)], numbers, shared) for layer in graph.layers],
        "input_layers": _places(graph.input_structure, numbers),
        "output_layers": _places(graph.output_structure, numbers),
    }


def _node_numbers(nodes: list[Node]) -> dict[int, int]:
    """The number of each call among those of its layer in this model."""
    counts: dict[int, int] = {}
    numbers: dict[int, int] = {}
    for node in nodes:
        numbers[id(node)] = counts.get(id(node.layer), 0)
        counts[id(node.layer)] = numbers[id(node)] + 1
    return numbers


def _entry(layer: Any, calls: list[Node], numbers: dict[int, int], shared: Mapping[int, int]) -> Config:
    nodes = [] if isinstance(layer, InputLayer) else [_call(node, numbers) for node in calls]
    return {**layer_config(layer, shared), "name": layer.name, "inbound_nodes": nodes}


def _call(node: Node, numbers: dict[int, int]) -> Config:
    if isinstance(node.layer, KerasFunction):
        return function_call(node.layer, [_argument(x, numbers) for x in node.inputs])
    args = node.args
    if isinstance(node.layer, RNNCell) and len(args) == 1 and isinstance(args[0], (list, tuple)):
        args = (args[0][0], list(args[0][1:]))  # TensorFlow.js gives a cell its states in one list with the input
    return {
        "args": [_argument(value, numbers) for value in args],
        "kwargs": {key: _argument(value, numbers) for key, value in node.kwargs.items()},
    }


def _argument(value: Any, numbers: dict[int, int]) -> Any:
    if isinstance(value, SymbolicTensor):
        found = tensor_config([value.name, numbers[id(value.node)], value.index])
        return {**found, "config": {"shape": list(value.shape), "dtype": value.dtype, **found["config"]}}
    if isinstance(value, (list, tuple)):
        return [_argument(v, numbers) for v in value]
    if isinstance(value, dict):
        return {key: _argument(v, numbers) for key, v in value.items()}
    return plain(value)


def _places(structure: Any, numbers: dict[int, int]) -> Any:
    """Inputs or outputs in their structure. Here, and only here, Keras counts calls of nested graphs from 1."""
    if isinstance(structure, SymbolicTensor):
        first = int(hasattr(structure.layer, "graph") and not isinstance(structure.layer, Sequential))
        return [structure.name, numbers[id(structure.node)] + first, structure.index]
    if isinstance(structure, dict):
        return {key: _places(value, numbers) for key, value in structure.items()}
    return [_places(value, numbers) for value in structure]
