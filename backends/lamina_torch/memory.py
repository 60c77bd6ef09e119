"""Raw memory as tensors, and several side by side so that one call can update them all."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch

from lamina.program.memory import size_of
from lamina.shapes import Spec
from lamina_torch.dtypes import TORCH_DTYPES


def raw_memory(size: int, device: torch.device) -> Any:
    """Zeroed bytes."""
    return torch.zeros(size, dtype=torch.uint8, device=device)


def shaped(raw: Any, spec: Spec) -> Any:
    """The first bytes of some memory as a tensor."""
    dtype = TORCH_DTYPES[spec.dtype]
    return raw[: spec.size * dtype.itemsize].view(dtype).view(spec.shape)


def side_by_side(specs: Sequence[Spec], device: torch.device) -> list[Any]:
    """Tensors one after the other in one piece of memory, each at a cache line."""
    starts = list(itertools.accumulate((size_of(spec) for spec in specs), initial=0))
    raw = raw_memory(starts[-1], device)
    return [shaped(raw[start:], spec) for start, spec in zip(starts, specs, strict=False)]


def as_one(tensors: Sequence[Any]) -> Any | None:
    """The memory of tensors that lie side by side as one flat tensor, padding included; None if they do not.

    The padding between them is zeros, and elementwise updates leave the tensors themselves alone.
    """
    first = tensors[0]
    end = first.data_ptr()
    for tensor in tensors:
        if tensor.dtype is not first.dtype or not tensor.is_contiguous() or tensor.data_ptr() != end:
            return None
        end += size_of(Spec(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")))
    storage = first.untyped_storage()
    if end > storage.data_ptr() + storage.nbytes():
        return None
    return first.as_strided(((end - first.data_ptr()) // first.itemsize,), (1,))
