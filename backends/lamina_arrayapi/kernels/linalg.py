"""Equations and factors."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable
from lamina.contract.refusals import refuses_singular
from lamina_arrayapi.writing import add


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("solve")
    @refuses_singular
    def solve(a: Any, b: Any) -> Any:
        return xp.linalg.solve(a, b)

    def lengths(column: Any) -> Any:
        """The length of each column, which neither overflows nor vanishes before it must."""
        largest = xp.max(xp.abs(column), axis=-2, keepdims=True)
        scale = xp.where(largest == 0, xp.ones_like(largest), largest)
        scaled = column / scale
        return scale * xp.sqrt(xp.sum(scaled * scaled, axis=-2, keepdims=True))

    def quotient(a: Any, b: Any) -> Any:
        nothing = b == 0
        return xp.where(nothing, xp.zeros_like(b), a / xp.where(nothing, xp.ones_like(b), b))

    def factors(x: Any, count: int) -> tuple[Any, Any]:
        """Householder's reflections, one for each column, on all matrices at once."""
        rows, columns = x.shape[-2:]
        r = xp.asarray(x, copy=True)
        q = xp.asarray(xp.broadcast_to(xp.eye(rows, dtype=x.dtype), (*x.shape[:-1], rows)), copy=True)
        for j in range(min(rows, columns)):
            column = r[..., j:, j : j + 1]
            length = lengths(column)
            head = column[..., :1, :]
            turned = xp.where(head > 0, -length, length)
            pivot = head - turned
            below = quotient(column[..., 1:, :], xp.broadcast_to(pivot, column[..., 1:, :].shape))
            normal = xp.concat([xp.ones_like(head), below], axis=-2)
            weighted = quotient(-pivot, turned) * normal
            turn = xp.matmul(weighted, xp.matmul(xp.matrix_transpose(normal), r[..., j:, j:]))
            r = add(xp, r, (..., slice(j, None), slice(j, None)), -turn)
            turn = xp.matmul(xp.matmul(q[..., :, j:], weighted), xp.matrix_transpose(normal))
            q = add(xp, q, (..., slice(j, None)), -turn)
        return q[..., :, :count], xp.triu(r[..., :count, :])

    @kernels("qr")
    def qr(x: Any, full_matrices: bool) -> tuple[Any, Any]:
        return factors(x, x.shape[-2] if full_matrices else min(x.shape[-2:]))

    @kernels("reduced_qr")
    def reduced_qr(x: Any) -> tuple[Any, Any]:
        return factors(x, x.shape[-1])

    return kernels
