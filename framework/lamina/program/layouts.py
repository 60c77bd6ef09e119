"""How each instruction may be done on parts of a batch: which parts of its arguments give which parts of its results.

A rule says nothing of what an axis means: it holds whichever axis is cut. Ops without a rule are done whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lamina.program.program import Instruction
from lamina.shapes import Spec


@dataclass(frozen=True)
class Split:
    """Cut along an axis, on which ``unit`` neighbours belong to each example."""

    axis: int
    unit: int = 1


@dataclass(frozen=True)
class Partial:
    """Each part of the batch gives a summand of the whole shape; the sum is multiplied by ``scale``."""

    scale: float = 1.0


Layout = Split | Partial | None
"""None: whole."""


@dataclass(frozen=True)
class Division:
    """How to do an instruction on one part: its arguments' and results' layouts, its op and changed attributes.

    ``sizes`` names attributes that hold a shape, with the split of that shape.
    """

    inputs: tuple[Split | None, ...]
    outputs: tuple[Split | Partial, ...]
    op: str = ""
    sizes: dict[str, Split] = field(default_factory=dict)


Rule = Callable[[Instruction, Sequence[Split | None], Sequence[Spec], Sequence[Spec], int], "Division | None"]

ELEMENTWISE: Final = frozenset({
    "add", "subtract", "multiply", "divide", "mod", "floor_divide", "power", "maximum", "minimum", "negative",
    "abs", "floor", "ceil", "round", "square", "sign", "sqrt", "rsqrt", "reciprocal", "exp", "expm1", "log",
    "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh",
    "arccosh", "arctanh", "erf", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite", "bitwise_and",
    "cast", "where", "identity", "relu", "relu_gradient", "sigmoid", "clip", "divide_no_nan", "real", "imag",
    "complex", "complex_conjugate", "stop_gradient", "squared_difference",
})  # fmt: skip


def divided(
    instruction: Instruction, layouts: Sequence[Split | None], x: Sequence[Spec], y: Sequence[Spec], batch: int
) -> Division | None:
    """How an instruction some of whose arguments are cut is done on parts of the batch; None if it has to be whole."""
    if instruction.op in ELEMENTWISE:
        return _elementwise(instruction, layouts, x, y, batch)
    rule = _RULES.get(instruction.op)
    return rule(instruction, layouts, x, y, batch) if rule else None


def _elementwise(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    found = _aligned(layouts, x, y[0])
    return None if found is None else Division(found[1], (found[0],))


def _aligned(layouts: Sequence[Split | None], x: Sequence[Spec], y: Spec) -> tuple[Split, tuple[Any, ...]] | None:
    """For what is broadcast together: the split of the result and of each argument."""
    wanted = {Split(s.axis + y.ndim - a.ndim, s.unit) for s, a in zip(layouts, x, strict=True) if s}
    if len(wanted) != 1:
        return None
    (split,) = wanted
    inputs = []
    for a in x:
        axis = split.axis - (y.ndim - a.ndim)
        inputs.append(Split(axis, split.unit) if axis >= 0 and a.shape[axis] == y.shape[split.axis] else None)
    agree = all(given is None or given == mine for given, mine in zip(layouts, inputs, strict=True))
    return (split, tuple(inputs)) if agree else None


def _sum(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    (split,), axes = layouts, i.attrs["axis"]
    if split.axis not in axes:
        return _kept(i, layouts, x, y, batch)
    scale = 1.0 / math.prod(x[0].shape[a] for a in axes) if i.op == "mean" else 1.0
    return Division((split,), (Partial(scale),), op="sum")


def _kept(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    """A reduction along other axes."""
    (split,), given = layouts, i.attrs["axis"]
    axes = given if isinstance(given, tuple) else (given,)
    if split.axis in axes:
        return None
    gone = 0 if y[0].ndim == x[0].ndim else sum(a < split.axis for a in axes)
    return Division((split,), (Split(split.axis - gone, split.unit),))


def _along(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    """What works along one axis and keeps the shape."""
    (split,) = layouts
    return None if i.attrs["axis"] % x[0].ndim == split.axis else Division((split,), (split,))


def _reshape(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    (split,), shape = layouts, y[0].shape
    before = math.prod(x[0].shape[: split.axis])
    for axis, size in enumerate(shape):
        if math.prod(shape[:axis]) == before and size and size % batch == 0:
            result = Split(axis, size // batch)
            return Division((split,), (result,), sizes={"shape": result})
    return None


def _transpose(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    (split,) = layouts
    return Division((split,), (Split(i.attrs["axes"].index(split.axis), split.unit),))


def _broadcast_to(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    found = _aligned(layouts, x, y[0])
    return None if found is None else Division(found[1], (found[0],), sizes={"shape": found[0]})


def _basic_index(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    """Where the axis that is cut is taken whole; its entry becomes the whole of the part."""
    (split,), key, axis, kept = layouts, i.attrs["key"], 0, 0
    for entry in key:
        if entry is not None and axis == split.axis:
            whole = not isinstance(entry, int) and entry == (0, x[0].shape[axis], 1)
            return Division((split,), (Split(kept, split.unit),), sizes={"key": split}) if whole else None
        axis += entry is not None
        kept += not isinstance(entry, int)
    return Division((split,), (Split(kept + split.axis - axis, split.unit),))


def _concat(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    wanted = {s for s in layouts if s}
    if len(wanted) != 1 or any(s.axis == i.attrs["axis"] % y[0].ndim for s in wanted):
        return None
    return Division(tuple(wanted) * len(x), tuple(wanted))


def _unjoined(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    (split,) = layouts
    return None if i.attrs["axis"] % x[0].ndim == split.axis else Division((split,), (split,) * len(y))


def _pad(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    (split,) = layouts
    return Division((split,), (split,)) if tuple(i.attrs["paddings"][split.axis]) == (0, 0) else None


def _flip(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    (split,) = layouts
    return None if split.axis in i.attrs["axis"] else Division((split,), (split,))


def _matmul(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    (a, b), count = layouts, y[0].ndim
    turned = i.attrs["transpose_a"], i.attrs["transpose_b"]
    row, inner_a = x[0].ndim - 2 + turned[0], x[0].ndim - 1 - turned[0]
    inner_b, column = x[1].ndim - 2 + turned[1], x[1].ndim - 1 - turned[1]
    if (a and a.axis == inner_a) or (b and b.axis == inner_b):
        unit = (a or b).unit
        pair = Split(inner_a, unit), Split(inner_b, unit)
        fits = a in (None, pair[0]) and b in (None, pair[1])
        return Division(pair, (Partial(),)) if fits else None
    if a and a.axis == row:
        return Division((a, None), (Split(count - 2, a.unit),)) if b is None else None
    if b and b.axis == column:
        return Division((None, b), (Split(count - 1, b.unit),)) if a is None else None
    stacked = [Spec(s.shape[:-2], s.dtype) for s in (*x, *y)]
    found = _aligned(layouts, stacked[:2], stacked[2])
    return None if found is None else Division(found[1], (found[0],))


def _rows(count: int, whole: Sequence[int] = ()) -> Rule:
    """Of each example by itself: the first axis of ``count`` arguments is cut, but for those that are ``whole``."""

    def rule(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
        first = next(s for s in layouts if s)
        inputs = tuple(None if n in whole else Split(0, first.unit) for n in range(count))
        fits = all(s in (None, mine) for s, mine in zip(layouts, inputs, strict=True))
        return Division(inputs, (Split(0, first.unit),) * len(y)) if fits else None

    return rule


def _classified(count: int) -> Rule:
    """Of each row of classes, which the last argument has, by itself."""
    by_rows = _rows(count)
    return lambda i, layouts, x, y, batch: by_rows(i, layouts, x, y, batch) if x[-1].ndim > 1 else None


def _kernel_gradient(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    first = next(s for s in layouts if s)
    pair = (Split(0, first.unit),) * 2
    return Division(pair, (Partial(),)) if all(s in (None, pair[0]) for s in layouts) else None


def _take(i: Instruction, layouts: Any, x: Any, y: Any, batch: int) -> Division | None:
    """Rows of a table that is whole."""
    table, places = layouts
    return None if table else Division((None, places), (Split(i.attrs["axis"] + places.axis, places.unit),))


_RULES: Final[dict[str, Rule]] = {
    "sum": _sum,
    "mean": _sum,
    **dict.fromkeys(("max", "min", "prod", "any", "all", "argmax", "argmin"), _kept),
    **dict.fromkeys(("softmax", "log_softmax", "cumsum", "cumprod"), _along),
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "basic_index": _basic_index,
    "concat": _concat,
    "split": _unjoined,
    "pad": _pad,
    "flip": _flip,
    "matmul": _matmul,
    "convolution": _rows(2, (1,)),
    "convolution_input_gradient": _rows(2, (1,)),
    "convolution_kernel_gradient": _kernel_gradient,
    "window_max": _rows(1),
    "window_mean": _rows(1),
    "window_mean_gradient": _rows(1),
    "window_max_gradient": _rows(3),
    "lstm_sequence": _rows(4, (1,)),
    "lstm_sequence_gradient": _rows(8, (3,)),
    **dict.fromkeys(("class_cross_entropy", "class_log_loss"), _classified(2)),
    **dict.fromkeys(("class_cross_entropy_gradient", "class_log_loss_gradient"), _classified(3)),
    "take": _take,
}
