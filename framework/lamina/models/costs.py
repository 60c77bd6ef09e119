"""What a layer costs: bytes of weights and of outputs, and multiply-adds, counted where kernels are called."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from lamina.dtypes import ITEMSIZE
from lamina.errors import LaminaError
from lamina.layers.core import InputLayer
from lamina.layers.symbolic import Node, SymbolicTensor
from lamina.models.rehearsal import rehearsing
from lamina.ops import zeros
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.listeners import KernelCall, Listener, listening
from lamina.runtime.op import CompositeOp
from lamina.runtime.variable import Variable
from lamina.structures import flatten, map_structure


def weight_bytes(weights: Sequence[Variable]) -> int:
    """The bytes of some weights."""
    return sum(v.size * ITEMSIZE.get(v.dtype, 0) for v in weights)


def activation_bytes(layer: Any, shapes: Sequence[Any]) -> int | None:
    """The bytes of what a layer's calls give for one example; None if a size is not known."""
    count = 0
    for shape in (shape for structure in shapes for shape in shapes_in(structure)):
        known = [size for size in shape[1:] if size is not None]
        if len(known) < len(shape[1:]):
            return None
        count += math.prod(known)
    return count * ITEMSIZE.get(layer.dtype, 0)


def shapes_in(structure: Any) -> list[tuple[int | None, ...]]:
    """The shapes in a structure of shapes, one after the other.

    >>> shapes_in({"a": (None, 2), "b": [(None, 3), (None, 4)]})
    [(None, 2), (None, 3), (None, 4)]
    """
    if isinstance(structure, dict):
        return [shape for value in structure.values() for shape in shapes_in(value)]
    if any(isinstance(entry, (dict, list, tuple)) for entry in structure):
        return [shape for value in structure for shape in shapes_in(value)]
    return [tuple(structure)]


def multiply_adds(layer: Any, nodes: Sequence[Node]) -> int | None:
    """The multiply-adds of a layer's calls for one example, of matrix products and convolutions; None if unknown.

    The layer runs on zeros, with a batch of one, on the backend of its weights; what it writes is taken back.
    """
    if isinstance(layer, InputLayer):
        return 0
    calls = [(node.args, node.kwargs) for node in nodes] or _outside_of_a_graph(layer)
    found = [_counted(layer, args, kwargs) for args, kwargs in calls]
    return None if not found or None in found else sum(n for n in found if n is not None)


def _outside_of_a_graph(layer: Any) -> list[tuple[Any, Any]]:
    """The call that a layer was built for."""
    graph = getattr(layer, "graph", None)
    if graph is not None:
        return [((graph.input_structure,), {})]
    shapes = layer.built_for
    return [] if not shapes else [((_ShapeOnly.of(shapes[0], layer.dtype),), {})]


class _ShapeOnly:
    """What stands for an input of which only the shape is known."""

    def __init__(self, shape: Any, dtype: str) -> None:
        self.shape = (None, *shape[1:])
        self.dtype = dtype

    @classmethod
    def of(cls, structure: Any, dtype: str) -> Any:
        """One for each shape of a structure."""
        if isinstance(structure, dict):
            return {key: cls.of(value, dtype) for key, value in structure.items()}
        if isinstance(structure, list):
            return [cls.of(value, dtype) for value in structure]
        return cls(structure, dtype)


def _counted(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    leaves = [x for x in flatten((args, kwargs)) if isinstance(x, (SymbolicTensor, _ShapeOnly))]
    if any(None in x.shape[1:] for x in leaves):
        return None
    weights = layer.weights
    counter = _Counter()
    losses = layer._call_losses
    with on_backend(weights[0].backend if weights else get_backend()):
        try:
            args, kwargs = map_structure(_zeros, (args, kwargs))
            with rehearsing(), listening(counter):
                layer(*args, **{**kwargs, "training": False})
        except (LaminaError, TypeError, ValueError):  # a call that zeros do not suit, in whatever way it says so
            return None
        finally:
            layer._call_losses = losses
    batch = max((x.shape[0] or 1 for x in leaves if x.shape), default=1)
    return counter.count // batch


def _zeros(leaf: Any) -> Any:
    if not isinstance(leaf, (SymbolicTensor, _ShapeOnly)):
        return leaf
    return zeros(tuple(size or 1 for size in leaf.shape), leaf.dtype)


class _Counter(Listener):
    """Counts multiply-adds."""

    count = 0

    def on_call(self, call: KernelCall) -> None:
        if call.op.name in _RULES:
            self.count += multiply_adds_of(call)
        elif isinstance(call.op, CompositeOp):  # a kernel of the backend's own: its parts tell
            call.op.__wrapped__(*call.inputs, **call.attrs)


def multiply_adds_of(call: KernelCall) -> int:
    """The multiply-adds of one call of a kernel."""
    rule = _RULES.get(call.op.name)
    return rule(call) if rule else 0


def _product(call: KernelCall) -> int:
    inner: int = call.inputs[0].shape[-2 if call.attrs["transpose_a"] else -1]
    return call.outputs[0].size * inner


def _convolution(call: KernelCall) -> int:
    kernel = call.inputs[1]
    return call.outputs[0].size * math.prod(kernel.shape[:-1])


def _transposed_convolution(call: KernelCall) -> int:
    kernel = call.inputs[1]
    return call.inputs[0].size * math.prod(kernel.shape[:-1])


def _recurrence(call: KernelCall) -> int:
    """Each step multiplies with the kernels, which follow the sequence."""
    batch, steps = call.inputs[0].shape[:2]
    return batch * steps * sum(kernel.size for kernel in call.inputs[1 : 2 + (call.op.name != "lstm_sequence")])


_RULES: Final[dict[str, Callable[[KernelCall], int]]] = {
    "matmul": _product,
    "convolution": _convolution,
    "convolution_input_gradient": _transposed_convolution,
    "gru": _recurrence,
    "lstm": _recurrence,
    "lstm_sequence": _recurrence,
    "masked_gru": _recurrence,
    "masked_lstm": _recurrence,
}
"""The ops that multiply and add. Everything else is made of them, or is not counted."""
