"""Dense layers given by an equation, and attention in several heads, as Dense layers."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from lamina.models.exporting.lowering import axes
from lamina.models.exporting.lowering.activating import activated, is_known
from lamina.models.exporting.lowering.plans import Block, Change, Plan, Refused, lowers

_SETTINGS: Final = (
    "kernel_initializer", "kernel_regularizer", "kernel_constraint", "bias_initializer", "bias_regularizer",
    "bias_constraint",
)  # fmt: skip


@lowers("EinsumDense")
def einsum_dense(layer: Any, shape: Any) -> Plan:
    """Dense between Reshape and Permute, where the equation is that of a dense layer."""
    given, kernel, result, dots = layer._terms
    if dots == "behind":
        raise Refused("its equation has axes behind those that are summed.", "write '...' before the other letters.")
    summed = [letter for letter in given if letter in kernel and letter not in result]
    made = [letter for letter in result if letter not in given]
    both = [letter for letter in kernel if letter in given and letter in result]
    kept = [letter for letter in given if letter not in summed]
    if (
        both
        or any(letter not in kept for letter in result if letter not in made)
        or len(kept) + len(made) != len(result)
    ):
        raise Refused(
            f"its equation {layer.equation!r} is not that of a dense layer.", "use Dense, or MultiHeadAttention."
        )
    if layer.bias_axes and set(layer.bias_axes) != set(made):
        raise Refused("its bias is not of all axes that it makes.", f"use bias_axes={''.join(made)!r}.")
    is_known(layer.activation)
    further = len(shape) - len(given)
    order, back = _orders(given, result, kept, summed, made, further)
    axes.check_known(shape, [further + given.index(letter) for letter in summed])
    axes.check_known(shape)

    def build(block: Block, x: Any) -> Any:
        moved = axes.permuted(block, x, order)
        inner = axes.sizes(moved)[: len(order) - len(summed)]
        count = math.prod(axes.sizes(moved)[len(inner) :])  # type: ignore[arg-type]
        sizes = [layer.kernel.shape[kernel.index(letter)] for letter in made]
        weights = {"kernel": block.own("kernel", _kernel_change(kernel, summed, made))}
        if layer.use_bias:
            weights["bias"] = block.own("bias", lambda array: array.reshape(-1))
        flat = axes.reshaped(block, moved, (*inner, count))
        y = block("Dense", flat, weights, units=math.prod(sizes), use_bias=layer.use_bias, **block.chosen(*_SETTINGS))
        y = axes.permuted(block, axes.reshaped(block, y, (*inner, *sizes)), back)
        return activated(block, y, layer.activation)

    return Plan("Dense, between Reshape and Permute", build)


def _orders(
    given: str, result: str, kept: list[str], summed: list[str], made: list[str], further: int
) -> tuple[list[int], list[int]]:
    """The axes of the input with those that are summed last, and of what Dense gives in the order of the result."""
    places = [further + given.index(letter) for letter in (*kept, *summed)]
    ordered = [*range(further), *places]
    if ordered[0] != 0:
        raise Refused("its equation moves the batch.", "keep the batch as the first letter.")
    now = [*range(further), *(further + i for i in range(len(kept) + len(made)))]
    found = [further + [*kept, *made].index(letter) for letter in result]
    back = [*now[:further], *found]
    if back[0] != 0:
        raise Refused("its equation moves the batch.", "keep the batch as the first letter.")
    return ordered[1:], back[1:]


def _kernel_change(kernel: str, summed: list[str], made: list[str]) -> Change:
    order = [kernel.index(letter) for letter in (*summed, *made)]

    def change(array: Any) -> Any:
        moved = np.transpose(array, order)
        return moved.reshape(math.prod(moved.shape[: len(summed)]), -1)

    return change


@lowers("MultiHeadAttention", "GroupQueryAttention")
def heads(layer: Any, shapes: Any) -> Plan:
    """Dense, Dot, Softmax and Dot for each head, without masks."""
    listed = shapes if isinstance(shapes, list) else [shapes]
    if any(len(shape) != 3 for shape in listed):
        raise Refused("TensorFlow.js's Dot takes at most three axes.", "reshape its inputs to three axes.")
    if layer.use_gate or layer.sliding_window is not None:
        raise Refused("it has a gate or a window.", "use neither.")

    def build(block: Block, inputs: Any) -> Any:
        given = inputs if isinstance(inputs, list) else [inputs]
        query, value, key = given if len(given) == 3 else (given[0], given[-1], given[-1])
        shared = layer.heads // layer.key_heads
        found = []
        keys = [_projected(block, key, "key", head) for head in range(layer.key_heads)]
        values = [_projected(block, value, "value", head) for head in range(layer.key_heads)]
        for head in range(layer.heads):
            q = block("Rescaling", _projected(block, query, "query", head), scale=1.0 / math.sqrt(layer.key_size))
            weights = block("Softmax", block("Dot", [q, keys[head // shared]], axes=(2, 2)), axis=-1)
            if layer.dropout > 0:
                weights = block("Dropout", weights, rate=layer.dropout)
            found.append(block("Dot", [weights, values[head // shared]], axes=(2, 1)))
        whole = block("Concatenate", found, axis=-1) if len(found) > 1 else found[0]
        return _output(block, whole)

    return Plan("Dense, Dot and Softmax for each head", build)


def _projected(block: Block, x: Any, name: str, head: int) -> Any:
    layer: Any = block.layer
    weights = {"kernel": block.own(f"{name}/kernel", lambda array: array[:, head])}
    if layer.use_bias:
        weights["bias"] = block.own(f"{name}/bias", lambda array: array[head])
    size = layer.value_size if name == "value" else layer.key_size
    return block("Dense", x, weights, units=size, use_bias=layer.use_bias, **block.chosen(*_SETTINGS))


def _output(block: Block, x: Any) -> Any:
    layer: Any = block.layer
    sizes = layer.output_dense.kernel.shape[2:]
    weights = {
        "kernel": block.own("attention_output/kernel", lambda array: array.reshape(math.prod(array.shape[:2]), -1))
    }
    if layer.use_bias:
        weights["bias"] = block.own("attention_output/bias", lambda array: array.reshape(-1))
    y = block("Dense", x, weights, units=math.prod(sizes), use_bias=layer.use_bias, **block.chosen(*_SETTINGS))
    return axes.reshaped(block, y, (*axes.sizes(y)[:-1], *sizes))
