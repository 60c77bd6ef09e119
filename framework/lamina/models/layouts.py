"""Which tensors a call of a layer has, and where in its arguments each stands.

TensorFlow.js hands a layer a flat list of tensors, and frees one that stands in it twice too early. So the tensors of a
call with several arguments are written each once, with their places in the arguments beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from lamina.errors import SerializationError
from lamina.layers.masks import call_arguments
from lamina.layers.symbolic import Node, SymbolicTensor
from lamina.structures import flatten, map_structure

PLACES: Final = "arguments"
"""The setting of a call, in a topology, that says which of its tensors each argument takes."""

MAX_ARGUMENTS: Final = 100


class Layout(NamedTuple):
    """The tensors of a call as TensorFlow.js gets them, and the arguments that take some.

    ``arguments`` has the numbers of the tensors in the structure of each argument, ``order`` these numbers in the order
    in which the call has them.
    """

    tensors: list[SymbolicTensor]
    arguments: dict[str, Any]
    order: list[int]


def layout_of(node: Node) -> Layout:
    """The layout of a call. Where all tensors are in the first argument, they stand there as they are.

    >>> import lamina
    >>> x = lamina.Input((2, 4))
    >>> layout_of(lamina.layers.MultiHeadAttention(1, 2)(x, x).node).arguments
    {'query': 0, 'value': 0}
    >>> layout_of(lamina.layers.Add()([x, x]).node).arguments
    {'inputs': [0, 1]}
    """
    tensors = list(node.inputs)
    if has_further(node):
        tensors = list({id(x): x for x in tensors}.values())
        numbers = {id(x): number for number, x in enumerate(tensors)}
        order = [numbers[id(x)] for x in node.inputs]
    else:
        order = list(range(len(tensors)))
    waiting = iter(order)
    given = {**dict(zip(call_arguments(type(node.layer).call), node.args, strict=False)), **node.kwargs}
    having = {name: value for name, value in given.items() if any(map(_is_symbolic, flatten(value)))}
    places = {
        name: map_structure(lambda x: next(waiting) if _is_symbolic(x) else x, value) for name, value in having.items()
    }
    return Layout(tensors, places, order)


def has_further(node: Node) -> bool:
    """Whether a call has tensors in other arguments than the first."""
    return len(node.inputs) > sum(map(_is_symbolic, flatten(node.args[:1])))


def _is_symbolic(leaf: Any) -> bool:
    return isinstance(leaf, SymbolicTensor)


def is_plain(layout: Layout) -> bool:
    """Whether every argument is a tensor or a list of tensors: others have no place in a file."""
    leaves = [
        x for value in layout.arguments.values() for x in (value if isinstance(value, (list, tuple)) else [value])
    ]
    return all(isinstance(x, int) or x is None for x in leaves)


def placed(arguments: Any, tensors: Sequence[Any]) -> dict[str, Any]:
    """The arguments of a layout read from a file, with the tensors themselves.

    Raises SerializationError if it is malformed.
    """
    if not isinstance(arguments, Mapping) or not 0 < len(arguments) <= MAX_ARGUMENTS:
        raise _malformed(arguments)
    return {str(name): _placed(value, tensors, arguments) for name, value in arguments.items()}


def _placed(value: Any, tensors: Sequence[Any], arguments: Any) -> Any:
    if isinstance(value, list) and len(value) <= MAX_ARGUMENTS:
        if any(isinstance(v, list) for v in value):
            raise _malformed(arguments)
        return [_placed(v, tensors, arguments) for v in value]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(tensors):
        raise _malformed(arguments)
    return tensors[value]


def _malformed(arguments: Any) -> SerializationError:
    return SerializationError(
        f"the arguments of a call are {str(arguments)[:100]}.", expected="the numbers of its tensors, by name."
    )
