"""Layers against recorded calls of TensorFlow.js and Keras: outputs, shapes, masks, changed weights and gradients."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pytest

from lamina import Variable, layers, ops, serialization
from lamina.autodiff.gradients import gradients_of_variables
from lamina.errors import ShapeError
from lamina.layers import Layer
from lamina.models.tfjs_layers import layer_from_tfjs
from lamina.runtime.convert import to_tensor
from lamina.structures import flatten, map_structure
from recorded import assert_near, records

NAMES = [
    "Activation", "Add", "BatchNormalization", "Concatenate", "Conv2D", "Dense", "Dropout", "Embedding", "Flatten",
    "LSTM", "MaxPooling2D", "Reshape",
]  # fmt: skip

DEFECTS = {
    "layer-ff51be5b916e599f": "in training, TensorFlow.js normalizes along the wrong axis unless it is the last",
    "layer-411ac72349939644": "the same for images",
}
"""Records in which TensorFlow.js is wrong; those of Keras cover the same settings."""


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), name)


def snake_config(value: Any, key: str = "") -> Any:
    """A config as TensorFlow.js writes it into a file: keys and words in snake_case, names of classes as they are."""
    if isinstance(value, dict):
        return {snake(k): snake_config(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [snake_config(v) for v in value]
    return snake(value) if isinstance(value, str) and key not in ("className", "name") else value


def built(layer: Layer, record: dict[str, Any], inputs: Any) -> Layer:
    """The layer with the recorded weights; their shapes are those that it makes itself."""
    layer._build_once(map_structure(lambda x: x, layers.symbolic.shapes_of(inputs)))
    recorded = [np.asarray(w["value"]) for w in record["weights"]]
    assert [w.shape for w in layer.weights] == [w.shape for w in recorded]
    layer.set_weights(recorded)
    return layer


def check_gradients(layer: Layer, call: Any, inputs: Any, wanted: dict[str, Any], what: str) -> int:
    """The gradients of sum(output * cotangent) with respect to the inputs and the weights; how many were compared."""
    cotangents = [c["cotangent"] if isinstance(c, dict) else c for c in wanted["cotangents"]]
    given = map_structure(lambda x: Variable(x) if x.dtype.kind == "f" else x, inputs)

    def total() -> Any:
        outputs = [o for o in flatten(call(given)) if o.dtype == "float32"]
        pairs = zip(outputs, (c for c in cotangents if c is not None), strict=True)
        return sum((ops.sum(ops.multiply(o, c)) for o, c in pairs), ops.zeros(()))

    weights = list(layer.weights)
    variables = [v for v in (*flatten(given), *weights) if isinstance(v, Variable)]
    _, found = gradients_of_variables(total, variables)
    by_variable = {id(v): gradient for v, gradient in found}
    compared = 0
    for entry in wanted["grads"]:
        kind, *place = entry["wrt"]
        if kind in ("inputs", "weights") and entry["grad"] is not None:
            source = weights[place[0]] if kind == "weights" else flatten(given)[place[0] if place else 0]
            assert_near(by_variable[id(source)], entry["grad"], f"{what} gradient {entry['wrt']}", rtol=1e-3)
            compared += 1
    return compared


# -- TensorFlow.js -------------------------------------------------------------------------------------------------


def from_tensorflow_js(record: dict[str, Any]) -> Layer:
    config = snake_config(record["config"])
    made = layer_from_tfjs({"class_name": record["className"], "config": config})
    assert made.name == record["config"]["name"]
    return made


def _js_arguments(record: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Inputs and keyword arguments; a list of one tensor stands for the tensor."""
    inputs = record["inputs"]
    if isinstance(inputs, list) and len(inputs) == 1:
        (inputs,) = inputs
    return inputs, {snake(k): v for k, v in record["kwargs"].items()}


def js_calls(name: str) -> list[dict[str, Any]]:
    """Calls that give the same numbers each time: no random ones, and none of a layer that keeps its state."""
    found = records("tensorflow.js", "layers.jsonl.gz", className=name, kind="apply")
    return [r for r in found if not r.get("random") and not r["config"].get("stateful")]


@pytest.mark.parametrize("name", NAMES)
def test_calls_as_tensorflow_js(name: str) -> None:
    compared = 0
    for record in js_calls(name):
        if record["id"] in DEFECTS:
            continue
        inputs, kwargs = _js_arguments(record)
        if name == "Concatenate" and record["config"]["axis"] >= inputs[0].ndim:
            with pytest.raises(ShapeError):
                from_tensorflow_js(record)(inputs)
            continue
        layer = built(from_tensorflow_js(record), record, inputs)
        outputs = flatten(layer(inputs, **kwargs))
        expected = flatten(record["output"])
        assert len(outputs) == len(expected)
        for output, wanted in zip(outputs, expected, strict=True):
            assert_near(output, wanted, record["id"])
        for weight, after in zip(layer.weights, record.get("weights_after", ()), strict=False):
            assert_near(weight, after["value"], f"{record['id']} {weight.name} after the call")
        compared += 1
    assert compared > 5


@pytest.mark.parametrize("name", NAMES)
def test_gradients_as_tensorflow_js(name: str) -> None:
    compared = 0
    for record in js_calls(name):
        if "cotangents" not in record.get("vjp", ()) or record["id"] in DEFECTS:
            continue
        inputs, kwargs = _js_arguments(record)
        if name == "Concatenate" and record["config"]["axis"] >= inputs[0].ndim:
            continue
        layer = built(from_tensorflow_js(record), record, inputs)
        compared += check_gradients(layer, functools.partial(layer, **kwargs), inputs, record["vjp"], record["id"])
    assert compared > 5


@pytest.mark.parametrize("name", NAMES)
def test_symbolic_calls_as_tensorflow_js(name: str) -> None:
    compared = 0
    for record in records("tensorflow.js", "layers.jsonl.gz", className=name, kind="symbolic"):
        if record["config"].get("stateful"):
            continue
        layer = from_tensorflow_js(record)
        shapes, dtypes = record["input_shapes"], record["input_dtypes"]
        several = bool(shapes) and isinstance(shapes[0], list)
        pairs = zip(shapes, dtypes, strict=True) if several else [(shapes, dtypes)]
        inputs = [layers.Input(batch_shape=shape, dtype=dtype) for shape, dtype in pairs]
        wanted = record["output_shapes"]
        wanted = wanted if wanted and isinstance(wanted[0], list) else [wanted]
        if _refused_here(record, wanted):
            with pytest.raises(ShapeError):
                layer(inputs if len(inputs) > 1 else inputs[0])
            continue
        outputs = flatten(layer(inputs if len(inputs) > 1 else inputs[0]))
        for output, shape in zip(outputs, wanted, strict=True):
            assert len(output.shape) == len(shape), record["id"]
            assert all(b in (a, None) for a, b in zip(output.shape, shape, strict=True)), record["id"]
        assert [list(w.shape) for w in layer.weights] == [list(w["shape"]) for w in record["weights"]], record["id"]
        assert [w.trainable for w in layer.weights] == [w["trainable"] for w in record["weights"]], record["id"]
        names = [re.sub(r"_\d+$", "", w["name"]) for w in record["weights"]]  # TensorFlow.js numbers later ones
        assert [w.name for w in layer.weights] == names, record["id"]
        assert layer.count_params() == record["count_params"], record["id"]
        compared += 1
    assert compared > 3


def _refused_here(record: dict[str, Any], shapes: list[Any]) -> bool:
    """A negative size, which TensorFlow.js refuses only in a model, or an axis beyond the last, which it cuts short."""
    beyond = record["className"] == "Concatenate" and record["config"]["axis"] >= len(record["input_shapes"][0])
    return beyond or any(size is not None and size < 0 for shape in shapes for size in shape)


# -- Keras ---------------------------------------------------------------------------------------------------------


def plain_config(value: Any) -> Any:
    """A config of Keras 3 as Keras 2 wrote it: objects without their modules, the dtype by its name."""
    if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    if isinstance(value, dict):
        return {k: plain_config(v) for k, v in value.items() if k not in ("module", "registered_name")}
    return [plain_config(v) for v in value] if isinstance(value, list) else value


def from_keras(record: dict[str, Any]) -> Layer:
    config = plain_config(record["config"])
    return serialization.deserialize("layers", {"class_name": record["class_name"], "config": config}, Layer)


def is_here(record: dict[str, Any]) -> bool:
    """Whether lamina has the settings of a record of Keras."""
    config = record["config"]
    beyond = config.get("renorm") or config.get("groups", 1) != 1 or config.get("zero_output_for_mask")
    return not (beyond or config.get("stateful"))


def keras_records(name: str) -> list[dict[str, Any]]:
    found = [r for r in records("keras", "layers.jsonl.gz", class_name=name) if is_here(r)]
    assert found
    return found


def keras_runs(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Records with each run of them that gives the same numbers each time."""
    return [(record, run) for record in keras_records(name) for run in record["runs"] if "outputs" in run]


@pytest.mark.parametrize("name", NAMES)
def test_calls_as_keras(name: str) -> None:
    for record, run in keras_runs(name):
        layer = built(from_keras(record), record, record["inputs"])
        outputs = flatten(layer(record["inputs"], training=run["training"], **record["call_kwargs"]))
        for output, wanted in zip(outputs, flatten(run["outputs"]), strict=True):
            assert_near(output, wanted, record["id"])
        for after in run.get("weights_after", ()):
            assert_near(layer.weights[after["index"]], after["value"], f"{record['id']} weights after the call")
        for loss, wanted in zip(layer.losses, run.get("losses", ()), strict=True):
            assert_near(loss, wanted, f"{record['id']} losses")
        mask = layer.compute_mask(map_structure(to_tensor, record["inputs"]), record["call_kwargs"].get("mask"))
        if "output_mask" in run and not isinstance(run["output_mask"], list):
            np.testing.assert_array_equal(np.asarray(mask), run["output_mask"])


@pytest.mark.parametrize("name", NAMES)
def test_gradients_as_keras(name: str) -> None:
    for record, run in keras_runs(name):
        if "cotangents" in run:
            layer = built(from_keras(record), record, record["inputs"])
            call = functools.partial(layer, training=run["training"], **record["call_kwargs"])
            check_gradients(layer, call, record["inputs"], run, record["id"])


@pytest.mark.parametrize("name", NAMES)
def test_shapes_as_keras(name: str) -> None:
    for record in keras_records(name):
        if record["config"].get("activation") == "glu":
            continue  # it halves an axis, and Keras says that the shape stays
        shapes = map_structure(lambda x: tuple(x.shape), record["inputs"])
        found = from_keras(record).compute_output_shape(shapes)
        assert found == _tuples(record["computed_output_shape"]), record["id"]


def _tuples(shapes: Any) -> Any:
    return [_tuples(s) for s in shapes] if shapes and isinstance(shapes[0], list) else tuple(shapes)
