"""Cases of pooling, against loops over every window."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.cases.elementwise import NAN
from lamina.testing.inputs import bools, distinct, empty, ints, non_contiguous, normal, values
from lamina.testing.table import case

Windows = dict[str, Any]


def _rounded(value: float, mode: str) -> int:
    return int(np.floor(value + {"floor": 0.0, "round": 0.5, "ceil": 0.999999}[mode]))


def windows(
    sizes: Any, window: Any, strides: Any, padding: Any, dilations: Any = 1, dim_rounding_mode: str | None = None
) -> Windows:
    """The settings of a call as those of the primitives, by TensorFlow's rules."""
    each = [
        [value] * len(sizes) if isinstance(value, int) else list(value)
        for value in (window, window if strides is None else strides, dilations)
    ]
    pads = [] if isinstance(padding, str) else [(padding, padding)] * len(sizes)
    pads = list(padding) if isinstance(padding, tuple) else pads
    for i, (size, reach, stride, spread) in enumerate(zip(sizes, *each, strict=True)):
        full = (reach - 1) * spread + 1
        if isinstance(padding, str):
            total = max(0, (-(-size // stride) - 1) * stride + full - size) if padding == "same" else 0
            pads.append((total // 2, total - total // 2))
        elif dim_rounding_mode:
            before, after = pads[i]
            count = _rounded((size + before + after - full) / stride, dim_rounding_mode) + 1
            pads[i] = (before, max(after, (count - 1) * stride + full - size - before))
    return {"window": each[0], "strides": each[1], "pads": pads, "dilations": each[2]}


def patches(x: Any, *, window: Any, strides: Any, pads: Any, dilations: Any) -> Iterator[tuple[Any, Any]]:
    """For each output element its place, and the places of its window's elements in x that are not padding."""
    counts = [
        max(0, (size + sum(pad) - (w - 1) * d - 1) // s + 1)
        for size, pad, w, s, d in zip(x.shape[1:-1], pads, window, strides, dilations, strict=True)
    ]
    for place in itertools.product(range(x.shape[0]), *map(range, counts), range(x.shape[-1])):
        starts = [i * s - p for i, s, (p, _) in zip(place[1:-1], strides, pads, strict=True)]
        inside = (
            [start + a * d for a in range(w) if 0 <= start + a * d < size]
            for start, w, d, size in zip(starts, window, dilations, x.shape[1:-1], strict=True)
        )
        yield place, [(place[0], *elements, place[-1]) for elements in itertools.product(*inside)]


def _first_largest(x: Any, elements: Any) -> Any:
    found = [x[e] for e in elements]
    nans = np.flatnonzero(np.isnan(np.asarray(found, float)))
    return elements[int(nans[0]) if nans.size else int(np.argmax(found))]


def _shape(x: Any, windows: Windows) -> tuple[int, ...]:
    return tuple(max(axis) + 1 for axis in zip(*(place for place, _ in patches(x, **windows)), strict=True))


def window_max(x: Any, **windows: Any) -> Any:
    return window_max_pick(x, x, **windows)


def window_max_pick(v: Any, x: Any, **windows: Any) -> Any:
    y = np.zeros(_shape(x, windows), v.dtype)
    for place, elements in patches(x, **windows):
        y[place] = v[_first_largest(x, elements)]
    return y


def window_max_gradient(dy: Any, x: Any, y: Any, **windows: Any) -> Any:
    dx = np.zeros_like(x)
    for place, elements in patches(x, **windows):
        dx[_first_largest(x, elements)] += dy[place]
    return dx


def window_mean(x: Any, **windows: Any) -> Any:
    y = np.zeros(_shape(x, windows), x.dtype)
    for place, elements in patches(x, **windows):
        y[place] = np.mean([x[e] for e in elements]) if elements else np.nan
    return y


def window_mean_gradient(dy: Any, size: Any, **windows: Any) -> Any:
    dx = np.zeros((dy.shape[0], *size, dy.shape[-1]), dy.dtype)
    for place, elements in patches(dx, **windows):
        for element in elements:
            dx[element] += dy[place] / len(elements)
    return dx


def _pooled(primitive: Any, count: int) -> Any:
    """The reference of a public op with ``count`` spatial axes."""

    def reference(
        x: Any, window: Any = 2, strides: Any = None, padding: Any = "valid", dim_rounding_mode: Any = None,
        data_format: str = "channels_last", dilations: Any = 1, **_: Any,
    ) -> Any:  # fmt: skip
        images = x if x.ndim == count + 2 else x[None]
        images = images if data_format == "channels_last" else np.moveaxis(images, 1, -1)
        found = windows(images.shape[1:-1], window, strides, padding, dilations, dim_rounding_mode)
        y = primitive(images, **found) if x.size else np.zeros((0, *x.shape[1:]))
        y = y if data_format == "channels_last" else np.moveaxis(y, -1, 1)
        return y if x.ndim == count + 2 else y[0]

    return reference


MAX: Final = {count: _pooled(window_max, count) for count in (1, 2, 3)}
MEAN: Final = {count: _pooled(window_mean, count) for count in (1, 2, 3)}
_settings: dict[str, Any]
_SIZES: Final = {1: (6,), 2: (5, 6), 3: (3, 4, 3)}

for _count, _name in ((1, "max_pool1d"), (2, "max_pool"), (3, "max_pool3d")):
    _mean = _name.replace("max", "avg")
    _kinds: Any = ((_name, MAX[_count], distinct, False), (_mean, MEAN[_count], normal, True))
    for _op, _reference, _make, _smooth in _kinds:
        for _settings in (
            {}, {"window": 3, "strides": 1, "padding": "same"}, {"strides": 1, "padding": 1},
            {"padding": ((0, 1),) * _count}, {"window": 3, "strides": 3, "padding": 1, "dim_rounding_mode": "round"},
        ):  # fmt: skip
            case(_op, [_make(2, *_SIZES[_count], 2)], **_settings, reference=_reference, smooth=_smooth)
        case(_op, [_make(*_SIZES[_count], 2)], window=3, strides=2, padding="same", reference=_reference,
             smooth=_smooth)  # fmt: skip
        case(_op, [_make(2, 2, *_SIZES[_count])], data_format="channels_first", reference=_reference, smooth=_smooth)
        case(_op, [_make(*(1,) * (_count + 2))], window=1, reference=_reference, smooth=_smooth)
        case(_op, [non_contiguous(2, *(4,) * _count, 2)], window=4, reference=_reference, smooth=_smooth)
        case(_op, [normal(2)], raises=ShapeError)
for _window, _strides in (((2, 3), None), (3, 1), (2, 3), ((1, 2), (2, 1))):
    for _padding in ("valid", "same", ((0, 1), (1, 0))):
        case("max_pool", [distinct(2, 5, 6, 2)], window=_window, strides=_strides, padding=_padding,
             reference=MAX[2], smooth=False)  # fmt: skip
        case("avg_pool", [normal(2, 5, 6, 2)], window=_window, strides=_strides, padding=_padding, reference=MEAN[2])
case("avg_pool", [normal(1, 2, 2, 1)], window=1, strides=2, padding=1, reference=MEAN[2], gradient=False)
case("max_pool", [normal(1, 2, 2, 1)], window=3, reference=lambda x, window: np.zeros((1, 0, 0, 1)), gradient=False)
case("avg_pool", [normal(1, 2, 2, 1)], window=3, reference=lambda x, window: np.zeros((1, 0, 0, 1)), gradient=False)
for _op in ("max_pool", "avg_pool"):
    case(_op, [empty(0, 4, 4, 2)], reference=lambda x: np.zeros((0, 2, 2, 2)))
    case(_op, [normal(1, 4, 4, 2)], padding="full", raises=ArgumentError)
    case(_op, [normal(1, 4, 4, 2)], padding=1.5, raises=ArgumentTypeError)
    case(_op, [normal(1, 4, 4, 2)], padding=-1, raises=ArgumentError)
    case(_op, [normal(1, 4, 4, 2)], padding=((0, 0),), raises=ArgumentTypeError)
    case(_op, [normal(1, 4, 4, 2)], padding="same", dim_rounding_mode="ceil", raises=ArgumentError)
    case(_op, [normal(1, 4, 4, 2)], padding=1, dim_rounding_mode="up", raises=ArgumentError)
    case(_op, [normal(1, 4, 4, 2)], data_format="NHWC", raises=ArgumentError)
    case(_op, [normal(1, 4, 4, 2)], window=0, raises=ArgumentError)
    case(_op, [normal(1, 4, 4, 2)], window=(2, 2, 2), raises=ArgumentTypeError)
case("max_pool", [values([[[[1.0], [NAN]], [[2.0], [0.0]]]])], reference=MAX[2], gradient=False)
case("max_pool", [ints(1, 4, 4, 2)], padding=((1, 1), (0, 0)), reference=MAX[2])
case("max_pool", [bools(1, 4, 4, 2)], raises=DTypeError)
case("avg_pool", [ints(1, 4, 4, 2)], raises=DTypeError)

for _settings in (
    {"dilations": 2}, {"dilations": (2, 1), "padding": "same"}, {"strides": 2, "dilations": 2, "padding": 1}, {},
):  # fmt: skip
    _settings = {"strides": 1, **_settings}
    case("pool", [distinct(2, 5, 6, 2)], window=2, pooling_type="max", **_settings,
         reference=MAX[2], smooth=False)  # fmt: skip
    case("pool", [normal(2, 5, 6, 2)], window=2, pooling_type="avg", **_settings, reference=MEAN[2])
case("pool", [normal(2, 7, 2)], window=(3,), pooling_type="avg", strides=1, dilations=2, reference=MEAN[1])
case("pool", [normal(1, 3, 3, 4, 1)], window=(2, 1, 2), pooling_type="avg", strides=1, dilations=(1, 1, 2),
     reference=MEAN[3])  # fmt: skip
case("pool", [distinct(1, 3, 3, 4, 1)], window=(2, 1, 2), pooling_type="max", strides=1, dilations=(1, 1, 2),
     padding="same", reference=MAX[3], smooth=False)  # fmt: skip
case("pool", [normal(1, 4, 4, 2)], window=2, pooling_type="min", raises=ArgumentError)
case("pool", [normal(1, 4, 4, 2)], window=2, pooling_type="max", dilations=0, raises=ArgumentError)


def _with_argmax(x: Any, include_batch_in_index: bool = False, **settings: Any) -> Any:
    places = np.arange(x.size, dtype=np.int32).reshape(x.shape)
    places = places if include_batch_in_index else places % (x.size // (x.shape[0] if x.ndim == 4 else 1))
    images, places = (a if a.ndim == 4 else a[None] for a in (x, places))
    found = windows(images.shape[1:-1], **{"window": 2, "strides": None, "padding": "valid", **settings})
    result, indexes = window_max(images, **found), window_max_pick(places, images, **found)
    return (result, indexes) if x.ndim == 4 else (result[0], indexes[0])


case("max_pool_with_argmax", [distinct(2, 5, 6, 2)], reference=_with_argmax, smooth=False)
case("max_pool_with_argmax", [distinct(2, 5, 6, 2)], window=3, strides=2, padding="same", include_batch_in_index=True,
     reference=_with_argmax, smooth=False)  # fmt: skip
case("max_pool_with_argmax", [distinct(5, 6, 2)], padding=1, reference=_with_argmax, smooth=False)
case("max_pool_with_argmax", [ints(1, 4, 4, 1)], reference=_with_argmax)
case("max_pool_with_argmax", [normal(4, 4)], raises=ShapeError)

_apart: Any = {"window": (2, 2), "strides": (2, 2), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}
_overlapping: Any = {"window": (3, 2), "strides": (1, 1), "pads": ((1, 1), (0, 1)), "dilations": (1, 1)}
_gaps: Any = {"window": (2, 3), "strides": (1, 2), "pads": ((1, 0), (0, 2)), "dilations": (2, 1)}
for _settings, _sizes in ((_apart, (2, 3)), (_overlapping, (5, 6)), (_gaps, (4, 3))):
    case("window_max", [distinct(2, 5, 6, 2)], **_settings, reference=window_max, smooth=False)
    case("window_mean", [normal(2, 5, 6, 2)], **_settings, reference=window_mean)
    case("window_mean_gradient", [normal(2, *_sizes, 2)], **{"size": (5, 6), **_settings},
         reference=window_mean_gradient)  # fmt: skip
    case("window_max_pick", [normal(2, 5, 6, 2), distinct(2, 5, 6, 2)], **_settings, reference=window_max_pick,
         smooth=False)  # fmt: skip
_ties = values([[[[1.0], [1.0]], [[1.0], [0.0]]]])
_one = values([[[[1.0]]]])
case("window_max_gradient", [normal(1, 1, 1, 1), _ties, _one], **_apart, reference=window_max_gradient, gradient=False)
case("window_max_pick", [normal(1, 2, 2, 1), _ties], **_apart, reference=window_max_pick, gradient=False)
case("window_max_pick", [ints(1, 4, 4, 1), distinct(1, 4, 4, 1)], **_apart, reference=window_max_pick, smooth=False)
