"""Keras's layers: made of their recorded config, called on the recorded inputs with the recorded weights.

Compared are outputs, masks, changed weights, losses and gradients of each run, shapes for known and unknown batch, what
Keras's own test demanded, and the configuration, which holds every recorded setting and makes the same layer again.
"""

from __future__ import annotations

import inspect
from typing import Any

import configs
import numpy as np
from comparing import as_array, assert_result
from keras_cells import CELLS
from layer_calls import (
    check_gradients,
    check_masks,
    check_outputs,
    check_shapes,
    reset_states,
    run,
    set_weights,
    shapes_in,
    tensors,
)

from lamina.layers import Layer, deserialize
from lamina.serialization import custom_object_scope
from lamina.structures import flatten, map_structure

Record = dict[str, Any]

_DEPTHWISE = {"kernel": "depthwise_kernel"}
RENAMED = {"DepthwiseConv1D": _DEPTHWISE, "DepthwiseConv2D": _DEPTHWISE}
"""Weights that have the name here that the files of TensorFlow.js and Keras 2 give them: Keras 3's, and ours."""


def check(record: Record) -> None:
    """Everything that is recorded of one layer."""
    with custom_object_scope(CELLS):
        _check(record)


def _check(record: Record) -> None:
    layer = made(record)
    configs.check_config(layer, record["config"])
    _call(record, layer, tensors({key: record[key] for key in ("inputs", "call_kwargs")}), training=False)  # builds
    _check_expected(layer, record)
    for index, recorded in enumerate(record["runs"]):
        set_weights(layer.weights, record["weights"])
        reset_states(layer)
        _check_run(layer, record, recorded, index)
    _check_shapes(record)


def made(record: Record) -> Layer:
    """The layer of a record, as a saved model's is made."""
    return deserialize({"class_name": record["class_name"], "config": record["config"]})


def _call(record: Record, layer: Layer, given: Any, training: bool) -> Any:
    """One call with tensors in the recorded structure."""
    inputs, kwargs = given["inputs"], given["call_kwargs"]
    flag = {"training": training} if layer.takes("training") else {}
    if record["input_structure"] == "kwargs":
        return layer(**inputs, **kwargs, **flag)
    return layer(tuple(inputs) if record["input_structure"] == "tuple" else inputs, **kwargs, **flag)


def _check_run(layer: Layer, record: Record, recorded: Record, index: int) -> None:
    same = recorded.get("same_as")
    expected = record["runs"][same] if same is not None else recorded
    given = {key: record[key] for key in ("inputs", "call_kwargs")}

    def call(arguments: Any) -> Any:
        return _call(record, layer, arguments, recorded["training"])

    if recorded.get("random"):
        _check_random(call(tensors(given)), record)
        return
    if "grads" in recorded:
        paths = [entry["wrt"] for entry in recorded["grads"]]
        outputs, gradients = run(
            layer.weights, lambda arguments: call(arguments), given, flatten(recorded["cotangents"]), paths
        )
    else:
        outputs, gradients = call(tensors(given)), []
    differs = record.get("differs", ())
    if "outputs" in differs:
        _check_kinds(outputs, expected["outputs"])
    else:
        check_outputs(outputs, expected["outputs"])
    if gradients and "grads" not in differs:
        check_gradients(gradients, recorded["grads"])
    if "output_mask" in expected:
        check_masks(outputs, expected["output_mask"])
    after = {entry["index"]: entry["value"] for entry in expected.get("weights_after", ())}
    for i, (weight, before) in enumerate(zip(layer.weights, record["weights"], strict=True)):
        assert_result(weight, after.get(i, before["value"]), f"{weight.name} after the call")
    losses = expected.get("losses", [])
    check_outputs(list(layer.losses), losses, "loss")


def _check_random(outputs: Any, record: Record) -> None:
    """Random numbers have the shapes of the run without them."""
    plain = next((r["outputs"] for r in record["runs"] if "outputs" in r), None)
    if plain is not None:
        _check_kinds(outputs, plain)


def _check_kinds(found: Any, recorded: Any) -> None:
    """Shapes and dtypes; for numbers that Keras's own backends do not agree on."""
    kinds = [(x.shape, x.dtype) for x in map(as_array, flatten(found))]
    expected = [(x.shape, x.dtype) for x in map(as_array, flatten(recorded))]
    assert kinds == expected, f"outputs of {kinds}, recorded {expected}"


def _check_expected(layer: Layer, record: Record) -> None:
    """What Keras's test demanded of the layer; its expected_output is that of the first run."""
    expected = record.get("expected", {})
    found = {
        "expected_num_trainable_weights": len(layer.trainable_weights),
        "expected_num_non_trainable_weights": len(layer.non_trainable_weights),
        "expected_num_losses": len(layer.losses),
        "expected_num_seed_generators": len(layer.seed_generators),
        "supports_masking": layer.supports_masking,
    }
    for key, value in found.items():
        assert expected.get(key, value) == value, f"{key} {value}, recorded {expected[key]}"
    ours = RENAMED.get(record["class_name"], {})
    recorded = [ours.get(w["name"], w["name"]) for w in record["weights"]]
    names = [w.name.rpartition("/")[2] for w in layer.weights]
    assert names == recorded, f"weights {names}, recorded {recorded}"


def _check_shapes(record: Record) -> None:
    """``compute_output_shape`` of a new layer, for the recorded batch and for any."""
    for key in ("computed_output_shape", "computed_output_shape_any_batch"):
        if record.get(key) is None:
            continue
        arguments = _shape_arguments(record, any_batch=key.endswith("any_batch"))
        found = made(record).compute_output_shape(*arguments)
        check_shapes(found, record[key], key)
        if key.endswith("any_batch"):
            batches = [shape[:1] for shape in shapes_in(found)]
            assert batches == [tuple(shape[:1]) for shape in shapes_in(record[key])], f"{key} {found}"


def _shape_arguments(record: Record, any_batch: bool) -> list[Any]:
    def shape(x: Any) -> Any:
        return (None, *x.shape[1:]) if any_batch and x.ndim else tuple(x.shape)

    inputs, kwargs = record["inputs"], record["call_kwargs"]
    if record["input_structure"] == "kwargs":
        return [shape(x) for x in inputs.values()]
    first = map_structure(shape, inputs)
    layer_class = type(made(record))
    named = list(inspect.signature(layer_class.compute_output_shape).parameters)[2:]
    further = [kwargs.get(name.removesuffix("_shape")) for name in named]
    return [first, *(map_structure(shape, x) for x in further if isinstance(x, np.ndarray | list))]
