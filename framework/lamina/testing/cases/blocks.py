"""Cases of blocks between space and batch or depth, mirrored borders, grids and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.inputs import bools, complex_normal, empty, ints, non_contiguous, normal, strings
from lamina.testing.table import case


def _mirror_pad(x: Any, paddings: Any, mode: str) -> Any:
    return np.pad(x, paddings, mode=mode)  # type: ignore[call-overload]


for _mode in ("reflect", "symmetric"):
    case("mirror_pad", [normal(4)], paddings=[(2, 1)], mode=_mode, reference=_mirror_pad)
    case("mirror_pad", [normal(3, 3, 2)], paddings=[(1, 1), (2, 0), (0, 0)], mode=_mode, reference=_mirror_pad)
    case("mirror_pad", [non_contiguous(2, 3)], paddings=[(1, 0), (0, 2)], mode=_mode, reference=_mirror_pad)
    case("mirror_pad", [ints(3)], paddings=[(2, 2)], mode=_mode, reference=_mirror_pad)
    case("mirror_pad", [empty(0, 2)], paddings=[(0, 0), (1, 1)], mode=_mode, reference=_mirror_pad)
    case("mirror_pad", [complex_normal(2)], paddings=[(0, 1)], mode=_mode, reference=_mirror_pad)
case("mirror_pad", [normal(2)], paddings=[(2, 2)], mode="symmetric", reference=_mirror_pad)
case("mirror_pad", [normal()], paddings=[], mode="reflect", reference=lambda x, paddings, mode: x)
case("mirror_pad", [strings(["a", "b"])], paddings=[(1, 0)], mode="reflect", reference=_mirror_pad)
case("mirror_pad", [normal(2)], paddings=[(2, 0)], mode="reflect", raises=ShapeError)
case("mirror_pad", [normal(2)], paddings=[(0, 3)], mode="symmetric", raises=ShapeError)
case("mirror_pad", [empty(0)], paddings=[(1, 0)], mode="symmetric", raises=ShapeError)
case("mirror_pad", [normal(2)], paddings=[(1, 0), (1, 0)], mode="reflect", raises=ShapeError)
case("mirror_pad", [normal(2)], paddings=[(-1, 0)], mode="reflect", raises=ArgumentError)
case("mirror_pad", [normal(2)], paddings=[1, 1], mode="reflect", raises=ShapeError)
case("mirror_pad", [normal(2)], paddings=[(1, 0)], mode="constant", raises=ArgumentError)


def _to_batch(x: Any, block_shape: Any, paddings: Any) -> Any:
    many = len(block_shape)
    padded = np.pad(x, [(0, 0), *paddings, *[(0, 0)] * (x.ndim - 1 - many)])
    parts = [
        padded[(np.s_[:], *(np.s_[o::b] for o, b in zip(offset, block_shape, strict=True)))]
        for offset in np.ndindex(*block_shape)
    ]
    return np.concatenate(parts, 0)


def _to_space(x: Any, block_shape: Any, crops: Any) -> Any:
    batch = x.shape[0] // int(np.prod(block_shape))
    spatial = [s * b for s, b in zip(x.shape[1:], block_shape, strict=False)]
    result = np.zeros((batch, *spatial, *x.shape[1 + len(block_shape) :]), x.dtype)
    for i, offset in enumerate(np.ndindex(*block_shape)):
        place = tuple(np.s_[o::b] for o, b in zip(offset, block_shape, strict=True))
        result[(np.s_[:], *place)] = x[i * batch : (i + 1) * batch]
    return result[(np.s_[:], *(np.s_[a : s - b] for s, (a, b) in zip(spatial, crops, strict=True)))]


_NONE = [(0, 0), (0, 0)]
case("batch_to_space_nd", [normal(4, 2, 2, 3)], block_shape=[2, 2], crops=_NONE, reference=_to_space)
case("batch_to_space_nd", [normal(12, 2, 1, 2)], block_shape=[2, 3], crops=[(1, 0), (0, 2)], reference=_to_space)
case("batch_to_space_nd", [ints(4, 2)], block_shape=[2], crops=[(0, 1)], reference=_to_space)
case("batch_to_space_nd", [empty(0, 2, 3)], block_shape=[2], crops=[(0, 0)], reference=_to_space)
case("batch_to_space_nd", [non_contiguous(4, 2)], block_shape=[1], crops=[(1, 0)], reference=_to_space)
case("batch_to_space_nd", [normal(5, 1, 1, 1)], block_shape=[2, 2], crops=_NONE, raises=ShapeError)
case("batch_to_space_nd", [normal(4, 1)], block_shape=[2, 2], crops=_NONE, raises=ShapeError)
case("batch_to_space_nd", [normal(4, 1)], block_shape=[2], crops=_NONE, raises=ShapeError)
case("batch_to_space_nd", [normal(4, 1)], block_shape=[2], crops=[(2, 1)], raises=ShapeError)
case("space_to_batch_nd", [normal(2, 4, 6, 3)], block_shape=[2, 3], paddings=_NONE, reference=_to_batch)
case("space_to_batch_nd", [normal(2, 3, 2)], block_shape=[2], paddings=[(1, 2)], reference=_to_batch)
case("space_to_batch_nd", [normal(1, 2, 1)], block_shape=[2], paddings=[(1, 1)], reference=_to_batch)
case("space_to_batch_nd", [ints(1, 4)], block_shape=[2], paddings=[(0, 0)], reference=_to_batch)
case("space_to_batch_nd", [empty(0, 2, 3)], block_shape=[2], paddings=[(0, 0)], reference=_to_batch)
case("space_to_batch_nd", [non_contiguous(2, 4)], block_shape=[4], paddings=[(0, 0)], reference=_to_batch)
case("space_to_batch_nd", [normal(1, 3, 4)], block_shape=[2, 2], paddings=_NONE, raises=ShapeError)
case("space_to_batch_nd", [normal(1, 3, 4)], block_shape=[2, 0], paddings=_NONE, raises=ShapeError)
case("space_to_batch_nd", [normal(1, 2, 2, 1)], block_shape=[2, 2], paddings=[(0, 0)], raises=ShapeError)


def _depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    x = x if data_format == "channels_last" else np.moveaxis(x, 1, -1)
    n, height, width, channels = x.shape
    b, kept = block_size, channels // block_size**2
    result = np.zeros((n, height * b, width * b, kept), x.dtype)
    for i, (row, column) in enumerate(np.ndindex(b, b)):
        result[:, row::b, column::b] = x[..., i * kept : (i + 1) * kept]
    return result if data_format == "channels_last" else np.moveaxis(result, -1, 1)


def _space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    x = x if data_format == "channels_last" else np.moveaxis(x, 1, -1)
    parts = [x[:, row::block_size, column::block_size] for row, column in np.ndindex(block_size, block_size)]
    result = np.concatenate(parts, -1)
    return result if data_format == "channels_last" else np.moveaxis(result, -1, 1)


case("depth_to_space", [normal(2, 2, 3, 8)], block_size=2, reference=_depth_to_space)
case("depth_to_space", [normal(2, 8, 2, 3)], block_size=2, data_format="channels_first", reference=_depth_to_space)
case("depth_to_space", [normal(1, 1, 1, 4)], block_size=2, reference=_depth_to_space)
case("depth_to_space", [ints(1, 1, 2, 9)], block_size=3, reference=_depth_to_space)
case("depth_to_space", [empty(0, 2, 2, 4)], block_size=2, reference=_depth_to_space)
case("depth_to_space", [normal(1, 1, 1, 3)], block_size=2, raises=ShapeError)
case("depth_to_space", [normal(1, 2, 4)], block_size=2, raises=ShapeError)
case("depth_to_space", [normal(1, 1, 1, 4)], block_size=1, raises=ArgumentError)
case("depth_to_space", [normal(1, 1, 1, 4)], block_size=2, data_format="NCHW", raises=ArgumentError)
case("space_to_depth", [normal(2, 4, 6, 2)], block_size=2, reference=_space_to_depth)
case("space_to_depth", [normal(2, 2, 4, 6)], block_size=2, data_format="channels_first", reference=_space_to_depth)
case("space_to_depth", [normal(1, 2, 2, 1)], block_size=2, reference=_space_to_depth)
case("space_to_depth", [ints(1, 3, 3, 1)], block_size=3, reference=_space_to_depth)
case("space_to_depth", [empty(0, 2, 2, 1)], block_size=2, reference=_space_to_depth)
case("space_to_depth", [normal(1, 3, 2, 1)], block_size=2, raises=ShapeError)


def _meshgrid(*tensors: Any, indexing: str = "xy") -> list[Any]:
    return list(np.meshgrid(*tensors, indexing=indexing))  # type: ignore[call-overload]


for _indexing in ("xy", "ij"):
    case("meshgrid", [normal(2), normal(3), normal(4)], indexing=_indexing, reference=_meshgrid)
    case("meshgrid", [normal(3), ints(2)], indexing=_indexing, reference=_meshgrid)
    case("meshgrid", [normal(3)], indexing=_indexing, reference=_meshgrid)
case("meshgrid", [normal(), normal(2, 2)], reference=_meshgrid)
case("meshgrid", [empty(0), ints(2)], reference=_meshgrid)
case("meshgrid", [normal(2), normal(2)], indexing="yx", raises=ArgumentError)


def _diag(x: Any) -> Any:
    return np.diagflat(x).reshape(x.shape * 2)


case("diag", [normal(3)], reference=_diag)
case("diag", [normal(2, 3)], reference=_diag)
case("diag", [normal()], reference=lambda x: x)
case("diag", [empty(0, 2)], reference=_diag)
case("diag", [bools(2)], reference=_diag)
case("diag", [complex_normal(2)], reference=_diag)
case("diag", [non_contiguous(2, 2)], reference=_diag)
case("diag", [strings(["a"])], raises=DTypeError)

case("ensure_shape", [normal(2, 3)], shape=(None, 3), reference=lambda x, shape: x)
case("ensure_shape", [normal()], shape=(), reference=lambda x, shape: x)
case("ensure_shape", [normal(2, 3)], shape=(2, 2), raises=ShapeError)
case("ensure_shape", [normal(2, 3)], shape=(None,), raises=ShapeError)
case("ensure_shape", [normal(2)], shape=("2",), raises=ArgumentTypeError)
case("reshape_as", [normal(2, 3), ints(6)], reference=lambda x, like: np.reshape(x, like.shape))
case("reshape_as", [normal(2, 3), ints(5)], raises=ShapeError)
