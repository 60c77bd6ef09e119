"""Torch's kernels, a module per family of ops. Each takes and returns plain tensors that never require a gradient.

The kernels of effect "pure" never return memory of an argument: recorded steps plan memory by that.
"""

from __future__ import annotations

import torch

from lamina.contract import KernelTable
from lamina_torch.kernels import (
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
    recurrent,
    reduction,
    scans,
    shaping,
    signal,
    training,
)

FAMILIES = (
    activation,
    conv,
    elementwise,
    indexing,
    linalg,
    matmul,
    ordering,
    pooling,
    random,
    recurrent,
    reduction,
    scans,
    shaping,
    signal,
    training,
)

on_cpu = creation.make(torch.device("cpu"))
kernels = KernelTable.merge(*(family.kernels for family in FAMILIES), on_cpu)


def kernels_on(device: torch.device, table: KernelTable) -> KernelTable:
    """The table with the kernels that make tensors out of nothing making them on a device.

    A kernel that a plugin has put in place of one of ours stays.
    """
    if device.type == "cpu":
        return table
    own = KernelTable()
    for name, kernel in creation.make(device).entries.items():
        if table.functions.get(name) is on_cpu.functions[name]:
            own.add(name, kernel.function)
    return KernelTable.merge(table, own)
