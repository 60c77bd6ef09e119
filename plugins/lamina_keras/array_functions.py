"""Further functions of Keras on arrays, in lamina's ops: padded, repeated, sorted, encoded, pooled, normalized.

Each takes tensors first and then the settings that Keras's files hold, under their names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from lamina import activations, layers, ops
from lamina.errors import SerializationError
from lamina.shapes import as_int

Function = Callable[..., Any]


def _flat(function: Function) -> Function:
    """A function along one axis; None stands for that of all numbers in a row."""

    def along(x: Any, *others: Any, axis: int | None = None, **settings: Any) -> Any:
        if axis is None:
            return function(ops.reshape(x, (-1,)), *others, axis=0, **settings)
        return function(
            x,
            *others,
            axis=as_int(axis, "axis", minimum=-len(x.shape), maximum=len(x.shape) - 1) % len(x.shape),
            **settings,
        )

    return along


def _moved(x: Any, source: Any, destination: Any) -> Any:
    """Axes at other places, those left in their order."""
    axes = [a % len(x.shape) for a in _listed(source)]
    places = dict(sorted(zip((d % len(x.shape) for d in _listed(destination)), axes, strict=True)))
    order = [a for a in range(len(x.shape)) if a not in axes]
    for place, axis in places.items():
        order.insert(place, axis)
    return ops.transpose(x, order)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _padded(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    count = len(x.shape)
    widths = _listed(pad_width)
    if all(isinstance(w, int) for w in widths):
        widths = [widths * (2 if len(widths) == 1 else 1)]
    widths = [list(w) for w in (widths * count if len(widths) == 1 else widths)]
    if mode == "constant":
        return ops.pad(x, widths, 0 if constant_values is None else constant_values)
    if mode not in ("reflect", "symmetric"):
        raise SerializationError(f"a tensor is padded by {mode!r}.", expected="'constant', 'reflect' or 'symmetric'.")
    return ops.mirror_pad(x, widths, mode)


def _repeated(x: Any, repeats: Any, axis: int) -> Any:
    if isinstance(repeats, list) and len(repeats) > 1:
        raise SerializationError(f"a tensor is repeated {repeats} times.", expected="a number for all of its entries.")
    times, apart = _listed(repeats)[0], ops.expand_dims(x, axis + 1)
    together = ops.tile(apart, [times if a == axis + 1 else 1 for a in range(len(apart.shape))])
    return ops.reshape(together, (*x.shape[:axis], x.shape[axis] * times, *x.shape[axis + 1 :]))


def _part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return ops.getitem(x, (*(slice(None),) * axis, slice(start, stop)))


def _rolled(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return ops.reshape(_rolled(ops.reshape(x, (-1,)), shift, 0), x.shape)
    for steps, along in zip(_listed(shift), _listed(axis), strict=True):
        place = along % len(x.shape)
        cut = -steps % x.shape[place]
        x = ops.concatenate([_part(x, place, cut, None), _part(x, place, None, cut)], place)
    return x


def _sorted(x: Any, axis: int) -> Any:
    last = _moved(x, axis, -1)
    return _moved(ops.flip(ops.top_k(last, last.shape[-1])[0], -1), -1, axis)


def _differences(x: Any, n: int = 1, axis: int = -1) -> Any:
    place = axis % len(x.shape)
    for _ in range(as_int(n, "n", minimum=0, maximum=x.shape[place])):
        x = ops.subtract(_part(x, place, 1, None), _part(x, place, None, -1))
    return x


def _averaged(x: Any, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return ops.mean(x, axis=axis)
    if len(weights.shape) < len(x.shape):
        weights = ops.reshape(weights, [-1 if a == axis % len(x.shape) else 1 for a in range(len(x.shape))])
    return ops.divide(ops.sum(ops.multiply(x, weights), axis), ops.sum(ops.multiply(ops.ones_like(x), weights), axis))


def _taken_along(x: Any, indices: Any, axis: int) -> Any:
    chosen = ops.gather(_moved(x, axis, -1), _moved(indices, axis, -1), -1, len(x.shape) - 1)
    return _moved(chosen, -1, axis)


def _contracted(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes."""
    first, second = len(x1.shape), len(x2.shape)
    given = axes if isinstance(axes, list) else [list(range(first - axes, first)), list(range(axes))]
    names = [chr(97 + i) for i in range(first + second)]
    for a, b in zip(_listed(given[0]), _listed(given[1]), strict=True):
        names[first + b % second] = names[a % first]
    kept = [n for n in names if names.count(n) == 1]
    return ops.einsum(f"{''.join(names[:first])},{''.join(names[first:])}->{''.join(kept)}", x1, x2)


def _triangle(above: bool) -> Function:
    def kept(x: Any, k: int = 0) -> Any:
        lower = np.tri(x.shape[-2], x.shape[-1], k - above, dtype=bool)
        return ops.where(lower != above, x, ops.zeros_like(x))

    return kept


def _diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    last = _moved(x, [axis1, axis2], [-2, -1])
    rows, columns = last.shape[-2:]
    places = np.flatnonzero(np.eye(rows, columns, offset))
    return ops.gather(ops.reshape(last, (*last.shape[:-2], rows * columns)), places.astype(np.int32), -1)


def _turned(x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    first, second = axes
    order = list(range(len(x.shape)))
    order[first], order[second] = order[second], order[first]
    for _ in range(k % 4):
        x = ops.flip(ops.transpose(x, order), first)
    return x


def _median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    count = len(x.shape)
    axes = list(range(count)) if axis is None else [a % count for a in _listed(axis)]
    shape = [1 if a in axes else size for a, size in enumerate(x.shape)]
    last = _moved(x, axes, list(range(count - len(axes), count)))
    last = _sorted(ops.reshape(last, (*last.shape[: count - len(axes)], -1)), -1)
    size = last.shape[-1]
    middle = ops.mean(_part(last, len(last.shape) - 1, (size - 1) // 2, size // 2 + 1), -1)
    return ops.reshape(middle, shape) if keepdims else middle


def _close(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    most = ops.add(atol, ops.multiply(rtol, ops.abs(x2)))
    near = ops.logical_and(ops.less_equal(ops.abs(ops.subtract(x1, x2)), most), ops.isfinite(x2))
    same = ops.logical_or(near, ops.equal(x1, x2))
    return ops.logical_or(same, ops.logical_and(ops.isnan(x1), ops.isnan(x2))) if equal_nan else same


def _stacked(axis: int) -> Function:
    def stacked(xs: Sequence[Any]) -> Any:
        if len(xs[0].shape) > 1:
            return ops.concatenate(xs, axis)
        return ops.stack(xs, 0) if axis == 0 else ops.concatenate(xs, 0)

    return stacked


def _one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    if sparse:
        raise SerializationError("one-hot vectors are sparse.", expected="dense ones.")
    return _moved(ops.one_hot(x, num_classes, dtype=dtype or "float32"), -1, axis)


def _multi_hot(inputs: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    return ops.max(_one_hot(inputs, num_classes, axis, dtype, sparse), 1 if len(inputs.shape) > 1 else 0)


def _pooled(largest: bool) -> Function:
    functions = (
        (ops.max_pool1d, ops.max_pool, ops.max_pool3d) if largest else (ops.avg_pool1d, ops.avg_pool, ops.avg_pool3d)
    )

    def pooled(x: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> Any:
        size = pool_size[0] if isinstance(pool_size, list) and len(pool_size) == 1 else pool_size
        step = strides[0] if isinstance(strides, list) and len(strides) == 1 else strides
        function: Function = functions[len(x.shape) - 3]
        return function(x, size, size if step is None else step, padding, data_format=data_format or "channels_last")

    return pooled


def _normalized(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    axis, least = tuple(_listed(axis)), 1e-7 if epsilon is None else epsilon
    if order == 2:
        squares = ops.sum(ops.square(x), axis, keepdims=True)
        return ops.multiply(x, ops.rsqrt(ops.maximum(squares, least**2)))
    return ops.divide(x, ops.maximum(ops.norm(x, order, axis[0] if len(axis) == 1 else axis, True), least))


def _layer_normalized(x: Any, gamma: Any = None, beta: Any = None, *, axis: Any = -1, **settings: Any) -> Any:
    least = settings.get("epsilon")
    mean, variance = ops.moments(x, tuple(_listed(axis)), keepdims=True)
    scale = ops.rsqrt(ops.add(variance, 1e-7 if least is None else least))
    if settings.get("rms_scaling"):
        return ops.multiply(x, scale if gamma is None else ops.multiply(scale, gamma))
    y = ops.multiply(ops.subtract(x, mean), scale)
    y = y if gamma is None else ops.multiply(y, gamma)
    return y if beta is None else ops.add(y, beta)


def _root_mean_square(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    squares = ops.mean(ops.square(x), tuple(_listed(axis)), keepdims=True)
    y = ops.multiply(x, ops.rsqrt(ops.add(squares, 1e-7 if epsilon is None else epsilon)))
    return y if scale is None else ops.multiply(y, scale)


def _resized(images: Any, size: Sequence[int], **settings: Any) -> Any:
    height, width = size
    return layers.Resizing(height, width, **settings)(images)


def _finite(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    largest = float(np.finfo(str(x.dtype)).max)
    x = ops.where(ops.isnan(x), nan, x)
    high, low = largest if posinf is None else posinf, -largest if neginf is None else neginf
    return ops.where(ops.equal(x, math.inf), high, ops.where(ops.equal(x, -math.inf), low, x))


def _grey(images: Any, data_format: str | None = None) -> Any:
    axis = -3 if data_format == "channels_first" else -1
    shares = ops.reshape(ops.tensor([0.2989, 0.587, 0.114], dtype=images.dtype), (3,) + (1,) * (-1 - axis))
    return ops.sum(ops.multiply(images, shares), axis, keepdims=True)


def _product(x1: Any, x2: Any) -> Any:
    if max(len(x1.shape), len(x2.shape)) > 2:
        raise SerializationError("the function Dot of tensors with more than two axes.", expected="Matmul.")
    return ops.dot(x1, x2) if x1.shape and x2.shape else ops.multiply(x1, x2)


def _converted(x: Any, dtype: Any = None, **_settings: Any) -> Any:
    return ops.identity(x) if dtype is None else ops.cast(x, dtype)


_ACTIVATIONS: Final = {
    "Celu": "celu", "Glu": "glu", "HardShrink": "hard_shrink", "HardTanh": "hard_tanh", "SoftShrink": "soft_shrink",
    "SparsePlus": "sparse_plus", "SparseSigmoid": "sparse_sigmoid", "Sparsemax": "sparsemax",
    "Squareplus": "squareplus", "TanhShrink": "tanh_shrink", "Threshold": "threshold",
}  # fmt: skip
_SAME: Final = (
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan2", "arctanh", "cosh", "isfinite", "isinf", "logical_xor", "sinh",
)  # fmt: skip

ARRAY_FUNCTIONS: Final[Mapping[str, Function]] = {
    **{f"nn.{name}": activations.get(function) for name, function in _ACTIVATIONS.items()},
    **{f"numpy.{''.join(w.title() for w in name.split('_'))}": getattr(ops, name) for name in _SAME},
    "core.ConvertToTensor": _converted,
    "core.Slice": lambda inputs, start_indices, shape: ops.slice(inputs, start_indices, shape),
    "core.StopGradient": ops.stop_gradient,
    "image.RGBToGrayscale": _grey,
    "image.Resize": _resized,
    "math.Erfc": lambda x: ops.subtract(1.0, ops.erf(x)),
    "math.InTopK": lambda targets, predictions, k: ops.in_top_k(predictions, targets, k),
    "math.TopK": lambda x, k, sorted=True: list(ops.top_k(x, k, sorted)),
    "nn.AveragePool": _pooled(largest=False),
    "nn.DepthToSpace": ops.depth_to_space,
    "nn.LayerNorm": _layer_normalized,
    "nn.MaxPool": _pooled(largest=True),
    "nn.MultiHot": _multi_hot,
    "nn.Normalize": _normalized,
    "nn.OneHot": _one_hot,
    "nn.RMSNorm": _root_mean_square,
    "nn.SpaceToDepth": ops.space_to_depth,
    "numpy.Amax": lambda x, axis=None, keepdims=False: ops.max(x, axis, keepdims),
    "numpy.Amin": lambda x, axis=None, keepdims=False: ops.min(x, axis, keepdims),
    "numpy.Append": lambda x1, x2, axis=None: (
        ops.concatenate([ops.reshape(x, (-1,)) for x in (x1, x2)] if axis is None else [x1, x2], axis or 0)
    ),
    "numpy.Argsort": _flat(ops.argsort),
    "numpy.Average": _averaged,
    "numpy.Cbrt": lambda x: ops.multiply(ops.sign(x), ops.power(ops.abs(x), 1.0 / 3.0)),
    "numpy.Copy": ops.identity,
    "numpy.CountNonzero": lambda x, axis=None: ops.sum(ops.cast(ops.not_equal(x, 0), "int32"), axis),
    "numpy.Cumprod": _flat(lambda x, axis, dtype=None: ops.cumprod(_converted(x, dtype), axis)),
    "numpy.Cumsum": _flat(lambda x, axis, dtype=None: ops.cumsum(_converted(x, dtype), axis)),
    "numpy.Deg2rad": lambda x: ops.multiply(x, math.pi / 180.0),
    "numpy.Diagonal": _diagonal,
    "numpy.Diff": _differences,
    "numpy.DivideNoNan": ops.divide_no_nan,
    "numpy.Dot": _product,
    "numpy.Exp2": lambda x: ops.power(2.0, x),
    "numpy.FullLike": lambda x, fill_value, dtype=None: _converted(ops.full_like(x, fill_value), dtype),
    "numpy.Hstack": _stacked(1),
    "numpy.Hypot": lambda x1, x2: ops.sqrt(ops.add(ops.square(x1), ops.square(x2))),
    "numpy.Isclose": _close,
    "numpy.Log10": lambda x: ops.divide(ops.log(x), math.log(10.0)),
    "numpy.Log2": lambda x: ops.divide(ops.log(x), math.log(2.0)),
    "numpy.Logaddexp": lambda x1, x2: ops.logsumexp(ops.stack([x1, x2], 0), 0),
    "numpy.Median": _median,
    "numpy.Moveaxis": _moved,
    "numpy.NanToNum": _finite,
    "numpy.Outer": lambda x1, x2: ops.multiply(ops.reshape(x1, (-1, 1)), ops.reshape(x2, (1, -1))),
    "numpy.Pad": _padded,
    "numpy.Rad2deg": lambda x: ops.multiply(x, 180.0 / math.pi),
    "numpy.Ravel": lambda x: ops.reshape(x, (-1,)),
    "numpy.Repeat": _flat(_repeated),
    "numpy.Roll": _rolled,
    "numpy.Rot90": _turned,
    "numpy.Sort": _flat(_sorted),
    "numpy.TakeAlongAxis": _flat(_taken_along),
    "numpy.Tensordot": _contracted,
    "numpy.Trace": lambda x, **settings: ops.sum(_diagonal(x, **settings), -1),
    "numpy.Tril": _triangle(above=False),
    "numpy.Triu": _triangle(above=True),
    "numpy.Trunc": lambda x: ops.where(ops.less(x, 0), ops.ceil(x), ops.floor(x)),
    "numpy.Vstack": _stacked(0),
}  # fmt: skip
"""The functions by the module and class that Keras's files name."""
