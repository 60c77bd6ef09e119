"""Sums along an axis with constant weights: what resizing and pooling to a given size come down to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.ops.creation import tensor
from lamina.ops.matmul import matmul
from lamina.ops.shaping import reshape
from lamina.runtime.convert import numpy_dtype
from lamina.runtime.tensor import Tensor


def mixed(x: Tensor, weights: np.ndarray[Any, Any], axis: int) -> Tensor:
    """x with the elements along ``axis`` replaced by the sums that the rows of ``weights`` (new, old) say.

    >>> mixed(tensor([[1.0, 3.0]]), np.array([[0.5, 0.5]]), 1).tolist()
    [[2.0]]
    """
    axis %= x.ndim
    matrix = tensor(weights.astype(numpy_dtype(x.dtype)))
    before, behind = x.shape[:axis], x.shape[axis + 1 :]
    if not behind:
        rows = reshape(x, (-1, x.shape[axis])) if x.ndim != 2 else x
        return reshape(matmul(rows, matrix, transpose_b=True), (*before, len(weights)))
    planes = reshape(x, (math.prod(before), x.shape[axis], math.prod(behind)))
    return reshape(matmul(matrix, planes), (*before, len(weights), *behind))
