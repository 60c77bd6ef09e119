"""Functions at the ends of their ranges: finite where the limit is, and within 4 units in the last place.

Held against decimal numbers of 60 digits (``precise``), in each floating width on each backend, values and gradients,
eagerly and where the difference could show in a replayed step.
"""

from __future__ import annotations

import decimal
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))

import precise

import lamina
from backends_here import scope

ALLOWED = 4.0
BACKENDS = ("numpy", "torch", "array_api_strict")
DTYPES = ("float32", "float64")


@pytest.fixture(autouse=True, params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    with scope(request.param), decimal.localcontext(precise.DIGITS):
        yield request.param


def points(dtype: str) -> np.ndarray:
    """Large, small and ordinary numbers of both signs."""
    limits = np.finfo(dtype)
    sizes = [0.0, limits.smallest_subnormal, limits.tiny / 3, limits.tiny, 1e-5, 0.3, 1.0, 5.0, 20.0, 80.0, 1e4,
             limits.max, np.inf]  # fmt: skip
    return np.array([sign * float(size) for size in sizes for sign in (1.0, -1.0)], dtype)


SMALL = "subnormal"
ROWS: list[list[Any]] = [
    [1e4, -1e4, 0.0], [1e4, 1e4, 1e4], [-1e4, -1e4], [0.0, 0.0], [SMALL, 0.0], [1e4, 9999.0], [20.0, 0.0], [80.0, 0.0],
    [5.0, 0.0, 1.0], [-3.0, -1.0, 2.0, 0.5], [1e4, SMALL, -1e4, 20.0, 0.0], [7.0],
]  # fmt: skip
INFINITE: list[list[Any]] = [[np.inf, 0.0, 1e4], [-np.inf, 0.0], [-np.inf, 1e4, np.inf], [np.inf, SMALL, -np.inf]]


def row_of(numbers: list[Any], dtype: str) -> np.ndarray:
    small = float(np.finfo(dtype).smallest_subnormal)
    return np.array([small if number == SMALL else number for number in numbers], dtype)


def assert_precise(found: Any, wanted: list[decimal.Decimal], what: Any) -> None:
    values = np.atleast_1d(found.numpy())
    far = [
        (what, float(value), float(exact), distance)
        for value, exact in zip(values.ravel(), wanted, strict=True)
        if not (distance := precise.ulps(float(value), exact, values.dtype)) <= ALLOWED
    ]
    assert far == []


def gradient(function: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    found: np.ndarray = lamina.grad(lambda v: lamina.sum(function(v)))(lamina.tensor(x)).numpy()
    return found


SELU_SCALE, SELU_ALPHA = decimal.Decimal("1.0507009873554805"), decimal.Decimal("1.6732632423543772")
ELEMENTWISE = {
    "sigmoid": precise.sigmoid,
    "softplus": precise.softplus,
    "log_sigmoid": lambda x: -precise.softplus(-x),
    "expm1": precise.expm1,
    "log1p": precise.log1p,
    "erf": precise.erf,
    "elu": lambda x: max(x, precise.ZERO) + precise.expm1(min(x, precise.ZERO)),
    "selu": lambda x: SELU_SCALE * (max(x, precise.ZERO) + SELU_ALPHA * precise.expm1(min(x, precise.ZERO))),
    "silu": lambda x: x * precise.sigmoid(x) if x.is_finite() else max(x, precise.ZERO),
}
"""sigmoid is 0 where e^-x overflows and the result would be below all but subnormal numbers: not within ``points``."""


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if hasattr(lamina, name)])
def test_elementwise(name: str, dtype: str) -> None:
    x = points(dtype)
    if name == "log1p":
        x = x[x >= -0.5]
    function = getattr(lamina, name)
    assert_precise(function(x), precise.each(ELEMENTWISE[name])(precise.exact(x)), name)
    if name == "expm1":
        x = x[x < 100.0]  # beyond, the gradient is infinite as the function is
    assert np.isfinite(gradient(function, x)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["gelu", "gelu_new", "mish"])
def test_what_vanishes_on_the_left_is_finite(name: str, dtype: str) -> None:
    x = points(dtype)
    y = getattr(lamina, name)(x).numpy()
    assert (y[x >= 80.0] == x[x >= 80.0]).all()
    assert (np.abs(y[x <= -200.0]) == 0.0).all()
    assert np.isfinite(y[np.isfinite(x)]).all()


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "elu", "selu"])
def test_slopes_at_infinity(name: str) -> None:
    left, right = gradient(getattr(lamina, name), np.array([-np.inf, np.inf], np.float32)).tolist()
    assert (left, right) == (0.0, pytest.approx(1.0507009873554805 if name == "selu" else 1.0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("numbers", ROWS + INFINITE, ids=str)
def test_rows(numbers: list[Any], dtype: str) -> None:
    x = row_of(numbers, dtype)
    exact = precise.exact(x)
    assert_precise(lamina.softmax(x), precise.softmax(exact), "softmax")
    assert_precise(lamina.log_softmax(x), precise.log_softmax(exact), "log_softmax")
    assert_precise(lamina.logsumexp(x), [precise.logsumexp(exact)], "logsumexp")
    for function in (lamina.softmax, lamina.log_softmax, lamina.logsumexp):
        assert np.isfinite(gradient(function, x)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("numbers", ROWS + INFINITE, ids=str)
def test_softmax_cross_entropy(numbers: list[Any], dtype: str) -> None:
    x = row_of(numbers, dtype)
    for label in np.eye(len(x), dtype=dtype):
        wanted = [precise.softmax_cross_entropy(precise.exact(label), precise.exact(x))]
        assert_precise(lamina.softmax_cross_entropy(label, x), wanted, list(label))
        found = gradient(lambda v, label=label: lamina.softmax_cross_entropy(label, v), x)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(), 0.0, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("label", [0.0, 1.0, 0.25, 1e-4, 0.9999])
def test_sigmoid_cross_entropy(label: float, dtype: str) -> None:
    x = points(dtype)
    labels = np.full_like(x, label)
    exact = [precise.sigmoid_cross_entropy(precise.exact(labels)[0], value) for value in precise.exact(x)]
    assert_precise(lamina.sigmoid_cross_entropy(labels, x), exact, label)
    assert np.isfinite(gradient(lambda v: lamina.sigmoid_cross_entropy(labels, v), x)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("numbers", [*ROWS, [1e4, 1e4 + 1, 1e4 + 2], [SMALL, SMALL, SMALL]], ids=str)
def test_variance(numbers: list[Any], dtype: str) -> None:
    x = row_of(numbers, dtype)
    assert_precise(lamina.variance(x), [precise.variance(precise.exact(x))], "variance")
    assert np.isfinite(gradient(lamina.variance, x)).all()


def test_logsumexp_of_nothing_likely() -> None:
    """All minus infinity: no number is possible, and the logarithm of nothing is minus infinity."""
    x = np.full((2, 3), -np.inf, np.float32)
    assert lamina.logsumexp(x, axis=1).tolist() == [-math.inf, -math.inf]
    assert gradient(lamina.logsumexp, x).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("classes", [3, 40])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_replayed_rows(name: str, classes: int, backend: str) -> None:
    """A step of the NumPy backend has other kernels, one of them for few classes."""
    x = np.zeros((4, classes), np.float32)
    x[0, 1], x[1, 0], x[2, 2], x[3] = 1e4, -1e4, 20.0, np.arange(classes) % 9 - 4.5  # exact differences
    step = lamina.function(lambda v: getattr(lamina, name)(v))
    wanted = [number for row in x for number in getattr(precise, name)(precise.exact(row))]
    for _ in range(4):
        found = step(lamina.tensor(x))
    if name == "softmax" or backend != "torch":  # a step of Torch takes its fused kernel, which rounds beside 1
        assert_precise(found, wanted, name)
    np.testing.assert_allclose(found.numpy().ravel(), [float(w) for w in wanted], rtol=1e-6, atol=3e-7)


@pytest.mark.parametrize("shape", [(3, 1), (2, 40), (2, 3), (0, 40)])
def test_replayed_logarithms_of_what_is_no_number(shape: tuple[int, int], backend: str) -> None:
    x = np.full(shape, 1.0, np.float32)
    x[:1] = np.nan
    step = lamina.function(lambda v: lamina.log_softmax(v))
    for _ in range(4):
        found = step(lamina.tensor(x)).numpy()
    assert np.isnan(found[:1]).all()
    assert np.isfinite(found[1:]).all()


def test_a_replayed_loss_of_impossible_classes() -> None:
    labels = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    logits = np.where(labels == 1, 2.0, -np.inf).astype(np.float32)
    step = lamina.function(lambda z, v: lamina.sum(lamina.softmax_cross_entropy(z, v)))
    for _ in range(4):
        assert step(lamina.tensor(labels), lamina.tensor(logits)).item() == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("numbers", [*ROWS, [SMALL, SMALL], [1e30, 1e30], [1e-30, 0.0, 1e-30]], ids=str)
@pytest.mark.parametrize("name", ["norm", "euclidean_norm"])
def test_norms(name: str, numbers: list[Any], dtype: str) -> None:
    x = row_of(numbers, dtype)
    assert_precise(getattr(lamina, name)(x), [precise.norm(precise.exact(x))], name)
    assert np.isfinite(gradient(getattr(lamina, name), x)).all()
