"""The shared Array API kernels over CuPy, and CuPy's own where the standard has none or they are faster."""

from __future__ import annotations

from lamina.contract import KernelTable
from lamina_arrayapi import make_kernels
from lamina_cupy.kernels import buffered, conv, elementwise, indexing, pooling, random, training
from lamina_cupy.namespace import namespace

kernels = KernelTable.merge(
    make_kernels(namespace),
    buffered.kernels,
    conv.kernels,
    elementwise.kernels,
    indexing.kernels,
    pooling.kernels,
    random.kernels,
    training.kernels,
)
