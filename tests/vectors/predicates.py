"""What disagreements.toml may ask of a record: properties of the call, never its id or its values as such."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from adapting import is_undefined
from checking import check_by_differences
from comparing import leaves

from lamina import losses
from lamina.dtypes import promote_dtypes
from lamina.errors import UnknownNameError
from lamina.serialization import lookup

Record = dict[str, Any]
PREDICATES: Final[dict[str, Callable[[Record], bool]]] = {}


def predicate(function: Callable[[Record], bool]) -> Callable[[Record], bool]:
    """Decorator: what a rule may name."""
    if function.__name__ in PREDICATES:
        raise ValueError(f"there are two predicates {function.__name__!r}")
    PREDICATES[function.__name__] = function
    return function


PROOFS: Final[dict[tuple[str, str], Callable[[Record], None]]] = {}


def proof(*kinds: str) -> Callable[[Callable[[Record], None]], Callable[[Record], None]]:
    """Decorator: what a rule for records of ``kinds`` may name as its proof; raises AssertionError if it fails."""

    def register(function: Callable[[Record], None]) -> Callable[[Record], None]:
        for kind in kinds:
            if (kind, function.__name__) in PROOFS:
                raise ValueError(f"there are two proofs {function.__name__!r} for {kind}")
            PROOFS[kind, function.__name__] = function
        return function

    return register


@proof("ops", "grads", "op_errors")
def differences(record: Record) -> None:
    """lamina's gradient is the slope that differences in float64 give, or lies between those of a kink."""
    check_by_differences(record, kinks=True)


@proof("layers", "layer_errors", "models", "keras_layers", "keras_losses", "keras_misc")
def not_offered(record: Record) -> None:
    """lamina has nothing of a name in the record. Such records are counted by themselves."""
    names = {str(record.get(key)) for key in ("class_name", "className", "name")}
    names |= {str(value) for path, value in leaves(record.get("topology", {})) if path[-1:] == ("class_name",)}
    kinds = ("layers", "losses", "initializers")
    known = {name for kind in kinds for name in names if _is_known(kind, name)} | {None, "None"}
    assert names - known - set(dir(losses)), f"lamina has {', '.join(sorted(names))}"


def _is_known(kind: str, name: str) -> bool:
    try:
        lookup(kind, name)
    except UnknownNameError:
        return False
    return True


def arrays(record: Record) -> Iterator[np.ndarray[Any, Any]]:
    """The numeric tensors among the arguments."""
    for _, value in leaves(record["args"]):
        if isinstance(value, np.ndarray) and value.dtype != object:
            yield value


def _pair(record: Record) -> tuple[Any, Any]:
    a, b = (np.asarray(x, np.float64) for x in record["args"][:2])
    return a, b


def _weights(record: Record) -> np.ndarray[Any, Any]:
    """The cotangent of a function with one result."""
    return np.asarray(record["cotangents"][0]["cotangent"])


@predicate
def equal_arguments(record: Record) -> bool:
    """The two arguments have an equal element that the result is weighed at."""
    a, b = _pair(record)
    return bool(record.get("cotangents")) and bool(np.any((a == b) & (_weights(record) != 0)))


@predicate
def equal_and_weighed(record: Record) -> bool:
    """A label equals its prediction, has a weight, and the loss is weighed."""
    a, b = _pair(record)
    weights = (record["args"] + [None])[2]
    share = 1.0 if weights is None or is_undefined(weights) else np.asarray(weights, np.float64)
    return bool(record.get("grads")) and bool(np.any((a == b) & (share != 0)) and np.any(_weights(record) != 0))


@predicate
def zero_argument(record: Record) -> bool:
    """An element is 0 where the result is weighed."""
    return bool(record.get("cotangents")) and bool(np.any((record["args"][0] == 0) & (_weights(record) != 0)))


@predicate
def zero_to_the_zero(record: Record) -> bool:
    """A base and its exponent are both 0."""
    a, b = _pair(record)
    return bool(np.any((a == 0) & (b == 0)))


@predicate
def nan_argument(record: Record) -> bool:
    """An element is not a number."""
    return any(bool(np.any(np.isnan(a))) for a in arrays(record) if a.dtype.kind in "fc")


@predicate
def negative_infinity(record: Record) -> bool:
    """An element is minus infinity."""
    return any(bool(np.any(np.isneginf(a))) for a in arrays(record) if a.dtype.kind == "f")


@predicate
def divisor_square_overflows(record: Record) -> bool:
    """An infinite dividend by a divisor whose square is not finite in float32, though it is itself."""
    a, b = _pair(record)
    with np.errstate(all="ignore"):
        return bool(np.any(np.isinf(a) & np.isfinite(b) & np.isinf(np.square(b.astype(np.float32)))))


@predicate
def dividend_is_lost(record: Record) -> bool:
    """A dividend and a divisor of different signs whose sum is the divisor."""
    a, b = _pair(record)
    with np.errstate(all="ignore"):
        return bool(np.any((a != 0) & (np.signbit(a) != np.signbit(b)) & (a + b == b)))


@predicate
def integer_result(record: Record) -> bool:
    """The result was stored as int32 or bool, as the argument was."""
    result = record["result"]
    return isinstance(result, np.ndarray) and result.dtype.kind in "ib"


@predicate
def bool_argument(record: Record) -> bool:
    """The first argument is a bool tensor."""
    first = record["args"][0]
    return isinstance(first, np.ndarray) and first.dtype.kind == "b"


@predicate
def fractional_literal(record: Record) -> bool:
    """A plain number between -1 and 1 that is not 0 stands for a bool."""
    numbers = [value for _, value in leaves(record["args"]) if isinstance(value, float)]
    return any(0 < abs(value) < 1 for value in numbers)


@predicate
def axis_exists(record: Record) -> bool:
    """The second argument is an axis of the first."""
    x, axis = (record["args"] + [0])[:2]
    return -x.ndim <= axis < x.ndim


@predicate
def beside_a_floating_tensor(record: Record) -> bool:
    """Another tensor among the arguments is floating, so that all become floating."""
    return any(a.dtype.kind == "f" for a in arrays(record))


def _convolution(record: Record) -> tuple[Any, Any, Any, Any, Any]:
    """x, kernel, strides, padding and dilations of a convolution's call."""
    args = record["args"]
    if isinstance(args[0], dict):
        given = args[0]
        return given["x"], given["filter"], given["strides"], given["pad"], given.get("dilations", 1)
    dilations = args[5] if len(args) > 5 else 1
    return (*args[:4], dilations)  # type: ignore[return-value]


def _recorded_with_numbers(record: Record) -> bool:
    """A call that gave a result, or a gradient that was recorded."""
    return "result" in record or "grads" in record


@predicate
def fractional_padding(record: Record) -> bool:
    """The padding is a number between two integers."""
    padding = _convolution(record)[3]
    return isinstance(padding, float) and not padding.is_integer()


@predicate
def width_by_the_kernels_height(record: Record) -> bool:
    """For padding in one number the width of the result would be another one if the kernel were as wide as high."""
    x, kernel, strides, padding, dilations = _convolution(record)
    if isinstance(padding, str | list) or not _recorded_with_numbers(record):
        return False
    stride, dilation = (v[1] if isinstance(v, list) else v or 1 for v in (strides, dilations))
    tall = dilations[0] if isinstance(dilations, list) else dilations or 1
    free = np.shape(x)[-2] + 2 * padding
    height, width = (d * (k - 1) + 1 for d, k in zip((tall, dilation), np.shape(kernel), strict=False))
    return bool((free - height) // stride != (free - width) // stride)


@predicate
def output_shape_of_other_size(record: Record) -> bool:
    """A transposed convolution with padding 'same' whose output_shape leads back to other sizes than the image's."""
    x, _, output_shape, strides, padding = record["args"][:5]
    if padding != "same":
        return False
    steps = strides if isinstance(strides, list) else [strides] * (len(output_shape) - 2)
    sizes = zip(np.shape(x)[-3:-1], output_shape[-3:-1], steps, strict=True)
    return any(given != -(-wanted // step) for given, wanted, step in sizes)


@predicate
def weighed(record: Record) -> bool:
    """There are gradients, of a result that is weighed somewhere."""
    return any(bool(np.any(entry["cotangent"])) for entry in record.get("cotangents", []))


@predicate
def nan_of_no_weight(record: Record) -> bool:
    """A weighted loss or its gradient is NaN where all its weights are 0."""
    place = {"losses.computeWeightedLoss": 1, "losses.cosineDistance": 3}.get(record["op"], 2)
    weights = record["args"][place] if len(record["args"]) > place else None
    if not isinstance(weights, np.ndarray | list) or np.any(weights):
        return False
    recorded = [record.get("result"), *(entry["grad"] for entry in record.get("grads", []))]
    return any(value is not None and bool(np.any(np.isnan(value))) for value in recorded)


@predicate
def counts_from_the_end(record: Record) -> bool:
    """The indices, negative ones among them, are inside the axis that they pick from."""
    x, indices, *rest = record["args"]
    size = np.shape(x)[rest[0] if rest else 0]
    return bool(np.min(indices) >= -size and np.max(indices) < size)


@predicate
def without_strings(record: Record) -> bool:
    """All tensors hold numbers."""
    kinds = (getattr(getattr(v, "dtype", None), "kind", "") for _, v in leaves(record["args"]))
    return "O" not in kinds


@predicate
def as_many_values_as_the_shape(record: Record) -> bool:
    """Nested lists have as many values as the shape beside them has places."""
    values, shape = record["args"][:2]
    return sum(1 for _ in leaves(values)) == math.prod(shape)


@predicate
def mirror_is_weighed(record: Record) -> bool:
    """The result is weighed at an element beyond the borders."""
    weights = _weights(record).copy()
    x, paddings = record["args"][:2]
    weights[tuple(slice(b, b + s) for s, (b, _) in zip(x.shape, paddings, strict=True))] = 0
    return bool(np.any(weights))


@predicate
def fewer_paddings_than_axes(record: Record) -> bool:
    """There is no pair for some axis."""
    x, paddings = record["args"][:2]
    return len(paddings) < np.ndim(x)


@predicate
def single_and_no_vector(record: Record) -> bool:
    """There is one tensor, and it has not one axis."""
    return len(record["args"]) == 1 and np.ndim(record["args"][0]) != 1


@predicate
def fractional_count(record: Record) -> bool:
    """The third argument, a count, is not whole."""
    return float(record["args"][2]) % 1 != 0


@predicate
def last_argument_left_out(record: Record) -> bool:
    """There are fewer arguments than the function needs to have a meaning."""
    return len(record["args"]) < {"fill": 2, "tensor": 1}[record["op"]]


@predicate
def bytes_for_a_string(record: Record) -> bool:
    """A typed array of bytes is the value of a string tensor."""
    return getattr(record["args"][0], "kind", "") == "Uint8Array" and "string" in record["args"][1:]


def _coordinates(record: Record) -> tuple[np.ndarray[Any, Any], tuple[int, ...]]:
    """The coordinates of a gather or scatter, one place a row, and the sizes of the axes that they are for."""
    order = {"gatherND": (1, 0), "tensorScatterUpdate": (1, 0), "scatterND": (0, 2)}[record["op"]]
    indices, target = (record["args"][i] for i in order)
    rows = np.asarray(indices, np.int64)
    rows = rows.reshape(-1, 1 if rows.ndim == 1 and record["op"] != "gatherND" else rows.shape[-1])
    shape = target if record["op"] == "scatterND" else np.shape(target)
    return rows, tuple(shape[: rows.shape[1]])


@predicate
def coordinates_count_from_the_end(record: Record) -> bool:
    """All coordinates, negative ones among them, are inside their axes."""
    rows, sizes = _coordinates(record)
    return bool(np.all((rows >= -np.asarray(sizes)) & (rows < sizes)))


@predicate
def coordinate_outside_its_axis(record: Record) -> bool:
    """A coordinate is outside its own axis, though the place that it leads to is inside the tensor."""
    return not coordinates_count_from_the_end(record)


@predicate
def negative_coordinate(record: Record) -> bool:
    """A coordinate is negative, though the place that it leads to is inside the tensor."""
    return bool(np.any(_coordinates(record)[0] < 0)) and coordinates_count_from_the_end(record)


@predicate
def updates_fit(record: Record) -> bool:
    """The updates' dtype can be promoted to that of the tensor."""
    tensor, _, updates = (str(np.asarray(x).dtype) for x in record["args"])
    return promote_dtypes(tensor, updates) == tensor


@predicate
def axis_beyond_rank(record: Record) -> bool:
    """The second argument is an axis that the first has not."""
    return not axis_exists(record)


@predicate
def no_elements(record: Record) -> bool:
    """A tensor has no elements, but the result has."""
    results = [value for _, value in leaves(record.get("result", ())) if isinstance(value, np.ndarray)]
    return any(a.size == 0 for a in arrays(record)) and all(r.size for r in results)


@predicate
def bools_only(record: Record) -> bool:
    """All tensors are bool."""
    kinds = {a.dtype.kind for a in arrays(record)}
    return kinds == {"b"}


@predicate
def broadcasts(record: Record) -> bool:
    """Two tensors of integers or bools whose shapes fit each other."""
    a, b = arrays(record)
    return a.dtype.kind + b.dtype.kind in ("ii", "ib", "bi") and len(np.broadcast_shapes(a.shape, b.shape)) >= 0


@predicate
def nan_later_on(record: Record) -> bool:
    """Along the axis (default 0) the first NaN is not the first element."""
    x, axis = record["args"][0], (record["args"] + [0])[1]
    nan = np.isnan(np.moveaxis(np.asarray(x, np.float64), axis, 0))
    return bool(np.any(np.any(nan, axis=0) & ~nan[0]))


@predicate
def counts_in_spite_of_binary(record: Record) -> bool:
    """A result that was to be binary has other numbers than 0 and 1."""
    return record["args"][3:4] == [True] and not set(np.unique(record["result"])) <= {0.0, 1.0}


@predicate
def unsorted(record: Record) -> bool:
    """The largest elements were asked for in any order, and come in another than the descending one."""
    values = record["result"]["values"]
    return record["args"][2:3] == [False] and not np.array_equal(values, -np.sort(-values, axis=-1))


def _reduced_axes(record: Record) -> tuple[int, ...] | None:
    """The axes that a reduction of the first argument is asked for; None for all."""
    axis = (record["args"] + [None])[1]
    if axis is None or is_undefined(axis):
        return None
    return tuple(axis) if isinstance(axis, list) else (axis,)


@predicate
def tied_extremes(record: Record) -> bool:
    """Where the result is weighed, the largest or smallest element occurs more than once along the axes."""
    x, axes = record["args"][0], _reduced_axes(record)
    extreme = (np.max if record["op"] == "max" else np.min)(x, axis=axes, keepdims=True)
    count = np.sum(x == extreme, axis=axes, keepdims=True)
    return bool(np.any((count > 1) & (_weights(record).reshape(count.shape) != 0)))


@predicate
def infinite_sum(record: Record) -> bool:
    """Along the axes there is plus infinity, and no NaN."""
    x, axes = record["args"][0], _reduced_axes(record)
    return bool(np.any(np.any(np.isposinf(x), axis=axes) & ~np.any(np.isnan(x), axis=axes)))
