"""Update rules of optimizers over many tensors at once, so that a backend can do them in one go."""

from __future__ import annotations

import math
from typing import Any

from lamina.dtypes import FLOATING, INTEGER, canonical_dtype
from lamina.errors import ShapeError
from lamina.ops.elementwise import add, cast, divide, expm1, multiply, negative, sqrt, square, subtract
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


def _updated(groups: int, results: int) -> Any:
    """Result rule: ``groups`` lists of ``count`` tensors each, after one scalar; the first lists come back updated."""

    def rule(*tensors: Any, count: int, **_: Any) -> Any:
        lists = [tensors[1 + i * count : 1 + (i + 1) * count] for i in range(groups)]
        if len(tensors) != 1 + groups * count or tensors[0].shape:
            raise ShapeError(f"an update of {count} tensors got {len(tensors)}.", expected=f"1 + {groups * count}.")
        for members in zip(*lists, strict=True):
            if len({m.shape for m in members}) != 1:
                raise ShapeError(
                    f"an update of tensors of shapes {[m.shape for m in members]}.", expected="equal shapes."
                )
        return tuple(t.spec for i in range(results) for t in (lists[0] if i == 0 else lists[1 + i]))

    return rule


@composite_op(
    result=lambda step, beta_1, beta_2, dtype: Spec(step.shape, dtype),
    dtypes=INTEGER + FLOATING,
    promote=False,
    public=False,
)
def bias_correction(step: TensorLike, beta_1: float, beta_2: float, dtype: Any = "float32") -> Tensor:
    """What makes up for Adam's moments starting at 0, at step t: sqrt(1 - beta_2^t) / (1 - beta_1^t).

    By expm1, since beta_2^t is near 1 at first.

    >>> round(bias_correction(1.0, 0.9, 0.999).item(), 6)
    0.316228
    """
    count = cast(step, "float32")
    first, second = (negative(expm1(multiply(count, _logarithm(beta)))) for beta in (beta_1, beta_2))
    correction = divide(sqrt(second), first)
    return correction if dtype == "float32" else cast(correction, dtype)


def _logarithm(beta: float) -> float:
    return math.log(beta) if beta > 0.0 else -math.inf


@bias_correction.settings
def _(step: Tensor, beta_1: Any, beta_2: Any, dtype: Any) -> dict[str, Any]:
    return {"beta_1": float(beta_1), "beta_2": float(beta_2), "dtype": canonical_dtype(dtype)}


@composite_op(result=_updated(4, 3), dtypes=FLOATING, promote=False, outputs=(), public=False)
def adam_update(*tensors: TensorLike, count: int, beta_1: float, beta_2: float, epsilon: float) -> tuple[Tensor, ...]:
    """One step of Adam (Kingma and Ba 2014, arXiv:1412.6980) for ``count`` parameters.

    The tensors are: the step size alpha = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) as a scalar, then ``count``
    parameters p, gradients g, first moments m and second moments v. Returns the new p, m and v:
    m = m + (g - m) * (1 - beta_1), v = v + (g^2 - v) * (1 - beta_2), p = p - alpha * m / (sqrt(v) + epsilon).

    >>> p, m, v = adam_update(0.1, [1.0], [0.5], [0.0], [0.0], count=1, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    >>> [round(float(p[0]), 4), round(float(m[0]), 4), round(float(v[0]), 6)]
    [0.6838, 0.05, 0.00025]
    """
    alpha, rest = tensors[0], tensors[1:]
    p, g, m, v = (rest[i * count : (i + 1) * count] for i in range(4))
    m = tuple(add(m_, multiply(subtract(g_, m_), 1.0 - beta_1)) for m_, g_ in zip(m, g, strict=True))
    v = tuple(add(v_, multiply(subtract(square(g_), v_), 1.0 - beta_2)) for v_, g_ in zip(v, g, strict=True))
    p = tuple(
        subtract(p_, divide(multiply(m_, alpha), add(sqrt(v_), epsilon))) for p_, m_, v_ in zip(p, m, v, strict=True)
    )
    return (*p, *m, *v)


@composite_op(result=_updated(3, 2), dtypes=FLOATING, promote=False, outputs=(), public=False)
def momentum_update(*tensors: TensorLike, count: int, momentum: float, nesterov: bool) -> tuple[Tensor, ...]:
    """One step of gradient descent with momentum for ``count`` parameters.

    The tensors are: the learning rate as a scalar, then ``count`` parameters p, gradients g and velocities m. Returns
    the new p and m: m = momentum * m - rate * g; p = p + m, or with Nesterov p = p + momentum * m - rate * g.

    >>> p, m = momentum_update(0.1, [1.0], [0.5], [0.0], count=1, momentum=0.9, nesterov=False)
    >>> round(float(p[0]), 4), round(float(m[0]), 4)
    (0.95, -0.05)
    """
    rate, rest = tensors[0], tensors[1:]
    p, g, m = (rest[i * count : (i + 1) * count] for i in range(3))
    steps = tuple(multiply(g_, rate) for g_ in g)
    m = tuple(subtract(multiply(m_, momentum), s) for m_, s in zip(m, steps, strict=True))
    ahead = (subtract(multiply(m_, momentum), s) for m_, s in zip(m, steps, strict=True))
    moves = tuple(ahead) if nesterov else m
    return (*(add(p_, move) for p_, move in zip(p, moves, strict=True)), *m)
