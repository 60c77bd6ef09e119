"""Calls of layers: weights set, tensors made, outputs and gradients taken; for the recordings of both libraries."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from comparing import GRADIENTS, as_array, assert_near, assert_result, at, replaced

import lamina
from lamina import ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.errors import GradientError
from lamina.layers import Layer
from lamina.structures import flatten

Array = np.ndarray[Any, Any]
Given = Mapping[str, Any]
"""Arguments of a call as arrays, by the keys under which they are recorded; paths of gradients lead into them."""
Call = Callable[[Given], Any]


def tensors(value: Any) -> Any:
    """Arrays in a structure as tensors; everything else as it is."""
    if isinstance(value, dict):
        return {key: tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(tensors(item) for item in value)
    return lamina.tensor(value) if isinstance(value, np.ndarray) else value


def set_weights(weights: Sequence[Any], recorded: Sequence[Mapping[str, Any]]) -> None:
    """Gives Variables the recorded values, which constraints may not allow; the shapes have to be equal."""
    found, expected = [tuple(w.shape) for w in weights], [tuple(w["shape"]) for w in recorded]
    assert found == expected, f"weights {found}, recorded {expected}"
    for weight, value in zip(weights, recorded, strict=True):
        weight.assign(np.asarray(value["value"], weight.dtype))


def in_saved_order(layer: Layer) -> list[Any]:
    """The weights in TensorFlow.js's order, which has those that are not trained last."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def reset_states(layer: Layer) -> None:
    """Stateful recurrent layers, and those within, start from zeros."""
    if hasattr(layer, "reset_states") and getattr(layer, "stateful", True):
        layer.reset_states()


def run(
    weights: Sequence[Any], call: Call, given: Given, cotangents: Sequence[Any], paths: Sequence[Any]
) -> tuple[Any, list[Array | None]]:
    """The outputs of a call, and the gradients of sum(output * cotangent) at paths into ``given`` or ``weights``.

    ``cotangents`` has one for each output, None where it is not weighed.
    """
    sources = [
        weights[path[1]] if path[0] == "weights" else lamina.Variable(at(given, path), name=f"x{i}")
        for i, path in enumerate(paths)
    ]
    outputs: list[Any] = []

    def total() -> Any:
        arguments = given
        for path, source in zip(paths, sources, strict=True):
            if path[0] != "weights":
                arguments = replaced(arguments, path, ops.identity(source))
        outputs.append(call(tensors(arguments)))
        leaves = flatten(outputs[0])
        assert len(leaves) == len(cotangents), f"{len(leaves)} outputs, recorded {len(cotangents)}"
        pairs = [(y, c) for y, c in zip(leaves, cotangents, strict=True) if c is not None]
        return functools.reduce(ops.add, [ops.sum(ops.multiply(y, lamina.tensor(c, dtype=y.dtype))) for y, c in pairs])

    try:
        _, found = gradients_of_variables(total, sources)
    except GradientError as error:
        if "nothing connects" not in str(error) and "read no" not in str(error):
            raise
        return outputs[0], [None] * len(sources)
    by_source = {id(variable): gradient for variable, gradient in found}
    gradients = [by_source.get(id(source)) for source in sources]
    return outputs[0], [None if g is None else g.numpy() for g in gradients]


def check_gradients(found: Sequence[Array | None], recorded: Sequence[Mapping[str, Any]]) -> None:
    """Near; no gradient at all is one of zeros."""
    for entry, gradient in zip(recorded, found, strict=True):
        where = f"gradient of {'.'.join(map(str, entry['wrt']))}"
        expected = entry["grad"]
        if expected is None:
            assert gradient is None or not np.any(gradient), f"{where}: {gradient}, recorded none"
            continue
        array = np.zeros(expected.shape, expected.dtype) if gradient is None else gradient
        assert array.shape == expected.shape, f"{where}: shape {array.shape}, recorded {expected.shape}"
        assert_near(array, expected, where, GRADIENTS)


def check_outputs(found: Any, recorded: Any, where: str = "output") -> None:
    """The outputs one by one, in whatever structure."""
    outputs, expected = flatten(found), flatten(recorded)
    assert len(outputs) == len(expected), f"{len(outputs)} outputs, recorded {len(expected)}"
    for i, (output, value) in enumerate(zip(outputs, expected, strict=True)):
        assert_result(output, value, where if len(outputs) == 1 else f"{where} {i}")


def check_masks(found: Any, recorded: Any) -> None:
    """The masks that hang on outputs."""
    masks, expected = [x._mask for x in flatten(found)], flatten(recorded)
    for mask, value in zip(masks, expected, strict=True):
        assert (mask is None) == (value is None), f"mask {mask}, recorded {value}"
        if value is not None:
            assert_result(as_array(mask), value, "mask")


def shapes_in(value: Any) -> list[tuple[int | None, ...]]:
    """The shapes in whatever structure of tuples, lists and dicts, in order; one alone as a list of one."""
    if isinstance(value, dict):
        return [shape for item in value.values() for shape in shapes_in(item)]
    if value and all(isinstance(item, list | tuple | dict) for item in value):
        return [shape for item in value for shape in shapes_in(item)]
    return [tuple(value)]


def check_shapes(found: Any, recorded: Any, where: str) -> None:
    """As many shapes of as many sizes, and equal sizes. Where a size is not known there, lamina may know it."""
    shapes, expected = shapes_in(found), shapes_in(recorded)
    if any(isinstance(size, list | tuple) for shape in expected for size in shape):
        return  # a list of one shape was given to a layer that takes one, which made it part of its answer
    equal = len(shapes) == len(expected) and all(map(_fits, shapes, expected))
    assert equal, f"{where} {shapes}, recorded {expected}"


def _fits(found: tuple[Any, ...], recorded: tuple[Any, ...]) -> bool:
    return len(found) == len(recorded) and all(b in (a, None) for a, b in zip(found, recorded, strict=True))


def as_shapes(value: Any) -> Any:
    """Recorded shapes as tuples, several in a list."""
    found = shapes_in(value)
    return found if len(found) > 1 else found[0]
