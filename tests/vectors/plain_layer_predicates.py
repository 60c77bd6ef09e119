"""What disagreements.toml may ask of recorded dense, merging, activating and normalizing layers, and its proofs."""

from __future__ import annotations

from typing import Any

import keras_layers
import layers
import numpy as np
from comparing import assert_near
from layer_calls import set_weights, tensors
from predicates import predicate, proof
from spelling import snake

Record = dict[str, Any]


def _only_input(record: Record) -> Any:
    (found,) = record["inputs"] if isinstance(record["inputs"], list) else [record["inputs"]]
    return found


def _output(record: Record) -> Any:
    """What lamina gives for a call."""
    layer, given = layers.made(record), tensors(layers.arguments(record))
    layer(given["inputs"], **given["kwargs"])
    set_weights(layers.in_saved_order(layer), record["weights"])
    return layer(given["inputs"], **given["kwargs"]).numpy()


@predicate
def trained_along_an_inner_axis(record: Record) -> bool:
    """A batch normalization in training whose axis is not the last, with a scale or an offset."""
    x, config = _only_input(record), record["config"]
    inner = config["axis"] % x.ndim != x.ndim - 1 and x.shape[-1] > 1
    return bool(record["kwargs"].get("training")) and inner and (config["scale"] or config["center"])


def _statistics(record: Record) -> dict[str, Any]:
    """The weights of a normalization by their last names, in shapes that broadcast along its axis."""
    x = _only_input(record)
    shape = [-1 if axis == record["config"]["axis"] % x.ndim else 1 for axis in range(x.ndim)]
    return {w["originalName"].rpartition("/")[2]: np.reshape(w["value"], shape) for w in record["weights"]}


@predicate
def statistics_differ_along_an_inner_axis(record: Record) -> bool:
    """A batch normalization outside training whose axis is not the last, with weights that are not all the same."""
    if record["kind"] != "apply" or record["kwargs"].get("training"):
        return False
    x = _only_input(record)
    inner = record["config"]["axis"] % x.ndim != x.ndim - 1
    pairs = ((np.resize(value, x.shape), np.broadcast_to(value, x.shape)) for value in _statistics(record).values())
    return inner and any(np.any(in_turn != along) for in_turn, along in pairs)


@proof("layers")
def normalized_by_those_statistics(record: Record) -> None:
    """lamina's output is the formula with the moving statistics along the axis, in float64."""
    x, found = np.asarray(_only_input(record), np.float64), _statistics(record)
    y = (x - found["moving_mean"]) / np.sqrt(found["moving_variance"] + record["config"]["epsilon"])
    y = y * found.get("gamma", 1.0) + found.get("beta", 0.0)
    assert_near(_output(record), y.astype(np.float32), "output")


@proof("layers")
def normalized_along_that_axis(record: Record) -> None:
    """lamina's output is the formula along the axis, in float64."""
    x, config = np.asarray(_only_input(record), np.float64), record["config"]
    others = tuple(a for a in range(x.ndim) if a != config["axis"] % x.ndim)
    weights = _statistics(record)
    y = (x - x.mean(others, keepdims=True)) / np.sqrt(x.var(others, keepdims=True) + config["epsilon"])
    y = y * weights.get("gamma", 1.0) + weights.get("beta", 0.0)
    assert_near(_output(record), y.astype(np.float32), "output")


def _rows_left_out(record: Record) -> Any:
    """Where the mask of a softmax leaves nothing, in the shape of the input."""
    x = _only_input(record)
    axes = np.atleast_1d(record["config"]["axis"])
    mask = np.broadcast_to(np.asarray(record["kwargs"]["mask"], bool), x.shape)
    return np.broadcast_to(~mask.any(tuple(int(a) for a in axes), keepdims=True), x.shape)


@predicate
def nothing_left_by_the_mask(record: Record) -> bool:
    """A softmax of which the mask leaves nothing somewhere."""
    return bool(_rows_left_out(record).any())


@proof("layers")
def zero_there_and_else_as_recorded(record: Record) -> None:
    """lamina gives 0 where the mask leaves nothing, and what is recorded elsewhere."""
    nothing = _rows_left_out(record)
    assert_near(_output(record), np.where(nothing, np.float32(0), record["output"]), "output")


@predicate
def arguments_it_does_not_take(record: Record) -> bool:
    """The call has arguments that the layer does not take."""
    layer = layers.made(record)
    return any(not layer.takes(snake(name)) for name in record["kwargs"] if name not in ("training", "mask"))


@predicate
def axis_beyond_the_last(record: Record) -> bool:
    """The layer's axis is one that its inputs do not have."""
    first = record["inputs"][0].shape if record["kind"] == "apply" else record["input_shapes"][0]
    return record["config"]["axis"] >= len(first)


@predicate
def negative_axis_but_the_last(record: Record) -> bool:
    """A call with an axis below -1."""
    return record["kind"] == "apply" and record["config"]["axis"] < -1


@predicate
def an_axis_it_has(record: Record) -> bool:
    """The layer's axis is one that its input has."""
    return bool(record["config"]["axis"] < _only_input(record).ndim)


@predicate
def one_symbolic_tensor_in_a_list(record: Record) -> bool:
    """The layer is called on a list of one symbolic tensor."""
    return len(record["inputs"]["shapes"]) == 1


@predicate
def shape_inferred_unlike_the_output(record: Record) -> bool:
    """The inferred shape is not that of the recorded output."""
    inferred, halves = record.get("computed_output_shape"), record["config"].get("activation") == "glu"
    return halves and inferred not in (None, list(record["runs"][0]["outputs"].shape))


@proof("keras_layers")
def right_but_for_the_inferred_shape(record: Record) -> None:
    """Everything else is as recorded, and the inferred shape is that of the recorded output."""
    keras_layers.check({**record, "computed_output_shape": None, "computed_output_shape_any_batch": None})
    found = keras_layers.made(record).compute_output_shape(tuple(record["inputs"].shape))
    assert found == record["runs"][0]["outputs"].shape, f"inferred {found}"


def _queries_without_keys(record: Record) -> Any:
    """Where no key counts for a query: (batch, queries) or what broadcasts to it."""
    call, config = record["call_kwargs"], record["config"]
    queries, keys = record["inputs"].shape[-2], call["value"].shape[-2]
    met = np.ones((1, queries, keys), bool)
    if call.get("use_causal_mask"):
        met = met & np.tri(queries, keys, dtype=bool)
    if config.get("sliding_window") is not None:
        distance = np.arange(queries)[:, None] - np.arange(keys)
        met = met & (abs(distance) < config["sliding_window"])
    for name, axis in (("value_mask", -2), ("key_mask", -2), ("query_mask", -1)):
        taken = name != "query_mask" or record["class_name"] == "GroupQueryAttention"
        if call.get(name) is not None and taken:
            met = met & np.expand_dims(call[name], axis)
    if call.get("attention_mask") is not None:
        met = met & np.asarray(call["attention_mask"], bool)
    nothing = ~met.any(-1)
    return nothing if nothing.ndim < 3 else nothing.any(1)  # a mask for each head


@predicate
def no_key_for_a_query(record: Record) -> bool:
    """Attention in heads where no key counts for some query, computed without its weights."""
    asked = record["call_kwargs"].get("return_attention_scores") or record["config"].get("dropout")
    return not asked and bool(_queries_without_keys(record).any())


@proof("keras_layers")
def else_as_recorded(record: Record) -> None:
    """The outputs of the other queries are as recorded, and those of these are what comes of 0."""
    nothing = np.broadcast_to(_queries_without_keys(record), record["inputs"].shape[:2])
    layer = keras_layers.made(record)
    given = {name: record["call_kwargs"][name] for name in record["call_kwargs"]}
    layer(record["inputs"], **given)
    set_weights(layer.weights, record["weights"])
    found = layer(record["inputs"], **given).numpy()
    assert_near(found[~nothing], record["runs"][0]["outputs"][~nothing], "output")
    if np.ndim(record["call_kwargs"].get("attention_mask")) < 4:
        assert_near(found[nothing], np.broadcast_to(found[nothing][0], found[nothing].shape), "output of nothing")
