"""How each primitive op is written as calls of TensorFlow.js; an op that is not here has no form there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from lamina.errors import SerializationError
from lamina.models.exporting.javascript.sizes import Size
from lamina.models.exporting.javascript.text import dtype_text, literal
from lamina.shapes import Spec


class Call(NamedTuple):
    """One call of an op: what its inputs are named, their specs and those of its results, with Sizes in shapes."""

    op: str
    inputs: list[str]
    specs: list[Spec]
    results: list[Spec]
    settings: dict[str, Any]


Writer = Callable[[Call], str]

_WRITERS: dict[str, Writer] = {}


def written(call: Call) -> str:
    """The expression for a call; of an op with several results, an array of them.

    Raises SerializationError if TensorFlow.js has nothing of this meaning.
    """
    if call.op in _PLAIN:
        return f"tf.{_PLAIN[call.op]}({', '.join(call.inputs)})"
    if call.op not in _WRITERS:
        raise SerializationError(f"TensorFlow.js has nothing that stands for the op {call.op!r}.")
    return _WRITERS[call.op](call)


def changes_nothing(call: Call) -> bool:
    """Whether the result of a call is its input."""
    if call.op == "cast":
        return dtype_text(call.specs[0].dtype) == dtype_text(call.settings["dtype"])
    if call.op == "transpose":
        return bool(call.settings["axes"] == tuple(range(len(call.specs[0].shape))))
    if call.op in ("reshape", "broadcast_to"):
        return call.specs[0].shape == call.results[0].shape
    return call.op == "identity"


_SAME: Final = (
    "abs", "add", "ceil", "cos", "cosh", "equal", "erf", "exp", "expm1", "floor", "greater", "less", "log", "log1p",
    "maximum", "minimum", "mod", "reciprocal", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "square", "tan", "tanh", "where",
)  # fmt: skip
_PLAIN: Final = {
    **dict(zip(_SAME, _SAME, strict=True)),
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctanh": "atanh",
    "arctan2": "atan2", "isfinite": "isFinite", "isinf": "isInf", "isnan": "isNaN", "negative": "neg",
    "logical_not": "logicalNot", "logical_and": "logicalAnd", "logical_or": "logicalOr", "logical_xor": "logicalXor",
    "subtract": "sub", "multiply": "mul", "divide": "div", "floor_divide": "floorDiv", "power": "pow",
    "real": "real", "imag": "imag", "complex": "complex", "fft": "spectral.fft", "ifft": "spectral.ifft",
    "not_equal": "notEqual", "less_equal": "lessEqual", "greater_equal": "greaterEqual",
}  # fmt: skip


LOOPS: Final = frozenset({"gru", "masked_gru", "lstm", "masked_lstm"})
"""Composites that loop over the steps of a sequence, of which there may be any number."""


def _writer(*names: str) -> Callable[[Writer], Writer]:
    def add(function: Writer) -> Writer:
        _WRITERS.update(dict.fromkeys(names, function))
        return function

    return add


def _axes(axis: Any) -> str:
    return literal(list(axis) if isinstance(axis, tuple) else axis)


@_writer("sum", "mean", "prod", "max", "min", "all", "any")
def _(call: Call) -> str:
    return f"tf.{call.op}({call.inputs[0]}, {_axes(call.settings['axis'])}, {literal(call.settings['keepdims'])})"


@_writer("argmax", "argmin")
def _(call: Call) -> str:
    return f"tf.{'argMax' if call.op == 'argmax' else 'argMin'}({call.inputs[0]}, {call.settings['axis']})"


@_writer("softmax", "log_softmax")
def _(call: Call) -> str:
    name = "softmax" if call.op == "softmax" else "logSoftmax"
    x, ndim = call.inputs[0], len(call.specs[0].shape)
    axis = call.settings["axis"] % ndim
    if axis == ndim - 1:
        return f"tf.{name}({x})"
    order = literal([a if a not in (axis, ndim - 1) else axis + ndim - 1 - a for a in range(ndim)])
    return f"tf.transpose(tf.{name}(tf.transpose({x}, {order})), {order})"


@_writer("matmul")
def _(call: Call) -> str:
    (a, b), (first, second) = call.inputs, call.specs
    if len(first.shape) < 2 or len(second.shape) < 2:
        a = a if len(first.shape) > 1 else f"tf.expandDims({a}, 0)"
        b = b if len(second.shape) > 1 else f"tf.expandDims({b}, 1)"
        return f"tf.reshape(tf.matMul({a}, {b}{_turns(call)}), {literal(call.results[0].shape)})"
    return f"tf.matMul({a}, {b}{_turns(call)})"


def _turns(call: Call) -> str:
    flags = [call.settings["transpose_a"], call.settings["transpose_b"]]
    return "".join(f", {literal(f)}" for f in flags) if any(flags) else ""


@_writer("concat")
def _(call: Call) -> str:
    return f"tf.concat([{', '.join(call.inputs)}], {call.settings['axis']})"


@_writer("reshape", "broadcast_to")
def _(call: Call) -> str:
    name = "reshape" if call.op == "reshape" else "broadcastTo"
    return f"tf.{name}({call.inputs[0]}, {literal(call.results[0].shape)})"


@_writer("transpose")
def _(call: Call) -> str:
    axes = call.settings["axes"]
    return f"tf.transpose({call.inputs[0]}{'' if axes is None else ', ' + literal(axes)})"


@_writer("pad")
def _(call: Call) -> str:
    value = call.settings["constant_value"]
    return f"tf.pad({call.inputs[0]}, {literal(call.settings['paddings'])}{f', {literal(value)}' if value else ''})"


@_writer("cast")
def _(call: Call) -> str:
    x, wanted = call.inputs[0], dtype_text(call.settings["dtype"])
    if call.specs[0].dtype == "bool":
        x = f"tf.where({x}, 1, 0)"  # its CPU backend keeps bytes in what is cast from bool
        return x if wanted == '"float32"' else f"tf.cast({x}, {wanted})"
    return f"tf.cast({x}, {wanted})"


@_writer("take")
def _(call: Call) -> str:
    return f"tf.gather({call.inputs[0]}, {call.inputs[1]}, {call.settings['axis']})"


@_writer("cumsum")
def _(call: Call) -> str:
    settings = ", ".join(literal(call.settings[name]) for name in ("axis", "exclusive", "reverse"))
    return f"tf.cumsum({call.inputs[0]}, {settings})"


@_writer("flip")
def _(call: Call) -> str:
    axis = call.settings["axis"]
    return f"tf.reverse({call.inputs[0]}{'' if axis is None else ', ' + _axes(axis)})"


@_writer("split")
def _(call: Call) -> str:
    return f"tf.split({call.inputs[0]}, {literal(call.settings['sizes'])}, {call.settings['axis']})"


@_writer("constant")
def _(call: Call) -> str:
    result, value = call.results[0], call.settings["fill_value"]
    return f"tf.fill({literal(result.shape)}, {literal(value)}, {dtype_text(result.dtype)})"


@_writer("progression")
def _(call: Call) -> str:
    start, stop, step = (literal(call.settings[name]) for name in ("start", "stop", "step"))
    return f"tf.range({start}, {stop}, {step}, {dtype_text(call.results[0].dtype)})"


@_writer("linspace")
def _(call: Call) -> str:
    return "tf.linspace({}, {}, {})".format(*(literal(call.settings[name]) for name in ("start", "stop", "num")))


@_writer("identity_matrix")
def _(call: Call) -> str:
    rows, columns = call.results[0].shape
    return f"tf.cast(tf.eye({literal(rows)}, {literal(columns)}), {dtype_text(call.results[0].dtype)})"


@_writer("searchsorted")
def _(call: Call) -> str:
    if len(call.specs[0].shape) > 1:
        raise SerializationError("it searches in several sequences.")
    side, shape = literal(call.settings["side"]), literal(call.results[0].shape)
    return f"tf.reshape(tf.searchSorted({call.inputs[0]}, tf.reshape({call.inputs[1]}, [-1]), {side}), {shape})"


@_writer("basic_index")
def _(call: Call) -> str:
    key = [k for k in call.settings["key"] if k is not None]
    ranges = [(k, _next(k), 1) if isinstance(k, (int, Size)) else k for k in key]
    if any(isinstance(step, Size) or step < 0 for _, _, step in ranges):
        raise SerializationError("it indexes with a negative step.", fix="use flip.")
    begin, end, steps = (literal([r[i] for r in ranges]) for i in range(3))
    whole = all(r[0] == 0 and r[1] == size and r[2] == 1 for r, size in zip(ranges, call.specs[0].shape, strict=True))
    if all(r[2] == 1 for r in ranges):  # the other has no gradient in TensorFlow.js
        cut = f"tf.slice({call.inputs[0]}, {begin}, {literal([_extent(r[0], r[1]) for r in ranges])})"
    else:
        cut = f"tf.stridedSlice({call.inputs[0]}, {begin}, {end}, {steps})"
    x = call.inputs[0] if whole else cut
    plain = len(key) == len(call.settings["key"]) and not any(isinstance(k, (int, Size)) for k in key)
    return x if plain and not whole else f"tf.reshape({x}, {literal(call.results[0].shape)})"


def _extent(begin: Any, end: Any) -> Any:
    """How many elements lie between two places."""
    if isinstance(begin, Size) or isinstance(end, Size):
        return Size(f"({end}) - ({begin})")
    return end - begin


def _next(index: Any) -> Any:
    return Size(f"({index}) + 1") if isinstance(index, Size) else index + 1


@_writer("rfft")
def _(call: Call) -> str:
    return f"tf.spectral.rfft({call.inputs[0]}, {literal(call.settings['fft_length'])})"


@_writer("convolution")
def _(call: Call) -> str:
    names = ("strides", "pads", "dilations", "groups")
    return f"ops.convolution({', '.join(call.inputs)}, {', '.join(literal(call.settings[name]) for name in names)})"


@_writer("convolution_input_gradient")
def _(call: Call) -> str:
    names = ("size", "strides", "pads", "dilations", "groups")
    return f"ops.transposed({', '.join(call.inputs)}, {', '.join(literal(call.settings[name]) for name in names)})"


@_writer("gru", "masked_gru")
def _(call: Call) -> str:
    return f"ops.gru({', '.join([literal(call.settings['reset_after']), *call.inputs])})"


@_writer("lstm", "masked_lstm")
def _(call: Call) -> str:
    return f"ops.lstm({', '.join(call.inputs)})"


@_writer("window_max", "window_mean")
def _(call: Call) -> str:
    kind = literal(call.op.removeprefix("window_"))
    names = ("window", "strides", "pads", "dilations")
    return f"ops.pooled({kind}, {call.inputs[0]}, {', '.join(literal(call.settings[name]) for name in names)})"
