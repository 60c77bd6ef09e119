"""The shared kernels, a module per family of ops, each a function from a namespace to a table."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable
from lamina_arrayapi.kernels import (
    activation,
    conv,
    creation,
    elementwise,
    indexing,
    linalg,
    matmul,
    ordering,
    pooling,
    random,
    reduction,
    scans,
    shaping,
    signal,
)

FAMILIES = (
    activation,
    conv,
    creation,
    elementwise,
    indexing,
    linalg,
    matmul,
    ordering,
    pooling,
    random,
    reduction,
    scans,
    shaping,
    signal,
)


def make_kernels(xp: Any) -> KernelTable:
    """Every kernel of lamina over the Array API namespace ``xp``."""
    return KernelTable.merge(*(family.make(xp) for family in FAMILIES))
