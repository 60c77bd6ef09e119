"""Linear algebra: settings in one object."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina

_ACTIVATIONS = {"leakyrelu": "leaky_relu"}


@adapter("fused.matMul")
def fused_matmul(settings: Any) -> Any:
    return _fused(**settings)


def _fused(
    a: Any, b: Any, transposeA: bool = False, transposeB: bool = False, bias: Any = None,
    activation: str = "linear", preluActivationWeights: Any = None, leakyreluAlpha: float = 0.2,
) -> Any:  # fmt: skip
    return lamina.fused.matmul(
        a, b, transposeA, transposeB, bias, _ACTIVATIONS.get(activation, activation), preluActivationWeights,
        leakyreluAlpha,
    )  # fmt: skip


@adapter("linalg.gramSchmidt")
def gram_schmidt(xs: Any) -> Any:
    return lamina.linalg.gram_schmidt(xs)


@adapter("linalg.qr")
def qr(x: TensorLike, full_matrices: bool = False) -> Any:
    return list(lamina.linalg.qr(x, full_matrices))


@adapter("einsum")
def einsum(equation: str, *tensors: TensorLike) -> Any:
    return lamina.einsum(equation, *tensors)
