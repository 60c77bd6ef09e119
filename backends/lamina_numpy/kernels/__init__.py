"""The shared Array API kernels over NumPy, and NumPy's own where they are faster or write into buffers."""

from __future__ import annotations

import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi import make_kernels
from lamina_numpy.kernels import activation, conv, elementwise, indexing, matmul, pooling, reduction, shaping, training

kernels = KernelTable.merge(
    make_kernels(np),
    elementwise.kernels,
    reduction.kernels,
    matmul.kernels,
    shaping.kernels,
    indexing.kernels,
    activation.kernels,
    conv.kernels,
    pooling.kernels,
    training.kernels,
)
