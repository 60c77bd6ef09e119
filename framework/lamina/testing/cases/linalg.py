"""Cases of norms, sums of products and factors of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from lamina.testing.inputs import (
    bools,
    complex_normal,
    distinct,
    empty,
    ints,
    non_contiguous,
    normal,
    strings,
    values,
)
from lamina.testing.table import case

case("outer", [normal(3), normal(2)], reference=np.outer)
case("outer", [complex_normal(3), normal(2)], reference=np.outer)
case("outer", [empty(0), normal(2)], reference=np.outer)
case("outer", [normal(3, 1), normal(2)], raises=ShapeError)


def _fused(a: Any, b: Any, bias: Any = 0.0, **settings: Any) -> Any:
    y = np.matmul(a, b) + bias
    return np.maximum(y, 0.0) if settings.get("activation") == "relu" else y


case("fused.matmul", [normal(2, 3), normal(3, 4)], reference=_fused)
case("fused.matmul", [normal(2, 3), normal(3, 4)], activation="relu", reference=_fused, smooth=False)
case("fused.matmul", [normal(2, 3), normal(3, 4)], activation="tangent", raises=ArgumentError)
case("fused.matmul", [normal(2, 3), normal(3, 4)], activation="prelu", raises=ArgumentError)


def _length(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.abs(x) ** 2, axis=axis, keepdims=keepdims))


for _axis in (None, 0, -1, (0, 2)):
    case("euclidean_norm", [normal(2, 3, 4)], axis=_axis, reference=_length)
    case("euclidean_norm", [normal(2, 3, 4)], axis=_axis, keepdims=True, reference=_length)
case("euclidean_norm", [complex_normal(2, 3)], axis=1, reference=_length)
case("euclidean_norm", [ints(2, 3)], axis=1, reference=_length)
case("euclidean_norm", [non_contiguous(3, 4)], axis=0, reference=_length)
case("euclidean_norm", [empty(3, 0)], axis=1, reference=_length)
case("euclidean_norm", [empty(0, 3)], axis=1, reference=_length)
case("euclidean_norm", [values([3e30, -4e30])], reference=_length, gradient=False)
case("euclidean_norm", [values([3e-30, -4e-30])], reference=_length, gradient=False)
case("euclidean_norm", [values([0.0, 0.0])], reference=_length, gradient=False)
case("euclidean_norm", [values([1.0, math.inf])], reference=_length, gradient=False)
case("euclidean_norm", [values([math.nan, 1.0])], reference=_length, gradient=False)
case("euclidean_norm", [normal(2)], axis=1, raises=OutOfRangeError)
case("euclidean_norm", [strings(["a"])], raises=DTypeError)


def _norm(x: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Any:
    if axis is None:
        found = np.linalg.norm(x.ravel(), 2 if ord == "euclidean" else ord)
        return found.reshape((1,) * x.ndim) if keepdims else found
    if isinstance(axis, tuple):
        return np.linalg.norm(x, "fro" if ord == "euclidean" else ord, axis, keepdims)
    return np.linalg.norm(x, 2 if ord == "euclidean" else ord, axis, keepdims)


for _ord in ("euclidean", 1, 2, math.inf, -math.inf):
    _kinked = _ord in (1, math.inf, -math.inf)
    for _axis in (None, 0, -1, (1, 2), (2, 1)):
        if _ord != 2 or not isinstance(_axis, tuple):
            case("norm", [distinct(2, 3, 4)], ord=_ord, axis=_axis, reference=_norm, smooth=not _kinked)
    case("norm", [distinct(2, 3)], ord=_ord, axis=1, keepdims=True, reference=_norm, smooth=not _kinked)
case("norm", [complex_normal(3)], ord=1, reference=_norm)
case("norm", [ints(2, 3)], ord=1, axis=1, reference=_norm)
case("norm", [normal(2, 3)], ord="fro", axis=(0, 1), keepdims=True, reference=_norm)
case("norm", [normal(2, 3)], ord=3, raises=ArgumentError)
case("norm", [normal(2, 3)], ord=2, axis=(0, 1), raises=ArgumentError)
case("norm", [normal(2, 3, 4)], axis=(0, 1, 2), raises=ArgumentError)
case("norm", [normal(2, 3, 4)], axis=(), raises=ArgumentError)
case("norm", [normal(2, 3)], axis=2, raises=OutOfRangeError)


def _einsum(equation: str, *tensors: Any) -> Any:
    return np.einsum(equation, *tensors)


for _equation, _shapes in (
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ji,jk->ik", [(3, 2), (3, 4)]), ("ij,kj", [(2, 3), (4, 3)]),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("bhwc,hkc->bwhk", [(2, 2, 3, 2), (2, 4, 2)]), ("i,j->ij", [(3,), (2,)]),
    ("i,i->", [(3,), (3,)]), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ii", [(3, 3)]), ("ii->i", [(3, 3)]),
    ("iij->ji", [(2, 2, 3)]), ("iii->i", [(2, 2, 2)]), ("ij,kl->ij", [(2, 2), (2, 3)]), ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("...ij,...jk->...ik", [(5, 1, 2, 3), (4, 3, 2)]), ("...ij->...ji", [(2, 3, 4)]), ("i...,i", [(3, 2), (3,)]),
    ("ab,bc,cd->ad", [(2, 3), (3, 4), (4, 2)]), ("a,ab,b->", [(2,), (2, 3), (3,)]), ("i , j", [(2,), (3,)]),
    ("i,i,i->i", [(3,), (3,), (3,)]), (",i->i", [(), (3,)]), ("ij,jk->ik", [(0, 3), (3, 2)]),
    ("ij,jk->ik", [(2, 0), (0, 2)]),
):  # fmt: skip
    case("einsum", [_equation, *(empty(*s) if 0 in s else normal(*s) for s in _shapes)], reference=_einsum)
case("einsum", ["ij,jk->ik", complex_normal(2, 3), complex_normal(3, 2)], reference=_einsum)
case("einsum", ["ij,jk->ik", non_contiguous(2, 3), non_contiguous(3, 2)], reference=_einsum)
case("einsum", ["ij,jk->ik", ints(2, 3), ints(3, 2)], reference=_einsum)
for _equation in ("ij,jk->ik", "ij->", "ij,jk->ik->i", "ij,jk>ik", "ij,jk->in", "ij,jk->ii", "ijk,jk->i", "i.j,jk"):
    _count = 1 if _equation == "ij,jk->ik" else 2
    case("einsum", [_equation, *[normal(2, 2)] * _count], raises=ArgumentError)
case("einsum", ["ij,jk->ik", normal(2, 3), normal(2, 3)], raises=ShapeError)
case("einsum", ["ii->i", normal(2, 3)], raises=ShapeError)


def _band_part(x: Any, num_lower: int, num_upper: int) -> Any:
    i, j = np.indices(x.shape[-2:])
    kept = ((num_lower < 0) | (i - j <= num_lower)) & ((num_upper < 0) | (j - i <= num_upper))
    return np.where(kept, x, np.zeros((), x.dtype))


for _lower, _upper in ((0, 0), (1, -1), (-1, 0), (2, 1), (-1, -1)):
    case("band_part", [normal(3, 4)], num_lower=_lower, num_upper=_upper, reference=_band_part)
case("band_part", [normal(1, 2, 3, 3), 1, 0], reference=_band_part)
case("band_part", [bools(3, 3), 0, 1], reference=_band_part)
case("band_part", [complex_normal(3, 3), 0, 1], reference=_band_part)
case("band_part", [empty(0, 2, 2), 0, 1], reference=_band_part)
case("band_part", [normal(3), 0, 0], raises=ShapeError)
case("band_part", [normal(2, 3), 3, 0], raises=ArgumentError)
case("band_part", [normal(2, 3), 0, 4], raises=ArgumentError)


def _gram_schmidt(x: Any) -> Any:
    q, r = np.linalg.qr(np.asarray(x).T)
    return (q * np.sign(np.diag(r))).T


case("linalg.gram_schmidt", [normal(3, 4)], reference=_gram_schmidt)
case("linalg.gram_schmidt", [[normal(3), normal(3)]], reference=lambda xs: list(_gram_schmidt(np.stack(xs))))
case("linalg.gram_schmidt", [normal(1, 1)], reference=_gram_schmidt)
case("linalg.gram_schmidt", [normal(3, 2)], raises=ArgumentError)
case("linalg.gram_schmidt", [normal(3)], raises=ShapeError)
case("linalg.gram_schmidt", [[]], raises=ArgumentError)


def _reflect(x: Any) -> Any:
    rows, columns = x.shape
    q, r = np.eye(rows), np.array(x, np.float64)
    for j in range(min(rows, columns)):
        v = r[j:, j].copy()
        turned = -np.linalg.norm(v) if v[0] > 0 else np.linalg.norm(v)
        v[0] -= turned
        v /= np.linalg.norm(v)
        r[j:] -= 2 * np.outer(v, v @ r[j:])
        q[:, j:] -= 2 * np.outer(q[:, j:] @ v, v)
    return q, np.triu(r)


def _qr(x: Any, full_matrices: bool = False) -> Any:
    rows, columns = x.shape[-2:]
    inner = rows if full_matrices else min(rows, columns)
    pairs = [_reflect(m) for m in x.reshape(-1, rows, columns)]
    q = np.asarray([p[0][:, :inner] for p in pairs]).reshape(*x.shape[:-1], inner)
    r = np.asarray([p[1][:inner] for p in pairs]).reshape(*x.shape[:-2], inner, columns)
    return q, r


for _full in (False, True):
    for _shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (2, 2, 2, 3)):
        case("qr", [normal(*_shape)], full_matrices=_full, reference=_qr, loose=4.0)
    case("qr", [normal(1, 1)], full_matrices=_full, reference=_qr)
    case(
        "qr",
        [values([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0], [0.0, 1.0, 2.0]])],
        full_matrices=_full,
        reference=_qr,
        gradient=False,
    )
    case("qr", [empty(0, 3, 2)], full_matrices=_full, reference=_qr)
case("qr", [non_contiguous(4, 3)], reference=_qr, loose=4.0)
case("qr", [normal(3)], raises=ShapeError)
case("qr", [complex_normal(2, 2)], raises=DTypeError)
case("reduced_qr", [normal(4, 2)], reference=_qr, loose=4.0)
_regular = values([[3.0, 1.0], [-1.0, 2.0]])
case("solve", [_regular, normal(2, 3)], reference=np.linalg.solve)
case("solve", [_regular, normal(4, 2, 1)], reference=np.linalg.solve)
case("solve", [values([[1 + 2j, 0], [3, -1j]]), complex_normal(2, 2)], reference=np.linalg.solve)
case("solve", [normal(2, 3), normal(2, 1)], raises=ShapeError)
case("solve", [normal(2, 2), normal(3, 1)], raises=ShapeError)
