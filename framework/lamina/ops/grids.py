"""Ops that spread values over more axes: grids, diagonals, and the shape that two shapes broadcast to."""

from __future__ import annotations

import math

import numpy as np

from lamina.dtypes import ARITHMETIC, INTEGER
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.ops.indexing import basic_index
from lamina.ops.shaping import broadcast_to, flatten, pad, reshape
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, broadcast_shapes


def meshgrid(*tensors: TensorLike, indexing: str = "xy") -> tuple[Tensor, ...]:
    """A grid of coordinates out of one tensor for each axis: the results all have one axis for each tensor. As NumPy.

    Tensors are flattened, and each keeps its dtype. With ``indexing`` "ij" result i varies along axis i; with "xy" the
    first two axes change places, as in plots. Raises ArgumentError for another indexing.

    >>> x, y = meshgrid([1, 2, 3], [4, 5])
    >>> x.tolist(), y.tolist()
    ([[1, 2, 3], [1, 2, 3]], [[4, 4, 4], [5, 5, 5]])
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing is {indexing!r}.", expected="'xy' or 'ij'.")
    lines = [flatten(t) for t in tensors]
    axes = list(range(len(lines)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    shape = tuple(lines[axis].size for axis in axes)  # the swap is its own inverse
    single = [tuple(-1 if a == axis else 1 for a in range(len(lines))) for axis in axes]
    return tuple(broadcast_to(_along(line, s), shape) for line, s in zip(lines, single, strict=True))


def _along(line: Tensor, shape: tuple[int, ...]) -> Tensor:
    return reshape(line, tuple(line.size if s == -1 else s for s in shape))


@composite_op(result=lambda x: Spec(x.shape * 2, x.dtype), dtypes=ARITHMETIC)
def diag(x: TensorLike) -> Tensor:
    """x on the diagonal of a tensor of zeros with twice its axes: y[i, ..., i, ...] = x[i, ...]. As TensorFlow.

    Unlike ``numpy.diag``, which takes the diagonal out of a matrix.

    >>> diag([1, 2]).tolist()
    [[1, 0], [0, 2]]
    """
    count = math.prod(x.shape)
    rows = pad(reshape(x, (count, 1)), [(0, 0), (0, count)])  # each row one longer: the columns move by one
    places = basic_index(reshape(rows, (count * (count + 1),)), ((0, count * count, 1),))
    return reshape(places, x.shape * 2)


def broadcast_args(s0: TensorLike, s1: TensorLike) -> Tensor:
    """The shape, as an integer tensor, that tensors of the shapes s0 and s1 broadcast to. As TensorFlow.

    Needs the values: it cannot be part of a recorded step. Raises ShapeError if they do not broadcast.

    >>> broadcast_args([2, 1], [3]).tolist()
    [2, 3]
    """
    shapes = [_sizes(s0, "s0"), _sizes(s1, "s1")]
    return to_tensor(np.array(broadcast_shapes("broadcast_args", ("s0", "s1"), shapes), np.int32))


def _sizes(given: TensorLike, name: str) -> tuple[int, ...]:
    sizes = to_tensor(given)
    if sizes.ndim != 1 or (sizes.size and sizes.dtype not in INTEGER):
        raise ArgumentTypeError(
            f"broadcast_args: {name} is {sizes.dtype} of shape {sizes.shape}.", expected="a list of integers."
        )
    return tuple(int(size) for size in sizes.tolist())
