"""Symbolic tensors: what a layer gives when it is called on an ``Input``, and the nodes that remember the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import ArgumentTypeError
from lamina.structures import flatten

if TYPE_CHECKING:
    from lamina.layers.layer import Layer

SymbolicShape = tuple[int | None, ...]
"""A shape whose unknown sizes, such as the batch, are None."""


class SymbolicTensor:
    """The place of a tensor in a graph of layers: shape, dtype, and which call of which layer gives it.

    It is made by calling layers: ``node`` is the call, ``index`` the place among its results. Raises ArgumentTypeError
    for operators and ops, which need values.

    >>> import lamina
    >>> lamina.Input(shape=(3,), name="x")
    <SymbolicTensor 'x' shape=(None, 3) dtype=float32>
    """

    __lamina_hint__ = "call a layer on it, or put the ops into the call method of a Layer of your own."

    def __init__(self, shape: SymbolicShape, dtype: str, node: Node, index: int) -> None:
        self.shape = shape
        self.dtype = dtype
        self.node = node
        self.index = index

    @property
    def layer(self) -> Layer:
        """The layer that gives it."""
        return self.node.layer

    @property
    def name(self) -> str:
        """The name of its layer."""
        return self.node.layer.name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    __array_ufunc__: None = None  # NumPy leaves operators between an array and this to those below

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"


def _refuse(self: SymbolicTensor, *others: Any) -> Any:
    message = "operators do not join the graph: a SymbolicTensor stands for data that is not there yet."
    fix = "layers.Add()([a, b]) and the like, layers.Lambda(function)(x), or a Layer of your own."
    raise ArgumentTypeError(message, expected="layers, which are called on it.", fix=fix)


for _operator in ("add", "sub", "mul", "truediv", "matmul", "pow"):  # set so, they are errors to type checkers too
    setattr(SymbolicTensor, f"__{_operator}__", _refuse)
    setattr(SymbolicTensor, f"__r{_operator}__", _refuse)
for _operator in ("neg", "abs", "getitem"):
    setattr(SymbolicTensor, f"__{_operator}__", _refuse)


class Node:
    """One call of a layer on symbolic tensors: the arguments as given, the symbolic ones of them, and the results."""

    def __init__(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.inputs: list[SymbolicTensor] = [x for x in flatten((args, kwargs)) if isinstance(x, SymbolicTensor)]
        self.outputs: list[SymbolicTensor] = []

    @property
    def input_shapes(self) -> Any:
        """The shape of the first argument, or the list of its shapes."""
        return shapes_of(self.args[0]) if self.args else None


def shapes_of(inputs: Any) -> Any:
    """The shape of a tensor; of a list or dict of them, the same structure of shapes."""
    if isinstance(inputs, dict):
        return {key: shapes_of(value) for key, value in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return [shapes_of(value) for value in inputs]
    return tuple(inputs.shape) if hasattr(inputs, "shape") else None
