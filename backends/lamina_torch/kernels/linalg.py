"""Equations and factors."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable
from lamina.contract.refusals import refuses_singular

kernels = KernelTable()


@kernels("solve")
@refuses_singular
def solve(a: Any, b: Any) -> Any:
    return torch.linalg.solve(a, b)


def _quotient(a: Any, b: Any) -> Any:
    nothing = b == 0
    return torch.where(nothing, 0.0, a / torch.where(nothing, 1.0, b))


def _factors(x: Any, count: int) -> tuple[Any, Any]:
    """Householder's reflections: torch's own choose other signs where an element or what is below it is 0."""
    rows, columns = x.shape[-2:]
    r = x.clone(memory_format=torch.contiguous_format)
    q = torch.eye(rows, dtype=x.dtype, device=x.device).expand(*x.shape[:-1], rows).contiguous()
    for j in range(min(rows, columns)):
        column = r[..., j:, j : j + 1]
        largest = column.abs().amax(-2, keepdim=True)
        scale = torch.where(largest == 0, 1.0, largest)
        length = scale * torch.linalg.vector_norm(column / scale, dim=-2, keepdim=True)
        head = column[..., :1, :]
        turned = torch.where(head > 0, -length, length)
        pivot = head - turned
        normal = torch.cat([torch.ones_like(head), _quotient(column[..., 1:, :], pivot)], -2)
        weighted = _quotient(-pivot, turned) * normal
        r[..., j:, j:] -= weighted @ (normal.mT @ r[..., j:, j:])
        q[..., :, j:] -= (q[..., :, j:] @ weighted) @ normal.mT
    return q[..., :, :count].contiguous(), torch.triu(r[..., :count, :])


@kernels("qr")
def qr(x: Any, full_matrices: bool) -> tuple[Any, Any]:
    return _factors(x, x.shape[-2] if full_matrices else min(x.shape[-2:]))


@kernels("reduced_qr")
def reduced_qr(x: Any) -> tuple[Any, Any]:
    return _factors(x, x.shape[-1])
