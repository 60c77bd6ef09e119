"""Cases of convolution, against loops over every output element."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.inputs import empty, ints, non_contiguous, normal
from lamina.testing.table import case


def pair(value: Any) -> tuple[int, int]:
    """One int or two as a pair."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def pads(x: Any, window: Any, strides: Any, padding: Any, dilations: Any = (1, 1)) -> list[tuple[int, int]]:
    """The zeros before and after height and width, by TensorFlow's rule."""
    if not isinstance(padding, str):
        return [tuple(p) for p in padding]
    found = []
    for size, reach, stride, spread in zip(x.shape[1:3], window, strides, dilations, strict=True):
        total = 0
        if padding == "same":
            positions = (size + stride - 1) // stride
            total = max(0, (positions - 1) * stride + (reach - 1) * spread + 1 - size)
        found.append((total // 2, total - total // 2))
    return found


def image(x: Any, around: Any, value: float = 0.0) -> Any:
    """An image with its border."""
    return np.pad(x, [(0, 0), *around, (0, 0)], constant_values=value)


def positions(x: Any, window: Any, strides: Any, dilations: Any = (1, 1)) -> tuple[int, int]:
    """How many places a window has in a padded image."""
    reach = [d * (w - 1) + 1 for w, d in zip(window, dilations, strict=True)]
    rows, columns = (max(0, (x.shape[1 + i] - reach[i]) // strides[i] + 1) for i in range(2))
    return rows, columns


def conv2d(x: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", dilations: Any = 1) -> Any:
    s, d = pair(strides), pair(dilations)
    padded = image(x, pads(x, kernel.shape[:2], s, padding, d))
    rows, columns = positions(padded, kernel.shape[:2], s, d)
    y = np.zeros((x.shape[0], rows, columns, kernel.shape[3]), x.dtype)
    for i, j in itertools.product(range(rows), range(columns)):
        for a, b in itertools.product(*map(range, kernel.shape[:2])):
            y[:, i, j] += padded[:, i * s[0] + a * d[0], j * s[1] + b * d[1]] @ kernel[a, b]
    return y


def conv2d_input_gradient(dy: Any, kernel: Any, size: Any, strides: Any, pads: Any, dilations: Any) -> Any:
    dx = image(np.zeros((dy.shape[0], *size, kernel.shape[2]), dy.dtype), pads)
    for i, j in itertools.product(*map(range, dy.shape[1:3])):
        for a, b in itertools.product(*map(range, kernel.shape[:2])):
            dx[:, i * strides[0] + a * dilations[0], j * strides[1] + b * dilations[1]] += dy[:, i, j] @ kernel[a, b].T
    return dx[:, pads[0][0] : pads[0][0] + size[0], pads[1][0] : pads[1][0] + size[1]]


def conv2d_kernel_gradient(x: Any, dy: Any, size: Any, strides: Any, pads: Any, dilations: Any) -> Any:
    padded = image(x, pads)
    dk = np.zeros((*size, x.shape[3], dy.shape[3]), x.dtype)
    for i, j in itertools.product(*map(range, dy.shape[1:3])):
        for a, b in itertools.product(*map(range, size)):
            place = padded[:, i * strides[0] + a * dilations[0], j * strides[1] + b * dilations[1]]
            dk[a, b] += place.T @ dy[:, i, j]
    return dk


for _padding in ("valid", "same", ((1, 0), (0, 2))):
    for _strides, _dilations in ((1, 1), (2, 1), ((1, 3), 1), (1, 2)):
        case("conv2d", [normal(2, 5, 6, 2), normal(3, 2, 2, 3)], strides=_strides, padding=_padding,
             dilations=_dilations, reference=conv2d)  # fmt: skip
case("conv2d", [normal(2, 4, 4, 2), normal(1, 1, 2, 3)], reference=conv2d)
case("conv2d", [normal(2, 4, 4, 2), normal(1, 1, 2, 3)], strides=2, reference=conv2d)
case("conv2d", [normal(1, 3, 3, 1), normal(2, 2, 1, 1)], padding=((3, 3), (3, 3)), reference=conv2d)
case("conv2d", [normal(1, 1, 1, 1), normal(1, 1, 1, 1)], reference=conv2d)
case("conv2d", [normal(1, 2, 2, 1), normal(3, 3, 1, 1)], reference=conv2d)
case("conv2d", [empty(0, 4, 4, 2), normal(2, 2, 2, 3)], reference=conv2d)
case("conv2d", [non_contiguous(2, 4, 4, 2), normal(2, 2, 2, 3)], reference=conv2d)
case("conv2d", [normal(2, 4, 4, 3), normal(2, 2, 2, 3)], raises=ShapeError)
case("conv2d", [normal(4, 4, 2), normal(2, 2, 2, 3)], raises=ShapeError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], padding="full", raises=ArgumentError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], strides=0, raises=ArgumentError)
case("conv2d", [normal(2, 4, 4, 2), normal(2, 2, 2, 3)], strides=1.5, raises=ArgumentTypeError)
case("conv2d", [ints(2, 4, 4, 2), ints(2, 2, 2, 3)], raises=DTypeError)
for _pads, _rows, _columns in ((((0, 0), (0, 0)), 3, 5), (((1, 1), (0, 1)), 5, 6), (((3, 2), (4, 4)), 8, 13)):
    _settings: Any = {"pads": _pads, "strides": (1, 1), "dilations": (1, 1)}
    case("conv2d_input_gradient", [normal(2, _rows, _columns, 3), normal(3, 2, 2, 3)], size=(5, 6), **_settings,
         reference=conv2d_input_gradient)  # fmt: skip
    case("conv2d_kernel_gradient", [normal(2, 5, 6, 2), normal(2, _rows, _columns, 3)], size=(3, 2), **_settings,
         reference=conv2d_kernel_gradient)  # fmt: skip
_settings = {"pads": ((0, 1), (1, 1)), "strides": (2, 3), "dilations": (1, 2)}
case("conv2d_input_gradient", [normal(2, 2, 2, 3), normal(3, 2, 2, 3)], size=(5, 6), **_settings,
     reference=conv2d_input_gradient)  # fmt: skip
case("conv2d_kernel_gradient", [normal(2, 5, 6, 2), normal(2, 2, 2, 3)], size=(3, 2), **_settings,
     reference=conv2d_kernel_gradient)  # fmt: skip
