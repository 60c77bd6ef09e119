"""Sorting, and searching what is sorted."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("argsort")
def argsort(x: Any, axis: int, descending: bool) -> Any:
    return torch.sort(x, dim=axis, descending=descending, stable=True).indices.to(torch.int32)


@kernels("searchsorted")
def searchsorted(sorted_sequence: Any, values: Any, side: str) -> Any:
    return torch.searchsorted(sorted_sequence.contiguous(), values.contiguous(), out_int32=True, right=side == "right")
