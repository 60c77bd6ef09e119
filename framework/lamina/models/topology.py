"""Models to configs and back, in the form that TensorFlow.js and Keras 2 write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.errors import LaminaError, SerializationError, UnsafeModelError
from lamina.io.checks import limits_in_force
from lamina.layers.config import plain
from lamina.layers.core import InputLayer
from lamina.layers.layer import Layer
from lamina.layers.masks import call_arguments
from lamina.layers.symbolic import Node, SymbolicTensor
from lamina.models.calls import (
    Call,
    Outputs,
    in_order,
    places_in,
    read_calls,
    read_structure,
    tensor_config,
    with_tensors,
)
from lamina.models.layouts import PLACES, is_plain, layout_of
from lamina.serialization import deserialize
from lamina.structures import flatten


def layer_config(layer: Layer) -> dict[str, Any]:
    """A layer as ``{"class_name", "config"}``."""
    return {"class_name": layer.class_name, "config": layer.get_config()}


def graph_config(model: Any) -> dict[str, Any]:
    """The config of a model that is a graph of layers, or of a stack."""
    shared = {"shared_layers": names} if (names := shared_names(model)) else {}
    if model.class_name == "Sequential":
        return {"name": model.name, "layers": _stack_configs(model), **shared}
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
        "name": model.name,
        "layers": [_entry(layer, calls[id(layer)], numbers) for layer in graph.layers],
        "input_layers": _places(graph.input_structure, numbers),
        "output_layers": _places(graph.output_structure, numbers),
        **shared,
    }


def _places(structure: Any, numbers: dict[int, int]) -> Any:
    """Inputs or outputs as [layer, call, output], by their keys if they have some, else in a list."""
    if isinstance(structure, dict) and all(isinstance(x, SymbolicTensor) for x in structure.values()):
        return {key: _place(x, numbers) for key, x in structure.items()}
    return [_place(x, numbers) for x in flatten(structure)]


def _place(x: SymbolicTensor, numbers: dict[int, int]) -> list[Any]:
    return [x.name, numbers[id(x.node)], x.index]


def without_keys(config: Any) -> Any:
    """The config of a model, and of those in it, with inputs and outputs in lists, which is all TensorFlow.js knows."""
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        return config
    found = dict(config)
    for key in ("input_layers", "output_layers"):
        if isinstance(found.get(key), Mapping):
            found[key] = list(found[key].values())
    found["layers"] = [{**entry, "config": without_keys(entry["config"])} for entry in found["layers"]]
    return found


def shared_names(model: Any) -> list[str]:
    """The names of layers that several of the nested models have: other readers make a layer for each of them."""
    holders: dict[int, tuple[str, set[int]]] = {}
    waiting, seen = [model], {id(model)}
    while waiting:
        holder = waiting.pop()
        for layer in holder.layers:
            holders.setdefault(id(layer), (layer.name, set()))[1].add(id(holder))
            if hasattr(layer, "graph") and id(layer) not in seen:
                seen.add(id(layer))
                waiting.append(layer)
    return sorted(name for name, found in holders.values() if len(found) > 1)


def _stack_configs(model: Any) -> list[dict[str, Any]]:
    """The layers of a stack; the first one carries the input's shape, which is what TensorFlow.js reads."""
    configs = [layer_config(layer) for layer in model.layers]
    if configs and model.graph is not None and not hasattr(model.layers[0], "graph"):
        source = model.graph.inputs[0]
        first = dict(configs[0]["config"])
        first.update(batch_input_shape=list(source.shape), dtype=model.layers[0].dtype)
        configs[0] = {**configs[0], "config": first}
    return configs


def _node_numbers(nodes: list[Node]) -> dict[int, int]:
    """The number of each call among the calls of its layer in this model.

    Those of a nested model start at 1: in TensorFlow.js and Keras 2 its own graph is call 0.
    """
    counts: dict[int, int] = {}
    numbers: dict[int, int] = {}
    for node in nodes:
        numbers[id(node)] = counts.get(id(node.layer), int(hasattr(node.layer, "graph")))
        counts[id(node.layer)] = numbers[id(node)] + 1
    return numbers


def _entry(layer: Layer, calls: list[Node], numbers: dict[int, int]) -> dict[str, Any]:
    inbound = [] if isinstance(layer, InputLayer) else [_inbound(node, numbers) for node in calls]
    return {"name": layer.name, **layer_config(layer), "inbound_nodes": inbound}


def _inbound(node: Node, numbers: dict[int, int]) -> list[Any]:
    kwargs = dict(node.kwargs)
    kwargs.update(zip(call_arguments(type(node.layer).call)[1:], node.args[1:], strict=False))
    states = flatten(kwargs.pop("initial_state", None) or [])
    if not states and any(isinstance(x, SymbolicTensor) for x in flatten(kwargs)):
        layout = layout_of(node)
        if is_plain(layout):
            settings = {key: plain(value) for key, value in kwargs.items() if key not in layout.arguments}
            settings[PLACES] = layout.arguments
            return [[*_place(x, numbers), settings] for x in layout.tensors]  # TensorFlow.js keeps the last ones
    ordered = getattr(node.layer, "_in_order", None) if isinstance(node.args[0], dict) else None
    tensors = [*(ordered(node.args[0]) if ordered else flatten(node.args[0])), *states]
    settings = {key: _plain_argument(value, numbers) for key, value in kwargs.items()}
    return [[*_place(x, numbers), settings if not i else {}] for i, x in enumerate(tensors)]


def _plain_argument(value: Any, numbers: dict[int, int]) -> Any:
    """A further argument of a call as JSON has it; symbolic tensors as Keras 3 writes them."""
    if isinstance(value, SymbolicTensor):
        return tensor_config(_place(value, numbers))
    if isinstance(value, (list, tuple)):
        return [_plain_argument(v, numbers) for v in value]
    if isinstance(value, dict):
        return {key: _plain_argument(v, numbers) for key, v in value.items()}
    return plain(value)


def model_from_config(config: Mapping[str, Any], depth: int = 0, shared: dict[Any, Any] | None = None) -> Any:
    """The model of a config, its weights as its layers make them.

    ``shared`` holds layers that several models have, by name, or by the number that Keras gives them.

    Raises SerializationError if the config is malformed, UnknownNameError for a class that no registry knows.
    """
    limits = limits_in_force()
    if depth > limits.nested:
        raise UnsafeModelError(f"models nested more than {limits.nested} deep.")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(layers, list):
        raise SerializationError("the config of a model has no list of layers.")
    if len(layers) > limits.layers:
        raise UnsafeModelError(f"a model has {len(layers)} layers.", expected=f"at most {limits.layers}.")
    if shared is None:
        names = config.get("shared_layers")
        shared = dict.fromkeys(name for name in names if isinstance(name, str)) if isinstance(names, list) else {}
    model = (_functional if "output_layers" in config else _sequential)(config, layers, depth, shared)
    if config.get("trainable") is False:
        model._trainable = False  # the layers say it for themselves
    return model


def _made(entry: Any, depth: int, shared: dict[Any, Any]) -> Layer:
    """One layer, or a nested model; one that several models have is made once."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        raise SerializationError(f"{str(entry)[:100]!r} is not the config of a layer.")
    name = entry.get("shared_object_id", entry["config"].get("name"))
    made: Layer | None = shared.get(name) if isinstance(name, (str, int)) else None
    if made is None:
        if entry.get("class_name") in ("Model", "Functional", "Sequential"):
            made = model_from_config(entry["config"], depth + 1, shared)
        else:
            made = deserialize("layers", dict(entry), Layer)
        if name in shared:
            shared[name] = made
    return made


def _sequential(config: Mapping[str, Any], entries: list[Any], depth: int, shared: dict[Any, Any]) -> Any:
    from lamina.models.sequential import Sequential

    layers = [_made(entry, depth, shared) for entry in entries]
    return _of_bounded_size(Sequential(layers, name=config.get("name")), layers)


def _functional(config: Mapping[str, Any], entries: list[Any], depth: int, shared: dict[Any, Any]) -> Any:
    from lamina.models.model import Model

    layers: dict[str, Layer] = {}
    for entry in entries:
        layer = _made(entry, depth, shared)
        name = entry.get("name", layer.name)
        if name in layers:
            raise SerializationError(f"the config of a model has two layers named {str(name)[:100]!r}.")
        layers[name] = layer
    outputs: Outputs = {
        (name, 0): layer._nodes[0].outputs for name, layer in layers.items() if isinstance(layer, InputLayer)
    }
    starts = _first_numbers(config, entries, layers)
    waiting = [
        (entry["name"], number, call)
        for entry in entries
        for number, call in enumerate(read_calls(entry), starts.get(entry["name"], 0))
    ]
    for name, number, call in in_order(waiting, outputs):
        outputs[name, number] = _apply(layers[name], call, outputs)
    inputs, results = (with_tensors(read_structure(config, key), outputs) for key in ("input_layers", "output_layers"))
    model: Any = Model(inputs, results, name=config.get("name"))
    return _of_bounded_size(model, [node.layer for node in model.graph.nodes])


def _of_bounded_size(model: Any, called: list[Layer]) -> Any:
    """The model, unless the layers that it calls, with those of models in it at each call, are too many."""
    model._calls = sum(getattr(layer, "_calls", 1) for layer in called)
    most = limits_in_force().calls
    if model._calls > most:
        raise UnsafeModelError(
            f"the model {model.name!r} calls over {most} layers.", expected="models in models that end sooner."
        )
    return model


def _first_numbers(config: Mapping[str, Any], entries: list[Any], layers: Mapping[str, Layer]) -> dict[str, int]:
    """Nested models whose calls are counted from 1, as TensorFlow.js and Keras 2 do; Keras 3 counts from 0."""
    places = [place for entry in entries for call in read_calls(entry) for place in call.places]
    places += places_in([read_structure(config, "output_layers")])
    nested = {name for name, layer in layers.items() if hasattr(layer, "graph")}
    from_zero = {place[0] for place in places if place[1] == 0}
    return dict.fromkeys(nested - from_zero, 1)


def _apply(layer: Layer, call: Call, outputs: Outputs) -> list[SymbolicTensor]:
    settings = {key: value for key, value in call.settings.items() if key != "training" or layer.takes(key)}
    try:
        return flatten(layer(*with_tensors(call.args, outputs), **with_tensors(settings, outputs)))
    except LaminaError:
        raise
    except TypeError as error:
        raise SerializationError(f"the layer {layer.name!r} does not take {call.settings}.") from error
