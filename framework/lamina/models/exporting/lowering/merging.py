"""Merging layers."""

from __future__ import annotations

from typing import Any

from lamina.models.exporting.lowering.plans import Block, Plan, Refused, lowers


@lowers("Subtract")
def subtract(layer: Any, shapes: Any) -> Plan:
    """Add of the first and the second times -1."""

    def build(block: Block, inputs: Any) -> Any:
        return block("Add", [inputs[0], block("Rescaling", inputs[1], scale=-1.0)])

    return Plan("Add, of the first and the second times -1", build)


@lowers("Concatenate")
def concatenate(layer: Any, shapes: Any) -> Plan | None:
    """With its axis counted from where TensorFlow.js counts it."""
    rank = len(shapes[0])
    axis = layer.axis % rank
    wanted = -1 if axis == rank - 1 else axis
    if layer.axis == wanted:
        return None
    return Plan(f"Concatenate along axis {wanted}", lambda block, x: block("Concatenate", x, axis=wanted), single=True)


@lowers("Dot")
def dot(layer: Any, shapes: Any) -> Plan | None:
    """Refused: more than three axes."""
    if any(len(shape) > 3 for shape in shapes):
        raise Refused("TensorFlow.js's Dot takes at most three axes.", "reshape its inputs to three axes.")
    return None


@lowers("Attention")
def attention(layer: Any, shapes: Any) -> Plan:
    """Dot, Softmax, Dot: dot products of one scale, without masks."""
    if layer.use_scale or layer.score_mode != "dot":
        raise Refused("its scores are more than dot products.", "use MultiHeadAttention, or no scale.")
    if any(len(shape) != 3 for shape in shapes):
        raise Refused("TensorFlow.js's Dot takes at most three axes.", "reshape its inputs to three axes.")

    def build(block: Block, inputs: Any) -> Any:
        query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
        weights = block("Softmax", block("Dot", [query, key], axes=(2, 2)), axis=-1)
        if layer.dropout > 0:
            weights = block("Dropout", weights, rate=layer.dropout, **block.chosen("seed"))
        return block("Dot", [weights, value], axes=(2, 1))

    return Plan("Dot, Softmax, Dot", build)
