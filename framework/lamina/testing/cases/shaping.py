"""Cases of ops that arrange elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, OutOfRangeError, ShapeError
from lamina.testing.inputs import bools, complex_normal, empty, ints, non_contiguous, normal, strings
from lamina.testing.table import case


def _reshape(x: Any, shape: Any) -> Any:
    return np.reshape(x, shape)


for _shape in ((3, 2), (-1,), (2, -1, 1), 6):
    case("reshape", [normal(2, 3)], shape=_shape, reference=_reshape)
case("reshape", [normal(1)], shape=(), reference=_reshape)
case("reshape", [empty(0, 3)], shape=(3, 0, 2), reference=_reshape)
case("reshape", [non_contiguous(3, 4)], shape=(2, 6), reference=_reshape)
case("reshape", [strings(["a", "b"])], shape=(2, 1), reference=_reshape)
case("reshape", [complex_normal(2, 2)], shape=(4,), reference=_reshape)
case("reshape", [normal(2, 3)], shape=(4, 2), raises=ShapeError)
case("reshape", [normal(2, 3)], shape=(-1, -1), raises=ShapeError)
case("reshape", [normal(2, 3)], shape=(2.0, 3), raises=ArgumentTypeError)
case("flatten", [normal(2, 3)], reference=np.ravel)
case("flatten", [normal()], reference=np.ravel)

for _axes in (None, (0, 1, 2), (2, 0, 1), (-1, 0, 1)):
    case("transpose", [normal(2, 3, 4)], axes=_axes, reference=lambda x, axes: np.transpose(x, axes))
case("transpose", [normal()], reference=np.transpose)
case("transpose", [empty(0, 3)], reference=np.transpose)
case("transpose", [non_contiguous(3, 4)], reference=np.transpose)
case("transpose", [bools(2, 3)], reference=np.transpose)
case("transpose", [normal(2, 3)], axes=(0, 0), raises=ArgumentError)
case("transpose", [normal(2, 3)], axes=(0, 2), raises=OutOfRangeError)

for _axis in (0, 1, -1):
    case("expand_dims", [normal(2, 3)], axis=_axis, reference=np.expand_dims)
case("expand_dims", [normal(2)], axis=2, raises=OutOfRangeError)
case("squeeze", [normal(1, 2, 1)], reference=np.squeeze)
case("squeeze", [normal(1, 2, 1)], axis=-1, reference=np.squeeze)
case("squeeze", [normal(1, 2, 1)], axis=(0, 2), reference=np.squeeze)
case("squeeze", [normal(1, 2)], axis=1, raises=ShapeError)

for _from, _to in (((3,), (2, 3)), ((2, 1), (2, 3)), ((), (2, 2)), ((1, 3), (0, 3)), ((2, 3), (2, 3)), ((1,), (4,))):
    case("broadcast_to", [normal(*_from)], shape=_to, reference=lambda x, shape: np.broadcast_to(x, shape))
case("broadcast_to", [ints(3)], shape=(2, 3), reference=lambda x, shape: np.broadcast_to(x, shape))
case("broadcast_to", [normal(3)], shape=(3, 2), raises=ShapeError)
case("broadcast_to", [normal(2, 3)], shape=(3,), raises=ShapeError)


def _concat(*tensors: Any, axis: int = 0) -> Any:
    return np.concatenate(tensors, axis)


case("concat", [normal(2, 3), normal(4, 3)], axis=0, reference=_concat)
case("concat", [normal(2, 3), normal(2, 1), normal(2, 2)], axis=-1, reference=_concat)
case("concat", [normal(2)], reference=_concat)
case("concat", [normal(2), ints(2)], reference=_concat)
case("concat", [empty(0, 3), normal(2, 3)], reference=_concat)
case("concat", [strings(["a"]), strings(["b"])], reference=_concat)
case("concat", [bools(2), bools(3)], reference=_concat)
case("concat", [normal(2, 3), normal(2, 4)], axis=0, raises=ShapeError)
case("concat", [normal(2, 3), normal(2)], axis=0, raises=ShapeError)
case("concat", [normal(2)], axis=1, raises=OutOfRangeError)
case("concat", [normal(1), strings(["b"])], raises=DTypeError)
case("concatenate", [[normal(2, 3), normal(2, 2)]], axis=1, reference=lambda tensors, axis: _concat(*tensors, axis=1))
case("concatenate", [[]], raises=ArgumentError)
for _axis in (0, 1, -1):
    case("stack", [[normal(2, 3), normal(2, 3)]], axis=_axis, reference=lambda tensors, axis: np.stack(tensors, axis))
    case("unstack", [normal(2, 3, 4)], axis=_axis, reference=lambda x, axis: list(np.moveaxis(x, axis, 0)))
case("stack", [[normal(2), normal(3)]], raises=ShapeError)
case("stack", [[]], raises=ArgumentError)


def _split(x: Any, sizes: Any, axis: int = 0) -> list[Any]:
    if isinstance(sizes, int):
        return np.split(x, sizes, axis)
    rest = x.shape[axis] - sum(s for s in sizes if s >= 0)
    return np.split(x, np.cumsum([s if s >= 0 else rest for s in sizes])[:-1], axis)


case("split", [normal(4, 3)], sizes=2, reference=_split)
case("split", [normal(3, 4)], sizes=(1, 3), axis=1, reference=_split)
case("split", [normal(3, 4)], sizes=(1, -1, 1), axis=-1, reference=_split)
case("split", [normal(3)], sizes=(0, 3), reference=_split)
case("split", [normal(3)], sizes=1, reference=_split)
case("split", [ints(4)], sizes=2, reference=_split)
case("split", [normal(3)], sizes=2, raises=ShapeError)
case("split", [normal(3)], sizes=(1, 1), raises=ShapeError)
case("split", [normal(3)], sizes=0, raises=ArgumentError)


def _pad(x: Any, paddings: Any, constant_value: Any = 0) -> Any:
    return np.pad(x, paddings, constant_values=constant_value)


case("pad", [normal(2, 3)], paddings=[(1, 0), (0, 2)], reference=_pad)
case("pad", [normal(2, 3)], paddings=[(0, 0), (0, 0)], reference=_pad)
case("pad", [normal(3)], paddings=[(1, 1)], constant_value=2.5, reference=_pad)
case("pad", [ints(3)], paddings=[(1, 1)], constant_value=7, reference=_pad)
case("pad", [bools(3)], paddings=[(1, 1)], constant_value=True, reference=_pad)
case("pad", [empty(0, 2)], paddings=[(1, 1), (0, 0)], reference=_pad)
case("pad", [non_contiguous(3, 4)], paddings=[(1, 1), (0, 1)], reference=_pad)
case("pad", [complex_normal(2)], paddings=[(1, 1)], reference=_pad)
case("pad", [normal(2, 3)], paddings=[(1, 1)], raises=ShapeError)
case("pad", [normal(3)], paddings=[(-1, 0)], raises=ArgumentError)
case("pad", [normal(3)], paddings=3, raises=ShapeError)
case("pad", [normal(3)], paddings=None, raises=ArgumentTypeError)
case("pad", [normal(3)], paddings=[1], raises=ShapeError)
case("pad", [normal(3)], paddings=[(1, 0)], constant_value="a", raises=ArgumentTypeError)
case("pad", [normal(3)], paddings=[(1, 0)], constant_value=1j, raises=DTypeError)
case("transpose", [normal(3)], axes=0.5, raises=ArgumentTypeError)
case("split", [normal(3)], sizes=0.5, raises=ArgumentTypeError)
case("flip", [normal(3)], axis=0.5, raises=ArgumentTypeError)
case("reshape", [normal(3)], shape=None, raises=ArgumentTypeError)
case("concatenate", [3], raises=ArgumentTypeError)
case("pad", [strings(["a"])], paddings=[(1, 0)], raises=DTypeError)

for _flipped in (None, 0, -1, (0, 1)):
    case("flip", [normal(2, 3)], axis=_flipped, reference=np.flip)
case("flip", [empty(0, 3)], axis=0, reference=np.flip)
case("flip", [strings(["a", "b"])], reference=np.flip)
case("flip", [normal(2)], axis=1, raises=OutOfRangeError)
for _reps in ((2, 1), (1, 3), (0, 2)):
    case("tile", [normal(2, 3)], reps=_reps, reference=np.tile)
case("tile", [ints(2)], reps=[2], reference=np.tile)
case("tile", [normal()], reps=(), reference=lambda x, reps: x)
case("tile", [normal(2, 3)], reps=(2,), raises=ShapeError)
