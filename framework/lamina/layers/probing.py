"""Finds the output shape of a layer by running its call on tensors without values.

Unknown sizes are filled with two different primes; sizes of the result that differ between the two runs are unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor, spec_tensor
from lamina.structures import flatten, map_structure, unflatten

_PRIMES: Final = ((83, 89, 97, 101, 103, 107), (109, 113, 127, 131, 137, 139))


def probe(call: Callable[..., Any], arguments: Any) -> Any:
    """The structure of ``Output`` that ``call`` returns for ``arguments``.

    Arguments with a shape and a dtype stand for tensors, with None for unknown sizes; others are passed as they are.
    """
    known = all(None not in leaf.shape for leaf in flatten(arguments) if _is_symbolic(leaf))
    first = _run(call, arguments, _PRIMES[0])
    second = first if known else _run(call, arguments, _PRIMES[1])
    pairs = zip(flatten(first), flatten(second), strict=True)
    return unflatten(first, (_common(a, b) for a, b in pairs))


def _run(call: Callable[..., Any], arguments: Any, primes: tuple[int, ...]) -> Any:
    """Unknown sizes of one axis get one prime, in all tensors: they mostly have to be equal, as the batch has."""

    def stand_in(leaf: Any) -> Any:
        if not _is_symbolic(leaf):
            return leaf
        sizes = (primes[axis % len(primes)] if size is None else size for axis, size in enumerate(leaf.shape))
        return spec_tensor(tuple(sizes), leaf.dtype)

    args, kwargs = map_structure(stand_in, arguments)
    return map_structure(to_tensor, call(*args, **kwargs))


def _is_symbolic(leaf: Any) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype") and not isinstance(leaf, Tensor)


class Output:
    """What is known of one result: a shape with None where it is unknown, and a dtype."""

    def __init__(self, shape: tuple[int | None, ...], dtype: str) -> None:
        self.shape = shape
        self.dtype = dtype


def _common(a: Tensor, b: Tensor) -> Output:
    return Output(tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)), a.dtype)


def as_outputs(shapes: Any, dtype: str) -> Any:
    """A shape, or a list, tuple or dict of shapes, as the same structure of Outputs."""
    if isinstance(shapes, dict):
        return {key: as_outputs(value, dtype) for key, value in shapes.items()}
    if shapes and not all(s is None or hasattr(s, "__index__") for s in shapes):
        return [as_outputs(shape, dtype) for shape in shapes]
    return Output(tuple(shapes), dtype)
