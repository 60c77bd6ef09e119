"""Cases of slices by begin and size, strided slices and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, OutOfRangeError, ShapeError
from lamina.testing.inputs import bools, complex_normal, empty, ints, non_contiguous, normal, strings, values
from lamina.testing.table import case


def _slice(x: Any, begin: Any, size: Any = None) -> Any:
    begins = [begin] if isinstance(begin, int) else begin
    sizes = [-1] * len(begins) if size is None else [size] if isinstance(size, int) else size
    return x[tuple(np.s_[b : None if s == -1 else b + s] for b, s in zip(begins, sizes, strict=True))]


for _begin, _size in ((1, 2), (0, None), ([1, 0], [1, 2]), ([0, 2], None), ([1, 1], [-1, 1]), ([3, 3], [0, 0])):
    case("slice", [normal(3, 3)], begin=_begin, size=_size, reference=_slice, gradient=_begin != [3, 3])
case("slice", [empty(0, 4)], begin=[0, 1], size=[0, 3], reference=_slice)
case("slice", [non_contiguous(3, 4)], begin=[1, 1], size=[2, 2], reference=_slice)
case("slice", [strings(["a", "b"])], begin=1, reference=_slice)
case("slice", [complex_normal(3)], begin=1, size=1, reference=_slice)
case("slice", [bools(3)], begin=1, size=1, reference=_slice)
case("slice", [normal(3)], begin=-1, size=1, raises=ArgumentError)
case("slice", [normal(3)], begin=[0, 0], size=[1, 1], raises=ShapeError)
case("slice", [normal(3)], begin=2, size=2, raises=OutOfRangeError)
case("slice", [normal(3)], begin=4, raises=OutOfRangeError)
case("slice", [normal(3)], begin=0.5, raises=ArgumentTypeError)
case("slice", [normal(3)], begin=0, size="1", raises=ArgumentTypeError)

_STRIDED: tuple[tuple[tuple[Any, ...], dict[str, Any], Any], ...] = (
    (([0], [3], [2]), {}, np.s_[0:3:2]),
    (([1, 0], [2, 3]), {}, np.s_[1:2, 0:3]),
    (([-1, 4], [-3, 0], [-1, -2]), {}, np.s_[-1:-3:-1, 4:0:-2]),
    (([1, 1], [2, 2], [1, 1]), {"begin_mask": 1, "end_mask": 2}, np.s_[:2, 1:]),
    (([0, 1], [0, 3], [1, 1]), {"ellipsis_mask": 1}, np.s_[..., 1:3]),
    (([0, 1, 0], [0, 2, 3], [1, 1, 1]), {"new_axis_mask": 1, "shrink_axis_mask": 2}, np.s_[None, 1, 0:3]),
    (([-1], [0], [1]), {"shrink_axis_mask": 1}, np.s_[-1]),
    (([2], [1]), {}, np.s_[2:1]),
    (([0], [3], [2]), {"ellipsis_mask": 1, "new_axis_mask": 1}, np.s_[...]),
)
for _arguments, _masks, _key in _STRIDED:
    case(
        "strided_slice",
        [normal(3, 4, 2), *_arguments],
        reference=lambda x, *_, key=_key, **masks: x[key],
        gradient=_key != np.s_[2:1],
        **_masks,
    )
case("strided_slice", [ints(5), [4], [0], [-2]], reference=lambda x, *_: x[4:0:-2])
case("strided_slice", [empty(0, 2), [0], [1]], reference=lambda x, *_: x[0:1])
case("strided_slice", [normal(4), [0], [4], [0]], raises=ArgumentError)
case("strided_slice", [normal(4), [0], [4], [-1]], shrink_axis_mask=1, raises=ArgumentError)
case("strided_slice", [normal(4), [0, 0], [4]], raises=ShapeError)
case("strided_slice", [normal(4), [0, 0], [1, 1]], raises=OutOfRangeError)
case("strided_slice", [normal(4), [4], [5]], shrink_axis_mask=1, raises=OutOfRangeError)
case("strided_slice", [normal(4, 4), [0, 0], [1, 1]], ellipsis_mask=3, raises=OutOfRangeError)
case("strided_slice", [normal(4), [0.5], [1]], raises=ArgumentTypeError)


def _boolean_mask(x: Any, mask: Any, axis: int = 0) -> Any:
    return x[(*(np.s_[:],) * (axis % x.ndim), mask)]


_mask = values([True, False, True])
case("boolean_mask", [normal(3, 2), _mask], reference=_boolean_mask, replayed=False, gradient=True)
case("boolean_mask", [normal(2, 3), _mask], axis=1, reference=_boolean_mask, replayed=False, gradient=True)
case("boolean_mask", [normal(2, 3), _mask], axis=-1, reference=_boolean_mask, replayed=False, gradient=True)
case("boolean_mask", [ints(2, 3, 2), bools(2, 3)], reference=_boolean_mask, replayed=False)
case("boolean_mask", [normal(2), values([False, False])], reference=_boolean_mask, replayed=False, gradient=False)
case("boolean_mask", [normal(3, 2), values(True)], raises=ShapeError)
case("boolean_mask", [normal(2, 2), _mask], raises=ShapeError)
case("boolean_mask", [normal(3), ints(3)], raises=DTypeError)
case("getitem", [normal(2, 2)], key=np.array([True, False, True]), raises=ShapeError)
case("getitem", [normal(2)], key=np.s_[::0], raises=ArgumentError)
