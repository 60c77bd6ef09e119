"""Cases of matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import DTypeError, ShapeError
from lamina.testing.inputs import bools, complex_normal, empty, ints, non_contiguous, normal
from lamina.testing.table import case


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """Sums of products, spelled out."""
    a = a.swapaxes(-1, -2) if transpose_a else a
    b = b.swapaxes(-1, -2) if transpose_b else b
    return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)


for _ta in (False, True):
    for _tb in (False, True):
        _a, _b = ((3, 2) if _ta else (2, 3)), ((4, 3) if _tb else (3, 4))
        case("matmul", [normal(*_a), normal(*_b)], transpose_a=_ta, transpose_b=_tb, reference=matmul)
        case("matmul", [normal(5, *_a), normal(5, *_b)], transpose_a=_ta, transpose_b=_tb, reference=matmul)
        case("matmul", [complex_normal(*_a), complex_normal(*_b)], transpose_a=_ta, transpose_b=_tb, reference=matmul)
case("matmul", [normal(5, 2, 3), normal(3, 4)], reference=matmul)
case("matmul", [normal(2, 3), normal(5, 3, 4)], reference=matmul)
case("matmul", [normal(2, 1, 2, 3), normal(5, 3, 4)], reference=matmul)
case("matmul", [normal(1, 1), normal(1, 1)], reference=matmul)
case("matmul", [empty(0, 3), normal(3, 4)], reference=matmul)
case("matmul", [empty(2, 0), empty(0, 4)], reference=matmul)
case("matmul", [non_contiguous(3, 4), non_contiguous(4, 2)], reference=matmul)
case("matmul", [ints(2, 3), ints(3, 4)], reference=matmul)
case("matmul", [normal(2, 3), ints(3, 4)], reference=matmul)
case("matmul", [normal(32, 784), normal(784, 10)], reference=np.matmul, gradient=False, loose=20.0)
case("matmul", [normal(2, 3), normal(4, 5)], raises=ShapeError)
case("matmul", [normal(3), normal(3, 4)], raises=ShapeError)
case("matmul", [normal(2, 2, 3), normal(3, 3, 4)], raises=ShapeError)
case("matmul", [bools(2, 2), bools(2, 2)], raises=DTypeError)
case("dot", [normal(3), normal(3)], reference=np.dot)
case("dot", [normal(2, 3), normal(3)], reference=np.dot)
case("dot", [normal(3), normal(3, 2)], reference=np.dot)
case("dot", [normal(2, 3), normal(3, 2)], reference=np.dot)
case("dot", [normal(2), normal(3)], raises=ShapeError)
case("dot", [normal(2, 2, 2), normal(2)], raises=ShapeError)
