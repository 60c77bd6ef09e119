"""Where masks of TensorFlow.js go other ways than those here: found by running a model once on its fixed input.

TensorFlow.js hands the last mask that it saw to every later layer of a model, and joins masks of merging layers
wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lamina.errors import LaminaError
from lamina.layers.embedding import Embedding
from lamina.layers.layer import Layer
from lamina.layers.merge.base import Merge
from lamina.layers.passing import Masking
from lamina.layers.symbolic import SymbolicTensor
from lamina.models.exporting.javascript import heeds_masks
from lamina.models.saving.fingerprints import fixed_inputs
from lamina.structures import flatten, map_structure

_RECURRENT: Final = ("Bidirectional", "ConvLSTM2D", "GRU", "LSTM", "RNN", "SimpleRNN")
_OTHER_BRANCH: Final = "TensorFlow.js may hand it the mask of another branch: compare its predictions"
_FIX: Final = "put layers that heed masks directly behind what makes them, or make none."


def masked_layers(model: Any, changed: set[int]) -> Iterator[tuple[Layer, str, str | None]]:
    """Layers that would get another mask there, with the reason and what to do.

    Where nothing is to be done, the layer is on another branch than masks, and only may get one.

    ``changed`` are the identities of layers that do not stay what they are.
    """
    if not any(_makes_masks(layer) for layer in _all_layers(model)):
        return
    found: dict[int, tuple[Layer, str, str | None]] = {}

    def look(layer: Layer, inputs: list[Any], before: bool) -> None:
        reason = _reason(layer, [x._mask is not None for x in inputs], before, id(layer) in changed)
        if reason is not None:
            found.setdefault(id(layer), (layer, reason, None if reason == _OTHER_BRANCH else _FIX))

    try:
        with fixed_inputs(model) as inputs:
            _run(model.graph, flatten(inputs), [False] * len(model.inputs), look)
    except (LaminaError, TypeError, ValueError):  # what the fixed input does not suit is not looked at
        return
    yield from found.values()


def _makes_masks(layer: Any) -> bool:
    return isinstance(layer, Masking) or (isinstance(layer, Embedding) and layer.mask_zero)


def _all_layers(holder: Any) -> Iterator[Any]:
    for layer in holder.sublayers():
        yield layer
        yield from _all_layers(layer)


def _run(graph: Any, inputs: list[Any], marks: list[bool], look: Any) -> tuple[list[Any], list[bool]]:
    """The outputs of a graph, and whether each comes behind a mask; ``look`` is told of each call."""
    values = {id(x): value for x, value in zip(graph.inputs, inputs, strict=True)}
    behind = {id(x): mark for x, mark in zip(graph.inputs, marks, strict=True)}
    for node in graph.nodes[len(graph.inputs) :]:
        given = [values[id(x)] for x in node.inputs]
        before = any(behind[id(x)] or values[id(x)]._mask is not None for x in node.inputs)
        if getattr(node.layer, "graph", None) is not None:
            inner = [behind[id(x)] for x in node.inputs]
            outputs, after = _run(node.layer.graph, given, inner, look)
        else:
            look(node.layer, given, before)
            args, kwargs = map_structure(
                lambda x: values[id(x)] if isinstance(x, SymbolicTensor) else x, (node.args, node.kwargs)
            )
            outputs = flatten(node.layer(*args, **kwargs))
            after = [before] * len(outputs)
        for symbolic, value, mark in zip(node.outputs, outputs, after, strict=True):
            values[id(symbolic)], behind[id(symbolic)] = value, mark
    return [values[id(x)] for x in graph.outputs], [behind[id(x)] for x in graph.outputs]


def _reason(layer: Layer, masked: list[bool], before: bool, changed: bool) -> str | None:
    """Why a layer gets another mask in TensorFlow.js than here; None if it gets the same."""
    if isinstance(layer, Merge):
        return "TensorFlow.js joins masks of merging layers wrongly" if any(masked) else None
    if not heeds_masks(layer.layer if layer.class_name == "TimeDistributed" else layer):  # type: ignore[attr-defined]
        return None
    if not before:
        return _OTHER_BRANCH
    if layer.class_name in _RECURRENT and not changed:
        return None if masked[0] else "TensorFlow.js hands it the mask of an earlier layer"
    if layer.class_name == "GlobalAveragePooling1D" and not changed:
        return "TensorFlow.js does not heed the mask of its input" if masked[0] else None
    return "a mask comes before it, and TensorFlow.js has no such layer that heeds the right one"
