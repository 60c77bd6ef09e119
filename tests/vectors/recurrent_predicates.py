"""What disagreements.toml may ask of recorded recurrent layers, and its proofs about them."""

from __future__ import annotations

from typing import Any

import keras_layers
import layers
import numpy as np
from predicates import predicate, proof

import lamina

Record = dict[str, Any]
_STATES = {"LSTMCell": 2}


@predicate
def shape_of_the_input(record: Record) -> bool:
    """The computed shape is that of the inputs, and the outputs have another one."""
    shapes = [list(x.shape) for x in record["inputs"]]
    return record["computed_output_shape"] == shapes != [list(y.shape) for y in record["output"]]


@predicate
def states_of_stacked_cells(record: Record) -> bool:
    """States of stacked cells are given or returned."""
    several = isinstance(record.get("output"), list) or isinstance(record.get("output_shapes", [0])[0], list)
    return record["config"]["cell"]["className"] == "StackedRNNCells" and several


@proof("layers")
def right_in_the_order_of_the_cells(record: Record) -> None:
    """All is as recorded once the states are put in the order of the cells."""
    cells = record["config"]["cell"]["config"]["cells"]
    counts = [_STATES.get(cell["className"], 1) for cell in cells]
    starts = np.cumsum([1, *reversed(counts)])[:-1][::-1]
    order = [0, *(int(start) + i for start, count in zip(starts, counts, strict=True) for i in range(count))]
    changed = dict(record)
    for key in ("output", "output_shapes", "output_dtypes"):
        if key in record:
            changed[key] = [record[key][i] for i in order]
    if "cotangents" in record.get("vjp", {}):
        moved = [{**c, "path": [order.index(c["path"][0])]} for c in record["vjp"]["cotangents"]]
        changed["vjp"] = {**record["vjp"], "cotangents": moved}
    layers.check({**changed, "computed_output_shape": None})


@predicate
def said_not_to_support_masking(record: Record) -> bool:
    """Keras's test is recorded to have demanded that the layer does not support masks."""
    return record["expected"]["supports_masking"] is False


@proof("keras_layers")
def right_and_hands_masks_on(record: Record) -> None:
    """Everything else is as recorded, and a mask goes on with the steps it belongs to."""
    expected = {key: value for key, value in record["expected"].items() if key != "supports_masking"}
    keras_layers.check({**record, "expected": expected})
    with lamina.serialization.custom_object_scope(keras_layers.CELLS):
        layer = keras_layers.made(record)
    mask = lamina.ones(record["inputs"].shape[:2], "bool")
    found = layer.compute_mask(lamina.tensor(record["inputs"]), mask)
    first = found[0] if isinstance(found, list) else found
    assert first is (mask if getattr(layer, "return_sequences", True) else None), f"the mask is {first}"


@predicate
def model_for_other_axes(record: Record) -> bool:
    """The model inside is for inputs of another number of axes than a step has."""
    first = record["config"]["layer"]["config"]["layers"][0]
    return len(first["config"]["batchInputShape"]) != len(record["input_shapes"]) - 1
