"""Functions of Keras that a model calls between its layers, such as ``x + 3.0`` and ``keras.ops.mean(x)``.

A file names them and says what each call was given; only those of the table here are known, and run as lamina's ops.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final

from lamina import activations, ops
from lamina.errors import LaminaError, SerializationError, UnknownNameError
from lamina.io.checks import shown
from lamina.layers import Layer
from lamina.shapes import as_int
from lamina.structures import flatten
from lamina_keras.array_functions import ARRAY_FUNCTIONS

Function = Callable[..., Any]


def _number_of_axes(function: Function) -> Function:
    """A function over axes; ``initial`` and the like have to be left alone."""
    return lambda x, axis=None, keepdims=False, **other: function(_plain(x, other), axis=_axes(axis), keepdims=keepdims)


def _plain(x: Any, settings: Mapping[str, Any]) -> Any:
    given = [key for key, value in settings.items() if value is not None]
    if given:
        raise SerializationError(f"a function with {given[0]}={settings[given[0]]!r}.", expected="the usual settings.")
    return x


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _without_settings(function: Function) -> Function:
    return lambda *tensors, **other: function(*(_plain(x, other) for x in tensors))


def _index(x: Any, key: Any) -> Any:
    return ops.getitem(x, tuple(key) if isinstance(key, list) else key)


def _split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if isinstance(indices_or_sections, list):
        ends = [0, *indices_or_sections, x.shape[axis]]
        return list(ops.split(x, [b - a for a, b in itertools.pairwise(ends)], axis))
    return list(ops.split(x, indices_or_sections, axis))


def _best(function: Function) -> Function:
    """The place of the largest or smallest number, over one axis or over all."""

    def found(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        if axis is None:
            return function(ops.reshape(x, (-1,)), 0)
        return ops.expand_dims(function(x, axis), axis) if keepdims else function(x, axis)

    return found


def _swapped(x: Any, axis1: int, axis2: int) -> Any:
    order = list(range(len(x.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return ops.transpose(x, order)


def _taken(x: Any, indices: Any, axis: int | None = None) -> Any:
    return ops.gather(ops.reshape(x, (-1,)) if axis is None else x, indices, axis or 0)


def _moments(x: Any, axes: Any, keepdims: bool = False, **other: Any) -> Any:
    return list(ops.moments(_plain(x, {k: v for k, v in other.items() if v}), _axes(axes), keepdims))


def _gelu(x: Any, approximate: bool = True) -> Any:
    return activations.get("gelu")(x, approximate=approximate)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.norm(x, "euclidean" if ord is None else ord, _axes(axis), keepdims)


_AXES: Final[Mapping[str, Function]] = {
    "All": ops.all, "Any": ops.any, "Max": ops.max, "Mean": ops.mean, "Min": ops.min, "Prod": ops.prod,
    "Std": ops.std, "Sum": ops.sum, "Var": ops.variance,
}  # fmt: skip
_PLAIN: Final[Mapping[str, Function]] = {
    "Abs": ops.abs, "Absolute": ops.abs, "Add": ops.add, "Arctan": ops.arctan, "Ceil": ops.ceil, "Cos": ops.cos,
    "Divide": ops.divide, "Equal": ops.equal, "Exp": ops.exp, "Expm1": ops.expm1, "Floor": ops.floor,
    "FloorDivide": ops.floor_divide, "Greater": ops.greater, "GreaterEqual": ops.greater_equal, "Isnan": ops.isnan,
    "Less": ops.less, "LessEqual": ops.less_equal, "Log": ops.log, "Log1p": ops.log1p, "LogicalAnd": ops.logical_and,
    "LogicalNot": ops.logical_not, "LogicalOr": ops.logical_or, "Matmul": ops.matmul, "Maximum": ops.maximum,
    "Minimum": ops.minimum, "Mod": ops.mod, "Multiply": ops.multiply, "Negative": ops.negative,
    "NotEqual": ops.not_equal, "OnesLike": ops.ones_like, "Power": ops.power, "Reciprocal": ops.reciprocal,
    "Round": ops.round, "Sign": ops.sign, "Sin": ops.sin, "Sqrt": ops.sqrt, "Square": ops.square,
    "Subtract": ops.subtract, "Tan": ops.tan, "Tanh": ops.tanh, "TrueDivide": ops.divide, "Where": ops.where,
    "ZerosLike": ops.zeros_like,
}  # fmt: skip
_ACTIVATIONS: Final = {
    "Elu": "elu", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "LeakyRelu": "leaky_relu",
    "LogSigmoid": "log_sigmoid", "LogSoftmax": "log_softmax", "Relu": "relu", "Relu6": "relu6", "Selu": "selu",
    "Sigmoid": "sigmoid", "Silu": "silu", "Softmax": "softmax", "Softplus": "softplus", "Softsign": "softsign",
}  # fmt: skip

FUNCTIONS: Final[Mapping[str, Function]] = {
    **ARRAY_FUNCTIONS,
    **{f"numpy.{name}": _without_settings(function) for name, function in _PLAIN.items()},
    **{f"numpy.{name}": _number_of_axes(function) for name, function in _AXES.items()},
    **{f"nn.{name}": activations.get(function) for name, function in _ACTIVATIONS.items()},
    "core.Cast": lambda x, dtype: ops.cast(x, dtype),
    "core.Unstack": lambda x, num=None, axis=0: list(ops.unstack(x, axis)),
    "linalg.Norm": _norm,
    "math.Erf": _without_settings(ops.erf),
    "math.Logsumexp": _number_of_axes(ops.logsumexp),
    "math.Rsqrt": _without_settings(ops.rsqrt),
    "nn.Gelu": _gelu,
    "nn.Moments": _moments,
    "numpy.Argmax": _best(ops.argmax),
    "numpy.Argmin": _best(ops.argmin),
    "numpy.BroadcastTo": lambda x, shape: ops.broadcast_to(x, shape),
    "numpy.Clip": lambda x, x_min, x_max: ops.clip(x, x_min, x_max),
    "numpy.Concatenate": lambda tensors, axis=0: ops.concatenate(tensors, axis),
    "numpy.Einsum": lambda *tensors, subscripts: ops.einsum(subscripts, *tensors),
    "numpy.ExpandDims": lambda x, axis: ops.expand_dims(x, axis),
    "numpy.Flip": lambda x, axis=None: ops.flip(x, _axes(axis)),
    "numpy.GetItem": _index,
    "numpy.Reshape": lambda x, newshape: ops.reshape(x, [-1 if size is None else size for size in newshape]),
    "numpy.Split": _split,
    "numpy.Squeeze": lambda x, axis=None: ops.squeeze(x, _axes(axis)),
    "numpy.Stack": lambda tensors, axis=0: ops.stack(tensors, axis),
    "numpy.Swapaxes": _swapped,
    "numpy.Take": _taken,
    "numpy.Tile": lambda x, repeats: ops.tile(x, repeats),
    "numpy.Transpose": lambda x, axes=None: ops.transpose(x, axes),
}
"""The functions by the module and class that Keras's files name: the tensors and settings of Keras to lamina's ops."""


def _near(name: str) -> list[str]:
    return difflib.get_close_matches(name, FUNCTIONS, 3, 0.0)


class KerasFunction(Layer):
    """A function of Keras between the layers of a model that Keras saved, on one tensor or a list of them.

    ``function`` is a name such as "numpy.Add". ``arguments`` and ``keywords`` are those of the call, as JSON:
    ``{"tensor": i}`` stands for a tensor, ``{"slice": [...]}``, ``{"ellipsis": true}`` and ``{"constant": ...}`` for
    what they say. ``settings`` are those of the function. Raises UnknownNameError for a function that is not known.

    >>> KerasFunction("numpy.Add", [{"tensor": 0}, 3.0])(ops.ones((2,))).tolist()
    [4.0, 4.0]
    """

    autocast = False

    def __init__(
        self,
        function: str,
        arguments: Any,
        keywords: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        if function not in FUNCTIONS:
            raise UnknownNameError(
                f"the model calls the function {shown(function)} of Keras between its layers, which is not known.",
                expected=f"one of {len(FUNCTIONS)}, such as {', '.join(_near(str(function)))}.",
                fix="put it into a layer of your own, and save the model again.",
            )
        self.function = function
        self.arguments: list[Any] = list(arguments)
        self.keywords: dict[str, Any] = dict(keywords or {})
        self.settings: dict[str, Any] = dict(settings or {})

    def call(self, inputs: Any) -> Any:
        tensors = flatten(inputs)
        arguments = [_value(x, tensors) for x in self.arguments]
        keywords = {key: _value(x, tensors) for key, x in self.keywords.items()}
        try:
            return FUNCTIONS[self.function](*arguments, **keywords, **self.settings)
        except LaminaError:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise SerializationError(f"the function {self.function!r} does not take {shown(self.settings)}.") from error


def _value(given: Any, tensors: list[Any]) -> Any:
    """What a part of ``arguments`` stands for."""
    if isinstance(given, list):
        return [_value(x, tensors) for x in given]
    if not isinstance(given, Mapping):
        return given
    if "tensor" in given:
        return tensors[as_int(given["tensor"], "a tensor's number", minimum=0, maximum=len(tensors) - 1)]
    if "slice" in given:
        return slice(*given["slice"])
    return ops.tensor(given["constant"], dtype=given["dtype"]) if "constant" in given else ...
