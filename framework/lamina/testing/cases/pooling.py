"""Cases of pooling, against loops over every window."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.testing.cases.conv import image, pads, pair, positions
from lamina.testing.cases.elementwise import NAN
from lamina.testing.inputs import distinct, empty, ints, non_contiguous, normal, values
from lamina.testing.table import case


def _windows(x: Any, window: Any, strides: Any, around: Any) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """For each output element its place, and the place in the padded image of the first largest of its window."""
    padded = image(x, around, -np.inf)
    rows, columns = positions(padded, window, strides)
    for n, i, j, c in itertools.product(range(x.shape[0]), range(rows), range(columns), range(x.shape[3])):
        top, left = i * strides[0], j * strides[1]
        patch = padded[n, top : top + window[0], left : left + window[1], c].ravel()
        nans = np.flatnonzero(np.isnan(patch))
        first = int(nans[0]) if nans.size else int(patch.argmax())
        yield (n, i, j, c), (n, top + first // window[1], left + first % window[1], c)


def max_pool2d(x: Any, window: Any = 2, strides: Any = None, padding: Any = "valid") -> Any:
    size = pair(window)
    steps = size if strides is None else pair(strides)
    around = pads(x, size, steps, padding)
    padded = image(x, around, -np.inf)
    y = np.zeros((x.shape[0], *positions(padded, size, steps), x.shape[3]))
    for place, source in _windows(x, size, steps, around):
        y[place] = padded[source]
    return y


def max_pool2d_gradient(dy: Any, x: Any, window: Any, strides: Any, pads: Any) -> Any:
    dx = image(np.zeros_like(x), pads)
    for place, source in _windows(x, window, strides, pads):
        dx[source] += dy[place]
    return dx[:, pads[0][0] : pads[0][0] + x.shape[1], pads[1][0] : pads[1][0] + x.shape[2]]


def max_pool2d_pick(v: Any, x: Any, window: Any, strides: Any, pads: Any) -> Any:
    padded = image(v, pads)
    picked = np.zeros((x.shape[0], *positions(padded, window, strides), x.shape[3]))
    for place, source in _windows(x, window, strides, pads):
        picked[place] = padded[source]
    return picked


for _window, _strides in ((2, None), ((2, 3), None), (3, 1), (2, 3), ((1, 2), (2, 1))):
    for _padding in ("valid", "same", ((0, 1), (1, 0))):
        case("max_pool2d", [distinct(2, 5, 6, 2)], window=_window, strides=_strides, padding=_padding,
             reference=max_pool2d, smooth=False)  # fmt: skip
case("max_pool2d", [distinct(1, 1, 1, 1)], window=1, reference=max_pool2d, smooth=False)
case("max_pool2d", [normal(1, 2, 2, 1)], window=3, reference=max_pool2d, gradient=False)
case("max_pool2d", [empty(0, 4, 4, 2)], reference=max_pool2d)
case("max_pool2d", [non_contiguous(2, 4, 4, 2)], reference=max_pool2d, smooth=False)
case("max_pool2d", [values([[[[1.0], [NAN]], [[2.0], [0.0]]]])], reference=max_pool2d, gradient=False)
case("max_pool2d", [normal(4, 4, 2)], raises=ShapeError)
case("max_pool2d", [normal(1, 4, 4, 2)], padding="full", raises=ArgumentError)
case("max_pool2d", [normal(1, 4, 4, 2)], window=0, raises=ArgumentError)
case("max_pool2d", [ints(1, 4, 4, 2)], raises=DTypeError)
_apart: Any = {"window": (2, 2), "strides": (2, 2), "pads": ((0, 0), (0, 0))}
_overlapping: Any = {"window": (3, 2), "strides": (1, 1), "pads": ((1, 1), (0, 1))}
for _settings, _rows, _columns in ((_apart, 2, 3), (_overlapping, 5, 6)):
    case("max_pool2d_gradient", [normal(2, _rows, _columns, 2), distinct(2, 5, 6, 2)], **_settings,
         reference=max_pool2d_gradient, smooth=False)  # fmt: skip
    case("max_pool2d_pick", [normal(2, 5, 6, 2), distinct(2, 5, 6, 2)], **_settings, reference=max_pool2d_pick,
         smooth=False)  # fmt: skip
_ties = values([[[[1.0], [1.0]], [[1.0], [0.0]]]])
case("max_pool2d_gradient", [normal(1, 1, 1, 1), _ties], **_apart, reference=max_pool2d_gradient, gradient=False)
case("max_pool2d_pick", [normal(1, 2, 2, 1), _ties], **_apart, reference=max_pool2d_pick, gradient=False)
