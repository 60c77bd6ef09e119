"""TensorFlow.js's layers: made of their recorded config with TensorFlow.js's defaults, called on the recorded inputs.

Compared are the outputs of calls (of random ones shapes and means), the mask they carry, changed weights, states,
inferred shapes, gradients; of symbolic calls the shapes and the weights that they make.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from comparing import assert_plausible, assert_result
from layer_calls import (
    as_shapes,
    check_gradients,
    check_outputs,
    check_shapes,
    in_saved_order,
    reset_states,
    run,
    set_weights,
    tensors,
)
from spelling import snake, snake_config

from lamina import layers as lamina_layers
from lamina.layers import Layer
from lamina.models.tfjs_layers import layer_from_tfjs
from lamina.models.topology import model_from_config
from lamina.structures import flatten

Record = dict[str, Any]
MODELS: Final = ("Sequential", "Model", "Functional")


def check(record: Record) -> None:
    """One call of a layer, on values or symbolic, or one computation of a shape."""
    CHECKS[record["kind"]](record)


def made(record: Record) -> Layer:
    """The layer of a record, as one of a saved model is made."""
    config = snake_config(record["config"])
    if record["className"] in MODELS:
        found: Layer = model_from_config(config)
        return found
    return layer_from_tfjs({"class_name": record["className"], "config": config})


def check_apply(record: Record) -> None:
    """A call on tensors."""
    layer = made(record)
    given = arguments(record)

    def call(given: Any) -> Any:
        return layer(given["inputs"], **given["kwargs"])

    call(tensors(arguments(record, training=False)))  # builds
    set_weights(in_saved_order(layer), record["weights"])
    reset_states(layer)
    if record.get("states_before"):
        layer.reset_states(record["states_before"])
    if record.get("random"):
        _check_random(flatten(call(tensors(given))), record)
        return
    vjp = record.get("vjp") or {}
    if "grads" in vjp:
        by_path = {tuple(entry["path"]): entry["cotangent"] for entry in vjp["cotangents"]}
        places = [(i,) for i in range(len(record["output"]))] if isinstance(record["output"], list) else [()]
        paths = [_path(record, entry["wrt"]) for entry in vjp["grads"]]
        weights = in_saved_order(layer)
        outputs, gradients = run(weights, call, given, [by_path.get(place) for place in places], paths)
        check_gradients(gradients, vjp["grads"])
    else:
        outputs = call(tensors(given))
    check_outputs(outputs, record["output"])
    for weight, after in zip(in_saved_order(layer), record.get("weights_after", record["weights"]), strict=True):
        assert_result(weight, after["value"], f"{weight.name} after the call")
    _check_more(layer, record, outputs)


def _check_more(layer: Layer, record: Record, outputs: Any) -> None:
    if "states_after" in record:
        check_outputs(flatten(layer.states), record["states_after"], "state")
    if "mask_out" in record:
        check_outputs([flatten(outputs)[0]._mask], [record["mask_out"]], "mask")
    if not _is_shape(record["computed_output_shape"]):
        return
    shapes = _inputs(record, lambda x: tuple(x.shape))
    check_shapes(made(record).compute_output_shape(shapes), record["computed_output_shape"], "computed output shape")


def _is_shape(recorded: Any) -> bool:
    """Whether shapes were inferred; some layers of TensorFlow.js mix a list of one shape with sizes."""
    parts = recorded or []
    return recorded is not None and (not parts or len({isinstance(part, list) for part in parts}) == 1)


def _inputs(record: Record, change: Callable[[Any], Any] = lambda x: x) -> Any:
    """The inputs; a list of one tensor stands for the tensor."""
    inputs = record["inputs"]
    if isinstance(inputs, list):
        found = [change(x) for x in inputs]
        return found if len(found) > 1 else found[0]
    return change(inputs)


def arguments(record: Record, **more: Any) -> dict[str, Any]:
    """What to call with, by the keys of recorded paths."""
    kwargs = {**{snake(key): value for key, value in record["kwargs"].items()}, **more}
    return {"inputs": _inputs(record), "kwargs": kwargs}


def _path(record: Record, path: list[Any]) -> list[Any]:
    single = path[0] == "inputs" and isinstance(record["inputs"], list) and len(record["inputs"]) == 1
    if single:
        return ["inputs"]
    return [path[0], *(snake(p) if isinstance(p, str) else p for p in path[1:])]


def _check_random(outputs: list[Any], record: Record) -> None:
    recorded = flatten_descriptions(record["output"])
    for output, described, stats in zip(outputs, recorded, record["stats"], strict=True):
        if record.get("random_shape"):
            assert len(output.shape) == len(described["shape"]), f"shape {output.shape}, recorded {described['shape']}"
        else:
            assert_plausible(output, described, stats)


def flatten_descriptions(value: Any) -> list[Any]:
    """Descriptions of tensors in a list, or one alone, as a list."""
    return value if isinstance(value, list) else [value]


def check_symbolic(record: Record) -> None:
    """A call on symbolic tensors: shapes, and the weights that it makes."""
    layer = made(record)
    inputs = symbolic(record["input_shapes"], record["input_dtypes"])
    kwargs = {snake(key): symbolic_states(value) for key, value in record["kwargs"].items()}
    outputs = flatten(layer(inputs, **kwargs))
    check_shapes([output.shape for output in outputs], record["output_shapes"], "output shape")
    weights = [(_name(w.name), tuple(w.shape), w.trainable) for w in in_saved_order(layer)]
    made_there = [(_name(w["name"]), tuple(w["shape"]), w["trainable"]) for w in record["weights"]]
    assert weights == made_there, f"weights {weights}, recorded {made_there}"
    if "count_params" in record:
        assert layer.count_params() == record["count_params"], f"{layer.count_params()} parameters"


def _name(name: str) -> str:
    """A weight's name without the number that TensorFlow.js appends where several layers have one name."""
    head, _, number = name.rpartition("_")
    return head if number.isdigit() and head else name


def symbolic(shapes: Any, dtypes: Any) -> Any:
    """An input of a shape and dtype, or a list of them."""
    if shapes and isinstance(shapes[0], list):
        return [symbolic(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    return lamina_layers.Input(batch_shape=tuple(shapes), dtype=dtypes)


def symbolic_states(value: Any) -> Any:
    """Further arguments of a symbolic call."""
    if isinstance(value, list):
        return [symbolic_states(item) for item in value]
    if isinstance(value, dict) and value.get("symbolic"):
        return lamina_layers.Input(batch_shape=tuple(value["shape"]), dtype=value.get("dtype", "float32"))
    return tensors(value)


def check_output_shape(record: Record) -> None:
    """``compute_output_shape`` alone."""
    found = made(record).compute_output_shape(as_shapes(record["input_shape"]))
    check_shapes(found, record["output_shape"], "output shape")


CHECKS: Final = {"apply": check_apply, "symbolic": check_symbolic, "computeOutputShape": check_output_shape}
