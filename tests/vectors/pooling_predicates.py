"""What disagreements.toml asks of recorded calls of pooling and morphology."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from adapting import is_undefined
from predicates import Record, predicate


class Axis(NamedTuple):
    """One spatial axis of a call."""

    size: int
    window: int
    stride: int
    dilation: int
    pads: Any
    """(before, after), or 'same' or 'valid'."""

    @property
    def reach(self) -> int:
        return self.dilation * (self.window - 1) + 1

    @property
    def around(self) -> tuple[int, int]:
        if self.pads == "valid":
            return (0, 0)
        if self.pads == "same":
            total = max(0, (-(-self.size // self.stride) - 1) * self.stride + self.reach - self.size)
            return (total // 2, total - total // 2)
        return (self.pads[0], self.pads[1])

    def positions(self, rounding: Any) -> int:
        """How many windows there are."""
        free = (self.size + sum(self.around) - self.reach) / self.stride + 1
        round_ = {"ceil": math.ceil, "round": lambda x: math.floor(x + 0.5)}.get(rounding, math.floor)
        return int(round_(free))

    def counts(self, rounding: Any) -> list[int]:
        """How many elements of each window are not padding."""
        starts = [i * self.stride - self.around[0] for i in range(self.positions(rounding))]
        return [sum(0 <= s + a * self.dilation < self.size for a in range(self.window)) for s in starts]


def weighed_windows(axes: list[Axis], x: Any, weights: Any) -> Iterator[tuple[Any, Any]]:
    """Each window of a pooling, (batch, *window, channels), -inf in the padding, and which of them are weighed."""
    image = np.pad(x, [(0, 0), *(axis.around for axis in axes), (0, 0)], constant_values=-np.inf)
    for corner in np.ndindex(*(axis.positions(None) for axis in axes)):
        starts = [i * axis.stride for i, axis in zip(corner, axes, strict=True)]
        window = tuple(slice(s, s + axis.window) for s, axis in zip(starts, axes, strict=True))
        yield image[(slice(None), *window)], weights[(slice(None), *corner)] != 0


def largest_twice(windows: Iterable[tuple[Any, Any]]) -> bool:
    """Whether a weighed window has its largest element twice."""
    for window, weighed in windows:
        part = window.reshape(window.shape[0], -1, window.shape[-1])
        if np.any(((part == part.max(1, keepdims=True)).sum(1) > 1) & weighed):
            return True
    return False


def lost_by_height(axes: list[Axis], windows: Iterable[tuple[Any, Any]]) -> bool:
    """Whether windows of volumes are not as high as wide, and a weighed one has its largest element in a later row."""
    _, height, width = (axis.window for axis in axes)
    return height != width and any(np.any((part.max((1, 3)).argmax(1) > 0) & weighed) for part, weighed in windows)


def _axes(record: Record) -> tuple[list[Axis], Any]:
    """The spatial axes of a call and its rounding mode."""
    args = [None if is_undefined(a) else a for a in record["args"]] + [None] * 7
    generic = record["op"] == "pool"
    x, window, kind_or_strides, padding = args[:4]
    strides = (args[5] or 1) if generic else kind_or_strides
    dilations = (args[4] or 1) if generic else 1
    rounding = args[6] if generic else args[4] if record["op"] != "maxPoolWithArgmax" else None
    count = 3 if record["op"].endswith("3d") else 2
    sizes = np.shape(x)[-count - 1 : -1]
    pads = padding[1:-1] if isinstance(padding, list) else [padding] * count
    pads = [(p, p) if isinstance(p, int | float) else p for p in pads]
    each = ([v] * count if isinstance(v, int) else list(v) for v in (window, strides, dilations))
    return [Axis(*values) for values in zip(sizes, *each, pads, strict=True)], rounding


@predicate
def window_of_one_over_padding(record: Record) -> bool:
    """Windows of one element of which some lie in the padding, in a result as large as the input."""
    axes, rounding = _axes(record)
    counts = [axis.counts(rounding) for axis in axes]
    same = all(len(c) == axis.size for c, axis in zip(counts, axes, strict=True))
    return same and all(axis.window == 1 for axis in axes) and any(0 in c for c in counts)


@predicate
def volume_begins_behind_its_first_element(record: Record) -> bool:
    """Padding of a volume that would be negative: strides reach beyond the end, and are longer than the windows."""
    back = record["op"] == "conv3dTranspose"
    x, window, strides, padding = [a for i, a in enumerate(record["args"]) if not (back and i == 2)][:4]
    if padding != "same":
        return False
    sizes = np.shape(x)[-4:-1]
    window, strides = (np.broadcast_to(v if np.ndim(v) < 2 else np.shape(v)[:3], 3) for v in (window, strides))
    if back:
        return bool(np.any(window < strides))
    return any(-(-n // s) * s - s + k < n for n, k, s in zip(sizes, window, strides, strict=True))


@predicate
def largest_behind_the_first_row_of_a_volume(record: Record) -> bool:
    """Windows of volumes are not as high as wide, and a later row has the largest element of one that is weighed."""
    return lost_by_height(_axes(record)[0], _windows_of_volumes(record))


@predicate
def largest_twice_in_a_window_of_a_volume(record: Record) -> bool:
    """A window of volumes that is weighed has its largest element twice."""
    return largest_twice(_windows_of_volumes(record))


def _windows_of_volumes(record: Record) -> Iterator[tuple[Any, Any]]:
    x, (entry,) = np.asarray(record["args"][0]), record["cotangents"]
    lead = (None,) * (5 - x.ndim)
    return weighed_windows(_axes(record)[0], x[lead], np.asarray(entry["cotangent"])[lead])


@predicate
def width_counted_as_height(record: Record) -> bool:
    """The number of columns is another one with the height's window and stride."""
    axes, rounding = _axes(record)
    if not all(isinstance(axis.pads, tuple) for axis in axes) or isinstance(record["args"][3], list):
        return False
    wrong = [axis._replace(window=axes[0].window, stride=axes[0].stride) for axis in axes]
    return [axis.positions(rounding) for axis in axes] != [axis.positions(rounding) for axis in wrong]


@predicate
def half_an_element_of_padding(record: Record) -> bool:
    """The padding is not an integer."""
    padding = record["args"][3]
    return isinstance(padding, float) and not padding.is_integer()


@predicate
def average_near_padding_or_rounded(record: Record) -> bool:
    """Averages over windows of which a part is padding, or of which a rounding mode added the last ones."""
    axes, rounding = _axes(record)
    if "avg" not in (record["op"][:3], record["args"][2]):
        return False
    partly = any(0 < count < axis.window for axis in axes for count in axis.counts(rounding))
    return partly or rounded_up(record)


@predicate
def rounded_up(record: Record) -> bool:
    """A rounding mode adds windows that are not all padding."""
    axes, rounding = _axes(record)
    added = (axis.counts(rounding)[axis.positions("floor") :] for axis in axes)
    return any(any(counts) for counts in added)


@predicate
def gaps_near_padding(record: Record) -> bool:
    """Windows with gaps of which a part is padding by 'same'."""
    axes, rounding = _axes(record)
    gaps = any(axis.dilation > 1 for axis in axes)
    return gaps and any(count < axis.window for axis in axes for count in axis.counts(rounding))


@predicate
def sums_tie_in_float32(record: Record) -> bool:
    """Where the result is weighed, the first largest sum of a window is another in float32 than in float64."""
    x, kernel, strides, padding = record["args"][:4]
    dilations = record["args"][4] if len(record["args"]) > 4 else 1
    x = x if x.ndim == 4 else x[None]
    each = [[v, v] if isinstance(v, int) else v for v in (strides, dilations)]
    rows, columns = (Axis(*a, padding) for a in zip(x.shape[1:3], kernel.shape[:2], *each, strict=True))
    sums: list[Any] = []
    for a, b in np.ndindex(*kernel.shape[:2]):
        places = [
            [i * axis.stride - axis.around[0] + tap * axis.dilation for i in range(axis.positions("floor"))]
            for axis, tap in ((rows, a), (columns, b))
        ]
        inside = [
            np.array([0 <= p < axis.size for p in axis_places])
            for axis, axis_places in zip((rows, columns), places, strict=True)
        ]
        met = x[:, np.clip(places[0], 0, rows.size - 1)][:, :, np.clip(places[1], 0, columns.size - 1)]
        reachable = inside[0][:, None, None] & inside[1][None, :, None]
        sums.append(np.where(reachable, met.astype(np.float64) + kernel[a, b], -np.inf))
    exact = np.stack(sums)
    differs = np.argmax(exact, axis=0) != np.argmax(exact.astype(np.float32), axis=0)
    cotangent = np.asarray(record["cotangents"][0]["cotangent"])
    return bool(np.any(differs & (cotangent.reshape(differs.shape) != 0)))
