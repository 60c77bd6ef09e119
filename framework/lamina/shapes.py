"""Pure rules of shapes: broadcasting, axes, windows. No arrays.

A shape is a tuple of ints; ``None`` stands for an unknown size and occurs only in layers and models.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lamina.errors import ArgumentError, ArgumentTypeError, OutOfRangeError, ShapeError

Shape = tuple[int, ...]


class Spec(NamedTuple):
    """What is known of a tensor without its values: shape and dtype."""

    shape: Shape
    dtype: str

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


def as_int(value: Any, name: str, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """``value`` as a Python int; refuses booleans, floats and strings by the argument's name."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError(f"{name} is {value!r}.", expected=f"{name} to be an integer.")
    try:
        number = operator.index(value)
    except TypeError as error:  # an array with several elements
        raise ArgumentTypeError(f"{name} is {value!r}.", expected=f"{name} to be an integer.") from error
    if minimum is not None and number < minimum:
        raise ArgumentError(f"{name} is {number}.", expected=f"{name} to be an integer of at least {minimum}.")
    if maximum is not None and number > maximum:
        raise ArgumentError(f"{name} is {number}.", expected=f"{name} to be an integer of at most {maximum}.")
    return number


def as_float(value: Any, name: str, *, minimum: float | None = None, below: float | None = None) -> float:
    """``value`` as a finite Python float; refuses booleans, strings and NaN by the argument's name.

    >>> as_float(1, "rate", minimum=0.0)
    1.0
    """
    kind = type(value).__name__
    if kind in ("bool", "bool_") or isinstance(value, str) or not hasattr(value, "__float__"):
        raise ArgumentTypeError(f"{name} is {value!r}.", expected=f"{name} to be a number.")
    number = float(value)
    low = minimum is not None and number < minimum
    high = below is not None and number >= below
    if not math.isfinite(number) or low or high:
        bounds = [f"at least {minimum:g}"] if minimum is not None else []
        bounds += [f"below {below:g}"] if below is not None else []
        raise ArgumentError(
            f"{name} is {number}.", expected=f"{name} to be a finite number {' and '.join(bounds)}".strip() + "."
        )
    return number


def as_bool(value: Any, name: str) -> bool:
    """``value`` as True or False; refuses anything else, numbers and strings too, by the argument's name.

    >>> as_bool(True, "nesterov")
    True
    """
    if type(value).__name__ not in ("bool", "bool_"):
        raise ArgumentTypeError(f"{name} is {value!r}.", expected="True or False.")
    return bool(value)


def as_entries(value: Any, name: str) -> tuple[Any, ...]:
    """A single number, or all of a sequence, as a tuple; refuses what is neither by the argument's name."""
    if hasattr(value, "__index__") and not getattr(value, "shape", ()):
        return (value,)
    try:
        return tuple(value)
    except TypeError as error:
        raise ArgumentTypeError(
            f"{name} is {value!r}.", expected=f"{name} to be an integer or a sequence of them."
        ) from error


def as_pairs(value: Any, name: str, count: int) -> tuple[tuple[int, int], ...]:
    """(before, after) for each of ``count`` axes, as non-negative ints.

    >>> as_pairs([(1, 0), [0, 2]], "paddings", 2)
    ((1, 0), (0, 2))
    """
    pairs = [as_shape(pair, f"{name}[{i}]") for i, pair in enumerate(as_entries(value, name))]
    if len(pairs) != count or any(len(pair) != 2 for pair in pairs):
        raise ShapeError(f"{name} is {value!r}.", expected=f"(before, after) for each of {count} axes.")
    return tuple((before, after) for before, after in pairs)


def as_shape(shape: Any, name: str = "shape") -> Shape:
    """A shape given as an int or a sequence of ints, as a tuple of non-negative ints."""
    sizes = as_entries(shape, name)
    return tuple(as_int(size, f"{name}[{i}]", minimum=0) for i, size in enumerate(sizes))


def normalize_axis(axis: Any, ndim: int, name: str = "axis") -> int:
    """An axis counted from the front: -1 is the last.

    Raises OutOfRangeError if the tensor has no such axis.
    """
    number = as_int(axis, name)
    if not -ndim <= number < ndim:
        raise OutOfRangeError(
            f"{name} is {number}, but the tensor has {ndim} axes.",
            expected=f"{name} between {-ndim} and {ndim - 1}." if ndim else "no axis: the tensor is a scalar.",
        )
    return number % ndim


def normalize_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """One axis, several, or None for all of them, as a sorted tuple counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    axes = as_entries(axis, "axis")
    found = sorted(normalize_axis(a, ndim) for a in axes)
    if len(set(found)) != len(found):
        raise ArgumentError(f"axis is {axis!r}.", expected="each axis at most once.")
    return tuple(found)


def broadcast_shapes(op: str, names: Sequence[str], shapes: Sequence[Shape]) -> Shape:
    """The shape that NumPy's broadcasting gives; ``op`` and ``names`` only serve the message.

    Raises ShapeError if two sizes of one axis differ and neither is 1.
    """
    result: Shape | None = shapes[0]
    for shape in shapes:
        result = None if result is None else _broadcast_pair(result, shape)
    if result is None:
        described = " and ".join(f"{n} is {s}" for n, s in zip(names, shapes, strict=False))
        raise ShapeError(
            f"{op}({', '.join(names)}): {described}.",
            expected="each pair of sizes, counted from the last axis, to be equal or one of them 1.",
            fix="reshape one of them, or add an axis with expand_dims.",
        )
    return result


def _broadcast_pair(a: Shape, b: Shape) -> Shape | None:
    """The broadcast shape of two, None if there is none."""
    if not b or a == b:
        return a
    if not a:
        return b
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    ahead = len(longer) - len(shorter)
    sizes = []
    for x, y in zip(longer[ahead:], shorter, strict=True):
        if x != y and x != 1 and y != 1:
            return None
        sizes.append(y if x == 1 else x)
    return longer[:ahead] + tuple(sizes)


def _padded(shape: Shape, ndim: int) -> Shape:
    return (1,) * (ndim - len(shape)) + shape


def broadcast_axes(shape: Shape, result: Shape) -> tuple[int, ...]:
    """The axes of ``result`` along which ``shape`` was repeated: those a gradient is summed over."""
    padded = _padded(shape, len(result))
    return tuple(
        i
        for i, (a, b) in enumerate(zip(padded, result, strict=True))
        if (a == 1 and b != 1) or i < len(result) - len(shape)
    )


def reduced_shape(shape: Shape, axes: Iterable[int], keepdims: bool) -> Shape:
    """The shape after reducing ``axes``."""
    gone = set(axes)
    if keepdims:
        return tuple(1 if i in gone else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in gone)


def resolve_reshape(shape: Shape, target: Any) -> Shape:
    """The target of a reshape with its one -1 filled in.

    Raises ShapeError if the number of elements would change.
    """
    sizes = as_entries(target, "shape")
    sizes = tuple(as_int(s, f"shape[{i}]", minimum=-1) for i, s in enumerate(sizes))
    known = math.prod(s for s in sizes if s != -1)
    total = math.prod(shape)
    unknown = sizes.count(-1)
    fits = total == known if not unknown else unknown == 1 and known != 0 and total % known == 0
    if not fits:
        raise ShapeError(
            f"reshape(x, {sizes}): x is {shape} with {total} elements.",
            expected=f"a shape with {total} elements and at most one -1.",
        )
    return tuple(total // known if s == -1 else s for s in sizes)


def window_output(size: int, window: int, stride: int, padding: str, dilation: int = 1) -> int:
    """The number of positions of a window along one axis, by TensorFlow's rule for 'valid' and 'same'."""
    if padding == "same":
        return -(-size // stride)
    return max(0, (size - (dilation * (window - 1) + 1)) // stride + 1)


def window_padding(size: int, window: int, stride: int, padding: str, dilation: int = 1) -> tuple[int, int]:
    """How many elements to add before and after one axis; the odd one goes after, as in TensorFlow."""
    if padding != "same":
        return (0, 0)
    reach = (window_output(size, window, stride, padding) - 1) * stride + dilation * (window - 1) + 1
    total = max(0, reach - size)
    return (total // 2, total - total // 2)


def as_pair(value: Any, name: str, *, minimum: int = 1) -> tuple[int, int]:
    """One int or two as a pair, such as a kernel size or strides."""
    values = (value, value) if hasattr(value, "__index__") else tuple(value) if isinstance(value, Sequence) else None
    if values is None or len(values) != 2 or isinstance(value, str):
        raise ArgumentTypeError(f"{name} is {value!r}.", expected=f"{name} to be an integer or a pair of integers.")
    return (as_int(values[0], name, minimum=minimum), as_int(values[1], name, minimum=minimum))
